# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`sip-dr-guard-ended`: what is left to do once the guard is gone, however it went. The unit's ExecStopPost.

It imports next to nothing: every millisecond of it is one in which a writer runs that nobody watches.
"""

from __future__ import annotations

from typing import List

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import config as configuration
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import lease
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.config import Config, ConfigError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.killing import Killer

LIMIT = 5.0
"""Seconds for the killing; the unit's TimeoutStopSec is longer."""


def main(_arguments: List[str]) -> int:
    """Take the lease away, kill every writer, and return the exit status: 1 when something is left."""
    config = _config()
    left = lease.left_now()
    lease.LeaseFile(lease.PATH, config.site, config.margin).forget()
    killed = Killer(config.writers, config.marker).kill(LIMIT)
    print(f"<3>THE GUARD IS GONE, {max(0.0, left):.2f} s left of its lease: {killed}")
    return 1 if killed.left else 0


def _config() -> Config:
    """Return whom the guard that is gone has guarded; the file under `PATH` may be another's by now, or broken."""
    try:
        return configuration.read(configuration.RUNNING)
    except (ConfigError, OSError):
        return configuration.read()
