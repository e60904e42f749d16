# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dead site's power is back while its configuration is being moved: never two writers, whatever the step.

Once the other site has the ticket it stays fenced; where nothing was promoted it takes its ticket again, and starts.
"""

from __future__ import annotations

import os
import subprocess
import time

import pytest
from road import PLAYBOOK_DEADLINE, Road, in_control
from two_site_lab import truth_configuration, truth_writers
from two_site_lab.lab import TREE, Lab
from two_site_lab.machine import wait_until

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(
        not in_control(Lab(os.environ.get("SIP_DR_LAB", "dr"))), reason="not in the lab's control namespace (lab/enter)"
    ),
]

STEPS = ("single_site", "revoke_ticket", "take_ticket", "promote_database", "start_config_server", "repoint_names")
ENDS = (0, 2)
"""Done, or refused."""


def fail_over(road: Road, step: str) -> int:
    """Fail site1 over, and give it its power back as soon as a step has begun; the playbook's exit code."""
    with (road.runs / "failover.txt").open("w") as output:
        words = road.command("failover", "-e", "continuity_failed_site=site1")
        started = subprocess.Popen(words, cwd=TREE, stdout=output, stderr=subprocess.STDOUT)
        wait_until(lambda: step in road.last_events("s2-cfg"), f"{step} has begun", PLAYBOOK_DEADLINE, 0.01)
        road.do("revive", "site1")
        return started.wait(PLAYBOOK_DEADLINE)


def runs_at_site1(road: Road) -> bool:
    """Whether site1's Configuration Server runs."""
    asked = road.lab.run("s1-cfg", ["systemctl", "is-active", "genesys-confserv.service"], check=False)
    return asked.stdout.strip() == "active"


@pytest.mark.parametrize("step", STEPS)
def test_never_two_writers(road, step):
    road.start_writes()
    road.do("kill", "site1")
    assert fail_over(road, step) in ENDS
    holder = road.store()["ticket"]["holder"]
    assert holder in ("site1", "site2")
    since = time.time()
    wait_until(lambda: road.accepted_after(since) == {holder}, f"a write accepted at {holder}", 60, 0.2)
    road.health_check()  # some looks, in which a second master would be seen
    assert runs_at_site1(road) is (holder == "site1")
    assert road.accepted_after(since) == {holder}
    truth_configuration.stop_writes(road.lab)
    found = truth_writers.verdict(road.lab)
    assert found.single_writer and not found.lost, found
