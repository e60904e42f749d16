# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sees while a playbook runs: a line for each play that did something, and refusals at once."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

PRINTED = "ansible.builtin.debug"


class Progress:
    """An event handler of ansible-runner; `artifacts` is what the run handed on by set_stats."""

    def __init__(self, out: TextIO) -> None:
        """Write to `out`."""
        self.artifacts: dict[str, Any] = {}
        self._out = out
        self._play = ""
        self._began = time.monotonic()
        self._tasks = 0

    def __call__(self, event: Mapping[str, Any]) -> bool:
        """Take one event; true, so that the runner keeps it."""
        data = event.get("event_data") or {}
        handle = {
            "playbook_on_play_start": self._next_play,
            "runner_on_ok": self._ok,
            "runner_on_failed": self._failed,
            "playbook_on_stats": self._stats,
        }.get(str(event.get("event")))
        if handle:
            handle(data)
        return True

    def finish(self) -> None:
        """Say the last play's line."""
        self._next_play({})

    def _next_play(self, data: Mapping[str, Any]) -> None:
        if self._tasks:
            self._say(f"{time.monotonic() - self._began:6.1f} s  {self._play}")
        self._play, self._began, self._tasks = str(data.get("play", "")), time.monotonic(), 0

    def _ok(self, data: Mapping[str, Any]) -> None:
        self._tasks += 1
        message = (data.get("res") or {}).get("msg")
        if data.get("task_action") == PRINTED:
            for line in message if isinstance(message, Sequence) and not isinstance(message, str) else [message]:
                self._say(str(line))

    def _failed(self, data: Mapping[str, Any]) -> None:
        self._tasks += 1
        if not data.get("ignore_errors"):
            self._say(f"FAILED   {data.get('host')}: {(data.get('res') or {}).get('msg')}")

    def _stats(self, data: Mapping[str, Any]) -> None:
        self.artifacts = dict(data.get("artifact_data") or {})

    def _say(self, line: str) -> None:
        print(line, file=self._out, flush=True)
