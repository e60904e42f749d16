# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A SIP Server leg: Kamailio, keepalived for the site's virtual address, the side-car, and the host's control agent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from two_site_lab import truth
from two_site_lab.model import Host, HostFile, HostSetup, Topology
from two_site_lab.standin_files import filled, programs, text, unit

if TYPE_CHECKING:
    from two_site_lab.lab import Lab

ROUTING_POINT = "8000"
OOS_CHECK = 1
OOS_FORCE = 2
CONFIG_PORTS = (2025, 2020)
ANSWER_PORT = 5070
ANSWER_MEDIA_PORT = 16384
UNITS = [
    "kamailio.service",
    "keepalived.service",
    "genesys-sip-server.service",
    "genesys-lca.service",
    "test-call-answer.service",
]


def application(topology: Topology, site: str) -> str:
    """The name of the site's SIP Server Application, which both legs go by."""
    return f"SIP_Server_{topology.sites.index(site) + 1}"


def setup(host: Host, topology: Topology) -> HostSetup:
    """The files of one leg."""
    files = [
        HostFile("/etc/kamailio/kamailio.cfg", text("sip_server/kamailio.cfg")),
        HostFile("/etc/kamailio/common.cfg", text("kamailio/common.cfg")),
        HostFile("/etc/kamailio/faults.cfg", text("kamailio/faults.cfg")),
        HostFile("/etc/kamailio/site.cfg", _kamailio_site(host, topology)),
        HostFile("/etc/kamailio/dispatcher.list", f"1 sip:{_peer_address(host, topology)}:5060 0 0\n"),
        HostFile("/etc/keepalived/keepalived.conf", _keepalived(host, topology)),
        HostFile("/usr/local/sbin/check-sip", text("sip_server/check-sip"), mode=0o755),
        HostFile("/etc/genesys/sip_server.json", json.dumps(_settings(host, topology), indent=2)),
        HostFile("/etc/genesys/lca.conf", f"[{application(topology, _site(host))}]\nunit=genesys-sip-server.service\n"),
        unit("sip_server/genesys-sip-server.service"),
        unit("lca/genesys-lca.service"),
        *_test_call_answer(host),
        *programs("sip_server", "config_server", "lca"),
    ]
    return HostSetup(files=files, enable=UNITS)


def ready(lab: Lab) -> list[str]:
    """What the SIP Servers still lack, in words."""
    return truth.sip_servers_missing(lab)


def _site(host: Host) -> str:
    if host.site is None:
        raise ValueError(f"{host.name}: a SIP Server stands in a site")
    return host.site


def _peer_address(host: Host, topology: Topology) -> str:
    return topology.vip(topology.peer(_site(host)))


def _legs(host: Host, topology: Topology) -> tuple[int, Host]:
    """The host's place in the pair, from 0, and the other leg."""
    pair = topology.of_kind("sip", host.site)
    return pair.index(host), next(leg for leg in pair if leg != host)


def _kamailio_site(host: Host, topology: Topology) -> str:
    place, other = _legs(host, topology)
    site = _site(host)
    return filled(
        "sip_server/site.cfg.tmpl",
        address=host.address,
        ha_peer=other.address,
        shared=topology.vip(site),
        remote=_peer_address(host, topology),
        site=site,
        peer_site=topology.peer(site),
        node_number=place + 1,
        routing_point=ROUTING_POINT,
        test_dn=topology.test_dn(site),
        peer_test_dn=topology.test_dn(topology.peer(site)),
        answer_port=ANSWER_PORT,
        oos_check=OOS_CHECK,
        oos_force=OOS_FORCE,
    )


def _test_call_answer(host: Host) -> list[HostFile]:
    where = {"address": host.address, "port": ANSWER_PORT, "media_port": ANSWER_MEDIA_PORT}
    return [
        HostFile("/etc/genesys/test_call_answer.xml", text("sip_server/test_call_answer.xml")),
        HostFile("/etc/genesys/test-call-answer.env", filled("sip_server/test-call-answer.env.tmpl", **where)),
        unit("sip_server/test-call-answer.service"),
    ]


def _keepalived(host: Host, topology: Topology) -> str:
    place, other = _legs(host, topology)
    return filled(
        "sip_server/keepalived.conf.tmpl",
        host=host.name,
        interface="eth0",
        priority=150 - 50 * place,
        startup_delay=3 * place,
        address=host.address,
        ha_peer=other.address,
        shared=topology.vip(_site(host)),
        prefix_length=topology.zone_of(host).prefix_length,
    )


def _settings(host: Host, topology: Topology) -> dict[str, object]:
    site = _site(host)
    peer = topology.peer(site)
    servers = [(cfg.address, port) for cfg in topology.of_kind("cfg", site) for port in CONFIG_PORTS]
    return {
        "host": host.name,
        "site": site,
        "peer_site": peer,
        "application": application(topology, site),
        "shared_address": topology.vip(site),
        "peer_address": topology.vip(peer),
        "trunk": f"trunk_{peer}",
        "oos_check": OOS_CHECK,
        "oos_force": OOS_FORCE,
        "dr_peer_trunk": f"trunk_{peer}",
        "dr_forward": "oos",
        "config_servers": servers,
    }
