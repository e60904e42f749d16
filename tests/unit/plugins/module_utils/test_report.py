# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report says, to a program and to a person."""

from __future__ import annotations

import json

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan import SITE_FAILURE, failover_plan
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.report import build_report, parse_time
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.report_text import WIDTH, report_text

RUN = "20260131-031415"
ALLOWED = f"-e continuity_allow_data_loss={RUN} -e continuity_first_attester=alice -e continuity_second_attester=bob"
DECISION = {
    "verdict": "SITE_DOWN",
    "site": "fra",
    "evidence": ["fra: peer 0/2, witness 0/1, gateways 0/2 down", "nothing from inside"],
    "unmet": [{"guard": "fence", "text": "fence of fra not proven", "actions": ["promote_config"]}],
    "forbidden": [],
}
FRA = ("fra-dr-1", "fra-dr-2", "fra-cfg", "fra-db", "fra-gw-1", "fra-gw-2")
ALIVE = ["ams-gw-1", "ams-gw-2", "ams-dr-1", "ams-dr-2", "ams-cfg", "ams-db", "phone-files"]


def record(step, second, event, **more):
    at = f"2026-01-31T03:14:{second:06.3f}Z"
    return {"id": RUN, "token": 7, "step": step, "host": "ams-gw-1", "event": event, "at": at, **more}


def ended(step, second, outcome="ok", changed=True, **more):
    return record(step, second, "end", outcome=outcome, changed=changed, **{"detail": "", **more})


@pytest.fixture
def run(continuity):
    request = {
        "run_id": RUN,
        "failed_site": "fra",
        "attested_by": ["alice", "bob"],
        "allow_data_loss": RUN,
        "reachable": ALIVE,
        "master": None,
        "done": {},
        "failed_over": False,
    }
    return {
        "run_id": RUN,
        "series": [{"observation": {"taken_at": "2026-01-31T03:14:15Z"}}],
        "decision": DECISION,
        "plan": failover_plan(continuity, DECISION, {"last_master": "fra"}, request),
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


def test_what_happened_stands_beside_the_plan(run):
    report = build_report(run)
    assert [step["name"] for step in report["steps"]] == [kind.name for kind in SITE_FAILURE]
    first = step_of(report, "prefer_survivor")
    assert (first["status"], first["changed"], first["seconds"]) == ("ok", True, 0.8)
    assert first["details"] == ["ams-gw-1: ams preferred"]
    assert step_of(report, "verify_call_plane")["status"] == "ok"
    assert step_of(report, "repoint_names")["status"] == "not done"
    assert report["outcome"].startswith("NOT FINISHED: move_phones, single_site, start_config_server")


@pytest.mark.parametrize(
    ("records", "status"),
    [
        ([], "not reached"),
        ([record("fence", 1, "begin")], "begun, not ended"),
        ([record("fence", 1, "begin"), ended("fence", 2, "failed")], "failed"),
        (
            [record("fence", 1, "begin"), ended("fence", 2, "failed"), record("fence", 3, "begin"), ended("fence", 4)],
            "ok",
        ),
        ([record("fence", 1, "begin"), record("fence", 3, "begin"), ended("fence", 4)], "ok"),
        ([ended("fence", 1), ended("fence", 2, "failed", host="ams-gw-2")], "failed"),
        ([{"step": "fence", "host": "x", "at": "2026-01-31T03:14:15Z", "changed": False}], "ok"),
    ],
)
def test_status_of_a_step(run, records, status):
    assert step_of(build_report(dict(run, journal=records)), "fence")["status"] == status


@pytest.mark.parametrize(("ok", "status"), [(True, "ok"), (False, "failed"), (None, "unknown")])
def test_check_from_outside_outweighs_the_journal(run, ok, status):
    checks = [{"name": "prefer_survivor", "ok": ok, "detail": ""}]
    assert step_of(build_report(dict(run, checks=checks)), "prefer_survivor")["status"] == status


def test_steps_of_an_earlier_start_are_not_forgotten(run):
    rest = dict(run["plan"], steps=run["plan"]["steps"][5:])
    report = build_report(dict(run, plan=rest))
    assert report["steps"][0]["name"] == "prefer_survivor"
    assert report["steps"][0]["hosts"] == ["ams-gw-1"]


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
