# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network between two living sites fails and comes back: ``lab/enter … pytest tests/faults``.

No call is lost because of the automation, nothing is promoted, one writer all along, and both sites are peered again.
Whatever is asserted about the deployment comes from the lab's own eyes. ``-m 'not soak'`` leaves out the long ones.
"""

from __future__ import annotations

import json
import os
import re
import time

import pytest
from road import TREE, Road, in_control
from two_site_lab import truth, truth_configuration, truth_writers
from two_site_lab.lab import Lab
from two_site_lab.machine import wait_until
from two_site_lab.setup.cfg import psql

pytestmark = pytest.mark.skipif(
    not in_control(Lab(os.environ.get("SIP_DR_LAB", "dr"))), reason="not in the lab's control namespace (lab/enter)"
)

REFUSED = 2
RATE = 5
FAST = ("-i", str(TREE / "lab/policy_fast"))
PEOPLE = ("-e", "continuity_first_attester=alice", "-e", "continuity_second_attester=bob")
DIGEST = re.compile(r"continuity_reconciled=([0-9a-f]{12})")


def choose(what, *words):
    """The words of a choice that moves the master to site2."""
    return ("-e", f"continuity_partition_choice={what}", "-e", "continuity_to_site=site2", *words)


def trunks(road: Road) -> list[int]:
    """What each site's SIP Server says of its inter-site trunk, 1 in service and 0 not."""
    return [site["trunk"]["in_service"] for site in truth.snapshot(road.lab)["sites"].values()]


def plane(road: Road) -> dict[str, object]:
    """What must not change while a partition is only watched: gateways, names, databases, writers."""
    left = road.untouched()
    return {key: left[key] for key in ("lists", "names", "in_recovery", "writers", "phones")}


def assert_none_lost(road: Road, cut: float, began: float, ended: float) -> None:
    """Calls were offered all the time; of those since the first playbook began not one failed or was cut off."""
    whole, automatic = road.calls(cut, ended - cut), road.calls(began, ended - began)
    print("until the playbook", road.calls(cut, began - cut), "from then on", automatic)
    assert whole["offered"] >= RATE * (ended - cut) * 0.9, whole
    assert (automatic["failed"], automatic["cut_off"]) == (0, 0), automatic
    assert set(automatic["by_site"]) == {"site1", "site2"}, automatic


def assert_single_writer(road: Road) -> dict[str, object]:
    truth_configuration.stop_writes(road.lab)
    found = truth_writers.data(road.lab, truth_writers.verdict(road.lab))
    assert found["single_writer"], found
    return found


@pytest.mark.parametrize("seconds", [60, pytest.param(600, marks=pytest.mark.soak)])
def test_a_partition_costs_no_call_and_moves_nothing(road, seconds):
    truth.start_calls(road.lab, RATE)
    road.start_writes()
    before = plane(road)
    cut = time.time()
    road.do("cut", "site1", "site2", "--for", str(seconds + 60))
    wait_until(lambda: trunks(road) == [0, 0], "both sites work alone", 30, 0.5)
    began = time.time()
    done = road.play("network_failure")
    assert done.code == 0, done.said
    assert "PARTITION between the sites" in done.said
    early = road.play("network_failure", *choose("accept_divergence", *PEOPLE))
    assert early.code == REFUSED
    assert re.search(r"REFUSED \(all\) long_partition.*\d+ s are left", early.said), early.said
    assert plane(road) == before
    wait_until(lambda: time.time() > cut + seconds, "the partition has lasted", seconds + 5, 0.5)
    road.do("heal")
    healed = road.play("heal")
    assert healed.code == 0, healed.said
    assert "The two databases " in healed.said, "they were compared"
    ended = time.time()
    assert trunks(road) == [1, 1]
    assert plane(road) == before
    assert_none_lost(road, cut, began, ended)
    assert_single_writer(road)


def until_long(road: Road) -> None:
    """Look again and again, as a schedule does, until a person may choose."""

    def offered() -> bool:
        road.play("health_check", *FAST)
        return "accept_divergence" in json.loads((road.runs / "verdict.json").read_text())["operator"]

    wait_until(offered, "the partition is long", 120, 0.5)


def master_at(road: Road, host: str) -> bool:
    # Only this host is asked: the guard has killed the old side's database.
    return psql(road.lab, host, "select pg_is_in_recovery()").strip() == "f"


@pytest.mark.soak
def test_the_master_moves_in_a_long_partition_and_the_old_side_follows_when_it_is_over(road):
    road.do("cut", "site1", "site2", "--for", "600")
    until_long(road)
    done = road.play("network_failure", *FAST, *choose("move_master"))
    assert done.code == 0, done.said
    assert master_at(road, "s2-cfg")
    road.do("heal")
    healed = road.play("heal", *FAST)
    assert healed.code == 0, healed.said
    assert trunks(road) == [1, 1]
    assert_single_writer(road)


@pytest.mark.soak
def test_a_divergence_is_accepted_by_two_listed_and_reconciled(road):
    road.start_writes()
    wait_until(lambda: truth_configuration.has_written(road.lab), "a write accepted at site1", 20, 0.2)
    road.do("cut", "site1", "site2", "--for", "900")
    until_long(road)
    alone = road.play("network_failure", *FAST, *choose("accept_divergence", *PEOPLE[:2]))
    assert alone.code == REFUSED
    assert "REFUSED (all) two_people" in alone.said
    done = road.play("network_failure", *FAST, *choose("accept_divergence", *PEOPLE))
    assert done.code == 0, done.said
    assert master_at(road, "s2-cfg")
    found = assert_single_writer(road)
    road.do("heal")
    survivor = ("-e", "continuity_survivor=site2", *PEOPLE)
    asked = road.play("heal", *FAST)
    assert asked.code == REFUSED
    assert "choose_survivor" in asked.said
    listed = road.play("heal", *FAST, *survivor)
    assert listed.code == REFUSED
    written = re.search(r"REFUSED \(all\) reconcile: site1 wrote (\d+) times", listed.said)
    lost = found["lost"]
    assert written and isinstance(lost, list)
    # One write of the lab's server is two statements.
    assert int(written[1]) >= 2 * len(lost) > 0, (written[1], len(lost))
    digest = DIGEST.search(listed.said)[1]
    healed = road.play("heal", *FAST, *survivor, "-e", f"continuity_reconciled={digest}")
    assert healed.code == 0, healed.said
    assert trunks(road) == [1, 1]
    held = road.store()
    assert held["records/divergence"]["value"]["status"] == "reconciled"
    assert held["records/pinned"]["value"] == {}
    assert_single_writer(road)
