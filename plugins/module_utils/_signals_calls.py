# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PRIVATE to the collection. Signals of calls: do test calls complete, and is there room for all calls at one site.

Test calls are a matrix, gateway × site. A bad column (calls to a site fail through every gateway that works for the
other one) is the site's fault; a bad row (a gateway completes no call to either) is the gateway's, and is told by
`redundancy` as GATEWAY_FAULT.
"""

from __future__ import annotations

from typing import Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils._signals_base import Signal, Site, plain, signal


def calls(site: Site) -> Signal:
    """up: any gateway completes calls to the site. down: every gateway that works for the other one fails here.

    A gateway that works for neither says nothing about a site; nor does one whose calls met only busy or overload. But
    where every call of the matrix fails, both are down: nobody is fit then, and a person must know (NO_HEALTHY_SITE).
    """
    here, there = (site.reports.of("calls", name) for name in (site.name, site.peer))
    elsewhere = {one.host: one.value for one in there}
    working = [one.value for one in here if elsewhere.get(one.host) == "up"]
    proven = working or [one.value for one in (*here, *there)]
    seen = plain(site, here)
    if seen["value"] != "up":
        seen["value"] = "down" if proven and set(proven) == {"down"} else "unknown"
    return seen


def bad_row(site: Site, gateway: str) -> bool:
    """Whether a gateway's calls are down to both sites, while another gateway completes some."""
    matrix = [*site.reports.of("calls", site.name), *site.reports.of("calls", site.peer)]
    own = [one.value for one in matrix if one.host == gateway]
    others = [one.value for one in matrix if one.host != gateway]
    return len(own) == 2 and set(own) == {"down"} and "up" in others


def capacity(site: Site) -> Signal:
    """up: the site is declared to carry at least the calls that run now at both sites; down: fewer.

    unknown while nothing is declared of it, or the calls of either site could not be read.
    """
    reports = [one for name in (site.name, site.peer) for one in site.reports.of("capacity", name)]
    of = site.views((one.host, one.value) for one in reports)
    by = {one.reporter: one.word for one in reports}
    running = [_running(site, name) for name in (site.name, site.peer)]
    room = site.capacity.get(site.name)
    known = [one for one in running if one is not None]
    if room is None or len(known) < len(running):
        return signal("unknown", False, of, by)
    return signal("up" if sum(known) <= room else "down", False, of, by)


def _running(site: Site, name: str) -> Optional[int]:
    """The calls at one site: what the busier leg says, since the other one of the pair may carry none."""
    figures = [(one.answer or {}).get("calls") for one in site.reports.of("capacity", name)]
    return max((one for one in figures if one is not None), default=None)
