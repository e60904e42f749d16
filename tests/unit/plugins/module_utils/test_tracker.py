# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tracker: track over many observations, without writing everything down in between."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import Tracker, VerdictInputError
from verdict_world import fold, samples, world

DEAD = samples(0, 30, site1="silent")


def test_it_says_what_track_says():
    """State and decision after the same observations."""
    tracker = Tracker(None, {"confirm": 20})
    judgements = [tracker.judge(observation) for observation in DEAD]
    assert (tracker.state(), judgements[-1].decision()) == fold(DEAD, {"confirm": 20})
    assert judgements[-1].automatic() == ["verify_call_plane", "notify"]


def test_an_earlier_judgement_still_says_what_it_said():
    """Nothing that comes later changes it."""
    tracker = Tracker({})
    first = tracker.judge(DEAD[0])
    tracker.judge(DEAD[-1])
    assert first.decision() == fold(DEAD[:1])[1]


def test_it_begins_with_nothing():
    """An empty state, as track takes it."""
    assert Tracker({}).state() == {}
    assert Tracker(None).policy.confirm == 15


def test_a_malformed_observation_is_not_remembered():
    """The next one goes on from before it."""
    tracker = Tracker({})
    for observation in DEAD[:2]:
        tracker.judge(observation)
    before = tracker.state()
    for wrong in ({"taken_at": "noon"}, world(1)):
        with pytest.raises(VerdictInputError):
            tracker.judge(wrong)
    assert tracker.state() == before


@pytest.mark.parametrize(("state", "policy"), [({"version": 0}, {}), ({}, {"confirm": -1})])
def test_a_malformed_state_or_policy_is_refused_at_once(state, policy):
    """Before anything is judged."""
    with pytest.raises(VerdictInputError):
        Tracker(state, policy)
