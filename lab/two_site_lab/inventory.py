# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The running lab as an Ansible inventory: hosts, and the deployment in the collection's own data model. Pure."""

from __future__ import annotations

from typing import Any

from two_site_lab import gateways
from two_site_lab.model import Host, Topology
from two_site_lab.state import State

DUAL_LINES = range(1001, 1021)
SINGLE_LINES = range(1021, 1041)
CAPACITY = 200  # calls at once that a site's stand-ins are said to carry
MESSAGE_PORT = 7120
STAT_PORT = 2060
WORKSPACE = "Workspace"
DR_TIMEOUT = 10  # seconds; Workspace's own default is 60, and the lab is in a hurry
LICENCE = "/opt/genesys/licence/license.dat"
SSH = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=3"


def hosts(topology: Topology, state: State) -> dict[str, Any]:
    """The content of hosts.yml: how Ansible reaches every host of the lab."""
    return {
        "all": {
            "vars": {
                "ansible_user": "root",
                "ansible_ssh_private_key_file": str(state.key),
                "ansible_ssh_common_args": SSH,
                # Two labs have the same addresses: a shared connection of one must not serve the other.
                "ansible_control_path_dir": str(state.root / "ssh"),
                "ansible_python_interpreter": "/usr/bin/python3",
            },
            "hosts": {
                "localhost": {
                    "ansible_connection": "local",
                    "ansible_python_interpreter": "{{ ansible_playbook_python }}",
                },
                **{
                    host.name: {"ansible_host": host.address, **gateways.connection(host, state)}
                    for host in topology.hosts.values()
                },
            },
        }
    }


def continuity(topology: Topology) -> dict[str, Any]:
    """The content of group_vars/all/continuity.yml: the deployment as every playbook knows it."""
    cfgs = [host.name for host in topology.of_kind("cfg")]
    networks = {"contact_centre": "centre", "carrier": "carrier", "witness": "witness"}
    return {
        "continuity_sites": {site: _site(topology, site, number) for number, site in enumerate(topology.sites, 1)},
        "continuity_trunks": {},
        "continuity_witness": topology.of_kind("witness")[0].name,
        "continuity_networks": {name: [topology.zones[zone].subnet] for name, zone in networks.items()},
        "continuity_gateways": {gateway.name: gateways.entry(gateway, topology) for gateway in topology.of_kind("gw")},
        "continuity_phones": _phones(topology),
        "continuity_provisioning": {"host": topology.of_kind("phones")[0].name, "directory": "/srv/provisioning"},
        "continuity_desktops": {
            "applications": [WORKSPACE],
            "sites": {site: {"servers": desktop_servers(topology, site)} for site in topology.sites},
        },
        "continuity_service_names": {"confserv-master": {"clients": cfgs, "driver": "hosts_file"}},
        "continuity_coordination": _coordination(topology),
        "continuity_policy": {"synthetic_calls": True, "replication": topology.protection.replication},
    }


def desktop_servers(topology: Topology, site: str) -> list[str]:
    """The Applications of a site that desktops connect to: SIP Server, Stat Server, Configuration Server Proxy."""
    return [f"SIP_Server_{topology.sites.index(site) + 1}", f"StatServer_{site}", f"confserv_proxy_{site}"]


def _coordination(topology: Topology) -> dict[str, Any]:
    hosts = [host.name for host in topology.members() or topology.of_kind("cfg")]
    return {"driver": topology.protection.coordination, "hosts": hosts, "directory": "/var/lib/sip-dr"}


def _site(topology: Topology, site: str, number: int) -> dict[str, Any]:
    cfg = topology.of_kind("cfg", site)[0]
    return {
        "networks": [topology.zones[site].subnet],
        "vantage": [cfg.name],
        "sip_server": _sip_server(topology, site, number),
        "configuration": {
            "host": cfg.name,
            "address": cfg.address,
            "port": 2020,
            "proxy_port": 2025,
            "scs_port": 7070,
            "message_port": MESSAGE_PORT,
            "licence_file": LICENCE,
            "database": {"host": cfg.name, "address": cfg.address, "port": 5432},
        },
        "stat_server": {"address": cfg.address, "port": STAT_PORT},
    }


def _sip_server(topology: Topology, site: str, number: int) -> dict[str, Any]:
    return {
        "address": topology.vip(site),
        "port": 5060,
        "transport": "udp",
        "application": f"SIP_Server_{number}",
        "legs": {leg.name: {"address": leg.address} for leg in topology.of_kind("sip", site)},
        "monitoring_port": 8080,
        "trunk": {"dn": f"trunk_{topology.peer(site)}", "oos_check": 1, "oos_force": 2},
        "lca_port": 4999,
        "test_dn": topology.test_dn(site),
        "capacity": CAPACITY,
    }


def _phones(topology: Topology) -> list[dict[str, Any]]:
    phones = topology.of_kind("phones")[0]
    return [_dual(topology, phones, dn) for dn in DUAL_LINES] + [_single(topology, phones, dn) for dn in SINGLE_LINES]


def _dual(topology: Topology, phones: Host, dn: int) -> dict[str, Any]:
    return {
        "name": f"agent-{dn}",
        "dn": str(dn),
        "registration": "dual",
        "servers": topology.sites,
        "address": phones.address,
        "port": 5090,
    }


def _single(topology: Topology, phones: Host, dn: int) -> dict[str, Any]:
    return {
        "name": f"agent-{dn}",
        "dn": str(dn),
        "registration": "single",
        "servers": topology.sites,
        "driver": "yealink",
        "mac": f"00156500{dn - 1000:04d}",
        "address": phones.address,
        "port": 4100 + dn,
    }
