# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast new requests may begin."""

from __future__ import annotations

import threading
import time
from typing import Optional

CATCH_UP = 0.02  # seconds of a rate that may be made up at once: timers and schedulers wake late


class Pacer:
    """Spreads beginnings evenly over time. Safe to share between threads."""

    def __init__(self, rate: Optional[float]) -> None:
        """rate: beginnings a second; None for as fast as they come."""
        self._gap = 1 / rate if rate else 0.0
        self._next = time.monotonic()
        self._lock = threading.Lock()

    def due_in(self, now: float) -> float:
        """Seconds until the next beginning; 0 when it may be at once. now: monotonic clock."""
        return max(0.0, self._next - now) if self._gap else 0.0

    def take(self, now: float) -> float:
        """Use up one beginning; returns the seconds until its turn."""
        if not self._gap:
            return 0.0
        with self._lock:
            turn = max(self._next, now - CATCH_UP)
            self._next = turn + self._gap
        return max(0.0, turn - now)
