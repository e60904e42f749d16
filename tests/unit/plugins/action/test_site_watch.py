# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin through ansible-playbook itself; the one host that looks is this machine, and no observer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import verdict

ROOT = Path(__file__).parents[4]
PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - contactcenter.sip_dr.continuity_check:
      register: checked
    - ansible.builtin.add_host:
        {name: here, groups: lookers, ansible_connection: local, ansible_python_interpreter: PYTHON}
- hosts: localhost,lookers
  gather_facts: false
  tasks:
    - contactcenter.sip_dr.site_watch:
        continuity: "{{ hostvars['localhost'].checked.continuity }}"
        probe:
          checks: [{id: a, kind: tcp, address: 127.0.0.1, port: 1}]
        decide: "{{ inventory_hostname == 'localhost' }}"
        seconds: 6
        interval: 0.2
        directory: "{{ directory }}"
      register: watched
    - ansible.builtin.debug:
        var: watched
"""


@pytest.fixture
def watch(tmp_path):
    playbook = tmp_path / "watch.yml"
    playbook.write_text(PLAY.replace("PYTHON", sys.executable))

    def watch(*words):
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_LOCAL_TEMP": str(tmp_path / "tmp"),
            "ANSIBLE_NOCOLOR": "1",
        }
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        command = [program, "-i", "inventories/example", str(playbook), "-e", f"directory={tmp_path}", *words]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    return watch


def test_it_looks_decides_and_writes_both_down(watch, tmp_path):
    done = watch()
    assert done.returncode == 0, done.stdout + done.stderr
    first, *judged = [json.loads(line) for line in (tmp_path / "observations.jsonl").read_text().splitlines()]
    state = first["state"]
    assert state == {}
    for one in judged:
        state, decision = verdict.track(state, one["observation"], first["policy"])
        assert decision == one["decision"]
    assert judged
    assert json.loads((tmp_path / "verdict.json").read_text()) == judged[-1]["decision"]
    assert done.stdout.count("OBSERVER_BLIND not confirmed yet") >= 1
    assert '"answered": 0' not in done.stdout


def test_too_few_forks_are_refused_before_anybody_waits(watch):
    refused = watch("--forks", "1")
    assert refused.returncode != 0
    assert "site_watch looks from 2 hosts at once" in refused.stdout + refused.stderr
