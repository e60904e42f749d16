# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab tells a leg about itself, as the JSON file that the unit names."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """One leg of a site's HA pair. Addresses are IPv4, times are seconds.

    ``dr_peer_trunk`` and ``dr_forward`` hold until a Configuration Server says otherwise; ``config_servers`` are
    (host, port) in the order in which they are tried; ``trunk`` is the inter-site Trunk DN.
    """

    host: str
    site: str
    peer_site: str
    application: str
    shared_address: str
    peer_address: str
    trunk: str
    oos_check: int
    oos_force: int
    dr_peer_trunk: str
    dr_forward: str
    config_servers: tuple[tuple[str, int], ...]
    http_port: int = 8080
    login_port: int = 3300
    rpc_port: int = 8081
    session_silence: float = 6.0
    session_grace: float = 10.0
    answer_timeout: float = 1.0
    upkeep: float = 2.0


def load(path: Path) -> Settings:
    """The settings in a JSON file; OSError, ValueError or, with a field missing or unknown, TypeError."""
    fields = json.loads(path.read_text())
    servers = tuple((str(host), int(port)) for host, port in fields.pop("config_servers"))
    return Settings(config_servers=servers, **fields)
