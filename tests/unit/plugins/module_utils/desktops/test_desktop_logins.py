# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a page tells of log-ins, and how those before compare with those now: pure."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops import DesktopError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops.logins import (
    LoginNames,
    LogIns,
    as_result,
    compare,
    given,
    login_names,
    read,
    together,
    where_before,
)

NAMES = LoginNames()


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<p><client><agent>1002</agent></client><client><agent>1001</agent></client></p>", (("1001", "1002"), 2)),
        ('<p><client agent-login="1001"/><client agent-login="1001"/></p>', (("1001",), 1)),
        ("<p><thread><clients>30</clients></thread><thread><clients>12</clients></thread></p>", (None, 42)),
        ("<p><agentsLoggedIn>7</agentsLoggedIn><clients>30</clients></p>", (None, 7)),
        ('<p xmlns="urn:x"><agents-logged-in>7</agents-logged-in></p>', (None, 7)),
        ("<p><agentsLoggedIn>0</agentsLoggedIn></p>", ((), 0)),
    ],
)
def test_names_are_taken_where_the_page_has_them_else_a_number(page: str, expected: tuple) -> None:
    assert read(page, NAMES) == LogIns(*expected)


@pytest.mark.parametrize("page", ["", "clients: 30", "<p/>", "<p><clients>many</clients></p>", "<!ENTITY <p/>"])
def test_a_page_that_does_not_tell_is_not_nobody(page: str) -> None:
    assert read(page, NAMES) is None


def test_names_can_be_said_and_what_is_left_out_stays() -> None:
    names = login_names({"agent": ["who"], "count": None})
    assert names.count == NAMES.count
    assert read("<p><agent>x</agent><who>1001</who></p>", names) == LogIns(("1001",), 1)


def test_sites_together() -> None:
    named, other, counted = LogIns(("1", "2"), 2), LogIns(("2", "3"), 2), LogIns(None, 5)
    assert together([named, other]) == LogIns(("1", "2", "3"), 3)
    assert together([named, counted]) == LogIns(None, 7)
    assert together([]) is None
    assert as_result(None) == {"agents": None, "count": None}


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (None, None),
        ("", None),
        ([1002, "1001"], LogIns(("1001", "1002"), 2)),
        ([], LogIns((), 0)),
        (40, LogIns(None, 40)),
        ("40", LogIns(None, 40)),
        (0, LogIns((), 0)),
    ],
)
def test_before_is_a_list_or_a_number(before: object, expected: LogIns | None) -> None:
    assert given(before) == expected


@pytest.mark.parametrize("before", [-1, "many", {"site1": "many"}, True])
def test_anything_else_is_named(before: object) -> None:
    with pytest.raises(DesktopError, match="before: a list of agents or their number expected"):
        given(before)


def test_before_may_be_told_by_site() -> None:
    assert given({"site1": ["1", "2"], "site2": ["2", "3"]}) == LogIns(("1", "2", "3"), 3)
    assert given({"site1": ["1"], "site2": 4}) == LogIns(None, 5)
    assert given({"site1": None, "site2": 4}) == LogIns(None, 4)
    assert given({}) is None


def test_where_they_were_is_said_where_it_is_told_by_site() -> None:
    before = {"site1": ["1", "2"], "site2": 4, "site3": None}
    assert where_before(before, "03:14") == "before (03:14): site1 2, site2 4, site3 not told"
    assert where_before({"site1": []}, "") == "before: site1 0"
    assert where_before(["1"], "03:14") == where_before(None, "") == ""


def test_the_missing_are_named() -> None:
    compared = compare(LogIns(("1", "2", "3"), 3), LogIns(("2", "9"), 2))
    assert (compared.share, compared.missing) == (pytest.approx(1 / 3), ("1", "3"))
    assert compared.words() == "1 of 3 agents logged in (33.3%); missing: 1, 3"


def test_of_many_the_first_are_named() -> None:
    many = tuple(f"{number:02}" for number in range(30))
    assert compare(LogIns(many, 30), None).words().endswith("missing: 00, 01, 02, 03, 04, 05, 06, 07, 08, 09, …")


def test_numbers_compare_without_names_and_never_over_all() -> None:
    assert compare(LogIns(None, 40), LogIns(("1",), 1)).words() == (
        "1 of 40 agents logged in (2.5%); missing: 39, names are not told"
    )
    assert compare(LogIns(("1", "2"), 2), LogIns(None, 50)).share == 1.0
    assert compare(LogIns((), 0), None).share == 1.0
