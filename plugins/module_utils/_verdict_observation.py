# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PRIVATE to the collection. The observation as typed values: what is stale has become unknown here, and nowhere else.

Where decision.md is silent:
- `taken_at`, `observer.healthy` and the two sites must be there; any other field may be left out and then says nothing.
- An answer from the future, beyond the clocks' skew, is as unknown as one that is too old.
- A fence is a proof only while it is freshly seen, as any other signal is; a kind that is not among the four is none.
- Two people are two names that differ in more than case, spaces and the way they are written in Unicode (person_key).
- `observer.store`, left out, is `read`: who says nothing of a coordination store has what it tells.
- `ticket: null` is a ticket that was left out (holder unknown), not the word `none` (no ticket system).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_fields import (
    Field,
    is_mapping,
    plain_time,
    seconds,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_policy import Policy

SIGNALS = (
    "inside",
    "redundancy",
    "peer",
    "witness",
    "gateways",
    "calls",
    "trunk",
    "mgmt",
    "master",
    "capacity",
)

VALUES = ("up", "down", "unknown")

CLOCK_SKEW = 5.0
"""Seconds by which the clocks of two hosts may differ before an answer counts as one from the future."""

FENCE_PROOFS = ("stopped_and_revoked", "power_off", "ticket_run_out", "attested")
OVERRIDES = ("accept_divergence", "allow_data_loss", "without_fence")
EVENTS = ("failover_done", "run_aborted", "let_in", "acknowledged")
NO_NAMES = ("unknown", "none")
"""Words that mean something as the ticket's holder, so no site may be called so."""


class Signal(NamedTuple):
    """One signal after its freshness was judged."""

    value: str = "unknown"
    answered: bool = False
    age: Optional[float] = None
    of: Optional[Tuple[int, int]] = None
    stale: bool = False


class People(NamedTuple):
    """Who vouches for something, and until when."""

    by: Tuple[str, ...]
    until: Optional[datetime]

    def in_force(self, now: datetime) -> bool:
        """Whether two different people vouch for it and it has not expired."""
        return len(self.by) >= 2 and self.until is not None and self.until > now


class Fence(NamedTuple):
    """What is known of a site's fence."""

    kind: str
    seen_at: Optional[datetime]
    people: People


class Ticket(NamedTuple):
    """The ticket: `system` false means `ticket: none`; `known` false that nobody knows the holder."""

    system: bool = True
    known: bool = False
    holder: Optional[str] = None
    revoked_from: Optional[str] = None
    armed: bool = False
    sync: bool = False


class Site(NamedTuple):
    """What is seen of one site."""

    name: str
    signals: Dict[str, Signal]
    downtime: bool
    isolated: Optional[str]
    lag: Optional[float]
    role: str
    fence: Optional[Fence]
    attested: Optional[People]

    def up(self, signal: str) -> bool:
        """Whether the signal is freshly up."""
        return self.signals[signal].value == "up"

    def down(self, signal: str) -> bool:
        """Whether the signal is freshly down."""
        return self.signals[signal].value == "down"

    def value(self, signal: str) -> str:
        """Return up, down or unknown."""
        return self.signals[signal].value


class Event(NamedTuple):
    """Something that a run or a person did; for `track` only."""

    at: datetime
    type: str
    site: Optional[str]
    scope: str


class Override(NamedTuple):
    """A one-shot exception for one run, by two people, with an end."""

    name: str
    run_id: str
    people: People


class Observation(NamedTuple):
    """One bundle."""

    now: datetime
    healthy: bool
    ticket: Ticket
    sites: Dict[str, Site]
    events: Tuple[Event, ...]
    overrides: Tuple[Override, ...]
    why: Tuple[str, ...] = ()
    notes: Tuple[str, ...] = ()
    store_read: bool = True

    @property
    def names(self) -> Tuple[str, str]:
        """The sites' names in alphabetical order."""
        first, second = sorted(self.sites)
        return first, second

    def other(self, name: str) -> Site:
        """Return the other site."""
        first, second = self.names
        return self.sites[second if name == first else first]

    def override(self, name: str) -> Optional[Override]:
        """Return the override of this name that is in force, if there is one."""
        found = (each for each in self.overrides if each.name == name and each.people.in_force(self.now))
        return next(found, None)


def read_observation(observation: Mapping[str, Any], policy: Policy) -> Observation:
    """Return the observation as typed values. Raises VerdictInputError with the field's path."""
    field = Field("observation", observation)
    now = field.get("taken_at").time()
    names = _site_names(field.get("sites"))
    sites = {name: _site(field.get("sites").get(name), name, now, policy) for name in names}
    return Observation(
        now=now,
        healthy=field.get("observer").get("healthy").flag(),
        ticket=_ticket(field.get("ticket"), names),
        sites=sites,
        events=tuple(_event(each, names) for each in field.get("events").items()),
        overrides=tuple(_override(each) for each in field.get("overrides").items()),
        why=_sentences(field.get("observer").get("why")),
        notes=_sentences(field.get("observer").get("notes")),
        store_read=_store_read(field.get("observer").get("store")),
    )


def fence_lacks(observation: Observation, name: str, policy: Policy) -> Optional[str]:
    """Return why the site's fence is not proven, or None when it is (decision.md, invariant 2)."""
    fence = observation.sites[name].fence
    if fence is None:
        return "no fence of it was seen"
    if fence.kind not in FENCE_PROOFS:
        return f"{fence.kind} proves nothing"
    if fence.kind == "attested":
        return None if fence.people.in_force(observation.now) else "attested, but not by two people, or expired"
    if fence.kind == "ticket_run_out" and not observation.ticket.armed:
        return "the ticket has run out, but its dead-man was not armed"
    age = None if fence.seen_at is None else seconds(observation.now, fence.seen_at)
    if age is None or not -CLOCK_SKEW <= age <= policy.fresh:
        return f"{fence.kind} was not seen in the last {policy.fresh:g} s"
    return None


def _site_names(field: Field) -> Tuple[str, str]:
    names = sorted(field.mapping())
    if len(names) != 2:
        raise field.refused("exactly two sites")
    for name in names:
        if name in NO_NAMES or not name.strip():
            raise field.get(name).refused("another name for this site")
    return names[0], names[1]


def _site(field: Field, name: str, now: datetime, policy: Policy) -> Site:
    signals = {signal: _signal(field.get(signal), now, policy.fresh) for signal in SIGNALS}
    if not policy.synthetic_calls and signals["calls"].value == "down":
        signals["calls"] = signals["calls"]._replace(value="unknown")
    database = field.get("database")
    isolated = field.get("isolated")
    return Site(
        name=name,
        signals=signals,
        downtime=field.get("downtime").flag(False),
        isolated=None if isolated.absent else _isolated(isolated),
        lag=None if database.absent else _lag(database.get("lag")),
        role="unknown" if database.absent else _role(database.get("role")),
        fence=_fence(field.get("fence")),
        attested=_attested(field.get("attested_down")),
    )


def _signal(field: Field, now: datetime, fresh: float) -> Signal:
    if field.missing:
        return Signal()
    if isinstance(field.value, str):
        return Signal(field.choice(VALUES))
    if not is_mapping(field.value):
        raise field.refused("up, down or unknown, or a mapping with such a value")
    members = field.mapping()
    # An observation has twenty signals: a member gets a field of its own only where it is not plainly right.
    at = plain_time(members.get("at")) or field.get("at").optional_time()
    age = None if at is None else seconds(now, at)
    answered, value = members.get("answered", False), members.get("value")
    answered = answered if isinstance(answered, bool) else field.get("answered").flag(False)
    value = value if value in VALUES else field.get("value").choice(VALUES)
    if age is not None and not -CLOCK_SKEW <= age <= fresh:
        return Signal(age=age, stale=True)
    return Signal(value, answered, age, _counts(members.get("of")))


def _counts(of: object) -> Optional[Tuple[int, int]]:
    """Return how many said yes, of how many asked; anything else is a key of somebody else's."""
    if not isinstance(of, (list, tuple)) or len(of) != 2:
        return None
    up, asked = of
    return (up, asked) if _is_whole(up) and _is_whole(asked) else None


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _isolated(field: Field) -> str:
    if field.value not in ("drain", "failover"):
        raise field.refused("null, drain or failover")
    return field.choice(("drain", "failover"))


def _lag(field: Field) -> Optional[float]:
    return None if field.absent else field.number("a number, 0 or more, or null", 0)


def _role(field: Field) -> str:
    return "unknown" if field.absent else field.choice(("primary", "standby", "unknown"))


def _fence(field: Field) -> Optional[Fence]:
    if field.absent:
        return None
    people = People(tuple(field.get("by").people()), field.get("until").optional_time())
    return Fence(field.get("kind").text(), field.get("seen_at").optional_time(), people)


def _attested(field: Field) -> Optional[People]:
    if field.absent:
        return None
    if field.get("by").missing:
        raise field.get("by").refused("the names of two people")
    return People(tuple(field.get("by").people()), field.get("until").time())


def _ticket(field: Field, names: Tuple[str, str]) -> Ticket:
    if field.absent:
        return Ticket()
    if field.value == "none":
        return Ticket(system=False)
    if not is_mapping(field.value):
        raise field.refused("a mapping, or the word none")
    holder, revoked = field.get("holder"), field.get("revoked_from")
    known = not holder.missing and holder.value != "unknown"
    return Ticket(
        known=known,
        holder=_site_or_null(holder, names, "a site, null or unknown") if known else None,
        revoked_from=_site_or_null(revoked, names, "a site or null"),
        armed=field.get("armed").flag(False),
        sync=field.get("sync").flag(False),
    )


def _site_or_null(field: Field, names: Tuple[str, str], expected: str) -> Optional[str]:
    if field.absent:
        return None
    if field.value not in names:
        raise field.refused(f"{expected} (the sites are {names[0]} and {names[1]})")
    return field.text()


def _sentences(field: Field) -> Tuple[str, ...]:
    for each in field.items():
        if not isinstance(each.value, str):
            raise each.refused("a sentence")
    return tuple(each.value for each in field.items())


def _store_read(field: Field) -> bool:
    return field.missing or field.choice(("read", "unread")) == "read"


def _event(field: Field, names: Tuple[str, str]) -> Event:
    kind = field.get("type").choice(EVENTS)
    site = _site_or_null(field.get("site"), names, "a site")
    if site is None and kind in ("failover_done", "let_in"):
        raise field.get("site").refused(f"a site (the sites are {names[0]} and {names[1]})")
    scope = field.get("scope")
    field.get("by").people()
    # A failover that does not say how far it went is taken for the one that keeps the site fenced.
    return Event(field.get("at").time(), kind, site, "config" if scope.absent else scope.choice(("call", "config")))


def _override(field: Field) -> Override:
    people = People(tuple(field.get("by").people()), field.get("until").time())
    return Override(field.get("name").choice(OVERRIDES), field.get("run_id").text(), people)
