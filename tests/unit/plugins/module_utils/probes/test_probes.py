"""Each kind of check against real sockets and a real psql command line."""

from __future__ import annotations

import socket
import stat
import time
from pathlib import Path
from typing import ClassVar

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import GatewayError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes import (
    database,
    gateway,
    master,
    monitoring_page,
    runner,
    sip_options,
    tcp,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Database, Settings
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.page import PageNames
from sip_doubles import mute, ok, reply, tcp_peer, udp_peer

FAST = Settings(sip_t1=0.02, probe_deadline=0.3, connect_timeout=0.3)
# RFC 5737: nobody answers there, and whether the attempt is silent or unreachable depends on the machine.
NOBODY = "192.0.2.1"


def where(port, **more):
    return {"address": "127.0.0.1", "port": port, **more}


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_sip_options():
    with udp_peer(ok) as peer:
        found = sip_options.look(where(peer.port), FAST)
    assert (found["value"], found["answered"], found["detail"], found["sent"]) == ("up", True, "200 OK", 1)
    assert found["rtt"] < 0.3


def test_sip_options_silence_and_503():
    with udp_peer(mute) as peer:
        silent = sip_options.look(where(peer.port), FAST)
    assert (silent["value"], silent["answered"], silent["rtt"]) == ("down", False, None)
    with udp_peer(lambda request, _count: [(0, reply(request, "503 Service Unavailable"))]) as peer:
        refused = sip_options.look(where(peer.port), FAST)
    assert (refused["value"], refused["answered"], refused["detail"]) == ("down", True, "503 Service Unavailable")


def test_tcp_up_and_refused():
    with tcp_peer(lambda connection: None) as port:
        assert tcp.look(where(port), FAST)["value"] == "up"
    refused = tcp.look(where(closed_port()), FAST)
    assert (refused["value"], refused["answered"]) == ("down", True)


def test_tcp_silence_is_never_up():
    started = time.monotonic()
    assert tcp.look({"address": NOBODY, "port": 9}, FAST)["value"] in ("down", "unknown")
    assert time.monotonic() - started < 1


def test_tcp_banner():
    with tcp_peer(lambda connection: connection.sendall(b"SSH-2.0-x\r\n")) as port:
        assert tcp.look(where(port, banner="SSH-"), FAST)["value"] == "up"
    with tcp_peer(lambda connection: connection.recv(10)) as port:
        frozen = tcp.look(where(port, banner="SSH-"), FAST)
    assert (frozen["value"], frozen["answered"]) == ("down", True)


SERVER = """<?xml version='1.0' encoding='UTF-8'?>
<sipServer><application>SIP_Server_1</application><runMode>{mode}</runMode><readiness>1</readiness></sipServer>"""
TRUNKS = """<?xml version='1.0' encoding='UTF-8'?><sipTrunkStatistics>
<trunk name="trunk_other"><inService>1</inService></trunk>
<trunk name="trunk_site2"><inService>{state}</inService><calls>0</calls></trunk></sipTrunkStatistics>"""


def serve_page(text, status="200 OK"):
    def talk(connection):
        connection.recv(4096)
        body = text.encode()
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    return tcp_peer(talk)


def look_at_page(text, status="200 OK", settings=FAST, **more):
    with serve_page(text, status) as port:
        return monitoring_page.look(where(port, path="/server?x", **more), settings)


@pytest.mark.parametrize("mode", ["primary", "backup"])
def test_page_run_mode(mode):
    found = look_at_page(SERVER.format(mode=mode))
    assert (found["value"], found["run_mode"]) == ("up", mode)


@pytest.mark.parametrize(
    ("state", "value"), [("1", "up"), ("0", "down"), ("true", "up"), ("out of service", "down"), ("?", "unknown")]
)
def test_page_trunk(state, value):
    assert look_at_page(TRUNKS.format(state=state), dn="trunk_site2")["value"] == value


@pytest.mark.parametrize(
    "text",
    [
        "<sip><dn>trunk_site2</dn><In-Service_Status>1</In-Service_Status></sip>",
        "<x xmlns='urn:g'><y><Number>trunk_site2</Number><inservice>yes</inservice></y></x>",
        "<t><trunk dn='trunk_site2' inService='1'/></t>",
        "DN: trunk_site2\nIn Service Status: 1\n",
        "<html><b>broken<dn>trunk_site2</dn><inService>1</inService>",
    ],
)
def test_page_other_shapes(text):
    assert look_at_page(text, dn="trunk_site2")["value"] == "up"


def test_page_other_names():
    names = Settings(page_names=PageNames(run_mode=("zustand",), primary=("haupt",), backup=("reserve",)))
    assert look_at_page("<s><Zustand>Haupt</Zustand></s>", settings=names)["run_mode"] == "primary"
    assert look_at_page("<s><runMode>primary</runMode></s>", settings=names)["run_mode"] == "unknown"


def test_page_that_says_nothing():
    assert look_at_page("")["run_mode"] == "unknown"
    assert look_at_page("\0<<<&", dn="trunk_site2")["value"] == "unknown"


def test_no_page():
    assert look_at_page("", "503 Service Unavailable") == {"value": "down", "answered": True, "detail": "HTTP 503"}
    assert look_at_page("", "503 Service Unavailable", dn="t")["value"] == "unknown"
    refused = where(closed_port(), path="/")
    assert monitoring_page.look(refused, FAST)["value"] == "down"
    assert monitoring_page.look({**refused, "dn": "t"}, FAST)["value"] == "unknown"


@pytest.fixture
def psql(tmp_path, monkeypatch):
    """A psql that prints and complains as it is told, and notes how it was called."""

    def make(out="", err="", code=0):
        program = tmp_path / "psql"
        notes = f'printf "%s\\n" "$@" > {tmp_path}/argv; env > {tmp_path}/env; cat > {tmp_path}/stdin'
        program.write_text(f"#!/bin/sh\n{notes}\nprintf '%s\\n' '{out}'\nprintf '%s\\n' '{err}' >&2\nexit {code}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        return tmp_path

    return make


DATABASE = {"database_address": "127.0.0.1", "database_port": 5432}
SLOW = Settings(probe_deadline=5, database=Database(passfile="/nowhere/pgpass", server_role="cs"))


def test_database_primary_and_standby(psql):
    psql("f|1|2048")
    found = database.look(DATABASE, SLOW)
    assert (found["value"], found["role"], found["lag"]) == ("up", "primary", 2048)
    psql("f|1|")
    assert database.look(DATABASE, SLOW)["lag"] is None
    psql("t|0|")
    assert database.look(DATABASE, SLOW)["role"] == "standby"


def test_no_secret_in_argv_and_none_in_the_environment(psql, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "leaks")
    place = psql("f|1|0")
    database.look(DATABASE, SLOW)
    environment = Path(place / "env").read_text()
    assert "PGPASSFILE=/nowhere/pgpass" in environment and "PGPASSWORD" not in environment
    assert "PGHOST=127.0.0.1" in environment
    assert "role=cs" in (place / "argv").read_text()
    assert "pg_stat_activity" in (place / "stdin").read_text()


def look_at_master():
    with tcp_peer(lambda connection: None) as port:
        return master.look({"address": "127.0.0.1", "port": port, **DATABASE}, SLOW)


@pytest.mark.parametrize(
    ("out", "err", "code", "value"),
    [
        ("f|1|0", "", 0, "up"),
        ("f|0|0", "", 0, "down"),
        ("t|0|", "", 0, "down"),
        ("t|2|", "", 0, "down"),
        ("", 'psql: error: connection to server at "x", port 5432 failed: Connection refused', 2, "down"),
        ("", "psql: error: connection to server failed: timeout expired", 2, "down"),
        ("", "psql: error: FATAL:  the database system is starting up", 2, "down"),
        ("", "psql: error: FATAL:  password authentication failed for user", 2, "unknown"),
        ("", "psql: error: FATAL:  no pg_hba.conf entry for host", 2, "unknown"),
        ("what?", "", 0, "unknown"),
    ],
)
def test_master(psql, out, err, code, value):
    psql(out, err, code)
    found = look_at_master()
    assert (found["value"], found["answered"]) == (value, True)


def test_master_without_psql_is_unknown(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    found = look_at_master()
    assert (found["value"], found["answered"]) == ("unknown", True)
    assert "psql" in found["detail"]


def test_master_with_a_closed_port_needs_no_database():
    found = master.look(where(closed_port(), **DATABASE), FAST)
    assert (found["value"], found["answered"]) == ("down", True)


def test_master_from_where_no_database_can_be_asked():
    with tcp_peer(lambda connection: None) as port:
        found = master.look(where(port), FAST)
    assert (found["value"], found["answered"]) == ("unknown", True)


UP = {"value": "up", "answered": True, "detail": "200 OK", "options": "up"}
SILENT = {"value": "down", "answered": False, "detail": "silence", "options": "down"}


@pytest.mark.parametrize(
    ("seen", "state", "oper", "value", "answered"),
    [
        (UP, "AP", "up", "up", True),
        (SILENT, "AP", "up", "up", True),  # the gateway's own keep-alive gets answers: it is the one that sends calls
        (UP, "IP", "down", "down", True),
        (SILENT, "IP", "down", "down", False),
        (UP, "DX", "unknown", "up", True),  # taken out: the OPTIONS still looks
        (SILENT, "DX", "unknown", "down", False),
        (SILENT, "AX", "up", "down", False),  # active because nobody probes it
    ],
)
def test_gateway_judges_a_site(seen, state, oper, value, answered):
    found = gateway.judge(seen, {"state": state, "oper": oper, "priority": 10})
    assert (found["value"], found["answered"]) == (value, answered)


def test_gateway_without_a_target_for_a_site():
    assert gateway.judge(UP, None)["value"] == "up"


class Refusing:
    """A driver whose device cannot be read."""

    DEFAULTS: ClassVar[dict] = {}

    def read(self, _params):
        raise GatewayError("no answer")


class Working:
    """A driver whose device runs both sites."""

    DEFAULTS: ClassVar[dict] = {"set": 1, "socket_path": ""}

    def read(self, params):
        assert params == {"set": 2, "socket_path": "/run/pc"}
        target = {"state": "AP", "oper": "up", "priority": 10}
        return {"targets": {"site1": target, "site2": {**target, "state": "IP", "oper": "down"}}, "prefers": "site1"}


def look_from_gateway(monkeypatch, driver, **more):
    monkeypatch.setitem(gateway.DRIVERS, "double", driver)
    with udp_peer(ok) as good, udp_peer(mute) as dead:
        sites = {"site1": where(good.port), "site2": where(dead.port)}
        asked = {"driver": "double", "options": {"set": 2}, "sites": sites, "socket_path": "/run/pc"}
        return gateway.look({**asked, **more}, FAST)


def test_from_elsewhere_only_the_gateway_itself_tells(monkeypatch):
    class Blind(Working):
        def read(self, params):
            found = super().read(params)
            return {**found, "targets": {**found["targets"], "site2": {**found["targets"]["site2"], "oper": "unknown"}}}

    told = look_from_gateway(monkeypatch, Working(), elsewhere=True)
    seen = [(one["value"], one["answered"], one["options"]) for one in told["targets"].values()]
    assert seen == [("up", True, "unknown"), ("down", False, "unknown")]
    half = look_from_gateway(monkeypatch, Blind(), elsewhere=True)["targets"]["site2"]
    assert (half["value"], half["answered"]) == ("unknown", False), (
        "an OPTIONS from here would be no word of the gateway"
    )
    silent = look_from_gateway(monkeypatch, Refusing(), elsewhere=True)
    assert (silent["value"], silent["answered"]) == ("unknown", False)
    assert not any(one["answered"] for one in silent["targets"].values())


def test_gateway(monkeypatch):
    found = look_from_gateway(monkeypatch, Working())
    assert (found["value"], found["answered"], found["prefers"]) == ("up", True, "site1")
    assert {site: one["value"] for site, one in found["targets"].items()} == {"site1": "up", "site2": "down"}


def test_gateway_that_cannot_be_read_is_silent_but_what_its_host_hears_counts(monkeypatch):
    found = look_from_gateway(monkeypatch, Refusing())
    assert (found["value"], found["answered"]) == ("unknown", False)
    assert [(one["value"], one["answered"]) for one in found["targets"].values()] == [
        ("unknown", True),
        ("unknown", False),
    ]


def test_runner_answers_all_at_once_in_order():
    with udp_peer(mute) as dead, udp_peer(ok) as good, tcp_peer(lambda connection: None) as port:
        checks = [{"id": str(index), "kind": "sip_options", **where(dead.port)} for index in range(10)]
        checks += [
            {"id": "good", "kind": "sip_options", **where(good.port)},
            {"id": "tcp", "kind": "tcp", **where(port)},
        ]
        started = time.monotonic()
        found = runner.run_checks(checks, FAST)
        took = time.monotonic() - started
    assert [one["id"] for one in found] == [one["id"] for one in checks]
    assert [one["value"] for one in found] == ["down"] * 10 + ["up", "up"]
    assert took < 0.3 + runner.GRACE


def test_runner_own_fault_is_unknown():
    found = runner.run_checks([{"id": "a", "kind": "tcp", "address": None, "port": "nonsense"}], FAST)
    assert (found[0]["value"], found[0]["answered"]) == ("unknown", False)


def test_runner_does_not_wait_for_a_check_that_hangs(monkeypatch):
    monkeypatch.setitem(runner.KINDS, "tcp", lambda check, settings: time.sleep(5))
    started = time.monotonic()
    found = runner.run_checks([{"id": "a", "kind": "tcp"}], FAST)
    assert found[0]["value"] == "unknown"
    assert time.monotonic() - started < 0.3 + runner.GRACE + 0.3


def test_runner_nothing_to_do():
    assert runner.run_checks([], FAST) == []


def test_parameters_that_are_missing():
    assert runner.missing_parameters({"id": "a", "kind": "tcp", "address": "x"}) == ["a: port is missing"]
    assert "kind is one of" in runner.missing_parameters({"id": "a", "kind": "ping"})[0]
    assert runner.missing_parameters({"id": "a", "kind": "sip_options", "address": "x"}) == []
    assert set(runner.PARAMETERS) == set(runner.KINDS)
