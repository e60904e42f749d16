# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoints of a sweep: from the inventory, or from a CSV or JSON file on the host.

    name,address,port,transport,server_name          [{"address": "10.71.1.100"},
    site1,10.71.1.100,5060,udp,                       {"name": "site2", "address": "10.71.2.100", "port": 5061,
    site2,sip2.example.net,5061,tls,                   "transport": "tls", "server_name": "sip2.example.net"}]

Only `address` must be there. A CSV file begins with a line of names; empty lines, and those that begin with #, are
skipped.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.client import TRANSPORTS
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.requests import (
    DEFAULT_PORT,
    Request,
    host_port,
    options,
)

FIELDS = ("name", "address", "port", "transport", "server_name")

# Neither white space nor what has a meaning in a header: an address goes into the request as it is.
_ADDRESS = re.compile(r"[A-Za-z0-9._:%\[\]-]{1,255}\Z")


class TargetError(ValueError):
    """A target that cannot be probed; the text names it by its place and says what is wrong."""


@dataclass(frozen=True)
class Target:
    """One endpoint. name: for the report; server_name: what its certificate must hold, empty for the default."""

    name: str
    address: str
    port: int
    transport: str
    server_name: str

    def request(self) -> Request:
        """The OPTIONS that is sent to it."""
        return options(self.address, self.port, self.transport, self.server_name)


def read_targets(rows: Iterable[Mapping[str, Any]], where: str = "targets") -> list[Target]:
    """The targets of a list of mappings. where: what the list is called in errors. Raises TargetError."""
    return [_target(row, f"{where}[{index}]") for index, row in enumerate(rows)]


def read_file(path: str) -> list[Target]:
    """The targets of a file: JSON when its name ends so, else CSV. Raises TargetError, OSError."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
        rows = _json_rows(text) if path.lower().endswith(".json") else _csv_rows(text)
    except (UnicodeDecodeError, ValueError, csv.Error) as error:
        raise TargetError(f"{path}: {error}") from error
    return read_targets(rows, path)


def _json_rows(text: str) -> list[Mapping[str, Any]]:
    rows = json.loads(text)
    if not isinstance(rows, list):
        raise ValueError("a list is expected")
    return rows


def _csv_rows(text: str) -> list[Mapping[str, Any]]:
    lines = (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    rows = csv.DictReader(lines, restkey="a column without a name", strict=True)
    return [{key: value for key, value in row.items() if value} for row in rows]


def _target(row: Mapping[str, Any], where: str) -> Target:
    if not isinstance(row, Mapping):
        raise TargetError(f"{where}: a mapping is expected, not {row!r}")
    unknown = [str(key) for key in row if key not in FIELDS]
    if unknown:
        raise TargetError(f"{where}: {', '.join(unknown)} is not one of {', '.join(FIELDS)}")
    transport = str(row.get("transport") or "udp").strip().lower()
    if transport not in TRANSPORTS:
        raise TargetError(f"{where}: transport is one of {', '.join(TRANSPORTS)}, not {transport}")
    address = _address(row.get("address"), where)
    port = _port(row.get("port") or DEFAULT_PORT[transport], where)
    name = str(row.get("name") or f"{host_port(address, port)}/{transport}").strip()
    return Target(name, address, port, transport, str(row.get("server_name") or "").strip())


def _address(value: object, where: str) -> str:
    address = str(value or "").strip()
    if not _ADDRESS.match(address):
        raise TargetError(f"{where}: address is an address or a name, not {address!r}")
    return address


def _port(value: object, where: str) -> int:
    try:
        port = int(str(value))
    except ValueError:
        port = 0
    if not 0 < port < 65536:
        raise TargetError(f"{where}: port is a number from 1 to 65535, not {value!r}")
    return port
