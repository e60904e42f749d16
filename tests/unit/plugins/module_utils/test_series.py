# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of a saved series: what is written is read back, and what is none is named by its number."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.series import (
    Beginning,
    Judged,
    SeriesError,
    beginning,
    entries,
    judged,
    line,
)


def test_what_is_written_is_read_back():
    """A beginning and an observation come back as they were, with the numbers of their lines."""
    lines = [line(beginning({"confirm": 20}, {"version": 1})), line(judged({"a": 1}, {"verdict": "NORMAL"}))]
    assert list(entries(lines)) == [
        (1, Beginning({"confirm": 20}, {"version": 1})),
        (2, Judged({"a": 1}, {"verdict": "NORMAL"})),
    ]


def test_a_line_is_canonical():
    """Equal values are equal texts, whatever the order in which they were put together."""
    assert line({"b": 1, "a": [1.5, None]}) == '{"a":[1.5,null],"b":1}\n'


def test_a_beginning_with_nothing_given():
    """No policy and no state are all defaults and nothing remembered."""
    assert beginning(None, None) == {"policy": {}, "state": {}}
    assert list(entries(['{"policy": null}\n'])) == [(1, Beginning({}, {}))]
    assert list(entries(['{"state": {"version": 1}}\n'])) == [(1, Beginning({}, {"version": 1}))]


def test_an_observation_that_nobody_judged():
    """A decision that was left out, or is null, is none."""
    lines = ['{"observation": {"a": 1}}\n', '{"observation": {"a": 1}, "decision": null}\n']
    assert list(entries(lines)) == [(1, Judged({"a": 1}, None)), (2, Judged({"a": 1}, None))]


def test_empty_lines_count_but_say_nothing():
    """The numbers are those of an editor."""
    assert list(entries(["\n", "  \n", '{"observation": {}}\n'])) == [(3, Judged({}, None))]


def test_a_last_line_that_was_cut_short_never_counted():
    """A writer that died in the middle of a line leaves the lines before it."""
    assert list(entries(['{"observation": {}}\n', '{"observ'])) == [(1, Judged({}, None))]
    assert list(entries(['{"observation": {}}'])) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no json\n", "line 2: expected a JSON object"),
        ("[1]\n", "line 2: expected a JSON object"),
        ("{}\n", "line 2: expected an observation, or the policy and the state of a beginning"),
        ('{"observation": [1]}\n', "line 2: expected a mapping as observation"),
        ('{"observation": {}, "decision": "NORMAL"}\n', "line 2: expected a mapping as decision"),
        ('{"policy": "strict"}\n', "line 2: expected a mapping as policy"),
        ('{"state": false}\n', "line 2: expected a mapping as state"),
    ],
)
def test_a_line_that_is_none_is_named(text, expected):
    """The number and what belongs there."""
    with pytest.raises(SeriesError) as raised:
        list(entries(["\n", text]))
    assert str(raised.value) == expected
    assert raised.value.number == 2
