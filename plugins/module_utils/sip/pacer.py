# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast new requests may begin: at jittered moments, and never more of them in any second than asked for."""

from __future__ import annotations

import math
import random
import threading
import time
from collections import deque
from typing import Deque, Optional

CATCH_UP = 0.02  # seconds of a rate that may be made up at once: timers and schedulers wake late
JITTER = 0.5  # of the time between two beginnings


def slot_of(rate: float) -> float:
    """Seconds for one beginning: as much longer than 1 / rate as the jitter takes, half a beginning in each second."""
    return (1 + JITTER / math.ceil(rate)) / rate


class Pacer:
    """Spreads beginnings over time: one in each slot, at a random moment of it. Safe to share between threads.

    What is asked in step answers in step, and a registrar would get all re-registrations in beats.
    """

    def __init__(self, rate: Optional[float]) -> None:
        """rate: beginnings a second that are never exceeded in any second; None for as fast as they come."""
        self._gap = 1 / rate if rate else 0.0
        self._width = slot_of(rate) if rate else 0.0
        most = math.ceil(rate) if rate else 1
        self._span = most * self._gap
        self._recent: Deque[float] = deque(maxlen=most)
        self._slot = time.monotonic()
        self._next = self._jittered()
        self._lock = threading.Lock()

    def due_in(self, now: float) -> float:
        """Seconds until the next beginning; 0 when it may be at once. now: monotonic clock."""
        return max(0.0, self._next - now) if self._gap else 0.0

    def take(self, now: float) -> float:
        """Use up one beginning; returns the seconds until its turn."""
        if not self._gap:
            return 0.0
        with self._lock:
            turn = max(self._next, now)
            self._recent.append(turn)
            self._slot += self._width + max(0.0, now - self._next - CATCH_UP)
            self._next = self._jittered()
            if len(self._recent) == self._recent.maxlen:
                self._next = max(self._next, self._recent[0] + self._span)
        return turn - now

    def _jittered(self) -> float:
        return self._slot + random.uniform(0, JITTER * self._gap)
