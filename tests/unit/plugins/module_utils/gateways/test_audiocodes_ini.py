# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of AudioCodes ini files, Proxy Sets in them, and what the command line says of their addresses."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.audiocodes_ini import (
    IniError,
    parameter,
    table,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.audiocodes_set import (
    proxy_set,
    restored,
    state_of,
)
from hypothesis import given
from hypothesis import strategies as st
from standins.audiocodes.store import INI, Store

SITE1, SITE2 = "10.71.1.100:5060", "10.71.2.100:5061"
OLD = """[ ProxyIp ]
FORMAT ProxyIp_Index = ProxyIp_IpAddress, ProxyIp_TransportType, ProxyIp_ProxySetId;
ProxyIp 1 = "192.0.2.1:5060", 0, 1;
; a remark
ProxyIp 2 = "192.0.2.2:5060",  2 , 1;

[ \\ProxyIp ]
"""


def with_rows(*rows: str, form: str = "A, B") -> str:
    return "\n".join(["[ T ]", f"FORMAT Index = {form};", *rows, "[ \\T ]", ""])


def test_values_are_found_by_the_names_of_the_format_line():
    found = table(INI, "ProxyIp")
    assert found.value(2, "IpAddress") == "10.71.2.100:5061"
    assert found.raw(2, "ipaddress") == '"10.71.2.100:5061"'
    assert found.number(2, "Weight") == 5
    turned = with_rows('T 0 = "b", 1;', form="B, A")
    assert (table(turned, "T").value(0, "A"), table(turned, "T").value(0, "B")) == ("1", "b")


def test_old_releases_have_the_table_in_each_name():
    found = table(OLD, "ProxyIp")
    assert found.columns == ["IpAddress", "TransportType", "ProxySetId"]
    assert found.value(2, "IpAddress") == "192.0.2.2:5060"


def test_a_rewriting_keeps_every_other_byte():
    new = table(OLD, "ProxyIp").rewritten({2: {"TransportType": "1"}, 1: {"IpAddress": '"192.0.2.22:5060"'}})
    expected = OLD.replace(",  2 , 1", ",  1 , 1").replace("192.0.2.1:", "192.0.2.22:")
    assert new + "\n" == expected
    crlf = OLD.replace("\n", "\r\n")
    assert table(crlf, "ProxyIp").rewritten({}) + "\r\n" == crlf
    assert table(crlf, "ProxyIp").values() == table(OLD, "ProxyIp").values()


def test_commas_and_semicolons_may_be_quoted():
    found = table(with_rows('T 3 = "a, \\"b\\"; c", "";'), "T")
    assert found.value(3, "A") == 'a, \\"b\\"; c'
    assert found.value(3, "B") == ""


plain = st.text("abc019.:$-_", max_size=6)
quoted = st.text('abc ,;=[]\\"'.replace('"', "").replace("\\", ""), max_size=8).map('"{}"'.format)


@given(st.lists(st.tuples(plain | quoted, plain | quoted), max_size=5), plain | quoted)
def test_any_value_can_be_read_and_written(rows: list[tuple[str, str]], new: str):
    text = with_rows(*(f"T {row} = {a}, {b};" for row, (a, b) in enumerate(rows)))
    found = table("; before\n" + text, "T")
    assert [(found.raw(row, "A"), found.raw(row, "B")) for row in found.rows] == rows
    if rows:
        again = table(found.rewritten({0: {"B": new}}), "T")
        assert (again.raw(0, "A"), again.raw(0, "B")) == (rows[0][0], new)
        assert {row: again.values()[row] for row in again.rows if row} == {
            row: found.values()[row] for row in found.rows if row
        }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "one table T is expected, none met"),
        (with_rows() * 2, "one table T is expected, 2 met"),
        (with_rows("T 0 = 1, 2;").replace("[ \\T ]", ""), r"end mark \[ \\T \] is missing"),
        (with_rows("T 0 = 1, 2"), "T 0: values that end in a semicolon"),
        (with_rows('T 0 = 1, "2;'), "T 0: values that end in a semicolon"),
        (with_rows("T 0 = 1, 2; 3"), "T 0: values that end in a semicolon"),
        (with_rows("T 0 = 1;"), "T 0: 2 values are expected as FORMAT has them, 1 met"),
        (with_rows("T 0 = 1, 2;", "T 0 = 3, 4;"), "T 0: it is there twice"),
        (with_rows("FORMAT Index = A;"), "one FORMAT line is expected, two met"),
        (with_rows("U 0 = 1, 2;"), "T: a row is expected, 'U 0 = 1, 2;' met"),
        (with_rows("<html>"), "T: a row is expected, '<html>' met"),
        (with_rows().replace(";", ""), "the FORMAT line does not end"),
        ("[ T ]\n[ \\T ]\n", "a FORMAT line is expected, none met"),
    ],
)
def test_what_is_no_table_is_refused(text: str, words: str):
    with pytest.raises(IniError, match=words):
        table(text, "T")


def test_what_is_not_there_is_named():
    found = table(INI, "ProxyIp")
    with pytest.raises(IniError, match="ProxyIp 7: this row is expected, there are 0, 1, 2"):
        found.value(7, "IpAddress")
    with pytest.raises(IniError, match="ProxyIp: column Colour is expected, FORMAT has ProxySetId, ProxyIpIndex"):
        found.value(0, "Colour")
    with pytest.raises(IniError, match="column Colour"):
        found.rewritten({0: {"Colour": "1"}})
    with pytest.raises(IniError, match="ProxyIp 0, IpAddress: a number is expected, '10.71.3.10:5060' met"):
        found.number(0, "IpAddress")


def test_single_parameters():
    assert parameter(INI, "ProxyRedundancyMode") == "0"
    assert parameter(INI, "SIPGatewayName") == "gw, one; of two"
    assert parameter(INI, "Colour") is None


def test_a_proxy_set_is_found_by_name_or_index():
    assert proxy_set(INI, "1").number == proxy_set(INI, "SIP Servers").number == 1
    for wanted in ("2", "SIP", "sip servers"):
        with pytest.raises(IniError, match="one ProxySet .* is expected by name or index, there are: 0 Carrier, 1 SIP"):
            proxy_set(INI, wanted)
    with pytest.raises(IniError, match="one ProxySet '1'"):
        proxy_set(INI.replace('"Carrier"', '"1"'), "1")


def test_swapping_moves_all_that_belongs_to_an_address():
    found = proxy_set(INI, "1")
    assert found.rows() == [1, 2]
    new = found.addresses.rewritten(found.preferring(SITE2, SITE1))
    assert 'ProxyIp 1 = "1", 0, "10.71.2.100:5061", 2, 0, 5;' in new
    assert 'ProxyIp 2 = "1", 1, "10.71.1.100:5060", 0, 0, 0;' in new
    assert 'ProxyIp 0 = "0", 0, "10.71.3.10:5060", 0, 0, 0;' in new
    assert found.preferring(SITE1, SITE2) == {}


def test_the_order_is_that_of_the_index_in_the_set():
    text = INI.replace('ProxyIp 1 = "1", 0', 'ProxyIp 1 = "1", 4')
    assert proxy_set(text, "1").rows() == [2, 1]
    assert proxy_set(text, "1").preferring(SITE2, SITE1) == {}
    old = proxy_set(INI.split("[ ProxyIp ]")[0] + OLD, "1")  # no such column: the row's own number
    assert old.rows() == [1, 2]
    assert old.preferring("192.0.2.2:5060", "192.0.2.1:5060")[1]["IpAddress"] == '"192.0.2.2:5060"'


def test_a_third_address_may_come_between_but_not_first():
    between = INI.replace('ProxyIp 2 = "1", 1', 'ProxyIp 3 = "1", 1, "192.0.2.9:5060", 0, 0, 0;\nProxyIp 2 = "1", 2')
    found = proxy_set(between, "1")
    assert sorted(found.preferring(SITE2, SITE1)) == [1, 2]
    first = between.replace('"1", 0, "10.71.1', '"1", 9, "10.71.1')
    with pytest.raises(IniError, match="ProxySet 1: a site's address is expected first, 192.0.2.9:5060 met"):
        proxy_set(first, "1").preferring(SITE2, SITE1)


def test_an_address_must_be_there_once():
    with pytest.raises(IniError, match="the address 10.9.9.9:5060 is expected, 10.71.1.100:5060, 10.71.2.100:5061 met"):
        proxy_set(INI, "1").preferring("10.9.9.9:5060", SITE1)
    twice = proxy_set(INI.replace(SITE1, SITE2), "1")
    with pytest.raises(IniError, match=r"10.71.2.100:5061 is expected once, rows \[1, 2\]"):
        twice.row_of(SITE2)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('"SIP Servers", 1, 10, 0,', '"SIP Servers", 1, 10, 1,', "ProxyLoadBalancingMethod 1"),
        ('"DefaultSRD", 1,', '"DefaultSRD", 0,', "ProxyRedundancyMode is 0"),
        ('"DefaultSRD", 1,', '"DefaultSRD", -1,', "ProxyRedundancyMode is -1"),
        ('10.71.1.100:5060", 0, 0,', '10.71.1.100:5060", 0, 3,', r"Priority of its addresses is \[3, 0\]"),
    ],
)
def test_where_the_order_does_not_decide(before: str, after: str, words: str):
    assert before in INI
    assert not proxy_set(INI, "1").disorder()
    assert pytest.raises(AssertionError, check_disorder, INI.replace(before, after)).match(words)


def check_disorder(ini: str) -> None:
    disorder = proxy_set(ini, "1").disorder()
    assert not disorder, disorder


def test_not_configured_means_what_the_device_has_in_general():
    text = INI.replace('"DefaultSRD", 1,', '"DefaultSRD", -1,').replace(
        "PROXYREDUNDANCYMODE = 0", "PROXYREDUNDANCYMODE = 1"
    )
    check_disorder(text)


def test_priorities_in_the_order_of_the_rows_are_no_disorder():
    check_disorder(INI.replace('5061", 2, 0, 5;', '5061", 2, 1, 5;'))


def test_undo_brings_back_what_stood():
    found = proxy_set(INI, "1")
    wanted = found.preferring(SITE2, SITE1)
    undo = found.undo(wanted)
    assert undo["ProxyIp 2"] == {"IpAddress": '"10.71.2.100:5061"', "TransportType": "2", "Weight": "5"}
    now = table(found.addresses.rewritten(wanted), "ProxyIp")
    back, strange = restored(now, undo)
    assert (now.rewritten(back), strange) == (found.addresses.text, [])


def test_undo_of_a_row_that_has_a_new_address_is_told():
    found = proxy_set(INI, "1")
    undo = found.undo(found.preferring(SITE2, SITE1))
    moved = table(INI.replace("10.71.1.100", "10.71.1.200"), "ProxyIp")
    assert restored(moved, undo)[1] == ['"10.71.1.200:5060"']
    half = table(INI.replace(SITE1, SITE2), "ProxyIp")  # what a device leaves that did half of it
    assert restored(half, undo)[1] == []


@pytest.mark.parametrize(
    "record", [{"1 sip:10.71.1.100": [0, 10]}, {"ProxyIp 1": "x"}, {"ProxyIp 9": {"IpAddress": "x"}}]
)
def test_a_record_of_something_else_is_refused(record: dict):
    with pytest.raises(IniError, match="expected"):
        restored(table(INI, "ProxyIp"), record)


STATES = {"ONLINE": "up", "OFFLINE": "down", "NOT RESOLVED": "unknown", "Busy": "partial", "odd": "right"}


@pytest.mark.parametrize("over_rest", [True, False])
def test_the_state_of_each_address(over_rest: bool):
    store = Store()
    store.states = {SITE2: "OFFLINE", "10.71.3.10:5060": "NOT RESOLVED"}
    shown = store.show().replace("\r\n", ". ") if over_rest else store.show()
    assert state_of(shown, 1, SITE1, STATES) == ("ONLINE", "up")
    assert state_of(shown, 1, SITE2, STATES) == ("OFFLINE", "down")
    assert state_of(shown, 0, "10.71.3.10:5060", STATES) == ("NOT RESOLVED", "unknown")
    assert state_of(shown, 0, SITE1, STATES) == ("", "unknown")
    assert state_of(shown, 1, "10.71.1.10:5060", STATES) == ("", "unknown")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("10.71.1.100 - - 1 0 online", ("ONLINE", "up")),
        ("10.71.1.100(10.71.1.100:5060)(*) - - 1 0 busy", ("Busy", "partial")),
        ("gw.example.net(10.71.1.100:5060) - - 1 0 ONLINE", ("ONLINE", "up")),
        ("10.71.1.100:5060 - - 1 0 FANCY", ("- - 1 0 FANCY", "unknown")),
        ("10.71.1.100:5060 ONLINE OFFLINE", ("ONLINE OFFLINE", "unknown")),
        ("10.71.1.100:5060 - - 1 0 odd", ("odd", "unknown")),
        ("10.71.1.100:5080 - - 1 0 ONLINE", ("", "unknown")),
        ("10.71.1.100:5060", ("", "unknown")),
        ("10.71.1.100:5060 UNONLINED", ("UNONLINED", "unknown")),
    ],
)
def test_words_that_are_not_known_mean_unknown(line: str, expected: tuple[str, str]):
    assert state_of(f"ID NAME. 1 PS Homing Enabled OFFLINE.     {line}. 2 X Parking", 1, SITE1, STATES) == expected


@given(st.text(max_size=200))
def test_any_text_means_something_or_unknown(text: str):
    assert state_of(text, 1, SITE1, STATES)[1] in ("up", "down", "partial", "unknown")
