# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which process drivers there are; static imports, for AnsiballZ ships nothing that is imported by name."""

from __future__ import annotations

from typing import Any, List, Mapping, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process import ProcessDriver, ProcessError, UnitState
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process.mlcmd import Mlcmd
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process.systemd import Systemd
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process.windows_service import WindowsService

DRIVERS = ("systemd", "mlcmd", "windows_service")


class Shared:
    """Some programs by systemd, by name, and all others by another driver."""

    def __init__(self, names: List[str], systemd: ProcessDriver, others: ProcessDriver) -> None:
        """Take both drivers, and the names that systemd has."""
        self._names, self._systemd, self._others = names, systemd, others

    def state(self, name: str) -> UnitState:
        """Return how a program stands."""
        return self._of(name).state(name)

    def start(self, name: str) -> UnitState:
        """Start it. Raises ProcessError, RefusedError."""
        return self._of(name).start(name)

    def stop(self, name: str) -> UnitState:
        """Stop it. Raises ProcessError, RefusedError."""
        return self._of(name).stop(name)

    def _of(self, name: str) -> ProcessDriver:
        return self._systemd if name in self._names else self._others


def processes_of(
    driver: str, deadline: float, interval: float, options: Optional[Mapping[str, Any]] = None, first: str = ""
) -> ProcessDriver:
    """Return the driver. `deadline` and `interval` in seconds; `first`: the Configuration Server's own unit.

    Raises ProcessError for options that are none, RefusedError where a driver may not be used as it is set up.
    """
    given = dict(options or {})
    if driver == "systemd" and given:
        raise ProcessError(f"systemd takes no options: {', '.join(sorted(given))}")
    if driver == "mlcmd":
        systemd = Systemd(deadline, interval)
        return Shared(list(given.get("systemd") or []), systemd, Mlcmd(given, deadline, interval, first))
    return WindowsService(given, deadline, interval) if driver == "windows_service" else Systemd(deadline, interval)
