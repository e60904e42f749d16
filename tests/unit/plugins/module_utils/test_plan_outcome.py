# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a plan: how a run ended, and what the decision learns of it."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import deployment
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_outcome import may_go_on, plan_outcome
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_steps import LOOKING, has_ticket
from plan_world import DRIVERS, NOW, RUN, changing, coordinated, moves, roles, step_of, ticket
from run_world import CALL_STEPS, STORES, Run, bad_ending, not_ready


@pytest.fixture(params=DRIVERS)
def continuity(request, continuity):
    return coordinated(continuity, request.param)


@pytest.fixture
def run(continuity):
    return Run(continuity)


def test_all_went_well(run):
    outcome = run.outcome
    assert (outcome["ok"], outcome["changed"], outcome["status"]) == (True, True, "finished")
    assert outcome["summary"] == "Everything as wished."
    assert [check["name"] for check in outcome["checks"]] == [
        "verify_call_plane",
        "preflight_database",
        "preflight_server",
        "verify_configuration",
        "verify_desktops",
    ]
    assert all(check["ok"] for check in outcome["checks"])
    assert outcome["measured"] == {"configuration_writable": "yes"}
    assert "promote_database ams-db: promote_database done" in outcome["sentences"]


@pytest.mark.parametrize("ending", [{}, {"failed": True, "msg": "20 of 40 agents logged in"}])
def test_how_many_agents_are_logged_in_is_measured_and_too_few_leave_the_run_open(run, ending):
    outcome = run.said("verify_desktops", {"there": 20, "before": 40, **ending}).outcome
    assert outcome["measured"]["agents_logged_in"] == "20 of 40"
    assert outcome["ok"] == (not ending)
    assert ("verify_desktops" in outcome["summary"]) == bool(ending)


def test_nothing_to_change_is_not_changed(run):
    for step in run.plan["steps"]:
        run.said(step["name"], {"changed": False})
    assert (run.outcome["ok"], run.outcome["changed"]) == (True, False)
    assert "promote_database ams-db: as wished" in run.outcome["sentences"]


@bad_ending
def test_a_step_that_did_not_end_well_leaves_the_run_open(continuity, ending):
    for step in [*CALL_STEPS, *moves(continuity)]:
        spoilt = Run(continuity).said(step, ending)
        outcome = spoilt.outcome
        assert (outcome["ok"], outcome["status"]) == (False, "open")
        assert step in outcome["summary"]
        words = ending.get("msg") or "not done: an earlier step failed, or this one was refused"
        assert f"{step} {step_of(spoilt.plan, step)['hosts'][0]}: {words}" in outcome["sentences"]


def test_what_is_not_ready_is_said_with_its_way_and_stops_the_configuration(run):
    outcome = run.said("preflight_database", not_ready("replay runs", "disk")).outcome
    words = "replay runs: it is not (make it so); disk: it is not (make it so)"
    assert f"preflight_database ams-db: {words}" in outcome["sentences"]
    assert not run.may("preflight_server")
    assert not outcome["ok"] and "preflight_database" in outcome["summary"]


def test_what_is_only_advice_stops_nothing(run):
    advice = [{"item": "writes are logged", "met": False, "needed": False, "evidence": "-", "way": "-"}]
    run.said("preflight_database", {"changed": False, "ready": True, "readiness": advice})
    assert run.outcome["ok"] and run.may("preflight_server")


@bad_ending
def test_one_bad_host_of_several_is_enough(continuity, ending):
    several = [step["name"] for step in Run(continuity).plan["steps"] if len(step["hosts"]) > 1]
    assert {"prefer_survivor", "repoint_names"} <= set(several)
    for step in several:
        for host in step_of(Run(continuity).plan, step)["hosts"]:
            assert not Run(continuity).said(step, ending, host=host).outcome["ok"]


def test_a_refusal_leaves_the_run_open(continuity):
    outcome = Run(continuity, lag=None).outcome
    assert (outcome["ok"], outcome["status"]) == (False, "open")
    assert outcome["summary"] == "Refused: data_loss (configuration)."


def test_dead_hosts_of_the_failed_site_are_named_and_not_missed(continuity):
    found = ticket(armed=False) if has_ticket(continuity) else None
    dead = Run(continuity, silent=deployment.site_hosts(continuity, "fra"), allow_data_loss=RUN, ticket=found)
    del dead.hostvars["fra-cfg"]["__continuity_lock"], dead.hostvars["fra-cfg"]["__continuity_renewed"]
    outcome = plan_outcome(dead.plan, dead.hostvars, NOW, ["ams-cfg"])
    assert (outcome["ok"], outcome["summary"]) == (True, "Everything as wished.")
    old = "freeze_writes" if has_ticket(continuity) else "fence"
    assert f"{old}: not reached: fra-db" in outcome["sentences"]
    assert may_go_on(dead.plan, "promote_database", dead.hostvars, ["ams-cfg"])


def test_a_lost_host_outside_the_failed_site_leaves_the_run_open(continuity):
    lost = Run(continuity, silent=["ams-gw-2"])
    assert (lost.outcome["ok"], lost.outcome["status"]) == (False, "open")
    assert "Not reached: ams-gw-2." in lost.outcome["summary"]
    assert lost.outcome["summary"].count("ams-gw-2") == 1
    assert "call" not in lost.scopes
    assert not next(check for check in lost.outcome["checks"] if check["name"] == "verify_call_plane")["ok"]


def test_journal_is_what_the_hosts_wrote_without_the_token(run):
    wrote = [
        {"id": RUN, "token": 7, "step": "promote_database", "event": event, "at": NOW, "outcome": "ok"}
        for event in ("begin", "end")
    ]
    run.said("promote_database", {"changed": True, "journal": wrote})
    records = [record for record in run.outcome["journal"] if record["step"] == "promote_database"]
    assert [(record["event"], record["host"]) for record in records] == [("begin", "ams-db"), ("end", "ams-db")]
    assert not any("token" in record for record in records)
    assert "host" not in wrote[0]


@bad_ending
def test_a_host_that_could_write_no_journal_is_spoken_for(run, ending):
    journal = run.said("promote_database", ending).outcome["journal"]
    records = [one for one in journal if one["step"] == "promote_database"]
    assert [(one["event"], one["outcome"], one["host"]) for one in records] == [("end", "failed", "ams-db")]


def test_what_only_looks_is_in_no_journal_and_is_a_check(run):
    looking = {step["name"] for step in run.plan["steps"] if step["door"] in LOOKING}
    assert not looking & {record["step"] for record in run.outcome["journal"]}
    assert {check["name"] for check in run.outcome["checks"]} == looking


def test_phones_are_counted(run):
    run.said("move_phones", {"changed": True, "registered": ["a", "b"], "missing": ["c"]})
    assert run.outcome["measured"]["phones_registered"] == "2 of 3"


@bad_ending
def test_configuration_that_is_not_verified_is_not_writable(run, ending):
    assert run.said("verify_configuration", ending).outcome["measured"]["configuration_writable"] == "no"


# What the decision learns.


def test_events_name_site_scope_and_who_said_so(run):
    assert run.outcome["events"] == [
        {"at": NOW, "type": "failover_done", "site": "fra", "scope": scope, "by": "alice, bob"}
        for scope in ("call", "config")
    ]


def test_an_operator_who_is_not_named(continuity):
    assert {event["by"] for event in Run(continuity, attested_by=[]).outcome["events"]} == {"operator"}


@bad_ending
def test_a_failure_of_the_configuration_plane_is_no_failover_of_it_but_of_the_calls(continuity, ending):
    for step in changing(continuity):
        assert Run(continuity).said(step, ending).scopes == ["call"]


def test_a_move_is_no_failover(continuity):
    moved = Run(continuity, scenario="move_master")
    assert (moved.outcome["ok"], moved.outcome["events"]) == (True, [])


@pytest.mark.parametrize("step", CALL_STEPS)
@bad_ending
def test_calls_that_are_not_saved_are_no_failover_of_them(run, step, ending):
    assert "call" not in run.said(step, ending).scopes


@pytest.mark.parametrize("step", CALL_STEPS)
@bad_ending
def test_calls_that_are_not_saved_are_in_the_next_plan_wherever_the_configuration_is(continuity, step, ending):
    first = Run(continuity).said(step, ending)
    stored = {"fra": "config"} if "config" in first.scopes else {}
    done = {each["name"]: NOW for each in first.plan["steps"] if each["name"] != step and each["door"] != "verify"}
    there = {"ticket": ticket("ams") if has_ticket(continuity) else None} if stored else {}
    again = Run(continuity, stored=stored, done=done, **there)
    assert set(CALL_STEPS) <= {each["name"] for each in again.plan["steps"]}


def test_configuration_that_follows_calls_which_moved_before(continuity):
    later = Run(continuity, stored={"fra": "call"})
    assert not set(CALL_STEPS) & {step["name"] for step in later.plan["steps"]}
    assert later.scopes == ["config"]


def test_configuration_that_stays(continuity):
    stays = Run(continuity, **elsewhere(continuity))
    assert (stays.outcome["ok"], stays.scopes) == (True, ["call"])
    assert not stays.undoes


def test_a_run_that_only_verified_did_no_failover(continuity):
    again = Run(continuity, stored={"fra": "config"})
    for host in STORES:
        again.hostvars[host] = {
            name: value for name, value in again.hostvars[host].items() if not name.startswith("__continuity")
        }
    assert (again.outcome["ok"], again.outcome["changed"], again.scopes) == (True, False, [])
    assert again.may("verify_configuration")


# Check mode.


@pytest.fixture
def checked(run):
    """What the playbook leaves in check mode: the lock would be taken, nobody renews it, nothing is verified."""
    run.check = True
    for host in STORES:
        run.hostvars[host]["__continuity_renewed"] = {"skipped": True}
    for name in ("verify_call_plane", "verify_configuration"):
        run.said(name, {"skipped": True})
    return run


def elsewhere(continuity):
    """The right to write is at ams, which has not failed."""
    held = {"ticket": ticket("ams")} if has_ticket(continuity) else {}
    return {"last_master": "ams", "databases": roles("unknown", "primary"), **held}


def test_check_mode_shows_every_step_and_teaches_the_decision_nothing(checked):
    outcome = checked.outcome
    assert (outcome["ok"], outcome["changed"], outcome["summary"]) == (True, True, "Everything as wished.")
    assert outcome["events"] == []
    assert [check["name"] for check in outcome["checks"]] == ["preflight_database", "preflight_server"]
    assert all(checked.may(step) for step in moves(checked.continuity))
    assert not checked.undoes


@bad_ending
def test_check_mode_fails_where_the_real_run_would(checked, ending):
    assert not checked.said("promote_database", ending).outcome["ok"]


@pytest.mark.parametrize("step", ["preflight_database", "preflight_server"])
def test_check_mode_says_what_is_not_ready(checked, step):
    outcome = checked.said(step, not_ready("disk")).outcome
    assert not outcome["ok"] and step in outcome["summary"]
