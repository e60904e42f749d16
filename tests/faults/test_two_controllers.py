# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two controllers at once: exactly one runs, the other is told who holds the lock and since when.

Five rounds in ``scripts/test``, TWO_CONTROLLERS says how many in a longer run.
"""

from __future__ import annotations

import os
import re
import subprocess

import pytest
from road import PLAYBOOK_DEADLINE, in_control
from two_site_lab import truth_writers
from two_site_lab.lab import TREE, Lab

pytestmark = pytest.mark.skipif(
    not in_control(Lab(os.environ.get("SIP_DR_LAB", "dr"))), reason="not in the lab's control namespace (lab/enter)"
)

ROUNDS = int(os.environ.get("TWO_CONTROLLERS", "5"))
REFUSED = 2
TOLD = re.compile(r"run (\S+) \(token \d+, process \d+ on \S+\) since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def both(road, to_site):
    """Start the same move on two controllers at once; both exit codes and what each said."""
    words = road.command("move_master", "-e", f"continuity_to_site={to_site}")
    started = [
        subprocess.Popen(words, cwd=TREE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(2)
    ]
    said = [each.communicate(timeout=PLAYBOOK_DEADLINE)[0] for each in started]
    return [(each.returncode, " ".join(words.split())) for each, words in zip(started, said)]


def test_exactly_one_of_two_controllers_runs(road):
    road.start_writes()
    for number in range(ROUNDS):
        to_site = ("site2", "site1")[number % 2]
        ended = sorted(both(road, to_site))
        assert [code for code, _ in ended] == [0, REFUSED], f"round {number}: {ended}"
        assert TOLD.search(ended[1][1]), f"round {number}: the other one was not told who holds the lock: {ended[1][1]}"
        assert road.store()["ticket"]["holder"] == to_site
    found = truth_writers.verdict(road.lab)
    assert found.single_writer and not found.lost, found
