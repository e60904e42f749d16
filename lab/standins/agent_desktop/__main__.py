# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python3 -m standins.agent_desktop SETTINGS``: the desktops of all agents.

SETTINGS is JSON: ``dr_timeout`` (seconds), ``sites`` ``{name: [address, port]}`` and ``agents``, a list of
``{agent, dn, site}`` with the site where the shift begins.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from standins.agent_desktop.desktop import Desktop, Site, Timers


async def run(settings: dict[str, Any]) -> None:
    """Be all the agents, for ever."""
    timers = Timers(settings["dr_timeout"])
    sites = [Site(name, address, port) for name, (address, port) in settings["sites"].items()]
    desktops = []
    for each in settings["agents"]:
        home = [site for site in sites if site.name == each["site"]]
        ordered = home + [site for site in sites if site not in home]
        desktops.append(Desktop(each["agent"], each["dn"], ordered, timers))
    await asyncio.gather(*(desktop.run() for desktop in desktops))


if __name__ == "__main__":
    asyncio.run(run(json.loads(Path(sys.argv[1]).read_text())))
