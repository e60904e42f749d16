# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan that moves the configuration alone: planned, across a cut link, on again, back, or to be started again."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_unlocks import ROWS
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.move_plan import UNLOCKING, move_plan
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_steps import has_ticket
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_text import plan_text
from plan_world import (
    CALL_NAMES,
    DEAD_FRA,
    DRIVERS,
    PEOPLE,
    RUN,
    RUN_OUT,
    SAVING,
    SEEN,
    after,
    changing,
    coordinated,
    decision,
    done,
    every_step,
    guards,
    moves,
    names,
    planned,
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

NOBODY = decision("NO_MASTER", None, operator=["restart_master", "move_master"])
CUT = decision("PARTITION", None, operator=["pin_single_site"], forbidden=["promote_config"])
LONG_CUT = {**CUT, "operator": ["pin_single_site", "stay", "move_master", "accept_divergence"]}
STARTING = ["start_config_server", "repoint_names", "verify_configuration"]
OFFERING = {name for name, row in ROWS.items() if {offer.action for offer in row.operator} & set(UNLOCKING)}


@pytest.fixture(params=DRIVERS)
def continuity(request, continuity):
    return coordinated(continuity, request.param)


def asked(continuity, silent=(), **more):
    return request(continuity, silent, **{"scenario": "move_master", "failed_site": "", "master": "fra", **more})


def back(continuity, silent=(), **more):
    """To fra: from where ams has it, or was about to have it."""
    return asked(continuity, silent, **{"to_site": "fra", "master": None, **more})


# A planned move.


def test_the_whole_road_and_the_old_side_follows(continuity):
    plan = move_plan(continuity, planned(), state(), asked(continuity))
    assert names(plan) == [*moves(continuity), "resync_old"]
    assert (plan["failed"], plan["survivor"], plan["config_plane"]) == ("fra", "ams", True)
    assert (plan["refused"], plan["overrides"], plan["scenario"]) == ([], [], "move_master")
    assert plan["fence"] == {"kind": SEEN, "by": []}
    assert step_of(plan, "resync_old")["hosts"] == ["fra-db"]
    assert names(plan, "undo") == undoing(continuity)


def test_the_rule_is_symmetric(continuity):
    held = ticket("ams") if has_ticket(continuity) else None
    there = asked(continuity, to_site="fra", master="ams", ticket=held, databases=roles("standby", "primary"))
    plan = move_plan(continuity, planned(), state("ams"), there)
    assert names(plan) == [*moves(continuity), "resync_old"]
    assert (plan["failed"], plan["survivor"]) == ("ams", "fra")
    assert step_of(plan, "promote_database")["hosts"] == ["fra-db"]


def test_no_call_is_touched(continuity):
    plan = move_plan(continuity, planned(), state(), asked(continuity))
    assert not set(names(plan)) & set(CALL_NAMES)
    assert {step["plane"] for step in plan["steps"]} == {"configuration"}


def test_where_it_is_already_is_only_verified(continuity):
    held = ticket("ams") if has_ticket(continuity) else None
    there = asked(continuity, master="ams", ticket=held, databases=roles("standby", "primary"))
    plan = move_plan(continuity, planned(), state("ams"), there)
    assert (names(plan), plan["config_plane"], plan["changes"]) == (["verify_configuration"], False, False)
    assert plan["why"] == "the configuration is at ams already: only verified"


@pytest.mark.parametrize("verdict", sorted(ROWS))
def test_a_verdict_that_offers_no_move_gets_none(continuity, verdict):
    """The operator's column of the table, with every condition of it met."""
    offered = [offer.action for offer in ROWS[verdict].operator]
    plan = move_plan(continuity, decision(verdict, None, operator=offered), state(), asked(continuity))
    assert plan["config_plane"] == (verdict in OFFERING)
    assert guards(plan) == ([] if verdict in OFFERING else ["verdict"])
    assert all(refusal["blocks"] == "all" and "{" not in refusal["way"] for refusal in plan["refused"])


def test_a_dead_site_is_a_failover(continuity):
    plan = move_plan(continuity, decision(operator=["fence", "promote_config"]), state(), asked(continuity, DEAD_FRA))
    assert (plan["steps"], guards(plan)) == ([], ["verdict"])
    assert "playbooks/failover.yml" in plan["refused"][0]["way"]


def test_in_a_partition_only_when_it_is_a_long_one(continuity):
    assert guards(move_plan(continuity, CUT, state(), asked(continuity))) == ["verdict"]
    plan = move_plan(continuity, LONG_CUT, state(), asked(continuity, lag=0))
    assert (plan["refused"], plan["config_plane"]) == ([], True)


@with_ticket
def test_across_a_cut_link_the_ticket_runs_out_and_nobody_follows(continuity):
    plan = move_plan(continuity, LONG_CUT, state(), asked(continuity, DEAD_FRA, lag=0))
    assert (plan["refused"], plan["fence"]) == ([], {"kind": RUN_OUT, "by": []})
    assert "resync_old" not in names(plan)
    assert step_of(plan, "revoke_ticket")["hosts"] == ["ams-db"]


# Its guards.


@pytest.mark.parametrize("lag", [None, 5, 0])
def test_a_frozen_side_measures_the_lag_itself(continuity, lag):
    assert move_plan(continuity, planned(), state(), asked(continuity, lag=lag))["refused"] == []


@with_ticket
@pytest.mark.parametrize(("lag", "refused"), [(None, ["data_loss"]), (5, ["data_loss"]), (0, [])])
def test_a_side_that_cannot_be_frozen_measures_nothing(continuity, lag, refused):
    plan = move_plan(continuity, LONG_CUT, state(), asked(continuity, ("fra-db",), lag=lag))
    assert guards(plan) == refused
    assert plan["config_plane"] == (not refused)


@with_ticket
@pytest.mark.parametrize("found", [None, ticket("unknown"), "none"])
def test_a_ticket_that_nobody_can_read_refuses(continuity, found):
    assert guards(move_plan(continuity, planned(), state(), asked(continuity, ticket=found))) == ["ticket"]


def test_a_fence_that_nobody_can_prove_refuses(continuity):
    found = ticket(armed=False) if has_ticket(continuity) else None
    silent = asked(continuity, DEAD_FRA, ticket=found, lag=0)
    plan = move_plan(continuity, LONG_CUT, state(), silent)
    assert (plan["steps"], guards(plan)) == ([], ["fence"])
    plan = move_plan(continuity, LONG_CUT, state(), {**silent, "attested_by": PEOPLE})
    assert plan["fence"] == {"kind": "attested", "by": PEOPLE}


@pytest.mark.parametrize("host", ["ams-cfg", "ams-db"])
def test_both_hosts_of_the_new_side_must_answer(continuity, host):
    plan = move_plan(continuity, planned(), state(), asked(continuity, (host,)))
    assert "survivor_reachable" in guards(plan)
    assert (plan["steps"], plan["undo"], plan["fence"]) == ([], [], None)


def test_nobody_to_hold_the_run_lock(continuity):
    continuity["continuity_coordination"]["hosts"] = ["fra-dr-1"]
    assert guards(move_plan(continuity, planned(), state(), asked(continuity, ("fra-dr-1",)))) == ["coordination"]


# A move that was killed and is run again.


def test_killed_at_any_step_it_goes_on_to_the_same_end(continuity):
    for step in every_step(continuity)[len(SAVING) :]:
        again = asked(continuity, **{"master": None, **after(continuity, step)})
        plan = move_plan(continuity, NOBODY, state(), again)
        assert names(plan) == [*moves(continuity, step != "freeze_writes"), "resync_old"], step
        assert plan["refused"] == [], step


@pytest.mark.parametrize("verdict", sorted(set(ROWS) - {"OBSERVER_BLIND", "DUAL_MASTER"}))
def test_a_move_that_has_begun_needs_no_verdict(continuity, verdict):
    again = asked(continuity, **{"master": None, **after(continuity, "promote_database")})
    assert move_plan(continuity, decision(verdict, None), state(), again)["config_plane"]


@pytest.mark.parametrize("verdict", ["OBSERVER_BLIND", "DUAL_MASTER"])
def test_a_move_that_has_begun_stands_still_while_nobody_sees_or_two_write(continuity, verdict):
    again = asked(continuity, **{"master": "ams", **after(continuity, "promote_database")})
    plan = move_plan(continuity, decision(verdict, None), state(), again)
    assert (plan["steps"], guards(plan)) == ([], ["verdict"])


def test_nothing_is_taken_back_that_may_be_promoted(continuity):
    promoted = changing(continuity).index("promote_database")
    for step in changing(continuity):
        again = asked(continuity, **{"master": None, **after(continuity, step)})
        expected = undoing(continuity) if changing(continuity).index(step) < promoted else []
        assert names(move_plan(continuity, NOBODY, state(), again), "undo") == expected, step


def test_promoted_is_not_asked_for_its_lag_again(continuity):
    again = after(continuity, "promote_database")
    if has_ticket(continuity):
        again["ticket"] = ticket("ams", armed=True)
    plan = move_plan(continuity, NOBODY, state("ams"), asked(continuity, DEAD_FRA, **again, attested_by=PEOPLE))
    assert (plan["refused"], plan["config_plane"]) == ([], True)


# Back to where the ticket was taken from.


@with_ticket
@pytest.mark.parametrize("silent", [(), DEAD_FRA])
def test_a_ticket_that_was_taken_goes_back_by_a_move_to_where_it_was(continuity, silent):
    plan = move_plan(continuity, NOBODY, state(), back(continuity, silent, ticket=revoked()))
    assert names(plan) == undoing(continuity)
    assert (plan["failed"], plan["survivor"], plan["scenario"]) == ("fra", "ams", "return_master")
    assert (plan["fence"], plan["undo"], plan["refused"], plan["config_plane"]) == (None, [], [], True)
    assert step_of(plan, "return_ticket")["hosts"] == ["ams-db"]
    assert step_of(plan, "unfreeze")["hosts"] == ([] if silent else ["fra-db"])
    assert plan_text(plan)[0].startswith(f"Run {RUN}, the configuration back to fra: the ticket was taken from fra")


@with_ticket
def test_it_goes_back_when_the_site_that_should_have_it_has_failed_meanwhile(continuity):
    """Neither site could be written to: a failover of ams has nothing to fence, and fra has no ticket."""
    silent = ("ams-cfg", "ams-db", "ams-dr-1", "ams-dr-2", "ams-gw-1", "ams-gw-2")
    plan = move_plan(continuity, decision(site="ams"), state(), back(continuity, silent, ticket=revoked()))
    assert (names(plan), plan["refused"]) == (undoing(continuity), [])
    assert step_of(plan, "return_ticket")["hosts"] == ["fra-db"], "what nobody holds, any host may give back"
    assert step_of(plan, "return_ticket")["lost_hosts"] == []


@with_ticket
def test_it_goes_back_from_a_site_that_took_it_and_promoted_nothing(continuity):
    held = {"ticket": ticket("ams"), "databases": roles("unknown", "standby")}
    plan = move_plan(continuity, NOBODY, state("fra"), back(continuity, **held))
    assert names(plan) == undoing(continuity)
    assert step_of(plan, "return_ticket")["hosts"] == ["ams-db"], "only there it is seen that nothing was promoted"
    silent = move_plan(continuity, NOBODY, state("fra"), back(continuity, ("ams-db",), **held))
    assert (step_of(silent, "return_ticket")["hosts"], step_of(silent, "return_ticket")["lost_hosts"]) == (
        [],
        ["ams-db"],
    )


@with_ticket
@pytest.mark.parametrize(
    ("role", "last"), [("primary", "fra"), ("unknown", "fra"), (None, "fra"), ("standby", "ams"), ("standby", None)]
)
def test_it_does_not_go_back_from_a_site_that_may_have_written(continuity, role, last):
    held = {"ticket": ticket("ams"), "databases": roles("standby", role)}
    plan = move_plan(continuity, NOBODY, state(last), back(continuity, **held))
    assert plan["scenario"] == "move_master", "a move like any other, with its fence"
    assert plan["fence"] or plan["refused"]


@with_ticket
@pytest.mark.parametrize("verdict", ["OBSERVER_BLIND", "DUAL_MASTER", "SUSPECT", "SITE_DOWN"])
def test_it_does_not_go_back_under_every_verdict(continuity, verdict):
    """SITE_DOWN: of the very site that shall have it."""
    plan = move_plan(continuity, decision(verdict, "fra"), state(), back(continuity, ticket=revoked()))
    assert (plan["steps"], guards(plan)) == ([], ["verdict"])


@with_ticket
def test_it_does_not_go_back_without_the_run_lock(continuity):
    continuity["continuity_coordination"]["hosts"] = ["fra-dr-1"]
    plan = move_plan(continuity, NOBODY, state(), back(continuity, ("fra-dr-1",), ticket=revoked()))
    assert (plan["steps"], guards(plan)) == ([], ["coordination"])


# Nobody is the master.


@with_ticket
@pytest.mark.parametrize("role", ["primary", "unknown"])
def test_the_holder_of_the_ticket_is_started_again_and_nothing_is_taken_from_anybody(continuity, role):
    """Its database may have crashed: an undo here would give the ticket to the other side, which is behind."""
    plan = move_plan(continuity, NOBODY, state(), back(continuity, databases=roles(role, "standby")))
    assert names(plan) == ["take_ticket", "reopen_writes", *STARTING]
    assert (plan["undo"], plan["fence"], plan["overrides"], plan["config_plane"]) == ([], None, [], True)
    assert step_of(plan, "start_config_server")["hosts"] == ["fra-cfg"]
    assert step_of(plan, "take_ticket")["hosts"] == ["fra-cfg", "fra-db"]
    assert "its Configuration Server is started again" in plan_text(plan)[0]


@with_ticket
@pytest.mark.parametrize("role", ["primary", "unknown"])
def test_writes_are_not_reopened_beside_a_database_that_may_have_been_promoted(continuity, role):
    plan = move_plan(continuity, NOBODY, state(), back(continuity, databases=roles("primary", role)))
    assert names(plan) == ["take_ticket", *STARTING]


@with_ticket
def test_a_restart_that_failed_is_not_gone_on_with_as_a_move(continuity):
    """Its first step is one of a move, too; a move to fra would want to promote a database that is the primary."""
    plan = move_plan(continuity, NOBODY, state(), back(continuity, done=done("take_ticket")))
    assert names(plan) == ["take_ticket", "reopen_writes", *STARTING]
    fra_promoted_nothing = back(continuity, done=done("take_ticket"), databases=roles("standby", "unknown"))
    assert "promote_database" in names(move_plan(continuity, NOBODY, state("ams"), fra_promoted_nothing))


@without_ticket
def test_without_a_ticket_the_primary_tells_where_it_is_started_again(continuity):
    plan = move_plan(continuity, NOBODY, state(), back(continuity))
    assert names(plan) == ["reopen_writes", *STARTING]
    assert plan["undo"] == []
    both = move_plan(continuity, NOBODY, state(), back(continuity, databases=roles("primary", "primary")))
    assert both["fence"] == {"kind": SEEN, "by": []}, "of two primaries the other one is fenced first"
    assert both["undo"] == []


@without_ticket
def test_a_primary_that_came_back_is_not_started_while_the_other_database_says_nothing(continuity):
    """Ams has had it since a failover; fra's old primary is up, and nobody hears ams's database just now."""
    mute = back(continuity, databases=roles("primary", "unknown"))
    assert "promote_database" in names(move_plan(continuity, NOBODY, state("ams"), mute)) or guards(
        move_plan(continuity, NOBODY, state("ams"), mute)
    )
    assert names(move_plan(continuity, NOBODY, state("fra"), mute))[0] == "start_config_server"


@pytest.mark.parametrize("people", [[], ["alice"], ["alice", "Alice "]])
def test_one_person_allows_no_loss_where_the_move_measures_it(continuity, people):
    said = asked(continuity, allow_data_loss=RUN, attested_by=people)
    assert move_plan(continuity, planned(), state(), said)["overrides"] == []
    both = asked(continuity, allow_data_loss=RUN, attested_by=PEOPLE)
    assert [one["name"] for one in move_plan(continuity, planned(), state(), both)["overrides"]] == ["allow_data_loss"]


def test_a_holder_that_cannot_be_reached_is_not_started(continuity):
    plan = move_plan(continuity, NOBODY, state(), back(continuity, ("fra-cfg",)))
    assert (plan["steps"], guards(plan)) == ([], ["survivor_reachable"])


def test_nobody_is_the_master_and_the_other_side_shall_be(continuity):
    plan = move_plan(continuity, NOBODY, state(), asked(continuity, master=None))
    assert names(plan) == [*moves(continuity), "resync_old"]


def test_an_undone_move_can_be_begun_again(continuity):
    ended = done(*changing(continuity)[:2])
    undone = {name: "2026-01-31T03:20:00Z" for name in undoing(continuity)}
    plan = move_plan(continuity, planned(), state(), asked(continuity, done={**ended, **undone}))
    assert names(plan) == [*moves(continuity), "resync_old"], "from the beginning, with its preflights"
    assert names(plan, "undo") == undoing(continuity)


def test_text(continuity):
    lines = plan_text(move_plan(continuity, planned(), state(), asked(continuity)))
    assert lines[0] == f"Run {RUN}, the configuration from fra to ams: the configuration moves to ams."
    assert len(lines) == 1 + len(moves(continuity)) + 1
    assert lines[-1].endswith(
        "resync_old [configuration] on fra-db: the database of fra follows ams: until then the"
        " configuration has no second copy"
    )


def test_a_site_that_is_none(continuity):
    with pytest.raises(KeyError, match="mars"):
        move_plan(continuity, planned(), state(), asked(continuity, to_site="mars"))
