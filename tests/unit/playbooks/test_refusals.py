# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input through the playbooks themselves: refused with its path, and no host is ever connected to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
REFUSED = 2
RECORDER = '#!/bin/sh\necho "$0 $*" >>"{calls}"\nexit 255\n'


class Controller:
    """A controller whose ssh, scp and sftp only write down that they were called, and a copy of the inventory."""

    def __init__(self, directory):
        """Prepare both under `directory`."""
        self.calls = directory / "calls"
        self.inventory = directory / "inventory"
        shutil.copytree(ROOT / "inventories/example", self.inventory)
        programs = directory / "bin"
        programs.mkdir()
        for name in ("ssh", "scp", "sftp"):
            (programs / name).write_text(RECORDER.format(calls=self.calls))
            (programs / name).chmod(0o755)
        self.environment = {
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_LOCAL_TEMP": str(directory / "tmp"),
        }

    def edit(self, change):
        """Let `change` alter the deployment's data in place."""
        path = self.inventory / "group_vars/all/continuity.yml"
        data = yaml.safe_load(path.read_text())
        change(data)
        path.write_text(yaml.safe_dump(data, sort_keys=False))

    def run(self, program, *words):
        """Run one of Ansible's programs as a person does; what it said and its exit code."""
        command = [Path(sys.executable).with_name(program), "-i", self.inventory, *words]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )

    @property
    def connections(self):
        """What was tried to be connected to."""
        return self.calls.read_text() if self.calls.exists() else ""


@pytest.fixture
def controller(tmp_path):
    return Controller(tmp_path)


def unchanged(data):
    """Leave the data as it is: what is wrong is on the command line."""


def one_site(data):
    del data["continuity_sites"]["ams"]


def overlap(data):
    data["continuity_sites"]["ams"]["networks"][1] = "10.20.0.0/16"


def no_witness(data):
    del data["continuity_witness"]


def no_second_server(data):
    data["continuity_phones"][2]["servers"] = ["fra"]


CASES = {
    "unknown failed site": (unchanged, "frax", "continuity_failed_site: expected one of the two sites"),
    "one site missing": (one_site, "fra", "continuity_sites: expected "),
    "overlapping networks": (overlap, "fra", "continuity_sites.ams.networks[1]: expected "),
    "undeclared lack of a witness": (no_witness, "fra", "continuity_witness: expected "),
    "a phone with no second server": (no_second_server, "fra", "continuity_phones[2].servers: expected "),
}


@pytest.mark.parametrize("playbook", ["failover", "health_check"])
@pytest.mark.parametrize("case", CASES)
def test_refused_before_any_connection(controller, playbook, case):
    change, failed, sentence = CASES[case]
    controller.edit(change)
    done = controller.run("ansible-playbook", f"playbooks/{playbook}.yml", "-e", f"continuity_failed_site={failed}")
    said = done.stdout + done.stderr
    assert done.returncode == REFUSED, said
    assert f"\n{sentence}" in said
    assert "Nothing was touched." in said
    assert not controller.connections


def test_a_connection_would_have_been_recorded(controller):
    controller.run("ansible", "fra-cfg", "-m", "ansible.builtin.ping")
    assert "10.20.20.20" in controller.connections


def test_where_the_reports_go_is_no_misspelt_variable(controller, tmp_path):
    done = controller.run("ansible-playbook", "playbooks/preflight.yml", "-e", f"continuity_runs={tmp_path}")
    assert (done.returncode, controller.connections) == (0, ""), done.stdout + done.stderr
