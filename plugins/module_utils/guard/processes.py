# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs on this host, as the kernel tells it (proc(5)). A process that is gone by then has nothing to say."""

from __future__ import annotations

import os
import re
import struct
from typing import List, Optional

SERVERS = ("postgres", "postmaster")
IN_PRODUCTION = 6
"""State of a PostgreSQL server that is no standby: DB_IN_PRODUCTION of `DBState` (src/include/catalog/pg_control.h)."""
STATE_AT = 16
"""Where it stands in `global/pg_control`: after system_identifier (8 bytes) and two version numbers (4 each)."""
RECOVERS = re.compile(rb": startup( (recovering|waiting for) [0-9A-F]{24})?[ \0]*$")
"""Title of the process that recovers, and of no other."""
BEFORE_ALL = re.compile(rb": (checkpointer|background writer|logger)[ \0]*$")
"""Titles of those that a server starts before the one that recovers."""


class Processes:
    """The processes below one `/proc`."""

    def __init__(self, proc: str = "/proc") -> None:
        """Nothing is looked at yet."""
        self._proc = proc

    def all(self) -> List[int]:
        """Return the pid of every process but this one."""
        return [int(name) for name in os.listdir(self._proc) if name.isdigit() and int(name) != os.getpid()]

    def groups(self, pid: int) -> List[bytes]:
        """Return the parts of its control groups' paths, of every hierarchy (cgroups(7))."""
        return self._content(pid, "cgroup").replace(b"\n", b"/").split(b"/")

    def environment(self, pid: int) -> List[bytes]:
        """Return `NAME=value` of each variable that it was started with; it may have to wait for the process."""
        return self._content(pid, "environ").split(b"\0")

    def command(self, pid: int) -> List[bytes]:
        """Return its command line, word by word, or its title."""
        return self._content(pid, "cmdline").split(b"\0")

    def lives(self, pid: int) -> bool:
        """Return whether it can still do anything: a zombie cannot."""
        state = self._content(pid, "stat").rpartition(b")")[2].split()[:1]
        return bool(state) and state[0] not in (b"Z", b"X")

    def data_directory(self, pid: int) -> Optional[str]:
        """Return where a database server's process works, None for any other process.

        `--single` serves no client: pg_rewind recovers a crashed server that way.
        """
        if os.path.basename(self._link(pid, "exe")).split(" ")[0] not in SERVERS:
            return None
        return None if self.command(pid)[1:2] == [b"--single"] else self._link(pid, "cwd")

    def recovers(self, directory: str) -> bool:
        """Return whether no server works in this data directory, or one that is in recovery or about to begin it.

        A base backup's control file is that of a primary at work until its recovery begins.
        """
        servers = [pid for pid in self.all() if self.data_directory(pid) == directory]
        titles = [b" ".join(self.command(pid)) for pid in servers]
        at_work = [title for title in titles if title.startswith(b"postgres: ") and not BEFORE_ALL.search(title)]
        return not at_work or any(RECOVERS.search(title) for title in at_work)

    def _content(self, pid: int, name: str) -> bytes:
        try:
            with open(f"{self._proc}/{pid}/{name}", "rb") as file:
                return file.read()
        except OSError:
            return b""

    def _link(self, pid: int, name: str) -> str:
        try:
            return os.readlink(f"{self._proc}/{pid}/{name}")
        except OSError:
            return ""


def in_production(directory: str) -> bool:
    """Return whether the control file of a data directory says that its server is, or last was, a primary at work."""
    try:
        with open(os.path.join(directory, "global", "pg_control"), "rb") as control:
            return bool(struct.unpack_from("=i", control.read(STATE_AT + 4), STATE_AT)[0] == IN_PRODUCTION)
    except (OSError, struct.error):
        return False
