# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks again and again within one module call, and comes back as soon as there is something new to say.

A module call costs a connection's round trip and a Python's start, many times what the look itself costs; so a
continuous run lets one call look for some seconds, and still hears of a change at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Answer

WORDS = ("value", "answered", "run_mode", "role", "prefers", "options")
"""What an answer says; the rest of it is times, counts and wording."""

Said = dict[str, Any]


class Look(NamedTuple):
    """One look: its answers, this host's clock when it began, and seconds: from the first look's begin, and it took."""

    answers: list[Answer]
    clock: float
    waited: float
    elapsed: float


def look_until_new(
    ask: Callable[[], list[Answer]], interval: float, seconds: float, known: Optional[Mapping[str, Said]]
) -> Look:
    """Look every `interval` seconds until the answers say something else than `known`, and once at least.

    known: `said` of the answers before; None: whatever is found is new. After `seconds` what is known comes back.
    """
    begun = time.monotonic()
    while True:
        clock, started = time.time(), time.monotonic()
        answers = ask()
        now = time.monotonic()
        if known is None or said(answers) != known or max(started + interval, now) >= begun + seconds:
            return Look(answers, clock, started - begun, now - started)
        threading.Event().wait(max(0.0, started + interval - now))


def said(answers: list[Answer]) -> Said:
    """What answers say, by the check's id; equal for two looks that found the same."""
    return {answer["id"]: _said(answer) for answer in answers}


def _said(answer: Mapping[str, Any]) -> Said:
    words: Said = {key: answer[key] for key in WORDS if key in answer}
    if "targets" in answer:
        words["targets"] = {site: _said(target) for site, target in answer["targets"].items()}
    if "store" in answer:
        words["versions"] = {key: record["version"] for key, record in answer["store"]["records"].items()}
    return words
