# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python3 -m standins.audiocodes SETTINGS``: the device, and calls as a Proxy Set of it says.

SETTINGS (JSON): ``address``, ``username``, ``password``, ``certificate``, ``key``, ``saved``, the file with the saved
configuration; ``proxy_set``, the number of the Proxy Set; ``sites``, the site of each address in it (``host:port``).
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from standins.audiocodes.device import Device, serve
from standins.audiocodes.store import Store
from standins.gateway.dispatcher import Dispatcher, replace

PORT = 443
INTERVAL = 0.2  # seconds between two looks at the tables and at the keep-alive


class KeptStore(Store):
    """A store whose saved configuration lies on the disk."""

    def __init__(self, file: Path) -> None:
        """Boot: run what was saved."""
        super().__init__(file.read_text())
        self._file = file

    def save(self) -> None:
        """Save to flash."""
        super().save()
        replace(self._file, self.saved)


def priorities(store: Store, proxy_set: int) -> dict[str, int]:
    """The addresses of a Proxy Set with Homing: the first one first."""
    addresses = store.addresses(proxy_set)
    return {address: len(addresses) - place for place, address in enumerate(addresses)}


def main(settings: Path) -> None:
    """Serve for ever."""
    told = json.loads(settings.read_text())
    store = KeptStore(Path(told["saved"]))
    device = Device(store, told["username"], told["password"])
    dispatcher = Dispatcher(told["sites"])
    with serve(device, Path(told["certificate"]), Path(told["key"]), told["address"], PORT):
        while True:
            in_service = dispatcher.follow(priorities(store, told["proxy_set"]))
            store.states = {address: "ONLINE" if up else "OFFLINE" for address, up in in_service.items()}
            time.sleep(INTERVAL)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
