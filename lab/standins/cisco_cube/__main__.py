# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python3 -m standins.cisco_cube SETTINGS``: the router, its console, and calls as its dial-peers say.

SETTINGS (JSON): ``startup``, the file with the saved configuration; ``console``, the Unix socket; ``sites``, the site
of each target (``host:port``).
"""

from __future__ import annotations

import json
import re
import sys
import threading
from pathlib import Path

from standins.cisco_cube.console import Console
from standins.cisco_cube.ios import Router
from standins.gateway.dispatcher import Dispatcher, keep_following, replace

LAST = 10  # the preference of a dial-peer that is tried last


class KeptRouter(Router):
    """A router whose startup configuration lies on the disk."""

    def __init__(self, startup: Path) -> None:
        """Boot: run what was saved."""
        super().__init__()
        self._file = startup
        self.load(startup.read_text())

    def save(self) -> None:
        """write memory."""
        super().save()
        replace(self._file, self.text(self.startup))


def priorities(router: Router) -> dict[str, int]:
    """The targets of the dial-peers that are not shut down; of several with one target the most preferred counts."""
    found: dict[str, int] = {}
    for header, lines in router.running.items():
        if header.startswith("dial-peer voice ") and "shutdown" not in lines:
            preference = re.search(r"^preference (\d+)$", "\n".join(lines), re.MULTILINE)
            priority = LAST - int(preference[1] if preference else 0)
            for target in router.targets(lines):
                found[target] = max(priority, found.get(target, 0))
    return found


def main(settings: Path) -> None:
    """Serve for ever."""
    told = json.loads(settings.read_text())
    router = KeptRouter(Path(told["startup"]))
    console = Console(Path(told["console"]), router)
    threading.Thread(target=console.serve_forever, daemon=True).start()

    def wanted() -> dict[str, int]:
        with console.lock:
            return priorities(router)

    def tell(in_service: dict[str, bool]) -> None:
        with console.lock:
            router.keepalive = {target: "active" if up else "busyout" for target, up in in_service.items()}

    keep_following(Dispatcher(told["sites"]), wanted, tell)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
