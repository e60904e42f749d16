# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The running lab as an Ansible inventory."""

from __future__ import annotations

import ipaddress

import pytest
import yaml
from two_site_lab import inventory, yaml_text
from two_site_lab.setup import cfg_objects
from two_site_lab.state import State
from two_site_lab.topology import topology

LAB = topology("dr")
CONTINUITY = inventory.continuity(LAB)


def test_every_host_is_reached_by_its_address():
    hosts = inventory.hosts(LAB, State("dr"))["all"]["hosts"]
    assert {name: entry["ansible_host"] for name, entry in hosts.items() if name != "localhost"} == {
        host.name: host.address for host in LAB.hosts.values()
    }


def test_two_labs_share_neither_key_nor_connections():
    one, other = (inventory.hosts(topology(name), State(name))["all"]["vars"] for name in ("dr", "dr2"))
    for key in ("ansible_ssh_private_key_file", "ansible_control_path_dir"):
        assert one[key] != other[key]


@pytest.mark.parametrize("site", ["site1", "site2"])
def test_a_sites_addresses_lie_in_its_networks(site):
    entry = CONTINUITY["continuity_sites"][site]
    network = ipaddress.ip_network(entry["networks"][0])
    server, configuration = entry["sip_server"], entry["configuration"]
    legs = [leg["address"] for leg in server["legs"].values()]
    for address in (server["address"], *legs, configuration["address"], configuration["database"]["address"]):
        assert ipaddress.ip_address(address) in network
    assert server["trunk"]["dn"] == f"trunk_{LAB.peer(site)}"
    assert server["test_dn"] == {"site1": "8001", "site2": "8002"}[site]


def test_desktops_connect_to_applications_that_there_are():
    there = {obj.get("name") for obj in cfg_objects.objects(LAB, "x")}
    desktops = CONTINUITY["continuity_desktops"]
    assert {*desktops["applications"], *desktops["sites"]["site2"]["servers"]} <= there


def test_forty_phones_half_of_them_with_two_registrations():
    phones = CONTINUITY["continuity_phones"]
    assert [phone["dn"] for phone in phones] == [str(dn) for dn in range(1001, 1041)]
    single = [phone for phone in phones if phone["registration"] == "single"]
    assert (single[0]["name"], single[0]["mac"], single[0]["port"]) == ("agent-1021", "001565000021", 5121)
    assert (single[-1]["mac"], single[-1]["port"]) == ("001565000040", 5140)
    assert len(single) == 20


@pytest.mark.parametrize("data", [CONTINUITY, inventory.hosts(LAB, State("dr"))])
def test_the_yaml_says_what_the_data_says(data):
    assert yaml.safe_load(yaml_text.dump(data)) == data


@pytest.mark.parametrize("value", ["yes", "1001", "10.71.1.1", "a: b", "# x", "{{ x }}", "", "null", "ü", '"', "a\nb"])
def test_awkward_text_stays_text(value):
    data = {"key": value, "list": [value, {"inner": value}], "nested": {"deep": {"deeper": [value]}}}
    assert yaml.safe_load(yaml_text.dump(data)) == data


def test_empty_and_other_scalars():
    data = {"none": None, "yes": True, "empty": {}, "nothing": [], "number": 3, "share": 0.5}
    assert yaml.safe_load(yaml_text.dump(data)) == data
