# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls from SIPp's log."""

from __future__ import annotations

from two_site_lab.calls import Call, between, figures, parse, per_second, settled_at

SITES = {"10.71.1.100": "site1", "10.71.2.100": "site2"}
START = 1795366685.0


def line(at, event, number, **fields):
    words = [f"{name}={value}" for name, value in {"call": number, **fields}.items()]
    return f"2026-11-22\t16:58:05.000000\t{START + at:.6f} {event} {' '.join(words)}\n"


LOG = "".join(
    (
        line(0.0, "OFFER", 1),
        line(0.2, "OFFER", 2),
        line(0.25, "ANSWER", 1, site="site1", proxy="10.71.1.100"),
        line(0.4, "OFFER", 3),
        line(0.6, "REJECT", 3, code=480),
        line(1.1, "OFFER", 4),
        line(1.4, "ANSWER", 2, site="", proxy="10.71.2.100"),
        line(3.3, "CUTOFF", 1),
        line(15.2, "TIMEOUT", 4),
        line(15.3, "OFFER", 5),
    )
)


def test_each_call_ends_as_the_log_says():
    one, two, three, four, five = parse(LOG, SITES)
    assert (one.site, one.cut_off, one.ended) == ("site1", True, START + 0.25)
    assert (three.failure, four.failure) == ("480", "timeout")
    assert five == Call(5, START + 15.3)
    assert two.site == "site2", "without X-DR-Site the SIP Server's Record-Route tells"


def test_an_answer_that_names_no_site_is_still_an_answer():
    log = line(0, "OFFER", 1) + line(1, "ANSWER", 1, site="", proxy="")
    assert parse(log, SITES)[0].site == "?"


def test_a_line_that_is_still_being_written_is_left_out():
    assert [call.number for call in parse(LOG[:-5], SITES)] == [1, 2, 3, 4]
    assert parse("", SITES) == []


def test_lines_of_other_things_and_of_unknown_calls_are_passed_over():
    assert parse("sipp says hello\n" + line(1, "ANSWER", 9, site="site1"), SITES) == []


def test_figures():
    sums = figures(parse(LOG, SITES))
    assert (sums["offered"], sums["answered"], sums["failed"], sums["open"], sums["cut_off"]) == (5, 2, 2, 1, 1)
    assert sums["by_site"] == {"site1": 1, "site2": 1}
    assert [failure["why"] for failure in sums["failures"]] == ["480", "timeout"]
    assert sums["delay"] == {"median": 1.2, "p95": 1.2, "longest": 1.2}


def test_figures_of_no_calls():
    assert figures([])["delay"] == {"median": None, "p95": None, "longest": None}


def test_a_row_for_each_second():
    first, second, last = per_second(parse(LOG, SITES))
    assert first == {"at": int(START), "offered": 3, "failed": 1, "answered": {"site1": 1, "site2": 1}}
    assert (second["offered"], second["failed"]) == (1, 1)
    assert last["at"] == int(START) + 15


def test_a_span_of_time_holds_its_start_and_not_its_end():
    calls = [Call(number, float(number)) for number in range(5)]
    assert [call.number for call in between(calls, 1, 3)] == [1, 2]
    assert between(calls) == calls


def test_settled_is_where_nearly_all_that_follow_are_answered():
    old = [Call(number, float(number), site="site1") for number in range(5)]
    new = [Call(number, float(number), site="site2") for number in range(5, 20)]
    assert settled_at(old + new, "site2", since=0) == 5.0
    assert settled_at(old, "site2", since=0) is None
