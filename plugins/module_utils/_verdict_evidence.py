# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PRIVATE to the collection. The evidence: sentences with the signals and the numbers that a verdict rests on."""

from __future__ import annotations

from typing import Callable, Dict, List

from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_fields import amount, seconds, time_text
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_guards import (
    NOT_READ,
    Case,
    Unmet,
    configuration_stays,
    holds_ticket,
    known_lag,
    not_flapping,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_observation import Override, Signal, Site
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_rules import blind_spots
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_states import OUTSIDE, heard_by
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_time import needed, settled

UNDECIDED = {
    "inside": "a dead SIP stack (STACK_DOWN) and GW_CUT",
    "redundancy": "DEGRADED",
    "peer": "PARTITION and a dead site (DOWN)",
    "witness": "a dead site (DOWN)",
    "gateways": "a dead site (DOWN) and GW_CUT",
    "calls": "GRAY",
    "trunk": "TRUNK_OOS",
    "mgmt": "MGMT_PARTITION",
    "master": "NO_MASTER and DUAL_MASTER",
}
"""What cannot be decided while a signal is unknown."""

NOT_RECORDED = "Unprotected, for no ticket records that commits wait for the standby"
TWO_ALONE = "There is no witness: two sites alone cannot decide that one of them is dead."


def evidence(case: Case) -> List[str]:
    """Return the sentences, the verdict's own first."""
    names = case.picture.observation.names
    return [
        f"{case.shown}: {_why(case)}.",
        *(_site_sentence(case, name) for name in names),
        *(sentence for name in names for sentence in _stale_sentences(case.picture.site(name))),
        *(sentence for name in names for sentence in _notes(case, name)),
        *_configuration_sentences(case),
        *_override_sentences(case),
        *_loss_sentences(case),
        *([] if case.picture.observation.store_read else [f"{NOT_READ[0].upper()}{NOT_READ[1:]}."]),
        *([] if case.picture.policy.witness else [TWO_ALONE]),
        *case.picture.observation.notes,
    ]


def why_not_more(case: Case) -> List[Unmet]:
    """Return why the verdict is not a stronger one, guard by guard."""
    return [*_unconfirmed(case), *_replaced(case), *(REASONS.get(case.shown.verdict, _no_reason)(case))]


def _why(case: Case) -> str:
    if case.shown != case.raw:
        return _why_replaced(case)
    about = WORDS.get(case.shown.verdict)
    words = about(case) if about else _states(case)
    return f"{words}{_fresh_for(case)}"


def _why_replaced(case: Case) -> str:
    memory = case.memory
    if memory is None:
        raise AssertionError("only a memory replaces a verdict")
    if case.shown.verdict == "RETURNING":
        back = memory.returning()
        seen = ", ".join(f"{name} is heard again (scope {memory.scope(name)})" for name in back)
        return f"{seen} and has not been let in; the rules say {case.raw}"
    if case.shown.verdict == "FLAPPING":
        count = len(memory.departures)
        return (
            f"{count} departures in the last hour, limit {amount(case.picture.policy.flaps_per_hour)}; now {case.raw}"
        )
    lasted = seconds(case.picture.observation.now, memory.run.since)
    return f"{case.raw} not confirmed yet: {amount(lasted)} s of {amount(needed(memory.run, case.picture.policy))} s"


def _fresh_for(case: Case) -> str:
    if case.memory is None:
        return ""
    return f"; seen for {amount(seconds(case.picture.observation.now, case.memory.run.since))} s"


def _states(case: Case) -> str:
    return ", ".join(f"{name} {state}" for name, state in sorted(case.picture.states.items()))


def _signal_at_both(signal: str) -> Callable[[Case], str]:
    def words(case: Case) -> str:
        names = case.picture.observation.names
        return ", ".join(f"{_signal_words(case.picture.site(name), signal)} at {name}" for name in names)

    return words


def _dead(case: Case) -> str:
    site = case.picture.site(case.failed)
    views = ", ".join(_signal_words(site, signal) for signal in OUTSIDE)
    inside = "no SIP Server runs inside" if site.down("inside") else "nothing from inside"
    unfit = case.picture.unfit(case.survivor)
    return f"{views}; {inside}; {case.survivor} is {'not fit: ' + ', '.join(unfit) if unfit else 'fit'}"


def _blind(case: Case) -> str:
    if not case.picture.observation.healthy:
        why = case.picture.observation.why
        return "; ".join(why) if why else "the observer says that it is not healthy"
    return f"nothing is known of either site ({_states(case)})"


def _blind_spot(case: Case) -> str:
    return "cannot be decided now: " + ", ".join(spot[1] for spot in blind_spots(case.picture))


WORDS: Dict[str, Callable[[Case], str]] = {
    "OBSERVER_BLIND": _blind,
    "DUAL_MASTER": _signal_at_both("master"),
    "SITE_DOWN": _dead,
    "SITE_DOWN_PEER_UNFIT": _dead,
    "SITE_DOWNTIME": _dead,
    "PARTITION": _signal_at_both("peer"),
    "PARTITION_ASYM": _signal_at_both("peer"),
    "TRUNK_OOS": _signal_at_both("trunk"),
    "TRUNK_OOS_ASYM": _signal_at_both("trunk"),
    "NO_MASTER": _signal_at_both("master"),
    "BLIND_SPOT": _blind_spot,
}
"""The words of a verdict that says more than the sites' states."""


def _signal_words(site: Site, name: str) -> str:
    signal = site.signals[name]
    if signal.stale:
        return f"{name} unknown"
    counts = f" {signal.of[0]}/{signal.of[1]}" if signal.of else ""
    answered = " (answered)" if signal.answered and signal.value != "up" else ""
    return f"{name}{counts} {signal.value}{answered}"


def _site_sentence(case: Case, name: str) -> str:
    site = case.picture.site(name)
    said = [signal for signal in site.signals if signal != "capacity" or site.value(signal) != "unknown"]
    seen = ", ".join(_signal_words(site, signal) for signal in said)
    heard = heard_by(case.picture.view(name))
    ages = [signal.age for signal in site.signals.values() if signal.age is not None and not signal.stale]
    oldest = f"; oldest answer {amount(max(0, *ages))} s old" if ages else ""
    by = f"heard by {', '.join(heard)}" if heard else "silent"
    return f"{name} is {case.picture.states[name]}: {seen}; {by}{oldest}."


def _stale_sentences(site: Site) -> List[str]:
    stale = [(name, signal) for name, signal in site.signals.items() if signal.stale]
    return [f"{site.name} {name} counts as unknown: {_off(signal)}." for name, signal in stale]


def _off(signal: Signal) -> str:
    age = signal.age or 0
    return f"its answer is {amount(age)} s old" if age > 0 else f"its answer is {amount(-age)} s ahead of the clock"


def _notes(case: Case, name: str) -> List[str]:
    site, view = case.picture.site(name), case.picture.view(name)
    notes = []
    if site.attested is not None:
        by = " and ".join(site.attested.by) or "nobody"
        force = "in force" if view.attested else "not in force (two different people, not expired)"
        notes.append(f"{name} was attested down by {by}: {force}.")
    if site.downtime:
        notes.append(f"{name} is in a declared downtime.")
    if site.isolated:
        notes.append(f"{name} is isolated for {site.isolated}.")
    return notes


def _configuration_sentences(case: Case) -> List[str]:
    if case.shown.verdict not in ("SITE_DOWN", "SITE_DOWN_PEER_UNFIT"):
        return []
    stays = configuration_stays(case)
    if stays:
        return [f"Configuration stays where it is: {'; '.join(each.text for each in stays)}."]
    holds, seen = holds_ticket(case, case.failed)
    return [f"Configuration {'may move to ' + case.survivor if holds else 'moves only by a person'}: {seen}."]


def _override_sentences(case: Case) -> List[str]:
    now, overrides = case.picture.observation.now, case.picture.observation.overrides
    sentences = [f"Override {_override(each)}." for each in overrides if each.people.in_force(now)]
    ignored = [each for each in overrides if not each.people.in_force(now)]
    sentences += [f"Override {_override(each)} is not in force: two people, not expired." for each in ignored]
    accepted = case.picture.observation.override("accept_divergence")
    if accepted and len(case.picture.masters()) == 2:
        sentences.append(f"Two masters are up; DUAL_MASTER is passed over for run {accepted.run_id}.")
    return sentences


def _loss_sentences(case: Case) -> List[str]:
    """Say what would be lost with the primary now, unless every commit waits for the standby."""
    ticket = case.picture.observation.ticket
    if ticket.sync:
        return []
    lags = [(known_lag(case, name), name) for name in case.picture.observation.names]
    known = [f"now {amount(lag)} (the lag of {name})" for lag, name in lags if lag is not None]
    much = ", ".join(known) or "how much that is now is not known"
    why = "Replication is asynchronous" if case.picture.policy.replication == "async" else NOT_RECORDED
    return [f"{why}: what the standby has not got yet would be lost with its primary; {much}."]


def _override(override: Override) -> str:
    until = time_text(override.people.until) if override.people.until else "never"
    return f"{override.name} for run {override.run_id} by {' and '.join(override.people.by) or 'nobody'} until {until}"


def _unconfirmed(case: Case) -> List[Unmet]:
    memory = case.memory
    if memory is None or settled(memory.run, case.picture.policy, case.picture.observation.now):
        return []
    lasted = seconds(case.picture.observation.now, memory.run.since)
    wanted = needed(memory.run, case.picture.policy)
    return [Unmet("confirm", f"{case.raw} must last {amount(wanted)} s to be confirmed: {amount(lasted)} s so far")]


def _replaced(case: Case) -> List[Unmet]:
    memory = case.memory
    if case.shown.verdict == "RETURNING" and memory is not None:
        return [Unmet("let_in", f"{name} has not been let in since its failover") for name in memory.returning()]
    return not_flapping(case) if case.shown.verdict == "FLAPPING" else []


def _no_reason(case: Case) -> List[Unmet]:
    return []


def _not_down(case: Case) -> List[Unmet]:
    """Say for each site that is neither well nor dead why it is not DOWN."""
    doubtful = case.picture.in_state("UNKNOWN", "ALIVE")
    return [each for name in doubtful for each in _not_down_site(case, name)]


def _not_down_site(case: Case, name: str) -> List[Unmet]:
    site, heard = case.picture.site(name), heard_by(case.picture.view(name))
    if heard:
        return [Unmet("silence", f"{name} is not DOWN: heard by {', '.join(heard)}")]
    missing = [_signal_words(site, signal) for signal in OUTSIDE if not site.down(signal)]
    return [Unmet("unanimity", f"{name} is not DOWN: {', '.join(missing)}")]


def _survivor_unfit(case: Case) -> List[Unmet]:
    return [Unmet("fit", f"{case.survivor} is not fit: {', '.join(case.picture.unfit(case.survivor))}")]


def _nobody_fit(case: Case) -> List[Unmet]:
    names = case.picture.observation.names
    return [Unmet("fit", f"{name} is not fit: {', '.join(case.picture.unfit(name))}") for name in names]


def _spots(case: Case) -> List[Unmet]:
    spots = blind_spots(case.picture)
    return [Unmet("blind_spot", f"{text}: it takes part in deciding {UNDECIDED[signal]}") for signal, text in spots]


def _downtime(case: Case) -> List[Unmet]:
    return [Unmet("downtime", f"{case.failed} is in a declared downtime: its silence is expected")]


REASONS: Dict[str, Callable[[Case], List[Unmet]]] = {
    "SUSPECT": _not_down,
    "SITE_DOWN_PEER_UNFIT": _survivor_unfit,
    "SITE_DOWNTIME": _downtime,
    "NO_HEALTHY_SITE": _nobody_fit,
    "BLIND_SPOT": _spots,
}
"""Why not a stronger verdict, or a better one, for the verdicts that leave the question open."""
