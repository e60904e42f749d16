# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One agent's desktop, with the rule of Workspace's Business Continuity.

``disaster-recovery.timeout`` is the "time in seconds to wait after the detection of the disconnection from current site
… before switching to the corresponding Disaster Recovery site" (Workspace Desktop Edition, 8.5.1; its default is 60).
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from standins.config_server.wire import Message, WireError, decode, encode

LOST = ("out of service", "backup")


@dataclass(frozen=True)
class Site:
    """A site's log-in port."""

    name: str
    address: str
    port: int


@dataclass(frozen=True)
class Timers:
    """All in seconds; ``dr_timeout`` is Workspace's ``disaster-recovery.timeout``."""

    dr_timeout: float
    ping: float = 2.0
    answer: float = 2.0
    retry: float = 1.0


class Desktop:
    """One agent at one DN: logged in at one site at a time, and it stays where it moved to."""

    def __init__(self, agent: str, dn: str, sites: list[Site], timers: Timers) -> None:
        """Begin at the first of the ``sites``."""
        self._agent = agent
        self._dn = dn
        self._sites = sites
        self._timers = timers
        self._forced_out = False

    async def run(self) -> None:
        """Be at work for ever."""
        while True:
            await self._stay(self._sites[0])
            self._sites = [*self._sites[1:], self._sites[0]]
            print(f"{self._agent}: moves to {self._sites[0].name}", flush=True)

    async def _stay(self, site: Site) -> None:
        """Work at a site; returns when it has been lost for ``dr_timeout``."""
        lost_at = time.monotonic()
        while time.monotonic() - lost_at < self._timers.dr_timeout:
            try:
                reader, writer = await asyncio.wait_for(
                    asyncio.open_connection(site.address, site.port), self._timers.answer
                )
            except (OSError, TimeoutError):
                await asyncio.sleep(self._timers.retry)
                continue
            try:
                if await self._work(reader, writer):
                    lost_at = time.monotonic()
            finally:
                writer.transport.abort()
            await asyncio.sleep(self._timers.retry)

    async def _work(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Log in and keep the session until it is lost. Did the site ever serve us?"""
        served = logged_in = self._forced_out = False
        try:
            while True:
                operation = "ping" if logged_in or self._forced_out else "login"
                answer = await self._ask(reader, writer, operation)
                if answer.get("error") in LOST:
                    return served
                served = True
                logged_in = (logged_in or bool(answer.get("ok"))) and not self._forced_out
                await asyncio.sleep(self._timers.ping if logged_in else self._timers.retry)
        except (OSError, TimeoutError, WireError):
            return served

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, operation: str) -> Message:
        writer.write(encode({"op": operation, "agent": self._agent, "dn": self._dn}))
        while True:
            message = decode(await asyncio.wait_for(reader.readline(), self._timers.answer))
            if "event" not in message:
                return message
            # whoever logged in at the other site has the DN now: logging in again here would only throw them out
            self._forced_out = True
