# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIP client for many requests at once: non-INVITE client transactions (RFC 3261 17.1.2).

UDP goes over one socket, TCP over one connection each. Only the timers differ from the RFC, because its Timer F of
32 s is too slow to judge a site by: T1, the number of tries and the deadline are arguments. Nothing here raises
because the other end is dead, slow, rude or unknown: that is in the Outcome.
"""

from __future__ import annotations

import contextlib
import errno
import secrets
import selectors
import socket
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.message import (
    MAX_BYTES,
    MalformedMessageError,
    Message,
    parse,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.requests import (
    Request,
    host_port,
    render,
    reply_matches,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.tcp import exchange

T2 = 4.0  # RFC 3261 17.1.2.2: the longest interval between two sendings, and the one after a provisional response
BRANCH_COOKIE = "z9hG4bK"  # RFC 3261 8.1.1.7
RECEIVE_BUFFER = 1 << 20
READS_AT_ONCE = 256


@dataclass(frozen=True)
class Outcome:
    """What became of one request.

    status, reason, response: of the final response; None and empty without one.
    rtt: seconds from the first sending to that response. sent: how often it was sent. provisional: the last 1xx.
    error: why it could not be sent, or what the connection met.
    """

    request: Request
    status: Optional[int] = None
    reason: str = ""
    response: Optional[Message] = None
    rtt: Optional[float] = None
    sent: int = 0
    provisional: Optional[int] = None
    error: str = ""


@dataclass
class _Transaction:
    """A request under way over UDP."""

    index: int
    request: Request
    branch: str
    destination: tuple
    family: int
    ends_at: float
    interval: float
    wire: bytes = b""
    next_at: Optional[float] = None
    first_sent: Optional[float] = None
    sent: int = 0
    provisional: Optional[int] = None
    error: str = ""


@dataclass(frozen=True)
class SipClient:
    """Sends requests and waits for their final responses.

    local_address: the address to send from (default: the system's choice). t1: seconds to the first retransmission,
    doubled up to T2. tries: the most sendings of one request. deadline: seconds until a request is given up.
    window: requests under way at once; n requests to dead phones therefore take up to ceil(n / window) * deadline.
    A name instead of an address is resolved by the system in its own time.
    """

    local_address: Optional[str] = None
    t1: float = 0.2
    tries: int = 6
    deadline: float = 8.0
    window: int = 100

    def request_many(self, requests: Sequence[Request]) -> list[Outcome]:
        """One outcome per request, in the same order. Blocks until each has its final response or its deadline."""
        outcomes: dict[int, Outcome] = {}
        over_tcp = [(index, request) for index, request in enumerate(requests) if request.transport == "tcp"]
        over_udp = [(index, request) for index, request in enumerate(requests) if request.transport == "udp"]
        if len(over_tcp) + len(over_udp) != len(requests):
            raise ValueError("the transport of a SIP request is udp or tcp")
        if over_tcp:
            with ThreadPoolExecutor(max_workers=min(self.window, len(over_tcp))) as pool:
                answers = pool.map(self._over_tcp, [request for _index, request in over_tcp])
                if over_udp:
                    outcomes.update(_UdpRun(self, over_udp).run())
                outcomes.update(zip([index for index, _request in over_tcp], answers))
        elif over_udp:
            outcomes.update(_UdpRun(self, over_udp).run())
        return [outcomes[index] for index in range(len(requests))]

    def request(self, request: Request) -> Outcome:
        """The outcome of a single request."""
        return self.request_many([request])[0]

    def _over_tcp(self, request: Request) -> Outcome:
        branch = new_branch()
        started = time.monotonic()
        ends_at = started + self.deadline

        def wire(local: str) -> bytes:
            return render(request, local, branch, secrets.token_hex(12), secrets.token_hex(6))

        sent, provisional = 0, None
        try:
            for reply in exchange(request.address, request.port, self.local_address, wire, ends_at):
                sent = 1
                if reply is None or not reply_matches(reply, branch, request.method):
                    continue
                if reply.status is not None and reply.status >= 200:
                    return _final(request, reply, time.monotonic() - started, sent, provisional)
                provisional = reply.status
        except OSError as error:
            # A refused or silent connection was tried: it counts as sent, like a datagram that nobody answers.
            return Outcome(request, sent=_was_tried(error), provisional=provisional, error=_words(error))
        return Outcome(request, sent=sent, provisional=provisional, error="connection closed before a final response")


@dataclass
class _UdpRun:
    """One call of request_many over UDP: the window, the sockets and the clock."""

    client: SipClient
    requests: Sequence[tuple[int, Request]]
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    active: dict[str, _Transaction] = field(default_factory=dict)
    sockets: dict[int, socket.socket] = field(default_factory=dict)

    def run(self) -> dict[int, Outcome]:
        """All outcomes by index."""
        waiting = deque(self.requests)
        with selectors.DefaultSelector() as selector:
            try:
                while waiting or self.active:
                    while waiting and len(self.active) < self.client.window:
                        self._begin(*waiting.popleft(), selector)
                    self._send_due()
                    self._receive(selector)
                    self._expire()
            finally:
                for sock in self.sockets.values():
                    sock.close()
        return self.outcomes

    def _begin(self, index: int, request: Request, selector: selectors.BaseSelector) -> None:
        now = time.monotonic()
        try:
            family, destination = _resolve(request.address, request.port)
            ends_at = now + self.client.deadline
            transaction = _Transaction(index, request, new_branch(), destination, family, ends_at, self.client.t1)
            transaction.next_at = now
            transaction.wire = self._wire(transaction, self._socket(family, selector))
        except OSError as error:
            self.outcomes[index] = Outcome(request, error=_words(error))
            return
        self.active[transaction.branch] = transaction

    def _socket(self, family: int, selector: selectors.BaseSelector) -> socket.socket:
        if family not in self.sockets:
            sock = socket.socket(family, socket.SOCK_DGRAM)
            self.sockets[family] = sock
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            sock.bind((self.client.local_address or ("::" if family == socket.AF_INET6 else "0.0.0.0"), 0))
            selector.register(sock, selectors.EVENT_READ)
        return self.sockets[family]

    def _wire(self, transaction: _Transaction, sock: socket.socket) -> bytes:
        host = self.client.local_address or _source_address(transaction.family, transaction.destination)
        local = host_port(host, sock.getsockname()[1])
        return render(transaction.request, local, transaction.branch, secrets.token_hex(12), secrets.token_hex(6))

    def _send_due(self) -> None:
        now = time.monotonic()
        for transaction in self.active.values():
            if transaction.next_at is not None and transaction.next_at <= now:
                self._send(transaction, now)

    def _send(self, transaction: _Transaction, now: float) -> None:
        try:
            self.sockets[transaction.family].sendto(transaction.wire, transaction.destination)
            transaction.sent += 1
            transaction.first_sent = transaction.first_sent or now
        except OSError as error:
            # Our own path may come back before the deadline: the timer goes on as if the packet had been lost.
            transaction.error = _words(error)
        tries_left = transaction.sent < self.client.tries
        transaction.next_at = now + transaction.interval if tries_left else None
        transaction.interval = min(transaction.interval * 2, T2)

    def _receive(self, selector: selectors.BaseSelector) -> None:
        for key, _events in selector.select(self._pause()):
            sock = key.fileobj
            # Bounded: a flood of strangers' datagrams must not keep the timers from running.
            for _turn in range(READS_AT_ONCE):
                if not (isinstance(sock, socket.socket) and self._read(sock)):
                    break

    def _pause(self) -> float:
        if not self.active:
            return 0.0
        moments = [min(one.ends_at, one.next_at or one.ends_at) for one in self.active.values()]
        return max(0.0, min(moments) - time.monotonic())

    def _read(self, sock: socket.socket) -> bool:
        try:
            data = sock.recv(MAX_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            return True  # an ICMP error of some earlier sending, reported here: no answer, and no reason to stop
        with contextlib.suppress(MalformedMessageError):
            self._take(parse(data))
        return True

    def _take(self, message: Message) -> None:
        transaction = self.active.get(message.branch)
        if transaction is None or not reply_matches(message, transaction.branch, transaction.request.method):
            return
        if message.status is not None and message.status < 200:
            transaction.provisional = message.status
            transaction.interval = T2
            return
        rtt = time.monotonic() - (transaction.first_sent or 0.0)
        self._end(transaction, _final(transaction.request, message, rtt, transaction.sent, transaction.provisional))

    def _expire(self) -> None:
        now = time.monotonic()
        for transaction in [one for one in self.active.values() if one.ends_at <= now]:
            silence = Outcome(
                transaction.request, sent=transaction.sent, provisional=transaction.provisional, error=transaction.error
            )
            self._end(transaction, silence)

    def _end(self, transaction: _Transaction, outcome: Outcome) -> None:
        del self.active[transaction.branch]
        self.outcomes[transaction.index] = outcome


def new_branch() -> str:
    """A branch that no stranger can guess."""
    return BRANCH_COOKIE + secrets.token_hex(12)


def _final(request: Request, reply: Message, rtt: float, sent: int, provisional: Optional[int]) -> Outcome:
    return Outcome(request, reply.status, reply.reason, reply, rtt, sent, provisional)


def _resolve(address: str, port: int) -> tuple[int, tuple]:
    family, _kind, _protocol, _name, destination = socket.getaddrinfo(address, port, type=socket.SOCK_DGRAM)[0]
    return family, destination


def _source_address(family: int, destination: tuple) -> str:
    """The address that the system would send from: connecting a datagram socket asks it without sending anything."""
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.connect(destination)
        return sock.getsockname()[0]


def _was_tried(error: OSError) -> int:
    tried = isinstance(error, (ConnectionError, TimeoutError, socket.timeout))
    return int(tried or error.errno == errno.EHOSTUNREACH)


def _words(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
