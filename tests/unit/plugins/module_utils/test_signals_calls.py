# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test calls as a matrix, gateway × site: a bad column is the site's, a bad row the gateway's. Room for all calls."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.observation import probe_checks
from observed_world import World, deployed

THREE = {"s1-gw": "site1", "s2-gw": "site2", "s2-gw2": "site2"}


def column(value, site="site1", **how):
    """Every gateway's calls to a site end alike."""
    world = World(**how)
    for gateway in world.continuity["continuity_gateways"]:
        world.calls(gateway, **{site: value})
    return world


def fault(world, site, gateway):
    return world.signal(site, "redundancy")["by"].get(gateway, {}).get("detail", "")


def test_a_call_through_each_gateway_to_each_sites_number():
    (one, other) = [check for check in probe_checks(deployed(), "s1-gw") if check["kind"] == "call"]
    assert one == {
        "id": "calls:site1:s1-gw",
        "kind": "call",
        "about": "site1",
        "signal": "calls",
        "part": "s1-gw",
        "address": "10.71.1.30",
        "port": 5060,
        "transport": "udp",
        "dn": "8001",
    }
    assert (other["about"], other["dn"], other["address"]) == ("site2", "8002", "10.71.1.30")


def test_nobody_calls_when_the_policy_says_so_or_a_number_is_missing():
    continuity = deployed()
    continuity["continuity_policy"] = {"synthetic_calls": False}
    assert [check["kind"] for check in probe_checks(continuity, "s1-gw")] == ["gateway"]
    continuity = deployed()
    del continuity["continuity_sites"]["site2"]["sip_server"]["test_dn"]
    assert [check["about"] for check in probe_checks(continuity, "s1-gw") if check["kind"] == "call"] == ["site1"]


def test_what_was_not_asked_is_unknown():
    world = World()
    world.continuity["continuity_policy"] = {"synthetic_calls": False}
    assert world.signal("site1", "calls") == {
        "value": "unknown", "answered": False, "of": [0, 0], "by": {}, "at": world.meta["started_at"],
    }  # fmt: skip


def test_up_by_one_gateway():
    world = column("down").calls("s1-gw", site1="up")
    signal = world.signal("site1", "calls")
    assert (signal["value"], signal["of"], signal["answered"]) == ("up", [1, 2], True)


def test_a_bad_column_is_the_sites():
    world = column("down")
    assert (world.values("site1")["calls"], world.values("site2")["calls"]) == ("down", "up")
    assert world.values("site1")["redundancy"] == world.values("site2")["redundancy"] == "up"


@pytest.mark.parametrize("busy", ["unknown"])
def test_overload_at_one_gateway_spares_the_site(busy):
    assert column("down").calls("s2-gw", site1=busy).values("site1")["calls"] == "unknown"
    assert column(busy).values("site1")["calls"] == "unknown"


def test_a_gateway_that_works_for_no_site_says_nothing_about_one():
    world = column("down").calls("s2-gw", site2="down")
    assert world.values("site1")["calls"] == "down", "s1-gw works for site2"
    world.calls("s1-gw", site2="unknown")
    assert world.values("site1")["calls"] == world.values("site2")["calls"] == "unknown"


def test_when_every_call_fails_both_sites_are_down():
    world = column("down").calls("s1-gw", site2="down").calls("s2-gw", site2="down")
    assert world.values("site1")["calls"] == world.values("site2")["calls"] == "down"
    assert world.silence("s2-gw").values("site1")["calls"] == "unknown", "through it, calls may work"


def test_a_silent_gateway_proves_nothing_and_spares_nobody():
    assert column("down").silence("s2-gw").values("site1")["calls"] == "down"
    assert column("down").silence("s2-gw", "s1-gw").values("site1")["calls"] == "unknown"


def test_gateways_inside_the_dead_site_are_silent_and_the_others_see_the_column():
    assert World().lose(1).values("site1")["calls"] == "down"


def test_all_gateways_in_the_dead_site():
    world = World(gateways={"s1-gw": "site1"})
    world.silence("s1-gw", "s1-cfg")
    assert {world.values("site1")[signal] for signal in ("gateways", "calls")} == {"unknown"}


def test_gateways_at_one_site_still_see_the_other_one_die():
    world = World(gateways={"s2-gw": "site2"}).gateway("s2-gw", site1="down", site2="up").calls("s2-gw", site1="down")
    assert {world.values("site1")[signal] for signal in ("gateways", "calls")} == {"down"}


def test_a_bad_row_is_the_gateways():
    world = World().calls("s2-gw", site1="down", site2="down")
    assert world.values("site1")["calls"] == world.values("site2")["calls"] == "up"
    assert (world.values("site1")["redundancy"], world.values("site2")["redundancy"]) == ("up", "down")
    assert fault(world, "site2", "s2-gw").startswith("GATEWAY_FAULT: completes calls to neither site")


def test_one_bad_row_of_three():
    world = World(gateways=THREE).calls("s2-gw2", site1="down", site2="down")
    assert fault(world, "site2", "s2-gw2").startswith("GATEWAY_FAULT")
    assert not fault(world, "site2", "s2-gw") and not fault(world, "site1", "s1-gw")


def test_no_row_is_bad_when_nobody_completes_a_call():
    world = column("down").calls("s1-gw", site2="down").calls("s2-gw", site2="down")
    assert world.values("site1")["redundancy"] == world.values("site2")["redundancy"] == "up"


def test_a_row_that_met_overload_is_not_bad():
    world = World().calls("s2-gw", site1="down", site2="unknown")
    assert world.values("site2")["redundancy"] == "up"


@pytest.mark.parametrize("what", ["s2-gw", "site2"])
def test_no_fault_in_a_declared_downtime(what):
    world = World().calls("s2-gw", site1="down", site2="down").downtime(what)
    assert world.values("site2")["redundancy"] == "up"


def test_a_call_answered_without_media_is_a_sign_of_life():
    world = column("down")
    world.answer("s2-gw", "calls:site1", "down", True)
    signal = world.signal("site1", "calls")
    assert (signal["value"], signal["answered"]) == ("down", True)


# capacity


def running(first, second, **how):
    world = World(**how)
    for number, calls in ((1, first), (2, second)):
        world.answer(f"s{number}-cfg", f"capacity:site{number}:s{number}-sip-a", "up", calls=calls)
        world.answer(f"s{number}-cfg", f"capacity:site{number}:s{number}-sip-b", "up", calls=0)
    return world


@pytest.mark.parametrize(("first", "second", "value"), [(60, 40, "up"), (0, 0, "up"), (60, 41, "down")])
def test_room_for_the_calls_of_both_sites(first, second, value):
    world = running(first, second)
    assert world.values("site1")["capacity"] == world.values("site2")["capacity"] == value


def test_each_site_by_its_own_room():
    world = running(60, 60)
    world.continuity["continuity_sites"]["site2"]["sip_server"]["capacity"] = 120
    assert (world.values("site1")["capacity"], world.values("site2")["capacity"]) == ("down", "up")


def test_room_is_unknown_while_it_is_not_declared():
    world = running(1, 1)
    del world.continuity["continuity_sites"]["site1"]["sip_server"]["capacity"]
    assert (world.values("site1")["capacity"], world.values("site2")["capacity"]) == ("unknown", "up")


def test_room_is_unknown_while_a_sites_calls_are_not_read():
    world = running(1, 1).answer("s2-cfg", "capacity:site2", "unknown", calls=None)
    assert world.values("site1")["capacity"] == world.values("site2")["capacity"] == "unknown"
    assert running(1, 1).silence("s1-cfg").values("site2")["capacity"] == "unknown"


def test_nobody_counts_calls_where_no_room_is_declared():
    continuity = deployed()
    for site in continuity["continuity_sites"].values():
        del site["sip_server"]["capacity"]
    assert "running_calls" not in {check["kind"] for check in probe_checks(continuity, "s1-cfg")}
