# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python3 -m standins.phones SETTINGS``: all phones of the lab that have one registration.

SETTINGS is JSON: ``address`` (where they are), ``directory`` (of the provisioning files) and ``lines``, a list of
``{file, port}``.
"""

from __future__ import annotations

import asyncio
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

from standins.phones.line import Line


def _same(line: Line) -> Line:
    return line


async def run(settings: dict[str, Any]) -> None:
    """Be all the phones, for ever."""
    loop = asyncio.get_running_loop()
    directory, address = Path(settings["directory"]), settings["address"]
    lines = [Line(directory / each["file"], address, each["port"]) for each in settings["lines"]]
    for line, each in zip(lines, settings["lines"], strict=True):
        await loop.create_datagram_endpoint(partial(_same, line), local_addr=(address, each["port"]))
    await asyncio.gather(*(line.run() for line in lines))


if __name__ == "__main__":
    asyncio.run(run(json.loads(Path(sys.argv[1]).read_text())))
