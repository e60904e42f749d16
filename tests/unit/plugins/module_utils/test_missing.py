# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long signals were missing and departures lasted, what of it healed by itself, and what that suggests."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.missing import (
    EDGES,
    Healed,
    Looking,
    Missing,
    Suggestion,
    bars,
    median,
    suggestion,
    together,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import Tracker
from verdict_world import at, samples, world

CALLS = ("site1", "calls")


def seen(observations, policy=None):
    tracker, looking = Tracker({}, policy), Looking()
    for observation in observations:
        looking.add(tracker.judge(observation).case)
    return looking.seen()


def lost(first, last, **more):
    return samples(first, last, site1={"calls": "unknown", **more})


def test_a_gap_lasts_from_the_first_unknown_to_the_next_answer():
    """On the observations' own clock; the distances are counted."""
    found = seen([*samples(0, 5), *lost(10, 20), *samples(25, 30)])
    assert found.gaps == {CALLS: Healed((15.0,), 0)}
    assert found.distances == {5.0: 6}
    assert found.never == ()


def test_two_gaps_of_one_signal():
    """Each counts for itself."""
    found = seen([*samples(0, 5), *lost(10, 10), *samples(15, 15), *lost(20, 25), *samples(30, 30)])
    assert found.gaps == {CALLS: Healed((5.0, 10.0), 0)}


def test_a_stale_answer_is_missing():
    """What counts as unknown for the verdict does so here."""
    stale = world(10, site1={"calls": {"value": "up", "at": {"ago": 21}}})
    assert seen([*samples(0, 5), stale, *samples(15, 15)]).gaps == {CALLS: Healed((5.0,), 0)}


@pytest.mark.parametrize(
    "observations",
    [
        pytest.param([*lost(0, 10), *samples(15, 20)], id="began before the series"),
        pytest.param([*samples(0, 5), *lost(10, 20)], id="still there at its end"),
        pytest.param([*samples(0, 5), *lost(10, 20), *samples(51, 60)], id="ended in a pause"),
        pytest.param([*samples(0, 5), *lost(36, 40), *samples(45, 60)], id="began in a pause"),
        pytest.param([*samples(0, 5), *lost(10, 20), *lost(51, 60), *samples(65, 65)], id="went on over a pause"),
        pytest.param([*samples(0, 5), *lost(10, 20, downtime=True), *samples(25, 30)], id="in a declared downtime"),
        pytest.param(
            [*samples(0, 5), *lost(10, 10), *lost(15, 15, downtime=True), *lost(20, 20), *samples(25, 30)],
            id="touched a declared downtime",
        ),
    ],
)
def test_what_did_not_heal_by_itself_is_counted_apart(observations):
    """No length that would say nothing of how long a gap lasts."""
    assert seen(observations).gaps == {CALLS: Healed((), 1)}


def test_a_gap_that_a_failover_ended_is_counted_apart():
    """Of the site that was failed over, not of the other one."""
    event = {"at": at(15), "type": "failover_done", "site": "site1", "scope": "call"}
    gone = {"calls": "unknown"}
    during = [world(second, site1=gone, site2=gone, events=[event]) for second in (15, 20)]
    found = seen([*samples(0, 5), world(10, site1=gone, site2=gone), *during, *samples(25, 30)])
    assert found.gaps == {CALLS: Healed((), 1), ("site2", "calls"): Healed((15.0,), 0)}


def test_a_signal_without_a_single_answer_has_no_gaps():
    """Nobody asks for it, or nobody ever could."""
    observations = samples(0, 60, site2={"capacity": "unknown"})
    assert seen(observations) == Missing({}, Healed(), {5.0: 12}, (("site2", "capacity"),))


def test_an_empty_series():
    """Nothing was seen."""
    assert seen([]) == Missing({}, Healed(), {}, ())


def test_departures_that_healed():
    """From the first raw verdict that is not calm to the next that is; DEGRADED is calm."""
    degraded = samples(25, 30, site1="degraded")
    found = seen([*samples(0, 5), *samples(10, 20, site1="alive"), *degraded, *samples(35, 40)])
    assert found.disturbances == Healed((15.0,), 0)


def test_a_departure_from_one_verdict_to_another_is_one():
    """It has not healed in between."""
    found = seen([*samples(0, 5), *samples(10, 20, site1="alive"), *samples(25, 30, site2="gray"), *samples(35, 40)])
    assert found.disturbances == Healed((25.0,), 0)


def test_a_departure_in_any_sites_downtime_is_counted_apart():
    """Somebody has a hand in it."""
    away = samples(10, 20, site1="silent", site2={"downtime": True})
    assert seen([*samples(0, 5), *away, *samples(25, 30)]).disturbances == Healed((), 1)


def test_several_series_as_one():
    """Lengths, others and distances add up; never means in none of them."""
    first = Missing({CALLS: Healed((5.0,), 1)}, Healed((7.0,), 0), {5.0: 2}, (("site1", "trunk"), ("site2", "trunk")))
    second = Missing({CALLS: Healed((6.0,), 2)}, Healed((), 1), {5.0: 1, 9.0: 1}, (("site2", "trunk"),))
    third = Missing({("site1", "trunk"): Healed((1.0,), 0)}, Healed(), {}, (CALLS, ("site2", "trunk")))
    assert together([first, second, third]) == Missing(
        {CALLS: Healed((5.0, 6.0), 3), ("site1", "trunk"): Healed((1.0,), 0)},
        Healed((7.0,), 1),
        {5.0: 3, 9.0: 1},
        (("site2", "trunk"),),
    )
    assert together([]) == Missing({}, Healed(), {}, ())


@pytest.mark.parametrize(
    ("lengths", "distances", "expected"),
    [
        ([], {5.0: 1}, None),
        ([4.0], {}, Suggestion(4, 1, 4.0)),
        ([4.2], {5.0: 9, 60.0: 1}, Suggestion(10, 1, 4.2)),
        ([float(length) for length in range(1, 20)], {1.0: 1}, Suggestion(20, 19, 19.0)),
        ([float(length) for length in range(1, 21)], {1.0: 1}, Suggestion(20, 20, 20.0)),
        ([1.0] * 95 + [900.0] * 5, {5.0: 1}, Suggestion(6, 100, 900.0)),
        ([1.0] * 94 + [900.0] * 6, {5.0: 1}, Suggestion(905, 100, 900.0)),
    ],
)
def test_the_suggested_threshold(lengths, distances, expected):
    """95 % by nearest rank, one interval more, whole seconds upwards."""
    assert suggestion(lengths, distances) == expected


def test_the_median_distance():
    """The lower one of two in the middle; 0 when there is none."""
    assert median({}) == 0
    assert median({5.0: 2, 1.0: 1}) == 5.0
    assert median({5.0: 1, 1.0: 1}) == 1.0


def test_the_bars():
    """Each bar has what is up to its edge, the last one the rest."""
    found = bars([0.5, 1.0, 1.1, 5.0, 3600.0, 3600.1, 9999.0])
    assert len(found) == len(EDGES) + 1
    assert {edge: count for edge, count in zip([*EDGES, None], found) if count} == {1: 2, 2: 1, 5: 1, 3600: 1, None: 2}
