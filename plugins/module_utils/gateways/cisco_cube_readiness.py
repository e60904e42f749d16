# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change of a Cisco CUBE needs, checked before it is needed; and what a person types in its place."""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, List, Mapping, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways import cisco_cube_text as text
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.cisco_cube_device import (
    Cube,
    Place,
    cube_of,
    places_of,
    scheme,
    settings,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import GatewayError

# Only under these does the preference decide between dial-peers (211306, "Number String Dial-Peer Hunting"); under 2
# and 3 it does so before the length of the match.
_BY_PREFERENCE, _BEFORE_LENGTH = ("0", "1", "2", "3"), ("2", "3")

Answer = Tuple[bool, str]
"""Whether it is met, and the evidence."""


def readiness(params: Mapping[str, Any], sites: List[str]) -> List[Dict[str, Any]]:
    """Return one `{item, met, evidence, way}` for each thing; what cannot be asked is not met."""
    checks: List[Tuple[str, str, Callable[[Cube], Answer]]] = [
        (
            "the command line answers, and may configure",
            "let ansible_user have privilege level 15, or set ansible_become with ansible_become_method enable",
            _privilege,
        ),
        (
            "both sites' targets are configured",
            "name them in the option targets: dial-peer tags, or with server_group addresses of the group",
            lambda cube: _targets(cube, sites),
        ),
        (
            "the gateway's keep-alive is on, and fast enough",
            "voice-class sip options-keepalive in each dial-peer, with short intervals; with a server group a profile",
            _keepalive,
        ),
        (
            "the preference decides where calls go",
            "one destination for both sites' dial-peers, dial-peer hunt 0; in a server group hunt-scheme preference",
            _decides,
        ),
        (
            "a change survives a reload",
            "leave the option save on",
            _saved,
        ),
    ]
    try:
        cube = cube_of(params)
    except GatewayError as error:
        return [{"item": item, "met": False, "evidence": str(error), "way": way} for item, way, _check in checks]
    return [_item(cube, item, way, check) for item, way, check in checks]


def _item(cube: Cube, item: str, way: str, check: Callable[[Cube], Answer]) -> Dict[str, Any]:
    try:
        met, evidence = check(cube)
    except GatewayError as error:
        met, evidence = False, str(error)
    return {"item": item, "met": met, "evidence": evidence, "way": way}


def _privilege(cube: Cube) -> Answer:
    printed = cube.cli.run("show privilege").strip()
    return "privilege level is 15" in printed, f"{cube.cli.host}: {printed or 'nothing met'}"


def _targets(cube: Cube, sites: List[str]) -> Answer:
    missing = [
        f"{site}: {', '.join(place.name for place in cube.places(site) if not cube.stands(place)) or 'not in targets'}"
        for site in sites
        if not cube.places(site) or not all(map(cube.stands, cube.places(site)))
    ]
    return not missing, f"missing: {'; '.join(missing)}" if missing else f"{', '.join(sites)} have theirs"


def _targets_of(cube: Cube) -> List[Place]:
    return [place for site in cube.sites for place in cube.places(site)]


def _peers(cube: Cube) -> List[str]:
    found = {header for place in _targets_of(cube) for header in cube.peers(place)}
    return [header for header in cube.running if header in found]


def _keepalive(cube: Cube) -> Answer:
    known = dict(cube.running)
    known.update(text.sections(cube.cli.run("show running-config | section voice class sip-options-keepalive")))
    limit, peers = cube.options["keepalive_max"], _peers(cube)
    found = {header: text.keepalive_of(known, header) for header in peers}
    slow = [header for header, times in found.items() if times is None or _slowest(times) > limit]
    evidence = [
        f"{header}: up {times['up-interval']} s, down {times['down-interval']} s, retry {times['retry']}"
        if times
        else f"{header}: none"
        for header, times in found.items()
    ]
    return bool(peers) and not slow, f"{'; '.join(evidence) or 'no dial-peer'} (at most {limit:g} s expected)"


def _slowest(times: Mapping[str, int]) -> int:
    return max(times["up-interval"], times["down-interval"])


def _decides(cube: Cube) -> Answer:
    if cube.options["server_group"]:
        return scheme(cube) == "preference", f"hunt-scheme {scheme(cube)}"
    printed = cube.cli.run("show running-config | include ^dial-peer hunt")
    shown = re.search(r"^dial-peer hunt (\d)", printed, re.MULTILINE)
    hunt = shown[1] if shown else "0"
    routes = {site: _destinations(cube, site) for site in cube.sites}
    same = len(set(map(tuple, routes.values()))) <= 1
    each = "; ".join(f"{site} {', '.join(lines) or 'none'}" for site, lines in routes.items())
    return hunt in _BY_PREFERENCE and (same or hunt in _BEFORE_LENGTH), f"dial-peer hunt {hunt}; destinations: {each}"


def _destinations(cube: Cube, site: str) -> List[str]:
    """Return what the site's dial-peers match."""
    lines = [line for place in cube.places(site) for line in cube.running.get(place.header, [])]
    return sorted({line for line in lines if line.startswith("destination")})


def _saved(cube: Cube) -> Answer:
    saves = cube.options["save"]
    return saves, "save is on" if saves else "save is off: a reload undoes what was changed"


def explain(params: Mapping[str, Any], site: str) -> List[str]:
    """Return what to type at the gateway so that new calls go to `site` first."""
    options = settings(params)
    sites = [site, *(other for other in options["targets"] if other != site)]
    group = f"voice class server-group {options['server_group']}"
    section = group if options["server_group"] else "dial-peer voice"
    lines = [
        "enable",
        f"show running-config | section {section}   ! keep it: it is put back later",
        "configure terminal",
    ]
    lines += [group] if options["server_group"] else []
    for rank, name in enumerate(sites):
        for place in places_of(options, name):
            lines += _by_hand(place, rank, name)
    lines += ["end", "show dial-peer voice summary   ! MIN is up; of PREFER the smaller number comes first"]
    return lines + (["write memory"] if options["save"] else [])


def _by_hand(place: Place, rank: int, site: str) -> List[str]:
    if place.slot == "preference":
        opened = [] if rank else [" no shutdown   ! only where shutdown stands"]
        return [f"{place.header}   ! {site}", f" preference {rank}", *opened, " exit"]
    entry = text.with_number(place.slot, "", rank + 1)
    return [
        f" no …   ! the whole line of {place.slot} ({site}) as it stands, unless it has preference {rank + 1}",
        f" {entry}",
    ]
