# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's ground truth: what it makes of what Kamailio and SIPp say."""

from __future__ import annotations

import json
import subprocess

import pytest
from two_site_lab import truth
from two_site_lab.errors import LabError
from two_site_lab.topology import topology

DUMP = {
    "Domains": [
        {
            "Domain": {
                "Domain": "location",
                "AoRs": [{"Info": {"AoR": "1001", "Contacts": [{"Contact": {"Address": "sip:1001@10.71.4.10:5090"}}]}}],
            }
        }
    ]
}
AGENTS = [{"entry": 1, "slot": [{"name": "1001", "value": 1}, {"name": "1002", "value": 0}]}]
TRUNK = [
    {"entry": 1, "slot": [{"name": "in_service", "value": 1}]},
    {"entry": 2, "slot": [{"name": "since", "value": 7}]},
]
DISPATCHER = {
    "RECORDS": [
        {
            "SET": {
                "ID": 1,
                "TARGETS": [
                    {"DEST": {"URI": "sip:10.71.1.100:5060", "FLAGS": "AP", "ATTRS": {"DUID": "site1"}}},
                    {"DEST": {"URI": "sip:10.71.2.100:5060", "FLAGS": "IP", "ATTRS": {"DUID": "site2"}}},
                ],
            }
        }
    ]
}
ANSWERS = {
    "ul.dump": DUMP,
    "dispatcher.list": DISPATCHER,
    ("htable.dump", "agents"): AGENTS,
    ("htable.dump", "trunk"): TRUNK,
}


class Recorded:
    """A lab whose hosts answer as real ones did; those in ``off`` have no power."""

    def __init__(self, off=()):
        self.topology = topology("t")
        self.off = off
        self.ran = []

    def run(self, host, argv, input=None, check=True):
        if host in self.off:
            raise LabError(f"{host} is off")
        self.ran.append((host, list(argv)))
        return subprocess.CompletedProcess(argv, 0, self._says(host, list(argv)), "")

    def _says(self, host, argv):
        if argv[0] == "curl" and "--data-binary" in argv:
            asked = json.loads(argv[argv.index("--data-binary") + 1])
            result = ANSWERS.get(asked["method"]) or ANSWERS[(asked["method"], *asked["params"])]
            return json.dumps({"jsonrpc": "2.0", "result": result, "id": 1})
        if argv[0] == "curl":
            return "<sipServer/>"
        if argv[0] == "ip" and host.endswith("sip-b"):
            site = self.topology.host(host).site
            return f"2: eth0    inet {self.topology.vip(site)}/24 scope global secondary eth0"
        if argv[0] == "python3" and host == "s2-cfg":
            return json.dumps({"holder": None, "revoked_from": "site1", "armed": ["s1-cfg"], "sync": True})
        if argv[0] == "cat":
            return "2026-11-22\t16:58:05.0\t1795366685.0 OFFER call=1\n"
        return ""


def test_the_primary_leg_is_the_one_with_the_address():
    assert truth.primary_leg(Recorded(), "site1") == "s1-sip-b"
    assert truth.primary_leg(Recorded(off=["s1-sip-b"]), "site1") is None


def test_registrations_agents_and_trunk_of_a_leg():
    lab = Recorded()
    assert truth.registrations(lab, "s1-sip-b") == {"1001": ["sip:1001@10.71.4.10:5090"]}
    assert truth.agents(lab, "s1-sip-b") == ["1001"], "a 0 is an agent who logged out"
    assert truth.trunk(lab, "s1-sip-b") == {"in_service": 1, "since": 7}


def test_a_host_without_power_says_nothing():
    lab = Recorded(off=["s1-sip-b", "s1-gw"])
    assert truth.registrations(lab, "s1-sip-b") == {}
    assert truth.gateway_states(lab, "s1-gw") == {}


def test_snapshot_and_its_table():
    now = truth.snapshot(Recorded(off=["s2-sip-b", "s2-gw", "s1-cfg"]))
    assert now["sites"]["site1"]["agents"] == ["1001"]
    assert now["sites"]["site2"] == {"primary": None, "registered": [], "agents": [], "trunk": {}}
    assert now["calls"]["offered"] == 1
    text = truth.table(now)
    assert "site2    none" in text
    assert "s2-gw    silent" in text
    assert "offered 1, answered 0" in text
    assert "ticket   nobody, revoked from site1; armed: s1-cfg; sync" in text


def test_what_readiness_misses_is_said_in_words():
    lab = Recorded(off=["s2-sip-a", "s2-sip-b"])
    assert "site2: no SIP Server is primary" in truth.sip_servers_missing(lab)
    assert "s1-gw: site2 not in service" in truth.gateways_missing(lab)
    assert truth.phones_missing(lab)[0].startswith("site1: 39 phones not registered (1002")
    assert truth.agents_missing(lab)[1].startswith("site2: 10 agents not logged in")


def test_shifts_begin_where_the_phone_is():
    homes = truth.home_sites(topology("t"))
    assert (homes[1001], homes[1010], homes[1011], homes[1020]) == ("site1", "site1", "site2", "site2")
    assert {homes[dn] for dn in range(1021, 1041)} == {"site1"}


def test_calls_start_anew_at_the_rate_that_is_asked_for():
    lab = Recorded()
    truth.calls(lab, ["start", "2.5", "4"])
    stop, forget, start = (argv for _, argv in lab.ran)
    assert stop[:2] == ["systemctl", "stop"]
    assert forget == ["rm", "-f", truth.CALLS_LOG]
    assert start[0] == "systemd-run"
    assert start[start.index("-r") + 1] == "2.5"
    assert start[start.index("-d") + 1] == "4000"


def test_a_word_that_calls_does_not_know():
    with pytest.raises(LabError, match="start"):
        truth.calls(Recorded(), ["begin"])
