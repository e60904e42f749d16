# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PRIVATE to the collection. The signal `redundancy`: which part of a site is lost while the site serves.

Parts: the SIP Server's legs, the Local Control Agents, the Configuration Server Proxy, the site's media gateways, and,
where the inventory gives their ports, Solution Control Server and Stat Server. Solution Control Server is asked for
only where the master Configuration Server runs: the other site's one sleeps until it is started with its master
(Framework, "Disaster Recovery Switchover", steps 5 and 6), so its closed port there is no loss.
"""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.contactcenter.sip_dr.plugins.module_utils._signals_base import (
    Signal,
    Site,
    Word,
    any_up,
    signal,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._signals_calls import bad_row
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.reports import Report

GATEWAY_FAULT = "GATEWAY_FAULT"
SOLUTION_CONTROL = "scs"
"""The part that is expected only beside the running master."""


def redundancy(site: Site) -> Signal:
    """down: a part of the site is lost; up: every part is there. `of` counts the parts here, not the views.

    Without any host inside that could be reached it is unknown: what is silent may only be cut off from us.
    """
    pages = [one for one in site.reports.of("inside", site.name) if one.check["kind"] == "monitoring_page"]
    parts = _parts([*pages, *_expected(site)])
    parts.update(_split_pair(pages))
    gateways = [one for one in site.gateways_inside() if not site.declared(one.host)]
    parts.update({one.host: _gateway(site, one) for one in gateways})
    values = [one["value"] for one in parts.values()]
    of = [values.count("up"), len(values)]
    if not site.inside[site.name] & site.reports.reached:
        return signal("unknown", False, of, parts)
    return signal("down" if "down" in values else "unknown" if "unknown" in values else "up", True, of, parts)


def _expected(site: Site) -> list[Report]:
    """The reports of the parts that have to be there now."""
    reports = site.reports.of("redundancy", site.name)
    if any(one.value == "up" for one in site.reports.of("master", site.name)):
        return reports
    return [one for one in reports if one.check["part"] != SOLUTION_CONTROL]


def _parts(reports: Iterable[Report]) -> dict[str, Word]:
    """One word for each part of the site; a part that any host inside reaches is there."""
    parts: dict[str, Word] = {}
    for one in reports:
        known = parts.get(one.check["part"])
        if known is None or any_up([known["value"], one.value]) != known["value"]:
            parts[one.check["part"]] = one.word
    return parts


def _split_pair(pages: Iterable[Report]) -> dict[str, Word]:
    primaries = {one.check["part"] for one in pages if one.answer and one.answer.get("run_mode") == "primary"}
    if len(primaries) < 2:
        return {}
    return {"HA pair": {"value": "down", "detail": f"{' and '.join(sorted(primaries))} both run as primary"}}


def _gateway(site: Site, gateway: Report) -> Word:
    """A gateway as a part of its site: there as long as it reaches any site, speaks, and completes calls."""
    if gateway.answer is None or not gateway.answer["answered"]:
        return _fault(f"silent ({gateway.word['detail']})")
    if gateway.value == "down":
        return _fault(f"reaches no site ({gateway.word['detail']})")
    if bad_row(site, gateway.host):
        return _fault("completes calls to neither site, and another gateway does")
    return gateway.word


def _fault(detail: str) -> Word:
    return {"value": "down", "detail": f"{GATEWAY_FAULT}: {detail}"}
