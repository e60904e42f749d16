# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Synthetic calls: INVITE, answer, media both ways, BYE (RFC 3261 13, 15; RFC 3264; RFC 3550).

    outcomes = place_calls([Callee("10.71.1.30", "8001")] * 3, CallSettings(deadline=5.0))
    print([one.completed for one in outcomes])

A call is given up when `deadline` is over: with CANCEL when it was not answered (RFC 3261 9.1), else with BYE; hanging
up takes at most HANG_UP seconds more. Nothing here raises because the other end is dead, slow, rude or unknown: that is
in the outcome.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Optional, Union

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.client import T2, new_branch
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.dialog import Dialog, next_hop, ok
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.link import TcpLink, UdpLink, was_tried
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.message import Message
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.outcome import words
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.requests import host_port, reply_matches
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.rtp import PACKET_TIME, Media, read_answer

HANG_UP = 1.0  # seconds for BYE or CANCEL, beyond the call's deadline
PACKETS = 10  # that must come back: 0.2 s of speech
WINDOW = 50  # calls under way at once


@dataclass(frozen=True)
class Callee:
    """Whom to call: a number at a SIP address. transport: udp or tcp."""

    address: str
    number: str
    port: int = 5060
    transport: str = "udp"


@dataclass(frozen=True)
class CallSettings:
    """local_address: to call from (default: the system's choice). t1: seconds to the first retransmission, doubled each
    time. tries: the most sendings of one request. deadline: seconds from the INVITE to the end of the media."""

    local_address: Optional[str] = None
    t1: float = 0.2
    tries: int = 6
    deadline: float = 5.0


@dataclass(frozen=True)
class CallOutcome:
    """What became of one call.

    status, reason: of the final response to the INVITE; None and empty without one. provisional: the last 1xx.
    rtt: seconds from the first INVITE to that response. invites: how often it was sent.
    sent, received: RTP packets after the answer. ended: an answered call was hung up, and the other end knows.
    error: what went wrong beside the status. retry_after: the response says when to try again (RFC 3261 20.33).
    """

    status: Optional[int] = None
    reason: str = ""
    provisional: Optional[int] = None
    rtt: Optional[float] = None
    invites: int = 0
    sent: int = 0
    received: int = 0
    ended: bool = False
    error: str = ""
    retry_after: bool = False

    @property
    def answered(self) -> bool:
        """Whether the INVITE was accepted."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def completed(self) -> bool:
        """Whether it was answered and PACKETS packets came back."""
        return self.answered and self.received >= PACKETS


def place_calls(callees: Sequence[Callee], settings: CallSettings) -> list[CallOutcome]:
    """One outcome for each call, in order; WINDOW of them at once. Blocks until all are over."""
    if any(callee.transport not in ("udp", "tcp") for callee in callees):
        raise ValueError("the transport of a call is udp or tcp")
    if not callees:
        return []
    with ThreadPoolExecutor(max_workers=min(WINDOW, len(callees))) as pool:
        return list(pool.map(lambda callee: place_call(callee, settings), callees))


def place_call(callee: Callee, settings: CallSettings) -> CallOutcome:
    """The outcome of a single call."""
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        try:
            link = stack.enter_context(contextlib.closing(_link(callee, settings)))
            media = stack.enter_context(contextlib.closing(Media(link.family, link.host)))
        except (OSError, ValueError) as error:
            return CallOutcome(invites=int(was_tried(error, callee.address)), error=words(error))
        return _Call(callee, settings, link, media, started).run()


def _link(callee: Callee, settings: CallSettings) -> Union[UdpLink, TcpLink]:
    if callee.transport == "tcp":
        return TcpLink(callee.address, callee.port, settings.local_address, settings.deadline)
    return UdpLink(callee.address, callee.port, settings.local_address)


class _Call:
    """One call under way: its transactions, one after the other, and what comes in between."""

    def __init__(
        self, callee: Callee, settings: CallSettings, link: Union[UdpLink, TcpLink], media: Media, started: float
    ) -> None:
        self.settings = settings
        self.link = link
        self.media = media
        self.started = started
        self.ends_at = started + settings.deadline
        uri = f"sip:{callee.number}@{host_port(callee.address, callee.port)}"
        uri += ";transport=tcp" if callee.transport == "tcp" else ""
        tag, call_id = secrets.token_hex(6), secrets.token_hex(12)
        self.dialog = Dialog(uri, link.local, callee.transport, call_id, tag, new_branch())
        self.provisional: Optional[int] = None
        self.final: Optional[Message] = None
        self.rtt: Optional[float] = None
        self.invites = 0
        self.ended = False
        self.error = ""

    def run(self) -> CallOutcome:
        invite = self.dialog.invite(self.media.offer())
        self._transact("INVITE", self.dialog.branch, invite, self.ends_at)
        if self.final is None:
            self._give_up()
        elif self._is_answered():
            self._talk()
            self._hang_up(time.monotonic() + HANG_UP)
        return self._outcome()

    def _outcome(self) -> CallOutcome:
        # What came behind the deadline has no round-trip time, and does not count.
        final, media = None if self.rtt is None else self.final, self.media
        return CallOutcome(
            status=final.status if final else None,
            reason=final.reason if final else "",
            retry_after=bool(final and final.first("retry-after")),
            provisional=self.provisional,
            rtt=self.rtt,
            invites=self.invites,
            sent=media.sent,
            received=media.received,
            ended=self.ended,
            error=self.error or self.link.error,
        )

    def _is_answered(self) -> bool:
        return self.final is not None and self.final.status is not None and self.final.status < 300

    def _transact(self, method: str, branch: str, wire: bytes, ends_at: float) -> Optional[Message]:
        """Send a request, again and again, until its final response or `ends_at` (RFC 3261 17.1.1.2, 17.1.2.2)."""
        next_at: Optional[float] = time.monotonic()
        interval, tries = self.settings.t1, 1 if self.link.reliable else self.settings.tries
        while self._waits(ends_at):
            if next_at is not None and next_at <= time.monotonic():
                tries -= 1
                self.invites += int(self.link.send(wire) and method == "INVITE")
                next_at = time.monotonic() + interval if tries else None
                interval *= 2
            for message in self.link.receive(min(ends_at, next_at or ends_at)):
                self._take(message)
                if not reply_matches(message, branch, method) or message.status is None:
                    continue
                if message.status >= 200:
                    return message
                # An INVITE is heard now; any other request is sent more slowly.
                next_at = None if method == "INVITE" or next_at is None else time.monotonic() + T2
        return None

    def _waits(self, ends_at: float) -> bool:
        return time.monotonic() < ends_at and not self.link.closed

    def _take(self, message: Message) -> None:
        """What a message means for the call, whichever request is being waited for."""
        if message.status is None:
            self._requested(message)
        elif reply_matches(message, self.dialog.branch, "INVITE"):
            if message.status < 200:
                self.provisional = message.status
            else:
                self._finally(message)

    def _requested(self, request: Message) -> None:
        if request.first("call-id") == self.dialog.call_id and request.method == "BYE":
            self.link.send(ok(request))
            self.ended = True

    def _finally(self, message: Message) -> None:
        """A final response to the INVITE is acknowledged each time that it comes."""
        if self.final is None:
            self.final = message
            if time.monotonic() < self.ends_at:
                self.rtt = time.monotonic() - self.started
            hop = next_hop(message) if self._is_answered() else None
            if hop:
                self.link.redirect(*hop)
        # A 2xx of another branch of a fork has a tag of its own, and so its own ACK.
        if message.status is not None and message.status < 300:
            self.link.send(self.dialog.ack(message, new_branch()))
        else:
            self.link.send(self.dialog.ack_refusal(message))

    def _talk(self) -> None:
        """Send a packet every PACKET_TIME until PACKETS came back, the deadline, or the other end's BYE."""
        stream = read_answer(self.final.body) if self.final else None
        if stream is None:
            self.error = "the answer's SDP names no audio stream in G.711"
            return
        self.media.start(stream)
        next_at = time.monotonic()
        while self.media.received < PACKETS and not self.ended and next_at < self.ends_at:
            self.media.send()
            next_at += PACKET_TIME
            self.media.collect(next_at)
            for message in self.link.receive(0):
                self._take(message)

    def _hang_up(self, ends_at: float) -> None:
        if self.final is not None and not self.ended:
            branch = new_branch()
            self.ended = self._transact("BYE", branch, self.dialog.bye(self.final, branch), ends_at) is not None

    def _give_up(self) -> None:
        """CANCEL what rings; what is answered all the same is hung up. Without any 1xx, CANCEL is not allowed."""
        ends_at = time.monotonic() + HANG_UP
        while self.provisional is None and self.final is None and self._waits(ends_at):
            for message in self.link.receive(ends_at):
                self._take(message)
        if self.final is None and self.provisional is not None:
            self._transact("CANCEL", self.dialog.branch, self.dialog.cancel(), ends_at)
        while self.final is None and self.provisional is not None and self._waits(ends_at):
            for message in self.link.receive(ends_at):
                self._take(message)
        if self._is_answered():
            self._hang_up(ends_at)
