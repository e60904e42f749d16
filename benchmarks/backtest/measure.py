# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast a folder of saved observations is judged under another policy (aim: 130,000 in under 20 s).

    .venv/bin/python benchmarks/backtest/measure.py [--observations 130000] [--files 13] [--rounds 3]

Makes the folder (saved_series.py), then measures `sip-dr backtest` over all cores and on one; and, on the lines of one
file, what is read at least (JSON) and what `track` takes that writes its state and the whole decision down each time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.backtest import backtest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.series import Judged, entries
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import track
from saved_series import POLICY, make

from sip_dr.saved import SERIES, spread

CHANGES = {"confirm": 40, "call_plane": "auto"}


def main() -> None:
    """Make the folder, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("observations", 130_000), ("files", 13), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sip-dr-backtest-") as folder:
        make(Path(folder), options.observations, options.files)
        paths = sorted(Path(folder).rglob(SERIES))
        size = sum(path.stat().st_size for path in paths)
        print(f"{options.observations} observations, {len(paths)} files, {size / 1e6:.0f} MB; {_machine()}")
        _measure(paths, options.observations, options.rounds)


def _measure(paths: list[Path], observations: int, rounds: int) -> None:
    cores = len(os.sched_getaffinity(0))
    one = paths[0].read_text(encoding="utf-8").splitlines(keepends=True)
    _say(f"backtest, {cores} cores", lambda: list(spread(paths, CHANGES, cores)), observations, rounds)
    _say("backtest, one core", lambda: list(spread(paths, CHANGES, 1)), observations, rounds)
    _say("one file: JSON alone", lambda: deque(map(json.loads, one), 1), len(one), rounds)
    _say("one file: backtest", lambda: backtest(one, CHANGES), len(one), rounds)
    _say("one file: track, state and decision written each time", lambda: _track(one), len(one), rounds)


def _track(lines: list[str]) -> None:
    state = {}
    for _, entry in entries(lines):
        if isinstance(entry, Judged):
            state, _ = track(state, entry.observation, POLICY | CHANGES)


def _say(what: str, work: Callable[[], object], count: int, rounds: int) -> None:
    walls, cores = [], []
    for _ in range(rounds):
        wall, core = time.perf_counter(), _core_seconds()
        work()
        walls.append(time.perf_counter() - wall)
        cores.append((_core_seconds() - core) / count * 1e6)
    middle = statistics.median(walls)
    spread_of = f"({min(walls):.2f} to {max(walls):.2f})"
    print(f"{what:55} {middle:7.2f} s {spread_of:18} {statistics.median(cores):6.1f} us of a core each")


def _core_seconds() -> float:
    """Of this process and of those that it has waited for: what others do on the machine is not in it."""
    return sum(os.times()[:4])


def _machine() -> str:
    return f"load {os.getloadavg()[0]:.1f} on {len(os.sched_getaffinity(0))} cores"


if __name__ == "__main__":
    main()
