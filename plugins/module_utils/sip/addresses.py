# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a request goes to, and the address that it comes from."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Optional, Union

Place = tuple[int, tuple]
"""An address family, and the destination as the socket calls want it."""

LOOKUPS_AT_ONCE = 32
_ANY_PORT = 9  # routes have no ports

_NO_WAY = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENONET})
"""What a router says by ICMP (Linux net/ipv4/icmp.c, icmp_err_convert), and our own host of a route that it lacks."""


def resolve(address: str, port: int, local_address: Optional[str] = None) -> Place:
    """The place of an address (IPv6 with or without brackets) or of a name; of several, the system's first choice.

    A name is looked up in the family of local_address, where there is one, in the system's own time. Raises OSError,
    or ValueError for what is neither address nor name.
    """
    if not 0 < port < 65536:
        raise ValueError(f"{port} is no port")
    bare = address[1:-1] if address.startswith("[") and address.endswith("]") else address
    return _literal(bare, port) or _looked_up(bare, port, local_address)


def look_up_all(addresses: Iterable[tuple[str, int]], local_address: Optional[str]) -> dict[tuple[str, int], Lookup]:
    """The place of each (address, port), or the error in its way. Names are looked up side by side."""
    wanted = set(addresses)
    names = [one for one in wanted if not _is_literal(one)]
    found = {one: _attempt(one, local_address) for one in wanted.difference(names)}
    if names:
        with ThreadPoolExecutor(max_workers=min(LOOKUPS_AT_ONCE, len(names))) as pool:
            found.update(zip(names, pool.map(lambda one: _attempt(one, local_address), names)))
    return found


def source_address(place: Place) -> str:
    """The address that the system would send from: connecting a datagram socket asks it without sending anything."""
    family, destination = place
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.connect(destination)
        return str(sock.getsockname()[0])


def is_out_of_reach(error: Exception, address: str) -> bool:
    """Whether a connection failed because the way ends out there, and not because our own host has no route.

    Both give the same error number; so it is asked whether there is a route now. A site whose route was withdrawn
    somewhere on the way is out of reach; a host that lost its own cable can tell nothing.
    """
    if getattr(error, "errno", None) not in _NO_WAY:
        return False
    try:
        return bool(source_address(resolve(address, _ANY_PORT)))
    except (OSError, ValueError):
        return False


Lookup = Union[Place, Exception]


def _attempt(wanted: tuple[str, int], local_address: Optional[str]) -> Lookup:
    try:
        return resolve(*wanted, local_address)
    except (OSError, ValueError) as error:
        return error


def _is_literal(wanted: tuple[str, int]) -> bool:
    try:
        return _literal(wanted[0].strip("[]"), wanted[1]) is not None
    except ValueError:
        return False


def _literal(address: str, port: int) -> Optional[Place]:
    # Far cheaper than getaddrinfo, which opens files for each address.
    for family, destination in ((socket.AF_INET, (address, port)), (socket.AF_INET6, (address, port, 0, 0))):
        try:
            socket.inet_pton(family, address)
        except OSError:
            continue
        return family, destination
    return None


def _looked_up(name: str, port: int, local_address: Optional[str]) -> Place:
    family = 0
    if local_address:
        family = socket.AF_INET6 if ":" in local_address else socket.AF_INET
    found = socket.getaddrinfo(name, port, family=family, type=socket.SOCK_DGRAM)[0]
    return found[0], found[4]
