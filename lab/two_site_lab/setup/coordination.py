# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The coordination service: an etcd member on each Configuration host and on the witness, and who may log in there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from two_site_lab import pki
from two_site_lab.errors import LabError
from two_site_lab.lab import Lab
from two_site_lab.model import Host, HostFile, HostSetup, Topology
from two_site_lab.setup import guard
from two_site_lab.standin_files import filled, text
from two_site_lab.state import State

SETTINGS = guard.SETTINGS
AUTHORITY = "/etc/sip-dr/etcd-ca.pem"
PREFIX = "/sip-dr"
CLIENT_PORT = 2379
ANSWER_LIMIT = 2.0
LOG_IN_DEADLINE = 30
UNIT = "etcd.service"
# The password comes by the environment, never by the command line.
ASK_TICKET = f"""
import json, os
known = json.load(open("{guard.SETTINGS}"))
os.environ.update(
    ETCDCTL_API="3",
    ETCDCTL_CACERT=known["ca_file"],
    ETCDCTL_ENDPOINTS=",".join("https://" + place for place in known["endpoints"]),
    ETCDCTL_COMMAND_TIMEOUT="3s",
    ETCDCTL_USER=known["user"] + ":" + known["password"],
)
os.execvp("etcdctl", ["etcdctl", "get", "--print-value-only", known["prefix"] + "/ticket"])
"""


def setup(host: Host, topology: Topology) -> HostSetup:
    """A member's settings, certificate and unit, and how this host's own programs log in; nothing on other hosts."""
    if host not in topology.members():
        return HostSetup()
    keys = State(topology.id).pki
    private = [
        HostFile("/etc/etcd/member.key", pki.private_key(keys, host.name).read_text(), 0o600, "etcd"),
        HostFile(SETTINGS, json.dumps(settings(host, topology), indent=1) + "\n", 0o600),
    ]
    authority = pki.authority_file(keys).read_text()
    files = [
        HostFile("/etc/etcd/member.pem", pki.certificate(keys, host.name).read_text()),
        HostFile("/etc/etcd/ca.pem", authority),
        HostFile(AUTHORITY, authority),
        HostFile("/etc/default/etcd", _environment(host, topology)),
        HostFile(f"/etc/systemd/system/{UNIT}.d/lab.conf", text("etcd/unit.conf")),
    ]
    return HostSetup(files=[*files, *private], enable=[UNIT], directories=["/var/lib/sip-dr"])


def start(lab: Lab) -> None:
    """Make the users and lay the ticket, once the members answer; LabError if they do not in time."""
    if not lab.topology.members():
        return
    words = lab.in_control([sys.executable, "-m", "two_site_lab.coordination_users"])
    done = subprocess.run(
        [str(word) for word in words],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        input=json.dumps(_users(lab)),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LabError(f"etcd: {(done.stderr.strip().splitlines() or ['no word of why'])[-1]}")


def ticket(lab: Lab) -> dict[str, Any] | None:
    """The ticket as a majority has it, asked by etcd's own client; None without one, and without a majority."""
    for host in lab.topology.members():
        with suppress(LabError):  # the host is off
            asked = lab.run(host.name, ["python3", "-c", ASK_TICKET], check=False)
            if asked.returncode == 0:
                return json.loads(asked.stdout or "null")
    return None


def settings(host: Host, topology: Topology) -> dict[str, Any]:
    """How a host's own programs log in: its own member first, the other site's last."""
    near = sorted(topology.members(), key=lambda member: (member != host, member.site is not None))
    user = user_of(host)
    return {
        "endpoints": [f"{member.address}:{CLIENT_PORT}" for member in near],
        "user": user,
        "password": Lab(topology.id).secret(f"etcd-{user}"),
        "ca_file": AUTHORITY,
        "prefix": PREFIX,
        "timeout": ANSWER_LIMIT,
    }


def user_of(host: Host) -> str:
    """The user that a host's programs log in as: its site, or its own name in a third place."""
    return host.site or host.name


def _users(lab: Lab) -> dict[str, Any]:
    listed = lab.topology.members()
    users = dict.fromkeys([user_of(host) for host in listed])
    return {
        "endpoints": [f"{host.address}:{CLIENT_PORT}" for host in listed],
        "ca_file": str(pki.authority_file(lab.state.pki)),
        "deadline": LOG_IN_DEADLINE,
        "prefix": PREFIX,
        "root": lab.secret("etcd-root"),
        "users": {user: lab.secret(f"etcd-{user}") for user in users},
        "keys": {"ticket": guard.first_ticket(lab.topology)} if lab.topology.protection.guarded else {},
    }


def _environment(host: Host, topology: Topology) -> str:
    cluster = ",".join(f"{member.name}=https://{member.address}:2380" for member in topology.members())
    return filled("etcd/member.env.tmpl", member=host.name, address=host.address, cluster=cluster, lab=topology.id)
