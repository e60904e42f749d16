# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call looks for a while, and comes back at once with what is new."""

from __future__ import annotations

import time

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes import repeated

UP = {"id": "a", "value": "up", "answered": True, "detail": "200 OK", "rtt": 0.01}
DOWN = {"id": "a", "value": "down", "answered": False, "detail": "nothing"}


class Asked:
    """Answers one after the other; the last one again and again."""

    def __init__(self, *answers):
        self.answers, self.times = list(answers), 0

    def __call__(self):
        self.times += 1
        return [self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]]


def test_without_anything_known_the_first_look_is_the_last():
    asked = Asked(UP, DOWN)
    look = repeated.look_until_new(asked, 0.01, 5, None)
    assert (look.answers, asked.times, look.waited) == ([UP], 1, pytest.approx(0, abs=0.05))


def test_a_change_comes_back_at_once():
    asked = Asked(UP, {**UP, "rtt": 0.5, "detail": "later"}, DOWN)
    started = time.time()
    look = repeated.look_until_new(asked, 0.05, 30, repeated.said([UP]))
    assert (look.answers, asked.times) == ([DOWN], 3)
    assert 0.09 < look.waited < 5
    assert look.clock == pytest.approx(started + look.waited, abs=0.05)


def test_what_is_known_comes_back_when_the_time_is_over():
    asked = Asked(UP)
    look = repeated.look_until_new(asked, 0.05, 0.12, repeated.said([UP]))
    assert (look.answers, asked.times) == ([UP], 3)


@pytest.mark.parametrize(
    "change",
    [
        {"run_mode": "backup"},
        {"targets": {"site1": {"value": "up", "answered": True, "options": "down"}}},
        {"store": {"now": 3.0, "records": {"events": {"version": 2, "value": []}}}},
    ],
)
def test_what_an_answer_says_beside_its_value_is_news(change):
    before = {
        **UP,
        "run_mode": "primary",
        "targets": {"site1": {"value": "up", "answered": True, "options": "up", "rtt": 1}},
        "store": {"now": 1.0, "records": {"events": {"version": 1, "value": []}}},
    }
    assert repeated.said([before]) != repeated.said([{**before, **change}])


def test_times_are_no_news():
    store = {"records": {"track": {"version": 7, "value": {}}}}
    first, second = ({**UP, "rtt": rtt, "store": {**store, "now": rtt}} for rtt in (0.1, 0.2))
    assert repeated.said([first]) == repeated.said([second])
