# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module, run as Ansible runs it: one process, arguments in, one JSON answer out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any, Dict

from ansible_collections.contactcenter.sip_dr.plugins.module_utils import verdict
from ansible_collections.contactcenter.sip_dr.plugins.modules import site_verdict

UP = dict.fromkeys(("inside", "redundancy", "peer", "witness", "gateways", "calls", "trunk", "mgmt"), "up")
OBSERVATION = {
    "taken_at": "2026-01-31T03:14:15Z",
    "observer": {"healthy": True},
    "sites": {"site1": {**UP, "master": "up"}, "site2": {**UP, "master": "down"}},
}


def run(check: bool = False, **arguments: Any) -> Dict[str, Any]:
    given = json.dumps({"ANSIBLE_MODULE_ARGS": {**arguments, "_ansible_check_mode": check}})
    path = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, str(site_verdict.__file__)],
        input=given,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    answer = json.loads(done.stdout)
    assert isinstance(answer, dict)
    return answer


def test_without_a_state_it_decides() -> None:
    answer = run(observation=OBSERVATION)
    assert answer["decision"] == verdict.decide(OBSERVATION)
    assert (answer["changed"], answer["state"]) == (False, None)


def test_with_a_state_it_tracks_in_check_mode_too() -> None:
    for check in (False, True):
        answer = run(check, observation=OBSERVATION, policy={"confirm": 20}, state={})
        assert (answer["state"], answer["decision"]) == verdict.track({}, OBSERVATION, {"confirm": 20})
        assert answer["changed"] is False


def test_malformed_input_fails_with_its_path() -> None:
    answer = run(observation=OBSERVATION, policy={"hold": "long"})
    assert answer["failed"] and answer["path"] == "policy.hold"
    assert answer["expected"] == "a number, 0 or more"
