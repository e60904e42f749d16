"""The Configuration Server's doors: order, guards, what is recorded, and what is seen."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.config_server import (
    Doors,
    ProxySession,
    Site,
    proxy_serves,
    proxy_session,
    verified,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer import LayerError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import Recorded
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process import ProcessError, UnitState
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import DatabaseError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.postgresql import PostgreSQL
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import Step

UNITS = ("confserv.service", "scs.service")


class Host:
    """A host of two programs; the Configuration Server really listens on a port of this machine."""

    def __init__(self) -> None:
        self.running: set[str] = set()
        self.orders: list[str] = []
        self.server: socket.socket | None = None
        self.opens_port = True
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])

    def state(self, name: str) -> UnitState:
        runs = name in self.running
        return UnitState(name, True, "active" if runs else "inactive", (os.getpid(),) if runs else (), False, "")

    def start(self, name: str) -> UnitState:
        self.orders.append(f"start {name}")
        self.running.add(name)
        if name == UNITS[0] and self.opens_port:
            self.listen()
        return self.state(name)

    def stop(self, name: str) -> UnitState:
        self.orders.append(f"stop {name}")
        self.running.discard(name)
        if name == UNITS[0]:
            self.close()
        return self.state(name)

    def listen(self) -> None:
        self.server = socket.create_server(("127.0.0.1", self.port))

    def close(self) -> None:
        if self.server:
            self.server.close()
            self.server = None


class Database:
    """A database in a given state."""

    def __init__(self, role: str = "primary", **writer: Any) -> None:
        self.answer: dict[str, Any] = {
            "running": True,
            "role": role,
            "in_recovery": role == "standby",
            "timeline": 1,
            "lsn": "0/1",
            "receiver": None,
            "replay_lag": None,
            "writer": {"can_login": True, "writable": 2, "tables": 2, "sessions": 0, "fenced": None, **writer},
        }

    def state(self) -> dict[str, Any]:
        return self.answer


class Silent:
    """A database that does not answer."""

    def state(self) -> dict[str, Any]:
        raise DatabaseError("connection refused")


@pytest.fixture
def host() -> Iterator[Host]:
    found = Host()
    yield found
    found.close()


@pytest.fixture
def step(tmp_path: Path) -> Step:
    return Step(None, tmp_path, writes=False)


def doors(host: Host, tmp_path: Path, database: Any = None, dry: bool = False) -> Doors:
    site = Site(UNITS, "127.0.0.1", host.port, (), deadline=0.2, interval=0.02)
    known = cast(PostgreSQL, database or Database())
    return Doors(site, host, known, Recorded(str(tmp_path), "config_server"), dry)


def doors_without_database(host: Host, tmp_path: Path, dry: bool = False) -> Doors:
    """The doors of a host whose database runs on another one: whoever calls has promoted it there."""
    site = Site(UNITS, "127.0.0.1", host.port, (), deadline=0.2, interval=0.02)
    return Doors(site, host, None, Recorded(str(tmp_path), "config_server"), dry)


def test_the_server_starts_first_and_stops_last(host: Host, tmp_path: Path, step: Step) -> None:
    assert doors(host, tmp_path).take_over(step)["changed"]
    assert not doors(host, tmp_path).take_over(step)["changed"]
    assert doors(host, tmp_path).release(step)["changed"]
    assert not doors(host, tmp_path).release(step)["changed"]
    assert host.orders == [
        "start confserv.service",
        "start scs.service",
        "stop scs.service",
        "stop confserv.service",
    ]


@pytest.mark.parametrize(
    "database", [Database("standby"), Database(can_login=False), Database(writable=0), Database(fenced=1), Silent()]
)
def test_nothing_starts_where_the_database_is_not_written_to(
    host: Host, tmp_path: Path, step: Step, database: Any
) -> None:
    with pytest.raises(RefusedError, match="^one writer:"):
        doors(host, tmp_path, database).take_over(step)
    assert host.orders == []


def test_where_the_database_is_elsewhere_nothing_is_asked_of_one_here(host: Host, tmp_path: Path, step: Step) -> None:
    would = doors_without_database(host, tmp_path, dry=True).take_over(step)
    assert (would["changed"], would["unmet"]) == (True, None)
    assert doors_without_database(host, tmp_path).take_over(step)["changed"]
    assert doors_without_database(host, tmp_path).restore(step)["changed"]
    assert host.running == set(), "as it stood before the first change"


def test_restore_starts_what_ran_where_the_database_is_elsewhere(host: Host, tmp_path: Path, step: Step) -> None:
    host.start(UNITS[0])
    doors_without_database(host, tmp_path).release(step)
    assert doors_without_database(host, tmp_path).restore(step)["changed"]
    assert host.running == {UNITS[0]}


def test_a_server_without_its_port_is_no_success_and_nothing_follows(host: Host, tmp_path: Path, step: Step) -> None:
    host.opens_port = False
    with pytest.raises(ProcessError, match="does not answer"):
        doors(host, tmp_path).take_over(step)
    assert host.orders == ["start confserv.service"]


def test_a_listener_outside_the_units_is_not_stopped(host: Host, tmp_path: Path, step: Step) -> None:
    host.listen()
    with pytest.raises(ProcessError, match="something still listens"):
        doors(host, tmp_path).release(step)


def test_restore_puts_each_unit_back(host: Host, tmp_path: Path, step: Step) -> None:
    host.start(UNITS[0])
    doors(host, tmp_path).release(step)
    host.orders.clear()
    with pytest.raises(RefusedError):
        doors(host, tmp_path, Database("standby")).restore(step)
    assert doors(host, tmp_path, dry=True).restore(step)["changed"]
    assert doors(host, tmp_path).restore(step)["changed"]
    assert host.orders == ["start confserv.service"]
    assert not doors(host, tmp_path).restore(step)["changed"]


def test_what_an_older_move_left_recorded_is_not_what_runs_again(host: Host, tmp_path: Path, step: Step) -> None:
    assert doors(host, tmp_path).take_over(step)["changed"]
    doors(host, tmp_path).release(step)
    assert doors(host, tmp_path).restore(step)["changed"]
    assert host.running == set(UNITS), "it was stopped by this move, whatever stood before the one that started it"


def test_a_stop_that_was_killed_half_way_forgets_nothing(host: Host, tmp_path: Path, step: Step) -> None:
    doors(host, tmp_path).take_over(step)
    host.stop(UNITS[1])
    doors(host, tmp_path).release(step)
    doors(host, tmp_path).restore(step)
    host.stop(UNITS[1])
    doors(host, tmp_path).release(step)
    host.start(UNITS[0])
    doors(host, tmp_path).release(step)
    assert doors(host, tmp_path).restore(step)["changed"]
    assert host.running == {UNITS[0]}


def test_check_mode_shows_both_ways_and_does_nothing(host: Host, tmp_path: Path, step: Step) -> None:
    found = doors(host, tmp_path, Database("standby"), dry=True).take_over(step)
    assert found["changed"]
    assert found["diff"]["after"] == dict.fromkeys(UNITS, "running")
    assert "standby" in found["unmet"]
    host.start(UNITS[0])
    found = doors(host, tmp_path, dry=True).release(step)
    assert found["diff"]["before"] == {UNITS[0]: "running", UNITS[1]: "stopped"}
    assert host.orders == ["start confserv.service"]


def test_readiness_wants_the_server_where_the_database_is_written_to(host: Host, tmp_path: Path) -> None:
    assert doors(host, tmp_path, Database("standby")).readiness()["ready"]
    assert not doors(host, tmp_path, Database("primary")).readiness()["ready"]
    host.start(UNITS[0])
    assert doors(host, tmp_path, Database("primary")).readiness()["ready"]
    assert not doors(host, tmp_path, Database("standby")).readiness()["ready"]


@pytest.mark.parametrize("running", [False, True])
def test_readiness_asks_nothing_of_a_database_that_is_elsewhere(host: Host, tmp_path: Path, running: bool) -> None:
    if running:
        host.start(UNITS[0])
    assert doors_without_database(host, tmp_path).readiness()["ready"]


def test_a_proxys_session_is_seen_by_who_holds_its_socket(host: Host) -> None:
    host.listen()
    wanted = ProxySession("proxy.service", "127.0.0.1", host.port)
    assert proxy_session(host, wanted) is None
    with socket.create_connection(("127.0.0.1", host.port)):
        assert proxy_session(host, wanted) is None, "the session is another program's"
        host.running.add("proxy.service")
        assert "proxy.service is connected to 127.0.0.1" in str(proxy_session(host, wanted))
        assert proxy_session(host, wanted._replace(master_address="127.0.0.2")) is None


def test_a_proxy_serves_only_where_its_own_process_listens(host: Host) -> None:
    assert proxy_serves(host, "proxy.service", host.port) is None
    host.listen()
    assert proxy_serves(host, "proxy.service", host.port) is None, "the port is another program's"
    host.running.add("proxy.service")
    assert str(proxy_serves(host, "proxy.service", host.port)).endswith("0 clients are connected")


def test_what_is_not_seen_in_time_gives_the_last_reason(host: Host) -> None:
    site = Site(UNITS, "127.0.0.1", host.port, (), deadline=0.05, interval=0.02)
    reasons = iter(f"try {number}" for number in range(100))

    def look() -> str:
        raise LayerError(next(reasons))

    with pytest.raises(LayerError, match="not within 0 s: try [1-9]"):
        verified(look, site, "nothing was tried")
    with pytest.raises(LayerError, match="no session"):
        verified(lambda: None, site, "no session")
