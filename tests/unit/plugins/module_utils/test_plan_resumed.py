# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that was killed is run again: where it goes on, and what is never taken back."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import deployment
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan import done_steps, failover_plan
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_steps import has_ticket
from plan_world import (
    CALL_NAMES,
    DRIVERS,
    PEOPLE,
    RUN,
    RUN_OUT,
    SAVING,
    after,
    allowed,
    changing,
    coordinated,
    dead,
    decision,
    done,
    every_step,
    guards,
    names,
    order,
    request,
    revoked,
    roles,
    state,
    step_of,
    ticket,
    undoing,
    with_ticket,
    without_ticket,
)


@pytest.fixture(params=DRIVERS)
def continuity(request, continuity):
    return coordinated(continuity, request.param)


# A run that was killed and is run again.


def test_killed_at_any_step_the_run_goes_on_to_the_same_end(continuity):
    """A fence or a stop is never believed from before; what looks before anything is touched would look too late."""
    for step in every_step(continuity):
        plan = failover_plan(continuity, decision(), state(), allowed(continuity, **after(continuity, step)))
        begun = step not in SAVING and step != "freeze_writes"
        assert names(plan) == order(continuity, begun), step
        assert (plan["refused"], plan["config_plane"]) == ([], True), step


def test_a_move_that_has_begun_goes_on_whatever_is_seen_meanwhile(continuity):
    """Stopped, fenced or promoted already, the survivor's master perhaps up: half-way there would be no master."""
    for step in every_step(continuity):
        if step in SAVING or step == "freeze_writes":
            continue
        for master, last in ((None, "fra"), ("ams", "ams")):
            asked = allowed(continuity, **{**after(continuity, step), "master": master})
            plan = failover_plan(continuity, decision(), state(last), asked)
            assert (names(plan), plan["refused"]) == (order(continuity, True), []), step


def test_nothing_is_taken_back_that_may_be_promoted(continuity):
    """Given back by a later start, two sites would be written to, or what was written since would be lost."""
    promoted = changing(continuity).index("promote_database")
    for step in changing(continuity):
        plan = failover_plan(continuity, decision(), state(), allowed(continuity, **after(continuity, step)))
        may = changing(continuity).index(step) < promoted
        assert names(plan, "undo") == (undoing(continuity) if may else []), step


@pytest.mark.parametrize("role", ["primary", "unknown", None])
def test_a_run_that_was_killed_within_the_promotion_is_not_taken_back(continuity, role):
    """Its journal has the beginning of the promotion and no end: only a database that is seen a standby is one."""
    before = changing(continuity)[changing(continuity).index("promote_database") - 1]
    asked = allowed(continuity, **{**after(continuity, before), "databases": roles("unknown", role)})
    plan = failover_plan(continuity, decision(), state(), asked)
    assert (plan["config_plane"], plan["undo"]) == (True, [])


@pytest.mark.parametrize("role", ["standby", "unknown", None])
def test_a_first_start_can_be_taken_back(continuity, role):
    plan = failover_plan(continuity, decision(), state(), allowed(continuity, databases=roles("unknown", role)))
    assert names(plan, "undo") == undoing(continuity)
    assert not any(step["door"] in ("take_over", "release", "freeze") for step in plan["undo"])


@with_ticket
def test_a_ticket_that_was_taken_and_not_given_goes_on_without_a_journal(continuity):
    """The journal lies at a site that is silent by now; the ticket tells."""
    asked = dead(continuity, ticket=revoked(), lag=0, databases=roles("unknown"))
    for last in ("fra", "ams", None):
        plan = failover_plan(continuity, decision(), state(last), asked)
        assert (names(plan), plan["refused"]) == (order(continuity, True), [])


@with_ticket
def test_a_ticket_that_the_survivor_took_for_a_promotion_goes_on_without_a_journal(continuity):
    """Killed within take_ticket: the survivor holds it, its database is a standby, nobody is the master."""
    asked = dead(continuity, ticket=ticket("ams"), lag=0, databases=roles("unknown", "standby"), attested_by=PEOPLE)
    plan = failover_plan(continuity, decision(), state("fra"), asked)
    assert plan["config_plane"]
    assert names(plan) == order(continuity, True)


@with_ticket
def test_a_ticket_that_was_given_back_ends_the_move(continuity):
    """The failed site holds it again: the configuration is where it was, and every guard is asked anew."""
    asked = dead(continuity, done=done(*changing(continuity)[:3]), ticket=ticket("fra"), master="fra")
    plan = failover_plan(continuity, decision(), state(), asked)
    assert plan["why"] == "the configuration stays at fra: its master is up"
    again = failover_plan(continuity, decision(), state(), {**asked, "master": None, "lag": 0})
    assert names(again) == order(continuity), "with its preflights"


@without_ticket
def test_what_was_taken_back_without_a_ticket_is_not_moving(continuity):
    begun = done("stop_old_master", "fence", at="2026-01-31T03:14:15Z")
    back = done("unfence", "restart_old_master", at="2026-01-31T03:15:15Z")
    asked = request(continuity, done={**begun, **back}, master="fra")
    plan = failover_plan(continuity, decision(), state(), asked)
    assert plan["why"] == "the configuration stays at fra: its master is up"
    anew = {**asked, "done": {**begun, **back, **done("fence", at="2026-01-31T03:16:15Z")}, "lag": 0}
    assert failover_plan(continuity, decision(), state(), anew)["config_plane"], "begun once more"


def test_calls_that_have_moved_do_not_make_the_configuration_move(continuity):
    there = ticket("ams") if has_ticket(continuity) else None
    for length in range(len(CALL_NAMES) + 1):
        asked = allowed(
            continuity, done=done(*CALL_NAMES[:length]), ticket=there, databases=roles("unknown", "primary")
        )
        assert names(failover_plan(continuity, decision(), state("ams"), asked)) == CALL_NAMES


def test_data_loss_is_not_asked_about_again_once_promoted_and_the_fence_is(continuity):
    """With a ticket: from when the survivor has it, for nobody writes any more, and the promotion judges for itself."""
    before = changing(continuity)[changing(continuity).index("promote_database") - 1]
    unjudged = ["fence"] if before == "take_ticket" else ["fence", "data_loss"]
    for step, expected in ((before, unjudged), ("promote_database", ["fence"])):
        plan = failover_plan(continuity, decision(), state(), dead(continuity, **after(continuity, step)))
        assert guards(plan) == expected


@with_ticket
def test_dead_hosts_are_outwaited_again_by_the_next_start(continuity):
    """The time that an earlier start has waited proves nothing to this one."""
    asked = dead(continuity, **{**after(continuity, "revoke_ticket"), "ticket": revoked()}, lag=0)
    plan = failover_plan(continuity, decision(), state(), asked)
    assert (plan["fence"]["kind"], step_of(plan, "revoke_ticket")["hosts"]) == (RUN_OUT, ["ams-db"])


# The journal.


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
    ("journal", "ended"),
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
def test_step_is_done_when_it_ended_well_on_every_host_that_began_it(journal, ended):
    assert list(done_steps(journal, RUN)) == ended


def test_hosts_of_every_step_are_known_to_the_deployment(continuity):
    known = deployment.step_hosts(continuity, "fra")
    assert {*order(continuity), *undoing(continuity)} <= set(known)
