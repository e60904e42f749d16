"""The systemd driver against a stand-in of systemctl that behaves as documented, and real processes' control groups."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process import ProcessError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process.systemd import (
    Systemd,
    parse_properties,
    processes_of,
)

# One directory holds a unit as files; `start` and `stop` do what the unit's own file says.
SYSTEMCTL = """#!/bin/sh
cd "{unit}" || exit 1
case "$2" in
show) for name in LoadState ActiveState SubState Result Job; do echo "$name=$(cat $name)"; done ;;
reset-failed) echo "Unit not loaded." >&2; exit 1 ;;
start|stop) sh ./"$2" ;;
kill) echo inactive > ActiveState; rm -rf "{proc}/77" ;;
esac
"""
UP = "echo active > ActiveState; echo running > SubState\n"
DOWN = "echo inactive > ActiveState; echo dead > SubState\n"


@pytest.fixture
def unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A unit that is stopped, with systemctl on PATH."""
    folder = tmp_path / "unit"
    folder.mkdir()
    (tmp_path / "proc").mkdir()
    first = {"LoadState": "loaded", "ActiveState": "inactive", "SubState": "dead", "Result": "success", "Job": ""}
    for name, value in {**first, "start": UP, "stop": DOWN}.items():
        (folder / name).write_text(value)
    program = tmp_path / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text(SYSTEMCTL.format(unit=folder, proc=tmp_path / "proc"))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return folder


def driver(unit: Path) -> Systemd:
    return Systemd(deadline=1.0, interval=0.02, proc=unit.parent / "proc")


def process(unit: Path, pid: int, group: str, state: str = "S") -> None:
    folder = unit.parent / "proc" / str(pid)
    folder.mkdir()
    (folder / "cgroup").write_text(f"12:name=systemd:{group}\n0::{group}\n")
    (folder / "stat").write_text(f"{pid} (confserv) {state} 1 0")


def test_start_and_stop(unit: Path) -> None:
    assert driver(unit).start("confserv.service").running
    assert driver(unit).stop("confserv.service").stopped


def test_a_start_that_a_condition_skips_is_an_error_at_once(unit: Path) -> None:
    (unit / "start").write_text("echo exec-condition > Result\n")
    with pytest.raises(ProcessError, match="did not come up .*inactive .*exec-condition; a condition of its own"):
        Systemd(deadline=60, interval=0.02, proc=unit.parent / "proc").start("confserv.service")


def test_a_start_that_fails_says_how(unit: Path) -> None:
    (unit / "start").write_text("echo failed > ActiveState; echo exit-code > Result\n")
    with pytest.raises(ProcessError, match=r"failed \(dead\), result exit-code"):
        driver(unit).start("confserv.service")


def test_a_start_that_never_ends_ends_at_the_deadline(unit: Path) -> None:
    (unit / "start").write_text("echo activating > ActiveState; echo start > SubState; echo 12 > Job\n")
    with pytest.raises(ProcessError, match=r"deadline 1 s.: activating"):
        driver(unit).start("confserv.service")


def test_inactive_with_a_living_process_is_not_stopped(unit: Path) -> None:
    process(unit, 77, "/system.slice/confserv.service")
    state = driver(unit).state("confserv.service")
    assert (state.active, state.pids, state.stopped) == ("inactive", (77,), False)


def test_what_does_not_stop_is_killed(unit: Path) -> None:
    (unit / "stop").write_text("echo deactivating > ActiveState\n")
    (unit / "ActiveState").write_text("active")
    process(unit, 77, "/system.slice/confserv.service")
    assert driver(unit).stop("confserv.service").stopped


def test_processes_are_told_by_whole_names_and_zombies_do_not_count(unit: Path) -> None:
    process(unit, 1, "/system.slice/confserv.service/worker")
    process(unit, 2, "/system.slice/my-confserv.service")
    process(unit, 3, "/system.slice/confserv.service", state="Z")
    assert list(processes_of("confserv.service", unit.parent / "proc")) == [1]


def test_without_systemd_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProcessError, match="not installed"):
        Systemd(1, 0.02).state("confserv.service")


def test_a_value_may_hold_an_equals_sign() -> None:
    assert parse_properties("A=b=c\nEmpty=\n\nJunk\n") == {"A": "b=c", "Empty": ""}
