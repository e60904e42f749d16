# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A page of the largest size in the worst shapes: reading it costs seconds of nobody's, and no memory to speak of."""

from __future__ import annotations

import time
import tracemalloc

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.page import (
    MAX_PAGE_BYTES,
    PageNames,
    run_mode,
    running_calls,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.trunk_page import trunk_state

NAMES = PageNames()
CPU = 2.0  # seconds
MEMORY = 150 * MAX_PAGE_BYTES
BLANKS = " " * (MAX_PAGE_BYTES - 20)


def full(piece):
    return (piece * (MAX_PAGE_BYTES // len(piece) + 1))[:MAX_PAGE_BYTES]


def element(piece):
    return f"<r>{piece * ((MAX_PAGE_BYTES - 7) // len(piece))}</r>"


SHAPES = {
    "JSON in one line": full('{"dn": "x", "status": "something else"}, '),
    "nothing but the DN": full("x "),
    "a line for each DN": full("x\n"),
    "one word": full("a"),
    "blanks in an element": f"x\n<a>{BLANKS}",
    "blanks in a value": f"x: 1{BLANKS}y z",
    "blanks behind a name": f"x\na{BLANKS}",
    "empty lines": "x" + full("\n"),
    "carriage returns": full("x\r"),
    "rows without end": "x" + full("<tr"),
    "rows of the DN": full("<tr>x"),
    "cells without end": "x<tr>" + full("<td"),
    "cells": "x<tr>" + full("<td>"),
    "brackets": "x" + full("<"),
    "breaks": "x" + full("<br"),
    "columns": full("x,"),
    "a table without heading": full("x,1\n"),
    "quotes that never end": full('x="'),
    "attributes": full('dn="x" '),
    "pairs": full("dn: x\n"),
    "names of the longest kind": full("x" + " " * 59 + "\n"),
    "tags": full("<dn>x</dn>"),
    "tags that never end": full("<a>x</b>"),
    "deep XML": "<a name='x'>" * (MAX_PAGE_BYTES // 16) + "</a>" * (MAX_PAGE_BYTES // 16),
    "flat XML": element("<a name='x'/>"),
    "small XML": element("<a/>"),
    "XML of DNs": element("<dn>x</dn>"),
    "XML of trunks": element("<t><dn>x</dn></t>"),
    "a long figure": f"<calls>{full('9')}</calls>",
    "XML without bounds": f'<!DOCTYPE l [<!ENTITY a "{"a" * 500_000}">]><r>{"&a;" * 2000}</r>',
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "read",
    [
        lambda page: trunk_state(page, "x", NAMES),
        lambda page: run_mode(page, NAMES),
        lambda page: running_calls(page, NAMES),
    ],
    ids=["trunk", "run mode", "calls"],
)
def test_reading_it_takes_no_time(shape, read):
    begun = time.process_time()
    assert read(SHAPES[shape]) in (None, "unknown")
    assert time.process_time() - begun < CPU


@pytest.mark.parametrize("shape", ["JSON in one line", "nothing but the DN", "columns", "deep XML"])
def test_reading_it_takes_no_memory(shape):
    tracemalloc.start()
    try:
        trunk_state(SHAPES[shape], "x", NAMES)
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()


def test_a_word_far_away_in_the_line_is_not_the_trunks():
    far = "word " * 13
    assert trunk_state(f"in service {far} x {far} in service", "x", NAMES) is None
    assert trunk_state(f"{far} x is in service {far}", "x", NAMES) is True


def test_a_word_is_not_cut_to_another_one():
    assert trunk_state("with" + "in service " + "a" * 388 + " x", "x", NAMES) is None
    assert trunk_state("x " + "a" * 380 + " not in " + "serviceable " + "b" * 99, "x", NAMES) is None
