# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration Server Proxy: reads from its cache, with or without a master; never a write (Framework 8.5.1, CSProxy).

The master is found by name, and the name is looked up afresh at every reconnect: that is how a name change moves it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from standins.config_server.desk import Desk
from standins.config_server.objects import ObjectCache
from standins.config_server.settings import Settings, read_settings
from standins.config_server.wire import LINE_LIMIT, Message, RefusedError, decode, encode, notify_ready

RECONNECT_INTERVAL = 0.3
CONNECT_LIMIT = 0.7
HEARTBEAT_INTERVAL = 1.0


class Proxy:
    """Backend of the desk: the master's objects as last seen."""

    def __init__(self, settings: Settings) -> None:
        """Know nothing until a master was reached once."""
        self.objects = ObjectCache()
        self.desk = Desk(self)
        self._settings = settings
        self._host, self._port = settings.source["host"], int(settings.source["port"])
        self._silence_limit = float(settings.source["addp-timeout"])
        self._master: str | None = None

    @property
    def serves(self) -> bool:
        """Reads are served as soon as anything was ever loaded."""
        return len(self.objects) > 0

    def status(self) -> Message:
        """``connected`` says whether the master is there; ``master`` is its address, or the last one."""
        return {
            "mode": "proxy",
            "in_service": self.serves,
            "read_only": True,
            "site": self._settings.site,
            "master_name": f"{self._host}:{self._port}",
            "master": self._master,
            "connected": self._master is not None,
        }

    async def write(self, obj: Message, username: str) -> Message:
        """Always refused."""
        raise RefusedError("read-only")

    async def follow(self) -> None:
        """For ever: stay connected to whichever master the name means."""
        while True:
            try:
                async with self._connection() as (reader, writer):
                    await self._load(reader, writer)
                    await self._listen(reader)
            except (OSError, RefusedError) as lost:
                if self._master is not None:
                    print(f"lost the master at {self._master}: {lost!r}", file=sys.stderr, flush=True)
            self._master = None
            await asyncio.sleep(RECONNECT_INTERVAL)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        opening = asyncio.open_connection(self._host, self._port, limit=LINE_LIMIT)
        reader, writer = await asyncio.wait_for(opening, CONNECT_LIMIT)
        beat = asyncio.create_task(self._beat(writer))
        try:
            yield reader, writer
        finally:
            beat.cancel()
            writer.transport.abort()

    async def _load(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(encode({"op": "subscribe"}))
        answer = await self._next(reader)
        while "objects" not in answer:
            if not answer.get("ok"):
                raise RefusedError(answer.get("error", ""))
            answer = await self._next(reader)
        for obj in self.objects.replace(answer["objects"]):
            self.desk.announce(obj)
        address, port = writer.get_extra_info("peername")[:2]
        self._master = f"{address}:{port}"
        print(f"connected to the master at {self._master}", file=sys.stderr, flush=True)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while True:
            message = await self._next(reader)
            if message.get("event") == "changed" and self.objects.put(message["object"]):
                self.desk.announce(message["object"])

    async def _next(self, reader: asyncio.StreamReader) -> Message:
        line = await asyncio.wait_for(reader.readline(), self._silence_limit)
        return decode(line)

    @staticmethod
    async def _beat(writer: asyncio.StreamWriter) -> None:
        """Ask for a sign of life: a dead host never hangs up."""
        while True:
            writer.write(encode({"op": "ping"}))
            await asyncio.sleep(HEARTBEAT_INTERVAL)


async def serve(settings: Settings) -> None:
    """Run the proxy until it is stopped."""
    proxy = Proxy(settings)
    await proxy.desk.listen(*settings.ports)
    notify_ready()
    await proxy.follow()


def main() -> None:
    """Run as a service."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-c", dest="file", type=Path, default=Path("confserv-proxy.conf"), help="configuration file")
    asyncio.run(serve(read_settings(parser.parse_args().file, "confserv-proxy")))


if __name__ == "__main__":
    main()
