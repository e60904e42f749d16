# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a plan: how a run ended, what the decision learns of it, and whether the next step may run."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import deployment
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan import SITE_FAILURE, failover_plan
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_outcome import (
    LOCK_RESULTS,
    may_go_on,
    plan_outcome,
)

NOW = "2026-01-31T03:14:15Z"
STORES = ["fra-cfg", "ams-cfg"]
RUN = "20260131-031415"
MOVES = [kind.name for kind in SITE_FAILURE if kind.plane == "configuration" and kind.door != "verify"]
CALL_STEPS = [kind.name for kind in SITE_FAILURE if kind.plane == "call" and kind.door != "verify"]
ENDINGS = {
    "failed": {"failed": True, "msg": "no such database"},
    "unreachable": {"unreachable": True, "msg": "timed out"},
    "skipped": {"skipped": True},
    "never asked": {},
}
# Only check mode skips the renewal.
LOCK_ENDINGS = [
    pytest.param(what, ending, id=f"{what}-{name}")
    for what in LOCK_RESULTS
    for name, ending in ENDINGS.items()
    if (what, name) != ("__continuity_renewed", "skipped")
]
bad_ending = pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)


class Run:
    """A run of a plan in which everything went well, to be spoilt by a test."""

    def __init__(self, continuity, silent=(), **asked):
        """Plan the failover of fra, whose hosts answer but for the silent ones."""
        reachable = [host for host in deployment.plan_hosts(continuity) if host not in silent]
        request = {
            "run_id": RUN,
            "failed_site": "fra",
            "attested_by": ["alice", "bob"],
            "reachable": reachable,
            "lag": 0,
            **asked,
        }
        decision = {"verdict": "SITE_DOWN", "site": "fra"}
        state = {"last_master": asked.get("last_master", "fra"), "failed_over": asked.get("stored", {})}
        self.plan = dict(failover_plan(continuity, decision, state, request), attested_by=request["attested_by"])
        self.hostvars = {host: {} for host in (*deployment.plan_hosts(continuity), *STORES)}
        self.check = False
        for host in STORES:
            self.hostvars[host].update(__continuity_lock={"changed": True}, __continuity_renewed={"changed": False})
        for step in self.plan["steps"]:
            self.said(step["name"], {"changed": step["door"] != "verify", "detail": f"{step['name']} done"})

    def said(self, name, result, host=None):
        """Leave `result` on the hosts of a step, or on one of them."""
        step = next(each for each in self.plan["steps"] if each["name"] == name)
        variable = f"__{step['role']}_{'verified' if step['door'] == 'verify' else 'result'}"
        for each in [host] if host else step["hosts"]:
            self.hostvars[each][variable] = result
        return self

    @property
    def outcome(self):
        return plan_outcome(self.plan, self.hostvars, NOW, STORES, self.check)

    def may(self, step):
        return may_go_on(self.plan, step, self.hostvars, STORES)

    @property
    def scopes(self):
        return [event["scope"] for event in self.outcome["events"]]


@pytest.fixture
def run(continuity):
    return Run(continuity)


def test_all_went_well(run):
    outcome = run.outcome
    assert (outcome["ok"], outcome["changed"], outcome["status"]) == (True, True, "finished")
    assert outcome["summary"] == "Everything as wished."
    assert [check["name"] for check in outcome["checks"]] == ["verify_call_plane", "verify_configuration"]
    assert all(check["ok"] for check in outcome["checks"])
    assert outcome["measured"] == {"configuration_writable": "yes"}
    assert "promote_database ams-db: promote_database done" in outcome["sentences"]


def test_nothing_to_change_is_not_changed(run):
    for step in run.plan["steps"]:
        run.said(step["name"], {"changed": False})
    assert (run.outcome["ok"], run.outcome["changed"]) == (True, False)
    assert "fence fra-db: as wished" in run.outcome["sentences"]


@pytest.mark.parametrize("step", [kind.name for kind in SITE_FAILURE])
@bad_ending
def test_a_step_that_did_not_end_well_leaves_the_run_open(run, step, ending):
    outcome = run.said(step, ending).outcome
    assert (outcome["ok"], outcome["status"]) == (False, "open")
    assert step in outcome["summary"]
    host = next(each["hosts"][0] for each in run.plan["steps"] if each["name"] == step)
    words = ending.get("msg") or "not done: an earlier step failed, or this one was refused"
    assert f"{step} {host}: {words}" in outcome["sentences"]


@pytest.mark.parametrize("step", CALL_STEPS[:1] + MOVES[-1:])
@bad_ending
def test_one_bad_host_of_several_is_enough(run, step, ending):
    hosts = next(each["hosts"] for each in run.plan["steps"] if each["name"] == step)
    assert len(hosts) > 1
    assert not run.said(step, ending, host=hosts[-1]).outcome["ok"]


def test_a_refusal_leaves_the_run_open(continuity):
    outcome = Run(continuity, lag=None).outcome
    assert (outcome["ok"], outcome["status"]) == (False, "open")
    assert outcome["summary"] == "Refused: data_loss (configuration)."


def test_dead_hosts_of_the_failed_site_are_named_and_not_missed(continuity):
    dead = Run(continuity, silent=deployment.site_hosts(continuity, "fra"), allow_data_loss=RUN)
    del dead.hostvars["fra-cfg"]["__continuity_lock"], dead.hostvars["fra-cfg"]["__continuity_renewed"]
    outcome = plan_outcome(dead.plan, dead.hostvars, NOW, ["ams-cfg"])
    assert (outcome["ok"], outcome["summary"]) == (True, "Everything as wished.")
    assert "fence: not reached: fra-db" in outcome["sentences"]
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
        {"id": RUN, "token": 7, "step": "fence", "event": event, "at": NOW, "outcome": "ok"}
        for event in ("begin", "end")
    ]
    run.said("fence", {"changed": True, "journal": wrote})
    records = [record for record in run.outcome["journal"] if record["step"] == "fence"]
    assert [(record["event"], record["host"]) for record in records] == [("begin", "fra-db"), ("end", "fra-db")]
    assert not any("token" in record for record in records)
    assert "host" not in wrote[0]


@bad_ending
def test_a_host_that_could_write_no_journal_is_spoken_for(run, ending):
    records = [one for one in run.said("fence", ending).outcome["journal"] if one["step"] == "fence"]
    assert [(one["event"], one["outcome"], one["host"]) for one in records] == [("end", "failed", "fra-db")]


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


@pytest.mark.parametrize("step", MOVES)
@bad_ending
def test_a_failure_of_the_configuration_plane_is_no_failover_of_it_but_of_the_calls(run, step, ending):
    assert run.said(step, ending).scopes == ["call"]


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
    again = Run(continuity, stored=stored, done=done)
    assert set(CALL_STEPS) <= {each["name"] for each in again.plan["steps"]}


def test_configuration_that_follows_calls_which_moved_before(continuity):
    later = Run(continuity, stored={"fra": "call"})
    assert not set(CALL_STEPS) & {step["name"] for step in later.plan["steps"]}
    assert later.scopes == ["config"]


def test_configuration_that_stays(continuity):
    stays = Run(continuity, last_master="ams")
    assert (stays.outcome["ok"], stays.scopes) == (True, ["call"])


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


def test_check_mode_shows_every_step_and_teaches_the_decision_nothing(checked):
    outcome = checked.outcome
    assert (outcome["ok"], outcome["changed"], outcome["summary"]) == (True, True, "Everything as wished.")
    assert (outcome["events"], outcome["checks"]) == ([], [])
    assert all(checked.may(step) for step in MOVES)


@bad_ending
def test_check_mode_fails_where_the_real_run_would(checked, ending):
    assert not checked.said("promote_database", ending).outcome["ok"]


# Whether the next step of the one-writer plane may run.


@pytest.mark.parametrize("step", MOVES)
def test_a_step_goes_on_after_good_ones(run, step):
    for later in [*MOVES[MOVES.index(step) :], "verify_configuration"]:
        run.said(later, {})
    for before in MOVES[: MOVES.index(step)]:
        run.said(before, {"changed": True})
    assert run.may(step)


@pytest.mark.parametrize("position", range(1, len(MOVES)), ids=MOVES[1:])
@bad_ending
def test_no_step_goes_on_after_a_bad_one(run, position, ending):
    for before in range(position):
        spoilt = dict(run.hostvars)
        run.said(MOVES[before], ending)
        assert not run.may(MOVES[position]), MOVES[before]
        run.hostvars = spoilt
        run.said(MOVES[before], {"changed": True})
        assert run.may(MOVES[position])


@bad_ending
def test_nothing_is_promoted_after_a_fence_that_failed(run, ending):
    run.said("fence", ending)
    assert run.may("stop_old_master") and run.may("fence")
    assert not any(run.may(step) for step in ("promote_database", "start_config_server", "repoint_names"))


@pytest.mark.parametrize("step", MOVES)
@pytest.mark.parametrize("host", STORES)
@pytest.mark.parametrize(("what", "ending"), LOCK_ENDINGS)
def test_no_step_goes_on_unless_every_store_has_given_the_lock(run, step, host, what, ending):
    run.hostvars[host][what] = ending
    assert not run.may(step)
    outcome = run.outcome
    assert (outcome["ok"], outcome["status"]) == (False, "open")
    assert "The run lock is not held everywhere, so the configuration did not move." in outcome["summary"]


@pytest.mark.parametrize("step", MOVES)
def test_no_step_goes_on_without_any_store(run, step):
    assert not may_go_on(run.plan, step, run.hostvars, [])


@bad_ending
def test_calls_need_no_lock(continuity, ending):
    calls = Run(continuity, last_master="ams")
    for host in STORES:
        calls.hostvars[host]["__continuity_lock"] = ending
    assert calls.outcome["ok"]


@pytest.mark.parametrize("step", CALL_STEPS)
@bad_ending
def test_calls_that_went_wrong_do_not_stop_the_configuration(run, step, ending):
    run.said(step, ending)
    assert all(run.may(move) for move in MOVES)


def test_a_lost_host_stops_what_comes_after_it(continuity):
    """The name's clients at the survivor cannot be reached: the step before that one is not touched by it."""
    continuity["continuity_service_names"]["confserv-master"]["clients"] = ["fra-cfg", "ams-dr-1"]
    lost = Run(continuity, silent=["ams-dr-1"])
    assert lost.may("start_config_server") and lost.may("repoint_names")
    assert "config" not in lost.scopes
    assert not lost.outcome["ok"]
