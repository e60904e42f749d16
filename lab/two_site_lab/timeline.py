# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When phones, agents and the configuration were back at a site: watched from inside the hosts while a person works."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from two_site_lab import truth, truth_configuration
from two_site_lab.calls import Call, settled_at
from two_site_lab.lab import Lab

INTERVAL = 2.0  # seconds between two looks; each costs the lab a few processes


@dataclass(frozen=True)
class Look:
    """What was true at a site at one moment (seconds of the epoch)."""

    at: float
    phones: int
    agents: int


class Watch:
    """Looks at a site's registrar and log-ins until it is stopped."""

    def __init__(self, lab: Lab, site: str) -> None:
        """Watch `site`; nothing happens before start."""
        self.looks: list[Look] = []
        self._lab, self._site = lab, site
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(INTERVAL):
            leg = truth.primary_leg(self._lab, self._site)
            if leg:
                phones, agents = truth.registrations(self._lab, leg), truth.agents(self._lab, leg)
                self.looks.append(Look(time.time(), len(phones), len(agents)))

    def since(self, what: str, count: int) -> float | None:
        """From when on at least `count` `phones` or `agents` were there without interruption; None if they are not."""
        found = None
        for look in self.looks:
            enough = getattr(look, what) >= count
            found = (found or look.at) if enough else None
        return found


def lines(calls: Sequence[Call], watch: Watch, lab: Lab, site: str, began: float, people: int) -> list[str]:
    """The timeline for a person; `began` is the moment of the fault, `people` how many phones and agents there are."""
    writes = [row for row in truth_configuration.outcomes(lab) if row["outcome"] == "accepted"]
    moved = [row["ended"] for row in writes if row["site"] == site and row["ended"] > began]
    failed = [call.offered for call in calls if call.failure and call.offered >= began]
    moments = [
        (settled_at(calls, site, began), f"from here on at least 95 % of the new calls are answered at {site}"),
        (max(failed, default=None), f"the last of {len(failed)} failed calls was offered"),
        (watch.since("phones", people), f"all {people} phones are registered at {site}"),
        (watch.since("agents", people), f"all {people} agents are logged in at {site}"),
        (min(moved, default=None), f"the first configuration write is accepted at {site}"),
    ]
    return [_line(at, what, began) for at, what in sorted(moments, key=_when) if at]


def _when(moment: tuple[float | None, str]) -> float:
    return moment[0] or 0.0


def _line(at: float, what: str, began: float) -> str:
    return f"  {at - began:+7.1f} s  {what}"
