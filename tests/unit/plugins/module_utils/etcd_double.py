# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three members of an etcd in memory: its JSON gateway over TLS on localhost, with its faults.

    with Etcd(papers) as etcd:                       # `papers` is the fixture of conftest.py
        client = EtcdClient(etcd.settings("site1"))
        etcd.members[0].fault = "silent"

All members share one truth, as a majority does. What a member does wrong is its `fault`:

`None` · `silent` (takes the request, never answers) · `no_majority` (what a member says that has lost the others) ·
`lost_reply` (applies the request, then hangs up) · `hangs_up` (hangs up before it reads the request) ·
`refuses` (nobody listens).
"""

from __future__ import annotations

import base64
import json
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.etcd_client import EtcdSettings

PASSWORD = "a-secret-of-tests"
NO_MAJORITY = (500, {"error": "context deadline exceeded", "message": "context deadline exceeded", "code": 2})
NO_LEADER = (503, {"error": "etcdserver: no leader", "message": "etcdserver: no leader", "code": 14})
BAD_TOKEN = (401, {"error": "etcdserver: invalid auth token", "message": "etcdserver: invalid auth token", "code": 16})
BAD_LOG_IN = "etcdserver: authentication failed, invalid user ID or password"


class Truth:
    """What a majority knows: the keys with their revisions, and whose token is whose."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.revision = 1
        self.keys: dict[str, tuple[str, int, int]] = {}
        """key: (value, create_revision, mod_revision)"""
        self.tokens: set[str] = set()
        self.log_ins = 0

    def range(self, body: dict[str, Any]) -> dict[str, Any]:
        begin, end = _decode(body["key"]), _decode(body.get("range_end", ""))
        found = [key for key in sorted(self.keys) if key == begin or (end and begin <= key < end)]
        kvs = [self._shown(key) for key in found]
        return {"header": self._header(), **({"kvs": kvs, "count": str(len(kvs))} if kvs else {})}

    def transact(self, body: dict[str, Any]) -> dict[str, Any]:
        succeeded = all(self._holds(one) for one in body.get("compare", []))
        requests = body["success" if succeeded else "failure"]
        self.revision += any("request_range" not in one for one in requests)
        responses = [self._do(one) for one in requests]
        return {"header": self._header(), "responses": responses, **({"succeeded": True} if succeeded else {})}

    def _holds(self, compare: dict[str, Any]) -> bool:
        _value, _created, modified = self.keys.get(_decode(compare["key"]), ("", 0, 0))
        assert (compare["target"], compare["result"]) == ("MOD", "EQUAL")
        return modified == int(compare["mod_revision"])

    def _do(self, request: dict[str, Any]) -> dict[str, Any]:
        ((kind, body),) = request.items()
        key = _decode(body["key"])
        if kind == "request_range":
            return {"response_range": self.range(body)}
        if kind == "request_delete_range":
            self.keys.pop(key, None)
            return {"response_delete_range": {"header": self._header()}}
        created = self.keys.get(key, ("", self.revision, 0))[1]
        self.keys[key] = (_decode(body["value"]), created, self.revision)
        return {"response_put": {"header": self._header()}}

    def _shown(self, key: str) -> dict[str, str]:
        value, created, modified = self.keys[key]
        numbers = {"create_revision": str(created), "mod_revision": str(modified), "version": "1"}
        return {"key": _encode(key), **numbers, **({"value": _encode(value)} if value else {})}

    def _header(self) -> dict[str, str]:
        return {"cluster_id": "1", "member_id": "1", "revision": str(self.revision), "raft_term": "2"}


class Member:
    """One member; `requests` are the paths that it was asked for."""

    def __init__(self, truth: Truth, context: ssl.SSLContext) -> None:
        self.fault: str | None = None
        self.requests: list[str] = []
        self._quiet = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self, truth))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.endpoint = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Listen no more, and hang up on everybody."""
        self._quiet.set()
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()

    def keep_quiet(self) -> None:
        """Answer nothing until the member is stopped."""
        self._quiet.wait()


class Etcd:
    """Three members with one truth, for the length of a block."""

    def __init__(self, papers: Path, size: int = 3) -> None:
        self._papers = papers
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(papers / "server.pem", papers / "server.key")
        self.truth = Truth()
        self.members = [Member(self.truth, context) for _ in range(size)]

    def settings(self, user: str = "site1", timeout: float = 0.5, password: str = PASSWORD) -> EtcdSettings:
        """Settings of a user; every user's password is the same here."""
        endpoints = tuple(member.endpoint for member in self.members)
        return EtcdSettings(endpoints, user, password, str(self._papers / "ca.pem"), "/sip-dr", timeout)

    def settings_file(self, path: Path, **settings: Any) -> Path:
        """Write the settings as they lie on a host."""
        path.write_text(json.dumps(self.settings(**settings)._asdict()), encoding="utf-8")
        path.chmod(0o600)
        return path

    def lose_majority(self) -> None:
        """Let every member say that it has lost the others."""
        for member in self.members:
            member.fault = "no_majority"

    def recover(self) -> None:
        """Let every member be well."""
        for member in self.members:
            member.fault = None

    def log_everybody_out(self) -> None:
        """Forget every token, as a restart or its end of life does."""
        with self.truth.lock:
            self.truth.tokens.clear()

    def value(self, key: str) -> Any:
        """Return what lies under a key below the prefix, None for nothing."""
        with self.truth.lock:
            found = self.truth.keys.get("/sip-dr/" + key)
        return None if found is None else json.loads(found[0])

    def __enter__(self) -> Etcd:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for member in self.members:
            member.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._open: set[socket.socket] = set()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no error of a test."""


def _handler(member: Member, truth: Truth) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:  # noqa: N802  the base class's name
            if member.fault == "hangs_up":
                self.close_connection = True
                return
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            member.requests.append(self.path)
            if member.fault == "silent":
                member.keep_quiet()
                self.close_connection = True
                return
            status, reply = NO_MAJORITY if member.fault == "no_majority" else self._answer(body)
            if member.fault == "lost_reply" and _writes(body):
                self.close_connection = True
                return
            content = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
            with truth.lock:
                if self.path == "/v3/auth/authenticate":
                    return _log_in(truth, body)
                if self.headers.get("Authorization") not in truth.tokens:
                    return BAD_TOKEN
                if self.path == "/v3/kv/range":
                    return 200, truth.range(body)
                return 200, truth.transact(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Say nothing on standard error."""

    return Handler


def _writes(body: dict[str, Any]) -> bool:
    return any("request_range" not in one for one in body.get("success", []))


def _log_in(truth: Truth, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    if body["password"] != PASSWORD:
        return 400, {"error": BAD_LOG_IN, "message": BAD_LOG_IN, "code": 3}
    truth.log_ins += 1
    token = f"{body['name']}.{truth.log_ins}"
    truth.tokens.add(token)
    return 200, {"header": {}, "token": token}


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decode(text: str) -> str:
    return base64.b64decode(text).decode()
