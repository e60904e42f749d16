# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
r"""The configuration of an AudioCodes Mediant: tables of an ini file, what runs and what is saved.

Made from AudioCodes' user's manuals, "Configuring ini File Table Parameters": FORMAT line, `$$` for a default, a subset
of the columns gives the others their defaults, the title with a backslash ends a table. Whether rows stay that an
incremental file does not have is not told: `replaces_tables` is both. It reads ini text by its own means, not the
driver's.
"""

from __future__ import annotations

from collections.abc import Callable

INI = """;**************
;** Ini File **
;**************
;Board: Mediant SW
;Serial Number: 101780235059663

[SYSTEM Params]

NTPServerUTCOffset = 3600
SyslogServerIP = 10.71.6.10

[SIP Params]

PROXYREDUNDANCYMODE = 0
SIPGATEWAYNAME = 'gw, one; of two'

[ ProxySet ]

FORMAT Index = ProxyName, EnableProxyKeepAlive, ProxyKeepAliveTime, ProxyLoadBalancingMethod, IsProxyHotSwap, \
SRDName, ProxyRedundancyMode, KeepAliveFailureResp, SBCIPv4SIPInterfaceName;
ProxySet 0 = "Carrier", 1, 60, 0, 0, "DefaultSRD", -1, "", "SIPInterface_0";
ProxySet 1 = "SIP Servers", 1, 10, 0, 1, "DefaultSRD", 1, "503,505", "SIPInterface_0";

[ \\ProxySet ]

[ ProxyIp ]

FORMAT Index = ProxySetId, ProxyIpIndex, IpAddress, TransportType, Priority, Weight;
ProxyIp 0 = "0", 0, "10.71.3.10:5060", 0, 0, 0;
ProxyIp 1 = "1", 0, "10.71.1.100:5060", 0, 0, 0;
ProxyIp 2 = "1", 1, "10.71.2.100:5061", 2, 0, 5;

[ \\ProxyIp ]
"""
"""A small device: Proxy Set 1 has site1's address first. The second address goes over TLS."""

DEFAULTS = {"Priority": "0", "Weight": "0", "TransportType": "-1", "ProxyIpIndex": "0"}
"""What a column has that a FORMAT line leaves out; any other has an empty string."""


class BadFileError(Exception):
    """What the device says of a file that it does not take (400)."""


class Store:
    """The configuration that runs, the one that is saved, and what the device's OPTIONS have found out."""

    def __init__(self, ini: str = INI, replaces_tables: bool = False) -> None:
        self.replaces_tables = replaces_tables
        self.after_load: Callable[[], None] = lambda: None
        self.states: dict[str, str] = {}
        self._parts = _parse(ini)
        self.saved = self.running

    @property
    def running(self) -> str:
        return "".join(part if isinstance(part, str) else part.text() for part in self._parts)

    def load(self, text: str) -> None:
        """Take an incremental ini file, all of it or nothing."""
        kept = [part if isinstance(part, str) else part.copy() for part in self._parts]
        tables = {part.name: part for part in kept if isinstance(part, _Table)}
        for part in _parse(text):
            if isinstance(part, str):
                self._loose(part)
            elif part.name not in tables:
                raise BadFileError(f"Unknown table {part.name}")
            else:
                tables[part.name].merge(part, self.replaces_tables)
        self._parts = kept
        self.after_load()

    def edit(self, before: str, after: str) -> None:
        """Change the running text as an administrator at the web interface does."""
        assert before in self.running
        self._parts = _parse(self.running.replace(before, after))

    def save(self) -> None:
        self.saved = self.running

    def reboot(self) -> None:
        self._parts = _parse(self.saved)

    def addresses(self, number: int) -> list[str]:
        """Addresses of a Proxy Set, the one first that the device prefers with Homing."""
        rows = [row for row in self._table("ProxyIp").rows.values() if row["ProxySetId"].strip('"') == str(number)]
        return [row["IpAddress"].strip('"') for row in sorted(rows, key=lambda row: int(row.get("ProxyIpIndex", 0)))]

    def show(self) -> str:
        """The answer to `show voip proxy sets status`, in the shape that public parsers expect."""
        lines = [
            "Active Proxy Sets Status",
            "ID  NAME  MODE  KEEP ALIVE  ADDRESS  PRIORITY  WEIGHT  SUCCESS  FAILED  STATUS",
        ]
        for number, row in self._table("ProxySet").rows.items():
            lines.append(f"  {number}  {row['ProxyName'].strip(chr(34))}  Homing  Enabled  ONLINE")
            for place, address in enumerate(self.addresses(number)):
                state = self.states.get(address, "ONLINE")
                active = "(*)" if not place else ""
                lines.append(f"{'':20}{address}({address}){active}  -  -  12  0  {state}")
        return "\r\n".join(["", *lines, ""])

    def _table(self, name: str) -> _Table:
        return next(part for part in self._parts if isinstance(part, _Table) and part.name == name)

    @staticmethod
    def _loose(text: str) -> None:
        for line in text.splitlines():
            if line.strip() and not line.lstrip().startswith((";", "[")):
                raise BadFileError(f"Unknown parameter {line.split('=')[0].strip()}")


class _Table:
    def __init__(self, name: str, columns: list[str], rows: dict[int, dict[str, str]]) -> None:
        self.name, self.columns, self.rows = name, columns, rows

    def copy(self) -> _Table:
        return _Table(self.name, self.columns, {index: dict(row) for index, row in self.rows.items()})

    def merge(self, other: _Table, replaces: bool) -> None:
        unknown = [column for column in other.columns if column not in self.columns]
        if unknown:
            raise BadFileError(f"Table {self.name}: unknown parameter {unknown[0]}")
        if replaces:
            self.rows.clear()
        for index, row in other.rows.items():
            given = {column: value for column, value in row.items() if value != "$$"}
            self.rows[index] = {column: given.get(column, DEFAULTS.get(column, '""')) for column in self.columns}

    def text(self) -> str:
        lines = [f"[ {self.name} ]", "", f"FORMAT Index = {', '.join(self.columns)};"]
        for index, row in sorted(self.rows.items()):
            lines.append(f"{self.name} {index} = {', '.join(row[column] for column in self.columns)};")
        return "\n".join([*lines, "", f"[ \\{self.name} ]", ""])


def _parse(text: str) -> list[str | _Table]:
    parts: list[str | _Table] = [""]
    inside: _Table | None = None
    for line in text.replace("\r\n", "\n").splitlines(keepends=True):
        words = line.strip()
        if inside is None and words.startswith("[ ") and "\\" not in words:
            inside = _Table(words.strip("[] "), [], {})
            parts.append(inside)
        elif inside is None:
            parts[-1] = parts[-1] + line if isinstance(parts[-1], str) else parts[-1]
        elif words.replace(" ", "") == f"[\\{inside.name}]":
            inside = None
            parts.append("")
        elif words and not words.startswith(";"):
            _row(inside, words)
    if inside is not None:
        raise BadFileError(f"Table {inside.name} has no end")
    return parts


def _row(table: _Table, words: str) -> None:
    if not words.endswith(";"):
        raise BadFileError(f"Syntax error in table {table.name}")
    head, _, tail = words[:-1].partition("=")
    values = _split(tail)
    if head.startswith("FORMAT"):
        table.columns = values
    elif len(values) != len(table.columns):
        raise BadFileError(f"Table {table.name}: wrong number of values")
    else:
        table.rows[int(head.split()[1])] = dict(zip(table.columns, values, strict=True))


def _split(text: str) -> list[str]:
    values, quoted = [""], False
    for letter in text:
        quoted ^= letter == '"'
        if letter == "," and not quoted:
            values.append("")
        else:
            values[-1] += letter
    return [value.strip() for value in values]
