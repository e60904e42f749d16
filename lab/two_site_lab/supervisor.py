# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's detached supervisor: heals what has run out and turns what flaps, though the one who injected it is gone.

It runs as ``python -m two_site_lab.supervisor ID`` in a session of its own and ends by itself when the lab is down.
"""

from __future__ import annotations

import sys
import threading
import time

from two_site_lab.errors import LabError
from two_site_lab.injection import heal_expired, turn, turns
from two_site_lab.lab import Lab

INTERVAL = 0.5


def main(lab_id: str) -> None:
    """Heal and turn, over and over, until the lab is down."""
    lab = Lab(lab_id)
    pause = threading.Event()
    flapping: dict[int, bool] = {}
    while lab.state.record.exists():
        try:
            flapping = tend(lab, flapping)
        except LabError as error:  # a host that does not come back in time must not end the healing of all others
            lab.state.event("trouble", error=str(error))
        pause.wait(INTERVAL)


def tend(lab: Lab, flapping: dict[int, bool]) -> dict[int, bool]:
    """One look: heal what has run out, and turn the flapping links; returns which of them are cut now."""
    if any(fault.expired(time.time()) for fault in lab.faults.all()):
        with lab.state.exclusive():
            heal_expired(lab, time.time())
    now = time.time()
    cut = turns(lab.faults.all(), now)
    if any(flapping.get(number, True) != is_cut for number, is_cut in cut.items()):
        with lab.state.exclusive():
            turn(lab, flapping, now)
    return cut


if __name__ == "__main__":
    main(sys.argv[1])
