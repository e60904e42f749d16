# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A saved series judged again (decision.md, invariant 13)."""

from __future__ import annotations

import json

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replay import Difference, first_difference, replay
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.series import beginning, judged, line
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import VerdictInputError
from verdict_world import fold, samples, saved

DEAD = samples(0, 30, site1="silent")
POLICY = {"confirm": 20}


def test_the_same_comes_out():
    """Policy and state come from the beginning; every line is compared."""
    found = replay(saved(DEAD, POLICY))
    assert (found.judged, found.compared, found.difference) == (7, 7, None)


def test_it_goes_on_from_the_saved_state():
    """A series may begin in the middle of a story, and begin again where its writer did."""
    state, _ = fold(DEAD[:4], POLICY)
    lines = [*saved(DEAD[:4], POLICY), *saved(DEAD[4:], POLICY, state)]
    assert replay(lines).difference is None
    assert replay(lines[5:]).compared == 3


def test_without_its_state_it_differs():
    """What was remembered belongs to the input: without it the first decision says otherwise."""
    state, _ = fold(DEAD[:4], POLICY)
    lines = [line(beginning(POLICY, {})), *saved(DEAD[4:], POLICY, state)[1:]]
    assert replay(lines).difference.line == 2


def test_the_first_difference_is_named():
    """The line, the path, and both values; nothing after it is judged."""
    lines = saved(DEAD, POLICY)
    entry = json.loads(lines[3])
    entry["decision"]["evidence"][1] = "changed"
    found = replay([*lines[:3], line(entry), "no line\n"])
    assert (found.judged, found.compared) == (3, 3)
    assert (found.difference.line, found.difference.path, found.difference.saved) == (
        4,
        "decision.evidence[1]",
        '"changed"',
    )
    assert found.difference.replayed.startswith('"site1 is DOWN: ')


def test_a_difference_in_words():
    """As it is printed."""
    assert str(Difference(3, "decision.site", "null", '"site1"')) == (
        'line 3, decision.site: saved null, replayed "site1"'
    )


def test_what_nobody_decided_is_judged_and_not_compared():
    """There is nothing that it could differ from."""
    lines = [line({"observation": observation}) for observation in DEAD]
    assert replay(lines) == (7, 0, None)
    assert replay([]) == (0, 0, None)


def test_malformed_content_is_refused():
    """The path of the field, as everywhere."""
    with pytest.raises(VerdictInputError) as raised:
        replay([line(judged({"taken_at": "noon"}, {}))])
    assert raised.value.path == "observation.taken_at"


@pytest.mark.parametrize(
    ("saved_value", "again", "expected"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, ("d.b", "2", "3")),
        ({"a": 1}, {"a": 1, "b": 3}, ("d.b", "nothing", "3")),
        ({"a": 1, "b": 3}, {"a": 1}, ("d.b", "3", "nothing")),
        ({"a": [1, 2]}, {"a": [1]}, ("d.a[1]", "2", "nothing")),
        ({"a": []}, {"a": [1]}, ("d.a[0]", "nothing", "1")),
        ({"a": 1}, {"a": 1.0}, ("d.a", "1", "1.0")),
        ({"a": True}, {"a": 1}, ("d.a", "true", "1")),
        ({"a": {}}, {"a": []}, ("d", '{"a":{}}', '{"a":[]}')),
        ({"b": 1, "c": 0}, {"a": 2, "b": 1, "c": 9}, ("d.c", "0", "9")),
    ],
)
def test_where_data_differs(saved_value, again, expected):
    """What is in the saved data comes first; what is only in the new data after it."""
    assert first_difference("d", saved_value, again) == expected
