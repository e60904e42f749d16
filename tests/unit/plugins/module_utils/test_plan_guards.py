# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a failover's promotion stands on: the fence that can be had, and every other guard, each refused by name."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan import failover_plan
from plan_world import (
    ATTESTED,
    CALL_NAMES,
    DEAD_FRA,
    DRIVERS,
    PEOPLE,
    RUN,
    RUN_OUT,
    SEEN,
    allowed,
    coordinated,
    dead,
    decision,
    guards,
    names,
    request,
    state,
    step_of,
    ticket,
    unarmed,
    with_ticket,
    without_ticket,
)


@pytest.fixture(params=DRIVERS)
def continuity(request, continuity):
    return coordinated(continuity, request.param)


# The fence.


@pytest.mark.parametrize(
    ("silent", "armed", "kind", "at"),
    [
        ((), True, SEEN, ["fra-cfg", "fra-db"]),
        ((), False, SEEN, ["fra-cfg", "fra-db"]),
        (("fra-cfg",), True, RUN_OUT, ["ams-db"]),
        (("fra-db",), True, RUN_OUT, ["ams-db"]),
        (DEAD_FRA, True, RUN_OUT, ["ams-db"]),
        (("fra-db",), False, ATTESTED, ["ams-db"]),
        (("fra-cfg",), False, ATTESTED, ["ams-db"]),
        (DEAD_FRA, False, ATTESTED, ["ams-db"]),
    ],
)
@with_ticket
def test_the_best_fence_that_can_be_had(continuity, silent, armed, kind, at):
    """Every host of the old side must be seen: where two of them differ, what one of them says proves nothing."""
    asked = request(continuity, silent=silent, ticket=ticket(armed=armed), attested_by=PEOPLE, lag=0)
    plan = failover_plan(continuity, decision(), state(), asked)
    assert plan["refused"] == []
    assert plan["fence"] == {"kind": kind, "by": PEOPLE if kind == ATTESTED else []}
    assert [one["name"] for one in plan["overrides"]] == (["attested_fence"] if kind == ATTESTED else [])
    assert step_of(plan, "revoke_ticket")["hosts"] == at
    assert step_of(plan, "take_ticket")["hosts"] == ["ams-cfg", "ams-db"]


@pytest.mark.parametrize("silent", [(), ("fra-cfg",), DEAD_FRA])
@with_ticket
def test_what_can_be_seen_or_waited_for_needs_nobodys_word(continuity, silent):
    plan = failover_plan(continuity, decision(), state(), request(continuity, silent=silent, lag=0))
    assert plan["refused"] == []


@with_ticket
def test_a_dead_man_that_is_not_armed_is_none(continuity):
    plan = failover_plan(continuity, decision(), state(), dead(continuity, ticket=ticket(armed=False), lag=0))
    assert (names(plan), guards(plan)) == (CALL_NAMES, ["fence"])
    evidence = plan["refused"][0]["evidence"]
    assert "fra-cfg, fra-db of fra cannot be reached" in evidence
    assert "The ticket does not say that its dead-man is armed." in evidence


@without_ticket
def test_without_a_ticket_nothing_runs_out(continuity):
    plan = failover_plan(continuity, decision(), state(), dead(continuity, lag=0))
    assert guards(plan) == ["fence"]
    assert "dead-man" not in plan["refused"][0]["evidence"]


@without_ticket
def test_without_a_ticket_a_database_that_can_be_reached_is_fenced_whatever_people_say(continuity):
    for silent in ((), ("fra-cfg",)):
        plan = failover_plan(
            continuity, decision(), state(), request(continuity, silent=silent, attested_by=PEOPLE, lag=0)
        )
        assert (plan["fence"], plan["overrides"]) == ({"kind": SEEN, "by": []}, [])
        assert step_of(plan, "stop_old_master")["hosts"] == ([] if silent else ["fra-cfg"])
        assert step_of(plan, "fence")["hosts"] == ["fra-db"]


@without_ticket
def test_without_a_ticket_a_server_that_can_be_reached_is_no_proof_for_its_database(continuity):
    plan = failover_plan(continuity, decision(), state(), request(continuity, silent=("fra-db",), lag=0))
    assert guards(plan) == ["fence"]
    assert plan["refused"][0]["evidence"].startswith("fra-db of fra cannot be reached")


# The other guards.


def test_refusals_of_the_configuration_never_stop_the_calls(continuity):
    plan = failover_plan(continuity, decision(), state(), dead(continuity, ticket=unarmed(continuity)))
    assert (names(plan), guards(plan), plan["config_plane"]) == (CALL_NAMES, ["fence", "data_loss"], False)
    assert {refusal["blocks"] for refusal in plan["refused"]} == {"configuration"}
    assert (plan["fence"], plan["overrides"], plan["undo"]) == (None, [], [])


def test_data_loss_refusal_has_the_exact_command_line(continuity):
    refusal = failover_plan(continuity, decision(), state(), dead(continuity))["refused"][-1]
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


@pytest.mark.parametrize(("lag", "refused"), [(0, []), (1, ["data_loss"]), (None, ["data_loss"])])
def test_known_lag_within_the_limit_needs_no_override(continuity, lag, refused):
    assert guards(failover_plan(continuity, decision(), state(), request(continuity, lag=lag))) == refused


@pytest.mark.parametrize("silent", ["ams-cfg", "ams-db"])
def test_survivor_that_cannot_be_reached_cannot_take_over(continuity, silent):
    """Both of its hosts must have the ticket's lease: one that is silent may not know that it is taken away."""
    continuity["continuity_coordination"]["hosts"] = ["fra-dr-1", "ams-dr-1"]
    plan = failover_plan(continuity, decision(), state(), allowed(continuity, silent=(*DEAD_FRA, silent)))
    assert (names(plan), guards(plan)) == (CALL_NAMES, ["survivor_reachable"])


def test_without_a_host_for_the_run_lock_the_calls_move_and_the_configuration_does_not(continuity):
    continuity["continuity_coordination"]["hosts"] = ["fra-dr-1", "ams-dr-1"]
    plan = failover_plan(continuity, decision(), state(), allowed(continuity, silent=(*DEAD_FRA, "ams-dr-1")))
    assert (names(plan), guards(plan), plan["config_plane"]) == (CALL_NAMES, ["coordination"], False)
    refusal = plan["refused"][0]
    assert refusal["blocks"] == "configuration"
    assert "(fra-dr-1, ams-dr-1)" in refusal["evidence"] and refusal["way"]


def test_one_of_the_hosts_for_the_run_lock_is_enough(continuity):
    continuity["continuity_coordination"]["hosts"] = ["fra-dr-1", "ams-dr-1"]
    assert guards(failover_plan(continuity, decision(), state(), allowed(continuity))) == []
