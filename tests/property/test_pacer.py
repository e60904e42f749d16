# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""However late the system wakes us, no second sees more beginnings than the rate says, and the pace is kept."""

from __future__ import annotations

import os
from typing import List

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.pacer import CATCH_UP, JITTER, Pacer, slot_of
from hypothesis import given, settings
from hypothesis import strategies as st

many = settings(max_examples=int(os.environ.get("SIP_DR_EXAMPLES", 150)), deadline=None)

RATES = st.sampled_from([0.5, 1, 2, 7, 50, 200])
LATENESS = st.lists(st.sampled_from([0, 0, 0, 0.0004, 0.003, 0.015, 0.2, 1.5]), min_size=1, max_size=30)


def beginnings(rate: float, late: List[float], count: int) -> List[float]:
    """Moments at which one thread begins, which wakes `late` after each turn that it had to wait for."""
    pacer, found = Pacer(rate), []
    now = began = pacer._slot
    for turn in range(count):
        wait = pacer.due_in(now)
        now += wait + (late[turn % len(late)] if wait else 0)
        assert pacer.take(now) == 0
        found.append(now - began)
    return found


def most_in_a_span(times: List[float], span: float) -> int:
    """The most beginnings in any half-open span of these seconds."""
    return max(sum(start <= one < start + span - 1e-9 for one in times) for start in times)


@many
@given(RATES, LATENESS)
def test_no_second_sees_more_than_the_rate(rate, late):
    times = beginnings(rate, late, 420)
    assert times == sorted(times)
    assert most_in_a_span(times, max(1, 1 / rate)) <= max(1, rate)


@many
@given(RATES, st.integers(2, 300))
def test_turns_that_are_given_away_ahead_keep_the_rate_too(rate, count):
    pacer = Pacer(rate)
    now = pacer._slot
    turns = [pacer.take(now) for _one in range(count)]
    assert turns == sorted(turns)
    assert most_in_a_span(turns, max(1, 1 / rate)) <= max(1, rate)


@many
@given(RATES)
def test_the_pace_is_kept_but_for_the_jitter(rate):
    times = beginnings(rate, [0], 420)
    gap = 1 / rate
    assert times[-1] <= len(times) * slot_of(rate)
    assert times[-1] >= (len(times) - 1) * gap
    gaps = [(later - earlier) / gap for earlier, later in zip(times, times[1:])]
    assert max(gaps) - min(gaps) > JITTER, "an even beat is no jitter"


def test_a_little_lateness_is_made_up_and_a_long_one_is_not():
    late = beginnings(200, [CATCH_UP / 4], 400)
    assert late[-1] < 2.1
    times = beginnings(200, [0] * 399 + [1.0], 800)
    after = [one for one in times if one > times[399]]
    assert most_in_a_span(after, CATCH_UP) <= 10


def test_without_a_rate_nothing_waits():
    pacer = Pacer(None)
    assert (pacer.due_in(0), pacer.take(0)) == (0, 0)
