# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python3 -m standins.sip_server SETTINGS``: the side-car of one leg."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from standins.sip_server import monitoring_page
from standins.sip_server.config_link import ConfigLink
from standins.sip_server.kamailio_rpc import Kamailio
from standins.sip_server.leg import Leg
from standins.sip_server.login_desk import UNREACHABLE, LoginDesk
from standins.sip_server.settings import Settings, load


async def run(settings: Settings) -> None:
    """Serve for ever."""
    leg = Leg(settings, Kamailio(settings.rpc_port, settings.answer_timeout))
    desk = LoginDesk(leg)
    servers = [await monitoring_page.serve(leg, settings.http_port), await desk.serve(settings.login_port)]
    link = asyncio.create_task(ConfigLink(leg).run())
    while all(server.is_serving() for server in servers) and not link.done():
        try:
            await leg.apply_options()
            await desk.upkeep()
        except UNREACHABLE as problem:
            print(f"Kamailio does not answer: {problem!r}", flush=True)
        await asyncio.sleep(settings.upkeep)
    await link


if __name__ == "__main__":
    asyncio.run(run(load(Path(sys.argv[1]))))
