# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One writer in every state that can be reached, with every guard in force; and each of them ends well.

python -m pytest tests/model -s                     prints how much was looked at
SIP_DR_MODEL_SOAK=1 python -m pytest tests/model    the deeper bounds too
python tests/model/model_page.py                    looks again and writes docs/model.md
"""

from __future__ import annotations

import os

import pytest
from model_explorer import explore, in_words
from model_faults import first, successors
from model_settings import DEEPER, SETTINGS
from model_settle import goes_on, in_the_end, kept, stays
from model_world import about, acknowledges, wrong

SAMPLE = 40
"""One state of so many is followed to its end."""
SLOW = pytest.mark.skipif("SIP_DR_MODEL_SOAK" not in os.environ, reason="many minutes: SIP_DR_MODEL_SOAK=1")
ALONE = [setting for setting in SETTINGS if not setting.together]


def named(setting):
    """The test's name."""
    return setting.name


@pytest.mark.parametrize("setting", SETTINGS, ids=named)
def test_one_writer_in_every_state(setting):
    explored = explore(first(setting), successors(setting), wrong)
    assert explored.found is None, in_words(explored.found, about)
    assert explored.whole
    print(f"{setting.name}: {explored.states} states, {explored.steps} steps, {explored.seconds:.0f} s")


@SLOW
@pytest.mark.soak
@pytest.mark.parametrize("setting", DEEPER, ids=named)
def test_one_writer_in_deeper_bounds(setting):
    explored = explore(first(setting), successors(setting), wrong, limit=6_000_000)
    assert explored.found is None, in_words(explored.found, about)
    whole = "all" if explored.whole else f"no more than {explored.depth} happenings"
    print(f"{setting.name}: {explored.states} states, {whole}, {explored.seconds:.0f} s")


@pytest.mark.parametrize("person", [goes_on, stays])
@pytest.mark.parametrize("setting", ALONE, ids=named)
def test_whatever_happened_a_person_brings_it_to_one_writer(setting, person):
    ends = set()

    def follow(world, _last):
        if hash(world) % SAMPLE == 0:
            end, _again = in_the_end(world, setting, person)
            assert end.last == "done", about(world)
            assert [acknowledges(end, index) for index in (0, 1)].count(True) == 1, about(end)
            ends.add(about(end))

    explored = explore(first(setting), successors(setting), wrong, limit=60_000, visit=follow)
    assert explored.found is None
    assert ends


def test_a_move_killed_anywhere_ends_the_same():
    setting = next(setting for setting in SETTINGS if setting.kills and setting.playbooks[0][0] == "move")
    quiet = setting._replace(kills=0, starts=1)
    undisturbed, _again = in_the_end(first(quiet), quiet)
    killed = set()

    def follow(world, _last):
        if world.last == "killed" and not world.runs:
            end, again = in_the_end(world, setting)
            assert kept(end) == kept(undisturbed), f"{about(world)} ends as {about(end)}"
            killed.add(again)

    explore(first(setting), successors(setting), wrong, visit=follow)
    assert killed
