# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coordination driver `etcd`: one truth of three members, whichever host asks.

Below the settings' prefix: `records/<key>` (`{version, value}`), `lock`, `token` (`{token}`, the newest that ever took
the lock) and `ticket`. Every change is one transaction over what it was decided on; of two at once exactly one is
applied, and the other is decided again on what lies there then. So it may also be decided again when its fate is
unknown: what was applied is found.
"""

from __future__ import annotations

import socket
import time
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple, Union

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import StoreError, changes
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.etcd_client import (
    Committed,
    Conflict,
    EtcdClient,
    EtcdError,
    KeyValue,
    Unavailable,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.ticket import Ticket, read_ticket
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for

RECORDS = "records/"
LOCK, TOKEN, TICKET = "lock", "token", "ticket"
WHERE = "in etcd"
UNSETTLED_LIMIT = 5.0
"""Seconds in which a change must be decided: a new leader takes about 1.5 s, others' changes a few milliseconds."""
UNSETTLED_INTERVAL = 0.1

Lying = Dict[str, Optional[KeyValue]]
Rule = Callable[[Optional[Dict[str, Any]]], Dict[str, Any]]
Decide = Callable[[Lying], Tuple[Dict[str, Any], Dict[str, Any]]]
"""Of what lies under the keys: the outcome, and what to write for it, None for a key to be deleted."""


class EtcdStore:
    """The records and the lock that all coordination hosts share."""

    def __init__(self, client: EtcdClient, state_dir: str) -> None:
        """`state_dir` is where the run journal of this host keeps the newest token that acted here."""
        self._client = client
        self._state_dir = state_dir

    def read(self) -> Dict[str, Any]:
        """Return everything as it was at one moment, with `ticket` (None before it is seeded) and its `revision`."""
        lying: Lying = dict(self._client.range(""))
        records = {key[len(RECORDS) :]: one.value for key, one in lying.items() if one and key.startswith(RECORDS)}
        lies = lying.get(TICKET)
        ticket = read_ticket(lies.value) if lies else None
        unreadable = {key: "is no record" for key, record in records.items() if not _is_record(record)}
        if lies and ticket is None:
            unreadable[TICKET] = "is no ticket"
        return {
            "host": socket.gethostname(),
            "now": time.time(),
            "records": {key: record for key, record in records.items() if _is_record(record)},
            "lock": _value(lying, LOCK),
            "token": changes.newest(_value(lying, TOKEN), self._state_dir),
            "unreadable": unreadable,
            "ticket": ticket,
            "revision": lies.revision if lies and ticket else 0,
        }

    def put(self, key: str, value: object, version: int, dry: bool) -> Dict[str, Any]:
        """Keep a value when its version is newer. The same version with the same value is `stored`, not changed."""
        return self._record(key, lambda before: changes.kept(before, value, version), dry)

    def append(self, key: str, items: List[Any], dry: bool) -> Dict[str, Any]:
        """Append what is not there yet; each change counts the version up by one."""
        return self._record(key, lambda before: changes.grown(before, items), dry)

    def acquire(self, owner: Mapping[str, Any], token: int, over: Optional[int], dry: bool) -> Dict[str, Any]:
        """Take the lock with a token newer than every one seen; the same owner and token again change nothing."""

        def decide(lying: Lying) -> Tuple[Dict[str, Any], Dict[str, Any]]:
            seen = changes.newest(_value(lying, TOKEN), self._state_dir)
            outcome = changes.taken(_value(lying, LOCK), seen, owner, token, over, time.time(), WHERE)
            return outcome, {LOCK: outcome["after"], TOKEN: {"token": token}}

        return self._change((LOCK, TOKEN), decide, dry)

    def renew(self, token: int, dry: bool) -> Dict[str, Any]:
        """Move the lock's time of renewal to now."""
        return self._lock(lambda lock: changes.renewed(lock, token, time.time(), WHERE), dry)

    def release(self, token: int, dry: bool) -> Dict[str, Any]:
        """Give the lock back. Without a lock there is nothing to do; another token's lock is refused."""
        return self._lock(lambda lock: changes.given_back(lock, token, time.time(), WHERE), dry)

    def _record(self, key: str, change: Rule, dry: bool) -> Dict[str, Any]:
        path = RECORDS + changes.checked_key(key)

        def decide(lying: Lying) -> Tuple[Dict[str, Any], Dict[str, Any]]:
            before = _value(lying, path)
            if before is not None and not _is_record(before):
                raise StoreError(f"key {path} of etcd does not hold a record")
            outcome = change(before)
            return outcome, {path: outcome["after"]}

        return self._change((path,), decide, dry)

    def _lock(self, change: Rule, dry: bool) -> Dict[str, Any]:
        def decide(lying: Lying) -> Tuple[Dict[str, Any], Dict[str, Any]]:
            outcome = change(_value(lying, LOCK))
            return outcome, {LOCK: outcome["after"]}

        return self._change((LOCK,), decide, dry)

    def _change(self, keys: Tuple[str, ...], decide: Decide, dry: bool) -> Dict[str, Any]:
        change = _Change(self._client, keys, decide, dry)
        outcome = wait_for(change.settled, UNSETTLED_LIMIT, UNSETTLED_INTERVAL)
        if outcome is None:
            raise change.trouble
        return outcome


class _Change:
    """One change, decided until it is settled."""

    def __init__(self, client: EtcdClient, keys: Tuple[str, ...], decide: Decide, dry: bool) -> None:
        self.trouble: StoreError = StoreError(f"{', '.join(keys)} of etcd changed all the time")
        self._client, self._keys, self._decide, self._dry = client, keys, decide, dry
        self._unknown: Optional[Dict[str, Any]] = None

    def settled(self) -> Optional[Dict[str, Any]]:
        """Return the outcome; None when it has to be decided again."""
        try:
            lying = self._client.get_all(self._keys)
            outcome, writes = self._decide(lying)
            if self._dry or not outcome["changed"]:
                return self._applied_before(outcome)
            self._unknown = outcome
            answer = _transact(self._client, lying, writes)
        except Unavailable as error:
            self.trouble = error
            return None
        self._unknown = None
        return outcome if isinstance(answer, Committed) else None

    def _applied_before(self, outcome: Dict[str, Any]) -> Dict[str, Any]:
        """What lies there was written by us, if it is what we wrote when the answer was lost."""
        before = self._unknown
        return before if before is not None and before["after"] == outcome["after"] else outcome


class TicketState(NamedTuple):
    """The ticket that lies in the store and its revision; None and 0 before it is seeded."""

    ticket: Optional[Ticket]
    revision: int


class TicketStore:
    """Reads and writes the ticket: what guards and the steps of a run do with it."""

    def __init__(self, client: EtcdClient) -> None:
        """Use a client of the calling thread."""
        self._client = client

    @property
    def patience(self) -> float:
        """Seconds that go by until every member was asked once and none has answered."""
        return self._client.patience

    def read(self) -> TicketState:
        """Return the ticket as a majority knows it. Raises Unavailable, and EtcdError for what is no ticket."""
        return _ticket(self._client.get(TICKET))

    def write(
        self, ticket: Mapping[str, Any], revision: int, run: Optional[Mapping[str, Any]] = None
    ) -> Union[Committed, Conflict]:
        """Write a ticket over the one of that revision (0: over none).

        With a run, only while its token is the newest that took the lock: RefusedError for a run that was overtaken. A
        Conflict has the ticket that lies there under `ticket`. Raises Unavailable when its fate is unknown: read then.
        """
        compare = {TICKET: revision}
        if run is not None:
            compare[TOKEN] = self._still_newest(run)
        answer = self._client.transact(compare, {TICKET: dict(ticket)})
        if isinstance(answer, Conflict) and run is not None:
            _refuse_stale(answer.found[TOKEN], run)
        return answer

    def _still_newest(self, run: Mapping[str, Any]) -> int:
        found = self._client.get(TOKEN)
        _refuse_stale(found, run)
        return found.revision if found else 0


def ticket_of(conflict: Conflict) -> TicketState:
    """Return the ticket that stood in the way. Raises EtcdError for what is no ticket."""
    return _ticket(conflict.found[TICKET])


def _ticket(found: Optional[KeyValue]) -> TicketState:
    if found is None:
        return TicketState(None, 0)
    ticket = read_ticket(found.value)
    if ticket is None:
        raise EtcdError(f"key {TICKET} of etcd does not hold a ticket")
    return TicketState(ticket, found.revision)


def _refuse_stale(found: Optional[KeyValue], run: Mapping[str, Any]) -> None:
    newest = int(found.value["token"]) if found else 0
    if newest != int(run["token"]):
        raise RefusedError(
            "fencing token: only the run that took the lock last may move the ticket",
            f"run {run['id']} brings token {run['token']}, and the newest in etcd is {newest}",
            "let the newer run go on, or start a new run: it gets a newer token and resumes by state",
        )


def _transact(client: EtcdClient, lying: Lying, writes: Mapping[str, Any]) -> Union[Committed, Conflict]:
    compare = {key: one.revision if one else 0 for key, one in lying.items()}
    put = {key: value for key, value in writes.items() if value is not None}
    return client.transact(compare, put, [key for key in writes if key not in put])


def _value(lying: Mapping[str, Optional[KeyValue]], key: str) -> Any:  # noqa: ANN401  any JSON
    one = lying.get(key)
    return one.value if one else None


def _is_record(value: object) -> bool:
    return isinstance(value, dict) and set(value) == {"version", "value"} and isinstance(value["version"], int)
