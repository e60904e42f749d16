# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/chaos.md from the results of the runs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HEAD = """# Chaos runs

Each run has a seed, and the seed tells the story: where the master is, how the databases replicate, what breaks, which
playbook a person starts, what else happens while it runs (one to three things out of: the controller killed, a second
controller, a host frozen and thawed, the lost site's power back, a link cut, a database killed, a guard killed or
frozen), at random moments or at the begin of a random step. Then everything is mended, and a person looks
(`health_check`) and starts what the verdict asks for until the configuration is written to again, or a playbook says
whom it waits for. A writer outside writes all the time, calls are offered. The lab's checker judges from the servers'
own logs.
Written by `tests/faults/chaos` (`test_chaos.py` says how).

{conditions}

{summary}

| seed | replication | story | meanwhile | playbooks | end | one writer | writes | lost | announced | commit |
|---|---|---|---|---|---|---|---|---|---|---|
"""


def write(path: Path, results: Path, conditions: str) -> None:
    """Write the table of every run that has a result, by seed."""
    runs = [json.loads(file.read_text()) for file in results.glob("*.json")]
    runs.sort(key=lambda run: run["seed"])
    head = HEAD.format(conditions=conditions, summary=summary(runs))
    path.write_text(head + "".join(map(_row, runs)))


def summary(runs: list[Mapping[str, Any]]) -> str:
    """What all runs come to, in sentences."""
    ends = ", ".join(f"{count} {end}" for end, count in sorted(Counter(run["end"] for run in runs).items()))
    single = sum(bool(run["single_writer"]) for run in runs)
    lost = {kind: sum(run["lost"] or 0 for run in runs if run["replication"] == kind) for kind in ("sync", "async")}
    return (
        f"{len(runs)} runs: one writer in {single}; they ended {ends}. Acknowledged writes lost: {lost['sync']} with"
        f" synchronous replication, {lost['async']} with asynchronous."
    )


def _row(run: Mapping[str, Any]) -> str:
    cells = [
        run["seed"],
        run["replication"],
        run["story"],
        "; ".join(run["events"]),
        ", ".join(run["playbooks"]),
        run["end"],
        "yes" if run["single_writer"] else "**no**",
        run["acknowledged"],
        "unknown" if run["lost"] is None else run["lost"],
        "yes" if run["announced"] else "no",
        run["commit"],
    ]
    return f"| {' | '.join(str(cell).replace('|', '/') for cell in cells)} |\n"
