# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a network failure's plan: every step is judged by what its own play left, and nothing is latched."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.heal_plan import heal_plan
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.network_plan import network_plan
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_outcome import (
    LOCK_RESULTS,
    RESULTS,
    may_go_on,
    must_undo,
    plan_outcome,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_steps import LOOKING
from link_world import PEOPLE, decision, names, request, with_driver

GOOD = {"changed": False, "detail": "as wished"}
STORES = ["fra-cfg", "ams-cfg"]
NOW = "2026-01-31T03:20:00Z"
CHOSEN = {"choice": "accept_divergence", "to_site": "ams", "attested_by": PEOPLE}
WELL = {"tables": {}, "writes": [], "complete": True}
SEEN = {"fra": {"role": "primary", "streams": 0, **WELL}, "ams": {"role": "standby", "streams": 0, **WELL}}


def watched(continuity):
    return network_plan(continuity, decision("PARTITION"), {}, request(continuity))


def diverged(continuity):
    return network_plan(continuity, decision("PARTITION", long=True), {}, request(continuity, **CHOSEN))


def healed(continuity):
    asked = request(continuity, seen=SEEN, survivor_choice="", reconciled="", agents={}, pinned=["ams"])
    return heal_plan(continuity, decision("NORMAL"), {}, asked)


PLANS = {"watched": watched, "diverged": diverged, "healed": healed}


@pytest.fixture(params=["files", "etcd"])
def world(continuity, request):
    return with_driver(continuity, request.param)


def place(step):
    """Under which name a step's play leaves its result."""
    return step.get("result") or f"__{step['role']}_{RESULTS.get(step['door'], 'result')}"


def said(plan, **different):
    """Every host's variables after the run, with another result for the steps named."""
    hostvars = {host: {} for step in plan["steps"] for host in step["hosts"]}
    for host in STORES:
        hostvars.setdefault(host, {}).update(dict.fromkeys(LOCK_RESULTS, GOOD))
    for step in plan["steps"]:
        for host in step["hosts"]:
            hostvars[host][place(step)] = different.get(step["name"], GOOD)
    return hostvars


@pytest.mark.parametrize("kind", PLANS)
def test_all_as_wished_is_well_and_latches_no_failover(world, kind):
    plan = PLANS[kind](world)
    outcome = plan_outcome(plan, said(plan), NOW, STORES)
    assert (outcome["ok"], outcome["events"], outcome["summary"]) == (True, [], "Everything as wished.")


def hides(plan, name):
    """Whether a later step of the plan leaves its result under the same name on one of the same hosts."""
    order = names(plan)
    mine = plan["steps"][order.index(name)]
    later = plan["steps"][order.index(name) + 1 :]
    return [one["name"] for one in later if place(one) == place(mine) and set(one["hosts"]) & set(mine["hosts"])]


@pytest.mark.parametrize("kind", PLANS)
def test_no_step_that_looks_hides_what_an_earlier_one_left(world, kind):
    plan = PLANS[kind](world)
    own = [step["name"] for step in plan["steps"] if step.get("result")]
    assert {name: hides(plan, name) for name in own} == {name: [] for name in own}


@pytest.mark.parametrize("kind", PLANS)
def test_each_step_that_fails_is_named_and_leaves_the_run_open(world, kind):
    plan = PLANS[kind](world)
    for step in plan["steps"]:
        if not hides(plan, step["name"]):
            outcome = plan_outcome(plan, said(plan, **{step["name"]: {"failed": True, "msg": "no"}}), NOW, STORES)
            assert not outcome["ok"]
            assert step["name"] in outcome["summary"]


def test_without_a_ledger_or_a_record_nothing_moves(world):
    plan = diverged(world)
    for lacking in ("start_ledger", "record_divergence"):
        hostvars = said(plan, **{lacking: {"failed": True}})
        assert not may_go_on(plan, "promote_database", hostvars, STORES)
        assert not may_go_on(plan, "pin_single_site", hostvars, STORES)


def test_a_survivor_that_is_not_fit_leaves_no_divergence_and_nothing_to_be_taken_back(world):
    plan = diverged(world)
    for unfit in ("preflight_database", "preflight_server"):
        hostvars = said(plan, **{unfit: {"ready": False, "readiness": []}, "record_divergence": {}})
        assert not may_go_on(plan, "record_divergence", hostvars, STORES)
        later = names(plan)[names(plan).index("record_divergence") :]
        hostvars = said(plan, **{unfit: {"ready": False, "readiness": []}, **dict.fromkeys(later, {"skipped": True})})
        assert not must_undo(plan, hostvars, STORES)


def test_a_resumed_move_has_its_record_before_everything(world):
    begun = request(world, **CHOSEN, done={"preflight_database": True})
    begun["ticket"].update(holder=None, revoked_from="fra")
    plan = network_plan(world, decision("PARTITION", long=True), {}, begun)
    moving = [step for step in plan["steps"] if step["door"] not in LOOKING and step["plane"] == "configuration"]
    assert moving[0]["name"] == "record_divergence"


def test_what_only_looks_asks_for_no_lock(continuity):
    plan = watched(with_driver(continuity, "etcd"))
    hostvars = said(plan)
    for host in STORES:
        hostvars[host].pop("__continuity_lock")
    assert plan_outcome(plan, hostvars, NOW, [])["ok"]
    assert not must_undo(plan, hostvars, [])


def test_a_site_is_not_unpinned_while_the_other_side_does_not_follow(world):
    plan = healed(world)
    hostvars = said(plan, resync_old={"failed": True, "msg": "no rewind required"})
    assert may_go_on(plan, "resync_old", hostvars, STORES)
    assert not may_go_on(plan, "unpin_single_site", hostvars, STORES)
    assert not may_go_on(plan, "peer_again", hostvars, STORES)
