# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Agent log-in, in place of T-Library: one JSON object a line over TCP on ``login_port``.

==========  ===============  =======================================================================================
op          request          answer
==========  ===============  =======================================================================================
login       agent, dn        refused on a backup leg, and in peered mode unless the DN is registered at this site
logout                       the agent of this connection
ping                         keeps the session: silence of ``session_silence`` ends it
agents                       ``agents``: the DNs logged in at this site
peer-login  dn, site         from the peer's side-car: the agent logged in there, so force the log-out here
==========  ===============  =======================================================================================

Answers are ``{"ok": true, …}`` or ``{"ok": false, "error": …}``; a forced log-out is
``{"event": "forced-logout", "dn": …}``. An agent whose session is lost stays logged in for ``session_grace``: after a
takeover the desktops come back to the other leg.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from standins.config_server.wire import LINE_LIMIT, Message, RefusedError, WireError, decode, encode
from standins.sip_server.kamailio_rpc import KamailioError
from standins.sip_server.leg import Leg

UNREACHABLE = (OSError, TimeoutError, KamailioError)


@dataclass(eq=False)
class Session:
    """One desktop's connection; ``dn`` is None until it logs in."""

    writer: asyncio.StreamWriter
    agent: str = ""
    dn: str | None = None


class LoginDesk:
    """Logs agents in and out. Who is logged in stands in an htable that both legs share; sessions are this leg's."""

    def __init__(self, leg: Leg) -> None:
        """Serve the log-ins of ``leg``."""
        self._leg = leg
        self._sessions: dict[str, Session] = {}
        self._orphans: dict[str, float] = {}
        self._told: set[asyncio.Task[None]] = set()

    async def serve(self, port: int) -> asyncio.Server:
        """Open the port on every address of the host."""
        return await asyncio.start_server(self._serve, "0.0.0.0", port, limit=LINE_LIMIT)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(writer)
        try:
            while line := await asyncio.wait_for(reader.readline(), self._leg.settings.session_silence):
                writer.write(encode(await self._answer(decode(line), session)))
                await writer.drain()
        except (OSError, TimeoutError, ValueError):
            pass  # silence, a hang-up and rubbish end the session alike
        finally:
            self._forget(session)
            writer.close()

    async def _answer(self, request: Message, session: Session) -> Message:
        try:
            return {"ok": True, **await self._operate(request, session)}
        except RefusedError as refused:
            return {"ok": False, "error": str(refused)}
        except UNREACHABLE:
            return {"ok": False, "error": "out of service"}

    async def _operate(self, request: Message, session: Session) -> Message:
        operation = request.get("op")
        if operation == "ping":
            return {}
        if not self._leg.is_primary:
            raise RefusedError("backup")
        if operation == "login":
            return await self._login(str(request.get("agent", "")), str(request.get("dn", "")), session)
        if operation == "logout":
            return await self._logout(session)
        if operation == "agents":
            return {"agents": sorted(await self._leg.agents())}
        if operation == "peer-login":
            return await self._forced_logout(str(request.get("dn", "")), str(request.get("site", "")))
        raise RefusedError(f"unknown operation {operation!r}")

    async def _login(self, agent: str, dn: str, session: Session) -> Message:
        if not dn:
            raise RefusedError("a DN is expected")
        peered = await self._leg.is_peered()
        if peered and not await self._leg.kamailio.is_registered(dn):
            raise RefusedError(f"DN {dn} is not registered here")
        await self._leg.set_agent(dn, True)
        session.agent, session.dn = agent, dn
        self._sessions[dn] = session
        if peered:
            task = asyncio.create_task(self._tell_peer(dn))
            self._told.add(task)
            task.add_done_callback(self._told.discard)
        return {"dn": dn, "mode": "peered" if peered else "single-site"}

    async def _logout(self, session: Session) -> Message:
        dn = session.dn
        self._forget(session)
        if dn:
            await self._leg.set_agent(dn, False)
        return {"dn": dn}

    async def _forced_logout(self, dn: str, site: str) -> Message:
        if not await self._leg.is_peered():
            raise RefusedError("single-site mode")
        session = self._sessions.pop(dn, None)
        await self._leg.set_agent(dn, False)
        if session:
            session.dn = None
            session.writer.write(encode({"event": "forced-logout", "dn": dn, "reason": f"logged in at {site}"}))
        return {}

    async def _tell_peer(self, dn: str) -> None:
        settings = self._leg.settings
        try:
            async with asyncio.timeout(settings.answer_timeout):
                reader, writer = await asyncio.open_connection(settings.peer_address, settings.login_port)
                writer.write(encode({"op": "peer-login", "dn": dn, "site": settings.site}))
                decode(await reader.readline())
                writer.close()
        except (OSError, TimeoutError, WireError):
            pass  # a peer that cannot be told is about to be found out of service by the trunk's own pings

    def _forget(self, session: Session) -> None:
        if session.dn and self._sessions.get(session.dn) is session:
            del self._sessions[session.dn]
        session.dn = None

    async def upkeep(self) -> None:
        """Log out, after the grace, agents without a session; put back those whom a restarted Kamailio forgot.

        A leg that is no longer primary drops its sessions but logs nobody out: the agents belong to the other leg now.
        """
        if not self._leg.is_primary:
            self._orphans.clear()
            for session in list(self._sessions.values()):
                session.writer.transport.abort()
            return
        agents = await self._leg.agents()
        for dn in self._sessions.keys() - agents:
            await self._leg.set_agent(dn, True)
        now = time.monotonic()
        self._orphans = {dn: self._orphans.get(dn, now) for dn in agents - self._sessions.keys()}
        for dn, since in self._orphans.items():
            if now - since > self._leg.settings.session_grace:
                await self._leg.set_agent(dn, False)
