# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plays of a network failure, and of healing, are the steps of their plans, in their order, each with its door."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import network_steps
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.network_steps import (
    HEAL,
    NETWORK_FAILURE,
    PIN,
    RECORD,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_steps import (
    CONFIGURATION,
    LOOKING,
    WITH_TICKET,
    WITHOUT_TICKET,
)

PLAYBOOKS = Path(__file__).parents[3] / "playbooks"
ROLES = PLAYBOOKS.parent / "roles"
GROUP = "continuity_step_"
IMPORT, CALL = "ansible.builtin.import_playbook", "ansible.builtin.import_role"
MOVE_NAME = "configuration"
MOVE = f"{MOVE_NAME}.yml"
NO_ROLES = {"continuity_store"}


def plays(name):
    """A playbook's plays with those of both_sites.yml in their place; other imports stand as their file's name."""
    for play in yaml.safe_load((PLAYBOOKS / f"{name}.yml").read_text()):
        if play.get(IMPORT) == "both_sites.yml":
            yield from plays("both_sites")
        else:
            yield play.get(IMPORT) or play


def steps(name):
    """The steps that a playbook has plays for, in their order, with the move of the configuration in its place."""
    found = [play if isinstance(play, str) else play["hosts"] for play in plays(name)]
    return [one.removeprefix(GROUP) for one in found if one == MOVE or one.startswith(GROUP)]


PLAYS = {
    (name, play["hosts"].removeprefix(GROUP)): play
    for name in ("network_failure", "heal", MOVE_NAME)
    for play in plays(name)
    if not isinstance(play, str) and play["hosts"].startswith(GROUP if name != MOVE_NAME else GROUP + RECORD.name)
}
KINDS = {kind.name: [kind] for kind in (*NETWORK_FAILURE, RECORD, PIN, *HEAL)}
KINDS["freeze_config"] = [network_steps.REFUSE_START, network_steps.STOP_CONFIG]

of_each_play = pytest.mark.parametrize(("book", "name"), PLAYS, ids=["-".join(key) for key in PLAYS])


def conditions(task):
    found = task.get("when", [])
    return found if isinstance(found, list) else [found]


def blocks(book, name):
    """The blocks of a step's play: one for each way in which the step may be done."""
    found = PLAYS[book, name]["tasks"]
    assert len(found) == len(KINDS[name]), "a task beside the blocks would not be rescued"
    return found


def doors(book, name):
    """Each way to do a step: its kind, its block, and the role calls in it."""
    for kind, block in zip(KINDS[name], blocks(book, name), strict=True):
        yield kind, block, [task for task in block["block"] if CALL in task]


def test_the_plays_of_a_network_failure_stand_in_the_plans_order_around_the_move():
    order = list(dict.fromkeys(kind.name for kind in NETWORK_FAILURE))
    assert steps("network_failure") == [*order, MOVE, PIN.name]


def test_the_plays_of_healing_follow_the_steps_that_make_one_database_follow():
    assert steps("heal") == [MOVE, *(kind.name for kind in HEAL)]


@pytest.mark.parametrize("book", ["network_failure", "heal"])
def test_the_lock_is_taken_first_and_the_end_is_the_common_one(book):
    order = [play for play in plays(book) if isinstance(play, str)]
    assert order[:3] == ["preflight.yml", "observe.yml", "remember.yml"]
    assert order.index("plan.yml") < order.index("lock.yml") < order.index(MOVE)
    assert order[-1] == "close.yml"


@of_each_play
def test_a_play_is_named_for_its_step_and_outlives_a_lost_host(book, name):
    play = PLAYS[book, name]
    assert play["name"].startswith(f"Step {name}: ")
    assert (play["gather_facts"], play["ignore_unreachable"]) == (False, True)


@of_each_play
def test_a_block_passes_through_the_door_of_its_step_last(book, name):
    for kind, _, calls in doors(book, name):
        if kind.role in NO_ROLES:
            continue
        assert calls[-1][CALL]["name"] == f"contactcenter.sip_dr.{kind.role}"
        assert calls[-1][CALL]["tasks_from"] == kind.door
        assert all(call[CALL]["tasks_from"] in LOOKING for call in calls[:-1])
        assert (ROLES / kind.role / "tasks" / f"{kind.door}.yml").is_file()


@of_each_play
def test_what_goes_wrong_is_rescued(book, name):
    for block in blocks(book, name):
        assert [set(task) - {"name"} for task in block["rescue"]] == [{"ansible.builtin.debug"}]
        assert "default" in block["rescue"][0]["ansible.builtin.debug"]["msg"]


@of_each_play
def test_what_changes_is_journalled_under_its_own_name(book, name):
    for kind, _, calls in doors(book, name):
        if kind.role in NO_ROLES:
            continue
        given, changes = calls[-1]["vars"], kind.door not in LOOKING
        run = "{{ run_of | combine({'step': 'NAME'}) }}".replace("NAME", name)
        assert given.get(f"{kind.role}_run") == (run if changes else None)
        assert given.get(f"{kind.role}_state_dir") == ("{{ directory }}" if changes else None)


@of_each_play
def test_what_changes_the_configuration_asks_whether_it_may(book, name):
    for kind, block, _ in doors(book, name):
        asked = f"plan | contactcenter.sip_dr.may_go_on('{name}', hostvars, stores)" in conditions(block)
        assert asked or kind.plane != CONFIGURATION or kind.door in LOOKING
        assert all(f"may_go_on('{name}'," in one for one in conditions(block) if "may_go_on" in one)


@of_each_play
def test_a_step_leaves_its_result_where_the_plan_says(book, name):
    """A result under another name would count as a step that was not done."""
    for kind, block, calls in doors(book, name):
        registered = {task.get("register") for task in block["block"]}
        facts = {key for task in block.get("always", []) for key in task.get("ansible.builtin.set_fact", {})}
        last = calls[-1][CALL] if calls else {}
        role = ROLES / last.get("name", "").rpartition(".")[2] / "tasks" / f"{last.get('tasks_from')}.yml"
        text = role.read_text() if role.is_file() else ""
        result = getattr(kind, "result", "")
        assert not result or result in registered | facts or f"register: {result}\n" in text


def test_no_play_of_a_network_failure_re_points_anything():
    called = {
        call[CALL]["name"] + "/" + call[CALL]["tasks_from"] for key in PLAYS for _, _, c in doors(*key) for call in c
    }
    assert not [one for one in called if one.startswith("contactcenter.sip_dr.sip_phone")]
    gateways = {one.rpartition("/")[2] for one in called if one.startswith("contactcenter.sip_dr.media_gateway")}
    assert gateways == {"observe", "verify"}


def test_what_two_people_accept_is_kept_before_anything_is_changed_and_ended_after_the_peering():
    moving = steps("configuration")
    for road in (WITH_TICKET, WITHOUT_TICKET):
        order = [name for name in moving if name == RECORD.name or name in {kind.name for kind in road}]
        looks = [kind.name for kind in road if kind.door == "readiness"]
        assert order == [*looks, RECORD.name, *(kind.name for kind in road if kind.name not in looks)]
    order = [play if isinstance(play, str) else play["name"] for play in plays("heal")]
    closing = order.index("Say that the divergence is over")
    assert closing > max(index for index, one in enumerate(order) if one.startswith("Step "))
