# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be refused, what must go on, and what an interruption must not spoil: ``lab/enter … pytest tests/faults``.

The playbooks are driven as a person drives them; whatever is asserted about the deployment comes from the lab's own
eyes. Without lab/enter the tests are skipped; ``-m 'not soak'`` leaves out the long ones.
"""

from __future__ import annotations

import os
import time

import pytest
from road import Road, in_control
from two_site_lab import truth, truth_configuration, truth_writers
from two_site_lab.lab import Lab
from two_site_lab.machine import wait_until

pytestmark = pytest.mark.skipif(
    not in_control(Lab(os.environ.get("SIP_DR_LAB", "dr"))), reason="not in the lab's control namespace (lab/enter)"
)

REFUSED = 2
ANSWERED = 0.99
RATE = 5
COUNTED = 20  # seconds for which calls are counted
FAILED = ("-e", "continuity_failed_site=site1")

MOVED = ("revoke_ticket", "take_ticket", "promote_database", "start_config_server", "repoint_names")
AFTER_FAILOVER = {
    "gateways": {"s2-gw": ["site2", "site1"]},
    "phones": ["10.71.2.100"],
    "masters": {"s2-cfg": "10.71.2.20"},
    "in_recovery": {"s2-cfg": "f"},
    "writers": {"s2-cfg": ["active", "active", "active"]},
    "run": ("site1", "finished"),
    "lock": None,
    "events": [("failover_done", "site1", "call"), ("failover_done", "site1", "config")],
    "ticket": ("site2", None, None),
    "journal": {
        "s2-cfg": dict.fromkeys(("single_site", *MOVED), "ok"),
        "s2-gw": {"prefer_survivor": "ok"},
        "phones": {"move_phones": "ok"},
    },
}


def assert_answered(figures, seconds=COUNTED, site=None):
    """Calls were offered all the time, and at least 99 % of them answered (at one site, if it is named)."""
    assert figures["offered"] >= RATE * seconds * 0.9, figures
    assert figures["answered"] / figures["offered"] >= ANSWERED, figures
    assert site is None or figures["by_site"] == {site: figures["answered"]}, figures


def assert_failed_over(road, since):
    """The state of a finished failover, people and calls included, and a single writer all along."""
    assert road.canonical() == AFTER_FAILOVER
    road.settle_people("site2")
    wait_until(lambda: road.accepted_after(since) == {"site2"}, "a configuration write accepted at site2", 20, 0.2)
    truth_configuration.stop_writes(road.lab)
    found = truth_writers.verdict(road.lab)
    assert found.single_writer and not found.lost, found


def test_a_healthy_site_is_not_failed_over(road):
    before = road.untouched()
    done = road.play("failover", *FAILED)
    assert done.code == REFUSED
    assert "REFUSED (all) verdict: The verdict is NORMAL, not SITE_DOWN site1." in done.said
    assert without_reports(road.untouched()) == without_reports(before)


def without_reports(state):
    """A refusal leaves its report, and nothing else."""
    files = {
        host: {name: text for name, text in found.items() if not name.startswith("runs/")}
        for host, found in state["files"].items()
    }
    return {**state, "files": files}


def test_a_lost_leg_is_repaired_at_its_site(road):
    primary = truth.primary_leg(road.lab, "site1")
    backup = {"s1-sip-a": "s1-sip-b", "s1-sip-b": "s1-sip-a"}[primary]
    truth.start_calls(road.lab, RATE)
    before = road.untouched()
    killed = time.time()
    road.do("kill", primary)
    wait_until(lambda: truth.primary_leg(road.lab, "site1") == backup, f"{backup} took over", 10, 0.1)
    assert road.health_check() == ("DEGRADED", "site1", REFUSED)
    done = road.play("failover", *FAILED)
    assert done.code == REFUSED
    assert "REFUSED (all) verdict: The verdict is DEGRADED site1, not SITE_DOWN site1." in done.said
    assert "Way: repair it inside the site" in done.said
    assert without_reports(road.untouched()) == without_reports(before)
    counted = road.calls(killed + 10, COUNTED)
    assert_answered(counted)
    assert set(counted["by_site"]) == {"site1", "site2"}, counted


@pytest.mark.soak
def test_the_site_without_the_master_is_lost(road):
    truth.start_calls(road.lab, RATE)
    road.start_writes()
    killed = time.time()
    road.do("kill", "site2")
    assert road.health_check() == ("SITE_DOWN", "site2", REFUSED)
    done = road.play("failover", "-e", "continuity_failed_site=site2")
    ended = time.time()
    assert done.code == 0, done.said
    assert "the configuration stays at site1" in done.said
    left = road.canonical()
    assert left["gateways"] == {"s1-gw": ["site1", "site2"]}
    assert (left["masters"], left["in_recovery"]) == ({"s1-cfg": "10.71.1.20"}, {"s1-cfg": "f"})
    assert left["journal"]["s1-cfg"] == {"single_site": "ok"}, "a step of the configuration plane was done"
    assert left["events"] == [("failover_done", "site2", "call")]
    assert (left["run"], left["lock"], left["ticket"]) == (("site2", "finished"), None, ("site1", None, None))
    assert_answered(road.calls(killed + 40, COUNTED), site="site1")
    road.settle_people("site1")
    assert road.accepted_after(ended) == {"site1"}
    truth_configuration.stop_writes(road.lab)
    assert len(truth_configuration.terms(truth_configuration.accepted_writes(road.lab))) == 1


def test_check_mode_shows_the_plan_and_touches_nothing(road):
    road.do("kill", "site1")
    before = road.untouched()
    done = road.play("failover", "--check", "--diff", *FAILED)
    for number, step in enumerate(("prefer_survivor", "move_phones", "single_site", "verify_call_plane"), 1):
        assert f"{number}. {step} [call] on " in done.said
    for step in MOVED:
        assert f"{step} [configuration] on s2-cfg" in done.said
    assert "+001565000021.cfg: 10.71.2.100:5060" in done.said
    assert done.code == 0, done.said
    assert road.untouched() == before


@pytest.mark.soak
def test_an_uninterrupted_failover_and_a_second_one(road):
    road.start_writes()
    road.do("kill", "site1")
    done = road.play("failover", *FAILED)
    assert done.code == 0, done.said
    assert_failed_over(road, time.time())
    before = without_reports(road.untouched())
    again = road.play("failover", *FAILED)
    assert again.code == 0, again.said
    assert "has been failed over already: only verified" in again.said
    assert without_reports(road.untouched()) == before


@pytest.mark.soak
def test_a_gateway_that_was_dead_follows_when_it_is_back(road):
    road.do("kill", "site1")
    done = road.play("failover", *FAILED)
    assert done.code == 0, done.said
    road.do("revive", "s1-gw")
    assert next(iter(truth.gateway_states(road.lab, "s1-gw"))) == "site1"
    again = road.play("failover", *FAILED)
    assert again.code == 0, again.said
    assert "s1-gw did not follow yet" in again.said
    assert next(iter(truth.gateway_states(road.lab, "s1-gw"))) == "site2"


def soak(*values):
    """A parameter of the long run."""
    return pytest.param(*values, marks=pytest.mark.soak)


@pytest.mark.parametrize(
    ("host", "step", "with_module"),
    [
        soak("phones", "move_phones", False),
        soak("phones", "move_phones", True),
        soak("s2-cfg", "single_site", False),
        soak("s2-cfg", "revoke_ticket", False),
        soak("s2-cfg", "revoke_ticket", True),
        soak("s2-cfg", "take_ticket", False),
        soak("s2-cfg", "take_ticket", True),
        soak("s2-cfg", "promote_database", False),
        ("s2-cfg", "promote_database", True),
        soak("s2-cfg", "start_config_server", False),
        soak("s2-cfg", "start_config_server", True),
        soak("s2-cfg", "repoint_names", False),
    ],
)
def test_a_killed_failover_ends_the_same(road, host, step, with_module):
    road.start_writes()
    road.do("kill", "site1")
    interrupt(road, FAILED, host, step, with_module)
    done = road.play("failover", *FAILED)
    assert done.code == 0, done.said
    assert_failed_over(road, time.time())


def interrupt(road: Road, words, host, step, with_module):
    """Kill a failover in a step; what it runs on the host is killed in time, too, if that is asked for."""
    road.interrupt(road.command("failover", *words), host, step, with_module)
    if with_module:
        assert road.last_events(host)[step] == "begin", "the step had ended before it could be killed"


@pytest.mark.soak
def test_a_cut_between_the_sites_fails_nothing_over(road):
    before = road.untouched()
    road.do("cut", "site1", "site2")
    verdict, _, code = road.health_check()
    assert (verdict, code) == ("PARTITION", REFUSED)
    for site in road.lab.topology.sites:
        done = road.play("failover", "-e", f"continuity_failed_site={site}")
        assert done.code == REFUSED
        assert f"REFUSED (all) verdict: The verdict is PARTITION, not SITE_DOWN {site}." in done.said
    assert without_reports(road.untouched()) == without_reports(before)
    assert truth.primary_leg(road.lab, "site1")
    assert truth.primary_leg(road.lab, "site2")
