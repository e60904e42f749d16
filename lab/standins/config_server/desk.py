# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The front desk of a Configuration Server: sessions, requests, subscriptions. Master and proxy differ behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from standins.config_server.objects import ObjectCache
from standins.config_server.wire import LINE_LIMIT, Message, RefusedError, decode, encode


class Backend(Protocol):
    """What stands behind the desk."""

    objects: ObjectCache

    @property
    def serves(self) -> bool:
        """May clients read?"""

    def status(self) -> Message:
        """Mode and run state, for anybody who asks."""

    async def write(self, obj: Message, username: str) -> Message:
        """Store an object; the answer to the client, or RefusedError."""


@dataclass(eq=False)
class Session:
    """One client's connection: who logged in, and the type it wants to hear about (``*``: all, None: nothing)."""

    writer: asyncio.StreamWriter
    username: str | None = None
    subscribed: str | None = None


class Desk:
    """Serves the wire (see wire.py) on any number of ports."""

    def __init__(self, backend: Backend) -> None:
        """Serve what ``backend`` knows."""
        self._backend = backend
        self._sessions: set[Session] = set()
        self._operations: dict[str, Callable[[Message, Session], Awaitable[Message]]] = {
            "login": self._login,
            "read": self._read,
            "list": self._list,
            "write": self._write,
            "subscribe": self._subscribe,
        }

    async def listen(self, *ports: int) -> list[asyncio.Server]:
        """Open the ports on every address of the host."""
        return [await asyncio.start_server(self._serve, "0.0.0.0", port, limit=LINE_LIMIT) for port in ports]

    def announce(self, obj: Message) -> None:
        """Tell every subscriber of that type, now."""
        line = encode({"event": "changed", "object": obj})
        for session in self._sessions:
            if session.subscribed not in ("*", obj["type"]):
                continue
            session.writer.write(line)
            if session.writer.transport.get_write_buffer_size() > LINE_LIMIT:
                session.writer.transport.abort()  # a client that no longer reads must not cost the others memory

    def hang_up(self) -> None:
        """Drop every client, as a server does that goes out of service."""
        for session in self._sessions:
            session.writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(writer)
        self._sessions.add(session)
        try:
            while line := await reader.readline():
                writer.write(encode(await self._answer(decode(line), session)))
                await writer.drain()
        except (OSError, ValueError):
            pass  # a client that hangs up or talks rubbish ends its own connection and nothing else
        finally:
            self._sessions.discard(session)
            writer.close()

    async def _answer(self, request: Message, session: Session) -> Message:
        operation = str(request.get("op"))
        if operation in ("status", "ping"):
            return {"ok": True, **(self._backend.status() if operation == "status" else {})}
        try:
            return {"ok": True, **await self._operate(operation, request, session)}
        except RefusedError as refused:
            return {"ok": False, "error": str(refused)}

    async def _operate(self, operation: str, request: Message, session: Session) -> Message:
        if operation not in self._operations:
            raise RefusedError(f"unknown operation {operation!r}")
        if not self._backend.serves:
            raise RefusedError("out of service")
        return await self._operations[operation](request, session)

    async def _login(self, request: Message, session: Session) -> Message:
        username, password = str(request.get("username", "")), str(request.get("password", ""))
        if not self._backend.objects.is_password(username, password):
            raise RefusedError("wrong user name or password")
        session.username = username
        return {"username": username}

    async def _read(self, request: Message, _session: Session) -> Message:
        found = self._backend.objects.find(request.get("type"), request.get("name"), request.get("dbid"))
        if not found:
            raise RefusedError("no such object")
        return {"object": found[0]}

    async def _list(self, request: Message, _session: Session) -> Message:
        return {"objects": self._backend.objects.find(request.get("type"), request.get("name"))}

    async def _write(self, request: Message, session: Session) -> Message:
        if self._backend.status()["read_only"]:
            raise RefusedError("read-only")
        if session.username is None:
            raise RefusedError("not permitted: log in first")
        obj = request.get("object")
        if not isinstance(obj, dict) or not obj.get("type"):
            raise RefusedError("an object with its type is expected")
        return await self._backend.write(obj, session.username)

    async def _subscribe(self, request: Message, session: Session) -> Message:
        session.subscribed = request.get("type") or "*"
        return {"objects": self._backend.objects.find(request.get("type"))}
