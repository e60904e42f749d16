# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report says, to a program and to a person."""

from __future__ import annotations

import json

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.move_plan import move_plan
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan import failover_plan
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.report import build_report, parse_time
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.report_text import WIDTH, report_text
from plan_world import (
    DRIVERS,
    allowed,
    coordinated,
    decision,
    moves,
    names,
    order,
    planned,
    request,
    revoked,
    state,
    undoing,
    with_ticket,
)

RUN = "20260131-031415"
ALLOWED = f"-e continuity_allow_data_loss={RUN} -e continuity_first_attester=alice -e continuity_second_attester=bob"
DECISION = {
    "verdict": "SITE_DOWN",
    "site": "fra",
    "evidence": ["fra: peer 0/2, witness 0/1, gateways 0/2 down", "nothing from inside"],
    "unmet": [{"guard": "fence", "text": "fence of fra not proven", "actions": ["promote_config"]}],
    "forbidden": [],
}

STEP = "promote_database"


def record(step, second, event, **more):
    at = f"2026-01-31T03:14:{second:06.3f}Z"
    return {"id": RUN, "token": 7, "step": step, "host": "ams-gw-1", "event": event, "at": at, **more}


def ended(step, second, outcome="ok", changed=True, **more):
    return record(step, second, "end", outcome=outcome, changed=changed, **{"detail": "", **more})


@pytest.fixture(params=DRIVERS)
def continuity(request, continuity):
    return coordinated(continuity, request.param)


@pytest.fixture
def run(continuity):
    return {
        "run_id": RUN,
        "series": [{"observation": {"taken_at": "2026-01-31T03:14:15Z"}}],
        "decision": DECISION,
        "plan": failover_plan(continuity, DECISION, state(), allowed(continuity)),
        "journal": [
            record("prefer_survivor", 20, "begin"),
            ended("prefer_survivor", 20.75, detail="ams preferred"),
            record("promote_database", 30, "begin"),
            ended("promote_database", 32.5, detail="promoted"),
        ],
        "timeline": [
            {"at": "2026-01-31T03:14:33Z", "what": "writable"},
            {"at": "2026-01-31T03:14:15Z", "what": "seen"},
        ],
        "checks": [{"name": "verify_call_plane", "ok": True, "detail": "2 of 2 gateways prefer ams"}],
        "measured": {"first_call_answered": "6.2 s"},
        "targets": {"first_call_answered": "20 s"},
        "unprotected": [],
    }


def step_of(report, name):
    return next(step for step in report["steps"] if step["name"] == name)


def test_what_happened_stands_beside_the_plan(continuity, run):
    report = build_report(run)
    assert [step["name"] for step in report["steps"]] == order(continuity)
    first = step_of(report, "prefer_survivor")
    assert (first["status"], first["changed"], first["seconds"]) == ("ok", True, 0.8)
    assert first["details"] == ["ams-gw-1: ams preferred"]
    assert step_of(report, "verify_call_plane")["status"] == "ok"
    assert step_of(report, "repoint_names")["status"] == "not done"
    assert report["outcome"].startswith("NOT FINISHED: move_phones, single_site, preflight_database")


def test_what_a_person_does_at_gateways_that_were_not_reached_stands_with_their_step(run):
    step = next(step for step in run["plan"]["steps"] if step["name"] == "prefer_survivor")
    step["by_hand"] = {"fra-gw-1": ["conf t", " shutdown"]}
    told = step_of(build_report(run), "prefer_survivor")["details"]
    assert told[1:] == ["fra-gw-1, by hand: conf t", "fra-gw-1, by hand:  shutdown"]


@pytest.mark.parametrize(
    ("records", "status"),
    [
        ([], "not done"),
        ([record(STEP, 1, "begin")], "begun, not ended"),
        ([record(STEP, 1, "begin"), ended(STEP, 2, "failed")], "failed"),
        ([record(STEP, 1, "begin"), ended(STEP, 2, "failed"), record(STEP, 3, "begin"), ended(STEP, 4)], "ok"),
        ([record(STEP, 1, "begin"), record(STEP, 3, "begin"), ended(STEP, 4)], "ok"),
        ([ended(STEP, 1), ended(STEP, 2, "failed", host="ams-gw-2")], "failed"),
        ([{"step": STEP, "host": "x", "at": "2026-01-31T03:14:15Z", "changed": False}], "ok"),
    ],
)
def test_status_of_a_step(run, records, status):
    assert step_of(build_report(dict(run, journal=records)), STEP)["status"] == status


def test_a_step_none_of_whose_hosts_could_be_reached(continuity, run):
    old = "freeze_writes" if continuity["continuity_coordination"]["driver"] == "etcd" else "fence"
    assert step_of(build_report(run), old)["status"] == "not reached"


@pytest.mark.parametrize(("ok", "status"), [(True, "ok"), (False, "failed"), (None, "unknown")])
def test_check_from_outside_outweighs_the_journal(run, ok, status):
    checks = [{"name": "prefer_survivor", "ok": ok, "detail": ""}]
    assert step_of(build_report(dict(run, checks=checks)), "prefer_survivor")["status"] == status


def test_steps_of_an_earlier_start_are_not_forgotten(run):
    rest = dict(run["plan"], steps=run["plan"]["steps"][5:])
    report = build_report(dict(run, plan=rest))
    assert report["steps"][-1]["name"] == "prefer_survivor", "after those of this plan"
    assert report["steps"][-1]["hosts"] == ["ams-gw-1"]


def test_unprotected_is_said_loudly(run):
    text = report_text(build_report(dict(run, unprotected=["the store has one copy"])))
    for sentence in (
        "UNPROTECTED: no second site: ams carries every call alone",
        "UNPROTECTED: no standby database: what is written now is held once",
        "UNPROTECTED: nobody has seen the writer of fra stop: keep it off until failback",
        "UNPROTECTED: what the dead primary had not sent is lost",
        "UNPROTECTED: not reached, so not changed: fra-gw-1, fra-gw-2",
        "UNPROTECTED: the store has one copy",
    ):
        assert sentence in text
    assert text.index("UNPROTECTED") < text.index("THE PLAN")


def test_text_for_three_in_the_morning(run):
    text = report_text(build_report(run))
    assert "VERDICT  SITE_DOWN fra" in text
    assert "- fra: peer 0/2, witness 0/1, gateways 0/2 down" in text
    assert "first call answered at the survivor  6.2 s  (target 20 s)" in text
    assert text.count("not measured") == 3
    assert "- fence of fra not proven (keeps back: promote_config)" in text
    assert "1. prefer_survivor       ok  03:14:20.000  0.8 s" in text
    assert "allow_data_loss for run 20260131-031415, by alice and bob" in text
    assert text.index("03:14:15Z  seen") < text.index("03:14:33Z  writable")
    assert all(len(line) <= WIDTH for line in text.splitlines())


def test_refusal_and_its_way_round_are_in_the_text(run):
    refusal = {
        "guard": "data_loss",
        "blocks": "configuration",
        "evidence": "unknown lag.",
        "way": f"two people say so: {ALLOWED}",
    }
    plan = dict(run["plan"], refused=[refusal], steps=run["plan"]["steps"][:1], overrides=[])
    report = build_report(dict(run, plan=plan, journal=run["journal"][:2]))
    text = report_text(report)
    assert report["outcome"] == "REFUSED: data_loss (configuration)"
    assert "UNPROTECTED: no writable configuration: it did not move (data_loss)" in text
    assert "way round: two people say so:" in text
    assert f"    {ALLOWED}\n" in text


def test_run_that_only_decides(run):
    nothing = dict(run, plan={}, journal=[], checks=[], timeline=[], decision={"verdict": "NORMAL", "site": None})
    report = build_report(nothing)
    assert report["outcome"] == "observed and decided; nothing was to be done"
    assert (report["unprotected"], report["steps"]) == ([], [])
    assert "VERDICT  NORMAL" in report_text(report)


def test_report_is_plain_data_and_always_the_same(run):
    report = build_report(run)
    assert json.loads(json.dumps(report)) == report == build_report(run)


def test_times_with_and_without_zone_are_the_same_moment():
    assert (
        parse_time("2026-01-31T03:14:15Z")
        == parse_time("2026-01-31T03:14:15")
        == parse_time("2026-01-31T04:14:15+01:00")
    )


# A move of the configuration alone.


@pytest.fixture
def move(continuity, run):
    """Nothing has failed: the configuration has moved from fra to ams, and fra's database follows."""
    plan = move_plan(continuity, planned(), state(), request(continuity, scenario="move_master", lag=0))
    steps = [step["name"] for step in plan["steps"] if step["door"] not in ("verify", "readiness")]
    journal = [ended(name, second) for second, name in enumerate(steps)]
    checks = [{"name": name, "ok": True, "detail": ""} for name in names(plan) if name not in steps]
    return dict(run, decision=planned(), plan=plan, journal=journal, checks=checks)


def test_steps_of_a_move_stand_in_the_plans_order(continuity, move):
    report = build_report(move)
    assert [step["name"] for step in report["steps"]] == [*moves(continuity), "resync_old"]
    assert (report["outcome"], report["overrides"]) == ("done as planned", [])


def test_after_a_move_the_configuration_has_its_second_copy(move):
    assert build_report(move)["unprotected"] == []
    failed = [dict(one, outcome="failed") if one["step"] == "resync_old" else one for one in move["journal"]]
    assert build_report(dict(move, journal=failed))["unprotected"] == [
        "no standby database: what is written now is held once"
    ]


def test_what_was_taken_back_follows_what_was_begun(continuity, move):
    """In the order in which it happened, and a step of the undo that failed is open."""
    first = move["journal"][0]["step"]
    refused = ended("promote_database", 30, "failed", detail="the standby is behind")
    back = undoing(continuity)
    journal = [ended(first, 20), refused, *(ended(name, 40, "failed") for name in back[:1])]
    plan = dict(move["plan"], undone=move["plan"]["undo"])
    report = build_report(dict(move, plan=plan, journal=journal, checks=[]))
    assert [step["name"] for step in report["steps"]][-len(back) :] == back
    assert step_of(report, back[0])["status"] == "failed"
    assert report["outcome"].startswith(f"FAILED: promote_database, {back[0]}; NOT FINISHED: ")
    assert "no standby database" not in " ".join(report["unprotected"])


@with_ticket
def test_a_return_promoted_nothing(continuity, run):
    nobody = decision("NO_MASTER", None, operator=["move_master"])
    asked = request(continuity, scenario="move_master", to_site="fra", ticket=revoked())
    plan = move_plan(continuity, nobody, state(), asked)
    journal = [ended(name, 1) for name in undoing(continuity)[:-1]]
    checks = [{"name": "verify_undone", "ok": True, "detail": ""}]
    report = build_report(dict(run, decision=nobody, plan=plan, journal=journal, checks=checks))
    assert (report["outcome"], report["unprotected"]) == ("done as planned", [])
    assert (report["failed"], report["survivor"]) == ("fra", "ams")
