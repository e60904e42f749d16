# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a network failure: what each verdict unlocks and nothing else, and what a person may choose, and when."""

from __future__ import annotations

import json

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import deployment
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_unlocks import ROWS
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.network_plan import (
    CHOICES,
    LINK_VERDICTS,
    network_plan,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.network_steps import NETWORK_FAILURE
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_steps import LOOKING, configuration_steps
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_text import plan_text
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import track
from link_world import AT, PEOPLE, RUN, by_name, decision, names, refused, request, with_driver
from verdict_world import world as observed

LOOKS = ["test_calls", "verify_gateways"]
FREEZE = ["freeze_config", "verify_frozen"]
STEPS = {
    "PARTITION": ["verify_single_site", *LOOKS, *FREEZE, "verify_proxy"],
    "PARTITION_ASYM": [*LOOKS, *FREEZE],
    "MGMT_PARTITION": [*LOOKS, *FREEZE],
    "TRUNK_OOS": ["verify_single_site", *LOOKS],
    "TRUNK_OOS_ASYM": LOOKS,
}
LONG = decision("PARTITION", long=True)
MOVES = {"choice": "move_master", "to_site": "ams"}
DIVERGES = {"choice": "accept_divergence", "to_site": "ams", "attested_by": PEOPLE}


@pytest.fixture(params=["files", "etcd"])
def world(continuity, request):
    return with_driver(continuity, request.param)


def test_every_verdict_of_the_link_is_in_the_table():
    assert set(STEPS) == set(LINK_VERDICTS)


@pytest.mark.parametrize("verdict", STEPS)
def test_a_verdict_gives_the_steps_that_it_unlocks(world, verdict):
    plan = network_plan(world, decision(verdict), {}, request(world))
    assert (names(plan), refused(plan)) == (STEPS[verdict], [])
    assert (plan["survivor"], plan["failed"], plan["fence"], plan["undo"]) == ("fra", "ams", None, [])


@pytest.mark.parametrize("verdict", STEPS)
def test_nothing_is_promoted_fenced_or_re_pointed_without_a_choice(world, verdict):
    plan = network_plan(world, decision(verdict), {}, request(world))
    moving = {kind.name for kind in configuration_steps(world)} | {"prefer_survivor", "move_phones"}
    assert not moving & set(names(plan))
    changing = {(step["role"], step["door"]) for step in plan["steps"] if step["door"] not in LOOKING}
    assert changing <= {("config_server", "release")}, "stopping what should be stopped is all"


@pytest.mark.parametrize("verdict", [verdict for verdict in ROWS if verdict not in LINK_VERDICTS])
def test_no_other_verdict_gives_a_step(continuity, verdict):
    plan = network_plan(continuity, decision(verdict), {}, request(continuity))
    assert (names(plan), refused(plan)) == ([], ["verdict"])
    assert verdict in plan["refused"][0]["evidence"]


def test_the_steps_stand_in_the_order_of_the_plays(world):
    plan = network_plan(world, LONG, {}, request(world))
    order = [kind.name for kind in NETWORK_FAILURE]
    assert sorted(names(plan), key=order.index) == names(plan)


def test_each_site_is_looked_at_from_inside_and_through_its_own_gateways(continuity):
    steps = by_name(network_plan(with_driver(continuity, "files"), decision("PARTITION"), {}, request(continuity)))
    assert steps["verify_single_site"]["hosts"] == [
        "fra-dr-1",
        "fra-dr-2",
        *deployment.vantage_hosts(continuity, "ams"),
    ]
    assert steps["test_calls"]["hosts"] == steps["verify_gateways"]["hosts"] == deployment.gateways(continuity)


def test_the_site_without_the_master_is_frozen_and_its_proxy_is_asked(continuity):
    continuity = with_driver(continuity, "files")
    steps = by_name(network_plan(continuity, decision("PARTITION"), {}, request(continuity)))
    assert (steps["freeze_config"]["role"], steps["freeze_config"]["door"]) == ("config_server", "release")
    assert steps["freeze_config"]["hosts"] == steps["verify_proxy"]["hosts"] == ["ams-cfg"]
    assert steps["verify_frozen"]["hosts"] == ["ams-db"]


def test_with_a_ticket_every_guard_of_the_frozen_site_refuses_a_start(continuity):
    continuity = with_driver(continuity, "etcd")
    plan = network_plan(continuity, decision("PARTITION"), {}, request(continuity))
    step = by_name(plan)["freeze_config"]
    assert (step["role"], step["door"], step["hosts"]) == ("continuity_guard", "verify", ["ams-cfg", "ams-db"])
    assert (plan["changes"], plan["config_plane"]) == (False, False)


def test_the_rule_is_symmetric(world):
    plan = network_plan(world, decision("PARTITION", frozen=("fra",)), {}, request(world, master="ams"))
    assert (plan["survivor"], plan["failed"]) == ("ams", "fra")
    assert by_name(plan)["verify_proxy"]["hosts"] == ["fra-cfg"]


def test_where_nobody_knows_the_master_both_are_frozen(world):
    plan = network_plan(world, decision("PARTITION", frozen=("fra", "ams")), {}, request(world, master=None))
    assert by_name(plan)["verify_frozen"]["hosts"] == ["fra-db", "ams-db"]
    assert "nobody knows" in plan["why"]


def test_a_silent_host_of_either_site_is_lost(continuity):
    continuity = with_driver(continuity, "files")
    plan = network_plan(continuity, decision("PARTITION"), {}, request(continuity, silent=("fra-gw-1", "ams-cfg")))
    lost = {step["name"]: step["lost_hosts"] for step in plan["steps"] if step["lost_hosts"]}
    assert lost["test_calls"] == ["fra-gw-1"]
    assert lost["freeze_config"] == lost["verify_proxy"] == ["ams-cfg"]


def test_without_a_test_number_no_test_call_is_asked_for(continuity):
    continuity = with_driver(continuity, "files")
    for site in continuity["continuity_sites"].values():
        site["sip_server"].pop("test_dn", None)
    assert "test_calls" not in names(network_plan(continuity, decision("PARTITION"), {}, request(continuity)))


def test_over_tls_no_test_call_can_be_placed(world):
    world["continuity_gateways"]["fra-gw-1"]["transport"] = "tls"
    step = by_name(network_plan(world, decision("PARTITION"), {}, request(world)))["test_calls"]
    assert step["hosts"] == ["fra-gw-2", "ams-gw-1", "ams-gw-2"]


def test_what_is_inferred_is_said_to_be(continuity):
    text = plan_text(network_plan(continuity, decision("PARTITION"), {}, request(continuity)))
    assert any(line.startswith("Seen: ") and "Inferred" in line for line in text)
    assert any("780 s" in line for line in text), "when a person may choose is said"
    assert text[0].startswith(f"Run {RUN}, PARTITION between the sites: ")


@pytest.mark.parametrize("choice", CHOICES)
def test_no_choice_before_the_partition_is_long(world, choice):
    asked = request(world, choice=choice, to_site="ams", attested_by=PEOPLE)
    plan = network_plan(world, decision("PARTITION"), {}, asked)
    assert (names(plan), refused(plan)) == ([], ["long_partition"])
    assert "780 s are left" in plan["refused"][0]["evidence"]


def judged_after(seconds):
    """The decision after so many seconds of a partition, looked at every 15 s, with the example's names."""
    state, said = None, None
    for second in range(0, seconds + 1, 15):
        apart = {"peer": "down", "trunk": "down"}
        state, said = track(state, observed(second, site1=apart, site2=apart))
    return json.loads(json.dumps(said).replace("site1", "fra").replace("site2", "ams"))


@pytest.mark.parametrize(("seconds", "left"), [(60, "855 s are left"), (900, "15 s are left"), (915, "")])
def test_the_clock_of_the_decision_says_when_a_person_may_choose(world, seconds, left):
    plan = network_plan(world, judged_after(seconds), {}, request(world, **MOVES))
    assert refused(plan) == (["long_partition"] if left else [])
    assert not left or left in plan["refused"][0]["evidence"]


@pytest.mark.parametrize("verdict", [verdict for verdict in LINK_VERDICTS if verdict != "PARTITION"])
def test_no_choice_for_another_failure_of_the_network(world, verdict):
    asked = request(world, choice="move_master", to_site="ams")
    assert refused(network_plan(world, decision(verdict, long=True), {}, asked)) == ["long_partition"]


def test_a_flapping_partition_offers_what_its_raw_verdict_offers(continuity):
    flapping = {**LONG, "verdict": "FLAPPING", "raw": "PARTITION"}
    assert refused(network_plan(continuity, flapping, {}, request(continuity, **MOVES))) == []


def test_a_long_partition_asks_for_the_choice(continuity):
    plan = network_plan(continuity, LONG, {}, request(continuity))
    assert any("continuity_partition_choice=stay|move_master|accept_divergence" in note for note in plan["notes"])


def test_to_stay_changes_nothing_of_the_plan(world):
    stay = network_plan(world, LONG, {}, request(world, choice="stay"))
    assert names(stay) == names(network_plan(world, LONG, {}, request(world)))
    assert any("By choice" in note for note in stay["notes"])


def test_a_choice_that_is_none_is_refused(continuity):
    plan = network_plan(continuity, LONG, {}, request(continuity, choice="merge"))
    assert refused(plan) == ["choice"]


@pytest.mark.parametrize("asked", [MOVES, DIVERGES])
def test_whoever_moves_says_to_where(world, asked):
    plan = network_plan(world, LONG, {}, request(world, **{**asked, "to_site": ""}))
    assert (refused(plan), names(plan)) == (["to_site"], [])


def test_the_master_moves_by_the_steps_of_a_move_and_follows_nobody_yet(world):
    plan = network_plan(world, LONG, {}, request(world, **MOVES))
    moving = [kind.name for kind in configuration_steps(world)]
    assert names(plan) == ["verify_single_site", *LOOKS, *moving]
    assert (plan["failed"], plan["survivor"], plan["config_plane"], plan["overrides"]) == ("fra", "ams", True, [])
    assert plan["undo"], "until the promotion it can be taken back"
    assert "divergence" not in plan


@pytest.mark.parametrize(("driver", "armed"), [("files", True), ("etcd", False)])
def test_a_move_whose_fence_nobody_proves_is_refused(continuity, driver, armed):
    continuity = with_driver(continuity, driver)
    asked = request(continuity, silent=("fra-cfg", "fra-db"), **MOVES)
    asked["ticket"]["armed"] = armed
    plan = network_plan(continuity, LONG, {}, asked)
    assert "fence" in refused(plan)
    assert names(plan) == []


@pytest.mark.parametrize("people", [[], ["alice"], ["alice", " Alice "]])
def test_one_person_accepts_no_divergence(world, people):
    plan = network_plan(world, LONG, {}, request(world, **{**DIVERGES, "attested_by": people}))
    assert (refused(plan), names(plan)) == (["two_people"], [])


def test_an_accepted_divergence_has_ledger_pin_term_and_record(world):
    plan = network_plan(world, LONG, {}, request(world, **DIVERGES))
    kinds = configuration_steps(world)
    fit, moving = ([kind.name for kind in kinds if (kind.door == "readiness") == looks] for looks in (True, False))
    assert names(plan) == [
        "start_ledger",
        "verify_single_site",
        *LOOKS,
        *fit,
        "record_divergence",
        *moving,
        "pin_single_site",
    ]
    assert fit == ["preflight_database", "preflight_server"]
    assert by_name(plan)["start_ledger"]["hosts"] == ["fra-db", "ams-db"]
    assert plan["divergence"] == {
        "run_id": RUN,
        "at": AT,
        "since": LONG["since"],
        "survivor": "ams",
        "losing": "fra",
        "by": PEOPLE,
        "until": "2026-01-31T04:14:15Z",
        "status": "open",
    }
    until = {"until": "2026-01-31T04:14:15Z"}
    assert {"name": "accept_divergence", "run_id": RUN, "by": PEOPLE, **until} in plan["overrides"]
    assert "allow_data_loss" in [one["name"] for one in plan["overrides"]], "the promotion asks for it"


def test_a_run_that_goes_on_gets_no_new_term(world):
    before = network_plan(world, LONG, {}, request(world, **DIVERGES))["divergence"]
    asked = request(world, **DIVERGES, divergence=before)
    asked["at"] = "2026-01-31T03:30:00Z"
    after = network_plan(world, LONG, {}, asked)
    assert after["divergence"] == before
    assert after["overrides"][-1]["until"] == before["until"]


def test_where_the_master_is_already_there_nothing_diverges(world):
    plan = network_plan(world, LONG, {}, request(world, **{**DIVERGES, "to_site": "fra"}))
    assert (plan["config_plane"], plan["changes"]) == (False, False)
    assert "divergence" not in plan


def test_the_plan_is_plain_data_and_changes_nothing_that_it_was_given(world):
    asked, judged = request(world, **DIVERGES), json.loads(json.dumps(LONG))
    before = json.dumps([world, judged, asked], sort_keys=True)
    plan = network_plan(world, judged, {}, asked)
    assert json.loads(json.dumps(plan)) == plan
    assert json.dumps([world, judged, asked], sort_keys=True) == before
    assert plan_text(plan)
