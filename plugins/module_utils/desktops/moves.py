# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What desktops do by themselves while a site is released, takes over or is restored, in words. Pure: no I/O.

Source: Workspace Desktop Edition 8.5.1, Business Continuity: a desktop goes to the other site
`disaster-recovery.timeout` seconds after it has lost SIP Server, Configuration Server or Statistic Server of its own.
"""

from __future__ import annotations

from typing import List, Mapping

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops import DesktopError, Site

LOST = (
    "disaster-recovery.timeout seconds after they have lost their SIP Server, Configuration Server or Statistic Server"
)


def moves(door: str, site: str, sites: Mapping[str, Site]) -> str:
    """Return what moves at a door that changes nothing. Raises DesktopError for a site that is not there."""
    if door == "restore":
        return (
            "nothing was changed, so nothing is put back: desktops stay where they are logged in, until their agents"
            " log in elsewhere; no document that we could read says that they go back by themselves"
        )
    known(site, sites)
    peer = " or ".join(name for name in sites if name != site) or "the other site"
    if door == "release":
        return (
            f"nothing is changed: desktops leave {site} for {peer} by themselves, {LOST}; calls that no longer reach"
            f" {site} do not make them leave"
        )
    return (
        f"nothing is changed: desktops of {peer} log in at {site} by themselves, {LOST}, and connect to the Statistic"
        f" Server and the Configuration Server Proxy of {site}"
    )


def known(site: str, sites: Mapping[str, Site]) -> Site:
    """Return a site by its name. Raises DesktopError, which tells those there are."""
    if site not in sites:
        names: List[str] = list(sites)
        raise DesktopError(f"sites has no {site}, it has {', '.join(names) or 'none'}")
    return sites[site]
