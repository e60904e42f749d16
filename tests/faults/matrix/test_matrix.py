# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix of faults: each scenario of scenarios.yml on the lab, judged by the continuous run.

    lab/enter .venv/bin/python -m pytest tests/faults/matrix                        all of it
    lab/enter .venv/bin/python -m pytest tests/faults/matrix -m 'not soak'          the eight of scripts/test
    lab/enter .venv/bin/python -m pytest tests/faults/matrix -k 'sites-cut or green1'

FAULT_MATRIX_RESULTS=DIR    keeps a result for each scenario there, goes on with those that have none, and writes
                            docs/fault_matrix.md from all of them
FAULT_MATRIX_PATIENT=3      on a machine that is busy: waits three times as long, lets answers be fresh as much longer,
                            and nobody is held to the time limits

One continuous run and one lab serve all scenarios with the same master and the same way of counting departures; where
mending does not bring the verdict back that it should, the lab starts anew. Without lab/enter everything is skipped.
"""

from __future__ import annotations

import json
import os
import shlex
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest
import table
import yaml
from road import Road, in_control
from two_site_lab.lab import TREE, Lab
from watching import Decided, Watching

LAB = Lab(os.environ.get("SIP_DR_LAB", "dr"))
SCENARIOS = yaml.safe_load(Path(__file__).with_name("scenarios.yml").read_text())
PATIENCE = float(os.environ.get("FAULT_MATRIX_PATIENT", "1"))
RESULTS = os.environ.get("FAULT_MATRIX_RESULTS")
SLACK = {"fresh": 20 * PATIENCE, "max_gap": 30 * PATIENCE} if PATIENCE > 1 else {}
POLICY = {"call_plane": "auto", "promotion": "auto", "replication": "sync", **SLACK}
UNCOUNTED = {**POLICY, "flaps_per_hour": 100_000}
SUSPECT_LIMIT, SETTLED_LIMIT, STACK_LIMIT = 10, 30, 75
CALM_LAST = 12
SETTLE_WITHIN, STACK_WITHIN, BACK_WITHIN = 60, 110, 75

pytestmark = pytest.mark.skipif(not in_control(LAB), reason="not in the lab's control namespace (lab/enter)")


class Stage:
    """The lab with a continuous run, kept from one scenario to the next as long as they can share it."""

    def __init__(self, road: Road) -> None:
        self.road = road
        self.watching: Watching | None = None
        self._set: tuple[str, bool] | None = None

    def prepare(self, scenario) -> Watching:
        """Return a continuous run that has just seen NORMAL on a lab as the scenario wants it."""
        wanted = (scenario.get("master", "site1"), bool(scenario.get("flaps")))
        if self._set != wanted:
            self.strike()
            self.road.begin(wanted[0])
            self.watching = Watching(self.road, POLICY if wanted[1] else UNCOUNTED)
            self._set = wanted
        self.watching.says("NORMAL", BACK_WITHIN * PATIENCE)
        return self.watching

    def strike(self) -> None:
        """End the continuous run; the next scenario gets a lab as new."""
        if self.watching:
            self.watching.stop()
        self.watching = self._set = None


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """Return the stage of all scenarios; the lab is as new again for whoever comes after."""
    runs = tmp_path_factory.mktemp("matrix")
    built = Stage(Road(LAB, runs))
    yield built
    built.strike()
    built.road.do("heal", "--all")
    built.road.begin()


def ordered():
    """The scenarios, those first that can share a lab."""
    marks = [[] if one.get("fast") else [pytest.mark.soak] for one in SCENARIOS]
    keyed = sorted(zip(SCENARIOS, marks), key=lambda pair: (pair[0].get("master", ""), bool(pair[0].get("flaps"))))
    return [pytest.param(one, id=one["id"], marks=mark) for one, mark in keyed]


@pytest.mark.parametrize("scenario", ordered())
def test_fault(stage, scenario):
    kept = Path(RESULTS) / f"{scenario['id']}.json" if RESULTS else None
    if kept and kept.exists():
        pytest.skip("has a result")
    watching = stage.prepare(scenario)
    begun = time.time()
    try:
        since, seen, then = play(stage, watching, scenario)
    except BaseException:
        stage.strike()
        raise
    measured = figures([one for one in watching.decided if one.at > begun], since, seen, then)
    if kept:
        keep(kept, measured)
    assert measured["most"] <= table.allowed(scenario.get("through", scenario["expect"])), measured
    if scenario.get("quick") and PATIENCE == 1:
        assert measured["suspect"] <= SUSPECT_LIMIT, measured
        assert measured["settled"] <= (STACK_LIMIT if scenario.get("stack") else SETTLED_LIMIT), measured


def play(stage: Stage, watching: Watching, scenario) -> tuple[float, Decided, str]:
    """Break, wait for the verdict, mend, wait for the verdict after it."""
    since = max([inject(stage.road, words) for words in scenario["do"]])
    calm = scenario["expect"].split()[0] in ("NORMAL", "BLIND_SPOT", "DEGRADED")
    within = scenario.get("settle_within", STACK_WITHIN if scenario.get("stack") else SETTLE_WITHIN)
    last = scenario.get("last", CALM_LAST if calm else 0)
    seen = watching.settles(scenario["expect"], since, last, (within + 3 * last) * PATIENCE)
    back = scenario.get("back", "NORMAL")
    if back == "fresh":
        stage.strike()
        return since, seen, "–"
    for words in scenario.get("mend", ["heal --all"]):
        inject(stage.road, words)
    if any(one.verdict != back for one in watching.since(since)):
        watching.settles(back, time.time(), 0, scenario.get("back_within", BACK_WITHIN) * PATIENCE)
    if back != "NORMAL":
        stage.strike()
    return since, seen, back


def inject(road: Road, words: str) -> float:
    """Do one command of a scenario; return when the fault was there, by the lab's own log."""
    before = time.time()
    command, *rest = shlex.split(words)
    if command == "failover":
        done = road.play("failover", "-e", f"continuity_failed_site={rest[0]}")
        assert done.code == 0, done.said
        return time.time()
    road.do(command, *rest)
    log = road.lab.state.root / "log"
    noted = [json.loads(line)["at"] for line in log.read_text().splitlines()[-8:]]
    return max([at for at in noted if at > before] or [time.time()])


def figures(decided: list[Decided], since: float, seen: Decided, then: str) -> dict[str, object]:
    """What the table shows of a scenario; seconds from the fault, None where it was never left."""
    departed = [one.at for one in decided if not one.calm and one.at > since]
    return {
        "seen": seen.verdict,
        "most": max([table.rank(one.automatic) for one in decided] or [0]),
        "suspect": round(departed[0] - since, 1) if departed and not seen.calm else None,
        "settled": round(seen.at - since, 1) if seen.verdict != "NORMAL" else None,
        "then": then,
        "at": datetime.fromtimestamp(since, timezone.utc).isoformat(timespec="seconds"),
    }


def keep(path: Path, measured) -> None:
    """Keep a result, and write the table of all that there are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(measured) + "\n")
    busy = " The machine was busy: the seconds say little." if PATIENCE != 1 else ""
    today = datetime.now(timezone.utc).date().isoformat()
    conditions = f"Conditions: {today}, {os.cpu_count()} cores, one lab, nothing else running.{busy}"
    if busy:
        conditions = f"Conditions: {today}, {os.cpu_count()} cores, one lab.{busy}"
    table.write(TREE / "docs/fault_matrix.md", SCENARIOS, path.parent, conditions)
