# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be seen of the guard on its host, without asking the guard: its file, its unit, and what really runs."""

from __future__ import annotations

import subprocess
from typing import Any, Dict, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import config as configuration
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import lease, standing
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.config import Config, ConfigError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.core import Standing
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.installation import FRESH, UNIT
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.killing import Killer, is_standby
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.processes import Processes
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process import ProcessDriver, ProcessError


class GuardError(Exception):
    """The guard of this host is not as it should be; the message says what is seen."""


class Sight:
    """One look after the other at this host."""

    def __init__(self, processes: ProcessDriver, deadline: float) -> None:
        """`deadline`: seconds for a program that is asked."""
        self._processes = processes
        self._deadline = deadline

    @property
    def config(self) -> Optional[Config]:
        """The guard's configuration; None where no guard is installed. Raises GuardError for one that is broken."""
        try:
            return configuration.read()
        except FileNotFoundError:
            return None
        except (ConfigError, OSError) as error:
            raise GuardError(str(error)) from error

    @property
    def left(self) -> float:
        """Seconds for which writers may still run here; 0 without a lease."""
        return max(0.0, lease.left_now())

    @property
    def active(self) -> str:
        """The manager's word for the guard: active, inactive, failed, …; unknown without a manager."""
        try:
            return self._processes.state(UNIT).active
        except ProcessError:
            return "unknown"

    @property
    def standing(self) -> Optional[Standing]:
        """At which revision the guard here knows the ticket to stand, and since when; None when it does not."""
        return standing.read()

    def writers(self) -> Dict[int, str]:
        """Return pid and words of everything that could write here; standbys are no writers."""
        config = self.config
        found: Dict[int, str] = {}
        for pid, why in Killer(config.writers, config.marker).found() if config else ():
            found.setdefault(pid, why)
        return found

    def database_is_standby(self) -> Optional[bool]:
        """Return whether the database of this host is a standby; None where there is no database."""
        config = self.config
        databases = [one for one in (config.writers if config else ()) if one.standby_signal]
        return all(is_standby(one, Processes()) for one in databases) if databases else None

    def refuses_a_start(self) -> Optional[bool]:
        """Return whether a start of a writer would be refused now; None where that cannot be asked."""
        try:
            # A module's run_command knows no time-out.
            done = subprocess.run(  # pylint: disable=ansible-bad-function
                [FRESH], capture_output=True, timeout=self._deadline, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.returncode == 1

    def shown(self) -> Dict[str, Any]:
        """Return all of it, as the doors show it."""
        config = self.config
        return {
            "installed": config is not None,
            "active": self.active,
            "site": config.site if config else None,
            "host": config.host if config else None,
            "left": round(self.left, 2),
            "writers": sorted(set(self.writers().values())),
            "standby": self.database_is_standby(),
        }
