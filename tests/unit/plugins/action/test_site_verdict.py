# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin as anybody calls it: ``ansible localhost -m``, arguments in, one JSON answer out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import verdict
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replay import replay
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.series import line

ROOT = Path(__file__).parents[4]
UP = dict.fromkeys(("inside", "redundancy", "peer", "witness", "gateways", "calls", "trunk", "mgmt"), "up")
OBSERVATION = {
    "taken_at": "2026-01-31T03:14:15Z",
    "observer": {"healthy": True},
    "sites": {"site1": {**UP, "master": "up"}, "site2": {**UP, "master": "down"}},
}


@pytest.fixture
def ask(tmp_path):
    def ask(*options: str, **arguments: Any) -> dict[str, Any]:
        environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
        environment["ANSIBLE_LOCAL_TEMP"] = str(tmp_path)
        program = str(Path(sys.executable).with_name("ansible"))
        words = [program, "localhost", *options, "-m", "contactcenter.sip_dr.site_verdict", "-a", json.dumps(arguments)]
        done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        answer = json.loads(done.stdout.split("=>", 1)[1])
        assert isinstance(answer, dict)
        return answer

    return ask


def test_without_a_state_it_decides(ask):
    answer = ask(observation=OBSERVATION)
    assert answer["decision"] == verdict.decide(OBSERVATION)
    assert (answer["changed"], answer["state"], answer["series"]) == (False, None, [])


@pytest.mark.parametrize("options", [(), ("--check",)])
def test_with_a_state_it_tracks_in_check_mode_too(ask, options):
    answer = ask(*options, observation=OBSERVATION, policy={"confirm": 20}, state={})
    assert (answer["state"], answer["decision"]) == verdict.track({}, OBSERVATION, {"confirm": 20})
    assert answer["changed"] is False
    assert replay([line(entry) for entry in answer["series"]]) == (1, 1, None)


def test_malformed_input_fails_with_its_path(ask):
    answer = ask(observation=OBSERVATION, policy={"hold": "long"})
    assert (answer["path"], answer["expected"]) == ("policy.hold", "a number, 0 or more")
    assert answer["msg"].startswith("policy.hold")


def test_no_module_process_is_started(ask):
    answer = ask("-e", "ansible_python_interpreter=/nonexistent", observation=OBSERVATION)
    assert answer["decision"]["verdict"] == "NORMAL"
