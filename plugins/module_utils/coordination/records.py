# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pure part of the coordination store: which record wins, which event is new, whose lock it is."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence

LISTS = frozenset({"events", "attestations", "downtime", "overrides"})
"""Keys whose value is a list that only grows: hosts are merged by union, not by version."""

IDENTITY = ("hostname", "boot_id", "pid_namespace", "pid", "started")
"""What makes an owner one process: a pid comes back, its start time within one boot does not."""


def identity(item: object) -> str:
    """Return what makes an item of a list itself: its `id`, or all of its content."""
    if isinstance(item, Mapping) and item.get("id"):
        return "id:" + str(item["id"])
    return json.dumps(item, sort_keys=True, default=str)


def appended(lying: Sequence[Any], new: Sequence[Any]) -> List[Any]:
    """Return `lying` with the items of `new` that it does not hold yet, ordered by their `at`, then as they came."""
    seen = {identity(item) for item in lying}
    result = list(lying)
    for item in new:
        if identity(item) not in seen:
            seen.add(identity(item))
            result.append(item)
    return sorted(result, key=_when)


def _when(item: object) -> str:
    return str(item.get("at", "")) if isinstance(item, Mapping) else ""


def merge(results: Iterable[Any]) -> Dict[str, Any]:
    """Make one truth of the hosts' answers.

    `results` are the registered results of `continuity_store` with `operation: read`, one for each coordination host;
    one without `store` (unreachable, failed, skipped) counts as silent. Returns `records` (`{key: value}`), `versions`,
    `lock` (the one with the newest token, with `hosts` where it lies and `now` of that host's clock; or None), `token`
    (the newest seen anywhere, 0 for none), `answered`, `silent` (how many), `unreadable` (`{host: {key: why}}`), and,
    where the driver has tickets and any host answered, `ticket` (the newest that was read; None before it is seeded).
    """
    everyone = list(results)
    stores = [item["store"] for item in everyone if isinstance(item, Mapping) and item.get("store")]
    kept = _newest(stores)
    return {
        "records": {key: record["value"] for key, record in kept.items()},
        "versions": {key: record["version"] for key, record in kept.items()},
        "lock": _merged_lock(stores),
        "token": max([int(store["token"]) for store in stores] or [0]),
        "answered": [store["host"] for store in stores],
        "silent": len(everyone) - len(stores),
        "unreadable": {store["host"]: store["unreadable"] for store in stores if store.get("unreadable")},
        **_newest_ticket(stores),
    }


def _newest_ticket(stores: Sequence[Mapping[str, Any]]) -> Dict[str, Any]:
    """Each host asked a majority: what was read before another read is older, never wrong."""
    read = [store for store in stores if "ticket" in store]
    return {"ticket": max(read, key=lambda store: int(store["revision"]))["ticket"]} if read else {}


def _newest(stores: Sequence[Mapping[str, Any]]) -> Dict[str, Dict[str, Any]]:
    kept: Dict[str, Dict[str, Any]] = {}
    for store in stores:
        for key, record in store["records"].items():
            before = kept.get(key)
            if before is None:
                kept[key] = dict(record)
            elif key in LISTS:
                before["value"] = appended(before["value"], record["value"])
                before["version"] = max(before["version"], record["version"])
            elif record["version"] > before["version"]:
                kept[key] = dict(record)
    return kept


def _merged_lock(stores: Sequence[Mapping[str, Any]]) -> Optional[Dict[str, Any]]:
    held = [store for store in stores if store.get("lock")]
    if not held:
        return None
    token = max(int(store["lock"]["token"]) for store in held)
    theirs = [store for store in held if int(store["lock"]["token"]) == token]
    # Each host's own clock measures the age: the youngest renewal counts, whichever host it reached.
    youngest = min(theirs, key=lambda store: float(store["now"]) - float(store["lock"]["renewed_at"]))
    return dict(youngest["lock"], now=youngest["now"], hosts=[store["host"] for store in theirs])


def same_owner(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two owners are one process; an owner that lacks a part is nobody."""
    return all(one.get(part) is not None and str(one.get(part)) == str(other.get(part)) for part in IDENTITY)


def held_by(lock: Mapping[str, Any]) -> str:
    """Say which run holds a lock, where, and since when."""
    owner = lock["owner"]
    since = datetime.fromtimestamp(float(lock["acquired_at"]), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    process = f"process {owner.get('pid')} on {owner.get('hostname')}"
    return f"run {lock.get('run') or 'unknown'} (token {lock['token']}, {process}) since {since}"


def judge_lock(
    lock: Optional[Mapping[str, Any]], me: Mapping[str, Any], now: float, stale_after: float
) -> Dict[str, Any]:
    """Return `{state: free|mine|dead|live, words, take_over_from}` for a merged lock.

    `me` is the result of `continuity_owner` (`me`, and `holder`: its judgement of the lock's owner), `now` the clock of
    the host that the lock was read from (`lock.now`), `stale_after` in seconds. Dead is an owner that is provably gone,
    or one of whom nothing can be known and whose last renewal is older than `stale_after`. A process that is seen alive
    is never dead, however long it was silent: its refusal names it, and a person ends it.
    """
    if not lock:
        return _judged("free", "nobody holds the lock", None)
    owner = lock["owner"]
    age = max(0.0, float(now) - float(lock["renewed_at"]))
    who = held_by(lock)
    if same_owner(owner, me.get("me", {})):
        return _judged("mine", f"this run holds the lock ({who})", None)
    holder = me.get("holder") or {}
    known = holder.get("state") if same_owner(owner, holder.get("owner", {})) else "unknown"
    if known == "dead":
        return _judged("dead", f"{who}: {holder.get('words')}", int(lock["token"]))
    if known == "alive":
        return _judged("live", f"{who} is running, last renewed {age:.0f} s ago", None)
    if age > stale_after:
        return _judged("dead", f"{who}: not renewed for {age:.0f} s, limit {stale_after:.0f} s", int(lock["token"]))
    return _judged("live", f"{who} renewed {age:.0f} s ago; stale after {stale_after:.0f} s", None)


def _judged(state: str, words: str, token: Optional[int]) -> Dict[str, Any]:
    return {"state": state, "words": words, "take_over_from": token}
