# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The drivers that exist, by static imports: Ansible ships only what is imported by name."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways import (
    audiocodes,
    cisco_cube,
    command,
    kamailio,
    opensips,
    oracle,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import Driver, GatewayError

DRIVERS: Dict[str, Driver] = {
    "audiocodes": audiocodes,
    "cisco_cube": cisco_cube,
    "command": command,
    "kamailio": kamailio,
    "opensips": opensips,
    "oracle": oracle,
}
"""A driver is a module with the functions of Driver."""


def driver(name: str) -> Driver:
    """Return the driver of that name. Raises GatewayError for a name that does not exist."""
    if name not in DRIVERS:
        raise GatewayError(f"gateway driver {name} is not known; there are {', '.join(sorted(DRIVERS))}")
    return DRIVERS[name]


def connected(known: Driver, options: Mapping[str, Any], socket_path: Optional[str]) -> Dict[str, Any]:
    """Return the options of a driver with the path of Ansible's persistent connection, where it has such an option."""
    connection = {"socket_path": socket_path} if socket_path and "socket_path" in known.DEFAULTS else {}
    return {**connection, **options}
