# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the deployment's data model: who is whose peer, who looks, which hosts a step touches.

`continuity` is everywhere the mapping of the `continuity_*` variables, with their full names as keys, as
`continuity_check` returns it: checked, and with every default filled in. Nothing here checks it again.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways import CLOSED

NO_WITNESS = "none"
"""The word that says that there is no third place (decision.md: two sites alone cannot decide)."""
ITSELF, ELSEWHERE = "itself", "elsewhere"
"""Where a gateway's modules run: on it, or where its inventory name leads, which is the controller or another host."""


def site_names(continuity: Mapping[str, Any]) -> List[str]:
    """Return the two sites' names, in the inventory's order."""
    return list(continuity["continuity_sites"])


def site(continuity: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return one site's data. Raises KeyError for a name that is no site."""
    found: Mapping[str, Any] = continuity["continuity_sites"][name]
    return found


def sip_endpoint(server: Mapping[str, Any]) -> Dict[str, Any]:
    """Return where SIP is sent: address, port, transport, and server_name where the certificate has another name."""
    return {key: server[key] for key in ("address", "port", "transport", "server_name") if server.get(key) is not None}


def peer(continuity: Mapping[str, Any], name: str) -> str:
    """Return the name of the other site. Raises KeyError for a name that is no site."""
    site(continuity, name)
    return next(other for other in site_names(continuity) if other != name)


def witness(continuity: Mapping[str, Any]) -> Optional[str]:
    """Return the host in the third place, or None where the inventory says that there is none."""
    host: str = continuity["continuity_witness"]
    return None if host == NO_WITNESS else host


def gateways(continuity: Mapping[str, Any], site_name: Optional[str] = None) -> List[str]:
    """Return the media gateways, of one site or of both."""
    found: Mapping[str, Any] = continuity["continuity_gateways"]
    return [name for name, data in found.items() if site_name in (None, data["site"])]


def is_managed_elsewhere(continuity: Mapping[str, Any], gateway: str) -> bool:
    """Return whether no module runs on this gateway: then nothing is kept there, and only it can tell what it sees."""
    data = continuity["continuity_gateways"][gateway]
    return bool(data.get("managed_from", ELSEWHERE if data["driver"] in CLOSED else ITSELF) == ELSEWHERE)


def vantage_hosts(continuity: Mapping[str, Any], site_name: str) -> List[str]:
    """Return the hosts inside a site that look and act for it."""
    return list(site(continuity, site_name)["vantage"])


def observers(continuity: Mapping[str, Any]) -> List[str]:
    """Return every host that looks: the vantage hosts of both sites, the witness, the gateways; each once."""
    third = witness(continuity)
    looking = [host for name in site_names(continuity) for host in vantage_hosts(continuity, name)]
    return _once([*looking, *([third] if third else []), *gateways(continuity)])


def coordination_hosts(continuity: Mapping[str, Any]) -> List[str]:
    """Return the hosts that hold the coordination store."""
    return list(continuity["continuity_coordination"]["hosts"])


def name_clients(continuity: Mapping[str, Any]) -> List[str]:
    """Return the hosts on which Configuration Server Proxies resolve the service names, each once."""
    named: Mapping[str, Any] = continuity["continuity_service_names"]
    return _once(host for data in named.values() for host in data["clients"])


def provisioning_hosts(continuity: Mapping[str, Any]) -> List[str]:
    """Return the phones' provisioning host as a list of one; empty when no phone is provisioned."""
    provisioning = continuity.get("continuity_provisioning")
    return [provisioning["host"]] if provisioning else []


def configuration_hosts(continuity: Mapping[str, Any], site_name: str) -> List[str]:
    """Return a site's Configuration Server host and database host; one name when they are the same machine."""
    configuration = site(continuity, site_name)["configuration"]
    return _once([configuration["host"], configuration["database"]["host"]])


def database_host(continuity: Mapping[str, Any], site_name: str) -> str:
    """Return the host of a site's Configuration Database."""
    host: str = site(continuity, site_name)["configuration"]["database"]["host"]
    return host


def site_hosts(continuity: Mapping[str, Any], site_name: str) -> List[str]:
    """Return every inventory host that a site names: vantage, SIP Server legs, configuration, database, gateways."""
    legs = site(continuity, site_name)["sip_server"]["legs"]
    return _once(
        [
            *vantage_hosts(continuity, site_name),
            *legs,
            *configuration_hosts(continuity, site_name),
            *gateways(continuity, site_name),
        ]
    )


def step_hosts(continuity: Mapping[str, Any], failed: str) -> Dict[str, List[str]]:
    """Return the hosts on which each step away from a site acts, reachable or not, in the steps' order."""
    survivor = peer(continuity, failed)
    database = database_host(continuity, survivor)
    server = site(continuity, survivor)["configuration"]["host"]
    old_database = database_host(continuity, failed)
    old_server = site(continuity, failed)["configuration"]["host"]
    return {
        "prefer_survivor": gateways(continuity),
        "move_phones": provisioning_hosts(continuity),
        "single_site": vantage_hosts(continuity, survivor),
        "verify_call_plane": gateways(continuity),
        "preflight_database": [database],
        "preflight_server": [server],
        "freeze_writes": [old_database],
        "stop_old_master": [old_server],
        "fence": [old_database],
        "revoke_ticket": [database],
        "take_ticket": configuration_hosts(continuity, survivor),
        "reopen_writes": [database],
        "promote_database": [database],
        "start_config_server": [server],
        "repoint_names": name_clients(continuity),
        "verify_configuration": [server],
        "verify_desktops": vantage_hosts(continuity, survivor) if "continuity_desktops" in continuity else [],
        "resync_old": [old_database],
        "return_ticket": [database],
        "unfreeze": [old_database],
        "unfence": [old_database],
        "restart_old_master": [old_server],
        "verify_undone": [old_server],
    }


def plan_hosts(continuity: Mapping[str, Any]) -> List[str]:
    """Return every host that a step may act on, whichever site fails; each once."""
    return _once(
        host for failed in site_names(continuity) for hosts in step_hosts(continuity, failed).values() for host in hosts
    )


def _once(names: Iterable[str]) -> List[str]:
    return list(dict.fromkeys(names))
