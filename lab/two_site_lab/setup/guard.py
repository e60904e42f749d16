# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard on the Configuration hosts: the files that its own installation lays, and the ticket that it starts with.

The hosts are installed as a playbook would install them, by the same function of the collection; the lab does it
before they boot, so that the first start of the database is the guard's, as every later one is.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from two_site_lab.model import Host, HostFile, HostSetup, Topology

COLLECTIONS = Path(__file__).resolve().parents[3] / "collections"
COLLECTION = "ansible_collections.contactcenter.sip_dr.plugins.module_utils"
SETTINGS = "/etc/sip-dr/etcd.json"
WRAPPER = "/usr/local/sbin/sip-dr-guarded"
DATABASE_UNIT = "postgresql@15-main.service"
STANDBY_SIGNAL = "/var/lib/postgresql/15/main/standby.signal"
# What the master's site runs, in the order of the vendor's start; the first of them writes.
SERVERS = ("genesys-confserv.service", "genesys-scs.service", "genesys-message-server.service")


def setup(host: Host, topology: Topology) -> HostSetup:
    """The guard's files on a Configuration host; nothing elsewhere, and nothing where the lab has no guard."""
    if host.kind != "cfg" or not topology.protection.guarded:
        return HostSetup()
    installation = _part("guard.installation")
    laid = installation.files(config(host, topology)).items()
    return HostSetup([HostFile(path, file.content, file.mode) for path, file in laid], [installation.UNIT])


def config(host: Host, topology: Topology) -> dict[str, Any]:
    """The guard's configuration; its times are the policy's defaults."""
    site = str(host.site)
    return {
        "site": site,
        "host": host.name,
        "hosts": _hosts(topology, site),
        "replication": topology.protection.replication,
        "sync_names": topology.peer(site),
        "settings": SETTINGS,
        "writers": [{"unit": SERVERS[0]}, {"unit": DATABASE_UNIT, "standby_signal": STANDBY_SIGNAL}],
        "start": [DATABASE_UNIT, *SERVERS],
        "database": {"driver": "postgresql"},
    }


def first_ticket(topology: Topology) -> dict[str, Any]:
    """The ticket as a new lab has it: for the site that the master begins at, and nobody's yet."""
    ticket: dict[str, Any] = _part("coordination.ticket").first(topology.master, _hosts(topology, topology.master))
    return ticket


def _hosts(topology: Topology, site: str) -> list[str]:
    return [host.name for host in topology.of_kind("cfg", site)]


def _part(name: str) -> ModuleType:
    """A part of the collection, which stands beside the lab and needs nothing but Python."""
    if str(COLLECTIONS) not in sys.path:
        sys.path.append(str(COLLECTIONS))
    return importlib.import_module(f"{COLLECTION}.{name}")
