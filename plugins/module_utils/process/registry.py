# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which process drivers there are; static imports, for AnsiballZ ships nothing that is imported by name."""

from __future__ import annotations

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process import ProcessDriver
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process.systemd import Systemd

DRIVERS = {"systemd": Systemd}


def processes_of(driver: str, deadline: float, interval: float) -> ProcessDriver:
    """Return the driver for this host. `deadline` and `interval` in seconds."""
    return DRIVERS[driver](deadline, interval)
