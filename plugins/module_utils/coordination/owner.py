# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which process holds or wants the run lock, and whether another owner is provably gone.

A pid means something only with its start time, its pid namespace and the boot that it belongs to (proc(5), field 22 of
`stat`; namespaces(7)). So only an owner on this very kernel and in this very namespace can be judged; of any other
nothing is known, and only its renewals speak for it.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

PROGRAMS = ("ansible-playbook", "ansible")


class Process(NamedTuple):
    """One line of proc(5): `started` in clock ticks since boot, `state` a letter."""

    pid: int
    parent: int
    state: str
    started: int


def read_process(pid: int, proc: Path = Path("/proc")) -> Optional[Process]:
    """Return what /proc says of a process, or None when it is gone."""
    try:
        text = (proc / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name stands in brackets and may itself hold blanks and brackets.
    fields = text.rpartition(")")[2].split()
    return Process(pid, int(fields[1]), fields[0], int(fields[19]))


def identify(run: Optional[str], pid: Optional[int] = None, proc: Path = Path("/proc")) -> Dict[str, Any]:
    """Return who the run is: host, boot, pid namespace, and the ansible process above `pid` (default: this one)."""
    process = _controller(os.getpid() if pid is None else pid, proc)
    return {
        "hostname": socket.gethostname(),
        "boot_id": _boot_id(proc),
        "pid_namespace": _pid_namespace(proc),
        "pid": process.pid,
        "started": process.started,
        "run": run,
    }


def judge(owner: Mapping[str, Any], proc: Path = Path("/proc")) -> Dict[str, Any]:
    """Return `{state: dead|alive|unknown, words, owner}` about the owner of a lock."""
    state, words = _judge(owner, proc)
    return {"state": state, "words": words, "owner": dict(owner)}


def _judge(owner: Mapping[str, Any], proc: Path) -> Tuple[str, str]:
    if str(owner.get("boot_id")) != _boot_id(proc) or str(owner.get("pid_namespace")) != _pid_namespace(proc):
        return "unknown", f"it runs on another machine, boot or container than {socket.gethostname()}"
    process = read_process(int(owner["pid"]), proc)
    if process is None:
        return "dead", f"process {owner['pid']} is gone from {socket.gethostname()}"
    if process.started != int(owner["started"]):
        return "dead", f"process {owner['pid']} of {socket.gethostname()} is another one by now"
    if process.state in "ZX":
        return "dead", f"process {owner['pid']} of {socket.gethostname()} has ended"
    return "alive", f"process {owner['pid']} of {socket.gethostname()} is running"


def _controller(pid: int, proc: Path) -> Process:
    """Return the outermost of the nearest row of ansible processes above `pid`; without one, the process itself.

    A worker is a fork with its parent's command line; a playbook started by a playbook has a shell between the two.
    """
    chain = _ancestors(pid, proc)
    found: Optional[Process] = None
    for process in chain:
        if _is_ansible(process.pid, proc):
            found = process
        elif found is not None:
            break
    return found or chain[0]


def _ancestors(pid: int, proc: Path) -> List[Process]:
    chain: List[Process] = []
    process = read_process(pid, proc)
    while process is not None:
        chain.append(process)
        process = read_process(process.parent, proc) if process.parent > 0 else None
    return chain


def _is_ansible(pid: int, proc: Path) -> bool:
    try:
        words = (proc / str(pid) / "cmdline").read_bytes().split(b"\0")[:2]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return any(os.path.basename(word.decode("utf-8", "replace")) in PROGRAMS for word in words)


def _boot_id(proc: Path) -> str:
    return (proc / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _pid_namespace(proc: Path) -> str:
    return os.readlink(str(proc / "self/ns/pid"))
