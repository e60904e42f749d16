# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plays of a failover are the steps of a plan: a step without its play, or out of its order, would go unnoticed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan import CONFIGURATION, SITE_FAILURE
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_outcome import CHANGING, LOCK_RESULTS

ROOT = Path(__file__).parents[3]
GROUP = "continuity_step_"
PLAYS = [play for play in yaml.safe_load((ROOT / "playbooks/failover.yml").read_text()) if "hosts" in play]
STEPS = {play["hosts"][len(GROUP) :]: play for play in PLAYS if play["hosts"].startswith(GROUP)}
KINDS = {kind.name: kind for kind in SITE_FAILURE}
MOVES = [kind.name for kind in SITE_FAILURE if kind.plane == CONFIGURATION and kind.door in CHANGING]
CALLS = "ansible.builtin.import_role"

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
    return [task for task in block(name)["block"] if CALLS in task]


def registered(tasks):
    """Every name that a play registers, in its order."""
    for task in tasks:
        if "register" in task:
            yield task["register"]
        yield from registered(task.get("block", []))


def test_the_steps_have_their_plays_in_the_plans_order_and_no_other_play_is_one():
    assert [play["hosts"] for play in PLAYS if play["hosts"].startswith(GROUP)] == [GROUP + name for name in KINDS]


@of_each_step
def test_a_play_is_named_for_its_step(name):
    assert STEPS[name]["name"].startswith(f"Step {name}: ")
    assert STEPS[name]["gather_facts"] is False


@of_each_step
def test_a_play_ends_with_the_door_of_its_step(name):
    call = role_calls(name)[-1]
    kind = KINDS[name]
    assert call is block(name)["block"][-1], "nothing may fail after the step was done"
    assert call[CALLS]["name"] == f"contactcenter.sip_dr.{kind.role}"
    assert call[CALLS]["tasks_from"] == kind.door
    assert (ROOT / "roles" / kind.role / "tasks" / f"{kind.door}.yml").is_file()


@of_each_step
def test_a_play_passes_through_no_other_door_that_changes(name):
    for call in role_calls(name)[:-1]:
        assert call[CALLS]["tasks_from"] not in CHANGING


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
    expected = named if kind.door in CHANGING else None
    assert given.get(f"{kind.role}_run") == expected
    assert given.get(f"{kind.role}_state_dir") == ("{{ directory }}" if expected else None)


@pytest.mark.parametrize("name", MOVES)
def test_a_step_of_the_configuration_asks_whether_it_may(name):
    assert f"plan | contactcenter.sip_dr.may_go_on('{name}', hostvars, stores)" in conditions(block(name))


@of_each_step
def test_no_step_asks_by_the_name_of_another(name):
    asked = [one for one in conditions(block(name)) if "may_go_on" in one]
    assert all(f"may_go_on('{name}'," in one for one in asked)
    assert not asked or KINDS[name].plane == CONFIGURATION, "calls wait for nothing"


@of_each_step
def test_only_what_changes_nothing_is_left_out_in_check_mode(name):
    left_out = any("ansible_check_mode" in one for one in conditions(block(name)))
    assert left_out == (KINDS[name].door not in CHANGING)


@of_each_step
def test_a_host_that_is_lost_meanwhile_ends_no_run(name):
    assert STEPS[name].get("ignore_unreachable") is True


def test_the_lock_is_taken_before_the_first_step_and_renewed_before_the_configuration():
    order = [
        play["hosts"][len(GROUP) :] if play in STEPS.values() else tuple(registered(play["tasks"])) for play in PLAYS
    ]
    taken, renewed = (order.index((name,)) for name in LOCK_RESULTS)
    assert taken < order.index("prefer_survivor")
    assert order.index("verify_call_plane") < renewed < order.index("stop_old_master")


def test_what_was_attested_is_looked_at_again_just_before_the_promotion():
    first, second, last = block("promote_database")["block"]
    assert first[CALLS]["tasks_from"] == "observe"
    assert "__site_observer_probe.answers" in second["ansible.builtin.assert"]["that"]
    assert conditions(first) == conditions(second) == ["plan.fence.kind == 'attested'"]
    assert last[CALLS]["tasks_from"] == "take_over" and not conditions(last)
