# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sixteen rules, over every pair of site states and everything that they look at besides, against a second reading.

The states are put in, whether or not some signals could make them, so nothing is left out. What each rule looks at:

    1 to 6    the states, the observer, both masters, an acceptance, the downtimes, whether the other site is fit
    7 to 11   the states, both peers, both trunks, whether the other site is fit
    12 to 16  the states, both managements, both masters, and every signal that NORMAL asks for

One product for each group of rules, over all that the group looks at, is every combination there is, if a rule of
another group looks at nothing more: so each product is run again with the other groups' fields well, ill and unknown.
With SIP_DR_EXAMPLES of 1000 or more the groups 7 to 16 are run as one product as well (583,200 combinations).
"""

from __future__ import annotations

import os
from itertools import product
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_observation import (
    Observation,
    Override,
    People,
    Signal,
    read_observation,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_policy import read_policy
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_rules import find
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_states import Picture
from verdict_world import START, at, healthy

NAMES = ("site1", "site2")
STATES = ("DOWN", "UNKNOWN", "GRAY", "DEGRADED", "SERVING", "STACK_DOWN", "GW_CUT", "ALIVE")
REACHED_BY_SEVEN = ("GRAY", "DEGRADED", "SERVING", "GW_CUT", "ALIVE")
VALUES = ("up", "down", "unknown")
PAIRS = tuple(product(VALUES, repeat=2))
NO_DOWN = tuple(pair for pair in PAIRS if "down" not in pair)
WELL = {"peer": ("up", "up"), "trunk": ("up", "up"), "mgmt": ("up", "up"), "master": ("up", "down")}
ILL = {"peer": ("down", "down"), "trunk": ("down", "up"), "mgmt": ("down", "down"), "master": ("down", "down")}
BLIND = dict.fromkeys(WELL, ("unknown", "unknown"))
PLAIN = ("inside", "redundancy", "witness", "gateways", "calls")
DEEP = int(os.environ.get("SIP_DR_EXAMPLES", "0")) >= 1000

PROTOTYPE = read_observation(healthy(), read_policy({}))
SIGNALS = {value: Signal(value) for value in VALUES}
ACCEPTED = (Override("accept_divergence", "r1", People(("alice", "bob"), START.replace(year=2027))),)


class World(NamedTuple):
    """One combination: pairs are of site1 and site2; a signal that is not named is up at both."""

    states: Tuple[str, str]
    signals: Dict[str, Tuple[str, str]]
    isolated: Tuple[Optional[str], Optional[str]] = (None, None)
    downtime: Tuple[bool, bool] = (False, False)
    healthy: bool = True
    accepted: bool = False
    synthetic_calls: bool = True
    witness: bool = True

    def seen(self, signal: str) -> Tuple[str, str]:
        """Return a signal's values at site1 and site2."""
        return self.signals.get(signal, ("up", "up"))


def picture(world: World) -> Picture:
    """Return the combination as the rules are given it."""
    sites = {}
    for place, name in enumerate(NAMES):
        signals = {signal: SIGNALS[world.seen(signal)[place]] for signal in PROTOTYPE.sites[name].signals}
        changed = {"signals": signals, "isolated": world.isolated[place], "downtime": world.downtime[place]}
        sites[name] = PROTOTYPE.sites[name]._replace(**changed)
    overrides = ACCEPTED if world.accepted else ()
    observation: Observation = PROTOTYPE._replace(sites=sites, healthy=world.healthy, overrides=overrides)
    policy = read_policy({"synthetic_calls": world.synthetic_calls, "witness": world.witness})
    return Picture(observation, policy, dict(zip(NAMES, world.states)))


def reading(world: World) -> Tuple[str, Optional[str]]:
    """Return the verdict and its site by decision.md's list, read from the top."""
    states, both = world.states, {name: sorted(world.seen(name)) for name in ("peer", "trunk", "mgmt", "master")}
    dead = [place for place in (0, 1) if states[place] in ("DOWN", "STACK_DOWN")]
    unknown = [place for place in (0, 1) if states[place] == "UNKNOWN"]
    if not world.healthy:
        return "OBSERVER_BLIND", None
    if both["master"] == ["up", "up"] and not world.accepted:
        return "DUAL_MASTER", None
    if len(dead) == 2:
        return "BOTH_DOWN", None
    if len(unknown) == 2:
        return "OBSERVER_BLIND", None
    if dead:
        if world.downtime[dead[0]]:
            return "SITE_DOWNTIME", NAMES[dead[0]]
        return ("SITE_DOWN" if fit(world, 1 - dead[0]) else "SITE_DOWN_PEER_UNFIT"), NAMES[dead[0]]
    if unknown:
        return "SUSPECT", NAMES[unknown[0]]
    return links(world, both) or rest(world, both)


def fit(world: World, place: int) -> bool:
    """Whether a site can carry the calls."""
    views = ("gateways", "calls") if world.synthetic_calls else ("gateways",)
    well = all(world.seen(view)[place] == "up" for view in views)
    return well and world.isolated[place] is None and world.states[place] in ("DEGRADED", "SERVING", "ALIVE")


def links(world: World, both: Dict[str, List[str]]) -> Optional[Tuple[str, Optional[str]]]:
    """Return what the rules 7 to 11 say."""
    peers, trunks = both["peer"], both["trunk"]
    if peers == ["down", "down"]:
        return ("MGMT_PARTITION" if "up" in trunks else "PARTITION"), None
    if peers == ["down", "unknown"]:
        return "SUSPECT", None
    if peers == ["down", "up"] and world.states[world.seen("peer").index("down")] != "GW_CUT":
        return "PARTITION_ASYM", None
    ill = [place for place in (0, 1) if world.states[place] in ("GRAY", "GW_CUT")]
    if len(ill) == 1 and fit(world, 1 - ill[0]):
        return world.states[ill[0]], NAMES[ill[0]]
    if ill:
        return "NO_HEALTHY_SITE", None
    words = {("down", "down"): "TRUNK_OOS", ("down", "up"): "TRUNK_OOS_ASYM", ("down", "unknown"): "SUSPECT"}
    if tuple(trunks) in words:
        return words[trunks[0], trunks[1]], None
    alive = [place for place in (0, 1) if world.states[place] == "ALIVE"]
    if alive:
        return "SUSPECT", (NAMES[alive[0]] if len(alive) == 1 else None)
    return None


def rest(world: World, both: Dict[str, List[str]]) -> Tuple[str, Optional[str]]:
    """Return what the rules 12 to 16 say."""
    if both["mgmt"] == ["down", "down"]:
        return "MGMT_PARTITION", None
    if both["master"] == ["down", "down"]:
        return "NO_MASTER", None
    degraded = [place for place in (0, 1) if world.states[place] == "DEGRADED"]
    if degraded:
        return "DEGRADED", (NAMES[degraded[0]] if len(degraded) == 1 else None)
    asked = ["inside", "redundancy", "peer", "gateways", "trunk", "mgmt"]
    asked += ["calls"] * world.synthetic_calls + ["witness"] * world.witness
    if both["master"] != ["down", "up"] or any(world.seen(signal) != ("up", "up") for signal in asked):
        return "BLIND_SPOT", None
    return "NORMAL", None


def first_group() -> Iterator[World]:
    """Yield all that the rules 1 to 6 look at, with the rest well, ill and unknown."""
    flags = (False, True)
    fields = product(STATES, STATES, PAIRS, flags, flags, flags, flags, (None, "drain"), (None, "failover"))
    for one, two, masters, well, accepted, down1, down2, pin1, pin2 in fields:
        for beside in (WELL, ILL, BLIND) if (one, two) != ("SERVING", "SERVING") else (WELL,):
            signals = {**beside, "master": masters}
            yield World((one, two), signals, (pin1, pin2), (down1, down2), well, accepted)


def second_group() -> Iterator[World]:
    """Yield all that the rules 7 to 11 look at, with the rest well, ill and unknown."""
    fields = product(REACHED_BY_SEVEN, REACHED_BY_SEVEN, PAIRS, PAIRS, (None, "drain"), (None, "failover"))
    for one, two, peers, trunks, pin1, pin2 in fields:
        for beside in (WELL, ILL, BLIND):
            yield World((one, two), {**beside, "peer": peers, "trunk": trunks}, (pin1, pin2))


def third_group() -> Iterator[World]:
    """Yield all that the rules 12 to 16 look at; of what only NORMAL asks for, each pair of values alone."""
    states = ("DEGRADED", "SERVING")
    for one, two, peers, trunks, mgmt, masters in product(states, states, NO_DOWN, NO_DOWN, PAIRS, PAIRS):
        accepted = masters == ("up", "up")
        yield World((one, two), {"peer": peers, "trunk": trunks, "mgmt": mgmt, "master": masters}, accepted=accepted)
    for signal, values, calls, witness in product(PLAIN, PAIRS, (False, True), (False, True)):
        yield World(("SERVING", "SERVING"), {**WELL, signal: values}, synthetic_calls=calls, witness=witness)


def fitness() -> Iterator[World]:
    """Yield all that says whether a site is fit, at the other site than one that is dead, GRAY or cut off."""
    isolated = (None, "drain", "failover")
    for ill, state in product(("DOWN", "STACK_DOWN", "GRAY", "GW_CUT"), STATES):
        for gateways, calls, pin, asked in product(VALUES, VALUES, isolated, (False, True)):
            signals = {**WELL, "gateways": ("up", gateways), "calls": ("up", calls)}
            yield World((ill, state), signals, (None, pin), synthetic_calls=asked)


def everything_from_seven() -> Iterator[World]:
    """Yield the product of all that the rules 7 to 16 look at, the signals apart that only NORMAL asks for."""
    fields = product(REACHED_BY_SEVEN, REACHED_BY_SEVEN, PAIRS, PAIRS, PAIRS, PAIRS, (None, "drain"), (None, "drain"))
    for one, two, peers, trunks, mgmt, masters, pin1, pin2 in fields:
        signals = {"peer": peers, "trunk": trunks, "mgmt": mgmt, "master": masters}
        if masters != ("up", "up"):
            yield World((one, two), signals, (pin1, pin2))


def disagreements(worlds: Iterator[World]) -> Tuple[int, List[Any]]:
    """Return how many combinations there were, and the first few in which code and reading differ."""
    count, wrong = 0, []
    for world in worlds:
        count += 1
        found = find(picture(world))
        if (found.verdict, found.site) != reading(world) and len(wrong) < 5:
            wrong.append((world, found, reading(world)))
    return count, wrong


@pytest.mark.parametrize(
    ("worlds", "expected"),
    [
        (first_group, 63 * 9 * 64 * 3 + 9 * 64),
        (second_group, 25 * 81 * 4 * 3),
        (third_group, 4 * 4 * 4 * 81 + 5 * 9 * 4),
        (fitness, 4 * 8 * 54),
        pytest.param(
            everything_from_seven,
            25 * 81 * 9 * 8 * 4,
            marks=pytest.mark.skipif(not DEEP, reason="half a minute: with SIP_DR_EXAMPLES=1000 or more"),
        ),
    ],
)
def test_every_combination_of_states(worlds: Any, expected: int) -> None:
    assert disagreements(worlds()) == (expected, [])


def test_the_world_of_this_test_is_the_real_one() -> None:
    assert picture(World(("SERVING", "SERVING"), WELL)).observation == PROTOTYPE
    assert PROTOTYPE.now == START and at(0) == "2026-01-31T03:00:00Z"
