# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's detached supervisor: heals what has run out even when the one who injected it is gone.

It runs as ``python -m two_site_lab.supervisor ID`` in a session of its own and ends by itself when the lab is down.
"""

from __future__ import annotations

import sys
import threading
import time

from two_site_lab.injection import heal_expired
from two_site_lab.lab import Lab

INTERVAL = 0.5


def main(lab_id: str) -> None:
    """Heal what has run out, over and over, until the lab is down."""
    lab = Lab(lab_id)
    pause = threading.Event()
    while lab.state.record.exists():
        if any(fault.expired(time.time()) for fault in lab.faults.all()):
            with lab.state.exclusive():
                heal_expired(lab, time.time())
        pause.wait(INTERVAL)


if __name__ == "__main__":
    main(sys.argv[1])
