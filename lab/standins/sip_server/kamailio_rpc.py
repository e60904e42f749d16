# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kamailio's JSON-RPC over HTTP on the loopback, the few words of it that the side-car speaks."""

from __future__ import annotations

import asyncio
import json
from typing import Any


class KamailioError(Exception):
    """Kamailio said no; its reason is the text."""


class Kamailio:
    """The Kamailio of this host. Each call is one connection; OSError or TimeoutError if it is dead or frozen."""

    def __init__(self, port: int, timeout: float) -> None:
        """Speak to ``127.0.0.1:port``; each call may take ``timeout`` seconds."""
        self._port = port
        self._timeout = timeout

    async def call(self, method: str, *params: object) -> Any:  # noqa: ANN401  (any JSON value)
        """The result of one method."""
        return await asyncio.wait_for(self._call(method, params), self._timeout)

    async def _call(self, method: str, params: tuple[object, ...]) -> Any:  # noqa: ANN401  (any JSON value)
        body = json.dumps({"jsonrpc": "2.0", "method": method, "params": params, "id": 1}).encode()
        head = f"POST /RPC HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(head + body)
            answer = json.loads(await _body(reader))
        finally:
            writer.close()
        if "error" in answer:
            raise KamailioError(answer["error"].get("message", "no reason given"))
        return answer.get("result")

    async def numbers(self, table: str) -> dict[str, int]:
        """The items of an htable of numbers."""
        slots = await self.call("htable.dump", table)
        return {item["name"]: int(item["value"]) for slot in slots or [] for item in slot["slot"]}

    async def set_number(self, table: str, key: str, value: int) -> None:
        """Put a number into an htable."""
        await self.call("htable.seti", table, key, value)

    async def is_registered(self, dn: str) -> bool:
        """Is any contact bound to the DN here?"""
        try:
            await self.call("ul.lookup", "location", dn)
        except KamailioError:
            return False
        return True


async def _body(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return await reader.readexactly(int(value))
    raise ConnectionError("Kamailio's answer has no Content-Length")
