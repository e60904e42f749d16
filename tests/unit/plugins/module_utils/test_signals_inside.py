# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A look from inside a site that could not find out everything: overload is no death, and a reached host is life."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import decide
from observed_world import World


def turned_away(run_mode):
    """site1 turns every OPTIONS away (503), from wherever it comes, and serves its monitoring pages."""
    world = World().answer("s1-cfg", "inside:site1:sip", "down", True)
    world.answer("s1-cfg", "inside:site1:page", "up", run_mode=run_mode).answer("s2-cfg", "peer:site1", "down", True)
    world.answer("witness", "witness:site1", "down", True).answer("s2-cfg", "trunk:site2", "down", True)
    for gateway in ("s1-gw", "s2-gw"):
        world.gateway(gateway, site1="down", site2="up").calls(gateway, site1="unknown")
    return world


@pytest.mark.parametrize("run_mode", ["unknown", None, "primary"])
def test_overload_with_a_page_that_may_be_the_primarys(run_mode):
    world = turned_away(run_mode)
    signal = world.signal("site1", "inside")
    assert (signal["value"], signal["answered"]) == ("unknown", True)
    assert decide(world.look())["states"]["site1"] == "ALIVE"


def test_one_leg_whose_run_mode_cannot_be_read_is_enough():
    world = turned_away("backup").answer("s1-cfg", "inside:site1:page:s1-sip-a", "up", run_mode="unknown")
    assert world.values("site1")["inside"] == "unknown"


@pytest.mark.parametrize(
    ("value", "answered", "inside"),
    [("unknown", True, "unknown"), ("unknown", False, "down"), ("down", True, "down"), ("down", False, "down")],
)
def test_a_port_that_talks_but_gives_no_page_may_be_the_primarys_and_a_shut_one_is_not(value, answered, inside):
    world = turned_away("backup").answer("s1-cfg", "inside:site1:page", value, answered, run_mode=None)
    assert world.values("site1")["inside"] == inside


def test_two_backups_are_no_primary():
    world = turned_away("backup")
    assert world.values("site1")["inside"] == "down"
    assert decide(world.look())["states"]["site1"] == "STACK_DOWN"


def cut_off(run_mode, sip="down"):
    """Nobody outside reaches site1; a host inside was reached all the same, and finds no SIP Server that answers."""
    world, inside = World(gateways={"s2-gw": "site2"}), World(gateways={"s2-gw": "site2"}).probes["s1-cfg"]
    world.silence("s1-cfg").answer("s2-cfg", "trunk:site2", "down", False)
    for prefix in ("peer:site1", "mgmt:site1", "master:site1"):
        world.answer("s2-cfg", prefix, "down")
    world.answer("witness", "witness:site1", "down").answer("witness", "master:site1", "down")
    world.gateway("s2-gw", site1="down", site2="up").calls("s2-gw", site1="down")
    alone = decide(world.look())
    world.probes["s1-cfg"] = inside
    world.answer("s1-cfg", "inside:site1:sip", sip, False).answer("s1-cfg", "master:site1", "unknown", False)
    return alone, decide(world.answer("s1-cfg", "inside:site1:page", "up", run_mode=run_mode).look())


@pytest.mark.parametrize(("run_mode", "sip"), [("primary", "down"), ("unknown", "down"), ("primary", "unknown")])
def test_a_reached_host_inside_is_life_whatever_it_could_find_out(run_mode, sip):
    alone, reached = cut_off(run_mode, sip)
    assert (alone["verdict"], alone["states"]["site1"]) == ("SITE_DOWN", "DOWN")
    assert reached["states"]["site1"] == "ALIVE"


def test_the_backups_page_keeps_no_dead_site_alive():
    """site2's primary says nothing more; its backup's page still has the trunk to the dead site in service."""
    world = World().lose(1)
    world.answer("s2-cfg", "inside:site2:page:s2-sip-a", "down", False, run_mode=None)
    world.answer("s2-cfg", "trunk:site2:s2-sip-a", "unknown", False).answer("s2-cfg", "trunk:site2:own", "down")
    assert world.values("site2")["trunk"] == "unknown"
    assert decide(world.look())["states"]["site1"] == "DOWN"


def test_legs_that_differ_while_neither_is_known_as_the_primary():
    world = World().answer("s2-cfg", "inside:site2:page", "up", run_mode="unknown")
    world.answer("s2-cfg", "trunk:site2:s2-sip-a", "down", True)
    signal = world.signal("site2", "trunk")
    assert (signal["value"], signal["monitoring"]) == ("unknown", "unknown")
