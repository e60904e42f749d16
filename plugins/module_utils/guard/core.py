# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard's decisions, without a clock and without I/O (decision.md, "The ticket and the dead-man").

Times are seconds of CLOCK_BOOTTIME that the caller read; `wall` is seconds since 1970. One request is under way at a
time: `request` says which, `reply` takes its outcome, and `tick`, called often and never waiting for the network, says
what is to be done. The same code runs in the daemon and in the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple, Union

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import ticket as tickets

Ticket = Dict[str, Any]


@dataclass(frozen=True)
class GuardSettings:
    """Who this guard is, and its times in seconds (policy `ticket_hold`, `ticket_margin`, `ticket_renew`).

    `kills_within`: how long after its last renewal nothing writes here any more, whatever happens.
    """

    site: str
    host: str
    hosts: Tuple[str, ...]
    hold: float
    margin: float
    renew: float
    replication: str = "async"
    kills_within: float = 0.0


@dataclass(frozen=True)
class Read:
    """Ask for the ticket, linearizably."""


@dataclass(frozen=True)
class Write:
    """Write this ticket if the key is still at `expected_revision`."""

    expected_revision: int
    ticket: Ticket


@dataclass(frozen=True)
class Found:
    """What a Read gave; `ticket` is None where there is none."""

    revision: int
    ticket: Optional[Ticket]


@dataclass(frozen=True)
class Committed:
    """The Write was committed by a majority."""

    revision: int


@dataclass(frozen=True)
class Conflict:
    """The Write was refused: this is what lies there instead."""

    revision: int
    ticket: Optional[Ticket]


@dataclass(frozen=True)
class Failed:
    """Nobody knows whether it happened; `words` say why."""

    words: str


@dataclass(frozen=True)
class Kill:
    """Kill every writer on this host, now."""

    why: str


@dataclass(frozen=True)
class Start:
    """The ticket was just acquired: start what belongs to the holder."""


@dataclass(frozen=True)
class Lease:
    """What this host may rely on: its own last committed write, good until `deadline`."""

    deadline: float
    revision: int


class Standing(NamedTuple):
    """The revision that was seen last, and when this host first knew of it: nobody has renewed since."""

    revision: int
    since: float


Request = Union[Read, Write]
Outcome = Union[Found, Committed, Conflict, Failed]
Action = Union[Kill, Start]


class Guard:
    """One host's hold on its site's ticket. Not locked: the caller serialises the calls."""

    def __init__(self, settings: GuardSettings) -> None:
        """Begin with nothing: neither a lease nor a look at the ticket. Boot means acquire."""
        self._settings = settings
        self._seen: Optional[Found] = None
        self._seen_since = 0.0
        self._lease: Optional[Lease] = None
        self._spared_until = ""
        self._released_at: Optional[float] = None
        self._pending: Optional[Action] = None
        self._failure = ""
        self._window_over = False
        self._sync: Optional[bool] = None
        self._sync_asked = False
        self._sync_settled: Optional[bool] = None

    @property
    def lease(self) -> Optional[Lease]:
        """The lease, or None. It ends `margin` before its deadline, and only `tick` ends it."""
        return self._lease

    def good_until(self, now: float, wall: float) -> Optional[float]:
        """Return until when writers may run here, in seconds of CLOCK_BOOTTIME; None without a lease."""
        if self._lease is None:
            return None
        ends = self._lease.deadline - self._settings.margin
        return max(ends, now + seconds(self._spared_until) - wall) if self._spared(wall) else ends

    @property
    def ticket(self) -> Optional[Ticket]:
        """The ticket as last seen or written; None before the first answer and where there is none."""
        return self._seen.ticket if self._seen else None

    @property
    def answered(self) -> bool:
        """Whether the store has answered at all."""
        return self._seen is not None

    @property
    def standing(self) -> Optional[Standing]:
        """For how long the ticket has stood still, as far as this host knows; None before the first answer."""
        return Standing(self._seen.revision, self._seen_since) if self._seen else None

    @property
    def failure(self) -> str:
        """Why the last request failed; empty when it did not."""
        return self._failure

    @property
    def sync_settled(self) -> Optional[bool]:
        """What the ticket says about synchronous replication for certain: the wish, once a write of it is committed.

        None until then. What was under way when the wish changed does not count: it may still say the contrary.
        """
        return self._sync_settled if self._lease else None

    def sync_wanted(self, sync: bool) -> None:
        """Wish that the ticket says this about synchronous replication. Only the database's host has a wish."""
        if sync != self._sync:
            self._sync, self._sync_asked, self._sync_settled = sync, False, None

    def request(self, now: float) -> Request:
        """Return what to send next: a renewal, an acquisition, or a look."""
        seen = self._seen
        if seen is None or seen.ticket is None or not tickets.may_acquire(seen.ticket, self._settings.site):
            return Read()
        mine = self._settings
        holds = self._lease is not None and mine.host in seen.ticket["hosts"]
        wanted = self._renewal(seen.ticket, now) if holds else self._acquisition(seen.ticket)
        wanted = tickets.promised(wanted, mine.host, mine.kills_within)
        if mine.host in wanted["armed"]:
            # Once this is sent it may be committed, heard or not: others may conclude that we kill in time.
            self._spared_until = ""
        return Write(seen.revision, wanted)

    def _acquisition(self, ticket: Ticket) -> Ticket:
        mine = self._settings
        armed = not self._in_window(ticket)
        return self._rearmed(tickets.acquired(ticket, mine.site, mine.host, list(mine.hosts), armed))

    def _renewal(self, ticket: Ticket, now: float) -> Ticket:
        self._sync_asked = True
        sync = bool(ticket["sync"]) if self._sync is None else self._sync
        # In a window the deadline may have passed: it is made good first, or arming again would kill at once.
        overdue = bool(self._spared_until) and self._is_overdue(now + self._settings.renew)
        armed = not self._in_window(ticket) and not overdue
        return self._rearmed(tickets.renewed(ticket, self._settings.host, armed, sync))

    def _in_window(self, ticket: Mapping[str, Any]) -> bool:
        return bool(ticket.get("disarmed_until")) and not self._window_over

    def _rearmed(self, ticket: Ticket) -> Ticket:
        return tickets.disarmed(ticket, None) if ticket.get("disarmed_until") and self._window_over else ticket

    def reply(self, request: Request, sent_at: float, now: float, outcome: Outcome) -> None:
        """Take the outcome of a request that was sent at `sent_at`."""
        if isinstance(outcome, Failed):
            self._failure = outcome.words
            return
        self._failure = ""
        if isinstance(outcome, Committed) and isinstance(request, Write):
            self._take(request.ticket, sent_at, now, outcome.revision)
        elif isinstance(outcome, (Found, Conflict)):
            self._adopt(Found(outcome.revision, outcome.ticket), now)

    def _take(self, ticket: Ticket, sent_at: float, now: float, revision: int) -> None:
        """Only an own committed write moves the deadline, and it counts from when it was sent."""
        self._see(Found(revision, ticket), now)
        deadline = sent_at + self._settings.hold
        # A write that was sent before the writers were killed says nothing of what may run now.
        if now >= deadline - self._settings.margin or (self._released_at is not None and sent_at <= self._released_at):
            return
        if self._lease is None:
            self._pending = Start()
        self._lease = Lease(deadline, revision)
        # Only the own committed write counts: then the ticket does not call this host armed. A window that was merely
        # read might be over for everybody else before this host can hear of it.
        self._spared_until = "" if self._settings.host in ticket["armed"] else ticket["disarmed_until"] or ""
        if self._sync_asked and ticket["sync"] == self._sync:
            self._sync_settled = self._sync

    def _see(self, found: Found, now: float) -> None:
        if self._seen is None or self._seen.revision != found.revision:
            self._seen_since = now
        self._seen = found

    def _adopt(self, found: Found, now: float) -> None:
        self._see(found, now)
        if self._lease and (found.ticket is None or found.ticket["holder"] != self._settings.site):
            self._pending = Kill(_taken_away(found))

    def tick(self, now: float, wall: float) -> Tuple[Action, ...]:
        """Return what must be done at this moment: nothing, Kill, or Start."""
        self._window_over = _is_over(self._seen.ticket if self._seen else None, wall)
        pending, self._pending = self._pending, None
        if isinstance(pending, Kill):
            return self._killed(pending, now)
        if self._lease and self._is_overdue(now) and not self._spared(wall):
            return self._killed(Kill(self._overdue(now)), now)
        return (pending,) if pending is not None else ()

    def _killed(self, kill: Kill, now: float) -> Tuple[Action, ...]:
        self._lease, self._spared_until, self._released_at = None, "", now
        return (kill,)

    def _spared(self, wall: float) -> bool:
        """Whether a downtime window holds on this host."""
        return bool(self._spared_until) and wall < _end_of(self._spared_until)

    def _is_overdue(self, now: float) -> bool:
        return self._lease is not None and now >= self._lease.deadline - self._settings.margin

    def _overdue(self, now: float) -> str:
        left = (self._lease.deadline if self._lease else now) - now
        return f"the ticket was not renewed in time, {left:.2f} s left; {self._failure or 'no answer yet'}"


def _taken_away(found: Found) -> str:
    if found.ticket is None:
        return "the ticket is gone from the store"
    return f"the ticket was taken away: {tickets.describe(found.ticket)}, revision {found.revision}"


def _is_over(ticket: Optional[Mapping[str, Any]], wall: float) -> bool:
    until = (ticket or {}).get("disarmed_until")
    return bool(until) and wall >= _end_of(str(until))


def _end_of(window: str) -> float:
    try:
        return seconds(window)
    except (ValueError, OverflowError):
        # The guards of both sites read it: what none of them understands is over, and ends neither of them.
        return float("-inf")


def seconds(text: str) -> float:
    """Return an RFC 3339 time as seconds since 1970; without a zone it is UTC. Raises ValueError."""
    time = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (time if time.tzinfo else time.replace(tzinfo=timezone.utc)).timestamp()
