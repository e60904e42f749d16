# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The router's rules for link faults."""

from __future__ import annotations

from two_site_lab.faults import Fault
from two_site_lab.rules import link_rules, ruleset
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
    first, second = link_rules(LAB, cut(port=22))
    assert first.endswith("meta l4proto { tcp, udp } th dport 22 counter drop")
    assert second.startswith('iifname "t1_site2"')


def test_loss_is_counted_in_hundredths_of_a_percent():
    fault = Fault("loss", "site1", 0.0, 60.0, "witness", percent=2.5)
    assert all("numgen random mod 10000 < 250" in rule for rule in link_rules(LAB, fault))


def test_an_end_may_be_a_host():
    fault = Fault("cut", "s1-cfg", 0.0, 60.0, "witness", one_way=True)
    assert link_rules(LAB, fault) == ['ip saddr 10.71.1.20 oifname "t1_witness" counter drop']


def test_other_faults_make_no_rules():
    assert link_rules(LAB, Fault("power", "s1-cfg", 0.0)) == []


def test_the_router_never_betrays_a_dead_host():
    text = ruleset(LAB, [cut()])
    assert "icmp type { destination-unreachable, redirect } drop" in text
    assert text.count("counter drop") == 2
    assert text.startswith("table inet lab\ndelete table inet lab\n")
