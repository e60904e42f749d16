# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A continuous run on the lab, and what it has decided so far."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from road import Road, descendants, kill
from two_site_lab.errors import LabError
from two_site_lab.lab import TREE
from two_site_lab.machine import wait_until

LONG = 6 * 3600
CALM = ("NORMAL", "BLIND_SPOT", "DEGRADED")
STOPPING = 20


@dataclass(frozen=True)
class Decided:
    """One decision: when its observation was taken (seconds since the epoch), the verdict with its site in words."""

    at: float
    verdict: str
    settled: bool
    automatic: tuple[str, ...]
    evidence: str

    @property
    def calm(self) -> bool:
        """Whether it is a verdict that needs no confirmation."""
        return self.verdict.split()[0] in CALM


class Watching:
    """``playbooks/watch.yml`` in a process of its own; what it writes is read as it comes."""

    def __init__(self, road: Road, policy: Mapping[str, Any]) -> None:
        """Start it; it goes on until ``stop``."""
        self.series = road.runs / "observations.jsonl"
        self.decided: list[Decided] = []
        self._read = self.series.stat().st_size if self.series.exists() else 0
        self._output = (road.runs / "watch.txt").open("a")
        variables = {"continuity_watch_seconds": LONG, "continuity_policy": dict(policy)}
        self._process = subprocess.Popen(
            road.command("watch", "-e", json.dumps(variables)),
            cwd=TREE,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )

    def look(self) -> list[Decided]:
        """Everything decided so far. Fails when the run has ended."""
        assert self._process.poll() is None, f"the continuous run has ended: {self._output.name}"
        if self.series.exists():
            with self.series.open("rb") as lines:
                lines.seek(self._read)
                whole = lines.read().rpartition(b"\n")[0]
            self._read += len(whole) + 1 if whole else 0
            self.decided += [_decided(json.loads(line)) for line in whole.splitlines() if b'"decision"' in line]
        return self.decided

    def since(self, moment: float) -> list[Decided]:
        """What was decided of observations taken after a moment."""
        return [one for one in self.look() if one.at > moment]

    def settles(self, verdict: str, since: float, last: float, within: float) -> Decided:
        """Wait until a verdict is settled and has been for ``last`` seconds; AssertionError with the last one."""

        def found() -> bool:
            return _standing(self.since(since), verdict, since + last, last) is not None

        def missing() -> str:
            seen = self.look()[-1:]
            return f"the verdict {verdict}; the last one is {seen[0].evidence if seen else 'none'}"

        try:
            wait_until(found, "a verdict", within, 0.2)
        except LabError as error:
            raise AssertionError(f"not within {within:g} s: {missing()}") from error
        standing = _standing(self.since(since), verdict, since + last, last)
        assert standing is not None
        return standing

    def says(self, verdict: str, within: float) -> None:
        """Wait until a verdict is the last one; AssertionError with the last one."""
        try:
            wait_until(lambda: self.look() and self.decided[-1].verdict == verdict, "a verdict", within, 0.2)
        except LabError as error:
            last = self.decided[-1].evidence if self.decided else "none"
            raise AssertionError(f"not within {within:g} s: the verdict {verdict}; the last one is {last}") from error

    def stop(self) -> None:
        """End it as a person does, by an interrupt; what does not end is killed."""
        tree = [self._process.pid, *descendants(self._process.pid)]
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOPPING)
        kill(tree)
        self._process.wait()
        self._output.close()


def _decided(line: Mapping[str, Any]) -> Decided:
    decision = line["decision"]
    words = f"{decision['verdict']} {decision['site'] or ''}".strip()
    at = datetime.fromisoformat(line["observation"]["taken_at"]).timestamp()
    return Decided(at, words, decision["settled"], tuple(decision["automatic"]), decision["evidence"][0])


def _standing(decided: list[Decided], verdict: str, until: float, last: float) -> Decided | None:
    """The first of the row of equal settled verdicts at the end, if the row is long enough; else None."""
    row: list[Decided] = []
    for one in reversed(decided):
        if one.verdict != verdict or not one.settled:
            break
        row.insert(0, one)
    long_enough = row and row[-1].at - row[0].at >= last and row[-1].at >= until
    return row[0] if long_enough else None
