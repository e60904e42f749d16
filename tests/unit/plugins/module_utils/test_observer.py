# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Can the observer be believed, and how many independent views does it have."""

from __future__ import annotations

from datetime import datetime

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.observer import clock_offset, may_be_remembered
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.vantage_paths import independent, paths_of, shared
from observed_world import World, deployed

BEGAN = datetime.fromisoformat("2026-01-31T03:14:03+00:00").timestamp()
ENDED = BEGAN + 12
VANTAGE_2 = {"vantage2": ["s2-cfg", "s2-x"]}


def clocks(world, **offsets):
    """Every reached host's clock is right, but for these."""
    for host, probe in world.probes.items():
        if probe["reached"]:
            probe.update(clock=BEGAN + 1 + offsets.get(host.replace("-", "_"), 0), elapsed=2.0)
    return world


def observer(world):
    return world.look()["observer"]


# the clock


@pytest.mark.parametrize(
    ("clock", "elapsed", "offset"),
    [
        (BEGAN, 12, 0),
        (BEGAN + 10, 2, 0),
        (BEGAN + 11, 2, 1),
        (BEGAN - 3, 2, -3),
        (ENDED, 0, 0),
        (BEGAN + 5, 60, 5),
    ],
)
def test_an_offset_is_what_the_round_cannot_explain(clock, elapsed, offset):
    meta = World().meta
    assert clock_offset({"clock": clock, "elapsed": elapsed}, meta) == pytest.approx(offset)


def test_a_host_without_a_clock_has_no_offset():
    assert clock_offset({}, World().meta) == 0


def test_clocks_that_agree():
    assert observer(clocks(World())) == {"healthy": True}
    # Within the skew that answers are allowed.
    assert observer(clocks(World(), s1_cfg=-6, s2_cfg=-6, witness=-6)) == {"healthy": True}


def test_one_host_that_is_off_is_told_about_and_still_believed():
    world = clocks(World(), s2_cfg=40)
    assert observer(world) == {"healthy": True, "notes": ["The clock of s2-cfg is +31 s off."]}
    assert world.values("site1")["peer"] == "up"


def test_most_hosts_off_is_the_controller_off():
    seen = observer(clocks(World(), s1_cfg=-60, s2_cfg=-60, witness=-61))
    assert seen["healthy"] is False
    assert seen["why"] == [
        "this controller's clock disagrees with 3 of 5 hosts (s1-cfg -59 s, s2-cfg -59 s, witness -60 s)"
    ]
    assert seen["clock"] == "wrong"
    assert "notes" not in seen


def test_nothing_is_remembered_by_a_clock_that_is_wrong():
    assert may_be_remembered(clocks(World()).look())
    assert may_be_remembered(clocks(World(), s2_cfg=40).look())
    assert may_be_remembered(World().silence("s1-cfg", "s2-cfg", "witness").look())
    assert not may_be_remembered(clocks(World(), s1_cfg=-60, s2_cfg=-60, witness=-61).look())


def test_half_of_them_are_not_most():
    assert observer(clocks(World().silence("witness"), s1_cfg=60, s1_gw=60))["healthy"] is True


def test_the_only_host_that_is_left_is_most_of_them():
    world = clocks(World().silence("s1-cfg", "s1-gw", "s2-gw", "witness"), s2_cfg=60)
    assert observer(world)["healthy"] is False


def test_a_controller_behind_the_last_observation_is_compared_by_its_own_clock():
    world = clocks(World())
    world.meta["not_before"] = "2026-01-31T05:00:00Z"
    assert observer(world)["healthy"] is True


# the round


def test_a_round_that_outlasts_freshness():
    world = World()
    world.meta["taken_at"] = "2026-01-31T03:14:23Z"
    assert observer(world)["healthy"] is True
    world.meta["taken_at"] = "2026-01-31T03:14:24Z"
    assert observer(world)["why"] == ["the looking took 21 s, longer than an answer is fresh (20 s)"]
    world.continuity["continuity_policy"] = {"fresh": 21}
    assert observer(world)["healthy"] is True


def test_all_reasons_at_once():
    world = World().silence("s1-cfg", "s2-cfg", "witness")
    world.meta["taken_at"] = "2026-01-31T03:15:03Z"
    assert len(observer(world)["why"]) == 2


# what every verdict repeats


def test_gateways_at_one_site_only():
    (note,) = observer(World(gateways={"s1-gw": "site1", "s1-gw2": "site1"}))["notes"]
    assert note.startswith("All media gateways stand at site1:") and note.endswith("site1 is never found dead.")


def test_shared_paths():
    world = World()
    world.continuity["continuity_paths"] = {"s1-cfg": ["line-a"], "witness": ["line-b", "line-a"]}
    assert observer(world)["notes"] == ["witness and s1-cfg share line-a: they are one view, not two."]


# independent views


def test_hosts_of_one_site_share_its_network_until_somebody_says_otherwise():
    world = World(**VANTAGE_2)
    assert world.signal("site1", "peer")["of"] == [1, 1]
    world.continuity["continuity_paths"] = {"s2-cfg": ["line-a"], "s2-x": ["line-b"]}
    assert world.signal("site1", "peer")["of"] == [2, 2]
    world.continuity["continuity_paths"]["s2-x"] = ["line-b", "line-a"]
    assert world.signal("site1", "peer")["of"] == [1, 1]


def test_a_named_host_depends_on_what_is_named_and_another_on_its_sites_network():
    continuity = {**deployed(), "continuity_paths": {"s1-cfg": ["line-a"]}}
    assert paths_of(continuity) == {
        "s1-cfg": {"line-a"},
        "s1-gw": {"the network of site1"},
        "s2-cfg": {"the network of site2"},
        "s2-gw": {"the network of site2"},
        "witness": frozenset(),
    }


@pytest.mark.parametrize("value", ["up", "down"])
def test_paths_never_change_a_value_and_each_reporter_stays_named(value):
    world = World(**VANTAGE_2).answer("s2-x", "peer:site1", value).answer("s2-cfg", "peer:site1", "down")
    world.continuity["continuity_paths"] = {"s2-cfg": ["line-a"], "s2-x": ["line-a"], "witness": ["line-a"]}
    before = World(**VANTAGE_2).answer("s2-x", "peer:site1", value).answer("s2-cfg", "peer:site1", "down")
    for name in ("site1", "site2"):
        assert world.values(name) == before.values(name)
    assert set(world.signal("site1", "peer")["by"]) == {"s2-cfg", "s2-x"}


def test_the_master_is_seen_by_three_views():
    world = World()
    assert world.signal("site1", "master")["of"] == [3, 3]
    world.continuity["continuity_paths"] = {"witness": ["line-a"], "s1-cfg": ["line-a"]}
    assert world.signal("site1", "master")["of"] == [2, 2]


@pytest.mark.parametrize(
    ("paths", "groups"),
    [
        ({}, ["a", "b", "c"]),
        ({"a": "1", "b": "1"}, ["ab", "c"]),
        ({"a": "1", "b": "12", "c": "2"}, ["abc"]),
        ({"a": "1", "c": "2", "b": "12"}, ["abc"]),
        ({"a": "1", "b": "2", "c": "1"}, ["ac", "b"]),
    ],
)
def test_who_shares_with_one_of_a_group_belongs_to_it(paths, groups):
    found = independent(paths, "abc")
    assert sorted("".join(sorted(group)) for group in found) == groups


def test_sharing_within_one_place_is_no_news():
    continuity = deployed(vantage1=["s1-cfg", "s1-x"])
    continuity["continuity_paths"] = {"s1-cfg": ["a"], "s1-x": ["a"], "s1-gw": ["a"], "s2-gw": ["a"], "nobody": ["a"]}
    assert list(shared(continuity)) == [("a", "s2-gw", "s1-cfg")]
