# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Configuration Server's file, in the form of the vendor's sample (Framework 8.5.1, ``confserv.conf``).

``[confserv]`` names the ports, and with ``server=`` the section that says where the data comes from: a database for a
master, a master for a proxy. ``[lab]`` belongs to the stand-in alone.
"""

from __future__ import annotations

import configparser
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """One server's file: its ``ports``, the section that ``server=`` names (``source``), its licence, the lab's own."""

    ports: tuple[int, ...]
    source: dict[str, str]
    site: str
    write_log: Path
    licence: Path | None = None

    @property
    def dsn(self) -> dict[str, str | int]:
        """``source`` as psycopg2 wants it; a database that is silent for three seconds is lost."""
        host, _, port = self.source["dbserver"].partition(":")
        return {
            "host": host,
            "port": int(port or 5432),
            "dbname": self.source["dbname"],
            "user": self.source["username"],
            "password": self.source["password"],
            "application_name": "confserv",
            "connect_timeout": 3,
            "tcp_user_timeout": 3000,
            "options": "-c statement_timeout=3s",
        }


def read_settings(path: Path, section: str = "confserv") -> Settings:
    """The settings in a file; KeyError or ValueError names what is missing or wrong."""
    parser = configparser.ConfigParser(interpolation=None)
    with path.open(encoding="utf-8") as stream:
        parser.read_file(stream)
    server = parser[section]
    ports = (int(server["port"]), int(server["management-port"]))
    lab = parser["lab"]
    named = parser.get("license", "license-file", fallback="")
    licence = Path(named) if named else None
    return Settings(ports, dict(parser[server["server"]]), lab["site"], Path(lab["write-log"]), licence)
