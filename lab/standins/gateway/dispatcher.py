# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dispatcher set 1 of this host's Kamailio: sends calls as a device's own tables say, and knows which site answers."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any

LIST_FILE = Path("/etc/kamailio/dispatcher.list")
RPC = "http://127.0.0.1:8080/RPC"
ANSWER_LIMIT = 1.0  # seconds
INTERVAL = 0.2  # seconds between two looks at the tables and at the keep-alive


class Dispatcher:
    """Kamailio as the device's own call routing; ``sites`` is ``{host:port: site}``."""

    def __init__(self, sites: Mapping[str, str], list_file: Path = LIST_FILE, rpc: str = RPC) -> None:
        """Nothing is known yet of what Kamailio runs."""
        self._sites = dict(sites)
        self._list_file = list_file
        self._rpc = rpc
        self._runs: str | None = None

    def follow(self, priorities: Mapping[str, int]) -> dict[str, bool]:
        """Let Kamailio run these targets (``{host:port: priority}``, the higher first); which of them are in service.

        Empty where Kamailio does not answer. What it does not take (it reloads once a second at most) is tried again
        at the next call.
        """
        wanted = "".join(
            f"1 sip:{target} 0 {priority} duid={self._sites[target]}\n"
            for target, priority in priorities.items()
            if target in self._sites
        )
        try:
            if wanted != self._runs:
                replace(self._list_file, wanted)
                self._ask("dispatcher.reload")
                self._runs = wanted
            return self._states()
        except (OSError, HTTPException, ValueError):
            return {}

    def _states(self) -> dict[str, bool]:
        records = self._ask("dispatcher.list")["RECORDS"]
        listed = [each["DEST"] for record in records if record["SET"]["ID"] == 1 for each in record["SET"]["TARGETS"]]
        # I is inactive by its own pings, D disabled by hand, T on trial: it still gets calls.
        return {each["URI"].removeprefix("sip:"): each["FLAGS"][0] in "AT" for each in listed}

    def _ask(self, method: str) -> Any:  # noqa: ANN401  (any JSON value)
        body = json.dumps({"jsonrpc": "2.0", "method": method, "id": 1}).encode()
        with urllib.request.urlopen(self._rpc, body, timeout=ANSWER_LIMIT) as answer:
            told = json.load(answer)
        if "error" in told:
            raise ValueError(f"{method}: {told['error']}")
        return told.get("result")


def keep_following(
    dispatcher: Dispatcher, priorities: Callable[[], Mapping[str, int]], tell: Callable[[dict[str, bool]], None]
) -> None:
    """For ever: let Kamailio run what a device's tables say now, and tell the device which targets are in service."""
    pause = threading.Event()
    while True:
        tell(dispatcher.follow(priorities()))
        pause.wait(INTERVAL)


def replace(path: Path, text: str) -> None:
    """Write a file in one step: who reads it, and who loses its power, has the old one or the new one."""
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.write_text(text, encoding="utf-8", errors="surrogateescape")
    unfinished.rename(path)
