# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Randomised runs on the lab: one writer in all of them, each ends, and no acknowledged write is lost unannounced.

    lab/enter .venv/bin/python -m pytest tests/faults/chaos -m 'not soak'     two seeds
    CHAOS_SEED=17 lab/enter .venv/bin/python -m pytest tests/faults/chaos     one of them again

CHAOS_RUNS=200      how many seeds (default: the two)
CHAOS_RESULTS=DIR   keeps a result for each seed there, goes on with those that have none, and writes docs/chaos.md from
                    all of them

Without lab/enter everything is skipped.
"""

from __future__ import annotations

import json
import os
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import chaos_table
import pytest
from chaos_stage import Stage, seen
from chaos_story import story
from road import Road, in_control
from two_site_lab.lab import TREE, Lab

LAB = Lab(os.environ.get("SIP_DR_LAB", "dr"))
RESULTS = os.environ.get("CHAOS_RESULTS")
SHORT = (1, 5)
RUNS = int(os.environ.get("CHAOS_RUNS", "0"))
COMMIT = ("git", "rev-parse", "--short", "HEAD")
ENDS = ("done", "refused", "waiting for a person")

pytestmark = pytest.mark.skipif(not in_control(LAB), reason="not in the lab's control namespace (lab/enter)")


def seeds():
    """The seeds of this session."""
    if "CHAOS_SEED" in os.environ:
        return [int(os.environ["CHAOS_SEED"])]
    more = [number for number in range(1, RUNS + 1) if number not in SHORT]
    return [*SHORT, *(pytest.param(number, marks=pytest.mark.soak) for number in more)]


def result_of(seed):
    """Where a seed's result is kept, None where none are."""
    return Path(RESULTS) / f"{seed:04}.json" if RESULTS else None


@pytest.mark.parametrize("seed", seeds())
def test_one_writer_whatever_happens(seed, lab, tmp_path):
    kept = result_of(seed)
    if kept and kept.exists():
        pytest.skip("has a result")
    road = Road(lab, tmp_path)
    told = story(seed)
    try:
        ended = Stage(road, told).play()
        found = seen(road)
    finally:
        road.end()
    result = as_result(told, ended, found)
    keep(kept, result)
    assert found["single_writer"], result
    assert ended.end in ENDS, result
    assert told.replication == "async" or not found["lost"], result
    assert not found["lost"] or ended.announced, result


def as_result(told, ended, found):
    """What is kept of a run."""
    return {
        "seed": told.seed,
        "replication": told.replication,
        "story": told.words,
        "events": [*map(str, told.events), *(f"({note})" for note in ended.noted)],
        "playbooks": ended.playbooks,
        "end": ended.end,
        "single_writer": found["single_writer"],
        "acknowledged": found["acknowledged"],
        "lost": None if found["lost"] is None else len(found["lost"]),
        "announced": ended.announced,
        "seconds": ended.seconds,
        "commit": subprocess.run(COMMIT, cwd=TREE, capture_output=True, text=True, check=True).stdout.strip(),
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def keep(path, result):
    """Keep a result, and write the table of all that there are."""
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result) + "\n")
    today = datetime.now(timezone.utc).date().isoformat()
    conditions = f"Conditions: {today}, {os.cpu_count()} cores, one lab, policy of `lab/policy_fast`."
    chaos_table.write(TREE / "docs/chaos.md", path.parent, conditions)
