# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What desktops need of each site, from the deployment's data. Pure: no I/O."""

from __future__ import annotations

from typing import Any, Dict, Mapping

from ansible_collections.contactcenter.sip_dr.plugins.module_utils import deployment


def desktop_sites(continuity: Mapping[str, Any]) -> Dict[str, Dict[str, Any]]:
    """Return the option `sites` of agent_desktop (see `site_of`), from the data as `continuity_check` returns it."""
    named = continuity.get("continuity_desktops", {}).get("sites", {})
    return {
        name: _site(deployment.site(continuity, name), named.get(name, {}))
        for name in deployment.site_names(continuity)
    }


def _site(data: Mapping[str, Any], known: Mapping[str, Any]) -> Dict[str, Any]:
    server, configuration = data["sip_server"], data["configuration"]
    return {
        "legs": server["legs"],
        "monitoring_port": server["monitoring_port"],
        "proxy": {"address": configuration["address"], "port": configuration["proxy_port"]},
        **({"stat_server": data["stat_server"]} if "stat_server" in data else {}),
        **known,
    }
