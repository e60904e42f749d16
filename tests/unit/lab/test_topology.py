# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's names and addresses."""

from __future__ import annotations

import ipaddress

import pytest
from two_site_lab.errors import LabError
from two_site_lab.rules import bridge
from two_site_lab.state import State
from two_site_lab.topology import topology

LAB = topology("dr")
LONGEST_ID = "abcdef"
INTERFACE_NAME = 15


def test_every_address_lies_in_its_zone_and_is_used_once():
    hosts = [*LAB.hosts.values(), LAB.control]
    for host in hosts:
        assert ipaddress.ip_address(host.address) in ipaddress.ip_network(LAB.zone_of(host).subnet)
    addresses = [host.address for host in hosts] + [LAB.vip(site) for site in LAB.sites]
    assert len(set(addresses)) == len(addresses)


def test_the_longest_id_still_makes_interface_names():
    lab = topology(LONGEST_ID)
    State(LONGEST_ID)
    names = [f"{lab.id}-{name}" for name in (*lab.hosts, "control", "router")] + [bridge(lab, z) for z in lab.zones]
    assert max(map(len, names)) <= INTERFACE_NAME
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("lab_id", ["", "toolong", "Dr", "1a", "a-b", "../x"])
def test_an_id_that_could_not_name_an_interface_is_refused(lab_id):
    with pytest.raises(LabError):
        State(lab_id)


def test_sites_are_each_others_mirror():
    assert [LAB.peer(site) for site in LAB.sites] == ["site2", "site1"]
    kinds = [[host.kind for host in LAB.of_site(site)] for site in LAB.sites]
    assert kinds[0] == kinds[1] == ["sip", "sip", "cfg", "gw"]


def test_of_kind_with_and_without_a_site():
    assert [host.name for host in LAB.of_kind("sip", "site2")] == ["s2-sip-a", "s2-sip-b"]
    assert [host.name for host in LAB.of_kind("gw")] == ["s1-gw", "s2-gw"]


def test_names_hold_hosts_control_and_virtual_addresses():
    names = {name: address for address, name in LAB.names()}
    assert names["control"] == "10.71.6.10"
    assert names["site2-sip"] == "10.71.2.100"
    assert set(LAB.hosts) < set(names)
