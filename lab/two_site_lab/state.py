# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a lab keeps what it knows while it runs: folders and files under one directory, and its lock."""

from __future__ import annotations

import fcntl
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from two_site_lab.errors import LabError

BASE = Path("/var/lib/sip-dr-lab")
LOCKS = Path("/run/lock")
# An interface's name has at most 15 characters, and "<id>-s1-sip-a" is one.
ID = re.compile(r"[a-z][a-z0-9]{0,5}")


@dataclass(frozen=True)
class State:
    """The files of the lab ``id``; all of them go with ``lab down``."""

    id: str

    def __post_init__(self) -> None:
        """Refuse an id that could not name an interface."""
        if not ID.fullmatch(self.id):
            raise LabError(f"a lab's id is a letter and up to five letters or digits, not {self.id!r}")

    @property
    def root(self) -> Path:
        """The lab's own directory."""
        return BASE / self.id

    @property
    def record(self) -> Path:
        """What runs: written when the lab is up, so its absence means that it is not."""
        return self.root / "lab.json"

    @property
    def beginning(self) -> Path:
        """Where the master is at first and what protects it (two_site_lab.beginning); kept over resets."""
        return self.root / "beginning.json"

    @property
    def key(self) -> Path:
        """The SSH key that every host lets in as root."""
        return self.root / "id_ed25519"

    @property
    def pki(self) -> Path:
        """The lab's certificates and their keys (two_site_lab.pki)."""
        return self.root / "pki"

    def password(self, gateway: str) -> Path:
        """The file with the password of a gateway that is managed from control, and with nothing else (0600)."""
        return self.root / "passwords" / gateway

    @property
    def faults(self) -> Path:
        """One file for each fault in force."""
        return self.root / "faults"

    @property
    def supervisor_pid(self) -> Path:
        """The supervisor's process id."""
        return self.root / "supervisor.pid"

    @property
    def units(self) -> Path:
        """The units that start at each host's boot, by host."""
        return self.root / "units.json"

    def console(self, host: str) -> Path:
        """What the host's boot says."""
        return self.root / "console" / f"{host}.log"

    def machine_pid(self, host: str) -> Path:
        """The process id of the host's systemd-nspawn."""
        return self.root / "machines" / f"{host}.pid"

    def disk(self, host: str) -> Path:
        """The folder of the host's disk: ``layer`` (tmpfs) and ``root`` (overlay on the image)."""
        return self.root / "disks" / host

    def make(self) -> None:
        """Make the folders; only root may look."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("console", "machines", "faults", "disks", "truth", "passwords"):
            (self.root / name).mkdir(exist_ok=True)

    def event(self, what: str, **detail: object) -> None:
        """Append one line to the lab's log: ``at`` is seconds since the epoch on the one clock of all hosts."""
        with (self.root / "log").open("a") as log:
            log.write(json.dumps({"at": round(time.time(), 3), "event": what, **detail}) + "\n")

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the lab: commands that change it run one at a time."""
        with (LOCKS / f"sip-dr-lab-{self.id}").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
