# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The doors of the Configuration Database: what it takes to give up or to take the one right to write.

The database driver knows how; here stands when: the order, the guards, what is recorded and what counts as proof.
"""

from __future__ import annotations

import socket
from datetime import datetime, timezone
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import Recorded
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process import ProcessDriver
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import DatabaseError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.fence import fence_problem
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.postgresql import PostgreSQL
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import Step
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for


class Promotion(NamedTuple):
    """On what a promotion rests. Lags are in bytes of the log; None is unknown, and unknown refuses."""

    fence: Mapping[str, Any]
    fence_max_age: float
    lag: Optional[float]
    lag_limit: float
    allow_data_loss: bool
    run_id: Optional[str]


class Doors:
    """The doors of the database on this host. With `dry`, nothing is changed and the result says what would be."""

    def __init__(
        self,
        database: PostgreSQL,
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
        """Return what a promotion will need, met or not."""
        state = self._database.state()
        items = self._database.readiness(state, limits)
        ready = all(item["met"] for item in items)
        return {"changed": False, "database": state, "readiness": items, "ready": ready, "detail": describe(state)}

    def release(self, step: Step, writer_units: List[str]) -> Dict[str, Any]:
        """Fence this side. The result has `fence`, the proof, when all of it was seen; else RefusedError."""
        before = self._database.state()
        if is_closed(before):
            return self._released(before, before, writer_units, changed=False)
        if self._dry:
            return self._would(before, _closed_view(before), "would be fenced", {"fence": None})
        step.assert_newest()
        if not before["running"]:
            self._recorded.keep({"starts_as": before["starts_as"]})
        return self._released(before, self._database.close(), writer_units, changed=True)

    def _released(
        self, before: Mapping[str, Any], after: Mapping[str, Any], writer_units: List[str], changed: bool
    ) -> Dict[str, Any]:
        running = [unit for unit in writer_units if not self._processes.state(unit).stopped]
        if not is_closed(after) or (running and not self._dry):
            raise RefusedError(
                "fence: the writer is stopped, its log-in and its write privileges are revoked, all of it seen",
                f"{describe(after)}; still running: {', '.join(running) or 'nothing'}",
                "stop the Configuration Server here first, and take away privileges that reach it through other roles",
            )
        fence = None if running else proof(after, writer_units)
        shown = {"changed": changed, "fence": fence, "database": after, "detail": describe(after)}
        return dict(shown, diff=_diff(before, after)) if changed else shown

    def take_over(self, step: Step, promotion: Promotion) -> Dict[str, Any]:
        """Make this database the writer. Refuses without a fence, and with a lag that is unknown or over the limit."""
        before = self._database.state()
        if not before["running"]:
            raise DatabaseError(f"{describe(before)}: a server that is down cannot be promoted; start it first")
        self._refuse_left_behind(before, promotion)
        stuck = needs_to_stand_alone(before)
        if before["role"] == "primary" and is_open(before) and not stuck:
            return {"changed": False, "database": before, "detail": f"already the writer: {describe(before)}"}
        if self._dry:
            return self._would_take_over(before, promotion)
        self._refuse_unfenced(promotion)
        lost = self._refuse_lag(before, promotion)
        step.assert_newest()
        # The waiting for the log may have taken long: the proof must hold now, not when the step began.
        self._refuse_unfenced(promotion)
        if before["in_recovery"]:
            self._database.promote()
        if stuck:
            self._recorded.keep({"synchronous_standby_names": before["settings"]["synchronous_standby_names"]})
            self._database.stand_alone()
        self._database.open(log_in=True)
        after = self._database.state()
        if after["role"] != "primary" or not is_open(after):
            raise DatabaseError(f"promoted, but the Configuration Server could not write: {describe(after)}")
        result = {"changed": True, "database": after, "lag": lost, "fence": dict(promotion.fence)}
        return dict(result, diff=_diff(before, after), detail=describe(after))

    def _refuse_left_behind(self, before: Mapping[str, Any], promotion: Promotion) -> None:
        problem = left_behind(before, promotion.fence)
        if problem:
            raise RefusedError(
                "history: only a database that followed the last writer may become the writer",
                f"{problem}; {describe(before)}",
                "resynchronise this database from the other side; if that was never promoted, use restore",
            )

    def _would_take_over(self, before: Mapping[str, Any], promotion: Promotion) -> Dict[str, Any]:
        after = dict(_opened_view(before), role="primary", in_recovery=False)
        return self._would(before, after, "would be promoted", {"unmet": self._fence_problem(promotion)})

    @staticmethod
    def _would(
        before: Mapping[str, Any], after: Mapping[str, Any], words: str, more: Mapping[str, Any]
    ) -> Dict[str, Any]:
        detail = f"{words}: {describe(before)}"
        return dict({"changed": True, "database": dict(before), "diff": _diff(before, after), "detail": detail}, **more)

    def _fence_problem(self, promotion: Promotion) -> Optional[str]:
        now = datetime.now(timezone.utc)
        return fence_problem(promotion.fence, now, promotion.fence_max_age, socket.gethostname(), promotion.run_id)

    def _refuse_unfenced(self, promotion: Promotion) -> None:
        problem = self._fence_problem(promotion)
        if problem:
            raise RefusedError(
                "fence: promote only after the other side's fence is confirmed",
                problem,
                "fence the other side, or let two people attest: fence {kind: attested, by: [a, b], until: …}",
            )

    def _refuse_lag(self, before: Mapping[str, Any], promotion: Promotion) -> Optional[float]:
        """Return the lag with which this is promoted: measured where the fenced side named its last position."""
        lag = promotion.lag
        end = promotion.fence.get("lsn")
        if before["in_recovery"] and end:
            self._wait_for(str(end))
            lag = self._database.lag_to(str(end))
        if not before["in_recovery"] or promotion.allow_data_loss or (lag is not None and lag <= promotion.lag_limit):
            return lag
        raise RefusedError(
            "replication lag: known and within the limit",
            f"{'unknown' if lag is None else f'{lag:.0f} bytes'}, limit {promotion.lag_limit:.0f}; {describe(before)}",
            "give the lag that was seen while the primary answered, or allow_data_loss with two people for this run",
        )

    def _wait_for(self, lsn: str) -> None:
        wait_for(lambda: self._database.lag_to(lsn) == 0, self._deadline, self._interval)

    def restore(self, step: Step, peer_role: str) -> Dict[str, Any]:
        """Give back what release took. Refuses unless the other side is seen as a standby."""
        before = self._database.state()
        kept = self._recorded.read() or {}
        fenced = before["running"] and before["writer"]["fenced"]
        if not kept and not fenced:
            return {
                "changed": False,
                "database": before,
                "detail": "nothing was recorded, so nothing is to be put back",
            }
        if peer_role != "standby":
            raise RefusedError(
                "one writer: the other side's database must be a standby before this one may write again",
                f"the other side's role is {peer_role}",
                "look at it first; once the other side was promoted, resynchronise this one instead",
            )
        if fenced and before["in_recovery"]:
            raise DatabaseError(f"privileges can only be given back at a primary: {describe(before)}")
        if self._dry:
            return self._would(before, _opened_view(before), "would be given back", {})
        step.assert_newest()
        self._put_back(kept, before["running"], fenced)
        self._recorded.forget()
        after = self._database.state()
        return {"changed": True, "database": after, "diff": _diff(before, after), "detail": describe(after)}

    def _put_back(self, kept: Mapping[str, Any], running: bool, fenced: bool) -> None:
        if kept.get("starts_as") == "primary" and not running:
            self._database.start_as_primary()
        if fenced:
            self._database.open(log_in=False)
        if "synchronous_standby_names" in kept:
            self._database.synchronise(kept["synchronous_standby_names"])

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


def left_behind(state: Mapping[str, Any], fence: Mapping[str, Any]) -> Optional[str]:
    """Return in words why this database lacks what the last writer wrote, or None.

    A promotion begins a new timeline. So a primary whose fence is as old as its own timeline is the fenced side itself,
    and one whose timeline is not above the other side's was never promoted from it.
    """
    identifier = fence.get("system_identifier")
    if identifier and identifier != state["system_identifier"]:
        return f"the fenced database is another one ({identifier}, here {state['system_identifier']})"
    if state["in_recovery"]:
        return None
    if state["writer"]["fenced"] and state["writer"]["fenced"] >= state["timeline"]:
        return f"it was fenced itself, on timeline {state['writer']['fenced']}, and not promoted since"
    if fence.get("timeline") and fence["timeline"] >= state["timeline"]:
        return f"the fenced side wrote on timeline {fence['timeline']}"
    return None


def is_closed(state: Mapping[str, Any]) -> bool:
    """Return whether nobody can write here: a standby, or down and to start as one, or log-in and privileges gone."""
    if not state["running"]:
        return bool(state["starts_as"] == "standby")
    writer = state["writer"]
    return bool(state["in_recovery"]) or not (writer["can_login"] or writer["sessions"] or writer["writable"])


def is_open(state: Mapping[str, Any]) -> bool:
    """Return whether the Configuration Server's role may log in and write, with nothing of a fence left."""
    writer = state["writer"]
    return bool(writer["can_login"] and writer["writable"] and not writer["fenced"])


def needs_to_stand_alone(state: Mapping[str, Any]) -> bool:
    """Return whether commits here wait for synchronous standbys and none follows: then none would ever end."""
    followed = any(replica["state"] == "streaming" for replica in state["replicas"])
    return bool(state["settings"]["synchronous_standby_names"]) and not followed


def proof(state: Mapping[str, Any], writer_units: List[str]) -> Dict[str, Any]:
    """Return the fence's proof as decision.md wants it, with what was seen and the end of this side's log."""
    host = socket.gethostname()
    return {
        "kind": "stopped_and_revoked",
        "seen_at": datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "by": [f"config_database on {host}"],
        "host": host,
        # A standby's position says nothing of what the writer had written.
        "lsn": state["lsn"] if state["role"] == "primary" else None,
        "timeline": state.get("timeline"),
        "system_identifier": state.get("system_identifier"),
        "seen": {"database": describe(state), "stopped_units": list(writer_units)},
    }


def describe(state: Mapping[str, Any]) -> str:
    """Say a state in a sentence."""
    if not state["running"]:
        return f"the database server is down and would start as a {state['starts_as']}"
    writer = state["writer"]
    words = f"{state['role']} on timeline {state['timeline']} at {state['lsn']}"
    if state["in_recovery"]:
        receiver = (state["receiver"] or {}).get("status") or "no receiver"
        words += f", {receiver}, {state['replay_lag'] if state['replay_lag'] is not None else 'unknown'} bytes to apply"
    log_in = "may log in" if writer["can_login"] else "may not log in"
    tables = f"{writer['writable']} of {writer['tables']} tables writable"
    return f"{words}; writer {log_in}, {writer['sessions']} sessions, {tables}"


def _closed_view(state: Mapping[str, Any]) -> Dict[str, Any]:
    if not state["running"]:
        return dict(state, starts_as="standby")
    return dict(state, writer=dict(state["writer"], can_login=False, sessions=0, writable=0))


def _opened_view(state: Mapping[str, Any]) -> Dict[str, Any]:
    if not state["running"]:
        return dict(state, starts_as="primary")
    return dict(state, writer=dict(state["writer"], can_login=True, writable=state["writer"]["tables"]))


def _diff(before: Mapping[str, Any], after: Mapping[str, Any]) -> Dict[str, Any]:
    return {"before": _shown(before), "after": _shown(after)}


def _shown(state: Mapping[str, Any]) -> Dict[str, Any]:
    shown = {key: state[key] for key in ("role", "starts_as", "timeline") if key in state}
    writer = state.get("writer")
    if writer:
        shown["writer"] = {key: writer[key] for key in ("can_login", "sessions", "writable")}
    return shown
