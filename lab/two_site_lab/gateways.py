# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the collection manages each gateway of the lab: what differs from make to make. Pure."""

from __future__ import annotations

from typing import Any

from two_site_lab import pki
from two_site_lab.model import Host, Topology
from two_site_lab.state import State

OWN_KAMAILIO = "kamailio"
USER = "sip-dr"  # of those that are managed from control
EMERGENCY_PEER = 911
PROXY_SET = "SIP Servers"
PROXY_SET_NUMBER = 1
# Seconds that a dead gateway is waited for, and that an idle connection is kept: network_cli has one word for both. Its
# 30 s would make every look at the sites as long; less than the looks' own wait for SIP costs nothing.
CONNECT_TIMEOUT = 7


def dial_peer(topology: Topology, site: str) -> int:
    """The tag of a CUBE's dial-peer to a site."""
    return 1001 + topology.sites.index(site)


def targets(topology: Topology) -> dict[str, str]:
    """``{site: host:port}`` of both SIP Servers, as an AudioCodes has them in its Proxy Set."""
    return {site: f"{topology.vip(site)}:5060" for site in topology.sites}


def is_closed(gateway: Host) -> bool:
    """Whether the gateway is a make on which no module runs: it is managed from control, with a user and a password."""
    return gateway.make != OWN_KAMAILIO


def entry(gateway: Host, topology: Topology) -> dict[str, Any]:
    """The gateway in ``continuity_gateways``."""
    plain = {"site": gateway.site, "driver": gateway.make, "address": gateway.address}
    options = _driver_options(gateway, topology)
    return {**plain, "driver_options": options} if options else plain


def _driver_options(gateway: Host, topology: Topology) -> dict[str, Any]:
    if gateway.make == "cisco_cube":
        peers = {site: dial_peer(topology, site) for site in topology.sites}
        return {"targets": peers, "keep": [EMERGENCY_PEER]}
    if gateway.make == "audiocodes":
        state = State(topology.id)
        return {
            "address": gateway.address,
            "username": USER,
            "password_file": str(state.password(gateway.name)),
            "ca_file": str(pki.authority_file(state.pki)),
            "proxy_set": PROXY_SET,
            "targets": targets(topology),
        }
    return {}


def connection(host: Host, state: State) -> dict[str, Any]:
    """How Ansible reaches a host, where that is not SSH with the lab's key."""
    here = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    if host.make == "cisco_cube":
        return {
            "ansible_connection": "ansible.netcommon.network_cli",
            "ansible_network_os": "cisco.ios.ios",
            "ansible_network_cli_ssh_type": "libssh",
            "ansible_host_key_checking": False,
            "ansible_connect_timeout": CONNECT_TIMEOUT,
            "ansible_user": USER,
            "ansible_password": "{{ lookup('ansible.builtin.file', '" + str(state.password(host.name)) + "') }}",
            **here,
        }
    return {"ansible_connection": "local", **here} if host.make == "audiocodes" else {}
