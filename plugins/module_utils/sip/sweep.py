# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OPTIONS to many endpoints in one go: who is up, down or unknown, how slow, and how far along it is."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import replace_file
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.client import Outcome, SipClient
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.requests import detail, grade
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.targets import Target

PROGRESS_INTERVAL = 1.0  # seconds between two states of the progress file
VALUES = ("up", "down", "unknown")


@dataclass(frozen=True)
class Probe:
    """One endpoint with what became of its OPTIONS."""

    target: Target
    outcome: Outcome

    def answer(self) -> dict[str, Any]:
        """`{name, address, port, transport, value, answered, status, rtt, sent, detail}` for a report."""
        value, answered = grade(self.outcome)
        target = self.target
        return {
            "name": target.name,
            "address": target.address,
            "port": target.port,
            "transport": target.transport,
            "value": value,
            "answered": answered,
            "status": self.outcome.status,
            "rtt": _rounded(self.outcome.rtt),
            "sent": self.outcome.sent,
            "detail": detail(self.outcome),
        }


@dataclass
class Progress:
    """How far a sweep is. Counts may come from several threads."""

    total: int
    counts: Counter[str] = field(default_factory=Counter)
    _started: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, outcome: Outcome) -> None:
        """One more endpoint is known."""
        value, _answered = grade(outcome)
        with self._lock:
            self.counts[value] += 1

    def state(self) -> dict[str, Any]:
        """`{total, done, up, down, unknown, elapsed, remaining}`.

        elapsed, remaining: seconds; remaining by the pace so far, none before the first result.
        """
        with self._lock:
            counts = dict(self.counts)
        done = sum(counts.values())
        elapsed = time.monotonic() - self._started
        remaining = _rounded(elapsed / done * (self.total - done)) if done else None
        by_value = {value: counts.get(value, 0) for value in VALUES}
        return {"total": self.total, "done": done, **by_value, "elapsed": _rounded(elapsed), "remaining": remaining}


@contextmanager
def shown(progress: Progress, path: Optional[str]) -> Iterator[None]:
    """Keeps the state of a sweep in a JSON file, replaced whole about once a second and once more at the end.

    Raises OSError when the file cannot be written at the beginning; a disk that fills up later stops no sweep.
    """
    if not path:
        yield
        return
    _show(progress, path)
    stopped = threading.Event()
    thread = threading.Thread(target=_keep_showing, args=(progress, path, stopped), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


class Sweep:
    """One OPTIONS to each target; `progress` may be read meanwhile."""

    def __init__(self, client: SipClient, targets: Sequence[Target], progress_file: Optional[str] = None) -> None:
        """Nothing is sent yet."""
        self.progress = Progress(len(targets))
        self._client = client
        self._targets = targets
        self._progress_file = progress_file

    def run(self) -> list[Probe]:
        """One probe for each target, in their order. Raises OSError for a TLS file or a progress file of ours."""
        with shown(self.progress, self._progress_file):
            requests = [target.request() for target in self._targets]
            outcomes = self._client.request_many(requests, self.progress.note)
        return [Probe(target, outcome) for target, outcome in zip(self._targets, outcomes)]


def summary(probes: Sequence[Probe], slowest: int) -> dict[str, Any]:
    """What a person wants to know of a sweep; the keys are those of the module sip_options.

    slowest: how many of the slowest answers to name.
    """
    graded = [(probe, *grade(probe.outcome)) for probe in probes]
    counts = Counter(value for _probe, value, _answered in graded)
    statuses = Counter(str(probe.outcome.status or "none") for probe in probes)
    timed = sorted(((probe.outcome.rtt, probe) for probe in probes if probe.outcome.rtt is not None), key=_by_time)
    return {
        "counts": {
            "total": len(probes),
            **{value: counts.get(value, 0) for value in VALUES},
            "answered": sum(answered for _probe, _value, answered in graded),
        },
        "statuses": dict(sorted(statuses.items())),
        "sent": sum(probe.outcome.sent for probe in probes),
        "down": [probe.target.name for probe, value, _answered in graded if value == "down"],
        "unknown": [probe.target.name for probe, value, _answered in graded if value == "unknown"],
        "rtt": _times([rtt for rtt, _probe in timed]),
        "slowest": [{"name": probe.target.name, "rtt": _rounded(rtt)} for rtt, probe in timed[::-1][:slowest]],
    }


def _keep_showing(progress: Progress, path: str, stopped: threading.Event) -> None:
    while not stopped.wait(PROGRESS_INTERVAL):
        _try_to_show(progress, path)
    _try_to_show(progress, path)


def _try_to_show(progress: Progress, path: str) -> None:
    try:
        _show(progress, path)
    except OSError:
        return


def _show(progress: Progress, path: str) -> None:
    replace_file(Path(path), json.dumps(progress.state()) + "\n")


def _by_time(timed: tuple[float, Probe]) -> float:
    return timed[0]


def _times(ordered: list[float]) -> dict[str, Optional[float]]:
    if not ordered:
        return {"median": None, "p95": None, "max": None}
    shares = {"median": 50, "p95": 95, "max": 100}
    return {name: _rounded(ordered[(len(ordered) - 1) * share // 100]) for name, share in shares.items()}


def _rounded(seconds: Optional[float]) -> Optional[float]:
    return None if seconds is None else round(seconds, 6)
