# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sees while the lab works: one line per step, with its time."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


def say(text: str) -> None:
    """Print one line for the person at once; standard output stays free for answers."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(what: str, announce: bool = False) -> Iterator[None]:
    """Time a step and say it when it is done; ``announce`` says it before, too, for what takes over two seconds."""
    if announce:
        say(f"         {what} …")
    started = time.monotonic()
    yield
    say(f"{time.monotonic() - started:6.1f} s {what}")
