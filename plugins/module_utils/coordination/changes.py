# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be changed in a coordination store, and into what: the rules that all its drivers share.

Pure: each function takes what lies there and returns `{changed, before, after}`, with `stored` for a record, or raises
RefusedError or StoreError. `where` names the store in words, for a refusal. Times are epoch seconds.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import StoreError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.records import (
    appended,
    held_by,
    same_owner,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import JournalError, newest_token

KEY = re.compile(r"\A[a-z][a-z0-9_]{0,62}\Z")
OWN_KEYS = frozenset({"lock", "token"})

Record = Dict[str, Any]
Lock = Dict[str, Any]


def checked_key(key: str) -> str:
    """Return a record's name. Raises StoreError for what is none."""
    if not KEY.match(key) or key in OWN_KEYS:
        raise StoreError(f"{key!r} is no record name: lower-case letters, digits and _, and not lock or token")
    return key


def kept(before: Optional[Record], value: object, version: int) -> Dict[str, Any]:
    """Keep a value when its version is newer. The same version with the same value is `stored`, not changed."""
    after = {"version": version, "value": value}
    if before is not None and before["version"] >= version:
        return {"changed": False, "stored": before == after, "before": before, "after": before}
    return {"changed": True, "stored": True, "before": before, "after": after}


def grown(found: Optional[Record], items: List[Any]) -> Dict[str, Any]:
    """Append what is not there yet; each change counts the version up by one."""
    before = found or {"version": 0, "value": []}
    value = appended(before["value"], items)
    if value == before["value"]:
        return {"changed": False, "stored": True, "before": before, "after": before}
    after = {"version": before["version"] + 1, "value": value}
    return {"changed": True, "stored": True, "before": before, "after": after}


def taken(
    lock: Optional[Lock], newest: int, owner: Mapping[str, Any], token: int, over: Optional[int], now: float, where: str
) -> Dict[str, Any]:
    """Take the lock with a token newer than `newest`; the same owner and token again change nothing."""
    if lock is not None and lock["token"] == token and same_owner(lock["owner"], owner):
        return {"changed": False, "before": lock, "after": lock}
    # A lock that is older than the one judged dead was left by a run before that one.
    if lock is not None and (over is None or lock["token"] > over):
        raise RefusedError(
            "run lock: one run at a time",
            f"held {where} {describe(lock, now)}",
            "wait until it ends, or let the controller judge its owner dead and take over from its token",
        )
    if token <= newest:
        raise RefusedError(
            "fencing token: it must be newer than every token seen here",
            f"token {token} came {_to(where)}, which has seen {newest}",
            "read the store again and take the newest token of all hosts plus one",
        )
    after = {"owner": dict(owner), "token": token, "acquired_at": now, "renewed_at": now, "run": owner.get("run")}
    return {"changed": True, "before": lock, "after": after}


def renewed(lock: Optional[Lock], token: int, now: float, where: str) -> Dict[str, Any]:
    """Move the lock's time of renewal to now."""
    mine = _mine(lock, token, now, where)
    return {"changed": True, "before": mine, "after": dict(mine, renewed_at=now)}


def given_back(lock: Optional[Lock], token: int, now: float, where: str) -> Dict[str, Any]:
    """Give the lock back. Without a lock there is nothing to do; another token's lock is refused."""
    if lock is None:
        return {"changed": False, "before": None, "after": None}
    return {"changed": True, "before": _mine(lock, token, now, where), "after": None}


def newest(lying: Optional[Mapping[str, Any]], state_dir: str) -> int:
    """Return the newest token of the store's own and of those that acted on this host; 0 for none."""
    try:
        acted = newest_token(state_dir) or {"token": 0}
    except JournalError as error:
        raise StoreError(str(error)) from error
    return max(int((lying or {"token": 0})["token"]), int(acted["token"]))


def describe(lock: Optional[Mapping[str, Any]], now: float) -> str:
    """Say who holds a lock and since when, in words."""
    if lock is None:
        return "held by nobody"
    return f"by {held_by(lock)}, renewed {max(0.0, now - lock['renewed_at']):.0f} s ago"


def _mine(lock: Optional[Lock], token: int, now: float, where: str) -> Lock:
    if lock is not None and lock["token"] == token:
        return lock
    raise RefusedError(
        "run lock: only its own token may renew or release it",
        f"token {token} came {_to(where)}, where the lock is {describe(lock, now)}",
        "this run was overtaken: let the newer one go on",
    )


def _to(where: str) -> str:
    """`on s1-cfg` is where a lock lies; a token comes `to s1-cfg`."""
    return "to " + where.partition(" ")[2]
