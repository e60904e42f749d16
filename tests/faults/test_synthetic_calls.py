# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test calls on the running lab: each gateway to each site, in health and under each SIP fault.

``lab/enter .venv/bin/python -m pytest tests/faults/test_synthetic_calls.py``; without lab/enter they are skipped.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Settings
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.runner import run_checks
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.call import Callee, CallSettings, place_calls
from road import in_control
from two_site_lab import truth
from two_site_lab.lab import Lab
from two_site_lab.machine import wait_until

LAB = Lab(os.environ.get("SIP_DR_LAB", "dr"))
COMMAND = Path(__file__).resolve().parents[2] / "lab/lab"
SITES = LAB.topology.sites
GATEWAYS = [host.name for host in LAB.topology.of_kind("gw")]
SETTLED = 15

pytestmark = pytest.mark.skipif(not in_control(LAB), reason="not in the lab's control namespace (lab/enter)")


def lab(*words):
    """Run ``lab/lab``; it must succeed."""
    done = subprocess.run([COMMAND, "--id", LAB.state.id, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(autouse=True)
def _mended():
    yield
    lab("heal", "--all")
    wait_until(lambda: not truth.gateways_missing(LAB), "sites in service at the gateways", SETTLED)


def number(gateway, site):
    """Where a test call for a site goes in at a gateway."""
    return {"address": LAB.topology.host(gateway).address, "dn": LAB.topology.test_dn(site)}


def matrix():
    """``{(gateway, site): answer}``, asked for all at once."""
    pairs = [(gateway, site) for gateway in GATEWAYS for site in SITES]
    checks = [{"id": f"calls:{site}:{gateway}", "kind": "call", **number(gateway, site)} for gateway, site in pairs]
    return dict(zip(pairs, run_checks(checks, Settings())))


def values(found):
    """The values of a matrix, gateway by gateway."""
    return [[found[gateway, site]["value"] for site in SITES] for gateway in GATEWAYS]


def speaks(site):
    """What the site says to an OPTIONS."""
    check = {"id": site, "kind": "sip_options", "address": LAB.topology.vip(site), "port": 5060}
    return run_checks([check], Settings())[0]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (["heal"], [["up", "up"], ["up", "up"]]),
        (["refuse", "site1"], [["down", "up"], ["down", "up"]]),
        (["refuse", "site2", "480"], [["up", "down"], ["up", "down"]]),
        (["refuse", "s1-gw"], [["down", "down"], ["up", "up"]]),
        (["refuse", "site1", "503"], [["unknown", "up"], ["unknown", "up"]]),
        (["refuse", "site1", "486"], [["unknown", "up"], ["unknown", "up"]]),
        (["overload", "site2"], [["up", "unknown"], ["up", "unknown"]]),
        (["overload", "s2-gw"], [["up", "up"], ["unknown", "unknown"]]),
        (["slow", "site1", "700"], [["up", "up"], ["up", "up"]]),
    ],
)
def test_the_matrix(fault, expected):
    lab(*fault)
    assert values(matrix()) == expected


def test_green_but_dead_answers_options_and_ends_by_itself():
    lab("refuse", "site1", "--for", "3")
    found = matrix()
    assert speaks("site1")["value"] == "up"
    assert {found[gateway, "site1"]["detail"] for gateway in GATEWAYS} == {"0 of 3 calls completed, 3 x 500 Refused"}
    wait_until(lambda: values(matrix()) == [["up", "up"]] * 2, "calls after the fault's time", SETTLED)


def test_overload_is_an_answer_and_no_death():
    lab("overload", "site1")
    said = speaks("site1")
    assert (said["value"], said["answered"]) == ("down", True)
    assert matrix()["s1-gw", "site1"]["busy"] == 3


def test_a_slow_site_answers_everybody_late_and_nobody_waits_for_another():
    lab("slow", "site1", "3000")
    checks = [{"id": str(n), "kind": "sip_options", "address": LAB.topology.vip("site1")} for n in range(40)]
    answers = run_checks(checks, Settings())
    assert {answer["value"] for answer in answers} == {"up"}
    assert all(2.9 < answer["rtt"] < 3.9 for answer in answers)


def test_a_dead_site_is_no_bad_gateway():
    lab("kill", "site2")
    found = matrix()
    assert values(found)[0] == ["up", "unknown"]
    assert found["s1-gw", "site2"]["statuses"] == {"503": 3, "none": 0}
    lab("revive", "site2")


@pytest.mark.parametrize("site", SITES)
def test_the_test_number_goes_to_its_site_though_the_gateway_sends_no_calls_there(site):
    target = f"sip:{LAB.topology.vip(site)}:5060"
    LAB.run("s1-gw", ["kamcmd", "dispatcher.set_state", "dx", "1", target])
    wait_until(lambda: truth.gateway_states(LAB, "s1-gw")[site].startswith("D"), "the target out of service", SETTLED)
    assert values(matrix()) == [["up", "up"]] * 2
    LAB.run("s1-gw", ["kamcmd", "dispatcher.set_state", "ap", "1", target])


def test_a_sites_number_is_unknown_at_the_other_site():
    for site in SITES:
        callee = Callee(LAB.topology.vip(site), LAB.topology.test_dn(LAB.topology.peer(site)))
        assert [one.status for one in place_calls([callee], CallSettings())] == [404]


def test_many_calls_all_of_them_completed():
    ways = [number(gateway, site) for gateway in GATEWAYS for site in SITES]
    callees = [Callee(way["address"], way["dn"]) for way in ways for _turn in range(50)]
    outcomes = place_calls(callees, CallSettings())
    assert sum(outcome.completed and outcome.ended for outcome in outcomes) == len(callees) == 200
