# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of site states, over every combination of what it looks at, against a second reading of it.

The table looks at a site through these and nothing else: the values of `inside`, `peer`, `witness`, `gateways`, `calls`
and `redundancy`, the other site's `trunk`, whether two people's word is in force, and whether the site is heard at all.
Heard is an or: by a value that is up, by `inside` that is down, by the other trunk, or by an answer. So every value
is combined with every other, and each with being heard by one thing more, or by nothing more. Two such things together
are one or; what was left out is unknown, and so is what is too old (the golden cases hold these two).
"""

from __future__ import annotations

from itertools import product
from typing import Any, Dict, Iterator, List, Tuple

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_observation import read_observation
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_policy import read_policy
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_states import draw
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import decide
from verdict_world import at, world

VALUES = ("up", "down", "unknown")
SEEN = ("peer", "witness", "gateways", "calls", "redundancy")
BESIDE: Tuple[Tuple[str, Any], ...] = (
    ("mgmt", "unknown"),
    ("mgmt", "down"),
    ("mgmt", "up"),
    ("mgmt", {"value": "down", "answered": True}),
    ("master", "down"),
    ("master", "up"),
    ("master", {"value": "down", "answered": True}),
    ("inside", "answered"),
    ("peer", "answered"),
    ("witness", "answered"),
    ("gateways", "answered"),
    ("calls", "answered"),
)
"""What a site may be heard by beside the values, one at a time; the first, second and fifth say nothing."""

ATTESTED = {"by": ["alice", "bob"], "until": at(60)}

Case = Tuple[Dict[str, Any], str, bool, bool]
"""A site's signals, the other site's trunk, whether it is attested down, and whether something beside was heard."""


def combinations(inside: str, trunk: str) -> Iterator[Case]:
    """Yield every combination of what the table looks at, for one value each of `inside` and of the other's trunk."""
    for values in product(VALUES, repeat=len(SEEN)):
        seen: Dict[str, Any] = {"inside": inside, **dict(zip(SEEN, values))}
        for attested, (signal, word) in product((False, True), BESIDE):
            if word == "answered":
                yield {**seen, signal: {"value": seen[signal], "answered": True}}, trunk, attested, True
            else:
                yield {**seen, signal: word}, trunk, attested, word not in ("down", "unknown")


def table(case: Case) -> str:
    """Return the state by decision.md's table, read as sets of signals."""
    signals, trunk, attested, beside = case
    seen = {name: said["value"] if isinstance(said, dict) else said for name, said in signals.items()}
    ups = {signal for signal, value in seen.items() if value == "up"}
    downs = {signal for signal, value in seen.items() if value == "down"}
    heard = beside or trunk == "up" or seen["inside"] != "unknown" or ups & {"peer", "witness", "gateways", "calls"}
    outside = downs & {"peer", "witness", "gateways"}
    if not heard:
        return "DOWN" if len(outside) == 3 or (attested and outside) else "UNKNOWN"
    if ups & {"gateways", "calls"}:
        if "gateways" in ups and "calls" in downs:
            return "GRAY"
        return "DEGRADED" if downs & {"inside", "redundancy"} else "SERVING"
    lives = ups & {"peer", "witness"} or trunk == "up"
    if {"inside", "gateways"} <= downs and downs & {"peer", "witness"} and not lives:
        return "STACK_DOWN"
    return "GW_CUT" if "gateways" in downs and "inside" in ups else "ALIVE"


def states_of(first: Case, second: Case) -> List[str]:
    """Return the states of two cases, each put at one of the sites; they meet only in each other's trunks."""
    bundle = {"taken_at": at(0), "observer": {"healthy": True}, "sites": {}}
    for name, (signals, _, attested, _), (_, trunk, _, _) in (("site1", first, second), ("site2", second, first)):
        bundle["sites"][name] = {**signals, "trunk": trunk, "attested_down": ATTESTED if attested else None}
    policy = read_policy({})
    states = draw(read_observation(bundle, policy), policy).states
    return [states["site1"], states["site2"]]


@pytest.mark.parametrize("trunk", VALUES)
@pytest.mark.parametrize("inside", VALUES)
def test_every_combination(inside: str, trunk: str) -> None:
    cases = list(combinations(inside, trunk))
    assert len(cases) == 3**5 * 2 * 12
    for first, second in zip(cases[::2], cases[1::2]):
        assert states_of(first, second) == [table(first), table(second)], (first, second)


def test_an_answer_without_a_value_is_heard() -> None:
    site1 = {"is": "silent", "witness": {"value": "unknown", "answered": True}}
    assert decide(world(site1=site1))["states"]["site1"] == "ALIVE"


def test_a_stale_answer_is_not_heard() -> None:
    stale = {"value": "down", "answered": True, "at": {"ago": 21}}
    assert decide(world(site1={"is": "silent", "peer": stale}))["states"]["site1"] == "UNKNOWN"


def test_calls_that_nobody_asked_for_still_prove_life() -> None:
    decision = decide(world(site1={"is": "silent", "calls": "up"}), {"synthetic_calls": False})
    assert decision["states"]["site1"] == "SERVING"
