# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The doors of the Configuration Database: what it takes to give up or to take the one right to write.

The database driver knows how; here stands when: the order, the guards, what is recorded and what counts as proof.
"""

from __future__ import annotations

import socket
from datetime import datetime, timezone
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import Recorded
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.lease import left_now
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process import ProcessDriver
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import (
    DatabaseError,
    Replication,
    Server,
    Source,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.content import (
    comparison_of,
    content_of,
    lag_of,
    ledger_of,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.drain import drained, running_again
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.fence import fence_problem
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.one_writer import (
    refuse_second_writer,
    refuse_unfenced_here,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.view import (
    closed_view,
    describe,
    difference,
    is_closed,
    is_open,
    now,
    opened_view,
    position,
    proof,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import Step
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for


class Promotion(NamedTuple):
    """On what a promotion rests. Lags are in the driver's unit; None is unknown, and unknown refuses."""

    fence: Mapping[str, Any]
    fence_max_age: float
    lag: Optional[float]
    lag_limit: float
    allow_data_loss: bool
    run_id: Optional[str]
    frozen: Mapping[str, Any] = {}
    """What the door freeze returned at the other side: where its log ended for the writer."""
    lease: str = ""
    """Path of the guard's lease on this host; empty: there is no guard."""

    @property
    def end(self) -> Dict[str, Any]:
        """Where the other side's log ends, as far as its fence or its freeze could tell."""
        known = {word: self.fence.get(word) or self.frozen.get(word) for word in ("timeline", "system_identifier")}
        return dict(known, lsn=self.fence.get("lsn") or self.frozen.get("lsn"))


class Doors:
    """The doors of the database on this host. With `dry`, nothing is changed and the result says what would be."""

    def __init__(
        self,
        database: Replication,
        processes: ProcessDriver,
        recorded: Recorded,
        deadline: float,
        interval: float,
        dry: bool,
    ) -> None:
        """Take the drivers, and the record of what stood before. `deadline` and `interval` are in seconds."""
        self._database = database
        self._processes = processes
        self._recorded = recorded
        self._deadline = deadline
        self._interval = interval
        self._dry = dry

    def observe(self) -> Dict[str, Any]:
        """Return the database's state."""
        state = self._database.state()
        return {"changed": False, "database": state, "detail": describe(state)}

    def readiness(self, limits: Mapping[str, int]) -> Dict[str, Any]:
        """Return what a promotion will need, met or not. What is only advice does not count."""
        state = self._database.state()
        items = self._database.readiness(state, limits)
        ready = all(item["met"] for item in items if item.get("needed", True))
        return {"changed": False, "database": state, "readiness": items, "ready": ready, "detail": describe(state)}

    def freeze(self, step: Step) -> Dict[str, Any]:
        """Take the writer's log-in, sessions and privileges, and wait until every standby has applied all it wrote.

        `frozen` is where its log ended; None where there is nothing to freeze and nothing was. A standby that is gone
        is not waited for: then `standby_caught_up` is false, and `content` a hash of all rows where the make has one.
        """
        before = self._database.state()
        recorded = self._recorded.read() or {}
        told = {"standby_caught_up": bool(recorded.get("caught_up")), "content": recorded.get("content")}
        kept = recorded.get("frozen") and dict(recorded["frozen"], **told)
        if not before["running"] or before["role"] != "primary":
            return {"changed": False, "frozen": kept, "database": before, "detail": describe(before)}
        if kept and is_closed(before):
            return self._frozen(before, before, kept)
        if self._dry:
            return self._would(before, closed_view(before), "would be frozen", {"frozen": None})
        step.assert_newest()
        self._recorded.forget()
        after = before if is_closed(before) else self._database.close()
        self._refuse_not_closed(after, [])
        end = dict(position(after), host=socket.gethostname(), at=now())
        self._recorded.keep({"frozen": end})
        return self._frozen(before, after, end)

    def _frozen(self, before: Mapping[str, Any], after: Mapping[str, Any], end: Mapping[str, Any]) -> Dict[str, Any]:
        # None: nobody follows, and waiting would not bring anybody.
        settled = wait_for(lambda: self._database.followed(end) is not False, self._deadline, self._interval)
        caught_up = bool(end.get("standby_caught_up") or (settled and self._database.followed(end)))
        self._recorded.keep({"caught_up": True} if caught_up else {"content": content_of(self._database)})
        frozen = dict(end, standby_caught_up=caught_up, content=(self._recorded.read() or {}).get("content"))
        words = "every standby has applied it" if frozen["standby_caught_up"] else "no standby is known to have it all"
        changed = not is_closed(before)
        shown = {"changed": changed, "frozen": frozen, "database": after, "detail": f"{describe(after)}; {words}"}
        return dict(shown, diff=difference(before, after)) if changed else shown

    def release(self, step: Step, writer_units: List[str]) -> Dict[str, Any]:
        """Fence this side. The result has `fence`, the proof, when all of it was seen; else RefusedError."""
        before = self._database.state()
        if is_closed(before):
            return self._released(before, before, writer_units, changed=False)
        if self._dry:
            return self._would(before, closed_view(before), "would be fenced", {"fence": None})
        step.assert_newest()
        if not before["running"]:
            self._recorded.keep({"starts_as": before["starts_as"]})
        return self._released(before, self._database.close(), writer_units, changed=True)

    def _released(
        self, before: Mapping[str, Any], after: Mapping[str, Any], writer_units: List[str], changed: bool
    ) -> Dict[str, Any]:
        running = self._refuse_not_closed(after, writer_units)
        fence = None if running else proof(after, writer_units)
        shown = {"changed": changed, "fence": fence, "database": after, "detail": describe(after)}
        return dict(shown, diff=difference(before, after)) if changed else shown

    def _refuse_not_closed(self, state: Mapping[str, Any], writer_units: List[str]) -> List[str]:
        """Return the writers that still run, which only check mode lets pass."""
        running = [unit for unit in writer_units if not self._processes.state(unit).stopped]
        if is_closed(state) and (self._dry or not running):
            return running
        raise RefusedError(
            "fence: the writer is stopped, its log-in and its write privileges are revoked, all of it seen",
            f"{describe(state)}; still running: {', '.join(running) or 'nothing'}",
            "stop the Configuration Server here first, and take away privileges that reach it through other roles",
        )

    def take_over(self, step: Step, promotion: Promotion) -> Dict[str, Any]:
        """Make this database the writer. Refuses without a fence, and with a lag that is unknown or over the limit."""
        before = self._database.state()
        if not before["running"]:
            raise DatabaseError(f"{describe(before)}: a server that is down cannot be promoted; start it first")
        self._refuse_left_behind(before, promotion)
        stuck = before.get("waits_for")
        # A guard degrades by itself, in its order: the ticket says so before commits stop waiting.
        if before["role"] == "primary" and is_open(before) and (promotion.lease or not stuck):
            self._forget_frozen()
            return {"changed": False, "database": before, "detail": f"already the writer: {describe(before)}"}
        if self._dry:
            unmet = self._fence_problem(promotion) or self._lease_problem(promotion)
            return self._would(before, opened_view(before), "would be promoted", {"unmet": unmet})
        self._refuse_unfenced(promotion)
        lost = self._promoted(before, step, promotion)
        # A standby waits for nobody; with the same settings the primary that it now is may.
        stuck = stuck or self._database.state().get("waits_for")
        if stuck:
            self._recorded.keep({"waits_for": stuck})
            self._database.stand_alone()
        self._database.open(log_in=True)
        self._forget_frozen()
        after = self._database.state()
        if after["role"] != "primary" or not is_open(after):
            raise DatabaseError(f"promoted, but the Configuration Server could not write: {describe(after)}")
        result = {"changed": True, "database": after, "lag": lost, "fence": dict(promotion.fence)}
        return dict(result, diff=difference(before, after), detail=describe(after))

    def _forget_frozen(self) -> None:
        """A writer's log goes on: where an earlier freeze saw it end must not be taken for its end.

        Nor is anything of it that an earlier fence or resync left to be put back or finished.
        """
        kept = self._recorded.read() or {}
        if set(kept) - {"waits_for"} and not self._dry:
            self._recorded.forget()
            self._recorded.keep({word: kept[word] for word in kept if word == "waits_for"})

    def _promoted(self, before: Mapping[str, Any], step: Step, promotion: Promotion) -> Optional[float]:
        """Drain, stop the replication, look at the lag and at every guard once more, promote; return the lag."""
        if before["role"] == "primary":
            self._refuse_now(step, promotion)
            return promotion.lag
        end = promotion.end["lsn"]
        step.assert_newest()
        begins = bool(before.get("detached"))
        if begins:
            # Killed half-way, an earlier call left it so: what came since is drained too.
            self._database.attach()
        wait_for(drained(self._database, end, begins), self._deadline, self._interval)
        try:
            self._database.detach()
            wait_for(drained(self._database, None), self._deadline, self._interval)
            # Once more: what has been applied meanwhile may be of another history.
            self._refuse_left_behind(self._database.state(), promotion)
            lag = self._refuse_lag(before, promotion, end)
            self._refuse_now(step, promotion)
        except Exception:
            # Refused, or failed: this side goes on as the standby that it was.
            self._database.attach()
            raise
        self._database.promote()
        return lag

    def _refuse_now(self, step: Step, promotion: Promotion) -> None:
        """The waiting for the log may have taken long: every proof must hold now, not when the step began."""
        step.assert_newest()
        self._refuse_unfenced(promotion)

    def _refuse_left_behind(self, before: Mapping[str, Any], promotion: Promotion) -> None:
        problem = self._database.left_behind(before, promotion.end)
        if problem:
            raise RefusedError(
                "history: only a database that followed the last writer may become the writer",
                f"{problem}; {describe(before)}",
                "resynchronise this database from the other side; if that was never promoted, use restore",
            )

    @staticmethod
    def _would(
        before: Mapping[str, Any], after: Mapping[str, Any], words: str, more: Mapping[str, Any]
    ) -> Dict[str, Any]:
        detail = f"{words}: {describe(before)}"
        shown = {"changed": True, "database": dict(before), "diff": difference(before, after), "detail": detail}
        return dict(shown, **more)

    def _fence_problem(self, promotion: Promotion) -> Optional[str]:
        moment = datetime.now(timezone.utc)
        return fence_problem(promotion.fence, moment, promotion.fence_max_age, socket.gethostname(), promotion.run_id)

    @staticmethod
    def _lease_problem(promotion: Promotion) -> Optional[str]:
        if not promotion.lease or left_now(promotion.lease) > 0:
            return None
        return f"{promotion.lease} holds no fresh lease: this host's guard does not hold the ticket"

    def _refuse_unfenced(self, promotion: Promotion) -> None:
        problem = self._fence_problem(promotion)
        if problem:
            raise RefusedError(
                "fence: promote only after the other side's fence is confirmed",
                problem,
                "fence the other side, or let two people attest: fence {kind: attested, by: [a, b], until: …}",
            )
        problem = self._lease_problem(promotion)
        if problem:
            raise RefusedError(
                "lease: only the side whose guard holds the ticket is promoted",
                problem,
                "grant the ticket to this side first (continuity_guard, door take_over)",
            )

    def _refuse_lag(self, before: Mapping[str, Any], promotion: Promotion, end: Optional[str]) -> Optional[float]:
        """Return the lag with which this is promoted: measured where the other side named its last position."""
        lag = lag_of(self._database, end, promotion.lag, promotion.frozen)
        if promotion.allow_data_loss or (lag is not None and lag <= promotion.lag_limit):
            return lag
        unit = before.get("unit", "bytes")
        raise RefusedError(
            "replication lag: known and within the limit",
            f"{'unknown' if lag is None else f'{lag:.0f} {unit}'}, limit {promotion.lag_limit:.0f}; {describe(before)}",
            "give the lag that was seen while the primary answered, or allow_data_loss with two people for this run",
        )

    def restore(self, step: Step, peer_role: str) -> Dict[str, Any]:
        """Give back what release or freeze took. Refuses unless the other side is seen as a standby.

        A standby whose replication a promotion stopped, and which was not promoted, follows again.
        """
        kept = self._recorded.read() or {}
        waited = "frozen" in kept and not self._dry
        before = running_again(self._database, self._deadline, self._interval) if waited else self._database.state()
        fenced = before["running"] and before["writer"]["fenced"]
        detached = before["running"] and before.get("detached")
        if not kept and not fenced and not detached:
            return {
                "changed": False,
                "database": before,
                "detail": "nothing was recorded, so nothing is to be put back",
            }
        if not detached:
            refuse_second_writer(before, bool(fenced), peer_role)
        if self._dry:
            after = before if detached else opened_view(before)
            return self._would(before, after, "would be put back", {})
        step.assert_newest()
        self._put_back(kept, before)
        self._recorded.forget()
        after = self._database.state()
        return {"changed": True, "database": after, "diff": difference(before, after), "detail": describe(after)}

    def _put_back(self, kept: Mapping[str, Any], before: Mapping[str, Any]) -> None:
        if before["running"] and before.get("detached"):
            self._database.attach()
            return
        if kept.get("starts_as") == "primary" and not before["running"]:
            self._database.start_as_primary()
        if before["running"] and before["writer"]["fenced"]:
            self._database.open(log_in=False)
        if kept.get("waits_for"):
            self._database.synchronise(kept["waits_for"])

    def resync(self, step: Step, source: Source, server: Server) -> Dict[str, Any]:
        """Make this side a standby of the other side's primary, and see it stream.

        Refuses while this side may write, and unless the source itself says that it is the primary that followed.
        """
        kept = self._recorded.read() or {}
        unfinished = bool(kept.get("resync"))
        before = self._database.state()
        if self._dry:
            return self._would_resync(before, source, server, unfinished)
        refuse_unfenced_here(before)
        done = self._database.resync(source, server, self._resync_begins(step), unfinished)
        if done["streams"] and done["way"] == "none":
            return {"changed": False, "resync": done, "database": before, "detail": describe(before)}
        self._recorded.forget()
        after = self._database.state()
        result = {"changed": True, "resync": done, "database": after, "diff": difference(before, after)}
        return dict(result, detail=f"{done['way']} in {done['seconds']} s: {describe(after)}")

    def _would_resync(self, before: Mapping[str, Any], source: Source, server: Server, half: bool) -> Dict[str, Any]:
        """Say what would be; a refusal as `unmet`, for the steps before this one have only been shown, too."""
        done, unmet = {"way": "none", "tried": [], "seconds": 0.0, "streams": False}, None
        try:
            refuse_unfenced_here(before)
            done = self._database.resync(source, server, None, half)
        except RefusedError as refused:
            unmet = str(refused)
        if done["streams"]:
            return {"changed": False, "resync": done, "database": before, "detail": describe(before)}
        after = dict(before, role="standby")
        return self._would(before, after, "would be resynchronised", {"resync": done, "unmet": unmet})

    def _resync_begins(self, step: Step) -> Callable[[str], None]:
        def begin(way: str) -> None:
            """Refuse when a newer run has come, and note what cannot be resumed."""
            step.assert_newest()
            if way in ("rewind", "copy"):
                # Killed half-way through either, the data is nothing that may be followed with.
                self._recorded.keep({"resync": way})

        return begin

    def ledger(self, since: str, noted: Recorded) -> Dict[str, Any]:
        """Return every write of the writer since a time, as the server itself recorded them."""
        return ledger_of(self._database, since, noted, self._dry)

    def compare(self) -> Dict[str, Any]:
        """Return what the database holds, table by table, so that two sides can be compared."""
        return comparison_of(self._database)

    def verify(self, marker: str) -> Dict[str, Any]:
        """Return what is seen of a write, committed as the Configuration Server's role. Raises DatabaseError."""
        state = self._database.state()
        if state["role"] != "primary" or not is_open(state):
            raise DatabaseError(f"not writable: {describe(state)}")
        written = self._database.write(marker)
        if not written["committed"]:
            raise DatabaseError(f"the transaction was not committed: {written}")
        seen_from = socket.gethostname()
        words = f"committed at {written['lsn']} as {written['as']}, seen from {seen_from}; {describe(state)}"
        return {"changed": False, "database": state, "written": dict(written, seen_from=seen_from), "detail": words}
