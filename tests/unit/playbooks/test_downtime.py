# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of playbooks/downtime.yml, played: the dead-man is switched through whichever host of the store answers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import ticket as tickets
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.etcd import TicketStore
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.etcd_client import EtcdClient
from etcd_double import Etcd
from tls_doubles import make_papers

ROOT = Path(__file__).parents[3]
UNTIL = "2026-01-31T05:00:00Z"
SAID = {"name": "site1", "by": "alice", "why": "new UPS", "at": "2026-01-31T03:14:15Z", "until": UNTIL}
ANSWERS = {"ansible_connection": "local"}


def plays():
    """The plays from the one that keeps the downtime on."""
    found = yaml.safe_load((ROOT / "playbooks/downtime.yml").read_text())
    return found[[play["name"] for play in found].index("Keep the downtime") :]


class Sites:
    """Two hosts of one coordination store, and the ticket, held by site1."""

    def __init__(self, directory, etcd):
        self.directory = directory
        self.settings = etcd.settings_file(directory / "etcd.json", timeout=5.0)
        self.client = EtcdClient(etcd.settings(timeout=5.0))
        self.store = TicketStore(self.client)
        silent = directory / "ssh"
        silent.write_text("#!/bin/sh\nexit 255\n")
        silent.chmod(0o755)
        self.gone = {"ansible_ssh_executable": str(silent)}
        self.hold(armed=False)

    def hold(self, armed):
        ticket = tickets.acquired(tickets.first("site1", ["h"]), "site1", "h", ["h"], armed)
        self.store.write(ticket, self.store.read().revision)

    def play(self, **hosts):
        coordination = {"driver": "etcd", "directory": str(self.directory), "settings": str(self.settings)}
        policy = {"config_plane_deadline": 0.2}
        continuity = {"continuity_coordination": coordination, "continuity_policy": policy}
        continuity["continuity_sites"] = {"site1": {}, "site2": {}}
        facts = {"continuity_checked": {"continuity": continuity}, "continuity_statement": SAID}
        here = {"ansible_connection": "local", **facts}
        inventory = {"all": {"hosts": {"localhost": here}, "children": {"continuity_stores": {"hosts": hosts}}}}
        inventory["all"]["vars"] = {"ansible_python_interpreter": sys.executable}
        (self.directory / "inventory.yml").write_text(yaml.safe_dump(inventory, sort_keys=False))
        (self.directory / "play.yml").write_text(yaml.safe_dump(plays(), sort_keys=False))
        words = ["-i", str(self.directory / "inventory.yml"), str(self.directory / "play.yml")]
        environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
        environment["ANSIBLE_LOCAL_TEMP"] = environment["ANSIBLE_REMOTE_TEMP"] = str(self.directory / "tmp")
        command = [Path(sys.executable).with_name("ansible-playbook"), *words]
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
        )


@pytest.fixture
def sites(tmp_path):
    with Etcd(make_papers(tmp_path)) as etcd:
        found = Sites(tmp_path, etcd)
        yield found
        found.client.close()


def test_a_store_host_that_is_gone_keeps_no_dead_man_armed(sites):
    done = sites.play(first=sites.gone, second=ANSWERS, third=ANSWERS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sites.store.read().ticket["disarmed_until"] == UNTIL
    assert "dead-man armed on no host" in done.stdout
    asked = done.stdout.partition("PLAY [The dead-man")[2]
    assert asked.count("changed: [") == asked.count("changed: [second]") == 1, "it is switched once"


def test_a_guard_that_stays_armed_fails_the_playbook(sites):
    sites.hold(armed=True)
    done = sites.play(first=ANSWERS, second=ANSWERS)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "still armed after 0 s: h; the window until" in done.stdout
    assert "fatal: [second]" not in done.stdout


def test_with_nobody_left_to_ask_it_fails(sites):
    done = sites.play(first=sites.gone)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "the downtime is not kept, and the dead-man is as it was" in done.stdout
    assert sites.store.read().ticket["disarmed_until"] is None
