# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lease on this host: the file by which the guard tells everything else that a writer may run, and until when.

`{"deadline", "margin", "revision", "site", "boot_id"}`: `deadline` in seconds of CLOCK_BOOTTIME, which counts through a
suspend; the guard kills `margin` seconds before it. No file: no lease. Everybody may read it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from typing import Any, Dict, Mapping, Optional

DIRECTORY = "/run/sip-dr"
PATH = DIRECTORY + "/lease.json"
BOOT_ID = "/proc/sys/kernel/random/boot_id"


def alone(directory: str = DIRECTORY) -> int:
    """Return what keeps every other guard off this host for as long as it is open. Raises OSError.

    A second one would take away the first one's lease. Outside its unit there is no directory, and nothing that kills
    when it ends.
    """
    held = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        raise
    return held


def boottime() -> float:
    """Return this host's CLOCK_BOOTTIME in seconds (clock_gettime(2))."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def boot_id() -> str:
    """Return what tells this boot from every other (proc(5))."""
    with open(BOOT_ID, encoding="ascii") as kernel:
        return kernel.read().strip()


def read(path: str = PATH) -> Optional[Dict[str, Any]]:
    """Return what the file says, or None without one. One that cannot be understood is no lease."""
    try:
        with open(path, encoding="utf-8") as file:
            lease = json.load(file)
        return {"deadline": float(lease["deadline"]), "margin": float(lease["margin"]), **lease}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def left(lease: Optional[Dict[str, Any]], now: float, boot: str) -> float:
    """Return for how many seconds a writer may still run on this lease; 0 or less: not at all."""
    if lease is None or lease.get("boot_id") != boot:
        return 0.0
    return float(lease["deadline"]) - float(lease["margin"]) - now


def left_now(path: str = PATH) -> float:
    """Return `left` of this host's lease at this moment."""
    return left(read(path), boottime(), boot_id())


def replace(path: str, data: Mapping[str, Any]) -> None:
    """Let a file that everybody may read say this, whole or not at all. Raises OSError."""
    new = path + ".new"
    with open(new, "w", encoding="utf-8") as file:
        json.dump(data, file)
    os.chmod(new, 0o644)
    # /run is memory: what lies there ends with the boot, so nothing is brought to a disk.
    os.replace(new, path)


class LeaseFile:
    """The file as its only writer keeps it: rewritten when something changed, gone without a lease."""

    def __init__(self, path: str, site: str, margin: float) -> None:
        """Nothing is written yet; what a guard before this one left is removed by the first `forget`."""
        self._path = path
        self._always = {"site": site, "margin": margin, "boot_id": boot_id()}
        self._lying: Optional[Dict[str, Any]] = {}

    def keep(self, deadline: float, revision: int) -> None:
        """Let the file say this. Raises OSError."""
        wanted = dict(self._always, deadline=deadline, revision=revision)
        if wanted == self._lying:
            return
        replace(self._path, wanted)
        self._lying = wanted

    def forget(self) -> None:
        """Remove the file; without one, nothing is done. Raises OSError."""
        if self._lying is None:
            return
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)
        self._lying = None
