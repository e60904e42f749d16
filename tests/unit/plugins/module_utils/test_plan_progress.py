# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""While a plan is carried out: whether the next step of the one-writer plane may run, and when all is taken back."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_outcome import LOCK_RESULTS, may_go_on
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_steps import LOOKING, has_ticket
from plan_world import (
    DRIVERS,
    after,
    changing,
    coordinated,
    moves,
    names,
    revoked,
    roles,
    undoing,
    with_ticket,
    without_ticket,
)
from run_world import CALL_STEPS, ENDINGS, LOCK_ENDINGS, STORES, Run, bad_ending, not_ready


@pytest.fixture(params=DRIVERS)
def continuity(request, continuity):
    return coordinated(continuity, request.param)


@pytest.fixture
def run(continuity):
    return Run(continuity)


PROMOTION = "promote_database"


def before_promotion(continuity):
    return changing(continuity)[: changing(continuity).index(PROMOTION)]


# Whether the next step may run.


def test_a_step_goes_on_after_good_ones(continuity):
    for step in moves(continuity):
        run = Run(continuity)
        for later in moves(continuity)[moves(continuity).index(step) :]:
            run.said(later, {})
        assert run.may(step), step


@bad_ending
def test_no_step_goes_on_after_a_bad_one(continuity, ending):
    for position, step in enumerate(moves(continuity)):
        for before in moves(continuity)[:position]:
            run = Run(continuity).said(before, ending)
            assert not run.may(step), (before, step)
            assert run.may(before)


@bad_ending
def test_nothing_is_promoted_after_a_fence_that_one_host_did_not_give(continuity, ending):
    """Of two hosts of the old side both must have been seen."""
    fence = "revoke_ticket" if has_ticket(continuity) else "fence"
    for host in next(step["hosts"] for step in Run(continuity).plan["steps"] if step["name"] == fence):
        run = Run(continuity).said(fence, ending, host=host)
        assert run.may(fence)
        assert not any(run.may(step) for step in (PROMOTION, "start_config_server", "repoint_names"))


@with_ticket
@bad_ending
def test_nothing_is_promoted_unless_every_host_of_the_new_side_has_the_lease(continuity, ending):
    for host in ("ams-cfg", "ams-db"):
        assert not Run(continuity).said("take_ticket", ending, host=host).may(PROMOTION)


def test_nothing_is_touched_that_is_not_fit(continuity):
    for step in ("preflight_database", "preflight_server"):
        run = Run(continuity).said(step, not_ready("disk"))
        assert not any(run.may(each) for each in changing(continuity))


def test_no_step_goes_on_without_any_store(run):
    assert not any(may_go_on(run.plan, step, run.hostvars, []) for step in moves(run.continuity))


def test_calls_that_went_wrong_do_not_stop_the_configuration(continuity):
    for step in CALL_STEPS:
        for ending in ENDINGS.values():
            run = Run(continuity).said(step, ending)
            assert all(run.may(move) for move in moves(continuity))


def test_a_lost_host_stops_what_comes_after_it(continuity):
    """The name's clients at the survivor cannot be reached: the step before that one is not touched by it."""
    continuity["continuity_service_names"]["confserv-master"]["clients"] = ["fra-cfg", "ams-dr-1"]
    lost = Run(continuity, silent=["ams-dr-1"])
    assert lost.may("start_config_server") and lost.may("repoint_names")
    assert "config" not in lost.scopes
    assert not lost.outcome["ok"]


# Whether the lock is held.


@without_ticket
@pytest.mark.parametrize("host", STORES)
@pytest.mark.parametrize(("what", "ending"), LOCK_ENDINGS)
def test_no_step_goes_on_unless_every_store_has_given_its_lock(run, host, what, ending):
    run.hostvars[host][what] = ending
    assert not any(run.may(step) for step in moves(run.continuity))
    outcome = run.outcome
    assert (outcome["ok"], outcome["status"]) == (False, "open")
    assert "The run lock is not held everywhere, so the configuration did not move." in outcome["summary"]


@with_ticket
@pytest.mark.parametrize("host", STORES)
@pytest.mark.parametrize(("what", "ending"), LOCK_ENDINGS)
def test_of_one_shared_store_one_host_that_gave_the_lock_is_enough_unless_another_was_refused(run, host, what, ending):
    """A host that could not ask says nothing; one that was refused says that a newer run has it."""
    run.hostvars[host][what] = ending
    assert all(run.may(step) == (not ending.get("refused")) for step in moves(run.continuity))


@with_ticket
@pytest.mark.parametrize(("what", "ending"), LOCK_ENDINGS)
def test_a_shared_store_that_gave_the_lock_to_nobody(run, what, ending):
    for host in STORES:
        run.hostvars[host][what] = ending
    assert not any(run.may(step) for step in moves(run.continuity))


@with_ticket
def test_a_lock_that_one_host_took_and_another_renewed_is_held_by_neither(run):
    first, second = STORES
    run.hostvars[first][LOCK_RESULTS[1]] = {"unreachable": True}
    run.hostvars[second][LOCK_RESULTS[0]] = {"unreachable": True}
    assert not run.may(PROMOTION)


def test_a_plan_that_only_verifies_needs_no_lock(continuity):
    again = Run(continuity, stored={"fra": "config"}).nobody_has_the_lock()
    assert again.may("verify_configuration")
    assert not again.undoes


# Whether what was begun is taken back.


def test_what_went_well_is_not_taken_back(run):
    assert not run.undoes
    assert not run.said("verify_configuration", {"failed": True}).undoes, "it is there, and writes or not"


@bad_ending
def test_nothing_is_taken_back_before_anything_was_touched(continuity, ending):
    for step in ("preflight_database", "preflight_server"):
        assert not Run(continuity).stopped_at(step, ending or {"failed": True}).undoes


TABLE = {
    # How the step ended: whether what was begun is taken back when it was the first, a middle one, the promotion.
    "failed": (True, True, False),
    "refused": (True, True, True),
    "unreachable": (True, True, False),
    "skipped": (False, True, True),
    "never asked": (False, True, True),
}
"""A promotion that failed in any other way than by a refusal may have happened."""


@pytest.mark.parametrize("how", TABLE)
def test_which_step_failed_and_how(continuity, how):
    first, *between = before_promotion(continuity)
    for step, expected in ((first, 0), *((each, 1) for each in between), (PROMOTION, 2)):
        assert Run(continuity).stopped_at(step, ENDINGS[how]).undoes == TABLE[how][expected], step


@pytest.mark.parametrize("how", ENDINGS)
def test_nothing_is_taken_back_once_it_was_promoted(continuity, how):
    for step in ("start_config_server", "repoint_names", "verify_configuration"):
        assert not Run(continuity).stopped_at(step, ENDINGS[how]).undoes


def test_nothing_is_taken_back_by_a_run_that_has_lost_the_lock(continuity):
    for step in before_promotion(continuity):
        assert not Run(continuity).stopped_at(step, ENDINGS["failed"]).nobody_has_the_lock().undoes


def test_nothing_is_taken_back_by_a_run_that_was_overtaken(continuity):
    """What it began is the newer run's, which may have fenced the old side again by now."""
    stale = {**ENDINGS["refused"], "refused": {"guard": "fencing token: only the newest run may change this host"}}
    for step in (*before_promotion(continuity), PROMOTION):
        run = Run(continuity).stopped_at(step, stale)
        assert not run.undoes
        assert not any(run.may(back) for back in undoing(continuity))
    run = Run(continuity).stopped_at(PROMOTION, ENDINGS["refused"])
    first, second = undoing(continuity)[:2]
    assert run.undoes and run.may(second)
    assert not run.said(first, stale).may(second), "met only on the way back"


def test_a_later_start_takes_nothing_back_that_an_earlier_one_may_have_promoted(continuity):
    """The second start is refused at its first step: for all that it did itself, nothing was promoted."""
    for database, expected in (("standby", True), ("primary", False), ("unknown", False)):
        stands = {**after(continuity, before_promotion(continuity)[-1]), "databases": roles("unknown", database)}
        again = Run(continuity, scenario="move_master", **stands)
        first = changing(continuity)[0]
        assert again.stopped_at(first, ENDINGS["refused"]).undoes == expected, database
    promoted = Run(continuity, scenario="move_master", **after(continuity, PROMOTION))
    assert not promoted.stopped_at(changing(continuity)[0], ENDINGS["refused"]).undoes


@with_ticket
def test_a_return_is_not_itself_taken_back(continuity):
    back = Run(continuity, scenario="move_master", to_site="fra", ticket=revoked())
    for step in undoing(continuity)[:-1]:
        assert not back.stopped_at(step, ENDINGS["failed"]).undoes


# The steps of the undo.


def test_each_step_of_the_undo_gives_back_what_it_can(continuity):
    run = Run(continuity).stopped_at(PROMOTION, ENDINGS["refused"])
    for step in undoing(continuity):
        assert run.said(step, ENDINGS["failed"]) and run.may(step)
    run.nobody_has_the_lock()
    assert not any(run.may(step) for step in undoing(continuity))


@with_ticket
def test_a_return_goes_step_by_step(continuity):
    """No log-in is given back beside a ticket that was not."""
    back = Run(continuity, scenario="move_master", to_site="fra", ticket=revoked())
    assert names(back.plan) == undoing(continuity)
    assert not back.said("return_ticket", ENDINGS["failed"]).may("unfreeze")
    assert not back.said("return_ticket", {"changed": True}).nobody_has_the_lock().may("return_ticket")


@pytest.fixture
def undone(continuity):
    """Refused at the promotion, and all of it taken back."""
    run = Run(continuity).stopped_at(PROMOTION, {**ENDINGS["refused"], "msg": "the standby is behind"})
    run.given_up()
    for step in run.plan["undo"]:
        run.said(step["name"], {"changed": step["door"] not in LOOKING, "detail": f"{step['name']} done"})
    return run


def test_what_was_taken_back_is_told_after_how_far_it_came(undone):
    outcome = undone.outcome
    assert (outcome["ok"], outcome["status"], outcome["undone"]) == (False, "open", True)
    assert outcome["summary"].endswith("Taken back: the configuration stays at fra.")
    sentences = outcome["sentences"]
    failed = sentences.index("promote_database ams-db: the standby is behind")
    assert all(sentences.index(f"{name} {host}: {name} done") > failed for name, host in told(undone))
    assert [event["scope"] for event in outcome["events"]] == ["call"]


def test_what_comes_last_is_told_once_after_the_undo(undone):
    undone.said("verify_desktops", {"detail": "40 of 40", "there": 40, "before": 40})
    outcome = undone.outcome
    assert [line for line in outcome["sentences"] if line.startswith("verify_desktops ams-dr-1")] == [
        "verify_desktops ams-dr-1: 40 of 40"
    ]
    assert [check["ok"] for check in outcome["checks"] if check["name"] == "verify_desktops"] == [True]
    assert outcome["measured"]["agents_logged_in"] == "40 of 40"
    assert "verify_desktops" not in outcome["summary"]


def told(run):
    return [(step["name"], host) for step in run.plan["undo"] for host in step["hosts"]]


def test_the_forward_results_are_kept_though_the_undo_writes_over_them(undone):
    """The same role on the same host: what the fence did is not what its undo did."""
    first = before_promotion(undone.continuity)[0]
    records = [one for one in undone.outcome["journal"] if one["step"] == first]
    assert [record["detail"] for record in records] == [f"{first} done"]
    assert {step["name"] for step in undone.plan["undo"]} - {"verify_undone"} <= {
        one["step"] for one in undone.outcome["journal"]
    }
    assert undone.outcome["checks"][-2]["name"] == "verify_undone"


@bad_ending
def test_what_could_not_be_taken_back_is_said_loudly(undone, ending):
    for step in undoing(undone.continuity):
        assert f"NOT taken back: {step}" in undone.said(step, ending).outcome["summary"]
        undone.said(step, {"changed": True})
