# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a site failover: its order, its refusals, and that an interrupted run gets the whole plan again."""

from __future__ import annotations

import json

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import deployment
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_unlocks import ROWS
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan import (
    SITE_FAILURE,
    done_steps,
    failover_plan,
    plan_text,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_refusals import FAILOVER_VERDICTS, WAYS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ORDER = [kind.name for kind in SITE_FAILURE]
CALLS = ORDER[:4]
RUN = "20260131-031415"
DEAD_FRA = ("fra-dr-1", "fra-dr-2", "fra-cfg", "fra-db", "fra-gw-1", "fra-gw-2")


def decision(verdict="SITE_DOWN", site="fra", **more):
    return {"verdict": verdict, "site": site, "evidence": ["peer 0/2, witness 0/1"], "forbidden": [], **more}


def state(last_master="fra", **more):
    return {"last_master": last_master, "failed_over": {}, **more}


def request(continuity, silent=DEAD_FRA, **more):
    reachable = [host for host in deployment.plan_hosts(continuity) if host not in silent]
    return {
        "run_id": RUN,
        "failed_site": "fra",
        "attested_by": [],
        "allow_data_loss": "",
        "reachable": reachable,
        "master": None,
        "done": {},
        "failed_over": False,
        **more,
    }


def allowed(continuity, **more):
    return request(continuity, **{"attested_by": ["alice", "bob"], "allow_data_loss": RUN, **more})


def names(plan):
    return [step["name"] for step in plan["steps"]]


def guards(plan):
    return [refusal["guard"] for refusal in plan["refused"]]


def test_the_whole_road_in_its_order(continuity):
    plan = failover_plan(continuity, decision(), state(), allowed(continuity))
    assert names(plan) == ORDER
    assert (plan["failed"], plan["survivor"], plan["config_plane"], plan["refused"]) == ("fra", "ams", True, [])
    assert plan["fence"] == {"kind": "attested", "by": ["alice", "bob"]}
    assert [override["name"] for override in plan["overrides"]] == ["attested_fence", "allow_data_loss"]
    assert all(step["why"] and step["role"] and step["door"] for step in plan["steps"])


def test_hosts_that_are_silent_are_named_as_skipped(continuity):
    plan = failover_plan(continuity, decision(), state(), allowed(continuity))
    by_name = {step["name"]: step for step in plan["steps"]}
    assert by_name["prefer_survivor"]["hosts"] == ["ams-gw-1", "ams-gw-2"]
    assert by_name["prefer_survivor"]["skipped_hosts"] == ["fra-gw-1", "fra-gw-2"]
    assert (by_name["stop_old_master"]["hosts"], by_name["stop_old_master"]["skipped_hosts"]) == ([], ["fra-cfg"])
    assert (by_name["fence"]["hosts"], by_name["fence"]["skipped_hosts"]) == ([], ["fra-db"])
    assert by_name["promote_database"]["hosts"] == ["ams-db"]
    assert by_name["repoint_names"]["hosts"] == ["ams-cfg"]
    assert by_name["repoint_names"]["skipped_hosts"] == ["fra-cfg"]
    assert not any(step["lost_hosts"] for step in plan["steps"]), "the failed site need not be reached"


def test_hosts_outside_the_failed_site_that_are_silent_are_lost(continuity):
    silent = (*DEAD_FRA, "ams-gw-2", "phone-files", "ams-dr-1")
    plan = failover_plan(continuity, decision(), state(), allowed(continuity, silent=silent))
    lost = {step["name"]: step["lost_hosts"] for step in plan["steps"] if step["lost_hosts"]}
    assert lost == {
        "prefer_survivor": ["ams-gw-2"],
        "move_phones": ["phone-files"],
        "single_site": ["ams-dr-1"],
        "verify_call_plane": ["ams-gw-2"],
    }
    assert plan["steps"][0]["skipped_hosts"] == ["fra-gw-1", "fra-gw-2", "ams-gw-2"]


def test_the_old_master_is_stopped_and_fenced_before_anything_else_of_the_configuration():
    assert ORDER[len(CALLS) :][:3] == ["stop_old_master", "fence", "promote_database"]
    kinds = {kind.name: (kind.role, kind.door) for kind in SITE_FAILURE}
    assert kinds["stop_old_master"] == ("config_server", "release")
    assert kinds["fence"] == ("config_database", "release")


def test_the_rule_is_symmetric(continuity):
    silent = ("ams-dr-1", "ams-dr-2", "ams-cfg", "ams-db", "ams-gw-1", "ams-gw-2")
    plan = failover_plan(
        continuity, decision(site="ams"), state("ams"), allowed(continuity, silent=silent, failed_site="ams")
    )
    assert names(plan) == ORDER
    assert plan["survivor"] == "fra"
    assert plan["steps"][ORDER.index("promote_database")]["hosts"] == ["fra-db"]


def test_unfit_peer_is_still_the_operators_choice(continuity):
    plan = failover_plan(continuity, decision("SITE_DOWN_PEER_UNFIT"), state(), allowed(continuity))
    assert names(plan) == ORDER


@pytest.mark.parametrize("verdict", sorted(set(ROWS) - set(FAILOVER_VERDICTS)))
def test_no_other_verdict_gets_a_plan(continuity, verdict):
    plan = failover_plan(continuity, decision(verdict, site=None), state(), allowed(continuity))
    assert (plan["steps"], plan["config_plane"], guards(plan)) == ([], False, ["verdict"])
    refusal = plan["refused"][0]
    assert refusal["blocks"] == "all"
    assert f"The verdict is {verdict}, not SITE_DOWN fra." in refusal["evidence"]
    assert "peer 0/2, witness 0/1" in refusal["evidence"]
    assert verdict in WAYS
    assert "{" not in refusal["way"]


def test_suspect_names_attestation_and_partition_its_playbook(continuity):
    suspect = failover_plan(continuity, decision("SUSPECT"), state(), request(continuity))["refused"][0]
    assert "-e continuity_first_attester=alice -e continuity_second_attester=bob" in suspect["way"]
    cut = failover_plan(continuity, decision("PARTITION", None), state(), request(continuity))["refused"][0]
    assert "mend the link" in cut["way"]


def test_the_other_site_is_down(continuity):
    plan = failover_plan(continuity, decision(site="ams"), state(), request(continuity))
    assert plan["steps"] == []
    assert "-e continuity_failed_site=ams" in plan["refused"][0]["way"]


def test_configuration_stays_where_the_master_was_last_seen(continuity):
    plan = failover_plan(continuity, decision(), state("ams"), request(continuity))
    assert (names(plan), plan["config_plane"], plan["refused"]) == (CALLS, False, [])
    assert plan["why"] == "the configuration stays at ams: it was the last master seen"


@pytest.mark.parametrize("holder", ["fra", "ams"])
def test_configuration_stays_where_a_master_is_up(continuity, holder):
    plan = failover_plan(continuity, decision(), state(), allowed(continuity, silent=(), master=holder))
    assert (names(plan), plan["config_plane"]) == (CALLS, False)
    assert plan["why"] == f"the configuration stays at {holder}: its master is up"


@pytest.mark.parametrize("stored", [None, {}, {"last_master": None}])
def test_unknown_last_master_refuses_and_calls_move(continuity, stored):
    plan = failover_plan(continuity, decision(), stored, allowed(continuity))
    assert (names(plan), guards(plan), plan["config_plane"]) == (CALLS, ["last_master"], False)


def test_refusals_of_the_configuration_never_stop_the_calls(continuity):
    plan = failover_plan(continuity, decision(), state(), request(continuity))
    assert (names(plan), guards(plan), plan["config_plane"]) == (CALLS, ["fence", "data_loss"], False)
    assert {refusal["blocks"] for refusal in plan["refused"]} == {"configuration"}
    assert (plan["fence"], plan["overrides"]) == (None, [])


def test_data_loss_refusal_has_the_exact_command_line(continuity):
    refusal = failover_plan(continuity, decision(), state(), request(continuity))["refused"][1]
    assert (
        f"-e continuity_allow_data_loss={RUN} -e continuity_first_attester=alice -e continuity_second_attester=bob"
        in refusal["way"]
    )
    assert "the lag of a dead primary is unknown" in refusal["evidence"]


def test_data_loss_is_allowed_for_one_run_only(continuity):
    plan = failover_plan(continuity, decision(), state(), allowed(continuity, allow_data_loss="20260130-000000"))
    assert guards(plan) == ["data_loss"]
    assert f"allowed for run 20260130-000000; this is run {RUN}" in plan["refused"][0]["evidence"]


@pytest.mark.parametrize("people", [[], ["alice"], ["alice", "Alice "], ["alice", ""], None])
def test_two_different_people_are_needed(continuity, people):
    plan = failover_plan(continuity, decision(), state(), allowed(continuity, attested_by=people))
    assert guards(plan) == ["fence", "data_loss"]


def test_old_side_that_answers_is_fenced_and_not_attested(continuity):
    plan = failover_plan(continuity, decision(), state(), request(continuity, silent=(), lag=0))
    assert plan["refused"] == []
    assert plan["fence"] == {"kind": "stopped_and_revoked", "by": []}
    assert plan["overrides"] == []
    assert plan["steps"][ORDER.index("stop_old_master")]["hosts"] == ["fra-cfg"]
    assert plan["steps"][ORDER.index("fence")]["hosts"] == ["fra-db"]


def test_a_database_that_can_be_reached_is_fenced_whatever_people_say(continuity):
    plan = failover_plan(continuity, decision(), state(), allowed(continuity, silent=(), lag=0, allow_data_loss=""))
    assert plan["fence"] == {"kind": "stopped_and_revoked", "by": []}
    assert plan["overrides"] == []


def test_a_silent_server_beside_a_database_that_can_be_fenced_needs_nobodys_word(continuity):
    plan = failover_plan(continuity, decision(), state(), request(continuity, silent=("fra-cfg",), lag=0))
    assert plan["refused"] == []
    assert plan["fence"] == {"kind": "stopped_and_revoked", "by": []}
    by_name = {step["name"]: step for step in plan["steps"]}
    assert (by_name["stop_old_master"]["hosts"], by_name["stop_old_master"]["lost_hosts"]) == ([], [])
    assert by_name["fence"]["hosts"] == ["fra-db"]


def test_a_server_that_can_be_reached_is_no_proof_for_its_database(continuity):
    plan = failover_plan(continuity, decision(), state(), request(continuity, silent=("fra-db",), lag=0))
    assert guards(plan) == ["fence"]
    assert plan["refused"][0]["evidence"].startswith("fra-db of fra cannot be reached")


@pytest.mark.parametrize(("lag", "refused"), [(0, []), (1, ["data_loss"]), (None, ["data_loss"])])
def test_known_lag_within_the_limit_needs_no_override(continuity, lag, refused):
    assert guards(failover_plan(continuity, decision(), state(), request(continuity, silent=(), lag=lag))) == refused


@pytest.mark.parametrize("silent", ["ams-cfg", "ams-db"])
def test_survivor_that_cannot_be_reached_cannot_take_over(continuity, silent):
    continuity["continuity_coordination"]["hosts"] = ["fra-dr-1", "ams-dr-1"]
    plan = failover_plan(continuity, decision(), state(), allowed(continuity, silent=(*DEAD_FRA, silent)))
    assert (names(plan), guards(plan)) == (CALLS, ["survivor_reachable"])


def test_without_a_host_for_the_run_lock_the_calls_move_and_the_configuration_does_not(continuity):
    continuity["continuity_coordination"]["hosts"] = ["fra-dr-1", "ams-dr-1"]
    plan = failover_plan(continuity, decision(), state(), allowed(continuity, silent=(*DEAD_FRA, "ams-dr-1")))
    assert (names(plan), guards(plan), plan["config_plane"]) == (CALLS, ["coordination"], False)
    refusal = plan["refused"][0]
    assert refusal["blocks"] == "configuration"
    assert "(fra-dr-1, ams-dr-1)" in refusal["evidence"] and refusal["way"]


def test_one_of_the_hosts_for_the_run_lock_is_enough(continuity):
    continuity["continuity_coordination"]["hosts"] = ["fra-dr-1", "ams-dr-1"]
    assert guards(failover_plan(continuity, decision(), state(), allowed(continuity))) == []


def test_what_the_decision_forbids_is_refused(continuity):
    plan = failover_plan(continuity, decision(forbidden=["promote_config"]), state(), allowed(continuity))
    assert (names(plan), guards(plan)) == (CALLS, ["forbidden"])
    plan = failover_plan(continuity, decision(forbidden=["prefer_survivor"]), state("ams"), allowed(continuity))
    assert (names(plan), plan["refused"][0]["blocks"]) == ([], "call")


def test_no_provisioned_phone_no_step(continuity):
    del continuity["continuity_provisioning"]
    assert "move_phones" not in names(failover_plan(continuity, decision(), state("ams"), request(continuity)))


def test_failed_over_with_the_configuration_is_only_verified(continuity):
    stored = state("ams", failed_over={"fra": "config"})
    for verdict in ("SITE_DOWN", "RETURNING"):
        plan = failover_plan(continuity, decision(verdict), stored, allowed(continuity, failed_over=True))
        assert names(plan) == ["verify_call_plane", "verify_configuration"]
        assert (plan["config_plane"], plan["refused"]) == (False, [])


def test_failed_over_with_the_calls_is_only_verified(continuity):
    stored = state("ams", failed_over={"fra": "call"})
    plan = failover_plan(continuity, decision(), stored, request(continuity, failed_over=True))
    assert (names(plan), plan["refused"]) == (["verify_call_plane"], [])
    plan = failover_plan(continuity, decision("RETURNING"), stored, request(continuity, failed_over=True))
    assert (names(plan), plan["refused"]) == (["verify_call_plane"], [])


def test_configuration_follows_calls_that_moved_before_once_its_guards_are_met(continuity):
    stored = state("fra", failed_over={"fra": "call"})
    waiting = failover_plan(continuity, decision(), stored, request(continuity, failed_over=True))
    assert (names(waiting), guards(waiting)) == (["verify_call_plane"], ["fence", "data_loss"])
    plan = failover_plan(continuity, decision(), stored, allowed(continuity, failed_over=True))
    assert names(plan) == ["verify_call_plane", *ORDER[4:]]


@pytest.mark.parametrize("length", range(len(ORDER) + 1))
def test_after_every_interruption_the_plan_is_whole_again(continuity, length):
    """A step that was done changes nothing, for it acts by state; a fence or a stop is never believed from before."""
    whole = failover_plan(continuity, decision(), state(), allowed(continuity))
    again = failover_plan(continuity, decision(), state(), allowed(continuity, done=done_before(length)))
    assert again == whole


@pytest.mark.parametrize("length", range(ORDER.index("stop_old_master") + 1, len(ORDER) + 1))
def test_a_move_that_has_begun_goes_on_whatever_is_seen_meanwhile(continuity, length):
    """Stopped, fenced or promoted already, the survivor's master perhaps up: half-way there would be no master."""
    for master, last in ((None, "fra"), ("ams", "ams")):
        asked = allowed(continuity, done=done_before(length), master=master)
        plan = failover_plan(continuity, decision(), state(last), asked)
        assert (names(plan), plan["config_plane"], plan["refused"]) == (ORDER, True, [])


@pytest.mark.parametrize("length", range(len(CALLS) + 1))
def test_calls_that_have_moved_do_not_make_the_configuration_move(continuity, length):
    asked = allowed(continuity, done=done_before(length))
    assert names(failover_plan(continuity, decision(), state("ams"), asked)) == CALLS


def test_data_loss_is_not_asked_about_again_once_promoted_and_the_fence_is(continuity):
    promoted = ORDER.index("promote_database") + 1
    before = failover_plan(continuity, decision(), state(), request(continuity, done=done_before(promoted - 1)))
    after = failover_plan(continuity, decision(), state(), request(continuity, done=done_before(promoted)))
    assert (guards(before), guards(after)) == (["fence", "data_loss"], ["fence"])


def done_before(length):
    return dict.fromkeys(ORDER[:length], "2026-01-31T03:14:15Z")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(data=st.data())
def test_every_plan_holds_the_invariants(continuity, data):
    hosts = deployment.plan_hosts(continuity)
    made = failover_plan(
        continuity,
        decision(data.draw(st.sampled_from(sorted(ROWS))), data.draw(st.sampled_from(["fra", "ams", None]))),
        state(
            data.draw(st.sampled_from(["fra", "ams", None])),
            failed_over=data.draw(st.sampled_from([{}, {"fra": "call"}, {"fra": "config"}, {"ams": "call"}])),
        ),
        request(
            continuity,
            reachable=data.draw(st.lists(st.sampled_from(hosts), unique=True)),
            attested_by=data.draw(st.sampled_from([[], ["alice"], ["alice", "bob"]])),
            allow_data_loss=data.draw(st.sampled_from(["", RUN, "other"])),
            master=data.draw(st.sampled_from(["fra", "ams", None])),
            lag=data.draw(st.sampled_from([None, 0, 5])),
            done=done_before(data.draw(st.integers(0, len(ORDER)))),
        ),
    )
    order = [ORDER.index(name) for name in names(made)]
    assert order == sorted(order)
    assert made == json.loads(json.dumps(made))
    for step in made["steps"]:
        assert not set(step["hosts"]) & set(step["skipped_hosts"])
        lost = set(step["skipped_hosts"]) - set(deployment.site_hosts(continuity, "fra"))
        assert set(step["lost_hosts"]) == lost
    moves = set(names(made)) & set(ORDER[len(CALLS) : -1])
    if moves:
        assert moves == set(ORDER[len(CALLS) : -1]), "the one-writer plane moves whole or not at all"
        assert made["config_plane"] and made["fence"]
        fences = [step["hosts"] for step in made["steps"] if step["name"] == "fence"]
        assert (made["fence"]["kind"], fences) in (("stopped_and_revoked", [["fra-db"]]), ("attested", [[]]))
        assert made["fence"]["kind"] == "stopped_and_revoked" or len(made["fence"]["by"]) == 2
    if any(refusal["blocks"] in ("all", "configuration") for refusal in made["refused"]):
        assert not moves and not made["config_plane"]


def test_text_has_one_line_for_each_step_and_refusal(continuity):
    plan = failover_plan(continuity, decision(), state(), request(continuity))
    lines = plan_text(plan)
    assert len(lines) == 1 + len(CALLS) + 2
    assert lines[0].startswith(f"Run {RUN}, failover of fra to ams: the configuration does not move")
    assert lines[1].startswith("1. prefer_survivor [call] on ams-gw-1, ams-gw-2 (not reached: fra-gw-1, fra-gw-2): ")
    assert lines[-1].startswith("REFUSED (configuration) data_loss: ")
    assert f"continuity_allow_data_loss={RUN}" in lines[-1]


def test_text_of_nothing_to_do(continuity):
    lines = plan_text(failover_plan(continuity, decision("NORMAL", None), state(), request(continuity)))
    assert lines[1] == "Nothing to do."


def entry(step, second, event="end", outcome="ok", host="a", run=RUN):
    return {
        "id": run,
        "step": step,
        "host": host,
        "event": event,
        "outcome": outcome,
        "at": f"2026-01-31T03:14:{second:02}Z",
    }


@pytest.mark.parametrize(
    ("journal", "done"),
    [
        ([], []),
        ([entry("fence", 1, "begin")], []),
        ([entry("fence", 1, "begin"), entry("fence", 2)], ["fence"]),
        ([entry("fence", 1, "begin"), entry("fence", 2, outcome="failed")], []),
        ([entry("fence", 2), entry("fence", 3, "begin")], []),
        ([entry("fence", 1, outcome="failed"), entry("fence", 3)], ["fence"]),
        ([entry("fence", 3), entry("fence", 1, outcome="failed")], ["fence"]),
        ([entry("fence", 1), entry("fence", 2, outcome="failed", host="b")], []),
        ([entry("fence", 1), entry("fence", 2, "begin", host="b")], []),
        ([entry("fence", 1, run="another")], []),
    ],
)
def test_step_is_done_when_it_ended_well_on_every_host_that_began_it(journal, done):
    assert list(done_steps(journal, RUN)) == done
