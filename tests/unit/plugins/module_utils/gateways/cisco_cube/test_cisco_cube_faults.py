"""The Cisco CUBE driver against devices, connections and options that are not as they should be."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways import cisco_cube, cisco_cube_device
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import GatewayError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError

from ..cisco_cube_bench import Bench

SITE1, SITE2 = "dial-peer voice 1001 voip", "dial-peer voice 1002 voip"


def test_a_restore_that_would_shut_the_last_target_that_answers_is_refused(bench: Bench) -> None:
    bench.type(SITE2, "shutdown")
    bench.go("prefer", "site2")
    bench.router.keepalive["10.71.1.100:5060"] = "busyout"
    with pytest.raises(RefusedError, match="a target stays in service: .*1002 voip would go out"):
        bench.go("restore")
    assert bench.target("site2")["admin"] == "in_service"
    bench.router.keepalive.clear()
    bench.type(SITE1, "shutdown")
    with pytest.raises(RefusedError):
        bench.go("restore")
    bench.type(SITE1, "no shutdown")
    assert bench.go("restore").changed is True


def test_a_dial_peer_is_never_created(bench: Bench) -> None:
    bench.params["targets"]["site2"] = "1009"
    begin = bench.texts
    with pytest.raises(GatewayError, match="cube1.example: dial-peer voice 1009 voip of site2 expected"):
        bench.go("prefer", "site1")
    assert bench.texts == begin


def test_a_dial_peer_that_was_deleted_meanwhile_stays_deleted(bench: Bench) -> None:
    bench.go("prefer", "site2")
    bench.type(f"no {SITE1}")
    bench.go("restore")
    assert SITE1 not in bench.double.running
    assert " preference 1\n" in bench.double.running


def test_a_line_that_is_refused_is_named_with_what_stands(bench: Bench) -> None:
    begin = bench.texts
    bench.router.refuses = "no preference"
    with pytest.raises(
        GatewayError,
        match="cube1.example: no preference: % Invalid .*1002 voip: preference: no line expected, preference 1 met",
    ):
        bench.go("prefer", "site2")
    assert bench.double.cli.session.prompt == "CUBE1#"
    bench.router.refuses = ""
    bench.go("restore")
    assert bench.texts == begin


@pytest.mark.parametrize("arrived", [0, 1, 2, 3])
def test_a_connection_that_is_lost_half_way_is_finished_by_the_next_run(either: Bench, arrived: int) -> None:
    begin = either.texts
    either.double.lost_after = arrived
    with pytest.raises(GatewayError, match="how much of this arrived is not known"):
        either.go("prefer", "site2")
    either.double.lost_after = -1
    assert either.go("prefer", "site2").changed is True
    assert either.prefers == "site2"
    either.go("restore")
    assert either.texts == begin


def test_a_configuration_that_cannot_be_saved_is_an_error_that_says_so(bench: Bench) -> None:
    bench.router.nvram_works = False
    with pytest.raises(GatewayError, match="change stands, but a reload would undo it: .*Error opening nvram"):
        bench.go("prefer", "site2")
    bench.router.nvram_works = True
    assert bench.go("prefer", "site2").changed is True
    assert bench.router.running == bench.router.startup


def test_a_change_by_somebody_else_stops_the_push(either: Bench) -> None:
    change = cisco_cube.plan(either.params, "site2")
    header = next(iter(change.before.splitlines()))
    either.type(header, "description changed meanwhile")
    with pytest.raises(GatewayError, match="changed since it was read; nothing was sent"):
        cisco_cube.apply(either.params, change, "site2")
    assert either.router.typed == []


def test_a_silent_device_is_an_error_within_the_time_out(bench: Bench) -> None:
    with bench.double.silent(), pytest.raises(GatewayError, match="no answer within 0.5 s"):
        cisco_cube.read(bench.params)


def test_nonsense_is_an_error_and_changes_nothing(either: Bench) -> None:
    begin = either.texts
    with either.double.garbage():
        with pytest.raises(GatewayError, match="cube1.example"):
            cisco_cube.read(either.params)
        with pytest.raises(GatewayError, match="cube1.example"):
            either.go("prefer", "site2")
    assert either.texts == begin


@pytest.mark.parametrize("site", ["site1", "site2"])
def test_half_an_answer_changes_nothing(either: Bench, site: str) -> None:
    begin = either.texts
    either.double.half = True
    with pytest.raises(GatewayError, match="cube1.example"):
        either.go("prefer", site)
    assert either.texts == begin


def test_a_dial_peer_that_the_table_leaves_out_is_not_known(bench: Bench) -> None:
    complete = cisco_cube_device.cube_of(bench.params)
    bench.double.half = True
    found = cisco_cube_device.read_cube(complete)["targets"]["site2"]
    assert (found["admin"], found["oper"]) == ("in_service", "unknown")
    assert "not in the summary" in found["state"]


def test_more_dial_peers_than_there_are_preferences_is_an_error(bench: Bench) -> None:
    for tag in range(2000, 2011):
        bench.type(f"dial-peer voice {tag} voip", f"preference {tag - 2000}")
    bench.params["targets"]["site1"] = [1001, *range(2000, 2011)]
    with pytest.raises(GatewayError, match="preferences of 0 to 10 expected"):
        bench.go("prefer", "site2")


def test_without_privileges_the_device_refuses(bench: Bench) -> None:
    bench.double.cli.session.privileged = False
    with pytest.raises(GatewayError, match="cube1.example: show running-config .*: % Invalid input"):
        cisco_cube.read(bench.params)


@pytest.mark.parametrize(
    "reply", [b"", b"\x00\x00\x00\x00\x00\x00\x00\x04!!!!", b"\x00\x00\x00\x00\x00\x00\x00\x09half"]
)
def test_a_connection_that_does_not_speak_json_rpc_is_an_error(tmp_path: Path, reply: bytes) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()

        def answer() -> None:
            with listener.accept()[0] as channel:
                channel.recv(65535)
                channel.sendall(reply)

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(GatewayError, match="the gateway: get_option"):
            cisco_cube.read({"socket_path": path, "command_timeout": 2})
        thread.join()


def test_without_a_connection_it_says_which_is_expected(tmp_path: Path) -> None:
    with pytest.raises(GatewayError, match="network_cli"):
        cisco_cube.read({})
    with pytest.raises(GatewayError, match="does not exist"):
        cisco_cube.read({"socket_path": str(tmp_path / "none")})


@pytest.mark.parametrize(
    ("option", "value"), [("targets", "1001"), ("server_group", "one"), ("save", "perhaps"), ("command_timeout", [])]
)
def test_an_option_of_the_wrong_type_is_named(bench: Bench, option: str, value: object) -> None:
    with pytest.raises(GatewayError, match=option):
        cisco_cube.read(dict(bench.params, **{option: value}))


def test_a_site_without_targets_is_an_error(either: Bench) -> None:
    with pytest.raises(GatewayError, match="option targets: site3 and another site expected, site1, site2 given"):
        either.go("prefer", "site3")
