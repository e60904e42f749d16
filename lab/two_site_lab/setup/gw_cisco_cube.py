# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway that is a Cisco CUBE: a command line by SSH, and dial-peers that its Kamailio follows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from two_site_lab import gateways
from two_site_lab.model import Host, HostFile, HostSetup, Topology
from two_site_lab.standin_files import filled, programs, text, unit

if TYPE_CHECKING:
    from two_site_lab.lab import Lab

SHELL = "/usr/local/bin/cube-console"
STARTUP = "/var/lib/cisco-cube/startup-config"


def setup(host: Host, topology: Topology) -> HostSetup:
    """The router's programs, and its saved configuration."""
    sites = {target: site for site, target in gateways.targets(topology).items()}
    settings = {"startup": STARTUP, "console": "/run/cisco-cube/console", "sites": sites}
    files = [
        HostFile(STARTUP, _startup(host, topology)),
        HostFile("/etc/cisco-cube.json", json.dumps(settings, indent=2)),
        HostFile(SHELL, text("cisco_cube/cube-console"), 0o755),
        HostFile("/etc/ssh/sshd_config.d/cisco-cube.conf", filled("cisco_cube/sshd.conf.tmpl", user=gateways.USER)),
        unit("cisco_cube/cisco-cube.service"),
        *programs("cisco_cube", "gateway"),
    ]
    return HostSetup(files, ["cisco-cube.service"])


def make_user(lab: Lab, host: Host) -> None:
    """Let a user log in by password, whose shell is the router's command line."""
    lab.run(host.name, ["useradd", "--home-dir", "/", "--no-create-home", "--shell", SHELL, gateways.USER])
    lab.run(host.name, ["chpasswd"], input=f"{gateways.USER}:{lab.secret(host.name)}\n")


def _startup(host: Host, topology: Topology) -> str:
    """A dial-peer for each site, its own site's preferred, and one for emergency calls."""
    own, peer = str(host.site), topology.peer(str(host.site))
    return filled(
        "cisco_cube/startup-config.tmpl",
        host=host.name,
        emergency_tag=gateways.EMERGENCY_PEER,
        carrier=topology.of_kind("pstn")[0].address,
        own=own,
        own_tag=gateways.dial_peer(topology, own),
        own_address=topology.vip(own),
        peer=peer,
        peer_tag=gateways.dial_peer(topology, peer),
        peer_address=topology.vip(peer),
    )
