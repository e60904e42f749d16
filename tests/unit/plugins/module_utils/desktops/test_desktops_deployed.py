# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What desktops need, from the deployment's data, as the filter offers it."""

from __future__ import annotations

from typing import Any

from ansible_collections.contactcenter.sip_dr.plugins.filter.desktop_sites import FilterModule
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops import Endpoint, site_of

desktop_sites = FilterModule().filters()["desktop_sites"]


def test_each_site_is_what_the_module_takes(continuity: dict[str, Any]) -> None:
    fra, ams = (site_of(name, data) for name, data in desktop_sites(continuity).items())
    assert dict(fra.legs) == {"fra-sip-a": "10.20.10.11", "fra-sip-b": "10.20.10.12"}
    assert (fra.monitoring_port, fra.workspace_name) == (8088, "Frankfurt")
    assert (fra.stat_server, ams.stat_server) == (Endpoint("10.20.20.40", 2060), None)
    assert (fra.proxy, ams.proxy) == (Endpoint("10.20.20.20", 2025), Endpoint("10.30.20.20", 2025))
    assert ams.servers == ("SIP_Server_AMS", "StatServer_AMS", "confserv_proxy_AMS")


def test_what_workspace_calls_a_site_may_be_left_out(continuity: dict[str, Any]) -> None:
    continuity["continuity_desktops"]["sites"] = {}
    fra = site_of("fra", desktop_sites(continuity)["fra"])
    assert (fra.workspace_name, fra.servers) == ("fra", ())
    del continuity["continuity_desktops"]
    assert set(desktop_sites(continuity)) == {"fra", "ams"}
