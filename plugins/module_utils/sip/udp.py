# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many requests at once over UDP: one socket for each address family, one clock, no thread.

Only the timers differ from RFC 3261 17.1.2, because its Timer F of 32 s is too slow to judge a site by.
"""

from __future__ import annotations

import contextlib
import heapq
import selectors
import socket
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Callable, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.addresses import (
    Lookup,
    Place,
    look_up_all,
    source_address,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.digest import Credentials
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.message import (
    MAX_BYTES,
    MalformedMessageError,
    parse,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.outcome import Outcome, words
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.pacer import Pacer
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.requests import Request, host_port
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.transaction import (
    Reply,
    Transaction,
    new_tag,
    new_tokens,
)

T2 = 4.0  # RFC 3261 17.1.2.2: the longest interval between two sendings, and the one after a provisional response
RECEIVE_BUFFER = 1 << 20
READS_AT_ONCE = 256
BEGINNINGS_AT_ONCE = 32

FRESH_AT_ONCE = 128
"""Requests whose first answer is still to come: their answers may all arrive in one instant, and must fit into a socket
buffer of the system's default size, ours and that of a server that stands for many endpoints. A request that met
silence once is no longer one of them, so that dead endpoints do not hold up the living."""


@dataclass(frozen=True)
class Timing:
    """t1, deadline: seconds. tries: sendings of one request. window: requests under way at once."""

    t1: float
    tries: int
    deadline: float
    window: int


@dataclass
class _UnderWay:
    """A transaction with its timers. left: sendings that it still has; fresh: no timer has fired for it yet."""

    index: int
    transaction: Transaction
    place: Place
    ends_at: float
    interval: float
    left: int
    wire: bytes = b""
    fresh: bool = True


@dataclass
class UdpRun:
    """One call: the requests with their indexes, the sockets and the clock."""

    requests: list[tuple[int, Request]]
    timing: Timing
    pacer: Pacer
    local_address: Optional[str] = None
    credentials: Optional[Credentials] = None
    finished: Callable[[Outcome], None] = lambda outcome: None
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    _waiting: deque[tuple[int, Request, str]] = field(default_factory=deque)
    _places: dict[tuple[str, int], Lookup] = field(default_factory=dict)
    _active: dict[str, _UnderWay] = field(default_factory=dict)
    _timers: list[tuple[float, str]] = field(default_factory=list)
    _fresh: int = 0
    _tag: str = field(default_factory=new_tag)
    _mark: bytes = b""
    _sockets: dict[int, socket.socket] = field(default_factory=dict)
    _locals: dict[tuple[int, str], str] = field(default_factory=dict)

    def run(self) -> dict[int, Outcome]:
        """All outcomes by index."""
        self._places = look_up_all({(one.address, one.port) for _index, one in self.requests}, self.local_address)
        self._mark = self._tag.encode()
        tokens = new_tokens(len(self.requests))
        self._waiting.extend((index, request, next(tokens)) for index, request in self.requests)
        with selectors.DefaultSelector() as selector:
            try:
                while self._waiting or self._active:
                    self._begin_some(selector)
                    self._receive(selector)
                    self._fire_timers()
            finally:
                for sock in self._sockets.values():
                    sock.close()
        return self.outcomes

    def _may_begin(self) -> bool:
        """Whether the bounds leave room for one more; the pace is another matter."""
        room = len(self._active) < self.timing.window and self._fresh < FRESH_AT_ONCE
        return room and bool(self._waiting)

    def _begin_some(self, selector: selectors.BaseSelector) -> None:
        now = time.monotonic()
        # Bounded: answers must be read between sendings, or they fill the socket's buffer.
        for _turn in range(BEGINNINGS_AT_ONCE):
            if not self._may_begin() or self.pacer.due_in(now):
                return
            self.pacer.take(now)
            index, request, token = self._waiting.popleft()
            try:
                self._begin(index, Transaction(request, token, self._tag, credentials=self.credentials), selector)
            except (OSError, ValueError) as error:
                self._keep(index, Outcome(request, error=words(error)))

    def _begin(self, index: int, transaction: Transaction, selector: selectors.BaseSelector) -> None:
        request = transaction.request
        place = self._places[request.address, request.port]
        if isinstance(place, Exception):
            raise place
        self._open(place[0], selector)
        transaction.local = self._local(place)
        now = time.monotonic()
        ends_at = now + self.timing.deadline
        one = _UnderWay(index, transaction, place, ends_at, self.timing.t1, self.timing.tries, transaction.wire())
        self._active[transaction.branch] = one
        self._fresh += 1
        self._send(one, now)

    def _open(self, family: int, selector: selectors.BaseSelector) -> None:
        if family in self._sockets:
            return
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            sock.bind((self.local_address or ("::" if family == socket.AF_INET6 else "0.0.0.0"), 0))
        except OSError:
            sock.close()
            raise
        self._sockets[family] = sock
        selector.register(sock, selectors.EVENT_READ)

    def _local(self, place: Place) -> str:
        """Our host:port for Via. One look-up for each neighbourhood: routes are hardly ever finer than a /24."""
        address = str(place[1][0])
        key = (place[0], address[: max(address.rfind("."), address.rfind(":"))])
        if key not in self._locals:
            port = self._sockets[place[0]].getsockname()[1]
            self._locals[key] = host_port(self.local_address or source_address(place), port)
        return self._locals[key]

    def _send(self, one: _UnderWay, now: float) -> None:
        try:
            self._sockets[one.place[0]].sendto(one.wire, one.place[1])
            one.transaction.note_sent(now)
        except OSError as error:
            # Our own path may come back before the deadline: the timer goes on as if the packet had been lost.
            one.transaction.error = words(error)
        one.left -= 1
        due = min(now + one.interval, one.ends_at) if one.left > 0 else one.ends_at
        heapq.heappush(self._timers, (due, one.transaction.branch))
        one.interval = min(one.interval * 2, T2)

    def _receive(self, selector: selectors.BaseSelector) -> None:
        for key, _events in selector.select(self._pause()):
            sock = key.fileobj
            # Bounded: a flood of strangers' datagrams must not keep the timers from running.
            for _turn in range(READS_AT_ONCE):
                if not (isinstance(sock, socket.socket) and self._read(sock)):
                    break

    def _pause(self) -> float:
        now = time.monotonic()
        moments = [self._timers[0][0] - now] if self._timers else []
        if self._may_begin():
            moments.append(self.pacer.due_in(now))
        return max(0.0, min(moments, default=0.0))

    def _read(self, sock: socket.socket) -> bool:
        """Read one datagram; whether there was one."""
        try:
            data = sock.recv(MAX_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            return True  # an ICMP error of some earlier sending, reported here: no answer, and no reason to stop
        if self._mark in data:
            with contextlib.suppress(MalformedMessageError):
                self._take(data)
        return True

    def _take(self, data: bytes) -> None:
        message = parse(data)
        one = self._active.get(message.branch)
        if one is None:
            return
        now = time.monotonic()
        meaning = one.transaction.take(message, now)
        if meaning is Reply.PROVISIONAL:
            one.interval = T2
        elif meaning is Reply.CHALLENGE:
            self._repeat(message.branch, one, now)
        elif meaning is Reply.FINAL:
            self._end(message.branch, one)

    def _repeat(self, branch: str, one: _UnderWay, now: float) -> None:
        del self._active[branch]
        self._active[one.transaction.branch] = one
        one.wire = one.transaction.wire()
        one.interval, one.left = self.timing.t1, self.timing.tries
        self._send(one, now)

    def _fire_timers(self) -> None:
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            _due, branch = heapq.heappop(self._timers)
            one = self._active.get(branch)  # none: it is over, or goes on with credentials under another branch
            if one is None:
                continue
            self._no_longer_fresh(one)
            if one.ends_at <= now:
                self._end(branch, one)
            else:
                self._send(one, now)

    def _no_longer_fresh(self, one: _UnderWay) -> None:
        self._fresh -= one.fresh
        one.fresh = False

    def _end(self, branch: str, one: _UnderWay) -> None:
        del self._active[branch]
        self._no_longer_fresh(one)
        self._keep(one.index, one.transaction.end())

    def _keep(self, index: int, outcome: Outcome) -> None:
        self.outcomes[index] = outcome
        self.finished(outcome)


def over_udp(
    requests: Iterable[tuple[int, Request]],
    timing: Timing,
    pacer: Pacer,
    local_address: Optional[str],
    credentials: Optional[Credentials],
    finished: Callable[[Outcome], None],
) -> dict[int, Outcome]:
    """One outcome for each (index, request), by index. `finished` is called with each outcome as it is known."""
    return UdpRun(list(requests), timing, pacer, local_address, credentials, finished).run()
