# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host as a systemd-nspawn machine: power on, power off, and running commands in it past its network."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from two_site_lab import network
from two_site_lab.errors import LabError
from two_site_lab.model import Host, Topology
from two_site_lab.state import State

CGROUPS = Path("/sys/fs/cgroup")
POLL = 0.02
DEADLINE = 10.0
# The process joins its cgroups and leaves its id by itself, before it becomes systemd-nspawn.
START = 'echo $$ > "$1"; shift; while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs"; shift; done; shift; exec "$@"'
ENVIRONMENT = ("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8")


def wait_until(condition: Callable[[], object], what: str, deadline: float = DEADLINE, poll: float = POLL) -> None:
    """Ask every ``poll`` seconds until ``condition`` holds; LabError naming ``what`` after ``deadline`` seconds."""
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > end:
            raise LabError(f"{what}: not within {deadline:g} s")
        time.sleep(poll)


class Machine:
    """A host's power and processes."""

    def __init__(self, state: State, topology: Topology, host: Host) -> None:
        """Stand for ``host`` of ``topology``; nothing is started yet."""
        self._state = state
        self._topology = topology
        self.host = host
        self.name = f"{topology.id}-{host.name}"

    @property
    def cgroups(self) -> list[Path]:
        """The machine's own cgroups: two with cgroup v1 (systemd's hierarchy and the unified one), one with pure v2."""
        if (CGROUPS / "cgroup.controllers").exists():
            return [CGROUPS / self.name]
        return [
            CGROUPS / hierarchy / self.name for hierarchy in ("systemd", "unified") if (CGROUPS / hierarchy).is_dir()
        ]

    def power_on(self) -> None:
        """Give the host its link and start its systemd; returns before it has booted."""
        if self.nspawn_pid():
            raise LabError(f"{self.host.name} is on already")
        network.power_up(self._topology, self.host)
        self.clear_cgroups()
        for cgroup in self.cgroups:
            cgroup.mkdir()
        pid_file = self._state.machine_pid(self.host.name)
        start: list[str | Path] = ["setsid", "--fork", "sh", "-c", START, "sh", pid_file, *self.cgroups, "--"]
        words = [*start, *self._nspawn()]
        with self._state.console(self.host.name).open("a") as console:
            subprocess.run(words, stdin=subprocess.DEVNULL, stdout=console, stderr=console, check=True)

    def _nspawn(self) -> list[str]:
        return [
            "systemd-nspawn",
            "--quiet",
            "--settings=no",
            f"--directory={self._state.disk(self.host.name) / 'root'}",
            f"--machine={self.name}",
            "--register=no",
            "--keep-unit",
            "--link-journal=no",
            "--timezone=off",
            "--resolv-conf=off",
            "--capability=CAP_NET_ADMIN",
            f"--network-namespace-path=/run/netns/{self.name}",
            "--boot",
        ]

    def nspawn_pid(self) -> int | None:
        """The machine's systemd-nspawn, if it runs: its recorded id, and its command line says so too."""
        try:
            pid = int(self._state.machine_pid(self.host.name).read_text())
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return None
        return pid if f"--machine={self.name}".encode() in words else None

    def is_off(self) -> bool:
        """Whether the machine's power is off."""
        return self.nspawn_pid() is None

    def leader(self) -> int | None:
        """The host's PID 1 as this machine numbers it, if it runs."""
        nspawn = self.nspawn_pid()
        if nspawn is None:
            return None
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            children = Path(f"/proc/{nspawn}/task/{nspawn}/children").read_text().split()
            return next((int(pid) for pid in children if _pid_inside(pid) == "1"), None)
        return None

    def processes(self) -> list[int]:
        """Every process of the machine, systemd-nspawn itself included: what its cgroups hold."""
        found: set[int] = set()
        for folder, _, _ in (entry for cgroup in self.cgroups for entry in os.walk(cgroup)):
            with contextlib.suppress(OSError):  # a cgroup may go while we look
                found.update(int(pid) for pid in (Path(folder) / "cgroup.procs").read_text().split())
        return sorted(found)

    def freeze(self) -> None:
        """Stop every process of the host where it stands, and take its link: what a paused machine looks like."""
        network.unplug(self._topology, [self.host])
        self._hold(True)

    def thaw(self) -> None:
        """Let a frozen host go on; nothing happens to one that is not frozen."""
        network.plug(self._topology, [self.host])
        self._hold(False)

    def _hold(self, frozen: bool) -> None:
        switches = [cgroup / "cgroup.freeze" for cgroup in self.cgroups if (cgroup / "cgroup.freeze").exists()]
        for switch in switches:
            switch.write_text(str(int(frozen)))
        wait_until(lambda: all(_held(switch) == frozen for switch in switches), f"{self.host.name}: frozen {frozen}")
        if not switches:  # a kernel before 5.2
            for pid in self.processes():
                _signal(pid, signal.SIGSTOP if frozen else signal.SIGCONT)

    def clear_cgroups(self) -> None:
        """Kill what is left of the machine and remove its cgroups."""
        for pid in self.processes():
            _kill(pid)
        wait_until(lambda: not self.processes(), f"{self.host.name}: processes gone")
        for cgroup in self.cgroups:
            for folder, _, _ in os.walk(cgroup, topdown=False):
                Path(folder).rmdir()

    def run(
        self, argv: Sequence[str], stdin: str | None = None, check: bool = True, capture: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as root inside the host, whatever its network does; LabError if the host is off."""
        leader = self.leader()
        if leader is None:
            raise LabError(f"{self.host.name} is off")
        enter = ["nsenter", f"--target={leader}", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--"]
        words = [*enter, "env", "-i", *ENVIRONMENT, *argv]
        done = subprocess.run(words, input=stdin, capture_output=capture, text=True, check=False)
        if check and done.returncode:
            said = (done.stderr or done.stdout or "").strip().splitlines()[-1:] or [f"exit {done.returncode}"]
            raise LabError(f"{self.host.name}: {' '.join(argv)}: {said[0]}")
        return done


def _pid_inside(pid: str) -> str:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("NSpid:"):
            return line.split()[-1]
    return ""


def _held(switch: Path) -> bool:
    return "frozen 1" in switch.with_name("cgroup.events").read_text()


def _kill(pid: int) -> None:
    _signal(pid, signal.SIGKILL)


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def power_off(topology: Topology, machines: Iterable[Machine]) -> None:
    """Take the power from machines all at once, with no goodbye.

    The links go first; then PID 1 of each host is killed and the kernel kills the rest (killing systemd-nspawn would
    leave an orphan that goes on answering); then addresses and rules of the namespaces go, which would answer, too.
    """
    running = list(machines)
    network.unplug(topology, [machine.host for machine in running])
    for machine in running:
        leader = machine.leader()
        if leader is not None:
            _kill(leader)
    for machine in running:
        wait_until(machine.is_off, f"{machine.host.name}: power off")
        machine.clear_cgroups()
        network.forget(topology, machine.host)
