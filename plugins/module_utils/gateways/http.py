# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP(S) for the gateway drivers that speak REST: one exchange within one deadline, and errors without secrets.

`http.client` and not `urllib.request`: no proxy of the environment, no redirection (the log-in would go to whoever is
named there), and a socket whose every read can be bounded, so that a gateway that trickles bytes holds up nobody.
"""

from __future__ import annotations

import base64
import http.client
import io
import ipaddress
import json
import os
import re
import socket
import ssl
import stat
import time
import urllib.parse
import uuid
from contextlib import contextmanager
from typing import Any, BinaryIO, Dict, Iterator, Mapping, NamedTuple, Optional, Tuple, Union

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import GatewayError

MAX_ANSWER = 64 << 20
"""Bytes of one answer; a gateway's whole configuration has some 2 MB at most."""

SAID = 300
"""Characters of a device's own words that a message repeats."""


class StatusError(GatewayError):
    """The gateway answered with a status that was not expected; `status` is that number, `said` its own words."""

    def __init__(self, message: str, status: int, said: str) -> None:
        """Keep the number and the words for a driver that knows what to do with them (409: try again)."""
        super().__init__(message)
        self.status = status
        self.said = said


class Body(NamedTuple):
    """What a request carries, and what it is called."""

    data: bytes
    content_type: str


class Answer(NamedTuple):
    """One answer: status, headers by lower-case name, text (every byte kept: surrogateescape), `where` it came from."""

    status: int
    headers: Mapping[str, str]
    text: str
    where: str

    def json(self) -> Any:  # noqa: ANN401  any JSON
        """Return the body's JSON. Raises GatewayError for anything else, half an answer too."""
        try:
            return json.loads(self.text)
        except ValueError as error:
            raise GatewayError(f"{self.where}: JSON expected, {_met(self.text)} met") from error


def json_body(value: object) -> Body:
    """Return a JSON body."""
    return Body(json.dumps(value).encode("utf-8"), "application/json")


def text_body(text: str, content_type: str = "text/plain") -> Body:
    """Return a text (or XML) as a body, every byte as it was read."""
    return Body(text.encode("utf-8", "surrogateescape"), content_type)


def file_body(field: str, filename: str, text: str) -> Body:
    """Return one file as multipart/form-data (RFC 7578); `field` and `filename` are plain words of the caller."""
    boundary = uuid.uuid4().hex
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{filename}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    data = head.encode("ascii") + text.encode("utf-8", "surrogateescape") + f"\r\n--{boundary}--\r\n".encode("ascii")
    return Body(data, f"multipart/form-data; boundary={boundary}")


def password_of(path: str) -> str:
    """Return the password in a file that only its owner may read (mode 0600). Raises GatewayError, without it."""
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise GatewayError(f"password_file {path}: others may read it; mode 0600 is expected")
            password = file.read().decode("utf-8", "surrogateescape").rstrip("\r\n")
    except OSError as error:
        raise GatewayError(f"password_file {path}: {error.strerror}") from error
    if not password:
        raise GatewayError(f"password_file {path}: it is empty; the password is expected")
    return password


class HttpClient:
    """One gateway's REST interface below a base address; https certificates are always verified."""

    def __init__(
        self,
        base_url: str,
        timeout: float,
        username: str = "",
        password_file: str = "",
        ca_file: str = "",
        server_name: str = "",
        headers: Optional[Mapping[str, str]] = None,
    ) -> None:
        """Prepare it; nothing is sent yet. Raises GatewayError for an address, log-in or file that cannot be used.

        `timeout`: seconds for a whole exchange, from connecting to the last byte. `username` with `password_file`:
        HTTP Basic on every request. `ca_file`: the only authorities that are trusted, in place of the system's.
        `server_name`: the name in the certificate where it is not the address. `headers` go with every request.
        """
        self._timeout = timeout
        self._host, self._port, self._base, tls = _address(base_url)
        self._tls_name = server_name or self._host
        literal = f"[{self._host}]" if ":" in self._host else self._host
        self._named = literal if self._port == (443 if tls else 80) else f"{literal}:{self._port}"
        self._context = _context(ca_file) if tls else None
        self.headers: Dict[str, str] = dict(headers or {})
        """What goes with every request; a driver adds its session's token here."""
        self._password = ""
        if username:
            self._log_in(username, password_file)

    def _log_in(self, username: str, password_file: str) -> None:
        if self._context is None and not _loopback(self._host):
            raise GatewayError(f"{self._host}: username over plain http would show the password; https is expected")
        if ":" in username:  # RFC 7617, section 2
            raise GatewayError(f"{self._host}: username has a colon in it, which HTTP Basic cannot carry")
        self._password = password_of(password_file)
        pair = f"{username}:{self._password}".encode("utf-8", "surrogateescape")
        self.headers["Authorization"] = "Basic " + base64.b64encode(pair).decode("ascii")

    def ask(
        self,
        method: str,
        path: str,
        body: Optional[Body] = None,
        headers: Optional[Mapping[str, str]] = None,
        expect: Tuple[int, ...] = (200,),
    ) -> Answer:
        """Send one request and return its answer. Raises StatusError for a status that is not in `expect`.

        Raises GatewayError for silence, a certificate that does not verify, half an answer. Messages name host, method,
        path (without its query) and what was expected; what the device said is in them, secrets never.
        """
        where = f"{self._host}: {method} {self._base}{path.partition('?')[0]}"
        sent = {**self.headers, **(headers or {})}
        if body is not None:
            sent["Content-Type"] = body.content_type
        try:
            status, told, text = self._exchange(method, self._base + path, body.data if body else None, sent)
        except socket.timeout:
            raise GatewayError(f"{where}: no whole answer within {self._timeout:g} s") from None
        except http.client.IncompleteRead:
            raise GatewayError(f"{where}: the connection ended in the middle of the answer") from None
        except http.client.InvalidURL:  # its words hold the whole path
            raise GatewayError(f"{where}: the request cannot be written: a path without blanks is expected") from None
        except (OSError, http.client.HTTPException) as error:
            reason = f"{error}" or type(error).__name__
            raise GatewayError(self._secretless(f"{where}: an HTTP answer expected, {reason} met", sent)) from None
        except ValueError:  # its words hold the header that they are about
            raise GatewayError(
                f"{where}: the request cannot be written: a header that HTTP can carry is expected"
            ) from None
        if status not in expect:
            expected = " or ".join(str(one) for one in expect)
            said = self._secretless(_said(text), sent)
            raise StatusError(f"{where}: status {expected} expected, {status} met ({said})", status, said)
        return Answer(status, told, text, where)

    def _exchange(
        self, method: str, path: str, data: Optional[bytes], headers: Mapping[str, str]
    ) -> Tuple[int, Dict[str, str], str]:
        end = time.monotonic() + self._timeout
        connection = http.client.HTTPConnection(self._host, self._port)
        with self._connected(end) as sock:
            connection.sock = _Bounded(sock, end)
            connection.request(method, path, body=data, headers={"Host": self._named, "Connection": "close", **headers})
            answer = connection.getresponse()
            text = answer.read(MAX_ANSWER + 1)
        if len(text) > MAX_ANSWER:
            raise http.client.HTTPException(f"more than {MAX_ANSWER >> 20} MiB")
        if answer.length:  # read(amount) does not complain of a body that ends too soon
            raise http.client.IncompleteRead(text)
        told = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, told, text.decode("utf-8", "surrogateescape")

    @contextmanager
    def _connected(self, end: float) -> Iterator[socket.socket]:
        with socket.create_connection((self._host, self._port), timeout=self._timeout) as plain:
            if self._context is None:
                yield plain
                return
            plain.settimeout(_left(end))
            with self._context.wrap_socket(plain, server_hostname=self._tls_name) as secure:
                yield secure

    def _secretless(self, words: str, headers: Mapping[str, str]) -> str:
        # What a server says of a request may have the request in it.
        values = [value.split()[-1] for name, value in headers.items() if name.lower() in _SECRET and value.split()]
        for secret in (self._password, *values):
            words = words.replace(secret, "********") if secret else words
        return words


_SECRET = ("authorization", "cookie", "x-auth-token")


class _Bounded:
    """A socket as http.client uses it, none of whose reads outlasts the deadline of the exchange."""

    def __init__(self, sock: socket.socket, end: float) -> None:
        self._sock = sock
        self._end = end

    def sendall(self, data: Union[bytes, bytearray]) -> None:
        self._sock.settimeout(_left(self._end))
        self._sock.sendall(data)

    def makefile(self, _mode: str) -> BinaryIO:
        return io.BufferedReader(_Reads(self._sock, self._end))

    def close(self) -> None:
        """Leave it to the block that opened it."""


class _Reads(io.RawIOBase):
    def __init__(self, sock: socket.socket, end: float) -> None:
        self._sock = sock
        self._end = end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401  any writable buffer
        self._sock.settimeout(_left(self._end))
        return self._sock.recv_into(buffer)


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise socket.timeout()
    return left


def _address(base_url: str) -> Tuple[str, int, str, bool]:
    """Host, port, path of the base, and whether it is https."""
    # Whatever stands before an @ may be a password, so the address is not repeated.
    try:
        parts = urllib.parse.urlsplit(base_url)
        port = parts.port
    except ValueError as error:
        raise GatewayError("the address: https://host[:port][/path] is expected, another port met") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or parts.query:
        raise GatewayError("the address: https://host[:port][/path] (or http) is expected, with no log-in and no query")
    tls = parts.scheme == "https"
    return parts.hostname, port or (443 if tls else 80), parts.path.rstrip("/"), tls


def _context(ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:
        raise GatewayError(f"ca_file {ca_file}: certificates in PEM expected, {error} met") from error


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _met(text: str) -> str:
    words = re.sub(r"\s+", " ", text).strip()
    return repr(words[:SAID]) if words else "nothing"


def _said(text: str) -> str:
    """The device's own words: the description or message of its JSON, or the text itself, shortened."""
    try:
        told = json.loads(text)
        for name in ("description", "message", "error"):
            if isinstance(told, dict) and told.get(name):
                return _met(str(told[name]))
    except ValueError:
        pass
    return _met(re.sub(r"<[^>]*>", " ", text))
