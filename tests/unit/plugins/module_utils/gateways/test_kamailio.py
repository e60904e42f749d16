"""The Kamailio gateway driver and the actions on it, against a dispatcher that answers over HTTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways import kamailio
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.actions import (
    Gateway,
    Given,
    gateway_of,
    other_site,
    record_here,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import GatewayError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.kamailio_text import dispatcher_settings
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import StaleTokenError, run_step
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.client import SipClient

from .dispatcher import LIST, Dispatcher, serve, serve_unix
from .serving import Manners, serve_http


class Bench(NamedTuple):
    dispatcher: Dispatcher
    params: dict
    state_dir: str

    def gateway(self, check_mode: bool = False) -> Gateway:
        return gateway_of("kamailio", self.params, record_here(self.state_dir), check_mode)

    def go(self, door: str, *site: str, check_mode: bool = False, token: int = 7) -> tuple[bool, str]:
        run = {"id": f"run-{token}", "token": token, "step": door}
        with run_step(run, self.state_dir, check_mode) as step:
            outcome = getattr(self.gateway(check_mode), door)(*site, step)
        return outcome.changed, outcome.detail

    @property
    def text(self) -> str:
        return self.dispatcher.list_file.read_text()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    list_file = tmp_path / "dispatcher.list"
    list_file.write_text(LIST)
    dispatcher = Dispatcher(list_file)
    with serve(dispatcher) as url:
        params = {"rpc_url": url, "list_file": str(list_file), "reload_deadline": 3.0, "reload_interval": 0.02}
        yield Bench(dispatcher, params, str(tmp_path / "state"))


def test_it_reads_the_targets_by_site_and_the_order(bench: Bench) -> None:
    bench.dispatcher.states["site1"] = "IP"
    found = kamailio.read(bench.params)
    assert found["prefers"] == "site1"
    assert set(found["targets"]) == {"site1", "site2"}
    assert found["targets"]["site1"] == {
        "uri": "sip:10.71.1.100:5060",
        "state": "IP",
        "admin": "in_service",
        "oper": "down",
        "priority": 10,
    }


def test_preferring_changes_only_the_two_priorities_and_reloads(bench: Bench) -> None:
    assert bench.go("prefer", "site2") == (True, "site2 preferred")
    assert bench.text == LIST.replace("0 10 duid=site1", "0 5 duid=site1").replace("0\t5  duid", "0\t10  duid")
    assert kamailio.read(bench.params)["prefers"] == "site2"
    assert bench.dispatcher.reloads == 1


def test_a_second_time_changes_nothing_and_reloads_nothing(bench: Bench) -> None:
    bench.go("prefer", "site2")
    assert bench.go("prefer", "site2") == (False, "site2 is preferred already")
    assert bench.dispatcher.reloads == 1


def test_an_order_that_stands_keeps_its_own_numbers(bench: Bench) -> None:
    assert bench.go("prefer", "site1")[0] is False
    assert bench.text == LIST


def test_check_mode_says_the_difference_and_touches_nothing(bench: Bench) -> None:
    with run_step(None, bench.state_dir, True) as step:
        outcome = bench.gateway(check_mode=True).prefer("site2", step)
    assert outcome.changed
    assert (outcome.before, bench.text) == (LIST, LIST)
    bench.go("prefer", "site2")
    assert bench.text == outcome.after


def test_restore_puts_back_exactly_what_stood_before_the_first_change(bench: Bench) -> None:
    bench.go("prefer", "site2")
    bench.go("prefer", "site1")
    bench.go("prefer", "site2")
    assert bench.go("restore")[0] is True
    assert bench.text == LIST
    assert kamailio.read(bench.params)["prefers"] == "site1"
    assert bench.go("restore") == (False, "nothing to restore: no change is recorded")


def test_restore_leaves_what_an_administrator_added_meanwhile(bench: Bench) -> None:
    bench.go("prefer", "site2")
    added = "1 sip:10.71.3.100:5060 0 1 duid=test\n"
    bench.dispatcher.list_file.write_text(bench.text + added)
    bench.go("restore")
    assert bench.text == LIST + added


def test_restore_in_check_mode_keeps_the_record(bench: Bench) -> None:
    bench.go("prefer", "site2")
    assert bench.go("restore", check_mode=True)[0] is True
    assert bench.go("restore")[0] is True


def test_a_run_killed_between_file_and_reload_is_finished_by_the_next(bench: Bench) -> None:
    change = kamailio.plan(bench.params, "site2")
    bench.dispatcher.list_file.write_text(change.after)
    assert bench.go("prefer", "site2")[0] is True
    assert kamailio.read(bench.params)["prefers"] == "site2"


def test_a_site_that_was_taken_out_is_put_in_service_and_restored_as_it_was(bench: Bench) -> None:
    out = LIST.replace("sip:10.71.2.100:5060 0", "sip:10.71.2.100:5060 4")
    bench.dispatcher.list_file.write_text(out)
    bench.dispatcher.call("dispatcher.reload")
    assert bench.go("prefer", "site2")[0] is True
    assert kamailio.read(bench.params)["targets"]["site2"]["admin"] == "in_service"
    bench.go("restore")
    assert bench.text == out


def test_a_pin_at_run_time_does_not_hold_calls_back(bench: Bench) -> None:
    bench.dispatcher.states["site1"] = "DX"
    assert kamailio.read(bench.params)["prefers"] is None
    assert bench.go("prefer", "site1")[0] is True
    assert kamailio.read(bench.params)["prefers"] == "site1"
    assert bench.text == LIST


def test_a_reload_that_is_refused_for_a_while_is_asked_again(bench: Bench) -> None:
    bench.dispatcher.call("dispatcher.reload")
    bench.dispatcher.delta = 0.3
    assert bench.go("prefer", "site2")[0] is True
    assert bench.dispatcher.reloads == 2


def test_a_reload_that_never_comes_fails_and_says_what_stands_in_the_file(bench: Bench) -> None:
    bench.dispatcher.call("dispatcher.reload")
    bench.dispatcher.delta = 100
    bench.params["reload_deadline"] = 0.1
    with pytest.raises(GatewayError, match="site2 first; the dispatcher does not run it .* no time elapsed"):
        bench.go("prefer", "site2")
    bench.dispatcher.delta = 0
    assert bench.go("restore")[0] is True
    assert bench.text == LIST


@pytest.mark.parametrize("text", ["", LIST.splitlines()[1] + "\n", LIST.replace("duid=site2", "weight=1")])
def test_a_target_without_its_peer_is_refused(bench: Bench, text: str) -> None:
    bench.dispatcher.list_file.write_text(text)
    with pytest.raises(GatewayError, match="duid="):
        bench.go("prefer", "site2")
    assert bench.text == text


def test_a_newer_run_stops_an_older_before_the_file_is_written(bench: Bench) -> None:
    bench.go("prefer", "site1", token=8)
    with pytest.raises(StaleTokenError):
        bench.go("prefer", "site2", token=7)
    assert bench.text == LIST


def test_an_unknown_option_and_an_unknown_driver_are_refused() -> None:
    with pytest.raises(GatewayError, match="listfile"):
        gateway_of("kamailio", {"listfile": "x"}, Given({}), False)
    with pytest.raises(GatewayError, match="cisco"):
        gateway_of("cisco", {}, Given({}), False)


def test_a_silent_gateway_is_an_error_that_names_it(bench: Bench) -> None:
    with pytest.raises(GatewayError, match="127.0.0.1:9/RPC"):
        kamailio.read({"rpc_url": "http://127.0.0.1:9/RPC"})


def test_readiness_names_what_is_missing(bench: Bench) -> None:
    assert all(item["met"] for item in kamailio.readiness(bench.params, ["site1", "site2"]))
    unmet = [item for item in kamailio.readiness(bench.params, ["site1", "site3"]) if not item["met"]]
    assert all("site3" in item["evidence"] for item in unmet)
    assert len(unmet) == 2
    silent = dict(bench.params, rpc_url="http://127.0.0.1:9/RPC", list_file="/nowhere/dispatcher.list")
    silent.update(keepalive_required=True, config_file="/nowhere/kamailio.cfg")
    assert not any(item["met"] for item in kamailio.readiness(silent, ["site1", "site2"]))


def readiness_of(bench: Bench, word: str, **options: object) -> dict:
    items = kamailio.readiness({**bench.params, **options}, ["site1", "site2"])
    return next(item for item in items if word in item["item"])


@pytest.mark.parametrize(
    ("interval", "mode", "met"),
    [
        ("10", "1", True),
        ("15", "1", True),
        ("16", "1", False),
        ("0", "1", False),
        (None, "1", False),
        ("10", "0", False),
    ],
)
def test_the_keepalive_is_read_in_the_configuration(
    bench: Bench, tmp_path: Path, interval: str | None, mode: str, met: bool
) -> None:
    setting = f'modparam("dispatcher", "ds_ping_interval", {interval})' if interval else "# nothing"
    (tmp_path / "common.cfg").write_text(f'{setting}\nmodparam("dispatcher|tm", "ds_probing_mode", {mode})\n')
    (tmp_path / "k.cfg").write_text('#!KAMAILIO\ninclude_file "common.cfg"\nimport_file "not_there.cfg"\n')
    item = readiness_of(bench, "pings", config_file=str(tmp_path / "k.cfg"))
    assert (item["met"], f"ds_ping_interval {interval or 0} s" in item["evidence"]) == (met, True)


def test_names_stand_for_values_in_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "k.cfg").write_text(
        '#!substdef "!EVERY!7!g"\n#!define MODE 1\n'
        'modparam("dispatcher", "ds_ping_interval", EVERY)\nmodparam("dispatcher", "ds_probing_mode", MODE)\n'
        '#modparam("dispatcher", "ds_probing_mode", 0)\nmodparam("tm", "fr_timer", 1000)\n'
    )
    assert dispatcher_settings(tmp_path / "k.cfg") == {"ds_ping_interval": "7", "ds_probing_mode": "1"}
    (tmp_path / "k.cfg").write_text('include_file "not_there.cfg"\n')
    assert dispatcher_settings(tmp_path / "k.cfg") is None


def test_a_keepalive_that_cannot_be_read_is_said_so(bench: Bench) -> None:
    options = {"config_file": "/nowhere/kamailio.cfg"}
    item = readiness_of(bench, "pings", **options)
    assert (item["met"], "cannot be read" in item["evidence"]) == (True, True)
    assert readiness_of(bench, "pings", keepalive_required=True, **options)["met"] is False


@pytest.mark.parametrize(
    ("codes", "met"),
    [
        ("", True),
        ("class=2;code=404", True),
        ("class=2;class=4", False),
        ("code=408", False),
        ("class=3; class=4", False),
    ],
)
@pytest.mark.parametrize("by_rpc", [True, False])
def test_silence_that_counts_as_an_answer_is_found(
    bench: Bench, tmp_path: Path, codes: str, met: bool, by_rpc: bool
) -> None:
    (tmp_path / "k.cfg").write_text("" if by_rpc else f'modparam("dispatcher", "ds_ping_reply_codes", "{codes}")\n')
    bench.dispatcher.reply_codes = codes if by_rpc else None
    item = readiness_of(bench, "silence", config_file=str(tmp_path / "k.cfg"))
    assert (item["met"], codes in item["evidence"]) == (met, True)


def test_the_rpc_is_spoken_over_a_unix_datagram_socket_too(bench: Bench, tmp_path: Path) -> None:
    with serve_unix(bench.dispatcher, tmp_path / "rpc.sock") as url:
        bench.params["rpc_url"] = url
        assert bench.go("prefer", "site2") == (True, "site2 preferred")
        assert kamailio.read(bench.params)["prefers"] == "site2"
        bench.params["rpc_timeout"] = 0.2
        with bench.dispatcher.silent(), pytest.raises(GatewayError, match="rpc.sock: no answer"):
            kamailio.read(bench.params)
        with bench.dispatcher.garbage(), pytest.raises(GatewayError, match="rpc.sock: no answer"):
            kamailio.read(bench.params)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["dispatcher.list", "rpc.sock", "state"]
    with pytest.raises(GatewayError, match=r"nobody.sock"):
        kamailio.read(dict(bench.params, rpc_url=f"unix:{tmp_path}/nobody.sock"))


@pytest.mark.parametrize(
    "reply", ['{"jsonrpc": "2.0", "id": 7, "result": {}}', "[]", '{"id": 1}', '{"error": {"code": 500}}', "{"]
)
def test_a_reply_that_is_none_is_an_error(reply: str) -> None:
    with (
        serve_http(Manners(), lambda *_asked: (200, reply)) as url,
        pytest.raises(GatewayError, match="dispatcher.list"),
    ):
        kamailio.read({"rpc_url": f"{url}/RPC"})


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("http://admin:s3cret@127.0.0.1:9/RPC", "without a log-in"),
        ("http://admin:s3cret@[::1/RPC", "unix:/path is expected"),
        ("127.0.0.1:8080", "127.0.0.1:8080: no answer"),
        ("http://127.0.0.1:9/RPC?a=b", "9/RPC"),
    ],
)
def test_an_address_that_is_none_is_named_without_what_is_secret_in_it(url: str, named: str) -> None:
    with pytest.raises(GatewayError) as caught:
        kamailio.read({"rpc_url": url})
    assert named in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_several_gateways_on_one_host_have_a_record_each(bench: Bench) -> None:
    def named(name: str) -> Gateway:
        return gateway_of("kamailio", bench.params, record_here(bench.state_dir, name), False)

    with run_step(None, bench.state_dir, False) as step:
        named("gw-1.east").prefer("site2", step)
        assert [one.name for one in Path(bench.state_dir).glob("media*")] == ["media_gateway.gw-1.east.json"]
        assert named("gw-2").restore(step).detail.startswith("nothing to restore")
        assert bench.gateway().restore(step).changed is False
        assert named("gw-1.east").by_hand(None) == [
            "put back 1 sip:10.71.1.100:5060: [0, 10]",
            "put back 1 sip:10.71.2.100:5060: [0, 5]",
        ]
        assert named("gw-1.east").restore(step).changed is True
    for wrong in ("../x", ".x", "a b", "a/b"):
        with pytest.raises(GatewayError, match="name"):
            named(wrong)


def test_managed_from_elsewhere_the_caller_keeps_what_stood(bench: Bench) -> None:
    def gateway(before: dict) -> Gateway:
        return gateway_of("kamailio", bench.params, Given(before), False)

    with run_step(None, None, False) as step:
        before = gateway({}).standing("site2")
        assert gateway({}).prefer("site2", step).changed and gateway({}).standing("site2") == {}
        assert gateway({}).restore(step).detail.startswith("nothing to restore")
        assert gateway(before).restore(step).changed
    assert gateway({}).standing("site2") == before
    assert list(Path(bench.state_dir).glob("*")) == []


def test_managed_from_elsewhere_the_keep_alive_verifies(bench: Bench) -> None:
    far = gateway_of("kamailio", bench.params, Given({}), False)
    sites = {"site1": {"address": "192.0.2.1"}, "site2": {"address": "192.0.2.2"}}
    assert "keep-alive finds it up" in far.verify("site1", sites, None).detail
    bench.dispatcher.states["site1"] = "IP"
    with pytest.raises(GatewayError, match="keep-alive finds it down"):
        far.verify("site1", sites, None)


def test_a_connection_is_given_to_drivers_that_ask_for_one(monkeypatch: pytest.MonkeyPatch, bench: Bench) -> None:
    def gateway(**options: str) -> Gateway:
        return gateway_of("kamailio", options, record_here(bench.state_dir), False, socket_path="/run/pc")

    assert "socket_path" not in gateway().params
    monkeypatch.setitem(kamailio.DEFAULTS, "socket_path", "")
    assert gateway().params["socket_path"] == "/run/pc"
    assert gateway(socket_path="/mine").params["socket_path"] == "/mine"


def test_the_other_site_is_the_one_of_two() -> None:
    assert other_site("site1", ["site1", "site2"]) == "site2"
    with pytest.raises(GatewayError):
        other_site("site3", ["site1", "site2"])


@contextmanager
def sip_answer(status: str) -> Iterator[int]:
    """A UDP port that gives this answer to every request."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        stop = threading.Event()

        def answer() -> None:
            sock.settimeout(0.02)
            while not stop.is_set():
                try:
                    data, source = sock.recvfrom(65535)
                except TimeoutError:
                    continue
                lines = data.decode().split("\r\n")
                kept = [line for line in lines if line.split(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
                sock.sendto("\r\n".join([f"SIP/2.0 {status}", *kept, "Content-Length: 0", "", ""]).encode(), source)

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield sock.getsockname()[1]
        finally:
            stop.set()
            thread.join()


def test_verify_wants_the_order_and_an_answer(bench: Bench) -> None:
    client = SipClient(t1=0.05, tries=2, deadline=0.3)
    with sip_answer("200 OK") as port:
        there = {site: {"address": "127.0.0.1", "port": port} for site in ("site1", "site2")}
        assert "OPTIONS answered 200" in bench.gateway().verify("site1", there, client).detail
        with pytest.raises(GatewayError, match="prefers site1"):
            bench.gateway().verify("site2", there, client)
    with sip_answer("503 Service Unavailable") as port, pytest.raises(GatewayError, match="503"):
        bench.gateway().verify("site1", {"site1": {"address": "127.0.0.1", "port": port}}, client)
