# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PRIVATE to the collection. The guards of automatic actions, each with a name and what was seen (decision.md).

Where decision.md is silent:
- Fencing and promoting are one intention: what forbids the promotion forbids the fence, its own proof apart. A site
  that is fenced for a promotion that cannot come has lost its configuration for nothing.
- An acknowledgement and the end of the cool-down are both needed.
- `prefer_survivor` is an automatic failover of the call plane: both hold for it too (`unpin_gateways` is exempt).
- A SITE_DOWN that rests on two people's word unlocks no automatic failover. Attestation replaces missing views, so with
  it a `down` that turns into `unknown` could otherwise unlock more (invariant 4); and the two are at hand to press on.
- Overrides are for the operator's run that they name; they open no automatic guard.
"""

from __future__ import annotations

from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_fields import amount, seconds, time_text
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_memory import Memory
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_observation import fence_lacks
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_rules import Finding
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_states import Picture

NO_MEMORY = "one bundle has no memory; track knows"

NOT_READ = (
    "no coordination store has been read: downtimes, failovers before, their acknowledgements and their cool-down are "
    "not known"
)


class Unmet(NamedTuple):
    """A guard that is not met, in words with what was seen."""

    guard: str
    text: str


class Case(NamedTuple):
    """A picture with its verdict, raw and shown; `memory` is None where there is none (`decide`)."""

    picture: Picture
    raw: Finding
    shown: Finding
    memory: Optional[Memory]

    @property
    def failed(self) -> str:
        """The site that the verdict is about; only for verdicts that name one."""
        if self.shown.site is None:
            raise AssertionError(f"{self.shown.verdict} names no site")
        return self.shown.site

    @property
    def survivor(self) -> str:
        """The other site than the one that the verdict is about."""
        return self.picture.other(self.failed)

    def lasted(self) -> Optional[float]:
        """Return the seconds since the raw verdict settled, over gaps as decision.md allows; None when it has not."""
        lasting = None if self.memory is None else self.memory.lasting
        if lasting is None or lasting.resuming or lasting.finding != self.raw:
            return None
        return seconds(self.picture.observation.now, lasting.since)

    def cooling(self) -> float:
        """Return the seconds of cool-down that are left, 0 when there is none."""
        last = None if self.memory is None else self.memory.last_failover()
        if last is None:
            return 0
        return max(0, self.picture.policy.cooldown - seconds(self.picture.observation.now, last))


def holds_ticket(case: Case, name: str) -> Tuple[Optional[bool], str]:
    """Return whether the site holds the ticket (None: nobody knows) or lost it by a revocation, and what was seen."""
    ticket, other = case.picture.observation.ticket, case.picture.other(name)
    if not ticket.system:
        last = None if case.memory is None else case.memory.last_master
        return None if last is None else last == name, f"no ticket system; last master seen: {last or 'none yet'}"
    if not ticket.known:
        return None, "the ticket's holder is unknown"
    if ticket.holder is not None:
        return ticket.holder == name, f"{ticket.holder} holds the ticket"
    if ticket.revoked_from == name:
        return True, f"the ticket was revoked from {name}, and nobody took it"
    return False, f"nobody holds the ticket, and it was not revoked from {name}; it is not for {other} to take"


def configuration_stays(case: Case) -> List[Unmet]:
    """Return what is known to keep the configuration where it is; unknown keeps nothing."""
    holds, seen = holds_ticket(case, case.failed)
    found = [] if holds is not False else [Unmet("ticket", f"{seen}: the configuration does not leave {case.failed}")]
    where = case.picture.masters()
    return found + [Unmet("master", f"the configuration stays at {name}: its master is up") for name in where]


def failover_guards(case: Case) -> List[Unmet]:
    """Return the unmet guards of an automatic failover of the call plane."""
    return [*_remembered(case), *_firm(case), *_acknowledged(case), *_cooled_down(case)]


def fence_guards(case: Case) -> List[Unmet]:
    """Return the unmet guards of an automatic fence."""
    checks: Tuple[Callable[[Case], List[Unmet]], ...] = (_remembered, _promotion, _ticket, _masters, _held)
    more: Tuple[Callable[[Case], List[Unmet]], ...] = (_acknowledged, _cooled_down, not_flapping, _firm)
    return [unmet for check in (*checks, *more, _synchronous, _lag) for unmet in check(case)]


def promotion_guards(case: Case) -> List[Unmet]:
    """Return the unmet guards of an automatic promotion."""
    return [*fence_guards(case), *fence_proven(case, case.failed)]


def fence_proven(case: Case, name: str) -> List[Unmet]:
    """Return the fence's guard while the fence of the site is not proven."""
    lacks = fence_lacks(case.picture.observation, name, case.picture.policy)
    return [Unmet("fence", f"fence of {name} not proven: {lacks}")] if lacks else []


def _remembered(case: Case) -> List[Unmet]:
    return [] if case.picture.observation.store_read else [Unmet("memory", NOT_READ)]


GUARDS: Dict[str, Callable[[Case], List[Unmet]]] = {
    "drain_gateways": _remembered,
    "prefer_survivor": failover_guards,
    "fence": fence_guards,
    "promote_config": promotion_guards,
}
"""What must hold before an action of the automatic column is automatic; the operator may do it without."""


def _promotion(case: Case) -> List[Unmet]:
    mode = case.picture.policy.promotion
    return [] if mode == "auto" else [Unmet("promotion", f"policy promotion is {mode}: a person starts it")]


def _ticket(case: Case) -> List[Unmet]:
    holds, seen = holds_ticket(case, case.failed)
    return [] if holds else [Unmet("ticket", f"{case.failed} is not known to hold the ticket: {seen}")]


def _masters(case: Case) -> List[Unmet]:
    return [unmet for unmet in configuration_stays(case) if unmet.guard == "master"]


def _held(case: Case) -> List[Unmet]:
    hold, lasted = case.picture.policy.hold, case.lasted()
    if lasted is not None and lasted >= hold:
        return []
    seen = NO_MEMORY if lasted is None else f"{case.shown} settled {amount(lasted)} s ago"
    return [Unmet("hold", f"hold of {amount(hold)} s not passed: {seen}")]


def _acknowledged(case: Case) -> List[Unmet]:
    if case.memory is None:
        return [Unmet("acknowledgement", f"acknowledgement of an earlier failover: {NO_MEMORY}")]
    sites = case.memory.unacknowledged()
    times = {name: case.memory.failed_over_at(name) for name in sites}
    seen = [f"failover of {name} at {time_text(at)}" for name, at in times.items() if at is not None]
    return [Unmet("acknowledgement", f"acknowledgement outstanding: {each}") for each in seen]


def _cooled_down(case: Case) -> List[Unmet]:
    if case.memory is None:
        return [Unmet("cooldown", f"cool-down of an earlier failover: {NO_MEMORY}")]
    left = case.cooling()
    return [Unmet("cooldown", f"cool-down after the last failover: {amount(left)} s left")] if left else []


def not_flapping(case: Case) -> List[Unmet]:
    """Return the guard of a latched FLAPPING."""
    since = None if case.memory is None else case.memory.flapping_since
    return [Unmet("flapping", f"FLAPPING latched since {time_text(since)}, not acknowledged")] if since else []


def _firm(case: Case) -> List[Unmet]:
    attested = case.picture.states[case.failed] == "DOWN" and not case.picture.view(case.failed).unanimous
    text = f"{case.failed} is down by the word of two people, not by three views: a person starts what follows"
    return [Unmet("unanimity", text)] if attested else []


def _synchronous(case: Case) -> List[Unmet]:
    text = "the ticket does not record synchronous replication (sync)"
    return [] if case.picture.observation.ticket.sync else [Unmet("sync", text)]


def known_lag(case: Case, standby: str) -> Optional[float]:
    """Return how far a site's database is behind, None when nobody's word stands behind it."""
    primary = case.picture.site(case.picture.other(standby)).signals["master"]
    vouched = case.picture.observation.ticket.sync or primary.value == "up" or primary.answered
    return case.picture.site(standby).lag if vouched else None


def _lag(case: Case) -> List[Unmet]:
    """Judge the survivor's lag, which counts only while the primary's word stands behind it."""
    lag, limit = known_lag(case, case.survivor), case.picture.policy.lag_limit
    if lag is None:
        return [Unmet("lag", f"replication lag of {case.survivor} is unknown, and unknown refuses")]
    return (
        [Unmet("lag", f"replication lag of {case.survivor} is {amount(lag)}, the limit {amount(limit)}")]
        if lag > limit
        else []
    )
