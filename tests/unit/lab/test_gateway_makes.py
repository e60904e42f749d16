# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gateways of three makes at one site: the lab's stand-ins of a CUBE and an AudioCodes, and how they are managed."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from pathlib import Path

import pytest
import yaml
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.audiocodes_set import proxy_set
from gateways import dispatcher as kamailio
from standins.audiocodes.__main__ import KeptStore
from standins.audiocodes.__main__ import priorities as places
from standins.cisco_cube.__main__ import KeptRouter, priorities
from standins.cisco_cube.console import Console
from standins.gateway.dispatcher import Dispatcher
from two_site_lab import beginning, inventory, pki, state, yaml_text
from two_site_lab.cli import parser
from two_site_lab.lab import Lab
from two_site_lab.setup import gw, gw_audiocodes, gw_cisco_cube, pstn
from two_site_lab.setups import speaks_tls
from two_site_lab.topology import topology

MIXED = topology("t", gateways="mixed")
SITES = {"10.71.1.100:5060": "site1", "10.71.2.100:5060": "site2"}
SITE1, SITE2 = SITES
WAIT = 5.0


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The lab's own state, in a directory that goes again."""
    monkeypatch.setattr(state, "BASE", tmp_path)
    Lab("t").state.make()
    pki.make(state.State("t").pki, [host for host in MIXED.hosts.values() if host.make == "audiocodes"])
    return state.State("t")


def content(setup, path):
    """What a setup lays at a path."""
    return next(file.content for file in setup.files if file.path == path)


def test_mixed_adds_two_machines_at_the_first_site_and_changes_nothing_else():
    plain = topology("t")
    added = {name: host for name, host in MIXED.hosts.items() if name not in plain.hosts}
    assert {name: (host.address, host.make, host.site) for name, host in added.items()} == {
        "s1-cube": ("10.71.1.31", "cisco_cube", "site1"),
        "s1-sbc": ("10.71.1.32", "audiocodes", "site1"),
    }
    assert {name: host for name, host in MIXED.hosts.items() if name in plain.hosts} == plain.hosts
    assert [host.name for host in plain.hosts.values() if speaks_tls(host)] == ["s1-cfg", "s2-cfg", "witness"]


def test_the_makes_are_kept_as_long_as_the_lab_is(tmp_path):
    assert parser().parse_args(["up", "--gateways", "mixed"]).gateways == "mixed"
    with pytest.raises(SystemExit):
        parser().parse_args(["reset", "--gateways", "mixed"])
    beginning.save(tmp_path / "beginning.json", MIXED)
    assert beginning.load(tmp_path / "beginning.json", "t") == MIXED


def test_the_carrier_shares_calls_over_all_gateways():
    listed = content(pstn.setup(MIXED.host("pstn"), MIXED), "/etc/kamailio/dispatcher.list")
    assert re.findall(r"duid=(\S+)", listed) == ["s1-gw", "s1-cube", "s1-sbc", "s2-gw"]


def test_the_inventory_reaches_each_make_by_its_own_way():
    assert inventory.continuity(topology("t"))["continuity_gateways"]["s1-gw"] == {
        "site": "site1",
        "driver": "kamailio",
        "address": "10.71.1.30",
    }
    listed = inventory.continuity(MIXED)["continuity_gateways"]
    assert listed["s1-cube"]["driver_options"] == {"targets": {"site1": 1001, "site2": 1002}, "keep": [911]}
    assert listed["s1-sbc"]["driver_options"]["targets"] == {"site1": SITE1, "site2": SITE2}
    hosts = inventory.hosts(MIXED, state.State("t"))["all"]["hosts"]
    assert hosts["s1-cube"]["ansible_connection"] == "ansible.netcommon.network_cli"
    assert hosts["s1-sbc"]["ansible_connection"] == "local"
    assert hosts["s1-gw"] == {"ansible_host": "10.71.1.30"}
    for data in (inventory.continuity(MIXED), {"hosts": hosts}):
        assert yaml.safe_load(yaml_text.dump(data)) == data


@pytest.mark.parametrize("name", ["s1-cube", "s1-sbc"])
def test_a_device_lies_beside_the_gateways_kamailio(here, name):
    setup = gw.setup(MIXED.host(name), MIXED)
    assert "kamailio.service" in setup.enable
    assert len(setup.enable) == 2
    paths = [file.path for file in setup.files]
    assert len(set(paths)) == len(paths)
    assert Lab("t").secret(name) not in str([file for file in setup.files if file.mode != 0o600])


@pytest.fixture
def router(tmp_path):
    """The router of the lab, and the file with its saved configuration."""
    host = MIXED.host("s1-cube")
    startup = tmp_path / "startup-config"
    startup.write_text(content(gw_cisco_cube.setup(host, MIXED), gw_cisco_cube.STARTUP))
    return KeptRouter(startup), startup


class Terminal:
    """A log-in at the console, as sshd's client sees it."""

    def __init__(self, path: Path) -> None:
        self._line = socket.socket(socket.AF_UNIX)
        self._line.settimeout(WAIT)
        self._line.connect(str(path))
        self.shown = self._until("#")

    def _until(self, end: str) -> str:
        shown = ""
        while not shown.endswith(end):
            shown += self._line.recv(4096).decode()
        return shown

    def type(self, line: str) -> str:
        """What is shown after a line, its echo and the next prompt included."""
        self._line.sendall(f"{line}\r".encode())
        return self._until("#")

    def leave(self) -> str:
        """What is shown until the router hangs up."""
        self._line.sendall(b"exit\r")
        shown = ""
        while more := self._line.recv(4096).decode():
            shown += more
        return shown

    def close(self) -> None:
        self._line.close()


@pytest.fixture
def terminal(router, tmp_path):
    """A log-in on the router."""
    with Console(tmp_path / "console", router[0]) as console:
        thread = threading.Thread(target=console.serve_forever, args=(0.01,))
        thread.start()
        with contextlib.closing(Terminal(tmp_path / "console")) as log_in:
            yield log_in
        console.shutdown()
        thread.join()


def test_the_console_shows_echo_answer_and_prompt(terminal):
    assert terminal.shown == "\r\ns1-cube#"
    assert terminal.type("show  privilegf\x7fe") == (
        "show  privilegf\b \be\r\nCurrent privilege level is 15\r\ns1-cube#"
    )
    assert terminal.type("configure terminal").endswith("s1-cube(config)#")
    assert terminal.type("exit").endswith("s1-cube#")
    assert terminal.leave() == "exit"


def test_what_is_written_survives_a_reload_and_nothing_else_does(router, terminal):
    running, startup = router
    before = running.text(running.running)
    assert KeptRouter(startup).text(running.running) == before
    for line in ("configure terminal", "dial-peer voice 1001 voip", "preference 2", "end"):
        terminal.type(line)
    assert priorities(running) == {"10.71.3.10:5060": 10, SITE1: 8, SITE2: 9}
    assert priorities(KeptRouter(startup)) == {"10.71.3.10:5060": 10, SITE1: 10, SITE2: 9}
    assert "[OK]" in terminal.type("write memory")
    assert priorities(KeptRouter(startup))[SITE1] == 8
    for line in ("configure terminal", "dial-peer voice 1001 voip", "no preference", "end", "write memory"):
        terminal.type(line)
    assert startup.read_text() == before


def test_who_is_shut_down_gets_no_calls(router, terminal):
    for line in ("configure terminal", "dial-peer voice 1001 voip", "shutdown"):
        terminal.type(line)
    assert SITE1 not in priorities(router[0])


def test_the_audiocodes_keeps_what_was_saved(here, tmp_path):
    saved = tmp_path / "saved.ini"
    saved.write_text(content(gw_audiocodes.setup(MIXED.host("s1-sbc"), MIXED), gw_audiocodes.SAVED))
    store = KeptStore(saved)
    assert store.running == saved.read_text()
    assert not proxy_set(store.running, "SIP Servers").disorder()
    assert places(store, 1) == {SITE1: 2, SITE2: 1}
    store.edit(SITE1, "x")
    store.edit(SITE2, SITE1)
    store.edit('"x"', f'"{SITE2}"')
    assert places(store, 1) == {SITE2: 2, SITE1: 1}
    assert places(KeptStore(saved), 1) == {SITE1: 2, SITE2: 1}
    store.save()
    assert places(KeptStore(saved), 1) == {SITE2: 2, SITE1: 1}


def test_kamailio_runs_what_the_device_says_and_tells_who_answers():
    with kamailio.running() as (options, played):
        follower = Dispatcher(SITES, played.list_file, options["rpc_url"])
        assert follower.follow({"10.71.3.10:5060": 10, SITE1: 8, SITE2: 9}) == {SITE1: True, SITE2: True}
        assert played.text == f"1 sip:{SITE1} 0 8 duid=site1\n1 sip:{SITE2} 0 9 duid=site2\n"
        played.states = {"site1": "IP", "site2": "TP"}
        assert follower.follow({SITE1: 8, SITE2: 9}) == {SITE1: False, SITE2: True}
        assert played.reloads == 1


def test_a_reload_that_kamailio_refuses_is_asked_for_again():
    with kamailio.running() as (options, played):
        follower = Dispatcher(SITES, played.list_file, options["rpc_url"])
        follower.follow({SITE1: 8})
        played.delta = 60.0
        assert follower.follow({SITE2: 9}) == {}
        played.delta = 0.0
        assert follower.follow({SITE2: 9}) == {SITE2: True}
        with played.garbage():
            assert follower.follow({SITE2: 9}) == {}
