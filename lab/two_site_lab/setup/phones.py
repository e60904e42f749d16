# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The contact centre: phones of both kinds, and the desktops of the agents who sit at them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from two_site_lab import truth
from two_site_lab.inventory import DR_TIMEOUT, DUAL_LINES, SINGLE_LINES
from two_site_lab.model import Host, HostFile, HostSetup, Topology
from two_site_lab.standin_files import filled, programs, unit

if TYPE_CHECKING:
    from two_site_lab.lab import Lab

PROVISIONING = "/srv/provisioning"
BARESIP_PORT = 5090
LOGIN_PORT = 3300
REGISTRATION = 20
EXPIRES = 30  # of a provisioned phone
UNITS = ["baresip.service", "provisioned-phones.service", "agent-desktops.service"]


def setup(host: Host, topology: Topology) -> HostSetup:
    """The files of the contact centre's one host."""
    files = [
        HostFile("/etc/baresip/config", filled("phones/baresip.config.tmpl", address=host.address, port=BARESIP_PORT)),
        HostFile("/etc/baresip/accounts", "".join(_dual_account(topology, dn) for dn in DUAL_LINES)),
        unit("phones/baresip.service"),
        HostFile("/etc/provisioned-phones.json", json.dumps(_phones(host), indent=2)),
        *(_provisioning_file(topology, dn) for dn in SINGLE_LINES),
        unit("phones/provisioned-phones.service"),
        HostFile("/etc/agent-desktops.json", json.dumps(_desktops(topology), indent=2)),
        unit("agent_desktop/agent-desktops.service"),
        *programs("phones", "agent_desktop", "config_server"),
    ]
    return HostSetup(files=files, enable=UNITS)


def ready(lab: Lab) -> list[str]:
    """Which phones and agents are not where they should be, in words."""
    return truth.phones_missing(lab) + truth.agents_missing(lab)


def mac(dn: int) -> str:
    """The hardware address of a provisioned phone, as its provisioning file is named."""
    return f"00156500{dn - 1000:04d}"


def _dual_account(topology: Topology, dn: int) -> str:
    first, second = (f'"sip:{topology.vip(site)};transport=udp"' for site in topology.sites)
    return (
        f"<sip:{dn}@{topology.vip(topology.sites[0])}>;regint={REGISTRATION};answermode=auto;"
        f"outbound={first};outbound2={second};sipnat=outbound\n"
    )


def _phones(host: Host) -> dict[str, object]:
    lines = [{"file": f"{mac(dn)}.cfg", "port": 4100 + dn} for dn in SINGLE_LINES]
    return {"address": host.address, "directory": PROVISIONING, "lines": lines}


def _provisioning_file(topology: Topology, dn: int) -> HostFile:
    first, second = (topology.vip(site) for site in topology.sites)
    text = filled("phones/provisioning.cfg.tmpl", dn=dn, first=first, second=second, expires=EXPIRES)
    return HostFile(f"{PROVISIONING}/{mac(dn)}.cfg", text)


def _desktops(topology: Topology) -> dict[str, object]:
    return {
        "dr_timeout": DR_TIMEOUT,
        "sites": {site: [topology.vip(site), LOGIN_PORT] for site in topology.sites},
        "agents": [
            {"agent": f"agent-{dn}", "dn": str(dn), "site": site} for dn, site in truth.home_sites(topology).items()
        ],
    }
