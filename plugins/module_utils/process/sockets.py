# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who listens and who is connected on this host, as the kernel tells it in /proc/net/tcp and tcp6 (proc(5))."""

from __future__ import annotations

import ipaddress
import os
import sys
from pathlib import Path
from typing import Iterable, Iterator, List, NamedTuple, Set, Tuple

ESTABLISHED = "01"
LISTEN = "0A"


class Socket(NamedTuple):
    """One TCP socket: addresses in the usual notation, `state` in the kernel's hexadecimal."""

    local: str
    local_port: int
    remote: str
    remote_port: int
    state: str
    inode: int


def tcp_sockets(proc: Path = Path("/proc")) -> List[Socket]:
    """Return every TCP socket of this network namespace."""
    return [socket for name in ("tcp", "tcp6") for socket in _table(proc / "self" / "net" / name)]


def parse_table(text: str) -> Iterator[Socket]:
    """Yield the sockets of one table; its first line is a heading."""
    for line in text.splitlines()[1:]:
        fields = line.split()
        local, remote = (_endpoint(field) for field in fields[1:3])
        yield Socket(local[0], local[1], remote[0], remote[1], fields[3], int(fields[9]))


def socket_inodes(pids: Iterable[int], proc: Path = Path("/proc")) -> Set[int]:
    """Return the inodes of the sockets that these processes hold (`/proc/PID/fd` links to `socket:[inode]`)."""
    found: Set[int] = set()
    for pid in pids:
        found.update(_inodes(proc / str(pid) / "fd"))
    return found


def _table(path: Path) -> Iterator[Socket]:
    if path.exists():
        yield from parse_table(path.read_text(encoding="ascii"))


def _endpoint(field: str) -> Tuple[str, int]:
    address, port = field.split(":")
    return _address(address), int(port, 16)


def _address(digits: str) -> str:
    # Words of 32 bits in the machine's own byte order, each printed as one number.
    words = [int(digits[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(digits), 8)]
    found = ipaddress.ip_address(b"".join(words))
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)


def _inodes(directory: Path) -> Iterator[int]:
    try:
        entries = list(directory.iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return
    for entry in entries:
        try:
            target = os.readlink(str(entry))
        except (FileNotFoundError, ProcessLookupError):
            continue
        if target.startswith("socket:["):
            yield int(target[8:-1])
