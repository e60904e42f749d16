# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is killed, and who is not: against a /proc of files, and against processes that really run."""

from __future__ import annotations

import os
import struct
import subprocess
import sys

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.config import Writer
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.killing import (
    Killed,
    Killer,
    is_standby,
    postmaster,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.processes import Processes

UNIT = "postgresql@15-main.service"
SERVER = Writer("genesys-confserv.service")


class Host:
    """A /proc and a data directory below one folder; what is killed goes away."""

    def __init__(self, root):
        self.proc = root / "proc"
        self.data = root / "data dir"
        (self.data / "global").mkdir(parents=True)
        self.proc.mkdir()
        self.database = Writer(UNIT, str(self.data / "standby.signal"))
        self.killed = []
        self.immortal = set()
        self.control(6)

    def control(self, state):
        (self.data / "global" / "pg_control").write_bytes(struct.pack("=QIIi", 1, 1300, 2022, state) + bytes(100))

    def process(self, pid, group="user.slice", command="x", environ="", exe="/usr/bin/x", cwd="/", state="S"):
        folder = self.proc / str(pid)
        folder.mkdir()
        (folder / "cgroup").write_text(f"12:cpu:/\n0::/system.slice/{group}\n")
        (folder / "cmdline").write_text(command.replace(" ", "\0") + "\0")
        (folder / "environ").write_text(environ)
        (folder / "stat").write_text(f"{pid} (a) b) {state} 1 1")
        (folder / "exe").symlink_to(exe)
        (folder / "cwd").symlink_to(cwd)

    def server(self, pid, title="postgres", **more):
        self.process(pid, command=title, exe="/usr/lib/postgresql/15/bin/postgres", cwd=self.data, **more)

    def killer(self):
        return Killer((SERVER, self.database), "MARK", str(self.proc), self._kill)

    def _kill(self, pid, number):
        assert number == 9
        self.killed.append(pid)
        if pid not in self.immortal:
            for file in (self.proc / str(pid)).iterdir():
                file.unlink()
            (self.proc / str(pid)).rmdir()


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


def test_the_units_control_groups_are_killed_and_nothing_else(host):
    host.process(10, group=SERVER.unit)
    host.process(11, group=f"{SERVER.unit}/worker")
    host.process(12, group="genesys-confserv.service.d")
    host.process(13, group="_" + SERVER.unit)
    host.process(14, group=SERVER.unit, state="Z")
    host.process(15, group=SERVER.unit, command="/usr/bin/python3 -IS /usr/local/sbin/sip-dr-fresh")
    killed = host.killer().kill(1)
    assert sorted(host.killed) == [10, 11, 13]
    assert not killed.left
    assert "3 × genesys-confserv.service" in str(killed)


def test_what_the_wrapper_started_is_killed_wherever_it_is(host):
    host.process(20, environ="A=1\0MARK=7\0B=2")
    host.process(21, environ="A=MARK=7\0NOMARK=1\0MARKED=1")
    host.killer().kill(1)
    assert host.killed == [20]


def test_a_server_that_was_started_past_systemd_is_killed(host):
    host.server(30)
    host.server(31, "postgres: checkpointer")
    host.process(32, exe="/usr/bin/ls", cwd=host.data)
    host.server(33, "/usr/lib/postgresql/15/bin/postgres --single -D x")
    host.process(34, exe="/usr/lib/postgresql/15/bin/postgres", cwd="/elsewhere")
    host.killer().kill(1)
    assert sorted(host.killed) == [30, 31]


def test_an_upgraded_server_s_program_is_still_known(host):
    host.process(35, exe="/usr/lib/postgresql/15/bin/postgres (deleted)", cwd=host.data)
    host.killer().kill(1)
    assert host.killed == [35]


@pytest.mark.parametrize("state", [1, 2, 5])
def test_a_standby_is_never_killed(host, state):
    (host.data / "standby.signal").touch()
    host.control(state)
    host.server(40, group=UNIT)
    assert host.killer().kill(1).victims == {}


def test_a_crashed_primary_that_starts_as_a_standby_is_none_to_be_killed(host):
    (host.data / "standby.signal").touch()
    host.server(41, group=UNIT)
    host.server(42, "postgres: 15/main: startup recovering 000000010000000000000003", group=UNIT)
    assert host.killer().kill(1).victims == {}


def test_a_copied_primary_that_is_about_to_recover_is_none_to_be_killed(host):
    (host.data / "standby.signal").touch()
    (host.data / "postmaster.pid").write_text("41\n/data\n")
    host.server(41, "/usr/lib/postgresql/15/bin/postgres -D /data", group=UNIT)
    assert not host.killer().server_came_up()
    for pid, title in ((42, "logger"), (43, "checkpointer"), (44, "background writer")):
        host.server(pid, f"postgres: 15/main: {title} ", group=UNIT)
    assert not host.killer().server_came_up()
    assert host.killer().kill(1).victims == {}
    host.server(45, "postgres: 15/main: walwriter ", group=UNIT)
    assert host.killer().server_came_up()


def test_a_signal_put_under_a_running_primary_saves_nobody(host):
    (host.data / "standby.signal").touch()
    host.server(43, "postgres: 15/main: startup config [local] idle", group=UNIT)
    host.killer().kill(1)
    assert host.killed == [43]


def test_a_server_without_a_control_file_is_judged_by_its_signal(host):
    (host.data / "global" / "pg_control").unlink()
    assert not is_standby(host.database, Processes(str(host.proc)))
    (host.data / "standby.signal").touch()
    assert is_standby(host.database, Processes(str(host.proc)))


def test_what_does_not_die_is_named_when_the_time_is_over(host):
    host.process(50, group=SERVER.unit)
    host.immortal.add(50)
    killed = host.killer().kill(0.05)
    assert killed.left == {50: SERVER.unit}
    assert "STILL THERE: 50" in str(killed)
    assert host.killed.count(50) > 1


def test_nothing_to_kill_is_said():
    assert "nothing ran" in str(Killed({}, {}, 0.0))


def test_a_server_that_came_up_is_noticed(host):
    killer = host.killer()
    assert not killer.server_came_up()
    (host.data / "postmaster.pid").write_text("60\n/data\n")
    assert postmaster(host.database) == [60]
    assert not killer.server_came_up()
    host.server(60)
    assert killer.server_came_up()
    (host.data / "standby.signal").touch()
    host.control(5)
    assert not killer.server_came_up()


@pytest.mark.parametrize("text", ["", "nonsense\n"])
def test_a_postmaster_file_without_a_pid_names_nobody(host, text):
    (host.data / "postmaster.pid").write_text(text)
    assert postmaster(host.database) == []
    assert postmaster(SERVER) == []


def test_a_real_process_is_found_by_its_marker_and_dies():
    name = f"SIP_DR_TEST_{os.getpid()}"
    process = subprocess.Popen(
        [sys.executable, "-c", "import time; print(1, flush=True); time.sleep(60)"],
        env={name: "1"},
        stdout=subprocess.PIPE,
    )
    process.stdout.readline()
    killed = Killer((), name).kill(5)
    assert process.wait(20) == -9
    assert process.pid in killed.victims
    process.stdout.close()
