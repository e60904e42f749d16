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
import re
import socket
import time
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import StoreError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.records import appended, same_owner
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import replace_file, sync_directory
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import JournalError, newest_token
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for

KEY = re.compile(r"\A[a-z][a-z0-9_]{0,62}\Z")
OWN_FILES = frozenset({"lock", "token"})
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
            if path.stem not in OWN_FILES:
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
        with self._alone(dry):
            before = self._load(self._checked(key))
            after = {"version": version, "value": value}
            if before is not None and before["version"] >= version:
                return {"changed": False, "stored": before == after, "before": before, "after": before}
            self._save(key, after, dry)
            return {"changed": True, "stored": True, "before": before, "after": after}

    def append(self, key: str, items: List[Any], dry: bool) -> Dict[str, Any]:
        """Append what is not there yet; each change counts the version up by one."""
        with self._alone(dry):
            before = self._load(self._checked(key)) or {"version": 0, "value": []}
            value = appended(before["value"], items)
            if value == before["value"]:
                return {"changed": False, "stored": True, "before": before, "after": before}
            after = {"version": before["version"] + 1, "value": value}
            self._save(key, after, dry)
            return {"changed": True, "stored": True, "before": before, "after": after}

    def acquire(self, owner: Mapping[str, Any], token: int, over: Optional[int], dry: bool) -> Dict[str, Any]:
        """Take the lock with a token newer than every one seen here; the same owner and token again change nothing."""
        with self._alone(dry):
            lock = self._load("lock")
            if lock is not None and lock["token"] == token and same_owner(lock["owner"], owner):
                return {"changed": False, "before": lock, "after": lock}
            # A lock that is older than the one judged dead was left by a run before that one.
            if lock is not None and (over is None or lock["token"] > over):
                raise RefusedError(
                    "run lock: one run at a time",
                    f"held on {socket.gethostname()} {describe(lock)}",
                    "wait until it ends, or let the controller judge its owner dead and take over from its token",
                )
            self._refuse_old(token)
            now = time.time()
            taken = {
                "owner": dict(owner),
                "token": token,
                "acquired_at": now,
                "renewed_at": now,
                "run": owner.get("run"),
            }
            # The token first: a crash between the two must never let an equal token in.
            self._save("token", {"token": token}, dry)
            self._save("lock", taken, dry)
            return {"changed": True, "before": lock, "after": taken}

    def renew(self, token: int, dry: bool) -> Dict[str, Any]:
        """Move the lock's time of renewal to now."""
        with self._alone(dry):
            lock = self._mine(token)
            after = dict(lock, renewed_at=time.time())
            self._save("lock", after, dry)
            return {"changed": True, "before": lock, "after": after}

    def release(self, token: int, dry: bool) -> Dict[str, Any]:
        """Give the lock back. Without a lock there is nothing to do; another token's lock is refused."""
        with self._alone(dry):
            if self._load("lock") is None:
                return {"changed": False, "before": None, "after": None}
            lock = self._mine(token)
            if not dry:
                self._path("lock").unlink()
                sync_directory(self._directory)
            return {"changed": True, "before": lock, "after": None}

    def _mine(self, token: int) -> Dict[str, Any]:
        lock = self._load("lock")
        if lock is not None and lock["token"] == token:
            return lock
        raise RefusedError(
            "run lock: only its own token may renew or release it",
            f"token {token} came to {socket.gethostname()}, where the lock is {describe(lock)}",
            "this run was overtaken: let the newer one go on",
        )

    def _refuse_old(self, token: int) -> None:
        newest = self._newest_token()
        if token <= newest:
            raise RefusedError(
                "fencing token: it must be newer than every token seen here",
                f"token {token} came to {socket.gethostname()}, which has seen {newest}",
                "read the store again and take the newest token of all hosts plus one",
            )

    def _newest_token(self) -> int:
        mine = self._load("token") or {"token": 0}
        try:
            acted = newest_token(self._state_dir) or {"token": 0}
        except JournalError as error:
            raise StoreError(str(error)) from error
        return max(int(mine["token"]), int(acted["token"]))

    def _checked(self, key: str) -> str:
        if not KEY.match(key) or key in OWN_FILES:
            raise StoreError(f"{key!r} is no record name: lower-case letters, digits and _, and not lock or token")
        return key

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


def describe(lock: Optional[Mapping[str, Any]]) -> str:
    """Say who holds a lock and since when, in words."""
    if lock is None:
        return "held by nobody"
    owner = lock["owner"]
    since = datetime.fromtimestamp(lock["acquired_at"], timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f"by run {lock.get('run') or 'unknown'} (token {lock['token']}, process {owner.get('pid')} on"
        f" {owner.get('hostname')}) since {since}, renewed {max(0.0, time.time() - lock['renewed_at']):.0f} s ago"
    )
