# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plays of a run are the steps of a plan: a step without its play, or out of its order, would go unnoticed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_outcome import LOCK_RESULTS, RESULTS
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_steps import (
    CALLS,
    DESKTOPS,
    LOOKING,
    REOPEN,
    RESYNC,
    UNDO_WITH_TICKET,
    UNDO_WITHOUT_TICKET,
    WITH_TICKET,
    WITHOUT_TICKET,
)

ROOT = Path(__file__).parents[3]
GROUP = "continuity_step_"
ROLE = "ansible.builtin.import_role"
PLAYBOOK = "ansible.builtin.import_playbook"
OF_A_LINK = "record_divergence"
"""A step within the move that only the plan of a network failure has: test_link_plays.py judges its play."""
CHANGING_A_SITE = ("failover.yml", "move_master.yml", "resync.yml", "network_failure.yml", "heal.yml")


def imported(name):
    """The plays and imports of a playbook, one after the other, each import before what it imports."""
    for play in yaml.safe_load((ROOT / "playbooks" / name).read_text()):
        yield play
        if PLAYBOOK in play:
            yield from imported(play[PLAYBOOK])


def steps_of(name):
    """The names of a playbook's steps, in its order."""
    hosts = [play["hosts"] for play in imported(name) if "hosts" in play]
    return [group[len(GROUP) :] for group in hosts if group.startswith(GROUP) and group != GROUP + OF_A_LINK]


UNDO = (*UNDO_WITH_TICKET, *UNDO_WITHOUT_TICKET)
FORWARD = (*WITH_TICKET, *WITHOUT_TICKET, REOPEN, *RESYNC)
ROADS = {
    "with a ticket": (*WITH_TICKET, *RESYNC, *UNDO_WITH_TICKET),
    "without": (*WITHOUT_TICKET, *RESYNC, *UNDO_WITHOUT_TICKET),
}
KINDS = {kind.name: kind for kind in (*CALLS, *FORWARD, *UNDO, *DESKTOPS)}
OF_CALLS = {kind.name for kind in (*CALLS, *DESKTOPS)}
MOVES = [name for name in KINDS if name not in OF_CALLS]
PLAYS = [play for play in imported("failover.yml") if "hosts" in play]
STEPS = {play["hosts"][len(GROUP) :]: play for play in PLAYS if play["hosts"].startswith(GROUP)}

of_each_step = pytest.mark.parametrize("name", KINDS)


def conditions(task):
    """A task's conditions as a list, however they are written."""
    found = task.get("when", [])
    return found if isinstance(found, list) else [found]


def block(name):
    """The one block of a step's play."""
    tasks = STEPS[name]["tasks"]
    assert len(tasks) == 1, "a task beside the block would not be rescued"
    return tasks[0]


def role_calls(name):
    return [task for task in block(name)["block"] if ROLE in task]


def registered(tasks):
    """Every name that a play registers, in its order."""
    for task in tasks:
        if "register" in task:
            yield task["register"]
        yield from registered(task.get("block", []))


# Every step of every plan, in its order.


@pytest.mark.parametrize("road", ROADS)
def test_the_steps_of_a_failover_stand_in_the_plans_order(road):
    expected = [kind.name for kind in (*CALLS, *ROADS[road], *DESKTOPS)]
    assert [name for name in steps_of("failover.yml") if name in expected] == expected


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("name", ["move_master.yml", "resync.yml"])
def test_the_steps_of_a_move_stand_in_the_plans_order_and_none_is_of_the_calls(name, road):
    expected = [kind.name for kind in ROADS[road]]
    assert [each for each in steps_of(name) if each in expected] == expected
    assert set(steps_of(name)) == set(MOVES)


def test_no_play_is_a_step_of_no_plan_and_none_is_played_twice():
    assert sorted(steps_of("failover.yml")) == sorted(KINDS)


@pytest.mark.parametrize("name", ["failover.yml", "move_master.yml", "network_failure.yml"])
def test_whatever_is_taken_back_is_taken_back_after_all_that_went_forward(name):
    order = steps_of(name)
    last = max(order.index(kind.name) for kind in FORWARD)
    assert all(order.index(kind.name) > last for kind in UNDO)


@pytest.mark.parametrize("name", CHANGING_A_SITE)
def test_every_run_is_planned_locked_and_closed(name):
    imports = [play[PLAYBOOK] for play in imported(name) if PLAYBOOK in play]
    places = [imports.index(each) for each in ("preflight.yml", "observe.yml", "plan.yml", "lock.yml", "close.yml")]
    assert places == sorted(places)
    assert imports[-1] == "close.yml", "nothing is done after the report"
    of_steps = [play for play in imported(name) if play.get("hosts", "").startswith(GROUP)]
    whole = list(imported(name))
    assert all(whole.index(play) > index_of(whole, "lock.yml") for play in of_steps)
    assert all(whole.index(play) < index_of(whole, "close.yml") for play in of_steps)


def index_of(plays, name):
    return next(index for index, play in enumerate(plays) if play.get(PLAYBOOK) == name)


# Each step's play.


@of_each_step
def test_a_play_is_named_for_its_step(name):
    assert STEPS[name]["name"].startswith(f"Step {name}: ")
    assert STEPS[name]["gather_facts"] is False


@of_each_step
def test_a_play_ends_with_the_door_of_its_step(name):
    call = role_calls(name)[-1]
    kind = KINDS[name]
    assert call is block(name)["block"][-1], "nothing may fail after the step was done"
    assert call[ROLE]["name"] == f"contactcenter.sip_dr.{kind.role}"
    assert call[ROLE]["tasks_from"] == kind.door


@of_each_step
def test_a_door_leaves_what_happened_where_the_outcome_looks_for_it(name):
    """Two doors of one role on one host: the later one must not hide what the earlier one said."""
    kind = KINDS[name]
    expected = kind.result or f"__{kind.role}_{RESULTS.get(kind.door, 'result')}"
    tasks = yaml.safe_load((ROOT / "roles" / kind.role / "tasks" / f"{kind.door}.yml").read_text())
    assert list(registered(tasks))[-1] == expected


@of_each_step
def test_a_play_passes_through_no_other_door_that_changes(name):
    for call in role_calls(name)[:-1]:
        assert call[ROLE]["tasks_from"] in LOOKING


@of_each_step
def test_what_goes_wrong_is_rescued(name):
    rescue = block(name)["rescue"]
    assert [set(task) - {"name"} for task in rescue] == [{"ansible.builtin.debug"}], (
        "a rescue that can fail rescues nothing"
    )
    assert "default" in rescue[0]["ansible.builtin.debug"]["msg"]


@of_each_step
def test_a_step_is_journalled_and_fenced_by_token_under_its_own_name(name):
    kind = KINDS[name]
    given = role_calls(name)[-1]["vars"]
    named = "{{ run_of | combine({'step': 'NAME'}) }}".replace("NAME", name)
    expected = named if kind.door not in LOOKING else None
    assert given.get(f"{kind.role}_run") == expected
    assert given.get(f"{kind.role}_state_dir") == ("{{ directory }}" if expected else None)


@pytest.mark.parametrize("name", MOVES)
def test_a_step_of_the_configuration_asks_whether_it_may(name):
    assert f"plan | contactcenter.sip_dr.may_go_on('{name}', hostvars, stores)" in conditions(block(name))


@of_each_step
def test_no_step_asks_by_the_name_of_another(name):
    asked = [one for one in conditions(block(name)) if "may_go_on" in one]
    assert all(f"may_go_on('{name}'," in one for one in asked)
    assert not asked or name in MOVES, "calls wait for nothing"


@of_each_step
def test_only_what_can_not_be_seen_before_it_is_done_is_left_out_in_check_mode(name):
    left_out = any("ansible_check_mode" in one for one in conditions(block(name)))
    assert left_out == (KINDS[name].door == "verify")


@of_each_step
def test_a_host_that_is_lost_meanwhile_ends_no_run(name):
    assert STEPS[name].get("ignore_unreachable") is True


# What stands between the steps.


def marks():
    """The plays of a failover, each by its step or by what it registers."""
    return [
        play["hosts"][len(GROUP) :] if play in STEPS.values() else tuple(registered(play["tasks"])) for play in PLAYS
    ]


def test_the_lock_is_taken_before_the_first_step_and_renewed_before_the_configuration():
    order = marks()
    taken, renewed = (order.index((name,)) for name in LOCK_RESULTS)
    assert taken < order.index("prefer_survivor")
    assert order.index("verify_call_plane") < renewed < min(order.index(name) for name in MOVES)


def test_how_far_it_came_is_kept_before_the_undo_writes_over_it():
    play = next(play for play in PLAYS if "must_undo" in str(play))
    asked, (kept, named) = conditions(play["tasks"][0]), play["tasks"][0]["block"]
    assert asked == ["not ansible_check_mode", "plan | contactcenter.sip_dr.must_undo(hostvars, stores)"]
    assert "continuity_forward" in kept["ansible.builtin.set_fact"]
    assert named["loop"] == "{{ plan.undo | subelements('hosts') }}"
    place = PLAYS.index(play)
    assert all(PLAYS.index(STEPS[kind.name]) < place for kind in FORWARD)
    assert all(PLAYS.index(STEPS[kind.name]) > place for kind in UNDO)


def test_what_was_attested_is_looked_at_again_just_before_the_promotion():
    first, second, last = block("promote_database")["block"]
    assert first[ROLE]["tasks_from"] == "observe"
    assert "__site_observer_probe.answers" in second["ansible.builtin.assert"]["that"]
    assert conditions(first) == conditions(second) == ["plan.fence.kind == 'attested'"]
    assert last[ROLE]["tasks_from"] == "take_over" and not conditions(last)


def test_the_promotion_is_given_the_proof_the_lease_and_the_end_of_the_log():
    given = role_calls("promote_database")[-1]["vars"]
    assert given["config_database_fence"] == "{{ fence_proof }}"
    assert given["config_database_lease"] == "{{ lease }}"
    assert given["config_database_frozen"] == "{{ frozen }}"


@pytest.mark.parametrize("name", ["unfreeze", "unfence"])
def test_log_ins_are_given_back_only_beside_a_standby(name):
    assert role_calls(name)[-1]["vars"]["config_database_peer_role"] == "standby"


def test_writes_are_reopened_with_the_role_that_the_other_database_was_seen_in():
    assert role_calls("reopen_writes")[-1]["vars"]["config_database_peer_role"] == "{{ old_role }}"


def test_a_store_that_is_lost_does_not_end_the_run_before_the_calls_are_saved():
    """Ansible ends everything with a play of which all hosts have failed: without a majority every one of them does."""
    first = PLAYS.index(STEPS[CALLS[0].name])
    asked = [play for play in PLAYS[:first] if play["hosts"] in ("continuity_stores", "continuity_run_stores")]
    assert {play["hosts"] for play in asked} == {"continuity_stores", "continuity_run_stores"}
    for play in asked:
        assert play["ignore_unreachable"], play["name"]
        assert all("rescue" in task for task in play["tasks"]), play["name"]
