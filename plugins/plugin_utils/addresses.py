# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses and networks of the inventory, IPv4 and IPv6, on the controller (netaddr)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations

NETADDR_ERROR: ImportError | None = None
try:
    from netaddr import AddrFormatError, IPAddress, IPNetwork
except ImportError as error:
    NETADDR_ERROR = error


def parse_address(text: str | None) -> IPAddress | None:
    """Return the address, or None for what is none (a host name, a network, an abbreviation such as 10.1)."""
    try:
        return IPAddress(text) if text else None
    except (AddrFormatError, ValueError, TypeError):
        return None


def parse_network(text: str | None) -> IPNetwork | None:
    """Return the network, or None for what is none: without a prefix length, or with host bits set (10.1.0.5/24)."""
    try:
        network = IPNetwork(text) if text and "/" in text else None
    except (AddrFormatError, ValueError, TypeError):
        return None
    return network if network is not None and network.ip == network.network else None


def is_inside(text: str | None, networks: Iterable[str | None]) -> bool:
    """Tell whether an address lies in one of the networks; False for what is no address."""
    address = parse_address(text)
    return address is not None and any(address in network for network in map(parse_network, networks) if network)


def overlaps(networks: Mapping[str, str | None], owners: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the pairs of keys whose networks share an address and whose owners differ, in the mapping's order."""
    parsed = {key: network for key, text in networks.items() if (network := parse_network(text)) is not None}
    return [
        (first, second)
        for first, second in combinations(parsed, 2)
        if owners[first] != owners[second] and _share(parsed[first], parsed[second])
    ]


def _share(first: IPNetwork, second: IPNetwork) -> bool:
    return first.version == second.version and (first in second or second in first)
