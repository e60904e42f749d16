# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of site states against a second reading of it, over every combination of the signals that it names."""

from __future__ import annotations

from itertools import product
from typing import Any, Dict

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import decide
from verdict_world import NOTHING, world

VALUES = ("up", "down", "unknown")
ATTESTED = {"by": ["alice", "bob"], "until": {"seconds": 60}}


def table(seen: Dict[str, Any], other_trunk: str, attested: bool) -> str:
    """Return the state by decision.md's table, read as sets of signals."""
    ups = {signal for signal, value in seen.items() if value == "up"}
    downs = {signal for signal, value in seen.items() if value in ("down", "503")}
    answered = {signal for signal, value in seen.items() if value == "503"}
    far_trunk = other_trunk == "up"
    proofs = (ups | answered) & {"peer", "witness", "gateways", "calls", "mgmt", "master"}
    heard = bool(proofs) or far_trunk or seen["inside"] != "unknown"
    outside = downs & {"peer", "witness", "gateways"}
    if not heard:
        return "DOWN" if len(outside) == 3 or (attested and outside) else "UNKNOWN"
    if ups & {"gateways", "calls"}:
        if "gateways" in ups and "calls" in downs:
            return "GRAY"
        return "DEGRADED" if downs & {"inside", "redundancy"} else "SERVING"
    lives = bool(ups & {"peer", "witness", "calls"}) or far_trunk
    if {"inside", "gateways"} <= downs and downs & {"peer", "witness"} and not lives:
        return "STACK_DOWN"
    return "GW_CUT" if "gateways" in downs and "inside" in ups else "ALIVE"


@pytest.mark.parametrize("attested", (False, True))
@pytest.mark.parametrize("other_trunk", VALUES)
@pytest.mark.parametrize("inside", VALUES)
def test_every_combination(inside: str, other_trunk: str, attested: bool) -> None:
    for peer, witness, gateways, calls, extra in product((*VALUES, "503"), VALUES, VALUES, VALUES, VALUES):
        seen = {"inside": inside, "peer": peer, "witness": witness, "gateways": gateways, "calls": calls}
        for beside in ({"redundancy": extra}, {"mgmt": extra}, {"master": extra}):
            signals = {**NOTHING, **seen, **beside}
            expected = table(signals, other_trunk, attested)
            written = {name: {"value": "down", "answered": True} if v == "503" else v for name, v in signals.items()}
            site1 = {"is": "unknown", **written, "attested_down": ATTESTED if attested else None}
            assert decide(world(site1=site1, site2={"trunk": other_trunk}))["states"]["site1"] == expected, signals


def test_an_answer_without_a_value_is_heard() -> None:
    site1 = {"is": "silent", "witness": {"value": "unknown", "answered": True}}
    assert decide(world(site1=site1))["states"]["site1"] == "ALIVE"


def test_a_stale_answer_is_not_heard() -> None:
    stale = {"value": "down", "answered": True, "at": {"ago": 21}}
    assert decide(world(site1={"is": "silent", "peer": stale}))["states"]["site1"] == "UNKNOWN"


def test_calls_that_nobody_asked_for_still_prove_life() -> None:
    decision = decide(world(site1={"is": "silent", "calls": "up"}), {"synthetic_calls": False})
    assert decision["states"]["site1"] == "SERVING"
