# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One phone: keeps its registration, answers calls by itself, and reads its provisioning file again on check-sync."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from contextlib import suppress
from pathlib import Path
from typing import cast

from standins.phones.message import Message, parse, request, response
from standins.phones.provisioning import Account, read_account

T1 = 0.5
ANSWER_TIMEOUT = 4.0
RETRY = 5.0
ALLOW = (("allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY"),)


class Line(asyncio.DatagramProtocol):
    """A phone of one line on a UDP port of its own, with one server at a time.

    It does not fail over by itself, though its file has a second server: whoever moves it has to ask it. It never
    restarts, and a call goes on while it reads its file and registers anew.
    """

    def __init__(self, provisioning_file: Path, address: str, port: int) -> None:
        """Live by ``provisioning_file``, at ``address:port``."""
        self._file = provisioning_file
        self._here = f"{address}:{port}"
        self._address = address
        self._tag = secrets.token_hex(4)
        self._call_id = f"{secrets.token_hex(8)}@{address}"
        self._sequence = itertools.count(1)
        self._account: Account | None = None
        self._changed = asyncio.Event()
        self._waiting: dict[tuple[str, str], asyncio.Future[Message]] = {}
        self._unacknowledged: dict[str, asyncio.Task[None]] = {}
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The port is open."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def error_received(self, exc: Exception) -> None:
        """An ICMP error is silence like any other."""

    async def run(self) -> None:
        """Stay registered for ever; a silent server is tried again and again."""
        await self._provision()
        while True:
            self._changed.clear()
            account = self._account
            registered = account is not None and await self._register(account, account.expires)
            wait = account.expires / 2 if account and registered else RETRY
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), wait)

    async def _provision(self) -> None:
        before = self._account
        try:
            self._account = read_account(self._file)
        except (OSError, KeyError, ValueError) as problem:
            print(f"{self._file}: {problem!r}; keeping what it was", flush=True)
            return
        self._changed.set()
        if before and (before.server, before.user) != (self._account.server, self._account.user):
            print(f"{before.user}: from {before.server} to {self._account.server}", flush=True)
            await self._register(before, 0)

    async def _register(self, account: Account, expires: int) -> bool:
        """One REGISTER transaction (17.1.2, given up sooner): was it answered with 200?"""
        number = str(next(self._sequence))
        uri = f"sip:{account.server}:{account.port}"
        address_of_record = f"<sip:{account.user}@{account.server}>"
        text = request(
            "REGISTER",
            uri,
            [
                ("via", f"SIP/2.0/UDP {self._here};rport;branch=z9hG4bK{secrets.token_hex(8)}"),
                ("max-forwards", "70"),
                ("from", f"{address_of_record};tag={self._tag}"),
                ("to", address_of_record),
                ("call-id", self._call_id),
                ("cseq", f"{number} REGISTER"),
                ("contact", f"<sip:{account.user}@{self._here}>"),
                ("expires", str(expires)),
            ],
        )
        answer = await self._transact(text, (account.server, account.port), (self._call_id, number))
        return answer is not None and answer.status == 200

    async def _transact(self, text: bytes, target: tuple[str, int], key: tuple[str, str]) -> Message | None:
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[key] = future
        resend = asyncio.create_task(self._repeat(text, target))
        try:
            return await asyncio.wait_for(future, ANSWER_TIMEOUT)
        except TimeoutError:
            return None
        finally:
            resend.cancel()
            del self._waiting[key]

    async def _repeat(self, text: bytes, target: tuple[str, int]) -> None:
        """Send now and again, at intervals that double from T1."""
        interval = T1
        while interval <= ANSWER_TIMEOUT:
            self._transport.sendto(text, target)
            await asyncio.sleep(interval)
            interval *= 2

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """A message came in."""
        try:
            message = parse(data)
        except ValueError:
            return  # keep-alives and rubbish
        if message.is_response:
            future = self._waiting.get((message.header("call-id"), message.header("cseq").split()[0]))
            if future and not future.done() and message.status >= 200:
                future.set_result(message)
        else:
            self._serve(message, addr)

    def _serve(self, asked: Message, source: tuple[str, int]) -> None:
        if asked.method == "ACK":
            self._acknowledged(asked.header("call-id"))
        elif asked.method == "INVITE":
            self._answer_call(asked, source)
        elif asked.method == "NOTIFY" and asked.header("event").split(";")[0].strip() == "check-sync":
            self._reply(asked, "200 OK", source)
            self._sync = asyncio.create_task(self._provision())
        elif asked.method in ("BYE", "CANCEL", "OPTIONS"):
            self._acknowledged(asked.header("call-id"))
            self._reply(asked, "200 OK", source)
        else:
            self._reply(asked, "489 Bad Event" if asked.method == "NOTIFY" else "405 Method Not Allowed", source)

    def _reply(self, asked: Message, status: str, source: tuple[str, int]) -> None:
        self._transport.sendto(response(asked, status, self._tag, ALLOW), source)

    def _answer_call(self, invite: Message, source: tuple[str, int]) -> None:
        """Answer at once; the 200 is repeated until its ACK comes (13.3.1.4)."""
        call = invite.header("call-id")
        if call in self._unacknowledged:
            return
        user = self._account.user if self._account else "phone"
        extra = (("contact", f"<sip:{user}@{self._here}>"), *ALLOW, ("content-type", "application/sdp"))
        text = response(invite, "200 OK", self._tag, extra, self._media())
        task = asyncio.create_task(self._repeat(text, source))
        self._unacknowledged[call] = task
        task.add_done_callback(lambda _: self._unacknowledged.pop(call, None))

    def _acknowledged(self, call: str) -> None:
        task = self._unacknowledged.get(call)
        if task:
            task.cancel()

    def _media(self) -> str:
        """An SDP answer that takes audio and sends none: signalling is what the lab is about."""
        lines = ("v=0", f"o=phone 1 1 IN IP4 {self._address}", "s=-", f"c=IN IP4 {self._address}", "t=0 0")
        return "\r\n".join((*lines, "m=audio 40000 RTP/AVP 0", "a=recvonly", ""))
