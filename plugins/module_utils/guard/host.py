# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guard says to its host, and asks of it: the service manager, the journal, a place in memory and on the CPU.

None of it may hold up the thread that watches the deadline: words go through a queue, and a socket that would block is
left alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import queue
import resource
import socket
import threading

LOCKED = 1 | 2 | 4
"""MCL_CURRENT, MCL_FUTURE and MCL_ONFAULT of mlockall(2)."""
PRIORITY = 10
"""Of round-robin scheduling (sched(7)): above everything ordinary, below what the kernel itself needs."""
ERROR, WARNING, NOTICE, INFO = 3, 4, 5, 6
"""Levels of syslog(3), as systemd reads them from the beginning of a line (sd-daemon(3))."""


class Journal:
    """The journal, written to by a thread of its own."""

    def __init__(self) -> None:
        """Start the thread; it ends with the process."""
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._write, name="journal", daemon=True).start()

    def say(self, words: str, level: int = INFO) -> None:
        """Queue a line; never waits."""
        self._lines.put(f"<{level}>{words}")

    def _write(self) -> None:
        while True:
            line = self._lines.get()
            with contextlib.suppress(OSError):
                os.write(1, line.replace("\n", " ").encode("utf-8", "replace") + b"\n")


class Manager:
    """systemd's end of a `Type=notify` service (sd_notify(3))."""

    def __init__(self) -> None:
        """Take the socket's address from the environment; without one, nothing is said."""
        # Programs that the guard starts are not to speak for it.
        address = os.environ.pop("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address

    def tell(self, words: str) -> None:
        """Send a state, as `READY=1`; one that cannot be sent at once is lost."""
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.setblocking(False)
            manager.sendto(words.encode(), self._address)


def harden(journal: Journal) -> None:
    """Stay in memory and come first on the CPU. A container may refuse either: that is said and lived with."""
    libc = ctypes.CDLL(None, use_errno=True)
    # Under a limit a later allocation would fail.
    unlimited = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY
    if not unlimited or libc.mlockall(LOCKED):
        journal.say(f"memory is not locked: {os.strerror(ctypes.get_errno()) if unlimited else 'limited'}", NOTICE)
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))
    except OSError as error:
        journal.say(f"no real-time scheduling: {error.strerror}", NOTICE)
