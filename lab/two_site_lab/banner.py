# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits in parallel until every address answers with an SSH banner: ``python -m two_site_lab.banner SECONDS ADDRESS…``.

Runs in the control namespace, so it sees what Ansible will see. Prints one JSON object: seconds (or null) by address.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

TRY = 0.3
PAUSE = 0.05


def seconds_to_banner(address: str, deadline: float) -> float | None:
    """Seconds until port 22 of ``address`` greeted, or None when ``deadline`` seconds were over before."""
    started = time.monotonic()
    while (waited := time.monotonic() - started) < deadline:
        if _greets(address):
            return round(waited, 2)
        time.sleep(PAUSE)
    return None


def _greets(address: str) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((address, 22), TRY) as connection:
        return connection.recv(4) == b"SSH-"
    return False


def main(argv: list[str]) -> int:
    """Wait for all addresses at once; exit status 1 when one never greeted."""
    deadline, addresses = float(argv[0]), argv[1:]
    with ThreadPoolExecutor(len(addresses)) as pool:
        times = dict(zip(addresses, pool.map(lambda address: seconds_to_banner(address, deadline), addresses)))
    print(json.dumps(times))
    return int(None in times.values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
