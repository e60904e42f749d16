# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every process driver must do, each against a stand-in of its own program."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process import ProcessDriver, ProcessError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process.mlcmd import Mlcmd
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process.registry import DRIVERS, processes_of
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process.systemd import Systemd
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process.windows_service import WindowsService

NAME = "Stat Server 1"
STATE = """
world = pathlib.Path({world!r})
def state(): return (world / "state").read_text()
def order(what): (world / "state").write_text((world / what).read_text())
"""
SYSTEMCTL = """
words = [word for word in sys.argv[1:] if not word.startswith("-")]
if words[0] == "show":
    known = words[-1] == {name!r}
    active = state() if known else "inactive"
    print("LoadState=" + ("loaded" if known else "not-found"), "ActiveState=" + active, "SubState=x", sep="\\n")
    print("Result=success", "Job=" + ("5" if active.endswith("ing") else ""), sep="\\n")
elif words[0] in ("start", "stop"):
    order(words[0])
"""
MLCMD = """
WORDS = {{"active": "Running", "inactive": "Stopped", "activating": "Initializing", "deactivating": "Stop Pending"}}
if "-help" in sys.argv:
    print("mlcmd 8.5 -getallappstatus -startapp name -stopapp name")
elif sys.argv[-1] == "-getallappstatus":
    told = {{"Application": {name!r}, "DBID": "101", "Status": WORDS.get(state(), state()), "Runmode": "Primary"}}
    print(*(f"{{key}}: {{value}}" for key, value in told.items()), sep="\\n", file=sys.stderr)
elif sys.argv[-2] in ("-startapp", "-stopapp"):
    assert sys.argv[-1] == {name!r}
    order(sys.argv[-2][1:-3])
"""
POWERSHELL = """
WORDS = {{"active": "Running", "inactive": "Stopped", "activating": "Start Pending", "deactivating": "Stop Pending"}}
text = base64.b64decode(sys.argv[-1]).decode("utf-16-le")
if text.startswith("Get-CimInstance"):
    if "'" + {name!r} + "'" in text:
        pid = 0 if state() == "inactive" else 4711
        print(json.dumps({{"Name": {name!r}, "State": WORDS.get(state(), state()), "ProcessId": pid, "ExitCode": 0}}))
else:
    order({{"Start-Service": "start", "Stop-Service": "stop", "Stop-Process": "kill"}}[text.split()[0]])
"""
PROGRAMS = {
    "systemd": ("systemctl", SYSTEMCTL),
    "mlcmd": ("mlcmd_64", MLCMD),
    "windows_service": ("powershell", POWERSHELL),
}


class World:
    """One program under one driver; `start` and `stop` are the states that such an order leads to."""

    def __init__(self, directory: Path, driver: str, path: Callable[[str, str], None]) -> None:
        self.directory, self.driver = directory, driver
        self.set(state="inactive", start="active", stop="inactive", kill="inactive")
        program, text = PROGRAMS[driver]
        self.program = directory / "bin" / program
        self.program.parent.mkdir()
        body = (STATE + text).format(world=str(directory), name=NAME)
        self.program.write_text(f"#!{sys.executable} -IS\nimport base64, json, pathlib, sys\n{body}")
        self.program.chmod(0o755)
        (directory / "proc").mkdir()
        path("PATH", f"{self.program.parent}:/usr/bin:/bin")

    def set(self, **words: str) -> None:
        for name, word in words.items():
            (self.directory / name).write_text(word)

    def processes(self, deadline: float = 5.0) -> ProcessDriver:
        here = str(self.program)
        if self.driver == "systemd":
            return Systemd(deadline, 0.01, self.directory / "proc")
        if self.driver == "mlcmd":
            return Mlcmd({"program": here, "wrapper": [here]}, deadline, 0.01)
        return WindowsService({"through": [here]}, deadline, 0.01)


@pytest.fixture(params=DRIVERS)
def world(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, request.param, monkeypatch.setenv)


def test_every_driver_has_its_stand_in() -> None:
    assert set(DRIVERS) == set(PROGRAMS)


def test_a_stopped_program_is_started_and_stopped_again(world: World) -> None:
    processes = world.processes()
    before = processes.state(NAME)
    assert (before.name, before.installed, before.running, before.stopped) == (NAME, True, False, True)
    up = processes.start(NAME)
    assert (up.running, up.stopped, processes.state(NAME).running) == (True, False, True)
    down = processes.stop(NAME)
    assert (down.running, down.stopped, processes.state(NAME).stopped) == (False, True, True)


def test_what_runs_may_be_started_and_what_is_stopped_stopped(world: World) -> None:
    processes = world.processes()
    assert processes.stop(NAME).stopped
    world.set(state="active")
    assert processes.start(NAME).running


def test_a_program_that_does_not_exist_is_not_installed_and_not_running(world: World) -> None:
    absent = world.processes().state("Other")
    assert (absent.installed, absent.running) == (False, False)


def test_on_its_way_up_or_down_is_neither(world: World) -> None:
    for word in ("activating", "deactivating"):
        world.set(state=word)
        state = world.processes().state(NAME)
        assert (state.running, state.stopped) == (False, False), word


def test_a_start_that_never_ends_ends_at_the_deadline_with_what_was_seen(world: World) -> None:
    world.set(start="activating")
    with pytest.raises(
        ProcessError, match=f"{NAME} did not come up .deadline 2 s.: .*(activating|Initializing|Start Pending)"
    ):
        world.processes(deadline=1.5).start(NAME)


def test_a_stop_that_nothing_brings_about_is_an_error(world: World) -> None:
    world.set(state="active", stop="deactivating", kill="deactivating")
    with pytest.raises(ProcessError, match=f"{NAME} (did not stop|still runs)"):
        world.processes(deadline=1.5).stop(NAME)


def test_a_program_that_is_not_there_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.program.unlink()
    monkeypatch.setenv("PATH", str(world.program.parent))
    with pytest.raises(ProcessError, match=f"{world.program.name}.* (is not installed|cannot be run)"):
        world.processes().state(NAME)


def test_a_program_that_hangs_is_given_up(world: World) -> None:
    world.program.write_text("#!/bin/sh\nexec sleep 60\n")
    with pytest.raises(ProcessError, match=r"gave no answer within 0 s"):
        world.processes(deadline=0.3).state(NAME)


def test_a_program_that_fails_tells_why(world: World) -> None:
    world.program.write_text("#!/bin/sh\necho it broke >&2\nexit 3\n")
    with pytest.raises(ProcessError, match="it broke"):
        world.processes().state(NAME)


def test_the_registry_knows_them(world: World) -> None:
    given = {"mlcmd": {"wrapper": [str(world.program)]}, "windows_service": {"through": [str(world.program)]}}
    processes = processes_of(world.driver, 5.0, 0.01, given.get(world.driver))
    assert processes.state(NAME).installed
    with pytest.raises(ProcessError, match="colour"):
        processes_of(world.driver, 5.0, 0.01, {**given.get(world.driver, {}), "colour": "red"})
