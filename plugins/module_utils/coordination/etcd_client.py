# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small client of etcd's JSON gateway (etcd 3.4 and newer), standard library only.

What it rests on (https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/): everything is POSTed; keys and values are
base64; 64-bit integers come back as texts, and a field that is zero, false or empty does not come back at all. The
log-in's token stands bare in `Authorization`. Every read is linearizable: a serializable one is answered, with stale
data, by a member that has no majority.
"""

from __future__ import annotations

import base64
import http.client
import json
import select
import ssl
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import StoreError

DEFAULT_SETTINGS = "/etc/sip-dr/etcd.json"
DEFAULT_PREFIX = "/sip-dr"
DEFAULT_TIMEOUT = 2.0
NO_MAJORITY = frozenset({4, 14})
"""gRPC's DEADLINE_EXCEEDED and UNAVAILABLE; etcd's own words for the same under UNKNOWN stand in `_WORDS`."""
_WORDS = ("context deadline exceeded", "request timed out", "no leader", "leader changed")
_LOG_IN_AGAIN = ("invalid auth token", "revision of auth store is old", "revision in header is old")


class EtcdError(StoreError):
    """etcd refused a request, or the settings cannot be used; the message says which member and why."""


class Unavailable(StoreError):
    """No majority, or nobody answers. Whether a write happened is unknown: only a later read tells."""


class EtcdSettings(NamedTuple):
    """How to reach the members: `host:port` each, a user of etcd's, and whom to believe.

    ca_file: PEM file of the authority; empty for the system's own. prefix: what all keys begin with. timeout: seconds
    that one member may take for one answer.
    """

    endpoints: Tuple[str, ...]
    user: str
    password: str
    ca_file: str = ""
    prefix: str = DEFAULT_PREFIX
    timeout: float = DEFAULT_TIMEOUT


class KeyValue(NamedTuple):
    """What lies under a key, and the revision of the store at which it was written."""

    value: Any
    revision: int


class Committed(NamedTuple):
    """The transaction was applied by a majority, at this revision of the store."""

    revision: int


class Conflict(NamedTuple):
    """The transaction was not applied: this is what lies under the compared keys, None where nothing does."""

    found: Dict[str, Optional[KeyValue]]


class _Lost(Exception):
    """A member did not do it; `sent` is false when it certainly never got the request."""

    def __init__(self, words: str, sent: bool) -> None:
        super().__init__(words)
        self.sent = sent


def read_settings(path: str) -> EtcdSettings:
    """Read the settings' file, JSON with the fields of `EtcdSettings`. Raises EtcdError; it never quotes the file."""
    try:
        given = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        # A JSON error's own text is free of the content; nothing else may be shown of a file with a password.
        raise EtcdError(f"{path}: {error}") from None
    known = EtcdSettings._fields
    if not isinstance(given, dict) or set(given) - set(known):
        raise EtcdError(f"{path}: expected a mapping with the keys {', '.join(known)}")
    missing = [key for key in ("endpoints", "user", "password") if not given.get(key)]
    if missing:
        raise EtcdError(f"{path}: without {', '.join(missing)}")
    if not isinstance(given["endpoints"], list) or not all(_is_endpoint(one) for one in given["endpoints"]):
        raise EtcdError(f"{path}: endpoints is a list of texts host:port")
    return EtcdSettings(**dict(given, endpoints=tuple(given["endpoints"]), ca_file=given.get("ca_file") or ""))


def _is_endpoint(one: object) -> bool:
    host, colon, port = str(one).rpartition(":")
    return isinstance(one, str) and bool(host and colon) and port.isdigit()


class EtcdClient:
    """One connection to the members, kept alive; one client for each thread."""

    def __init__(self, settings: EtcdSettings) -> None:
        """Nothing is connected to yet. Raises EtcdError when the authority's file cannot be read."""
        self._settings = settings
        try:
            self._tls = ssl.create_default_context(cafile=settings.ca_file or None)
        except OSError as error:
            raise EtcdError(f"{settings.ca_file}: {error.strerror or error}") from error
        self._connection: Optional[http.client.HTTPSConnection] = None
        self._member = 0
        self._token = ""

    @property
    def patience(self) -> float:
        """Seconds that go by until every member was asked once and none has answered."""
        return self._settings.timeout * len(self._settings.endpoints)

    def get(self, key: str) -> Optional[KeyValue]:
        """Return what lies under a key now, as a majority knows it. Raises Unavailable, EtcdError."""
        return self._found(self._ask("/v3/kv/range", {"key": self._key(key)})).get(key)

    def get_all(self, keys: Sequence[str]) -> Dict[str, Optional[KeyValue]]:
        """Return what lies under several keys, as it was at one moment; None where nothing does. Raises as `get`."""
        reply = self._ask("/v3/kv/txn", {"success": self._ranges(keys)})
        return self._under(keys, reply)

    def range(self, prefix: str) -> Dict[str, KeyValue]:
        """Return everything whose key begins with `prefix`, as it was at one moment. Raises as `get`."""
        begin = self._full(prefix)
        body = {"key": _encode(begin), "range_end": _encode(begin[:-1] + chr(ord(begin[-1]) + 1))}
        return self._found(self._ask("/v3/kv/range", body))

    def transact(
        self, compare: Mapping[str, int], put: Mapping[str, Any], delete: Sequence[str] = ()
    ) -> Union[Committed, Conflict]:
        """Write all of it, if every key of `compare` still has that revision (0: there is none), or nothing.

        Raises EtcdError, and Unavailable when it is unknown whether it was applied. What may have been applied is never
        sent again: a member is passed over only when it certainly did not get the request.
        """
        writes = [{"request_put": {"key": self._key(key), "value": _encode(json.dumps(put[key]))}} for key in put]
        deletes = [{"request_delete_range": {"key": self._key(key)}} for key in delete]
        body = {
            "compare": [self._unchanged(key, revision) for key, revision in compare.items()],
            "success": [*writes, *deletes],
            "failure": self._ranges(list(compare)),
        }
        reply = self._ask("/v3/kv/txn", body, writes=True)
        if reply.get("succeeded"):
            return Committed(int(reply["header"]["revision"]))
        return Conflict(self._under(list(compare), reply))

    def close(self) -> None:
        """Close the connection; the next request opens one again."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _ask(self, path: str, body: Mapping[str, Any], writes: bool = False) -> Dict[str, Any]:
        """Ask one member after the other until one answers with a majority behind it."""
        reasons: List[str] = []
        for _round in self._settings.endpoints:
            member = self._settings.endpoints[self._member]
            try:
                return self._logged_in(path, body)
            except _Lost as lost:
                reasons.append(f"{member}: {lost}")
                self.close()
                self._member = (self._member + 1) % len(self._settings.endpoints)
                if writes and lost.sent:
                    break
        raise Unavailable("no majority of the coordination store answers: " + "; ".join(reasons))

    def _logged_in(self, path: str, body: Mapping[str, Any]) -> Dict[str, Any]:
        """Ask the present member, logging in where its token is missing, unknown there or run out."""
        if not self._token:
            self._log_in()
        try:
            return self._post(path, body)
        except EtcdError as error:
            # Refused before anything was applied, so even a write may be sent again.
            if not any(words in str(error) for words in _LOG_IN_AGAIN):
                raise
        self._log_in()
        return self._post(path, body)

    def _log_in(self) -> None:
        self._token = ""
        credentials = {"name": self._settings.user, "password": self._settings.password}
        try:
            self._token = self._post("/v3/auth/authenticate", credentials)["token"]
        except _Lost as lost:
            raise _Lost(f"log-in: {lost}", sent=False) from lost

    def _post(self, path: str, body: Mapping[str, Any]) -> Dict[str, Any]:
        connection = self._connected()
        try:
            headers = {"Content-Type": "application/json", **({"Authorization": self._token} if self._token else {})}
            connection.request("POST", path, json.dumps(body), headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise _Lost(_words(error), sent=True) from error
        return self._reply(response.status, content)

    def _reply(self, status: int, content: bytes) -> Dict[str, Any]:
        try:
            reply = json.loads(content)
        except ValueError:
            reply = None
        if not isinstance(reply, dict):
            raise _Lost(f"HTTP {status} without JSON", sent=True)
        if status == 200:
            return reply
        code, message = reply.get("code"), str(reply.get("message") or reply.get("error"))
        if code in NO_MAJORITY or status == 503 or any(words in message for words in _WORDS):
            raise _Lost(message, sent=True)
        raise EtcdError(f"{self._settings.endpoints[self._member]}: {message} (HTTP {status}, code {code})")

    def _connected(self) -> http.client.HTTPSConnection:
        """Return the connection; one that the member has closed meanwhile is not written to but replaced."""
        if self._connection is not None and _is_closed(self._connection):
            self.close()
        if self._connection is None:
            host, _colon, port = self._settings.endpoints[self._member].rpartition(":")
            connection = http.client.HTTPSConnection(
                host.strip("[]"), int(port), timeout=self._settings.timeout, context=self._tls
            )
            try:
                connection.connect()
            except OSError as error:
                connection.close()
                raise _Lost(_words(error), sent=False) from error
            self._connection = connection
        return self._connection

    def _full(self, key: str) -> str:
        return self._settings.prefix.rstrip("/") + "/" + key

    def _key(self, key: str) -> str:
        return _encode(self._full(key))

    def _ranges(self, keys: Sequence[str]) -> List[Dict[str, Any]]:
        return [{"request_range": {"key": self._key(key)}} for key in keys]

    def _under(self, keys: Sequence[str], reply: Mapping[str, Any]) -> Dict[str, Optional[KeyValue]]:
        """What the ranges of a transaction found."""
        found: Dict[str, Optional[KeyValue]] = dict.fromkeys(keys)
        for one in reply.get("responses", []):
            found.update(self._found(one.get("response_range", {})))
        return found

    def _unchanged(self, key: str, revision: int) -> Dict[str, str]:
        return {"key": self._key(key), "target": "MOD", "result": "EQUAL", "mod_revision": str(revision)}

    def _found(self, reply: Mapping[str, Any]) -> Dict[str, KeyValue]:
        found = {}
        for one in reply.get("kvs", []):
            key = _decode(one["key"])[len(self._full("")) :]
            try:
                value = json.loads(_decode(one.get("value", "")))
            except ValueError as error:
                raise EtcdError(f"key {self._full(key)} does not hold JSON: {error}") from error
            found[key] = KeyValue(value, int(one["mod_revision"]))
        return found


def _encode(text: str) -> str:
    return base64.b64encode(text.encode("utf-8")).decode("ascii")


def _decode(text: str) -> str:
    return base64.b64decode(text).decode("utf-8")


def _is_closed(connection: http.client.HTTPSConnection) -> bool:
    """Between two requests a member has nothing to say but that it hangs up."""
    return connection.sock is None or bool(select.select([connection.sock], [], [], 0)[0])


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
