"""What a CUBE prints, read: texts of Cisco's manuals (SIP Out-of-Dialog OPTIONS Ping Group; 211306; 217860)."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways import cisco_cube_text as text
from hypothesis import given
from hypothesis import strategies as st

OLD = """dial-peer hunt 0
             AD                                    PRE PASS                OUT
TAG    TYPE  MIN  OPER PREFIX    DEST-PATTERN      FER THRU SESS-TARGET    STAT PORT    KEEPALIVE
777    voip  up   up             9...               0  syst ipv4:10.50.244.2
555    voip  up   down           555                0  syst
123    voip  up   up             123                0  syst ipv4:10.10.10.10            busyout
"""
NEW = """
             AD                                    PRE PASS SESS-SER-GRP\\  OUT
TAG    TYPE  MIN  OPER PREFIX    DEST-PATTERN      FER THRU SESS-TARGET    STAT PORT    KEEPALIVE    VRF
4      voip  up   up             1234               0  syst dns:example1.com             active      NA
5      voip  up   up             123456             0  syst dns:example2.com             partial     NA
44     voip  up   up             1234               0  syst dns:example3.com             busyout     NA
1000   voip  down down           ^1000$             0  syst SESS-SVR-GRP: 1               busyout    NA
For server-grp details please execute command:show voice class server-group <tag_id>
"""
STATUS = """ TAG        TENANT   DESTINATION                    OOD-SessID   PRI     WT      STATUS
 8          -        dns:ex.company.com                                          active
                      example1.com                  438          10      50      active
                      ipv4:10.105.34.88:8790
 9          3        ipv4:10.64.86.70:8073          1            -       -       busyout
 10         -        sess-svr-grp:1
                      ipv4:10.105.34.88:8071        2            -       -       busyout
                      ipv4:10.105.34.88:8072        3            -       -       active
"""
PEER = "dial-peer voice 1001 voip"
GROUP = "voice class server-group 1"


def row(admin: str, oper: str, keepalive: str) -> dict:
    return {"admin": admin, "oper": oper, "keepalive": keepalive}


def test_the_summary_without_vrf() -> None:
    assert text.summary(OLD) == {
        "777": row("up", "up", ""),
        "555": row("up", "down", ""),
        "123": row("up", "up", "busyout"),
    }


def test_the_summary_with_vrf_and_server_groups() -> None:
    assert text.summary(NEW) == {
        "4": row("up", "up", "active"),
        "5": row("up", "up", "partial"),
        "44": row("up", "up", "busyout"),
        "1000": row("down", "down", "busyout"),
    }


@pytest.mark.parametrize(
    "wrapped",
    [
        "39275-\n82     voip  up   up             9...               0  syst ipv4:10.50.244.2             active",
        "39275- voip  up   up             9...               0  syst ipv4:10.50.244.2             active\n82",
    ],
)
def test_a_long_tag_goes_on_in_the_next_line(wrapped: str) -> None:
    assert text.summary(OLD + wrapped + "\n")["3927582"] == row("up", "up", "active")


def test_a_long_target_pushes_the_last_column_out_of_its_place() -> None:
    line = (
        "7      voip  up   up             +1[2-9]..[2-9]......  0  syst ipv4:10.105.34.188:50600              busyout"
    )
    assert text.summary(OLD + line)["7"] == row("up", "up", "busyout")


@pytest.mark.parametrize("column", ["MIN", "OPER", "KEEPALIVE"])
def test_a_column_that_is_missing_is_named(column: str) -> None:
    with pytest.raises(ValueError, match=f"column .*{column}"):
        text.summary(OLD.replace(column, "NEW"))
    with pytest.raises(ValueError, match="header"):
        text.summary("\n".join(line for line in OLD.splitlines() if "TAG" not in line))


def test_an_unknown_column_is_passed_over() -> None:
    assert text.summary(NEW.replace("    VRF", "    VRF  TENANT"))["44"] == row("up", "up", "busyout")


def test_the_keepalive_status_of_each_destination() -> None:
    found = text.keepalive_status(STATUS)
    assert found["9"] == {"ipv4:10.64.86.70:8073": "busyout"}
    assert found["10"] == {
        "sess-svr-grp:1": "",
        "ipv4:10.105.34.88:8071": "busyout",
        "ipv4:10.105.34.88:8072": "active",
    }
    assert found["8"] == {"dns:ex.company.com": "active", "ipv4:10.105.34.88:8790": ""}


CONFIG = """Building configuration...
dial-peer voice 1001 voip
 description DR site1
 shutdown
 destination-pattern .T
 authentication username cube password 7 0822455D0A16
!
event manager applet OTHER
 action 1 cli command "dial-peer voice 1001 voip"
dial-peer voice 1 pots
 shutdown
voice class server-group 1
 ipv4 10.1.0.10 port 5060 preference 1
 ipv4 10.2.0.10
 ipv6 2010:AB8:0:2::1 port 2323 preference 3
 hunt-scheme round-robin
"""


def test_sections_are_dial_peers_groups_and_nothing_else() -> None:
    found = text.sections(CONFIG)
    assert list(found) == [PEER, GROUP]
    assert text.slots(PEER, found[PEER]) == {"shutdown": "shutdown"}
    assert text.slots(GROUP, found[GROUP]) == {
        "ipv4 10.1.0.10:5060": "ipv4 10.1.0.10 port 5060 preference 1",
        "ipv4 10.2.0.10:5060": "ipv4 10.2.0.10",
        "ipv6 2010:ab8:0:2::1:2323": "ipv6 2010:AB8:0:2::1 port 2323 preference 3",
    }


def test_no_secret_is_shown() -> None:
    assert "password" not in text.shown(text.sections(CONFIG), [PEER])
    assert "0822455D0A16" not in text.shown(text.sections(CONFIG), [PEER])


@pytest.mark.parametrize(
    ("value", "slot"),
    [
        ("10.1.0.10", "ipv4 10.1.0.10:5060"),
        ("10.1.0.10:5070", "ipv4 10.1.0.10:5070"),
        ("2010:AB8::1", "ipv6 2010:ab8::1:5060"),
        ("[2010:ab8:0::1]:2323", "ipv6 2010:ab8::1:2323"),
        ("sip.example.com:5080", "dns sip.example.com:5080"),
    ],
)
def test_an_entry_is_found_by_its_address(value: str, slot: str) -> None:
    assert text.entry_slot(value) == slot


def test_lines_stand_where_ios_shows_them() -> None:
    lines = ["description DR", "destination-pattern .T"]
    both = text.changed(PEER, lines, {"preference": "preference 1", "shutdown": "shutdown"})
    assert both == ["description DR", "preference 1", "shutdown", "destination-pattern .T"]
    assert text.changed(PEER, both, {"preference": "", "shutdown": ""}) == lines
    assert text.changed(PEER, ["destination-pattern 1"], {"shutdown": "shutdown"}) == [
        "shutdown",
        "destination-pattern 1",
    ]


def test_only_the_difference_is_pushed_and_what_shuts_down_comes_last() -> None:
    other = "dial-peer voice 1002 voip"
    before = {PEER: ["preference 1", "description x"], other: ["shutdown"]}
    after = {PEER: ["shutdown", "description x"], other: []}
    assert text.push(before, after) == [PEER, "no preference", other, "no shutdown", PEER, "shutdown"]
    assert text.push(before, before) == []


def test_entries_are_rewritten_one_after_the_other() -> None:
    before = {GROUP: ["ipv4 10.1.0.10 preference 1", "ipv4 10.2.0.10 preference 2", "hunt-scheme preference"]}
    after = {
        GROUP: text.changed(GROUP, before[GROUP], {"ipv4 10.1.0.10:5060": "ipv4 10.1.0.10 preference 3"}),
    }
    assert after[GROUP] == ["ipv4 10.2.0.10 preference 2", "ipv4 10.1.0.10 preference 3", "hunt-scheme preference"]
    assert text.push(before, after) == [GROUP, "no ipv4 10.1.0.10 preference 1", "ipv4 10.1.0.10 preference 3"]
    assert text.push(after, {GROUP: after[GROUP][:1]}) == [GROUP, "no ipv4 10.1.0.10 preference 3"]


@given(
    first=st.lists(st.integers(0, 10), min_size=1, max_size=3),
    second=st.lists(st.integers(0, 10), min_size=1, max_size=3),
    keep_first=st.booleans(),
)
def test_numbers_make_a_strict_order_and_keep_the_order_within_a_site(
    first: list[int], second: list[int], keep_first: bool
) -> None:
    new = text.numbers(first, second, 10, keep_first)
    ours, others = [new["first"][at] for at in sorted(set(first))], [new["second"][at] for at in sorted(set(second))]
    assert ours == sorted(set(ours))
    assert others == sorted(set(others))
    assert 0 <= ours[0] <= ours[-1] < others[0] <= others[-1] <= 10
    if max(first) < min(second):
        assert (ours, others) == (sorted(set(first)), sorted(set(second)))


def test_numbers_are_exchanged_where_that_is_enough() -> None:
    assert text.numbers([1], [0], 10, keep_first=False) == {"first": {1: 0}, "second": {0: 1}}
    assert text.numbers([5], [0], 10, keep_first=False) == {"first": {5: 0}, "second": {0: 5}}
    assert text.numbers([0], [0], 10, keep_first=False) == {"first": {0: 0}, "second": {0: 1}}
    assert text.numbers([2], [1], 5, keep_first=True) == {"first": {2: 2}, "second": {1: 3}}
    assert text.numbers([5], [4], 5, keep_first=True) == {"first": {5: 4}, "second": {4: 5}}
    with pytest.raises(ValueError, match="6 preferences"):
        text.numbers([0, 1, 2], [0, 1, 2], 4, keep_first=False)


def test_the_keepalive_of_a_dial_peer() -> None:
    config = {
        PEER: ["voice-class sip options-keepalive profile 10"],
        "a": ["voice-class sip options-keepalive up-interval 12 down-interval 65 retry 3"],
        "b": ["voice-class sip options-keepalive"],
        "c": [],
        "voice class sip-options-keepalive 10": ["transport udp", "up-interval 10"],
    }
    assert text.keepalive_of(config, PEER) == {"up-interval": 10, "down-interval": 30, "retry": 5}
    assert text.keepalive_of(config, "a") == {"up-interval": 12, "down-interval": 65, "retry": 3}
    assert text.keepalive_of(config, "b") == text.KEEPALIVE_DEFAULTS
    assert text.keepalive_of(config, "c") is None
    config["voice class sip-options-keepalive 10"].append("shutdown")
    assert text.keepalive_of(config, PEER) is None
    del config["voice class sip-options-keepalive 10"]
    assert text.keepalive_of(config, PEER) is None
