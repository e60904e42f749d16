# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin through ansible-playbook itself, on the example inventory; nothing is connected to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - contactcenter.sip_dr.continuity_check:
        failed_site: "{{ continuity_failed_site | default(omit, true) }}"
"""


@pytest.fixture
def check(tmp_path):
    playbook = tmp_path / "check.yml"
    playbook.write_text(PLAY)

    def check(extra):
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_STDOUT_CALLBACK": "minimal",
            "ANSIBLE_LOCAL_TEMP": str(tmp_path / "tmp"),
        }
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "inventories/example", str(playbook)]
        return subprocess.run(
            [*command, "-e", json.dumps(extra)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )

    return check


def test_example_inventory_is_in_order(check):
    done = check({"continuity_failed_site": "fra"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ams-gw-2" in done.stdout


def test_refusal_has_all_paths_one_for_each_line(check):
    refused = check({"continuity_failed_site": "fro", "continuity_witnes": "x", "continuity_witness": "nobody"})
    assert refused.returncode == 2
    for line in (
        "continuity_failed_site: expected one of the two sites; did you mean fra?; found fro",
        "continuity_witness: expected a host of the inventory; found nobody",
        "continuity_witnes: expected no such variable; did you mean continuity_witness?",
    ):
        assert line in refused.stdout + refused.stderr


def test_values_of_templates_are_judged(check):
    refused = check({"continuity_witness": "{{ 'no' ~ 'body' }}"})
    assert "found nobody" in refused.stdout + refused.stderr
