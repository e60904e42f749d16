# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of the lab's Configuration Database, as GAX shows them: hosts, applications, trunks, a person."""

from __future__ import annotations

import secrets
from typing import Any

from standins.config_server.objects import hashed

from two_site_lab.inventory import DR_TIMEOUT, WORKSPACE
from two_site_lab.model import Host, Topology

Object = dict[str, Any]
GAX_USER = "sip-dr"
# What the verification write of a move is made to.
VERIFY_APPLICATION = "sip-dr"
TRUTH_APPLICATION = "lab-truth"
DESKTOP_SECTION = "interaction-workspace"
PREFERRED_SITE = "disaster-recovery.preferred-site"
SUBTYPES = {
    "confserv": "CFGConfigServer",
    "proxy": "CFGConfigServer",
    "scs": "CFGSCS",
    "message_server": "CFGMessageServer",
    "gax": "CFGGenericServer",
}


def application_names(site: str) -> dict[str, str]:
    """The names of a site's framework Applications, by what they are."""
    return {
        "confserv": f"confserv_{site}",
        "proxy": f"confserv_proxy_{site}",
        "scs": f"SCS_{site}",
        "message_server": f"MessageServer_{site}",
        "gax": f"GAX_{site}",
    }


def objects(topology: Topology, gax_password: str) -> list[Object]:
    """Everything that a new lab's database holds, with dbids that stay the same from lab to lab."""
    hosts = [host for host in topology.hosts.values() if host.kind in ("cfg", "sip")]
    host_ids = {host.name: str(101 + number) for number, host in enumerate(hosts)}
    return [
        *(_host(host, host_ids[host.name]) for host in hosts),
        *_numbered(_applications(topology, host_ids)),
        *_numbered(_trunks(topology)),
        _person(gax_password),
    ]


def _numbered(items: list[Object]) -> list[Object]:
    return [{**item, "dbid": str(101 + number)} for number, item in enumerate(items)]


def _properties(*triples: tuple[str, str, str]) -> Object:
    return {"property": [{"section": section, "key": key, "value": value} for section, key, value in triples]}


def _host(host: Host, dbid: str) -> Object:
    return {
        "type": "CfgHost",
        "dbid": dbid,
        "name": host.name,
        "ipaddress": host.address,
        "lcaport": "4999",
        "ostype": "CFGRedHatLinux",
        "subtype": "CFGNetworkServer",
        "state": "CFGEnabled",
    }


def _application(
    name: str, subtype: str, host: str | None = None, *options: tuple[str, str, str], site: str | None = None
) -> Object:
    annex = [(DESKTOP_SECTION, PREFERRED_SITE, site)] if site else []
    return {
        "type": "CfgApplication",
        "name": name,
        "subtype": subtype,
        "state": "CFGEnabled",
        "serverinfo": {"hostdbid": host} if host else None,
        "options": _properties(*options),
        "userproperties": _properties(*annex),
    }


def _applications(topology: Topology, host_ids: dict[str, str]) -> list[Object]:
    made = [_application("default", "CFGSCE"), _application(VERIFY_APPLICATION, "CFGThirdPartyServer")]
    made.append(_application(TRUTH_APPLICATION, "CFGThirdPartyServer"))
    for number, site in enumerate(topology.sites, 1):
        made += _sip_servers(topology, site, f"SIP_Server_{number}", host_ids)
        cfg = host_ids[topology.of_kind("cfg", site)[0].name]
        made += [
            _application(name, SUBTYPES[what], cfg, site=site if what == "proxy" else None)
            for what, name in application_names(site).items()
        ]
    return made + _of_desktops(topology, host_ids)


def _of_desktops(topology: Topology, host_ids: dict[str, str]) -> list[Object]:
    """Stat Servers, and Workspace with its disaster-recovery options; what desktops connect to names its site."""
    cfgs = {site: host_ids[topology.of_kind("cfg", site)[0].name] for site in topology.sites}
    first, second = topology.sites
    options = {
        "disaster-recovery.enabled": "true",
        "disaster-recovery.timeout": str(DR_TIMEOUT),
        PREFERRED_SITE: first,
        "sipendpoint.sbc-register-address": topology.vip(first),
        "sipendpoint.sbc-register-address.peer": topology.vip(second),
    }
    triples = [(DESKTOP_SECTION, key, value) for key, value in options.items()]
    return [
        *(_application(f"StatServer_{site}", "CFGStatServer", cfg, site=site) for site, cfg in cfgs.items()),
        _application(WORKSPACE, "CFGThirdParty", None, *triples),
    ]


def _sip_servers(topology: Topology, site: str, name: str, host_ids: dict[str, str]) -> list[Object]:
    """The HA pair. Options stand on the primary's object: the backup's are copied from it and read-only."""
    options = (
        ("TServer", "dr-peer-trunk", f"trunk_{topology.peer(site)}"),
        ("TServer", "dr-forward", "oos"),
        ("TServer", "http-port", "8080"),
    )
    legs = [host_ids[leg.name] for leg in topology.of_kind("sip", site)]
    names = [name, *(f"{name}_B" for _ in legs[1:])]
    pairs = zip(names, legs, strict=True)
    return [_application(leg_name, "CFGTServer", leg, *options, site=site) for leg_name, leg in pairs]


def _trunks(topology: Topology) -> list[Object]:
    return [_trunk(topology, site, str(101 + number)) for number, site in enumerate(topology.sites)]


def _trunk(topology: Topology, site: str, switch: str) -> Object:
    """The Trunk DN on a site's switch that points to the peer."""
    peer = topology.peer(site)
    return {
        "type": "CfgDN",
        "number": f"trunk_{peer}",
        "name": f"trunk_{peer}",
        "subtype": "CFGTrunk",
        "switchdbid": switch,
        "tenantdbid": "1",
        "state": "CFGEnabled",
        "userproperties": _properties(
            ("TServer", "contact", f"sip:{topology.vip(peer)}:5060"),
            ("TServer", "oos-check", "1"),
            ("TServer", "oos-force", "2"),
        ),
    }


def _person(password: str) -> Object:
    salt = secrets.token_hex(16)
    return {
        "type": "CfgPerson",
        "dbid": "101",
        "username": GAX_USER,
        "salted_string": salt,
        "password": hashed(password, salt),
    }
