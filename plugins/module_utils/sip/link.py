# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What carries the messages of one call: a UDP socket, or a TCP connection. Nothing that comes in raises."""

from __future__ import annotations

import socket
import time
from typing import Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.addresses import (
    is_out_of_reach,
    resolve,
    source_address,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.message import (
    MAX_BYTES,
    MalformedMessageError,
    Message,
    parse,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.outcome import words
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.requests import host_port
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.stream import CHUNK, Framer

SEND_TIMEOUT = 1.0  # seconds that a full buffer of ours may hold a message


class Link:
    """One socket to the other end.

    family, host: of our own address. error: the last thing that went wrong. closed: nothing can come in any more.
    """

    reliable = False

    def __init__(self, sock: socket.socket) -> None:
        """Use an open socket that is bound to an address of ours."""
        self.error = ""
        self.closed = False
        self._socket = sock
        self.family = sock.family
        self.host: str
        self.host, self._port = sock.getsockname()[:2]

    @property
    def local(self) -> str:
        """Our host:port, as headers want it."""
        return host_port(self.host, self._port)

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def redirect(self, host: str, port: int) -> None:
        """Send what follows to another hop, where the link can."""

    def send(self, wire: bytes) -> bool:
        """Send a message; False when our own side refused it."""
        self._socket.settimeout(SEND_TIMEOUT)
        try:
            self._put(wire)
        except OSError as error:
            self.error = words(error)
            return False
        return True

    def receive(self, until: float) -> list[Message]:
        """The messages that come before `until` (monotonic clock), as soon as there are any."""
        self._socket.settimeout(max(0.0, until - time.monotonic()))
        try:
            return self._take()
        except (BlockingIOError, TimeoutError, socket.timeout):
            return []
        except OSError as error:
            self.error, self.closed = words(error), self.reliable
            return []

    def _put(self, wire: bytes) -> None:
        raise NotImplementedError

    def _take(self) -> list[Message]:
        raise NotImplementedError


class UdpLink(Link):
    """A socket for datagrams, not connected: proxies may answer from another address than they were asked at."""

    def __init__(self, address: str, port: int, local_address: Optional[str]) -> None:
        """Find the way to `address`. Raises OSError, or ValueError for what is no address."""
        place = resolve(address, port, local_address)
        sock = socket.socket(place[0], socket.SOCK_DGRAM)
        try:
            sock.bind((local_address or source_address(place), 0))
        except OSError:
            sock.close()
            raise
        super().__init__(sock)
        self._destination = place[1]

    def redirect(self, host: str, port: int) -> None:
        """Send to another hop, given by its address; a name changes nothing, since resolving it may take for ever."""
        try:
            found = socket.getaddrinfo(host, port, self.family, socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)
        except (OSError, UnicodeError):
            return
        self._destination = found[0][4]

    def _put(self, wire: bytes) -> None:
        self._socket.sendto(wire, self._destination)

    def _take(self) -> list[Message]:
        try:
            return [parse(self._socket.recv(MAX_BYTES))]
        except MalformedMessageError:
            return []


class TcpLink(Link):
    """One connection; all of the call goes over it, whatever a Contact says."""

    reliable = True

    def __init__(self, address: str, port: int, local_address: Optional[str], timeout: float) -> None:
        """Connect within `timeout` seconds. Raises OSError."""
        source = (local_address, 0) if local_address else None
        super().__init__(socket.create_connection((address, port), timeout=timeout, source_address=source))
        self._framer = Framer()

    def _put(self, wire: bytes) -> None:
        self._socket.sendall(wire)

    def _take(self) -> list[Message]:
        data = self._socket.recv(CHUNK)
        if not data:
            self.closed, self.error = True, "connection closed"
        return self._framer.feed(data)


def was_tried(error: Exception, address: str) -> bool:
    """Whether a connection failed out there: refused, silent or out of reach, it counts as sent, like a datagram."""
    refused_or_silent = isinstance(error, (ConnectionError, TimeoutError, socket.timeout))
    return refused_or_silent or is_out_of_reach(error, address)
