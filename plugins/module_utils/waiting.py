# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for a condition with a deadline: the only way in which these modules wait."""

from __future__ import annotations

import threading
import time
from typing import Callable, Optional, TypeVar

Answer = TypeVar("Answer")


def wait_for(condition: Callable[[], Optional[Answer]], deadline: float, interval: float) -> Optional[Answer]:
    """Ask `condition` every `interval` seconds until it answers something true, `deadline` seconds at most.

    Returns that answer, or None. It is asked at least once, and once more when the time is over: what became true
    during the last interval counts.
    """
    end = time.monotonic() + deadline
    pause = threading.Event()
    while True:
        answer = condition()
        if answer:
            return answer
        left = end - time.monotonic()
        if left <= 0:
            return None
        pause.wait(min(interval, left))
