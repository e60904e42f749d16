# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PRIVATE to the collection. From a verdict's row to what it unlocks in this case: who may do what, where, and why not.

Where decision.md is silent:
- What the policy, or the lack of a memory, takes out of the automatic column stands under `operator`.
- `drain_gateways` asks for both peers and the capacity whoever orders it; `restore_gateways` for its clean time.
- `freeze_config` at the site without the master: by the master that is up, else the ticket, else the last one seen;
  when nobody knows, at both sites.
- Where the configuration stays (another site holds the ticket, or a master is up), its moves are offered to nobody.
  They are not `forbidden`: a run that was killed after its promotion sees the survivor's master up, and must go on.
- An unconfirmed DUAL_MASTER is a SUSPECT that pages.
- FLAPPING forbids what the raw verdict forbids, too. While it is latched, a RETURNING is still shown as RETURNING (its
  fence must be kept) and takes `acknowledge` to its operator column.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_fields import amount, seconds
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_guards import (
    GUARDS,
    NO_MEMORY,
    Case,
    Unmet,
    configuration_stays,
    fence_proven,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_states import OUTSIDE
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_unlocks import (
    ACTIONS,
    ALWAYS_FREE,
    CALL_PLANE,
    EVERYTHING_ELSE,
    HARMLESS,
    ROWS,
    TWO_PEOPLE,
    Offer,
)

AUTOMATIC, OPERATOR = "automatic", "operator"


class Condition(NamedTuple):
    """Whether an offer stands: `applies` false is silence, `unmet` says what it still lacks."""

    applies: bool
    unmet: Tuple[Unmet, ...] = ()


class Unlocked:
    """Collects what one case unlocks, in the table's order."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.columns: Dict[str, List[str]] = {AUTOMATIC: [], OPERATOR: [], "forbidden": []}
        self.unmet: Dict[Unmet, List[str]] = {}

    def put(self, column: str, actions: Iterable[str]) -> None:
        """Put actions into a column, each once."""
        known = self.columns[column]
        known.extend(action for action in dict.fromkeys(actions) if action not in known)

    def lacks(self, action: str, unmet: Iterable[Unmet]) -> None:
        """Remember what an action lacks."""
        for each in unmet:
            actions = self.unmet.setdefault(each, [])
            actions.extend([action] if action not in actions else [])

    def lacks_for_verdict(self, unmet: Iterable[Unmet]) -> None:
        """Remember, ahead of what actions lack, why the verdict is not another one."""
        self.unmet = {**{each: [] for each in unmet}, **self.unmet}

    def data(self) -> Dict[str, Any]:
        """Return the part of the decision that says what may be done."""
        offered = [*self.columns[AUTOMATIC], *self.columns[OPERATOR]]
        return {
            **self.columns,
            "two_people": [action for action in self.columns[OPERATOR] if action in TWO_PEOPLE],
            "targets": _targets(self.case, offered),
            "unmet": [{"guard": each.guard, "text": each.text, "actions": on} for each, on in self.unmet.items()],
        }


def unlocked(case: Case) -> Unlocked:
    """Return what the case unlocks."""
    result = Unlocked(case)
    row = ROWS[case.shown.verdict]
    for offer in row.automatic:
        _offer_automatic(result, offer)
    for offer in row.operator:
        _offer_operator(result, offer)
    result.put("forbidden", _forbidden(row.forbidden, result.columns[AUTOMATIC]))
    _add_raw(result)
    return result


def _offer_automatic(result: Unlocked, offer: Offer) -> None:
    case, action = result.case, offer.action
    condition = _condition(case, offer)
    result.lacks(action, condition.unmet)
    if not condition.applies or condition.unmet:
        return
    guards = GUARDS[action](case) if action in GUARDS else []
    result.lacks(action, guards)
    column = OPERATOR if guards else _column(case, action)
    if column == OPERATOR and action in CALL_PLANE and case.picture.policy.call_plane == "observe":
        result.put(AUTOMATIC, ["page"])
    result.put(column, [] if action in _in_operator_row(case) and column == OPERATOR else [action])


def _offer_operator(result: Unlocked, offer: Offer) -> None:
    condition = _condition(result.case, offer)
    result.lacks(offer.action, condition.unmet)
    if condition.applies and not condition.unmet:
        result.put(OPERATOR, [offer.action])
        result.lacks(offer.action, RUN_PROVES[offer.action](result.case) if offer.action in RUN_PROVES else [])


def _in_operator_row(case: Case) -> List[str]:
    return [offer.action for offer in ROWS[case.shown.verdict].operator]


def _column(case: Case, action: str) -> str:
    """Return where an action of the automatic column stands when nothing but memory and policy is in its way."""
    if action in HARMLESS:
        return AUTOMATIC
    if case.memory is None:
        return OPERATOR
    mode = case.picture.policy.call_plane
    free = mode == "auto" or (mode == "operator" and action in ALWAYS_FREE)
    return AUTOMATIC if free or action not in CALL_PLANE else OPERATOR


def _forbidden(forbidden: Tuple[str, ...], automatic: List[str]) -> List[str]:
    if EVERYTHING_ELSE in forbidden:
        return [action for action in ACTIONS if action not in automatic]
    return list(forbidden)


def _add_raw(result: Unlocked) -> None:
    """Add what the raw verdict offers under FLAPPING, and what a verdict says at once before it is confirmed."""
    case = result.case
    if case.shown.verdict == "SUSPECT" and case.raw.verdict == "DUAL_MASTER":
        result.put(AUTOMATIC, ["page"])
    if case.shown.verdict == "FLAPPING":
        raw = unlocked(case._replace(shown=case.raw))
        result.put("forbidden", raw.columns["forbidden"])
        offered = [offer.action for offer in ROWS[case.raw.verdict].operator]
        result.put(OPERATOR, [action for action in offered if action in raw.columns[OPERATOR]])
    if case.shown.verdict == "RETURNING" and case.memory is not None and case.memory.flapping_since is not None:
        result.put(OPERATOR, ["acknowledge"])
        result.put("forbidden", ["fence"])


def _condition(case: Case, offer: Offer) -> Condition:
    return CONDITIONS[offer.when](case) if offer.when else Condition(True)


def drained(case: Case) -> List[str]:
    """Return the sites that were drained."""
    picture = case.picture
    return [name for name in picture.observation.names if picture.site(name).isolated == "drain"]


def clean_for(case: Case, name: str) -> Optional[float]:
    """Return the seconds for which the site has been clean, None when it is not or nobody knows."""
    since = None if case.memory is None else case.memory.clean_since.get(name)
    return None if since is None else seconds(case.picture.observation.now, since)


def _is_clean(case: Case, name: str) -> bool:
    clean = clean_for(case, name)
    return clean is not None and clean >= case.picture.policy.recover


def _drained(case: Case) -> Condition:
    sites, recover = drained(case), case.picture.policy.recover
    if any(_is_clean(case, name) for name in sites):
        return Condition(True)
    unmet = []
    for name in sites:
        clean = clean_for(case, name)
        seen = NO_MEMORY if case.memory is None else "not clean" if clean is None else f"clean for {amount(clean)} s"
        unmet.append(Unmet("recover", f"{name} is drained and must be clean for {amount(recover)} s: {seen}"))
    return Condition(bool(sites), tuple(unmet))


def _room(case: Case) -> Condition:
    picture = case.picture
    peers = {name: picture.site(name).value("peer") for name in picture.observation.names}
    unmet = [Unmet("peer", f"drain needs both peers up: {n} {value}") for n, value in peers.items() if value != "up"]
    capacity = picture.site(case.survivor).value("capacity")
    if capacity != "up":
        text = f"drain needs room for both sites' calls: capacity of {case.survivor} {capacity}"
        unmet.append(Unmet("capacity", text))
    return Condition(True, tuple(unmet))


def _other_pinned(case: Case) -> Condition:
    site = case.picture.site(case.survivor)
    if not site.isolated:
        return Condition(False)
    reached = any(site.up(signal) for signal in OUTSIDE)
    text = f"{site.name} is isolated for {site.isolated}, and none of {', '.join(OUTSIDE)} is up"
    return Condition(True, () if reached else (Unmet("reachable", text),))


def _long_partition(case: Case) -> Condition:
    wanted, lasted = case.picture.policy.long_partition, case.lasted()
    if lasted is not None and lasted >= wanted:
        return Condition(True)
    seen = NO_MEMORY if lasted is None else f"{amount(lasted)} s so far"
    return Condition(True, (Unmet("long_partition", f"the partition must last {amount(wanted)} s: {seen}"),))


def _scope_config(case: Case) -> Condition:
    return Condition(bool(_kept_fenced(case)))


CONDITIONS: Dict[str, Callable[[Case], Condition]] = {
    "drained": _drained,
    "room": _room,
    "other_pinned": _other_pinned,
    "other_unfit": lambda case: Condition(not case.picture.fit(case.survivor)),
    "long_partition": _long_partition,
    "scope_config": _scope_config,
    "configuration_moves": lambda case: Condition(True, tuple(configuration_stays(case))),
}
"""The conditions that the table names."""


def _kept_fenced(case: Case) -> List[str]:
    memory = case.memory
    return [] if memory is None else [name for name in memory.returning() if memory.scope(name) == "config"]


def _freeze_at(case: Case) -> List[str]:
    """Return where the configuration is frozen: both sites for two masters, else the one without the master."""
    names = list(case.picture.observation.names)
    master = _master(case)
    if case.shown.verdict == "DUAL_MASTER" or master is None:
        return names
    return [name for name in names if name != master]


def _master(case: Case) -> Optional[str]:
    up, ticket = case.picture.masters(), case.picture.observation.ticket
    if len(up) == 1:
        return up[0]
    return ticket.holder or (None if case.memory is None else case.memory.last_master)


def _fence_of_master(case: Case) -> List[Unmet]:
    master = _master(case)
    return fence_proven(case, master) if master else []


RUN_PROVES: Dict[str, Callable[[Case], List[Unmet]]] = {"move_master": _fence_of_master}
"""What the operator's run has still to prove before it may do an action that is offered."""

TARGETS: Dict[str, Callable[[Case], List[str]]] = {
    "restore_gateways": lambda case: [name for name in drained(case) if _is_clean(case, name)],
    "unpin_gateways": lambda case: [case.survivor],
    "freeze_config": _freeze_at,
    "keep_fenced": _kept_fenced,
}
"""The sites at which an action is done where that is not the verdict's own site."""


def _targets(case: Case, actions: List[str]) -> Dict[str, List[str]]:
    return {action: TARGETS[action](case) for action in actions if action in TARGETS}
