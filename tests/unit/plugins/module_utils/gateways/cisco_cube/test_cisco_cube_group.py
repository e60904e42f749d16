"""The Cisco CUBE driver: server groups, readiness, and what a person types."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways import cisco_cube
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError

from ..cisco_cube_bench import Bench

SITE2 = "dial-peer voice 1002 voip"
THE_GROUP = "voice class server-group 1"


def test_a_groups_entries_are_ordered_without_touching_the_survivors(group: Bench) -> None:
    group.go("prefer", "site2")
    assert group.router.typed == [
        THE_GROUP,
        "no ipv4 10.71.1.100 port 5060 preference 1",
        "ipv4 10.71.1.100 port 5060 preference 3",
    ]


def test_a_group_has_room_for_every_turn(group: Bench) -> None:
    begin = group.texts
    for turn in range(8):
        site = "site2" if turn % 2 == 0 else "site1"
        assert group.go("prefer", site).changed is True
        assert group.prefers == site
    group.go("restore")
    assert group.texts == begin


def test_other_entries_of_the_group_stay(group: Bench) -> None:
    group.type(THE_GROUP, "ipv4 10.9.9.9 preference 5", "ipv4 10.71.1.100 port 5070 preference 4")
    begin = group.texts
    group.go("prefer", "site2")
    assert " ipv4 10.9.9.9 preference 5\n" in group.double.running
    assert " ipv4 10.71.1.100 port 5070 preference 4\n" in group.double.running
    group.go("restore")
    assert group.texts == begin


def test_of_a_group_that_is_partial_the_status_says_who_is_down(group: Bench) -> None:
    group.router.keepalive["10.71.1.100:5060"] = "busyout"
    assert [group.target(site)["oper"] for site in ("site1", "site2")] == ["down", "up"]
    group.router.with_status = False
    assert [group.target(site)["oper"] for site in ("site1", "site2")] == ["unknown", "unknown"]
    group.router.keepalive["10.71.2.100:5060"] = "busyout"
    assert [group.target(site)["oper"] for site in ("site1", "site2")] == ["down", "down"]


@pytest.mark.parametrize(
    ("lines", "guard"),
    [
        ([THE_GROUP, "shutdown"], "opened by a person only"),
        (["dial-peer voice 1000 voip", "shutdown"], "opened by a person only"),
        ([THE_GROUP, "hunt-scheme round-robin"], "the preference decides"),
    ],
)
def test_what_carries_both_sites_is_not_opened(group: Bench, lines: list[str], guard: str) -> None:
    group.type(*lines)
    with pytest.raises(RefusedError, match=guard):
        group.go("prefer", "site2")
    assert group.router.typed == []


def met(bench: Bench) -> list[bool]:
    return [item["met"] for item in cisco_cube.readiness(bench.params, ["site1", "site2"])]


def test_readiness_is_met_by_a_good_configuration(either: Bench) -> None:
    assert met(either) == [True] * 5


def test_readiness_names_what_is_missing(bench: Bench) -> None:
    bench.router.privilege = 1
    bench.params["targets"]["site2"] = "1009"
    bench.params["save"] = False
    bench.type("voice class sip-options-keepalive 10", "no up-interval", "dial-peer hunt 6")
    found = cisco_cube.readiness(bench.params, ["site1", "site2"])
    assert [item["met"] for item in found] == [False] * 5
    evidence = [item["evidence"] for item in found]
    assert "level is 1" in evidence[0]
    assert "site2: dial-peer voice 1009 voip" in evidence[1]
    assert "up 60 s" in evidence[2]
    assert "dial-peer hunt 6" in evidence[3]
    assert all(item["way"] for item in found)


def test_readiness_wants_one_destination_for_both_sites_unless_the_hunt_asks_for_the_preference_first(
    bench: Bench,
) -> None:
    bench.type(SITE2, "destination-pattern 8000")
    assert met(bench) == [True, True, True, False, True]
    bench.type("dial-peer hunt 2")
    assert met(bench) == [True] * 5


def test_readiness_of_a_silent_device_is_not_met(bench: Bench) -> None:
    with bench.double.silent():
        found = cisco_cube.readiness(bench.params, ["site1", "site2"])
    assert not any(item["met"] for item in found)
    assert all("no answer" in item["evidence"] for item in found)


def test_what_it_explains_does_it(either: Bench) -> None:
    """Typed by hand, line by line, comments left out and the lines that are to be looked up filled in."""
    lines = cisco_cube.explain(either.params, "site2")
    assert str(either.params["targets"]["site2"]) in "\n".join(lines)
    stands = iter(["ipv4 10.71.2.100 preference 2", "ipv4 10.71.1.100 port 5060 preference 1"])
    for line in lines:
        typed = line.split("   !")[0].replace("no …", f"no {next(stands, '')}" if "no …" in line else "")
        assert "%" not in either.double.cli.session.enter(typed)
    assert either.prefers == "site2"
    assert either.router.running == either.router.startup
