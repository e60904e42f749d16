# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A saved series under another policy: what is said and fired, when, and how it differs from then."""

from __future__ import annotations

from datetime import timedelta

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.backtest import (
    Backtest,
    Fired,
    Said,
    Side,
    Stretch,
    backtest,
    together,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.missing import Healed, Missing
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.series import judged, line
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import VerdictInputError, track
from verdict_world import START, fold, samples, saved

AUTO = {"call_plane": "auto"}
STORY = [*samples(0, 10), *samples(15, 60, site1="silent"), *samples(65, 80)]
DEAD = Said("SITE_DOWN", "site1", "SITE_DOWN", ("prefer_survivor",))
WAITING = Said("SUSPECT", "site1", "SITE_DOWN", ())


def second(number):
    return START + timedelta(seconds=number)


def test_the_same_policy_says_the_same():
    """Both sides are equal, and nothing differs."""
    found = backtest(saved(STORY, AUTO), {})
    assert (found.observations, found.compared) == (17, 17)
    assert (found.first, found.last) == (second(0), second(80))
    assert found.differences == []
    assert found.now == found.then


def test_what_fired_and_what_was_said():
    """Once for each time that an action became automatic; a verdict's stretch from its first to its last sample."""
    side = backtest(saved(STORY, AUTO), {}).now
    assert side.fired == [Fired(second(30), "prefer_survivor", DEAD)]
    assert side.departures == [Fired(second(15), "SITE_DOWN", WAITING)]
    assert side.stretches == [
        Stretch(second(15), second(25), 3, ("SUSPECT", "site1")),
        Stretch(second(30), second(60), 7, ("SITE_DOWN", "site1")),
    ]


def test_another_policy_and_what_differs():
    """The changed keys go over the saved policy; then stays what it was."""
    found = backtest(saved(STORY, AUTO), {"confirm": 40})
    assert [(each.at, each.action) for each in found.now.fired] == [(second(55), "prefer_survivor")]
    assert [(each.at, each.action) for each in found.then.fired] == [(second(30), "prefer_survivor")]
    assert found.differences == [Stretch(second(30), second(50), 5, (DEAD, WAITING))]


def test_an_action_that_is_no_longer_automatic_differs():
    """The verdict is the same, what it fires is not."""
    found = backtest(saved(STORY, AUTO), {"call_plane": "operator"})
    assert found.now.fired == []
    assert found.differences == [Stretch(second(30), second(60), 7, (DEAD, DEAD._replace(fires=())))]


def test_a_page_counts_and_a_notification_does_not():
    """A page wakes somebody."""
    both = samples(0, 30, site1="silent", site2="silent")
    assert [each.action for each in backtest(saved(both), {}).now.fired] == ["page"]


def test_an_action_that_fires_again_fires_twice():
    """After a time in which it was not automatic."""
    again = samples(85, 120, site1="silent")
    found = backtest(saved([*STORY, *again], AUTO), {})
    assert [each.at for each in found.now.fired] == [second(30), second(100)]
    assert len(found.now.departures) == 2


def test_a_departure_needs_something_to_depart_from():
    """A series that begins in trouble has not left anything."""
    assert backtest(saved(STORY[3:], AUTO), {}).now.departures == []


def test_a_series_that_nobody_decided():
    """It is judged, and there is no then."""
    found = backtest([line({"observation": each}) for each in STORY], AUTO)
    assert (found.observations, found.compared) == (17, 0)
    assert found.then == Side([], [], [])
    assert len(found.now.fired) == 1
    assert found.differences == []


def test_decisions_without_memory_have_no_raw_verdict():
    """They can be compared all the same; they differ in it."""
    lines = [line(judged(each, {"verdict": "NORMAL", "site": None, "automatic": []})) for each in samples(0, 5)]
    found = backtest(lines, {})
    assert found.differences[0].said[0] == Said("NORMAL", None, None, ())


def test_a_beginning_that_only_goes_on_keeps_what_the_new_policy_remembers():
    """The saved state was made by the old policy, so it only counts where it says something new."""
    auto = {**AUTO, "confirm": 40}
    state, _ = fold(STORY[:8], AUTO)
    parts = [*saved(STORY[:8], AUTO), *saved(STORY[8:], AUTO, state)]
    assert backtest(parts, {"confirm": 40}).now == backtest(saved(STORY, auto), {}).now


def test_a_beginning_from_elsewhere_counts():
    """Another run has decided in between: its state is what is known."""
    event = {"at": STORY[1]["taken_at"], "type": "failover_done", "site": "site1", "scope": "call"}
    elsewhere, _ = track({}, {**STORY[2], "events": [event]})
    found = backtest([*saved(STORY[:2]), *saved(STORY[3:], None, elsewhere)], {})
    assert found.now.stretches[-1].said == ("RETURNING", "site1")


def test_a_policy_is_only_checked_with_the_keys_that_were_saved():
    """Keys that go together may come from both."""
    fast = {"fresh": 8, "probe_deadline": 2, "connect_timeout": 1, "call_deadline": 1}
    assert backtest(saved(STORY, fast), {"fresh": 9}).observations == 17
    with pytest.raises(VerdictInputError) as raised:
        backtest(saved(STORY), {"fresh": 9})
    assert raised.value.path == "policy.fresh"


def test_an_empty_series():
    """Nothing was seen, nothing is said."""
    nothing = Side([], [], [])
    empty = Backtest(0, 0, None, None, nothing, nothing, [], Missing({}, Healed(), {}, ()))
    assert backtest([], {}) == empty
    assert together([]) == empty
    assert together([empty, empty]) == empty


def test_several_series_as_one():
    """In the order of time, whatever the order of the files."""
    early, late = backtest(saved(STORY, AUTO), {"confirm": 40}), backtest(saved(samples(600, 640, site1="silent")), {})
    found = together([late, early])
    assert (found.observations, found.compared) == (26, 26)
    assert (found.first, found.last) == (second(0), second(640))
    assert found.now.fired == early.now.fired
    assert found.now.stretches == [*early.now.stretches, *late.now.stretches]
    assert found.then.stretches == [*early.then.stretches, *late.then.stretches]
    assert found.now.departures == early.now.departures
    assert found.differences == early.differences
    assert found.missing.distances == {5.0: 24}


def test_what_is_said_in_words():
    """As it is printed."""
    assert str(DEAD) == "SITE_DOWN site1 (prefer_survivor)"
    assert str(Said("NORMAL", None, "NORMAL", ())) == "NORMAL"
