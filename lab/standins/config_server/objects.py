# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Configuration Server knows: its objects, in memory, the way clients ask for them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from standins.config_server.wire import Message

HASH_ROUNDS = 20_000


def name_of(obj: Message) -> str:
    """The name clients look an object up by: a DN's is its number, a person's the user name."""
    key = {"CfgDN": "number", "CfgPerson": "username"}.get(obj.get("type", ""), "name")
    return str(obj.get(key, ""))


def hashed(password: str, salt: str) -> str:
    """A password as it is stored: PBKDF2-HMAC-SHA256 in hexadecimal, with the person's ``salted_string`` as salt."""
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), HASH_ROUNDS).hex()


class ObjectCache:
    """All objects by (type, dbid). Not thread-safe: owned by one event loop."""

    def __init__(self) -> None:
        """Start empty."""
        self._objects: dict[tuple[str, str], Message] = {}

    def __len__(self) -> int:
        """How many objects are known."""
        return len(self._objects)

    def put(self, obj: Message) -> bool:
        """Keep an object; True if it is new or differs from what was known."""
        key = (obj["type"], obj["dbid"])
        differs = self._objects.get(key) != obj
        self._objects[key] = obj
        return differs

    def replace(self, objects: Iterable[Message]) -> list[Message]:
        """Keep exactly these objects; those that are new or differ are returned."""
        known, self._objects = self._objects, {}
        fresh = [obj for obj in objects if self.put(obj)]
        return [obj for obj in fresh if known.get((obj["type"], obj["dbid"])) != obj]

    def find(self, kind: str | None = None, name: str | None = None, dbid: str | None = None) -> list[Message]:
        """The objects that fit every criterion given, in the order of their type and dbid."""
        found = [
            obj
            for (its_type, its_dbid), obj in self._objects.items()
            if kind in (None, its_type) and dbid in (None, its_dbid) and name in (None, name_of(obj))
        ]
        return sorted(found, key=lambda obj: (obj["type"], int(obj["dbid"])))

    def next_dbid(self, kind: str) -> str:
        """The dbid for a new object of a type; dbids begin at 101 as in a fresh installation."""
        taken = [int(dbid) for its_type, dbid in self._objects if its_type == kind]
        return str(max(taken, default=100) + 1)

    def is_password(self, username: str, password: str) -> bool:
        """Does a person of that user name exist, with that password?"""
        persons = self.find("CfgPerson", username)
        if not persons:
            return False
        person = persons[0]
        return hmac.compare_digest(person["password"], hashed(password, person["salted_string"]))
