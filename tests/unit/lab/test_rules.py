# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The router's rules for link faults."""

from __future__ import annotations

import pytest
from two_site_lab.errors import LabError
from two_site_lab.faults import Fault
from two_site_lab.rules import check_ends, in_one_lan, lan_ruleset, link_rules, ruleset, zone_of
from two_site_lab.topology import topology

LAB = topology("t1")


def cut(**how):
    return Fault("cut", "site1", 0.0, 60.0, "site2", **how)


def test_a_cut_drops_every_packet_both_ways():
    assert link_rules(LAB, cut()) == [
        'iifname "t1_site1" oifname "t1_site2" counter drop',
        'iifname "t1_site2" oifname "t1_site1" counter drop',
    ]


def test_one_way_drops_only_from_a_to_b():
    assert link_rules(LAB, cut(one_way=True)) == ['iifname "t1_site1" oifname "t1_site2" counter drop']


def test_new_flows_drops_only_what_a_starts():
    assert link_rules(LAB, cut(new_flows=True)) == [
        'iifname "t1_site1" oifname "t1_site2" ct state new counter drop',
    ]


def test_a_port_is_a_destination_port_of_tcp_and_udp():
    first, second = link_rules(LAB, cut(ports=(22, 4999)))
    assert first.endswith("meta l4proto { tcp, udp } th dport { 22, 4999 } counter drop")
    assert second.startswith('iifname "t1_site2"')


def test_loss_is_counted_in_hundredths_of_a_percent():
    fault = Fault("loss", "site1", 0.0, 60.0, "witness", percent=2.5)
    assert all("numgen random mod 10000 < 250" in rule for rule in link_rules(LAB, fault))


def test_an_end_may_be_a_host():
    fault = Fault("cut", "s1-cfg", 0.0, 60.0, "witness", one_way=True)
    assert link_rules(LAB, fault) == ['ip saddr 10.71.1.20 oifname "t1_witness" counter drop']


def test_an_end_may_be_a_sites_sip_address():
    fault = Fault("cut", "s2-gw", 0.0, 60.0, "site1-sip", one_way=True)
    assert link_rules(LAB, fault) == ["ip saddr 10.71.2.30 ip daddr 10.71.1.100 counter drop"]


def test_an_end_may_be_everywhere():
    fault = Fault("cut", "control", 0.0, 60.0, "all")
    assert link_rules(LAB, fault) == ['iifname "t1_control" counter drop', 'oifname "t1_control" counter drop']


def test_two_hosts_of_one_lan_are_parted_at_the_bridge():
    inside = Fault("cut", "s1-gw", 0.0, 60.0, "site1-sip", ports=(5060,))
    assert in_one_lan(LAB, inside)
    assert not in_one_lan(LAB, cut())
    assert not in_one_lan(LAB, Fault("power", "s1-gw", 0.0))
    assert "10.71.1.100" not in ruleset(LAB, [cut(), inside])
    text = lan_ruleset(LAB, [cut(), inside])
    assert text.startswith("table bridge lab\ndelete table bridge lab\n")
    assert text.count("counter drop") == 2
    assert "ip saddr 10.71.1.30 ip daddr 10.71.1.100 meta l4proto { tcp, udp } th dport { 5060 } counter drop" in text


@pytest.mark.parametrize(
    "ends",
    [("site1", "site2"), ("control", "all"), ("s1-gw", "site1-sip"), ("s1-sip-a", "s1-sip-b"), ("pstn", "site2")],
)
def test_ends_that_can_be_parted(ends):
    check_ends(LAB, Fault("cut", ends[0], 0.0, 60.0, ends[1]))


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        (("s1-gw", "site1"), "within a LAN"),
        (("s1-gw", "s1-gw"), "within a LAN"),
        (("all", "all"), "within a LAN"),
        (("site1", "nobody"), "no zone or host nobody: all site1 .* site2-sip"),
    ],
)
def test_ends_that_cannot_be_parted(ends, said):
    with pytest.raises(LabError, match=said):
        check_ends(LAB, Fault("cut", ends[0], 0.0, 60.0, ends[1]))


def test_new_flows_are_known_between_lans_only():
    with pytest.raises(LabError, match="between LANs only"):
        check_ends(LAB, Fault("cut", "s1-gw", 0.0, 60.0, "site1-sip", new_flows=True))


def test_zones_of_ends():
    ends = ("site1", "all", "s2-gw", "site1-sip", "control", "s3-gw")
    assert [zone_of(LAB, end) for end in ends] == ["site1", "all", "site2", "site1", "control", None]


def test_a_flapping_link_is_cut_like_any_other():
    assert link_rules(LAB, Fault("flap", "site1", 0.0, 60.0, "site2", down=1, up=1)) == link_rules(LAB, cut())


def test_other_faults_make_no_rules():
    assert link_rules(LAB, Fault("power", "s1-cfg", 0.0)) == []


def test_the_router_never_betrays_a_dead_host():
    text = ruleset(LAB, [cut()])
    assert "icmp type { destination-unreachable, redirect } drop" in text
    assert text.count("counter drop") == 2
    assert text.startswith("table inet lab\ndelete table inet lab\n")
