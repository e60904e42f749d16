# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request over one TCP or TLS connection; messages come back framed by Content-Length (RFC 3261 18.3)."""

from __future__ import annotations

import re
import socket
import ssl
import time
from dataclasses import dataclass
from typing import Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.addresses import is_out_of_reach, resolve
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.message import (
    HEAD_END,
    MAX_BYTES,
    MalformedMessageError,
    Message,
    parse,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.outcome import Outcome, words
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.requests import Request, host_port
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.transaction import Reply, Transaction

CHUNK = 8192

_CONTENT_LENGTH = re.compile(rb"^(?:content-length|l)[ \t]*:[ \t]*([0-9]{1,9})", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Tls:
    """How TLS servers are checked, and who we are to them. All files are PEM.

    ca_file: the authorities to trust; empty for the system's. server_name: the name that every certificate must hold;
    empty for the address of the request. certificate, key: our own, where servers ask for one; the key without a
    passphrase. verify: False lets any certificate pass, and then nobody knows who answered.
    """

    ca_file: str = ""
    server_name: str = ""
    certificate: str = ""
    key: str = ""
    verify: bool = True

    def context(self) -> ssl.SSLContext:
        """What connections are made with. Raises OSError (ssl.SSLError among them) when a file cannot be used."""
        for path in filter(None, (self.ca_file, self.certificate, self.key)):
            with open(path, "rb"):  # the error of ssl does not name the file
                pass
        made = ssl.create_default_context(cafile=self.ca_file or None)
        if not self.verify:
            made.check_hostname = False
            made.verify_mode = ssl.CERT_NONE
        if self.certificate:
            # Without the password argument OpenSSL would ask on the terminal for a key's passphrase, and wait.
            made.load_cert_chain(self.certificate, self.key or None, password="")
        return made

    def name_for(self, request: Request) -> str:
        """The name that the server's certificate must hold. Raises ValueError for what can be no name."""
        name = request.server_name or self.server_name or request.address.strip("[]").partition("%")[0]
        name.encode("idna")  # wrap_socket would find out too, and leave the connection open
        return name


class Framer:
    """Cuts a stream into messages. What cannot be read is skipped up to its end; memory stays within MAX_BYTES."""

    def __init__(self) -> None:
        """Begin with an empty stream."""
        self._buffer = bytearray()
        self._searched = 0
        self._size = 0
        self._skip = 0

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are complete with these bytes."""
        skipped = min(self._skip, len(data))
        self._skip -= skipped
        self._buffer += data[skipped:]
        messages = []
        while self._is_complete():
            messages += _readable(bytes(self._buffer[: self._size]))
            self._forget(self._size)
        if len(self._buffer) > MAX_BYTES or self._size > MAX_BYTES:
            # A message that is too long, or a head that never ends: a chatty stranger must not fill the memory.
            self._skip = max(0, self._size - len(self._buffer))
            self._forget(len(self._buffer))
        return messages

    def _is_complete(self) -> bool:
        if not self._size:
            self._measure()
        return 0 < self._size <= len(self._buffer)

    def _measure(self) -> None:
        if self._buffer[:1] in (b"\r", b"\n"):  # keep-alives between messages (RFC 5626 3.5.1)
            self._forget(len(self._buffer) - len(self._buffer.lstrip(b"\r\n")))
        end = HEAD_END.search(self._buffer, max(0, self._searched - 3))
        self._searched = len(self._buffer)
        if end:
            length = _CONTENT_LENGTH.search(self._buffer, 0, end.end())
            self._size = end.end() + (int(length.group(1)) if length else 0)

    def _forget(self, count: int) -> None:
        del self._buffer[:count]
        self._searched = self._size = 0


def over_stream(
    transaction: Transaction, local_address: Optional[str], tls: Tls, context: Optional[ssl.SSLContext], deadline: float
) -> Outcome:
    """The outcome of a request over a connection of its own. deadline: seconds for all of it, save a name's look-up.

    context: for TLS; None for plain TCP.
    """
    ends_at = time.monotonic() + deadline
    try:
        with _connected(transaction, local_address, ends_at) as plain:
            if context is None:
                return _converse(transaction, plain, ends_at)
            plain.settimeout(_left(ends_at))
            with context.wrap_socket(plain, server_hostname=tls.name_for(transaction.request)) as secured:
                return _converse(transaction, secured, ends_at)
    except (OSError, ValueError) as error:
        transaction.error = words(error)
        transaction.sent = _sendings(transaction, error)
        return transaction.end()


def _connected(transaction: Transaction, local_address: Optional[str], ends_at: float) -> socket.socket:
    request = transaction.request
    family, destination = resolve(request.address, request.port, local_address)
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        if local_address:
            sock.bind((local_address, 0))
        sock.settimeout(_left(ends_at))
        sock.connect(destination)
    except OSError as error:
        sock.close()
        transaction.answered = isinstance(error, ConnectionError)
        raise
    transaction.answered = True
    transaction.local = host_port(*sock.getsockname()[:2])
    return sock


def _sendings(transaction: Transaction, error: Exception) -> int:
    """How often it counts as sent: refused, silent, out of reach or broken off, it was tried, like a silent datagram.

    What TLS refuses, a certificate of either side above all, was no question: nothing was asked of SIP.
    """
    broken = (ConnectionError, TimeoutError, socket.timeout, ssl.SSLEOFError, ssl.SSLZeroReturnError)
    if isinstance(error, broken) or is_out_of_reach(error, transaction.request.address):
        return max(1, transaction.sent)
    return 0 if isinstance(error, ssl.SSLError) else transaction.sent


def _converse(transaction: Transaction, sock: socket.socket, ends_at: float) -> Outcome:
    framer = Framer()
    _send(transaction, sock, ends_at)
    while True:
        sock.settimeout(_left(ends_at))
        data = sock.recv(CHUNK)
        if not data:
            raise ConnectionAbortedError("connection closed before a final response")
        for message in framer.feed(data):
            meaning = transaction.take(message, time.monotonic())
            if meaning is Reply.FINAL:
                return transaction.end()
            if meaning is Reply.CHALLENGE:
                _send(transaction, sock, ends_at)


def _send(transaction: Transaction, sock: socket.socket, ends_at: float) -> None:
    transaction.note_sent(time.monotonic())
    sock.settimeout(_left(ends_at))
    sock.sendall(transaction.wire())


def _readable(data: bytes) -> list[Message]:
    try:
        return [parse(data)]
    except MalformedMessageError:
        return []


def _left(ends_at: float) -> float:
    left = ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError("deadline passed")
    return left
