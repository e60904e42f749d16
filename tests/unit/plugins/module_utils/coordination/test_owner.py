"""Who a run is, and when another owner is provably gone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.owner import (
    identify,
    judge,
    read_process,
)

STAT = "{pid} ({name}) {state} {parent} " + "0 " * 17 + "{started} 0 0"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A /proc with `sh -> ansible-playbook -> sh -> ansible-playbook -> its worker -> sh -> module`."""
    (tmp_path / "sys/kernel/random").mkdir(parents=True)
    (tmp_path / "sys/kernel/random/boot_id").write_text("boot-1\n")
    (tmp_path / "self/ns").mkdir(parents=True)
    (tmp_path / "self/ns/pid").symlink_to("pid:[4026531836]")
    command = ["/usr/bin/python3", "/opt/venv/bin/ansible-playbook", "failover.yml"]
    chain: list[tuple[int, int, str, list[str]]] = [
        (1, 0, "init", ["init"]),
        (10, 1, "ansible-playbo", command),
        (20, 10, "sh", ["/bin/sh", "-c", "ansible-playbook inner.yml"]),
        (30, 20, "ansible (odd) x", command),
        (40, 30, "ansible-playbo", command),
        (50, 40, "sh", ["/bin/sh", "-c", "python3 module"]),
        (60, 50, "python3", ["/usr/bin/python3", "AnsiballZ_continuity_owner.py"]),
    ]
    for pid, parent, name, words in chain:
        process(tmp_path, pid, parent, name, words)
    return tmp_path


def process(proc: Path, pid: int, parent: int, name: str, words: list[str], state: str = "S") -> None:
    (proc / str(pid)).mkdir(exist_ok=True)
    line = STAT.format(pid=pid, name=name, state=state, parent=parent, started=pid * 100)
    (proc / str(pid) / "stat").write_text(line)
    (proc / str(pid) / "cmdline").write_bytes(b"\0".join(word.encode() for word in words))


def test_the_owner_is_the_nearest_playbook_not_its_worker_and_not_the_outer_one(proc: Path) -> None:
    me = identify("run-1", pid=60, proc=proc)
    assert (me["pid"], me["started"], me["run"]) == (30, 3000, "run-1")
    assert (me["boot_id"], me["pid_namespace"]) == ("boot-1", "pid:[4026531836]")


def test_without_ansible_above_the_process_itself_is_the_owner(proc: Path) -> None:
    assert identify(None, pid=20, proc=proc)["pid"] == 10
    assert identify(None, pid=1, proc=proc)["pid"] == 1


@pytest.mark.parametrize(
    ("owner", "state"),
    [
        ({}, "alive"),
        ({"started": 1}, "dead"),
        ({"pid": 99}, "dead"),
        ({"boot_id": "boot-0"}, "unknown"),
        ({"pid_namespace": "pid:[2]"}, "unknown"),
    ],
)
def test_only_a_process_of_this_kernel_and_namespace_can_be_judged(proc: Path, owner: dict, state: str) -> None:
    found = judge(dict(identify("r", pid=60, proc=proc), **owner), proc)
    assert found["state"] == state
    assert found["words"]


def test_a_zombie_is_dead(proc: Path) -> None:
    me = identify("r", pid=60, proc=proc)
    process(proc, 30, 20, "ansible", ["ansible-playbook"], state="Z")
    assert judge(me, proc)["state"] == "dead"


def test_a_real_process_is_seen_to_live_and_to_end() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        seen = read_process(child.pid)
        assert seen is not None
        assert seen.parent == os.getpid()
        owner: dict[str, Any] = dict(identify("r"), pid=child.pid, started=seen.started)
        assert judge(owner)["state"] == "alive"
        child.communicate(b"\n")
    assert judge(owner)["state"] == "dead"
