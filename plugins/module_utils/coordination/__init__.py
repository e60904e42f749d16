# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The coordination store: what must outlast a controller (architecture.md, *What lasts, and where*).

Each coordination host keeps the same records, `{version, value}`, and one lock with a fencing token. Hosts are written
one by one; `records.merge` makes one truth of their answers, the newest version winning. With driver `etcd` they all
ask the same store, and beside the records lies the ticket (ticket.py).
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Protocol


class StoreError(Exception):
    """The store cannot be read or written from this host; the message names the file, or the member that was asked."""


class Store(Protocol):
    """What a coordination driver can do on one host. With `dry`, it says what it would do and writes nothing."""

    def read(self) -> Dict[str, Any]:
        """Return `{host, now, records, lock, token, unreadable}`; `now` is this host's clock, in epoch seconds.

        A store with tickets adds `ticket` (None before it is seeded) and its `revision`.
        """

    def put(self, key: str, value: object, version: int, dry: bool) -> Dict[str, Any]:
        """Keep a value when its version is newer than what lies there. Return `{changed, stored, before, after}`."""

    def append(self, key: str, items: List[Any], dry: bool) -> Dict[str, Any]:
        """Append the items that are not there yet, by identity. Return as `put`."""

    def acquire(self, owner: Mapping[str, Any], token: int, over: Optional[int], dry: bool) -> Dict[str, Any]:
        """Take the lock; `over` is the token of a lock judged dead. Raises RefusedError."""

    def renew(self, token: int, dry: bool) -> Dict[str, Any]:
        """Say that the lock's owner still lives. Raises RefusedError when the lock is not this token's."""

    def release(self, token: int, dry: bool) -> Dict[str, Any]:
        """Give the lock back; another token's lock stays."""
