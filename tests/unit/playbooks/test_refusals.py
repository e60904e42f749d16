# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input through the playbooks themselves: refused with its path, and no host is ever connected to."""

from __future__ import annotations

import json
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


def read(playbook):
    return (ROOT / "playbooks" / f"{playbook}.yml").read_text()


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


ATTEST = {"continuity_attested_site": "fra", "continuity_first_attester": "alice", "continuity_second_attester": "bob"}
DOWNTIME = {
    "continuity_downtime_of": "fra",
    "continuity_downtime_by": "alice",
    "continuity_downtime_minutes": "60",
    "continuity_downtime_why": "power",
}
PIN = {"continuity_pin": "pin", "continuity_pin_by": "alice", "continuity_pin_sites": "fra"}
STATEMENTS = {
    "nobody attests": ("attest", {}, "continuity_attested_site, continuity_first_attester: expected"),
    "one person twice": ("attest", {**ATTEST, "continuity_second_attester": " Alice "}, "Refused: two_people."),
    "one person": (
        "attest",
        {key: ATTEST[key] for key in ("continuity_attested_site", "continuity_first_attester")},
        "Refused: two_people. Attested by alice only",
    ),
    "attested for no time": ("attest", {**ATTEST, "continuity_attested_minutes": "0"}, "continuity_attested_minutes:"),
    "attested for longer than the policy lets it": (
        "attest",
        {**ATTEST, "continuity_attested_minutes": "15.1"},
        "continuity_attested_minutes: expected at most 15.0, for continuity_policy.attestation is 900.0 s; found 15.1",
    ),
    "one person in two ways of Unicode": (
        "attest",
        {**ATTEST, "continuity_second_attester": "\uff21lice"},
        "Refused: two_people. Attested by alice only",
    ),
    "attested until some day": ("attest", {**ATTEST, "continuity_attested_until": "May"}, "the word now"),
    "attested site unknown": (
        "attest",
        {**ATTEST, "continuity_attested_site": "frax"},
        "continuity_attested_site: expected one of the two sites (fra, ams); found frax",
    ),
    "downtime of nothing": ("downtime", {}, "continuity_downtime_of, continuity_downtime_by"),
    "downtime for no reason": ("downtime", {**DOWNTIME, "continuity_downtime_why": " "}, "and why"),
    "downtime without end": ("downtime", {**DOWNTIME, "continuity_downtime_minutes": "0"}, "how long"),
    "downtime of nobody": (
        "downtime",
        {**DOWNTIME, "continuity_downtime_of": "fra-gw-9"},
        "continuity_downtime_of: expected a site or a media gateway (fra, ams, fra-gw-1,",
    ),
    "nobody pins": (
        "pin",
        {"continuity_pin": "pin"},
        "continuity_pin, continuity_pin_by: expected pin or unpin, and your",
    ),
    "pinned in another way": ("pin", {**PIN, "continuity_pin": "hold"}, "expected pin or unpin"),
    "pinned site unknown": (
        "pin",
        {**PIN, "continuity_pin_sites": "fra, frax"},
        "continuity_pin_sites: expected one or both of the two sites (fra, ams); found fra, frax",
    ),
    "nobody acknowledges": ("acknowledge", {}, "continuity_acknowledged_by: expected your name"),
    "acknowledged site unknown": (
        "acknowledge",
        {"continuity_acknowledged_by": "alice", "continuity_acknowledged_site": "frax"},
        "continuity_acknowledged_site: expected one of the two sites (fra, ams); found frax",
    ),
}


@pytest.mark.parametrize("case", STATEMENTS)
def test_a_statement_is_refused_before_any_connection(controller, case):
    playbook, variables, sentence = STATEMENTS[case]
    done = controller.run("ansible-playbook", f"playbooks/{playbook}.yml", "-e", json.dumps(variables))
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == REFUSED, said
    assert sentence in said
    assert not controller.connections


@pytest.mark.parametrize("playbook", ["attest", "downtime", "acknowledge", "let_in"])
def test_a_statement_that_nobody_can_remember_is_refused(controller, playbook):
    controller.edit(lambda data: data["continuity_policy"].update(confirm=0))
    variables = {**ATTEST, **DOWNTIME, "continuity_attested_until": "now", "continuity_acknowledged_by": "alice"}
    variables.update(continuity_returning_site="fra", continuity_let_in_by="alice")
    done = controller.run("ansible-playbook", f"playbooks/{playbook}.yml", "-e", json.dumps(variables))
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == REFUSED, said
    assert (
        "Refused: coordination. No host of the coordination store can be reached (fra-cfg, ams-cfg, par-witness)."
        in said
    )


BLAMED = ["this controller's clock disagrees with 3 of 5 hosts (fra-cfg +60 s)"]
WRONG = {"healthy": False, "clock": "wrong", "why": BLAMED}
LYING = {"decision": {"verdict": "OBSERVER_BLIND"}, "observation": {"observer": WRONG}}


@pytest.mark.parametrize("playbook", ["attest", "downtime", "acknowledge", "let_in"])
def test_every_statement_is_held_back_by_its_common_part(playbook):
    plays = [play.get("ansible.builtin.import_playbook") for play in yaml.safe_load(read(playbook))]
    assert plays.index("observe.yml") < plays.index("remember.yml") < plays.index("statement.yml")
    assert None in plays[plays.index("statement.yml") :]


def test_a_statement_that_a_wrong_clock_would_date_is_refused(controller):
    variables = json.dumps({"continuity_observed": LYING})
    done = controller.run("ansible-playbook", "playbooks/statement.yml", "-e", variables)
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == REFUSED, said
    assert f"Refused: clock. {BLAMED[0]}. Way: set this controller's clock right, run this again" in said


def test_what_people_say_is_no_misspelt_variable(controller):
    variables = {**ATTEST, **DOWNTIME, **PIN, "continuity_downtime_until": "now", "continuity_acknowledged_by": "alice"}
    done = controller.run("ansible-playbook", "playbooks/preflight.yml", "-e", json.dumps(variables))
    assert done.returncode == 0, done.stdout + done.stderr
