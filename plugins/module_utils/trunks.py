# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inter-site trunk, direction by direction: what SIP Server says of its Trunk DN, and what our own OPTIONS finds.

Pure. SIP Server's word decides (decision.md, "What is observed", trunk), for it is SIP Server that stops using the
trunk; without `oos-check` on the DN it has none. Our own look never votes: it tells a trunk that is out of service from
a monitoring page, a Trunk DN or a detection that is wrong.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils import deployment
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.reports import Report, Reports

SERVER_PAGE = "/server?sipServer"
TRUNK_PAGE = "/server?sipTrunkStatistics"
OWN = "own OPTIONS"

IN_SERVICE, OUT_OF_SERVICE, UNKNOWN = "in_service", "out_of_service", "unknown"
STATES = {"up": IN_SERVICE, "down": OUT_OF_SERVICE, "unknown": UNKNOWN}
"""What a signal's value means of a trunk."""

_SERVER_SAYS = {
    IN_SERVICE: "SIP Server says in service",
    OUT_OF_SERVICE: "SIP Server says out of service",
    UNKNOWN: "SIP Server's word is not known",
}
_WE_SAY = {
    IN_SERVICE: "our own OPTIONS is answered",
    OUT_OF_SERVICE: "our own OPTIONS is not answered",
    UNKNOWN: "our own OPTIONS told nothing",
}


def page_checks(site: str, server: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The monitoring pages of each leg: its run mode, and its Trunk DN where SIP Server watches that.

    server: `sip_server` of the site in the checked deployment data.
    """
    for leg, data in server["legs"].items():
        page = {"about": site, "address": data["address"], "port": server["monitoring_port"], "part": leg}
        kind = "monitoring_page"
        yield {"id": f"inside:{site}:page:{leg}", "kind": kind, "signal": "inside", "path": SERVER_PAGE, **page}
        if server["trunk"]["oos_check"]:
            dn = server["trunk"]["dn"]
            yield {"id": f"trunk:{site}:{leg}", "kind": kind, "signal": "trunk", "path": TRUNK_PAGE, "dn": dn, **page}


def own_check(site: str, server: Mapping[str, Any], peer: Mapping[str, Any]) -> dict[str, Any]:
    """Our own look from inside the site at its peer. server, peer: `sip_server` of the site and of the other one."""
    where = deployment.sip_endpoint(peer)
    about = {"id": f"trunk:{site}:own", "about": site, "signal": "trunk", "part": OWN}
    return {**about, "kind": "trunk", "oos_force": server["trunk"]["oos_force"], **where}


def voters(reports: Reports, site: str) -> list[Report]:
    """The pages that tell of the site's Trunk DN: the primary leg's, where it is known which that is.

    Else those of the legs that are not known to be the backup: its page may tell what was before.
    """
    pages = [one for one in reports.of("trunk", site) if one.check["kind"] == "monitoring_page"]
    return _in_mode(reports, site, pages, ("primary",)) or _in_mode(reports, site, pages, ("unknown", None))


def said(reports: Reports, site: str) -> str:
    """The voters' word, up, down or unknown; two legs that differ, either of which may be the primary, have none."""
    pages = voters(reports, site)
    words = {one.value for one in pages}
    if {"up", "down"} <= words and not _in_mode(reports, site, pages, ("primary",)):
        return "unknown"
    return _any_up(words)


def own_looks(reports: Reports, site: str) -> list[Report]:
    """Our own looks from inside the site; they do not vote."""
    return [one for one in reports.of("trunk", site) if one.check["kind"] == "trunk"]


def direction(reports: Reports, site: str, peer: str) -> dict[str, Any]:
    """What the reports say of the trunk from `site` to `peer`: see view."""
    own = _any_up(one.value for one in own_looks(reports, site))
    return view(site, peer, STATES[said(reports, site)], STATES[own])


def view(site: str, peer: str, monitoring: str, probe: str) -> dict[str, Any]:
    """`{monitoring, probe, agree, detail}` of one direction, from `site` to `peer`.

    monitoring, probe: in_service, out_of_service or unknown. agree: None when either is unknown.
    """
    agree: Optional[bool] = None if UNKNOWN in (monitoring, probe) else monitoring == probe
    words = f"{site}→{peer}: {_SERVER_SAYS[monitoring]}, {'but ' if agree is False else ''}{_WE_SAY[probe]}"
    return {"monitoring": monitoring, "probe": probe, "agree": agree, "detail": words}


def with_differences(observer: Mapping[str, Any], sites: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The observer with a note for each direction in which SIP Server and our own look say different things.

    observer: `{healthy, notes?, …}` of an observation. sites: its sites, each with `trunk` as `direction` has it.
    """
    differing = [f"{site['trunk']['detail']}." for site in sites.values() if site["trunk"]["agree"] is False]
    return {**observer, "notes": [*observer.get("notes", []), *differing]} if differing else dict(observer)


def matrix(seen: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Both directions: `{site: {monitoring, probe, agree, detail}}`.

    seen: `{site: {monitoring, probe}}` of exactly the two sites, as the module trunk_state returned it at each; a site
    whose answer is missing has `{}`. Raises ValueError unless there are two, or when a word is none of the three.
    """
    if len(seen) != 2:
        raise ValueError(f"a trunk has two ends, not {len(seen)}: {', '.join(seen)}")
    first, second = seen
    return {site: _direction(site, peer, seen[site]) for site, peer in ((first, second), (second, first))}


def _in_mode(reports: Reports, site: str, pages: Iterable[Report], modes: Container[Optional[str]]) -> list[Report]:
    """The pages of legs whose run mode, as the same host read it, is one of these; None is a mode that was not read."""
    seen = {(one.host, one.check.get("part")): (one.answer or {}).get("run_mode") for one in reports.of("inside", site)}
    return [one for one in pages if seen.get((one.host, one.check["part"])) in modes]


def _direction(site: str, peer: str, told: Mapping[str, Any]) -> dict[str, Any]:
    words = {name: told.get(name) or UNKNOWN for name in ("monitoring", "probe")}
    strange = [f"{name}: {word}" for name, word in words.items() if word not in _WE_SAY]
    if strange:
        raise ValueError(f"{site}: {', '.join(strange)} is none of {', '.join(_WE_SAY)}")
    return view(site, peer, words["monitoring"], words["probe"])


def _any_up(values: Iterable[str]) -> str:
    said = set(values)
    return "up" if "up" in said else "down" if "down" in said else "unknown"
