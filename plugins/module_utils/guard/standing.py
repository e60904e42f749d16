# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Since when the ticket stands still, as the guard of this host has seen it: a fence need not wait for that again.

`{"revision", "since", "boot_id"}`: at `since`, in seconds of CLOCK_BOOTTIME, a majority had answered with this
revision. Whoever then replaces exactly this revision knows that the holder has renewed nothing since. The file may be
old: what it says stays true until the next boot.
"""

from __future__ import annotations

import json
from typing import Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import lease
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.core import Standing

PATH = lease.DIRECTORY + "/standing.json"


class StandingFile:
    """The file as its only writer keeps it."""

    def __init__(self, path: str) -> None:
        """Nothing is written yet."""
        self._path = path
        self._boot_id = lease.boot_id()
        self._lying: Optional[Standing] = None

    def keep(self, standing: Standing) -> None:
        """Let the file say this. Raises OSError."""
        if standing != self._lying:
            lease.replace(self._path, dict(standing._asdict(), boot_id=self._boot_id))
            self._lying = standing


def read(path: str = PATH) -> Optional[Standing]:
    """Return what the file says; None without one, for one of another boot, and for one that cannot be understood."""
    try:
        with open(path, encoding="utf-8") as file:
            said = json.load(file)
        known = Standing(int(said["revision"]), float(said["since"]))
        return known if said["boot_id"] == lease.boot_id() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
