# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The doors of the ticket: taking it away and proving it, giving it, giving it back, and switching the dead-man off.

`ticket.py` says what may be written, and etcd that nobody was faster; here stands what must be seen before and after.
"""

from __future__ import annotations

import socket
from datetime import datetime, timezone
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import ticket as tickets
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.etcd import TicketState, TicketStore
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.etcd_client import Unavailable
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.ticket import Ticket
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import lease
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.changing import Change, Moved, Rule
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.config import outlives
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.core import Standing, seconds
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.sight import GuardError, Sight
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import Step
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for

Still = Tuple[str, Callable[[Ticket], List[str]]]
"""How a dead-man must no longer be, in words, and which of a ticket's hosts have one that is."""


class Times(NamedTuple):
    """Seconds: for each thing that is waited for, between two looks, and how long a revision must stand."""

    deadline: float
    interval: float
    take: float

    def at_least(self, take: float) -> Times:
        """Return the same times with a `take` that is no shorter than this."""
        return self._replace(take=max(self.take, take))


class TicketDoors:
    """The doors, on one host. With `dry`, nothing is written and the result says what would be."""

    def __init__(
        self, store: TicketStore, sight: Sight, run: Optional[Mapping[str, Any]], times: Times, dry: bool
    ) -> None:
        """`run`: `{id, token, …}` of the run that acts, None outside a run: then no token is compared."""
        self._store = store
        self._sight = sight
        self._run = run
        self._times = times
        self._dry = dry

    def observe(self) -> Dict[str, Any]:
        """Return what is seen of the guard here, and the ticket."""
        state = self._store.read()
        seen = self._sight.shown()
        said = tickets.observed(state.ticket) if state.ticket else None
        detail = f"{describe(state.ticket)}; here {_guard_words(seen)}"
        return {"changed": False, "guard": seen, "ticket": state.ticket, "observed": said, "detail": detail}

    def release(self, step: Step, failed: str, proof: str) -> Dict[str, Any]:
        """Take the ticket from `failed` and return the fence's proof, and `sync`. Raises RefusedError, GuardError.

        `sync`: whether everything that `failed` acknowledged is at its standby, as the ticket said when it was revoked.
        An earlier start of the run may have passed the ticket on: that it did so only after the proof is the proof.
        """
        self._refuse_proof(failed, proof)
        # Before the revocation, for the guard here looks all the time and will soon know the new revision only.
        known = self._sight.standing
        moved = self._move(step, lambda ticket: self._revoked(ticket, failed))
        if proof == "run_out" and not self._dry:
            # A disarming may have been committed just before the ticket was taken.
            _refuse_unarmed(moved.after, failed)
        passed_on = _is_passed_on(moved.after, failed)
        more = {"fence": None, "sync": moved.after["took_sync" if moved.after["holder"] else "sync"]}
        if not self._dry and proof == "seen":
            more["fence"] = self._seen()
        if not self._dry and proof == "run_out":
            proven = self._fence("ticket_run_out", failed, revision=moved.revision) if passed_on else None
            more["fence"] = proven or self._run_out(moved, known, failed)
        return self._result(moved, more)

    def _refuse_proof(self, failed: str, proof: str) -> None:
        config = self._sight.config
        if proof == "seen" and (config is None or config.site != failed):
            raise RefusedError(
                "fence: a stop is seen on the hosts of the site that is stopped",
                f"asked on {socket.gethostname()}, a host of {config.site if config else 'no guarded site'}",
                f"go through this door on the hosts of {failed}, or wait until its ticket has run out",
            )
        ticket = self._store.read().ticket
        if proof == "run_out" and ticket is not None:
            _refuse_unarmed(ticket, failed)

    def _revoked(self, ticket: Ticket, failed: str) -> Optional[Ticket]:
        if _is_passed_on(ticket, failed):
            return None
        already = ticket["holder"] is None and ticket["revoked_from"] == failed and ticket["for"] is None
        mine = self._run is None or (ticket["run"] or {}).get("id") == self._run["id"]
        return None if already and mine else tickets.revoked(ticket, failed, self._run)

    def _seen(self) -> Dict[str, Any]:
        """Wait until this host's lease is gone and nothing here can write, seen without asking the guard."""
        times = self._times
        stopped = wait_for(lambda: not self._sight.left and not self._sight.writers(), times.deadline, times.interval)
        refuses = self._sight.refuses_a_start()
        if not stopped or refuses is not True:
            raise GuardError(
                f"not fenced after {times.deadline:.0f} s: {_guard_words(self._sight.shown())}; a start would be "
                f"{'refused' if refuses else 'allowed, or cannot be tried'}"
            )
        seen = {"guard": self._sight.active, "writers": [], "start": "refused"}
        return self._fence("stopped_and_revoked", socket.gethostname(), seen=seen, lsn=None)

    def _run_out(self, moved: Moved, known: Optional[Standing], failed: str) -> Dict[str, Any]:
        """Read until nobody has renewed for `take` on this host's clock.

        What the guard here had seen counts: whoever replaced the revision that it knew came after every renewal.
        """
        times = self._times.at_least(self._outlived(moved.after))
        since = known.since if known and known.revision == moved.replaced else lease.boottime()
        standing = _Standing(self._store, failed, moved.revision, since)
        proven = wait_for(lambda: standing.lasts() >= times.take, times.take + times.deadline, times.interval)
        if not proven:
            raise GuardError(
                f"the ticket did not stand still for {times.take:.1f} s within {times.take + times.deadline:.0f} s: "
                f"{standing.trouble or 'its revision went on changing'}"
            )
        return self._fence("ticket_run_out", failed, revision=standing.revision)

    def _outlived(self, ticket: Ticket) -> float:
        """Return how long the holder's hosts may still write, by the times that they and this host were installed with.

        Both hold, whatever the policy says since: a guard that is older than this rule has promised nothing.
        """
        config = self._sight.config
        return max([*ticket["kills_within"].values(), outlives(config) if config else 0.0])

    @staticmethod
    def _fence(kind: str, host: str, **more: Any) -> Dict[str, Any]:  # noqa: ANN401  JSON
        seen_at = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        by = [f"continuity_guard on {socket.gethostname()}"]
        return dict({"kind": kind, "seen_at": seen_at, "by": by, "host": host}, **more)

    def take_over(self, step: Step, site: str) -> Dict[str, Any]:
        """Give the ticket to this host's site and wait until its guard here has a lease. Raises RefusedError."""
        self._refuse_unguarded(site)
        moved = self._move(step, lambda ticket: self._granted(ticket, site))
        if self._dry:
            return self._result(moved, {"left": None})
        times = self._times
        left = wait_for(lambda: self._sight.left, times.deadline, times.interval)
        if not left:
            words = _guard_words(self._sight.shown())
            raise GuardError(f"no lease {times.deadline:.0f} s after the ticket was granted to {site}: {words}")
        return self._result(moved, {"left": round(left, 2)})

    def _refuse_unguarded(self, site: str) -> None:
        config = self._sight.config
        if config is None or config.site != site or self._sight.active != "active":
            raise RefusedError(
                "guard: a site takes the ticket only where its guard runs",
                f"{_guard_words(self._sight.shown())}, asked for {site or 'no site'}",
                "install the guard on this host, or see why it does not run",
            )

    def _granted(self, ticket: Ticket, site: str) -> Optional[Ticket]:
        if tickets.may_acquire(ticket, site):
            return None
        if self._dry and ticket["holder"] is not None:
            # In check mode the step before this one has taken nothing away.
            ticket = tickets.revoked(ticket, ticket["holder"], self._run)
        if ticket["holder"] is None and ticket["revoked_from"] in (None, site):
            raise RefusedError(
                "ticket: it is granted to a site only after it was revoked from the other one",
                f"to be granted to {site}, but it is {describe(ticket)}",
                "revoke it from the other site and fence that one, or use restore for the way back",
            )
        return tickets.granted(ticket, site, self._run)

    def restore(self, step: Step, failed: str) -> Dict[str, Any]:
        """Give the ticket back to the site that it was taken from. Refuses once the other side may have written."""
        return self._result(self._move(step, lambda ticket: self._returned(ticket, failed)), {})

    def _returned(self, ticket: Ticket, failed: str) -> Optional[Ticket]:
        if tickets.may_acquire(ticket, failed):
            return None
        if ticket["holder"] is None and ticket["revoked_from"] in (None, failed):
            return tickets.granted(ticket, failed, self._run)
        if ticket["holder"] is None:
            raise RefusedError(
                "ticket: it goes back only to the site that it was taken from",
                f"to be given back to {failed}, but it is {describe(ticket)}",
                f"give it back to {ticket['revoked_from']}, or move to {failed} by a new run",
            )
        self._refuse_used(ticket, failed)
        taken = tickets.revoked(ticket, ticket["holder"], self._run)
        # It was never used here: nothing is to be taken from this site, and nothing to be concluded of it.
        return dict(tickets.granted(taken, failed, self._run), revoked_from=None)

    def _refuse_used(self, ticket: Ticket, failed: str) -> None:
        config = self._sight.config
        standby, writers = self._sight.database_is_standby(), self._sight.writers()
        if config is not None and config.site == ticket["holder"] and standby and not writers:
            return
        raise RefusedError(
            "one writer: the ticket goes back only while nothing was promoted",
            f"{describe(ticket)}; here on {socket.gethostname()} {_guard_words(self._sight.shown())}",
            f"finish the move, or move back to {failed} by a new run; on the way back, ask the holder's database host",
        )

    def verify(self, site: str, expect: str) -> Dict[str, Any]:
        """Assert that this site's guard here holds the ticket, or holds nothing. Raises GuardError."""
        seen, state = self._sight.shown(), self._store.read()
        holder = state.ticket["holder"] if state.ticket else None
        words = f"{describe(state.ticket)}; here {_guard_words(seen)}"
        if expect == "holder" and not (holder == site and seen["left"] and seen["active"] == "active"):
            raise GuardError(f"{site} does not hold the ticket with a lease on this host: {words}")
        if expect == "none":
            refuses = self._sight.refuses_a_start()
            if holder == site or seen["left"] or seen["writers"] or refuses is not True:
                raise GuardError(f"{site} is not without the right to write here (start refused: {refuses}): {words}")
        return {"changed": False, "guard": seen, "ticket": state.ticket, "detail": words}

    def disarm(self, step: Step, site: str, until: str) -> Dict[str, Any]:
        """Switch the dead-man of a site off until then (RFC 3339), and see that its guards did. Raises GuardError."""
        try:
            seconds(until)
        except (ValueError, OverflowError):
            raise GuardError(f"until: expected a time as 2026-01-31T05:00:00Z, found {until!r}") from None
        moved = self._move(step, lambda ticket: self._windowed(ticket, site, until))
        way = "run the playbook again, or end the window with -e continuity_downtime_until=now"
        return self._settled(moved, site, ("armed", _armed), way)

    def arm(self, step: Step, site: str) -> Dict[str, Any]:
        """Switch the dead-man of a site on again, and see that its guards did. Raises GuardError."""
        moved = self._move(step, lambda ticket: self._windowed(ticket, site, None))
        return self._settled(moved, site, ("not armed", _unarmed), "run the playbook again")

    @staticmethod
    def _windowed(ticket: Ticket, site: str, until: Optional[str]) -> Optional[Ticket]:
        if ticket["holder"] != site or ticket["disarmed_until"] == until:
            return None
        return tickets.disarmed(ticket, until)

    def _settled(self, moved: Moved, site: str, still: Still, way: str) -> Dict[str, Any]:
        """Wait until no host of the site is `still` as before. Raises GuardError: one that is goes on as before."""
        ticket, times = moved.after, self._times
        if not self._dry and ticket["holder"] == site:
            wait_for(lambda: not self._left(site, still), times.deadline, times.interval)
            left = self._left(site, still)
            if left:
                until = ticket["disarmed_until"]
                window = f"the window until {until}" if until else "the end of the window"
                raise GuardError(
                    f"still {still[0]} after {times.deadline:.0f} s: {', '.join(left)}; {window} stands in the ticket"
                    f" all the same. See that the guard runs there (a host that is off needs nothing), then {way}"
                )
            ticket = self._lying().ticket or ticket
        return self._result(moved, {"disarmed_until": ticket["disarmed_until"], "armed": ticket["armed"]})

    def _left(self, site: str, still: Still) -> List[str]:
        ticket = self._lying().ticket
        return still[1](ticket) if ticket is not None and ticket["holder"] == site else []

    def _lying(self) -> TicketState:
        return self._store.read()

    def _move(self, step: Step, rule: Rule) -> Moved:
        """Write what the rule says of the ticket that lies there, again when somebody was faster or nobody knows."""
        change = Change(self._store, rule, self._run, step, self._dry)
        moved = wait_for(change.settled, self._times.deadline, self._times.interval)
        if moved is None:
            raise change.trouble
        return moved

    def _result(self, moved: Moved, more: Mapping[str, Any]) -> Dict[str, Any]:
        words = f"{'would be: ' if self._dry and moved.changed else ''}{describe(moved.after)}"
        result = {"changed": moved.changed, "ticket": moved.after, "revision": moved.revision, "detail": words}
        if moved.changed:
            result["diff"] = {"before": _shown(moved.before), "after": _shown(moved.after)}
        return dict(result, **more)


class _Standing:
    """For how long the ticket has stood still, as revoked from one site; by reads with a majority only."""

    def __init__(self, store: TicketStore, failed: str, revision: int, since: float) -> None:
        """`since` (CLOCK_BOOTTIME): nobody of the site has renewed since then, as long as `revision` stands."""
        self.revision = revision
        self.trouble = ""
        self._store, self._failed = store, failed
        self._since = since

    def lasts(self) -> float:
        """Return for how many seconds, to the beginning of the last look."""
        began = lease.boottime()
        try:
            state = self._store.read()
        except Unavailable as error:
            self.trouble = str(error)
            return 0.0
        ticket = state.ticket
        if not _is_taken(ticket, self._failed):
            raise RefusedError(
                "ticket: it must stay revoked until the fence is proven",
                f"meanwhile it is {describe(ticket)}",
                "another run is at work: look again, then make a new plan",
            )
        if state.revision != self.revision:
            self.revision, self._since = state.revision, lease.boottime()
        return max(0.0, began - self._since)


def _is_passed_on(ticket: Mapping[str, Any], failed: str) -> bool:
    """Return whether the other site has the ticket that was taken from `failed`, or was granted it."""
    granted = ticket["for"] if ticket["revoked_from"] == failed else None
    return (ticket["holder"] or granted) not in (None, failed)


def _refuse_unarmed(ticket: Ticket, failed: str) -> None:
    """Refuse to conclude anything from the running out of a ticket without a dead-man.

    Of one that was passed on counts what it said when it was taken.
    """
    if (
        ticket["took_armed"]
        if _is_passed_on(ticket, failed) and ticket["holder"]
        else tickets.observed(ticket)["armed"]
    ):
        return
    unarmed = _unarmed(ticket) or ticket["hosts"]
    window = f", disarmed until {ticket['disarmed_until']}" if ticket["disarmed_until"] else ""
    raise RefusedError(
        "fence: a ticket that runs out proves something only where the dead-man is armed",
        f"not armed: {', '.join(unarmed) or 'nobody knows whom it covers'}{window}; {describe(ticket)}",
        "see the writers stopped on their hosts, power them off, or let two people attest it",
    )


def _armed(ticket: Mapping[str, Any]) -> List[str]:
    return sorted(ticket["armed"])


def _unarmed(ticket: Mapping[str, Any]) -> List[str]:
    return sorted(set(ticket["hosts"]) - set(ticket["armed"]))


def _is_taken(ticket: Optional[Mapping[str, Any]], failed: str) -> bool:
    if ticket is None or ticket["holder"] is not None:
        return False
    return bool(ticket["revoked_from"] == failed and ticket["for"] != failed)


def describe(ticket: Optional[Mapping[str, Any]]) -> str:
    """Say in words who has the ticket, and that it lasts only with the dead-man's word."""
    if ticket is None:
        return "there is no ticket"
    window = f", disarmed until {ticket['disarmed_until']}" if ticket["disarmed_until"] else ""
    return f"the ticket is {tickets.describe(ticket)}{window}"


def _guard_words(seen: Mapping[str, Any]) -> str:
    if not seen["installed"]:
        return "no guard is installed"
    writers: List[str] = seen["writers"]
    held = f"lease good for {seen['left']} s" if seen["left"] else "no lease"
    return f"guard {seen['active']}, {held}, running: {', '.join(writers) or 'no writer'}"


def _shown(ticket: Optional[Mapping[str, Any]]) -> Dict[str, Any]:
    return {key: (ticket or {}).get(key) for key in ("holder", "for", "revoked_from", "disarmed_until")}
