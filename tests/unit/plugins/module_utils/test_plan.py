# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a site failover, with a ticket and without: its order, its verdicts, who had the right to write."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_unlocks import ROWS
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan import failover_plan
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_refusals import FAILOVER_VERDICTS, WAYS
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_steps import LOOKING, has_ticket
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_text import plan_text
from plan_world import (
    ATTESTED,
    CALL_NAMES,
    DEAD_FRA,
    DRIVERS,
    PEOPLE,
    RUN,
    allowed,
    coordinated,
    dead,
    decision,
    guards,
    kinds,
    moves,
    names,
    order,
    roles,
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


# The road, its order and its hosts.


def test_the_whole_road_in_its_order(continuity):
    plan = failover_plan(continuity, decision(), state(), allowed(continuity))
    assert names(plan) == order(continuity)
    assert (plan["failed"], plan["survivor"], plan["config_plane"], plan["refused"]) == ("fra", "ams", True, [])
    assert plan["fence"] == {"kind": ATTESTED, "by": PEOPLE}
    assert [override["name"] for override in plan["overrides"]] == ["attested_fence", "allow_data_loss"]
    assert all(step["why"] and step["role"] and step["door"] for step in plan["steps"])
    assert not any("{" in step["why"] for step in plan["steps"])


def test_nothing_is_touched_before_it_is_seen_fit_and_nothing_promoted_before_the_fence():
    expected = {
        "files": ["preflight_database", "preflight_server", "stop_old_master", "fence", "promote_database"],
        "etcd": [
            "preflight_database",
            "preflight_server",
            "freeze_writes",
            "revoke_ticket",
            "take_ticket",
            "promote_database",
        ],
    }
    ends = ["start_config_server", "repoint_names", "verify_configuration"]
    for driver, begins in expected.items():
        assert moves({"continuity_coordination": {"driver": driver}}) == [*begins, *ends]


@with_ticket
def test_the_doors_of_the_fence(continuity):
    doors = {name: (kind.role, kind.door) for name, kind in kinds(continuity).items()}
    assert doors["freeze_writes"] == ("config_database", "freeze")
    assert doors["revoke_ticket"] == ("continuity_guard", "release")
    assert doors["take_ticket"] == ("continuity_guard", "take_over")
    assert kinds(continuity)["revoke_ticket"].result != "", "take_ticket on the same host must not hide the proof"


@without_ticket
def test_the_doors_of_the_fence_without_a_ticket(continuity):
    doors = {name: (kind.role, kind.door) for name, kind in kinds(continuity).items()}
    assert doors["stop_old_master"] == ("config_server", "release")
    assert doors["fence"] == ("config_database", "release")


def test_hosts_that_are_silent_are_named_as_skipped(continuity):
    plan = failover_plan(continuity, decision(), state(), allowed(continuity))
    by_name = {step["name"]: (step["hosts"], step["skipped_hosts"]) for step in plan["steps"]}
    assert by_name["prefer_survivor"] == (["ams-gw-1", "ams-gw-2"], ["fra-gw-1", "fra-gw-2"])
    assert by_name["promote_database"] == (["ams-db"], [])
    assert by_name["repoint_names"] == (["ams-cfg"], ["fra-cfg"])
    old = ["freeze_writes"] if has_ticket(continuity) else ["fence"]
    assert [by_name[name] for name in old] == [([], ["fra-db"])]
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
        "verify_desktops": ["ams-dr-1"],
    }
    assert plan["steps"][0]["skipped_hosts"] == ["fra-gw-1", "fra-gw-2", "ams-gw-2"]


def test_the_rule_is_symmetric(continuity):
    silent = ("ams-dr-1", "ams-dr-2", "ams-cfg", "ams-db", "ams-gw-1", "ams-gw-2")
    held = ticket("ams", armed=False) if has_ticket(continuity) else None
    asked = allowed(continuity, silent=silent, failed_site="ams", ticket=held, databases=roles("standby", "unknown"))
    plan = failover_plan(continuity, decision(site="ams"), state("ams"), asked)
    assert names(plan) == order(continuity)
    assert plan["survivor"] == "fra"
    assert step_of(plan, "promote_database")["hosts"] == ["fra-db"]


def test_unfit_peer_is_still_the_operators_choice(continuity):
    plan = failover_plan(continuity, decision("SITE_DOWN_PEER_UNFIT"), state(), allowed(continuity))
    assert names(plan) == order(continuity)


def test_no_provisioned_phone_no_step(continuity):
    del continuity["continuity_provisioning"]
    assert "move_phones" not in names(failover_plan(continuity, decision(), state("ams"), allowed(continuity)))


def test_no_desktops_no_step(continuity):
    del continuity["continuity_desktops"]
    plan = failover_plan(continuity, decision(), state(), allowed(continuity))
    assert names(plan) == [name for name in order(continuity) if name != "verify_desktops"]


def test_a_survivor_whose_desktops_would_miss_something_is_said_to_and_refuses_nothing(continuity):
    for lost, notes in {("ams-gw-1",): [], ("proxy", "lca:ams-cfg"): ["Configuration Server Proxy"]}.items():
        plan = failover_plan(continuity, decision(), state(), allowed(continuity, lost=list(lost)))
        assert (names(plan), plan["refused"]) == (order(continuity), [])
        assert [note for note in plan["notes"] if "not fit" in note] == plan["notes"]
        assert all(words in note for words, note in zip(notes, plan["notes"])) and len(plan["notes"]) == len(notes)
    both = failover_plan(continuity, decision(), state(), allowed(continuity, lost=["proxy", "stat server"]))
    assert "Stat Server and Configuration Server Proxy not in service" in plan_text(both)[-1]


@pytest.mark.parametrize(("driver", "lock"), [("files", "all"), ("etcd", "any")])
def test_who_must_have_given_the_lock(continuity, driver, lock):
    """Each host its own lock: all of them; one store for all: any of them speaks for its majority."""
    plan = failover_plan(coordinated(continuity, driver), decision(), state(), allowed(continuity))
    assert plan["lock"] == lock


# Other verdicts.


@pytest.mark.parametrize("verdict", sorted(set(ROWS) - set(FAILOVER_VERDICTS)))
def test_no_other_verdict_gets_a_plan(continuity, verdict):
    plan = failover_plan(continuity, decision(verdict, site=None), state(), allowed(continuity))
    assert (plan["steps"], plan["undo"], plan["config_plane"], guards(plan)) == ([], [], False, ["verdict"])
    refusal = plan["refused"][0]
    assert refusal["blocks"] == "all"
    assert f"The verdict is {verdict}, not SITE_DOWN fra." in refusal["evidence"]
    assert "peer 0/2, witness 0/1" in refusal["evidence"]
    assert verdict in WAYS
    assert "{" not in refusal["way"]


def test_suspect_names_attestation_and_partition_its_playbook(continuity):
    suspect = failover_plan(continuity, decision("SUSPECT"), state(), dead(continuity))["refused"][0]
    assert "-e continuity_first_attester=alice -e continuity_second_attester=bob" in suspect["way"]
    cut = failover_plan(continuity, decision("PARTITION", None), state(), dead(continuity))["refused"][0]
    assert "playbooks/network_failure.yml" in cut["way"]
    nobody = failover_plan(continuity, decision("NO_MASTER", None), state(), dead(continuity))["refused"][0]
    assert "playbooks/move_master.yml" in nobody["way"]


def test_the_other_site_is_down(continuity):
    plan = failover_plan(continuity, decision(site="ams"), state(), dead(continuity))
    assert plan["steps"] == []
    assert "-e continuity_failed_site=ams" in plan["refused"][0]["way"]


def test_what_the_decision_forbids_is_refused(continuity):
    plan = failover_plan(continuity, decision(forbidden=["promote_config"]), state(), allowed(continuity))
    assert (names(plan), guards(plan)) == (CALL_NAMES, ["forbidden"])
    asked = allowed(continuity, ticket=ticket("ams") if has_ticket(continuity) else None, databases=None)
    plan = failover_plan(continuity, decision(forbidden=["prefer_survivor"]), state("ams"), asked)
    assert (names(plan), plan["refused"][0]["blocks"]) == ([], "call")


# Who had the right to write.


@with_ticket
def test_configuration_stays_where_the_ticket_is(continuity):
    asked = dead(continuity, ticket=ticket("ams"), databases=roles("unknown", "primary"))
    plan = failover_plan(continuity, decision(), state("fra"), asked)
    assert (names(plan), plan["config_plane"], plan["refused"], plan["undo"]) == (CALL_NAMES, False, [], [])
    assert plan["why"] == "the configuration stays at ams: it holds the ticket"


@with_ticket
def test_the_ticket_outweighs_the_last_master(continuity):
    plan = failover_plan(continuity, decision(), state("ams"), dead(continuity, lag=0))
    assert plan["config_plane"], "fra holds it, whatever was seen last"


@without_ticket
def test_configuration_stays_where_the_master_was_last_seen(continuity):
    plan = failover_plan(continuity, decision(), state("ams"), dead(continuity))
    assert (names(plan), plan["config_plane"], plan["refused"]) == (CALL_NAMES, False, [])
    assert plan["why"] == "the configuration stays at ams: it was the last master seen"


@with_ticket
def test_a_ticket_that_nobody_has_had_yet_leaves_it_to_the_last_master(continuity):
    seed = ticket(None)
    stays = failover_plan(continuity, decision(), state("ams"), dead(continuity, ticket=seed))
    assert stays["why"] == "the configuration stays at ams: it was the last master seen"
    assert guards(failover_plan(continuity, decision(), None, dead(continuity, ticket=seed))) == ["last_master"]


@pytest.mark.parametrize("holder", ["fra", "ams"])
def test_configuration_stays_where_a_master_is_up(continuity, holder):
    plan = failover_plan(continuity, decision(), state(), allowed(continuity, silent=(), master=holder))
    assert (names(plan), plan["config_plane"]) == (CALL_NAMES, False)
    assert plan["why"] == f"the configuration stays at {holder}: its master is up"


@pytest.mark.parametrize("stored", [None, {}, {"last_master": None}])
@without_ticket
def test_unknown_last_master_refuses_and_calls_move(continuity, stored):
    plan = failover_plan(continuity, decision(), stored, allowed(continuity))
    assert (names(plan), guards(plan), plan["config_plane"]) == (CALL_NAMES, ["last_master"], False)


@pytest.mark.parametrize("found", [None, ticket("unknown"), "none"])
@with_ticket
def test_a_ticket_that_nobody_can_read_refuses_whatever_people_say(continuity, found):
    plan = failover_plan(continuity, decision(), state(), allowed(continuity, ticket=found, lag=0))
    assert (names(plan), guards(plan), plan["config_plane"]) == (CALL_NAMES, ["ticket"], False)
    assert "(fra-cfg, ams-cfg, par-witness)" in plan["refused"][0]["evidence"]


@with_ticket
def test_a_site_that_lost_its_ticket_to_a_move_is_not_called_the_one_that_has_the_configuration(continuity):
    """The move to fra was killed after it took the ticket from ams, and now fra has failed: nobody is the writer."""
    taken = ticket(None, revoked_from="ams")
    plan = failover_plan(continuity, decision(), state("ams"), dead(continuity, ticket=taken))
    assert (names(plan), guards(plan)) == (CALL_NAMES, ["ticket"])
    assert "-e continuity_to_site=ams" in plan["refused"][0]["way"]


# A site that was failed over before.


def test_failed_over_with_the_configuration_is_only_verified(continuity):
    stored = state("ams", failed_over={"fra": "config"})
    for verdict, desktops in (("SITE_DOWN", ["verify_desktops"]), ("RETURNING", [])):
        plan = failover_plan(continuity, decision(verdict), stored, allowed(continuity, failed_over=True))
        assert names(plan) == ["verify_call_plane", "verify_configuration", *desktops]
        assert (plan["config_plane"], plan["refused"], plan["changes"]) == (False, [], False)


def test_a_gateway_that_was_dead_during_the_failover_follows_when_it_is_back(continuity):
    stored, back = state("ams", failed_over={"fra": "config"}), {"fra-gw-1": "fra", "ams-gw-1": "ams"}
    plan = failover_plan(
        continuity, decision("RETURNING", "fra"), stored, allowed(continuity, failed_over=True, prefers=back)
    )
    assert names(plan)[:2] == ["prefer_survivor", "verify_call_plane"]
    assert all(step["door"] in LOOKING for step in plan["steps"][1:])
    assert (plan["refused"], plan["config_plane"], plan["changes"]) == ([], False, True)
    assert "fra-gw-1 did not follow yet" in plan["why"]


@pytest.mark.parametrize("verdict", [decision("SITE_DOWN", "ams"), decision(forbidden=["prefer_survivor"])])
def test_no_gateway_follows_to_a_site_that_is_ill_or_while_it_is_forbidden(continuity, verdict):
    stored, back = state("ams", failed_over={"fra": "config"}), {"fra-gw-1": "fra"}
    plan = failover_plan(continuity, verdict, stored, allowed(continuity, failed_over=True, prefers=back))
    assert all(step["door"] in LOOKING for step in plan["steps"])


def test_failed_over_with_the_calls_is_only_verified(continuity):
    stored = state("ams", failed_over={"fra": "call"})
    there = ticket("ams") if has_ticket(continuity) else None
    asked = dead(continuity, failed_over=True, ticket=there, databases=roles("unknown", "primary"))
    for verdict, desktops in (("SITE_DOWN", ["verify_desktops"]), ("RETURNING", [])):
        plan = failover_plan(continuity, decision(verdict), stored, asked)
        assert (names(plan), plan["refused"]) == (["verify_call_plane", *desktops], [])


def test_configuration_follows_calls_that_moved_before_once_its_guards_are_met(continuity):
    stored = state("fra", failed_over={"fra": "call"})
    asked = dead(continuity, failed_over=True, ticket=unarmed(continuity))
    waiting = failover_plan(continuity, decision(), stored, asked)
    assert (names(waiting), guards(waiting)) == (["verify_call_plane", "verify_desktops"], ["fence", "data_loss"])
    plan = failover_plan(continuity, decision(), stored, allowed(continuity, failed_over=True))
    assert names(plan) == ["verify_call_plane", *moves(continuity), "verify_desktops"]


# In words.


def test_text_has_one_line_for_each_step_and_refusal(continuity):
    plan = failover_plan(continuity, decision(), state(), dead(continuity, ticket=unarmed(continuity)))
    lines = plan_text(plan)
    assert len(lines) == 1 + len(CALL_NAMES) + 2
    assert lines[0].startswith(f"Run {RUN}, failover of fra to ams: the configuration does not move")
    assert lines[1].startswith("1. prefer_survivor [call] on ams-gw-1, ams-gw-2 (not reached: fra-gw-1, fra-gw-2): ")
    assert lines[-1].startswith("REFUSED (configuration) data_loss: ")
    assert f"continuity_allow_data_loss={RUN}" in lines[-1]


def test_text_says_whose_word_the_promotion_stands_on(continuity):
    lines = plan_text(failover_plan(continuity, decision(), state(), allowed(continuity)))
    assert lines[-1] == "The fence of fra is attested by alice and bob: it can be neither seen nor waited for."
    assert len(lines) == 1 + len(order(continuity)) + 1


def test_text_of_nothing_to_do(continuity):
    lines = plan_text(failover_plan(continuity, decision("NORMAL", None), state(), dead(continuity)))
    assert lines[1] == "Nothing to do."


def test_text_of_a_scenario_with_its_own_heading_and_notes(continuity):
    plan = failover_plan(continuity, decision(), state(), dead(continuity))
    lines = plan_text({**plan, "scenario": "of its own", "heading": "the link is cut", "notes": ["Ask the carrier."]})
    assert lines[0].startswith(f"Run {RUN}, the link is cut: ")
    assert "Ask the carrier." in lines
