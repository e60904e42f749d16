# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SIP Server's link to its configuration: the site's Configuration Server Proxy, else the master itself."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from standins.config_server.wire import LINE_LIMIT, Message, WireError, decode, encode, properties
from standins.sip_server.leg import Leg

SECTION = "TServer"
QUIET = 5.0
RETRY = 2.0


class ConfigLink:
    """Keeps ``dr-peer-trunk`` and ``dr-forward`` as configured; while nobody answers, as they were read last."""

    def __init__(self, leg: Leg) -> None:
        """Configure ``leg``."""
        self._leg = leg

    async def run(self) -> None:
        """Follow the configuration for ever."""
        while True:
            for host, port in self._leg.settings.config_servers:
                with suppress(OSError, TimeoutError, WireError):
                    await self._follow(host, port)
            await asyncio.sleep(RETRY)

    async def _follow(self, host: str, port: int) -> None:
        timeout = self._leg.settings.answer_timeout
        reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port, limit=LINE_LIMIT), timeout)
        try:
            writer.write(encode({"op": "subscribe", "type": "CfgApplication"}))
            while True:
                message = await self._receive(reader, writer)
                if message.get("ok") is False:
                    return
                for obj in (*message.get("objects", []), message.get("object", {})):
                    await self._take(obj)
        finally:
            writer.close()

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Message:
        """The next message; a link that is quiet is asked for a sign of life, and TimeoutError if it gives none."""
        try:
            return decode(await asyncio.wait_for(reader.readline(), QUIET))
        except TimeoutError:
            writer.write(encode({"op": "ping"}))
            return decode(await asyncio.wait_for(reader.readline(), QUIET))

    async def _take(self, obj: Message) -> None:
        if obj.get("name") != self._leg.settings.application or obj.get("type") != "CfgApplication":
            return
        options = properties(obj)
        self._leg.dr_peer_trunk = options.get((SECTION, "dr-peer-trunk"))
        self._leg.dr_forward = options.get((SECTION, "dr-forward"), "off")
        # a Kamailio that does not answer now is told by the next upkeep
        with suppress(OSError, TimeoutError):
            await self._leg.apply_options()
