# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coordination driver `files`: a directory on each coordination host, without a third place and without a service.

`<directory>/store` (mode 0700) holds one JSON file for each record, `lock.json`, and `token.json`: the newest token
that ever took the lock here. Each change happens under an flock of that directory and is on the disk before it is
reported.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import StoreError, changes
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import replace_file, sync_directory
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for

BUSY_LIMIT = 5.0
"""Seconds to wait for another writer on this host; each writes a few hundred bytes, so more means a hung disk."""
BUSY_INTERVAL = 0.05


class FilesStore:
    """The records and the lock of one coordination host."""

    def __init__(self, directory: Path, state_dir: str) -> None:
        """Use `<directory>/store`; nothing is created before the first write."""
        self._directory = directory / "store"
        self._state_dir = state_dir

    def read(self) -> Dict[str, Any]:
        """Return everything that lies here; a record that cannot be read is named in `unreadable`."""
        records: Dict[str, Any] = {}
        unreadable: Dict[str, str] = {}
        for path in sorted(self._directory.glob("*.json")):
            if path.stem not in changes.OWN_KEYS:
                try:
                    records[path.stem] = self._load(path.stem)
                except StoreError as error:
                    unreadable[path.stem] = str(error)
        return {
            "host": socket.gethostname(),
            "now": time.time(),
            "records": records,
            "lock": self._load("lock"),
            "token": self._newest_token(),
            "unreadable": unreadable,
        }

    def put(self, key: str, value: object, version: int, dry: bool) -> Dict[str, Any]:
        """Keep a value when its version is newer. The same version with the same value is `stored`, not changed."""
        return self._record(key, lambda before: changes.kept(before, value, version), dry)

    def append(self, key: str, items: List[Any], dry: bool) -> Dict[str, Any]:
        """Append what is not there yet; each change counts the version up by one."""
        return self._record(key, lambda before: changes.grown(before, items), dry)

    def acquire(self, owner: Mapping[str, Any], token: int, over: Optional[int], dry: bool) -> Dict[str, Any]:
        """Take the lock with a token newer than every one seen here; the same owner and token again change nothing."""
        with self._alone(dry):
            outcome = changes.taken(
                self._load("lock"), self._newest_token(), owner, token, over, time.time(), self._where
            )
            if outcome["changed"]:
                # The token first: a crash between the two must never let an equal token in.
                self._save("token", {"token": token}, dry)
                self._save("lock", outcome["after"], dry)
            return outcome

    def renew(self, token: int, dry: bool) -> Dict[str, Any]:
        """Move the lock's time of renewal to now."""
        with self._alone(dry):
            outcome = changes.renewed(self._load("lock"), token, time.time(), self._where)
            self._save("lock", outcome["after"], dry)
            return outcome

    def release(self, token: int, dry: bool) -> Dict[str, Any]:
        """Give the lock back. Without a lock there is nothing to do; another token's lock is refused."""
        with self._alone(dry):
            outcome = changes.given_back(self._load("lock"), token, time.time(), self._where)
            if outcome["changed"] and not dry:
                self._path("lock").unlink()
                sync_directory(self._directory)
            return outcome

    def _record(
        self, key: str, change: Callable[[Optional[Dict[str, Any]]], Dict[str, Any]], dry: bool
    ) -> Dict[str, Any]:
        with self._alone(dry):
            outcome = change(self._load(changes.checked_key(key)))
            if outcome["changed"]:
                self._save(key, outcome["after"], dry)
            return outcome

    @property
    def _where(self) -> str:
        return f"on {socket.gethostname()}"

    def _newest_token(self) -> int:
        return changes.newest(self._load("token"), self._state_dir)

    def _path(self, key: str) -> Path:
        return self._directory / (key + ".json")

    def _load(self, key: str) -> Optional[Dict[str, Any]]:
        try:
            return dict(json.loads(self._path(key).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise StoreError(f"{self._path(key)} does not hold a record: {error}") from error

    def _save(self, key: str, record: Mapping[str, Any], dry: bool) -> None:
        if not dry:
            replace_file(self._path(key), json.dumps(record, sort_keys=True) + "\n", mode=0o600)

    @contextmanager
    def _alone(self, dry: bool) -> Iterator[None]:
        if dry:
            yield
            return
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chmod(str(self._directory), 0o700)
        with open(str(self._directory / ".alone"), "w", encoding="ascii") as guard:
            if not wait_for(lambda: _try_lock(guard.fileno()), BUSY_LIMIT, BUSY_INTERVAL):
                raise StoreError(f"{self._directory} was in use for {BUSY_LIMIT:.0f} s")
            yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
