"""The Cisco CUBE driver, and the actions on it, against a router with a configuration of its own."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways import cisco_cube
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError

from ..cisco_cube_bench import Bench

SITE1, SITE2 = "dial-peer voice 1001 voip", "dial-peer voice 1002 voip"


@pytest.mark.parametrize("with_vrf", [True, False])
def test_it_reads_both_sites_in_the_devices_own_words(bench: Bench, with_vrf: bool) -> None:
    bench.router.with_vrf = with_vrf
    bench.router.keepalive["10.71.1.100:5060"] = "busyout"
    found = cisco_cube.read(bench.params)
    assert found["prefers"] == "site1"
    assert found["targets"]["site1"] == {
        "state": f"{SITE1}: MIN up OPER up KEEPALIVE busyout",
        "admin": "in_service",
        "oper": "down",
        "priority": 0,
        "uri": "ipv4:10.71.1.100:5060",
    }
    assert found["targets"]["site2"]["oper"] == "up"
    assert found["targets"]["site2"]["priority"] == 1


def test_what_an_administrator_shut_down_is_out_of_service_and_not_known_to_be_down(bench: Bench) -> None:
    bench.type(SITE1, "shutdown")
    assert bench.target("site1")["admin"] == "out_of_service"
    assert bench.target("site1")["oper"] == "unknown"
    assert bench.prefers is None


def test_without_a_keepalive_nothing_is_known(bench: Bench) -> None:
    bench.type(SITE1, "no voice-class sip options-keepalive")
    assert bench.target("site1")["oper"] == "unknown"
    assert bench.target("site1")["state"].endswith("KEEPALIVE none")


def test_a_target_that_is_not_configured_says_so(either: Bench) -> None:
    either.params["targets"]["site2"] = "10.9.9.9"
    target = either.target("site2")
    assert (target["admin"], target["oper"], target["priority"]) == ("out_of_service", "unknown", None)
    assert "not configured" in target["state"]


def test_preferring_exchanges_the_two_preferences_and_saves(bench: Bench) -> None:
    outcome = bench.go("prefer", "site2")
    assert outcome.changed
    assert outcome.gateway["prefers"] == "site2"
    assert bench.router.typed == [SITE1, "preference 1", SITE2, "no preference"]
    assert bench.router.running == bench.router.startup
    assert outcome.after.count("preference") == 1
    assert "password" not in outcome.before + outcome.after


def test_the_order_survives_a_reload_and_a_recovering_target(either: Bench) -> None:
    either.router.keepalive["10.71.1.100:5060"] = "busyout"
    either.go("prefer", "site2")
    either.router.reload()
    assert either.prefers == "site2"
    assert either.target("site1")["admin"] == "in_service"


def test_a_second_time_nothing_is_typed(either: Bench) -> None:
    either.go("prefer", "site2")
    either.router.typed.clear()
    assert either.go("prefer", "site2").changed is False
    assert either.router.typed == []
    assert "get write memory" not in either.double.asked[either.double.asked.index("get write memory") + 1 :]


def test_restore_puts_back_the_very_text(either: Bench) -> None:
    begin = either.texts
    either.go("prefer", "site2")
    either.go("prefer", "site1")
    either.go("prefer", "site2")
    assert either.texts != begin
    assert either.go("restore").changed is True
    assert either.texts == begin


def test_a_preference_that_stood_there_comes_back_as_a_line(bench: Bench) -> None:
    bench.type(SITE1, "preference 3", SITE2, "preference 7")
    begin = bench.texts
    bench.go("prefer", "site2")
    assert bench.router.typed == [SITE1, "preference 7", SITE2, "preference 3"]
    bench.go("restore")
    assert bench.texts == begin


def test_an_order_that_stands_keeps_its_numbers(either: Bench) -> None:
    begin = either.texts
    assert either.go("prefer", "site1").changed is False
    assert either.texts == begin


def test_no_shutdown_is_sent_only_where_shutdown_stands(bench: Bench) -> None:
    bench.type(SITE2, "shutdown")
    begin = bench.texts
    bench.go("prefer", "site2")
    assert bench.router.typed == [SITE1, "preference 1", SITE2, "no shutdown", "no preference"]
    assert bench.target("site2")["admin"] == "in_service"
    bench.router.typed.clear()
    bench.go("restore")
    assert bench.texts == begin
    assert bench.router.typed[-1] == "shutdown"
    assert "no shutdown" not in bench.router.typed


def test_check_mode_tells_the_text_that_will_stand_and_touches_nothing(either: Bench) -> None:
    begin = either.texts
    outcome = either.go("prefer", "site2", check_mode=True)
    assert outcome.changed
    assert either.texts == begin
    real = either.go("prefer", "site2")
    assert (real.before, real.after) == (outcome.before, outcome.after)
    assert cisco_cube.plan(either.params, "site2").before == outcome.after


def test_an_order_that_is_not_saved_is_saved_and_nothing_else(either: Bench) -> None:
    change = cisco_cube.plan(dict(either.params, save=False), "site2")
    cisco_cube.apply(dict(either.params, save=False), change, "site2")
    assert either.router.running != either.router.startup
    either.router.typed.clear()
    assert either.go("prefer", "site2").changed is True
    assert either.router.running == either.router.startup
    assert either.router.typed == []


def test_without_save_the_startup_configuration_stays(bench: Bench) -> None:
    bench.params["save"] = "no"
    saved = bench.double.text
    bench.go("prefer", "site2")
    assert bench.double.text == saved
    assert bench.go("prefer", "site2").changed is False


def test_emergency_dial_peers_are_never_touched(either: Bench) -> None:
    either.params["keep"] = [911, 1002, 1000]
    begin = either.texts
    with pytest.raises(RefusedError, match="emergency"):
        either.go("prefer", "site2")
    assert either.texts == begin


def test_several_dial_peers_of_a_site_keep_their_own_order(bench: Bench) -> None:
    bench.type("dial-peer voice 1003 voip", "preference 1", "session target ipv4:10.71.1.101", SITE2, "preference 2")
    bench.params["targets"]["site1"] = [1001, 1003]
    begin = bench.texts
    bench.router.keepalive["10.71.1.100:5060"] = "busyout"
    assert bench.target("site1")["oper"] == "unknown"
    bench.type("dial-peer voice 1003 voip", "voice-class sip options-keepalive")
    begin = bench.texts
    assert bench.target("site1")["oper"] == "partial"
    bench.go("prefer", "site2")
    assert bench.prefers == "site2"
    assert [bench.router.text(bench.router.running).count(f" preference {at}\n") for at in (0, 1, 2)] == [0, 1, 1]
    bench.go("restore")
    assert bench.texts == begin


def test_a_tag_that_is_too_long_for_its_column_is_read(bench: Bench) -> None:
    bench.type("dial-peer voice 39275821 voip", "preference 2", "session target ipv4:10.71.2.101", "shutdown")
    bench.params["targets"]["site2"] = 39275821
    assert bench.target("site2")["state"] == "dial-peer voice 39275821 voip: MIN down OPER down KEEPALIVE none"
    bench.go("prefer", "site2")
    assert bench.prefers == "site2"
