# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lease's file, and the programs that read it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import config as configuration
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import ending, fresh, lease, wrapper
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.killing import Killed

MARKER = "SIP_DR_TEST_GUARDED"


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A lease's file that the programs read."""
    path = str(tmp_path / "lease.json")
    monkeypatch.setattr(fresh.lease, "left_now", lambda given=path: left_at(path))
    return lease.LeaseFile(path, "site1", 1.0)


def left_at(path):
    return lease.left(lease.read(path), lease.boottime(), lease.boot_id())


def path_of(file):
    return file._path


def test_a_lease_is_good_until_its_margin(file):
    file.keep(lease.boottime() + 10, 7)
    assert 8.5 < left_at(path_of(file)) <= 9
    assert lease.read(path_of(file))["revision"] == 7
    assert os.stat(path_of(file)).st_mode & 0o777 == 0o644


def test_the_file_is_written_only_for_something_new(file):
    file.keep(50, 7)
    os.unlink(path_of(file))
    file.keep(50, 7)
    assert not os.path.exists(path_of(file))
    file.keep(51, 7)
    assert os.path.exists(path_of(file))


def test_what_a_guard_before_this_one_left_is_removed(file):
    file.keep(50, 7)
    lease.LeaseFile(path_of(file), "site1", 1.0).forget()
    assert lease.read(path_of(file)) is None


def test_forgetting_twice_is_well(file):
    file.forget()
    file.forget()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"deadline": "soon", "margin": 1}', "\x00"])
def test_what_cannot_be_read_is_no_lease(tmp_path, text):
    path = tmp_path / "lease.json"
    path.write_text(text)
    assert lease.read(str(path)) is None


def test_a_lease_of_another_boot_is_none():
    held = {"deadline": 100.0, "margin": 1.0, "boot_id": "one"}
    assert lease.left(held, 50, "one") == 49
    assert lease.left(held, 50, "other") == 0


def test_nothing_may_start_without_a_lease(file, capsys):
    assert fresh.main([]) == 1
    assert "refused" in capsys.readouterr().err


def test_a_writer_may_start_with_one(file):
    file.keep(lease.boottime() + 10, 1)
    assert fresh.main([]) == 0


def test_a_standby_may_always_start(file, tmp_path):
    signal_file = tmp_path / "with space" / "standby.signal"
    assert fresh.main(["--or-standby", str(signal_file)]) == 1
    signal_file.parent.mkdir()
    signal_file.touch()
    assert fresh.main(["--or-standby", str(signal_file)]) == 0


def wrapped(file, *command):
    """The wrapper as a process of its own, for it takes signals."""
    text = (
        f"import sys; sys.path[:0] = {sys.path!r}\n"
        f"from {wrapper.__name__} import main\n"
        f"sys.exit(main(sys.argv[1:], {MARKER!r}, {path_of(file)!r}))\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", text, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_the_wrapper_starts_nothing_without_a_lease(file):
    process = wrapped(file, "touch", path_of(file) + ".ran")
    assert "no lease" in process.communicate(timeout=20)[1]
    assert process.returncode == wrapper.REFUSED
    assert not os.path.exists(path_of(file) + ".ran")


def test_the_wrapper_ends_as_its_program_and_marks_it(file):
    file.keep(lease.boottime() + 60, 1)
    process = wrapped(file, "sh", "-c", f"echo ${MARKER}; exit 3")
    output, _errors = process.communicate(timeout=20)
    assert output.strip() == str(process.pid)
    assert process.returncode == 3


def test_a_program_that_is_not_there_is_said(file):
    file.keep(lease.boottime() + 60, 1)
    process = wrapped(file, "/nonexistent program")
    assert "/nonexistent program" in process.communicate(timeout=20)[1]
    assert process.returncode == wrapper.NOT_FOUND


def test_signals_are_passed_on(file):
    file.keep(lease.boottime() + 60, 1)
    process = wrapped(file, "sh", "-c", "trap 'echo got; exit 5' TERM; echo up; while :; do sleep 0.05; done")
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=20)[0] == "got\n"
    assert process.returncode == 5


def test_the_program_is_killed_when_the_lease_ends(file):
    file.keep(lease.boottime() + 60, 1)
    process = wrapped(file, "sh", "-c", "trap '' TERM; echo up; exec sleep 60")
    assert process.stdout.readline() == "up\n"
    file.forget()
    began = time.monotonic()
    assert "the lease is over" in process.communicate(timeout=20)[1]
    assert process.returncode == 128 + signal.SIGKILL
    assert time.monotonic() - began < 10


def test_the_program_dies_with_the_wrapper(file):
    file.keep(lease.boottime() + 60, 1)
    process = wrapped(file, "sh", "-c", "echo $$; exec sleep 60")
    child = int(process.stdout.readline())
    process.kill()
    process.communicate(timeout=20)
    gone = threading.Event()
    for _look in range(200):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        gone.wait(0.05)
    pytest.fail("the program outlived the wrapper")


def test_a_wrapper_without_a_command_says_how_it_is_used(capsys):
    assert wrapper.main([], MARKER) == 64
    assert "usage" in capsys.readouterr().err


def test_there_is_one_guard_on_a_host(tmp_path):
    held = lease.alone(str(tmp_path))
    with pytest.raises(BlockingIOError):
        lease.alone(str(tmp_path))
    os.close(held)
    os.close(lease.alone(str(tmp_path)))
    with pytest.raises(FileNotFoundError):
        lease.alone(str(tmp_path / "no-unit"))


def test_what_the_guard_began_with_is_killed_whatever_lies_there_by_now(tmp_path, monkeypatch):
    given = {"site": "site1", "host": "h", "hosts": ["h"], "writers": [{"unit": "a.service"}]}
    path, running, killed = tmp_path / "guard.json", tmp_path / "running.json", []
    path.write_text(json.dumps(given))
    monkeypatch.setattr(configuration, "RUNNING", str(running))
    monkeypatch.setattr(lease, "PATH", str(tmp_path / "lease.json"))

    def kill(killer, limit):
        killed.append(killer._writers)
        return Killed({}, {}, 0)

    monkeypatch.setattr(ending.Killer, "kill", kill)
    begun = configuration.begin(str(path), str(running))
    assert running.stat().st_mode & 0o777 == 0o600
    path.write_text("{ not whole")
    assert ending.main([]) == 0
    assert killed == [begun.writers]
    path.write_text(json.dumps(given))
    assert configuration.begin(str(path), str(tmp_path / "absent" / "running.json")) == begun
