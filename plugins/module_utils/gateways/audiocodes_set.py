# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Proxy Set of an AudioCodes device as its ini file and its command line tell it: pure text, no I/O.

A Proxy Set has its addresses in the rows of the table ProxyIp. With Homing (`ProxyRedundancyMode` 1) the device always
goes back to the first that answers, so the order of the rows is where new calls go.
Sources: Mediant user's manuals, "Configuring Proxy Sets"; the shape of `show voip proxy sets status` is that of public
parsers, and its words are not verified.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.audiocodes_ini import (
    IniError,
    Table,
    parameter,
    table,
)

ADDRESSES = "ProxyIp"
"""The table of all Proxy Sets' addresses."""

_OF_THE_PLACE = ("proxysetid", "proxyipindex", "priority")  # what stays in the row; the rest belongs to the address
_OPTIONS, _HOMING = 1, 1  # EnableProxyKeepAlive, ProxyRedundancyMode


@dataclass(frozen=True)
class ProxySet:
    """One Proxy Set: its number, the tables ProxySet and ProxyIp, and the mode that -1 (not configured) stands for."""

    number: int
    sets: Table
    addresses: Table
    general_mode: int

    @property
    def title(self) -> str:
        """The set as the device calls it."""
        return f"ProxySet {self.number}"

    def rows(self) -> List[int]:
        """Rows of ProxyIp that are this set's, in the order in which the device takes them."""
        mine = [row for row in self.addresses.rows if self.addresses.value(row, "ProxySetId") == str(self.number)]
        return sorted(mine, key=lambda row: (self._place(row), row))

    def row_of(self, target: str) -> Optional[int]:
        """Return the row with that address, None when there is none. Raises IniError when it is there twice."""
        found = [row for row in self.rows() if self.addresses.value(row, "IpAddress").lower() == target.lower()]
        if len(found) > 1:
            raise IniError(f"{self.title}: {target} is expected once, rows {found} of {ADDRESSES} have it")
        return found[0] if found else None

    def setting(self, column: str) -> int:
        """Return a number of the set's own row. Raises IniError where the column is missing or has none."""
        return self.sets.number(self.number, column)

    def disorder(self) -> str:
        """Return why the order of the rows does not tell where new calls go; empty when it does."""
        if self.setting("ProxyLoadBalancingMethod"):
            return (
                f"ProxyLoadBalancingMethod {self.setting('ProxyLoadBalancingMethod')} spreads calls over all addresses"
            )
        mode = self.setting("ProxyRedundancyMode")
        if (self.general_mode if mode == -1 else mode) != _HOMING:
            return f"ProxyRedundancyMode is {mode}, without Homing (1) the device stays where it is"
        priorities = [self.addresses.number(row, "Priority") for row in self.rows() if self.addresses.has("Priority")]
        if priorities != sorted(priorities):
            return f"Priority of its addresses is {priorities}, another order than that of the rows"
        return ""

    def keep_alive(self) -> bool:
        """True when the device asks its addresses by OPTIONS, as Homing needs."""
        return self.setting("EnableProxyKeepAlive") == _OPTIONS

    def preferring(self, target: str, other: str) -> Dict[int, Dict[str, str]]:
        """Return what must stand in which row so that `target` comes first and `other` where it stood; {} if it does.

        Raises IniError when an address is not in the set, or when a third one comes before both.
        """
        places = {self._row(target): target, self._row(other): other}
        first, second = (row for row in self.rows() if row in places)
        if self.rows()[0] != first:
            before = self.addresses.value(self.rows()[0], "IpAddress")
            raise IniError(f"{self.title}: a site's address is expected first, {before} met")
        if places[first] == target:
            return {}
        return {first: self._movable(second), second: self._movable(first)}

    def undo(self, wanted: Mapping[int, Mapping[str, str]]) -> Dict[str, Dict[str, str]]:
        """Return the rows that would be changed as they stand, by what the device calls them."""
        return {f"{ADDRESSES} {row}": self._movable(row) for row in wanted}

    def _row(self, target: str) -> int:
        row = self.row_of(target)
        if row is None:
            there = ", ".join(self.addresses.value(one, "IpAddress") for one in self.rows()) or "none"
            raise IniError(f"{self.title}: the address {target} is expected, {there} met")
        return row

    def _movable(self, row: int) -> Dict[str, str]:
        columns = [column for column in self.addresses.columns if column.lower() not in _OF_THE_PLACE]
        return {column: self.addresses.raw(row, column) for column in columns}

    def _place(self, row: int) -> int:
        return self.addresses.number(row, "ProxyIpIndex") if self.addresses.has("ProxyIpIndex") else row


def proxy_set(ini: str, wanted: str) -> ProxySet:
    """Return the Proxy Set of that name or index. Raises IniError when it or its tables are not there."""
    sets, addresses = table(ini, "ProxySet"), table(ini, ADDRESSES)
    found = [row for row in sets.rows if wanted in (str(row), sets.value(row, "ProxyName"))]
    if len(found) != 1:
        there = ", ".join(f"{row} {sets.value(row, 'ProxyName')}" for row in sets.rows) or "none"
        raise IniError(f"one ProxySet {wanted!r} is expected by name or index, there are: {there}")
    homing = parameter(ini, "ProxyRedundancyMode") == str(_HOMING)
    return ProxySet(found[0], sets, addresses, _HOMING if homing else 0)


def restored(addresses: Table, undo: Mapping[str, Any]) -> Tuple[Dict[int, Dict[str, str]], List[str]]:
    """Return what the recorded rows had, and the addresses that stand in them now and that the record does not know.

    A row with an address that the record does not know was given a new one meanwhile; it is not to be undone blindly.
    Raises IniError for a record that is none.
    """
    wanted: Dict[int, Dict[str, str]] = {}
    for key, cells in undo.items():
        row = re.fullmatch(rf"{ADDRESSES} (\d+)", key)
        if not row or not isinstance(cells, dict):
            raise IniError(f"the record of what stood: rows of {ADDRESSES} are expected, {key} met")
        wanted[int(row[1])] = {column: str(value) for column, value in cells.items()}
    known = {value for cells in wanted.values() for column, value in cells.items() if column.lower() == "ipaddress"}
    now = [addresses.raw(row, "IpAddress") for row in wanted]
    return wanted, [address for address in now if address not in known]


def state_of(output: str, number: int, target: str, states: Mapping[str, str]) -> Tuple[str, str]:
    """Return the word for an address in `show voip proxy sets status`, and what `states` says that it means.

    Over REST each end of line has become ". ". A line that begins with a number begins that Proxy Set; an address may
    have what it resolved to, and a mark, in parentheses behind it. ("", "unknown") where nothing is said of it.
    """
    current = None
    for line in re.split(r"\. |\r?\n", output):
        words = line.split()
        if words and re.fullmatch("[0-9]+", words[0]):
            current = int(words[0])
        for place, word in enumerate(words):
            if current == number and _names(word, target):
                return _judged(" ".join(words[place + 1 :]), states)
    return "", "unknown"


def _names(word: str, target: str) -> bool:
    parts = [part for part in re.split(r"[()]+", word.lower()) if part]
    return target.lower() in [*parts, *(f"{part}:5060" for part in parts)]


def _judged(rest: str, states: Mapping[str, str]) -> Tuple[str, str]:
    said = [word for word in states if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", rest, re.IGNORECASE)]
    meant = states[said[0]] if len(said) == 1 else "unknown"
    return " ".join(said) or rest, meant if meant in ("up", "down", "partial") else "unknown"
