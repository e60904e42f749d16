# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The decision: a pure function of the saved observations, the policy and the state (decision.md is its specification).

    decide(observation, policy=None) -> decision                      one bundle, no memory
    track(state, observation, policy=None) -> (next state, decision)  time folded in
    Tracker(state, policy).judge(observation) -> Judgement            track over many; its decision only when asked for

No I/O, no clock, no randomness; the input is never changed; the output is plain JSON data in a fixed order. Malformed
input raises VerdictInputError with the path of the field and what was expected.

The decision, beyond decision.md's `verdict, site, states, evidence, automatic, operator, forbidden, unmet`:
- `unmet`: `{guard, text, actions}`; `actions` is what the guard keeps from being automatic or offered, empty for a
  guard of the verdict itself.
- `two_people`: the actions of `operator` that take two different people.
- `targets`: for an action that is done elsewhere than at `site`, the sites where.
- `scope`: `call` or `config` under RETURNING, else null.
and from `track` only:
- `raw`, `raw_site`: what the rules say of this one observation; `since`: since when, without interruption.
- `settled`: false while the verdict waits for its confirmation, so that more samples could still change it.
- `remaining`: seconds left of each clock that runs: confirm, hold, long_partition, recover, cooldown.

The state is plain data too; its readers use `failed_over` (`{site: call|config}` until it is let in) and `last_master`.

Where decision.md is silent, the safer reading is taken; each is stated in the private companion that takes it
(_verdict_observation, _verdict_time, _verdict_guards, _verdict_unlocked). Of the verdicts:
- A `calls` that is down while policy `synthetic_calls` is false was not asked for and is unknown (its `up` still proves
  life): or else turning it into unknown would make the other site fit, and a SITE_DOWN out of a SITE_DOWN_PEER_UNFIT.
- FLAPPING and RETURNING are shown at once, without `confirm`: they come from memory, not from one sample. While a
  verdict of the rules 1 to 5 is not confirmed, it is SUSPECT, not FLAPPING or RETURNING.
- Two sites that return together: the one that stays fenced is named first, then the one failed over last, else none.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_evidence import evidence, why_not_more
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_fields import (
    VerdictInputError,
    seconds,
    time_text,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_guards import Case
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_memory import Memory, dump, load
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_observation import read_observation
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_policy import Policy, read_policy
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_rules import STANDING, Finding, find
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_states import Picture, draw
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_time import fold, needed, settled
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_unlocked import (
    AUTOMATIC,
    clean_for,
    drained,
    unlocked,
)

__all__ = ["DEFAULT_POLICY", "Judgement", "Tracker", "VerdictInputError", "decide", "track"]

DEFAULT_POLICY: Dict[str, Any] = dict(Policy()._asdict())
"""Every key of the policy with its default."""


def decide(observation: Mapping[str, Any], policy: Optional[Mapping[str, Any]] = None) -> Dict[str, Any]:
    """Return the decision on one bundle, without memory: nothing that changes anything is automatic.

    Raises VerdictInputError for a malformed observation or policy.
    """
    picture = _picture(observation, read_policy(policy))
    raw = find(picture)
    return _decision(Case(picture, raw, raw, None))


def track(
    state: Optional[Mapping[str, Any]],
    observation: Mapping[str, Any],
    policy: Optional[Mapping[str, Any]] = None,
) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """Return the next state and the decision; `state` is null or empty for the first observation.

    Raises VerdictInputError for malformed input, for a state of other sites, and for a `taken_at` before the last one.
    """
    tracker = Tracker(state, policy)
    decision = tracker.judge(observation).decision()
    return tracker.state(), decision


class Judgement:
    """What `track` says of one observation, of which only what is asked for is put into words."""

    def __init__(self, case: Case, memory: Memory) -> None:
        """Judge a case by what is remembered up to it."""
        self.case = case
        self._memory = memory

    def automatic(self) -> List[str]:
        """Return the actions that may be done without a person."""
        return unlocked(self.case).columns[AUTOMATIC]

    def decision(self) -> Dict[str, Any]:
        """Return the whole decision."""
        return {**_decision(self.case), **_timing(self.case, self._memory)}


class Tracker:
    """`track` over successive observations: what is remembered is written down only when it is asked for."""

    def __init__(self, state: Optional[Mapping[str, Any]], policy: Optional[Mapping[str, Any]] = None) -> None:
        """Go on from a state. Raises VerdictInputError as `track`."""
        self.policy = read_policy(policy)
        self._memory = load(state)

    def judge(self, observation: Mapping[str, Any]) -> Judgement:
        """Fold the next observation in. Raises VerdictInputError as `track`; nothing is remembered of it then."""
        picture = _picture(observation, self.policy)
        raw = find(picture)
        memory = fold(self._memory, picture, raw)
        self._memory = memory
        return Judgement(Case(picture, raw, _shown(memory, picture, raw), memory), memory)

    def state(self) -> Dict[str, Any]:
        """Return the state to go on from; empty before the first observation."""
        return {} if self._memory is None else dump(self._memory)


def _picture(observation: Mapping[str, Any], policy: Policy) -> Picture:
    return draw(read_observation(observation, policy), policy)


def _shown(memory: Memory, picture: Picture, raw: Finding) -> Finding:
    """Return the verdict that stands, by memory: RETURNING and FLAPPING replace the rules 6 to 16 only."""
    replaceable = raw.verdict not in STANDING
    if replaceable and memory.returning():
        return Finding("RETURNING", _returning_site(memory))
    if replaceable and memory.flapping_since is not None:
        return Finding("FLAPPING")
    return raw if settled(memory.run, picture.policy, picture.observation.now) else Finding("SUSPECT", raw.site)


def _returning_site(memory: Memory) -> Optional[str]:
    sites = memory.returning()
    ranks = {name: (memory.scope(name) == "config", memory.failed_over_at(name)) for name in sites}
    first = [name for name in sites if ranks[name] == max(ranks.values())]
    return first[0] if len(first) == 1 else None


def _decision(case: Case) -> Dict[str, Any]:
    may = unlocked(case)
    may.lacks_for_verdict(why_not_more(case))
    return {
        "verdict": case.shown.verdict,
        "site": case.shown.site,
        "scope": _scope(case),
        "states": dict(sorted(case.picture.states.items())),
        "evidence": evidence(case),
        **may.data(),
    }


def _scope(case: Case) -> Optional[str]:
    if case.shown.verdict != "RETURNING" or case.memory is None:
        return None
    scopes = {case.memory.scope(name) for name in case.memory.returning()}
    return "config" if "config" in scopes else "call"


def _timing(case: Case, memory: Memory) -> Dict[str, Any]:
    replaced = case.shown.verdict in ("RETURNING", "FLAPPING")
    return {
        "raw": case.raw.verdict,
        "raw_site": case.raw.site,
        "since": time_text(memory.run.since),
        "settled": replaced or settled(memory.run, case.picture.policy, case.picture.observation.now),
        "remaining": {clock: round(left, 3) for clock, left in _clocks(case, memory) if left > 0},
    }


def _clocks(case: Case, memory: Memory) -> List[Tuple[str, float]]:
    """Return the seconds left of each clock; those that have run out are 0 or less."""
    policy, now = case.picture.policy, case.picture.observation.now
    left = [("confirm", needed(memory.run, policy) - seconds(now, memory.run.since)), ("cooldown", case.cooling())]
    lasted = case.lasted()
    wanted = {"SITE_DOWN": ("hold", policy.hold), "PARTITION": ("long_partition", policy.long_partition)}
    if case.raw.verdict in wanted and lasted is not None:
        clock, length = wanted[case.raw.verdict]
        left.append((clock, length - lasted))
    clean = [clean for clean in (clean_for(case, name) for name in drained(case)) if clean is not None]
    return left + [("recover", policy.recover - min(clean))] if clean else left
