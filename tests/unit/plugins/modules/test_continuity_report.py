# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module continuity_report, run as Ansible runs it: a process with its arguments on standard input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible_collections.contactcenter.sip_dr.plugins.modules import continuity_report

ROOT = Path(__file__).parents[4]
RUN = "20260131-031415"


@pytest.fixture
def call(tmp_path):
    def call(door, check_mode=False, **options):
        given = {"door": door, "directory": str(tmp_path / "runs"), "_ansible_check_mode": check_mode, **options}
        result = subprocess.run(
            [sys.executable, "-m", "ansible_collections.contactcenter.sip_dr.plugins.modules.continuity_report"],
            input=json.dumps({"ANSIBLE_MODULE_ARGS": given}),
            cwd=ROOT / "collections",
            env={"PYTHONPATH": str(ROOT / "collections")},
            capture_output=True,
            text=True,
            check=False,
        )
        return result.returncode, json.loads(result.stdout)

    return call


DATA = {
    "run_id": RUN,
    "decision": {"verdict": "NORMAL", "site": None, "evidence": ["all well"]},
    "series": [{"observation": {"taken_at": "2026-01-31T03:14:15Z"}}],
}


def test_write_twice_verify_seal_read(call, tmp_path):
    assert call("readiness")[1]["ready"] is True
    code, first = call("take_over", **DATA)
    assert (code, first["changed"]) == (0, True)
    assert "VERDICT  NORMAL" in first["text"]
    assert call("take_over", **DATA)[1]["changed"] is False
    assert call("verify", run_id=RUN)[0] == 0
    assert call("release", run_id=RUN)[1]["changed"] is True
    assert call("observe")[1]["report"]["run_id"] == RUN
    (tmp_path / "runs" / RUN / "plan.json").write_text("{ }")
    code, broken = call("verify", run_id=RUN)
    assert code == 1
    assert "plan.json has changed since report.json was written" in broken["problems"]


def test_check_mode_says_what_it_would_write(call, tmp_path):
    code, result = call("take_over", check_mode=True, **DATA)
    assert (code, result["changed"]) == (0, True)
    assert len(result["diff"]) == 6
    assert "VERDICT  NORMAL" in result["text"]
    assert not (tmp_path / "runs").exists()


def test_nothing_written_yet_is_an_answer(call):
    assert call("observe")[1]["report"] is None


def test_refusals_name_themselves(call):
    assert "run_id" in call("take_over")[1]["msg"]
    assert "run id '../x'" in call("take_over", **dict(DATA, run_id="../x"))[1]["msg"]
    call("take_over", **DATA)
    call("release", run_id=RUN)
    code, refused = call("take_over", **dict(DATA, decision={"verdict": "SUSPECT"}))
    assert code == 1
    assert refused["refused"]["guard"] == "sealed"


def test_documentation_has_every_option():
    documented = yaml.safe_load(continuity_report.DOCUMENTATION)["options"]
    assert set(documented) == set(continuity_report.ARGUMENTS)
    for name, option in continuity_report.ARGUMENTS.items():
        assert documented[name]["type"] == option["type"]
        assert documented[name].get("default") == option.get("default")
        assert documented[name].get("choices") == option.get("choices")
