# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An AudioCodes Mediant for tests: its REST interface over HTTPS in front of a store of ini tables.

Made from AudioCodes' "REST API for Mediant Devices" 7.40 (Status, Full INI File, Incremental INI File, Incremental CLI
Script, Save Configuration): paths, status numbers, `description`, `saveNeeded`, `output` with ". " for an end of line.
"""

from __future__ import annotations

import atexit
import base64
import email
import email.policy
import functools
import json
import shutil
import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .audiocodes_store import INI, BadFileError, Store
from .serving import Manners

TARGETS = {"site1": "10.71.1.100:5060", "site2": "10.71.2.100:5061"}
USERNAME, PASSWORD = "Admin", "Geheim, ja!"


class Device(Manners):
    """The device as its REST interface shows it, with the manners that a test gives it."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self.busy = 0  # so many changing calls, and reads of the ini, are answered 409
        self.locked = False
        self.knows_show = True
        self.tells_save_needed = True
        self.speaks_until = ""  # a word in the path of the call at which a silent device falls silent
        self.drops = ""  # a word in the path of calls that are done and whose answers are lost
        self.refuses = ""  # a word in the path of calls that this log-in may not make
        self.ignores = ""  # a word in the path of calls that are accepted and not done
        self.loaded: list[str] = []

    @property
    def text(self) -> str:
        return self.store.saved

    def says_nothing(self, call: str) -> bool:
        """True when this call gets no answer."""
        if self.manner == "silent" and self.speaks_until and self.speaks_until in call:
            self.speaks_until = ""
        return self.manner == "silent" and not self.speaks_until

    def half(self) -> object:
        """Every answer ends in the middle."""
        return self._with("half")

    def cut(self) -> object:
        """Every ini file ends in the middle, and the answer says that this is all."""
        return self._with("cut")

    def answer(self, call: str, authorization: str, kind: str, body: bytes) -> tuple[int, str, str]:
        """Status, content type, text."""
        self.calls.append(call)
        expected = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
        if authorization != f"Basic {expected}":
            return _told(401, f"Unauthorized: {authorization}")
        if self.manner == "garbage":
            return 200, "text/html", "<html><body>It works!</body></html>"
        if self.busy and call != "GET /api/v1/status":
            self.busy -= 1
            return _told(409, "Device is currently performing HA synchronization")
        return self._dispatch(call, kind, body)

    def _dispatch(self, call: str, kind: str, body: bytes) -> tuple[int, str, str]:
        if call == "GET /api/v1/status":
            return 200, "application/json", json.dumps(self.status())
        if call == "GET /api/v1/files/ini":
            text = self.store.running
            return 200, "application/octet-stream", text[: text.index("10.71.2.100")] if self.manner == "cut" else text
        if self.refuses and self.refuses in call:
            return _told(403, "Forbidden")
        if self.ignores and self.ignores in call:
            return _told(200, "Done")
        if call == "POST /api/v1/actions/saveConfiguration":
            self.store.save()
            return _told(200, "Configuration was saved")
        if call == "PUT /api/v1/files/ini/incremental":
            return self._incremental(_file(kind, body))
        if call == "PUT /api/v1/files/cliScript/incremental":
            return self._script(_file(kind, body))
        return _told(404, "Not found")

    def _incremental(self, text: str | None) -> tuple[int, str, str]:
        if text is None:
            return _told(400, "No file in the request")
        self.loaded.append(text)
        try:
            self.store.load(text)
        except BadFileError as error:
            return _told(400, str(error))
        return _told(200, "Incremental INI file was loaded.")

    def _script(self, text: str | None) -> tuple[int, str, str]:
        if not self.knows_show or (text or "").strip() != "show voip proxy sets status":
            return _told(400, "Invalid command")
        output = self.store.show().replace("\r\n", ". ")
        return 200, "application/json", json.dumps({"description": "Script was loaded.", "output": output})

    def status(self) -> dict[str, object]:
        """What GET /api/v1/status tells."""
        status: dict[str, object] = {
            "productType": "Mediant SW",
            "versionID": "7.40A.500.014",
            "operationalState": "LOCKED" if self.locked else "UNLOCKED",
            "highAvailability": "Not Operational",
            "serialNumber": "101780235059663",
            "systemUpTime": 161446,
        }
        if self.tells_save_needed:
            status["saveNeeded"] = "true" if self.store.saved != self.store.running else "false"
        return status


def _told(status: int, description: str) -> tuple[int, str, str]:
    return status, "application/json", json.dumps({"description": description})


def _file(kind: str, body: bytes) -> str | None:
    """The file of a multipart/form-data body, as the standard library's own parser finds it."""
    message = email.message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body, policy=email.policy.HTTP)
    if not message.is_multipart():
        return None
    for part in message.iter_parts():  # type: ignore[attr-defined]
        if part.get_param("name", header="content-disposition") == "file" and part.get_filename():
            return str(part.get_payload(decode=True).decode("utf-8", "surrogateescape"))
    return None


@contextmanager
def serve(device: Device, certificate: Path, key: Path, address: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve it over HTTPS while the block runs; gives `host:port`."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_words: object) -> None:
            pass

        def do_GET(self) -> None:  # noqa: N802  the standard library's names
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            call = f"{self.command} {self.path}"
            if device.says_nothing(call):
                device.wake.wait()
                return
            words = (call, self.headers.get("Authorization") or "", self.headers.get("Content-Type") or "", body)
            status, kind, text = device.answer(*words)
            if not device.drops or device.drops not in call:
                self._send(status, kind, text.encode("utf-8", "surrogateescape"))

        do_PUT = do_POST = do_GET

        def _send(self, status: int, kind: str, data: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if device.manner == "half" else data)

    with _server(Handler, (address, port), certificate, key) as bound:
        try:
            yield f"{address}:{bound}"
        finally:
            device.wake.set()


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


@functools.cache
def papers_here() -> Path:
    """Certificates for 127.0.0.1, made once in a test run."""
    # Only here, so that a lab can serve this device without the tests.
    from tls_doubles import make_papers

    directory = tempfile.mkdtemp(prefix="audiocodes-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return make_papers(Path(directory))


@contextmanager
def running(ini: str = INI, replaces_tables: bool = False) -> Iterator[tuple[dict, Device]]:
    """The options of a driver for a device, and that device: site1 and site2 in Proxy Set 1, site1 first, saved."""
    papers = papers_here()
    device = Device(Store(ini, replaces_tables))
    with (
        tempfile.TemporaryDirectory() as directory,
        serve(device, papers / "server.pem", papers / "server.key") as where,
    ):
        password = Path(directory) / "password"
        password.touch(mode=0o600)
        password.write_text(PASSWORD + "\n")
        yield (
            {
                "address": where,
                "username": USERNAME,
                "password_file": str(password),
                "ca_file": str(papers / "ca.pem"),
                "proxy_set": "SIP Servers",
                "targets": dict(TARGETS),
                "timeout": 2.0,
                "busy_deadline": 1.0,
                "busy_interval": 0.02,
                "apply_deadline": 0.5,
                "apply_interval": 0.02,
            },
            device,
        )
