# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An AudioCodes Mediant: its REST interface over HTTPS in front of a store of ini tables.

Made from AudioCodes' "REST API for Mediant Devices" 7.40 (Status, Full INI File, Incremental INI File, Incremental CLI
Script, Save Configuration): paths, status numbers, `description`, `saveNeeded`, `output` with ". " for an end of line.
"""

from __future__ import annotations

import base64
import email
import email.policy
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from standins.audiocodes.store import BadFileError, Store

STATUS = "GET /api/v1/status"
INI = "GET /api/v1/files/ini"
INCREMENTAL = "PUT /api/v1/files/ini/incremental"
SCRIPT = "PUT /api/v1/files/cliScript/incremental"
SAVE = "POST /api/v1/actions/saveConfiguration"


class Reply(NamedTuple):
    """An answer: HTTP status, content type, text."""

    status: int
    kind: str
    text: str


class Device:
    """The device as its REST interface shows it, to one user."""

    def __init__(self, store: Store, username: str, password: str) -> None:
        """Stand before this configuration."""
        self.store = store
        self._log_in = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()

    def answer(self, call: str, authorization: str, kind: str, body: bytes) -> Reply | None:
        """The answer to one call (`GET /path`); None: none is given, the connection is closed."""
        if authorization != self._log_in:
            return told(401, f"Unauthorized: {authorization}")
        return self.dispatch(call, kind, body)

    def dispatch(self, call: str, kind: str, body: bytes) -> Reply:
        """The answer to a call whose log-in is right."""
        if call == STATUS:
            return Reply(200, "application/json", json.dumps(self.status()))
        if call == INI:
            return Reply(200, "application/octet-stream", self.store.running)
        if call == SAVE:
            self.store.save()
            return told(200, "Configuration was saved")
        if call == INCREMENTAL:
            return self._incremental(_file(kind, body))
        if call == SCRIPT:
            return self._script(_file(kind, body))
        return told(404, "Not found")

    def load(self, text: str) -> None:
        """Take an incremental ini file. Raises BadFileError."""
        self.store.load(text)

    def status(self) -> dict[str, object]:
        """What the call for the status tells."""
        return {
            "productType": "Mediant SW",
            "versionID": "7.40A.500.014",
            "operationalState": "UNLOCKED",
            "highAvailability": "Not Operational",
            "serialNumber": "101780235059663",
            "systemUpTime": 161446,
            "saveNeeded": "true" if self.store.saved != self.store.running else "false",
        }

    def sent(self, data: bytes) -> bytes:
        """What goes over the line of an answer."""
        return data

    def _incremental(self, text: str | None) -> Reply:
        if text is None:
            return told(400, "No file in the request")
        try:
            self.load(text)
        except BadFileError as error:
            return told(400, str(error))
        return told(200, "Incremental INI file was loaded.")

    def _script(self, text: str | None) -> Reply:
        if (text or "").strip() != "show voip proxy sets status":
            return told(400, "Invalid command")
        output = self.store.show().replace("\r\n", ". ")
        return Reply(200, "application/json", json.dumps({"description": "Script was loaded.", "output": output}))


def told(status: int, description: str) -> Reply:
    """An answer that says something in words."""
    return Reply(status, "application/json", json.dumps({"description": description}))


def _file(kind: str, body: bytes) -> str | None:
    """The file of a multipart/form-data body, as the standard library's own parser finds it."""
    message = email.message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body, policy=email.policy.HTTP)
    if not message.is_multipart():
        return None
    for part in message.iter_parts():
        if part.get_param("name", header="content-disposition") == "file" and part.get_filename():
            data = part.get_payload(decode=True)
            return data.decode("utf-8", "surrogateescape") if isinstance(data, bytes) else None
    return None


@contextmanager
def serve(device: Device, certificate: Path, key: Path, address: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve it over HTTPS while the block runs; gives `host:port`."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_words: object) -> None:
            pass

        def do_GET(self) -> None:  # noqa: N802  the standard library's names
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            authorization, kind = (self.headers.get(name) or "" for name in ("Authorization", "Content-Type"))
            reply = device.answer(f"{self.command} {self.path}", authorization, kind, body)
            if reply:
                self._send(reply, reply.text.encode("utf-8", "surrogateescape"))

        do_PUT = do_POST = do_GET  # noqa: N815  as above

        def _send(self, reply: Reply, data: bytes) -> None:
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(device.sent(data))

    with _server(Handler, (address, port), certificate, key) as bound:
        yield f"{address}:{bound}"


@contextmanager
def _server(
    handler: type[BaseHTTPRequestHandler], where: tuple[str, int], certificate: Path, key: Path
) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_words: object) -> None:
            pass  # a client that does not trust us hangs up

    server = Server(where, handler)
    # The handshake is left to each connection's own thread: one that never speaks must not keep out the next.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
