# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role continuity_report and the plan's filters, from the example inventory to the sealed report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RUN = "20260131-031415"
PLAY = """
- hosts: localhost
  gather_facts: false
  vars:
    decision: {verdict: SITE_DOWN, site: fra, evidence: [peer 0/2], unmet: [], forbidden: []}
    request:
      scenario: site_failure
      run_id: "{{ continuity_report_run_id }}"
      failed_site: fra
      reachable: [ams-dr-1, ams-cfg, ams-db, ams-gw-1]
      attested_by: []
      allow_data_loss: ''
      master: null
      done: {}
      failed_over: false
      ticket: {holder: fra, revoked_from: null, armed: true, sync: false}
  tasks:
    - contactcenter.sip_dr.continuity_check:
      register: checked
    - ansible.builtin.import_role:
        name: contactcenter.sip_dr.continuity_report
        tasks_from: DOOR
      vars:
        continuity_report_decision: "{{ decision }}"
        continuity_report_plan: >-
          {{ checked.continuity | contactcenter.sip_dr.continuity_plan(decision, {'last_master': 'fra'}, request) }}
    - ansible.builtin.debug:
        msg: "{{ __continuity_report_result.text | default([]) | join('\\n') }}"
"""


@pytest.fixture
def door(tmp_path):
    def door(name, *arguments):
        playbook = tmp_path / f"{name}.yml"
        playbook.write_text(PLAY.replace("DOOR", name))
        extra = {"continuity_report_run_id": RUN, "continuity_report_directory": str(tmp_path / "runs")}
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "inventories/example", str(playbook)]
        environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_LOCAL_TEMP": str(tmp_path)}
        return subprocess.run(
            [*command, "-e", json.dumps(extra), *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return door


def test_every_door_from_nothing_to_the_sealed_report(door, tmp_path):
    report = tmp_path / "runs" / RUN / "report.txt"
    dry = door("take_over", "--check", "--diff")
    assert dry.returncode == 0, dry.stdout
    assert "changed=1" in dry.stdout and "UNPROTECTED: no second site" in dry.stdout
    assert not report.exists()
    assert "changed=1" in door("take_over").stdout
    assert "changed=0" in door("take_over").stdout
    text = report.read_text()
    assert "REFUSED" in text and f"continuity_allow_data_loss={RUN}" in text
    report.unlink()
    assert door("verify").returncode == 2
    assert "changed=1" in door("restore").stdout
    assert report.read_text() == text
    assert door("verify").returncode == 0
    assert "changed=1" in door("release").stdout
    assert "changed=0" in door("release").stdout
    assert "VERDICT  SITE_DOWN fra" in door("observe").stdout
    assert '"ready": true' in door("readiness", "-v").stdout
