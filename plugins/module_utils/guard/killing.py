# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Killing the writers of this host: everything that could write, with SIGKILL, until none of it is left.

A stop is a dialogue, and one with a cut link lasts as long as the other end's patience. Whoever started a writer, it is
found: by its unit's control group (cgroups(7)), by the data directory that all processes of a database work in, and by
the marker that the wrapper puts into the environment. A standby is never killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import Counter
from typing import Callable, Dict, Iterator, List, NamedTuple, Sequence, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.config import Writer
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.processes import Processes, in_production

AGAIN = 0.01
"""Seconds between two looks while killed processes end."""
ASKING = b"/usr/local/sbin/sip-dr-fresh"
"""A unit's own question whether it may start runs in the unit's control group; it is no writer."""

Victims = Dict[int, str]


class Killed(NamedTuple):
    """What was killed (pid to words), what is left of it after the time was over, and how long it took in seconds."""

    victims: Victims
    left: Victims
    seconds: float

    def __str__(self) -> str:
        """Say it in words for the log."""
        kinds = Counter(self.victims.values())
        words = ", ".join(f"{count} × {why}" for why, count in sorted(kinds.items())) or "nothing ran"
        rest = f"; STILL THERE: {', '.join(map(str, sorted(self.left)))}" if self.left else ""
        return f"{len(self.victims)} killed in {self.seconds:.3f} s: {words}{rest}"


class Killer:
    """Finds and kills the writers. It asks nobody but the kernel, so nothing that hangs can hold it up."""

    def __init__(
        self,
        writers: Sequence[Writer],
        marker: str,
        proc: str = "/proc",
        send: Callable[[int, int], None] = os.kill,
    ) -> None:
        """`proc` and `send` are the kernel's, unless a test gives others."""
        self._writers = writers
        self._marker = os.fsencode(marker) + b"="
        self._processes = Processes(proc)
        self._send = send

    def kill(self, limit: float) -> Killed:
        """Kill until nothing is left, `limit` seconds at most."""
        began = time.monotonic()
        victims: Victims = {}
        while True:
            left: Victims = {}
            for pid, why in self.found():
                left.setdefault(pid, why)
                self._kill(pid)
            victims.update(left)
            spent = time.monotonic() - began
            if not left or spent >= limit:
                return Killed(victims, left, spent)
            time.sleep(AGAIN)

    def server_came_up(self) -> bool:
        """Return whether a database works that may not; cheap, for it takes a server some time to take writes."""
        return any(
            self._processes.data_directory(pid) == directory_of(writer) and not is_standby(writer, self._processes)
            for writer in self._writers
            for pid in postmaster(writer)
        )

    def found(self) -> Iterator[Tuple[int, str]]:
        """Yield pid and words of each living writer, some more than once.

        Environments come last: reading one may have to wait for its process, and the rest is dead by then.
        """
        writers = [writer for writer in self._writers if not is_standby(writer, self._processes)]
        pids = self._processes.all()
        yield from self._of_units(pids, {name: writer.unit for writer in writers for name in group_names(writer.unit)})
        yield from self._of_directories(pids, {directory_of(writer) for writer in writers if writer.standby_signal})
        yield from self._marked(pids)

    def _of_units(self, pids: Sequence[int], units: Dict[bytes, str]) -> Iterator[Tuple[int, str]]:
        look = self._processes
        for pid in pids:
            unit = next((units[name] for name in look.groups(pid) if name in units), None)
            if unit and look.lives(pid) and ASKING not in look.command(pid):
                yield pid, unit

    def _of_directories(self, pids: Sequence[int], directories: set[str]) -> Iterator[Tuple[int, str]]:
        for pid in pids if directories else ():
            directory = self._processes.data_directory(pid)
            if directory in directories and self._processes.lives(pid):
                yield pid, f"at work in {directory}"

    def _marked(self, pids: Sequence[int]) -> Iterator[Tuple[int, str]]:
        for pid in pids:
            marked = any(word.startswith(self._marker) for word in self._processes.environment(pid))
            if marked and self._processes.lives(pid):
                yield pid, "started through the wrapper"

    def _kill(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._send(pid, signal.SIGKILL)


def group_names(unit: str) -> Tuple[bytes, bytes]:
    """Return how a unit's control group may be called: systemd puts `_` before a name that the kernel could mistake."""
    return os.fsencode(unit), b"_" + os.fsencode(unit)


def directory_of(writer: Writer) -> str:
    """Return a database's data directory, without symbolic links, as its processes' working directory reads."""
    return os.path.realpath(os.path.dirname(str(writer.standby_signal)))


def postmaster(writer: Writer) -> List[int]:
    """Return the pid that stands in a data directory's `postmaster.pid`; nothing where there is none."""
    if writer.standby_signal is None:
        return []
    try:
        with open(os.path.join(os.path.dirname(writer.standby_signal), "postmaster.pid"), "rb") as file:
            return [int(file.readline())]
    except (OSError, ValueError):
        return []


def is_standby(writer: Writer, processes: Processes) -> bool:
    """Return whether a database's server runs, or would start, as a standby.

    A promotion removes the signal file. So a server that had it at its start and has it still is a standby; one under
    which it was put later says in its control file that it is in production, and has no process that recovers.
    """
    if writer.standby_signal is None or not os.path.exists(writer.standby_signal):
        return False
    return not in_production(directory_of(writer)) or processes.recovers(directory_of(writer))
