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
from pathlib import Path

from standins.audiocodes.device import Device, serve
from standins.audiocodes.store import Store
from standins.gateway.dispatcher import Dispatcher, keep_following, replace

PORT = 443


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

    def tell(in_service: dict[str, bool]) -> None:
        store.states = {address: "ONLINE" if up else "OFFLINE" for address, up in in_service.items()}

    with serve(device, Path(told["certificate"]), Path(told["key"]), told["address"], PORT):
        keep_following(Dispatcher(told["sites"]), lambda: priorities(store, told["proxy_set"]), tell)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
