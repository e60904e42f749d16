# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cisco CUBE (IOS, IOS XE) as a media gateway: the preference of dial-peers, or of a server group's entries.

Without `server_group` each site has dial-peers of its own, and their *preference* (0 to 10, lower first) orders them.
With `server_group` dial-peers carry both sites, and the preference of the group's `ipv4 …` lines (0 to 5) orders them.
No site is shut down or taken out of a group. What an administrator shut down is opened only when calls have to go
there, and is shut again by the restore. A change is verified by reading it back, and saved.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways import cisco_cube_readiness
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways import cisco_cube_text as text
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.cisco_cube_device import (
    DEFAULTS as DEVICE_DEFAULTS,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.cisco_cube_device import (
    Cube,
    Place,
    cube_of,
    read_cube,
    scheme,
    unsaved,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.cli import CommandError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import Change, GatewayError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError

DEFAULTS: Dict[str, Any] = DEVICE_DEFAULTS
"""The driver's options, see cisco_cube_device."""

HIGHEST_OF_PEERS, HIGHEST_OF_ENTRIES = 10, 5

ORDER = "order"
"""Of a record: the slots of a server group's entries, in the order in which IOS showed them."""

Wanted = Dict[str, Dict[str, str]]
"""The line that must stand in each slot, by section; an empty one where none may."""


def read(params: Mapping[str, Any]) -> Dict[str, Any]:
    """Return each site's targets as the device shows them, and the site that comes first (None: no strict order).

    `priority` is the device's preference: the lower, the sooner. A target that is not configured has no priority.
    """
    return read_cube(cube_of(params))


def plan(params: Mapping[str, Any], site: str) -> Change:
    """Let all targets of `site` come before the other site's; what is shut down of `site` is opened."""
    cube = cube_of(params)
    _assert_known(cube, site)
    if cube.options["server_group"]:
        _assert_group_serves(cube, site)
    wanted = _wanted(cube, site)
    _assert_kept(cube, wanted)
    return _change(cube, wanted)


def plan_restore(params: Mapping[str, Any], undo: Mapping[str, Any]) -> Change:
    """Put back the recorded lines, and no others; a dial-peer that was deleted meanwhile stays deleted."""
    cube = cube_of(params)
    wanted: Wanted = {}
    orders: Dict[str, List[str]] = {}
    for key, stood in undo.items():
        header, _bar, slot = key.partition("|")
        if header in cube.running and slot == ORDER:
            orders[header] = stood
        elif header in cube.running:
            wanted.setdefault(header, {})[slot] = stood
    _assert_kept(cube, wanted)
    _assert_served(cube, wanted)
    return _change(cube, wanted, orders)


def apply(params: Mapping[str, Any], change: Change, site: Optional[str]) -> Dict[str, Any]:
    """Send the difference, read it back, save it; `site` is the one that must come first. Raises GatewayError."""
    cube = cube_of(params)
    before, after = text.sections(change.before), text.sections(change.after)
    if text.shown(cube.running, [header for header in before if header in cube.running]) != change.before:
        raise GatewayError(f"{cube.cli.host}: the configuration changed since it was read; nothing was sent, run again")
    lines = text.push(before, after)
    if lines:
        cube = _pushed(cube, params, lines, after)
    if unsaved(cube, after):
        _save(cube, after)
    found = read_cube(cube)
    if site and found["prefers"] != site:
        raise GatewayError(f"{cube.cli.host}: {site} should come first, {found['prefers'] or 'no site'} does")
    return found


def readiness(params: Mapping[str, Any], sites: List[str]) -> List[Dict[str, Any]]:
    """Check what a change needs: privilege, both sites' targets, their keep-alive, an order that decides, saving."""
    return cisco_cube_readiness.readiness(params, sites)


def explain(params: Mapping[str, Any], site: str) -> List[str]:
    """Return what to type at the gateway so that new calls go to `site` first; nothing is asked of the gateway."""
    return cisco_cube_readiness.explain(params, site)


def _assert_known(cube: Cube, site: str) -> None:
    if site not in cube.sites or len(cube.sites) < 2:
        known = ", ".join(cube.sites) or "no site"
        raise GatewayError(f"{cube.cli.host}: option targets: {site} and another site expected, {known} given")
    for name in cube.sites:
        for place in cube.places(name):
            # An entry that a killed run left out is written again; a dial-peer is never created.
            if place.header not in cube.running or (name == site and not cube.stands(place)):
                raise GatewayError(
                    f"{cube.cli.host}: {place.name} of {name} expected, not in the running configuration"
                )


def _assert_group_serves(cube: Cube, site: str) -> None:
    shut = sorted({header for place in cube.places(site) for header in cube.shut(place)})
    if shut:
        raise RefusedError(
            "what carries both sites is opened by a person only",
            f"{cube.cli.host}: shutdown stands in {', '.join(shut)}",
            "Find out why it was shut down, and type no shutdown there",
        )
    if scheme(cube) != "preference":
        raise RefusedError(
            "the preference decides where calls go",
            f"{cube.cli.host}: hunt-scheme {scheme(cube)} stands in server group {cube.options['server_group']}",
            "Type hunt-scheme preference there, or give each site a dial-peer of its own",
        )


def _wanted(cube: Cube, site: str) -> Wanted:
    """Return the lines of an order in which all targets of `site` come first."""
    entries = bool(cube.options["server_group"])
    second = [at for name in cube.sites if name != site for at in cube.preferences(name)]
    highest = HIGHEST_OF_ENTRIES if entries else HIGHEST_OF_PEERS
    try:
        # An entry is away for an instant while it is rewritten: the preferred site's stays where there is room.
        new = text.numbers(cube.preferences(site), second or [0], highest, keep_first=entries)
    except ValueError as error:
        raise GatewayError(f"{cube.cli.host}: {error}") from error
    wanted: Wanted = {}
    for name in cube.sites:
        moved = new["first" if name == site else "second"]
        for place in cube.places(name):
            line = cube.line(place)
            preference = moved[text.number(line)] if cube.stands(place) else max(moved.values())
            wanted.setdefault(place.header, {})[place.slot] = text.with_number(place.slot, line, preference)
            if name == site and not entries:
                wanted[place.header]["shutdown"] = ""
    return wanted


def _change(cube: Cube, wanted: Wanted, orders: Mapping[str, List[str]] = MappingProxyType({})) -> Change:
    headers = [header for header in cube.running if header in wanted or header in cube.headers]
    after = {
        header: text.changed(header, cube.running[header], wanted.get(header, {}), orders.get(header, ()))
        for header in headers
    }
    undo: Dict[str, Any] = {}
    for header, slot, old, _new in _differing(cube.running, wanted):
        undo[f"{header}|{slot}"] = old
        if text.GROUP.match(header):
            undo[f"{header}|{ORDER}"] = list(text.slots(header, cube.running[header]))
    before_text, after_text = text.shown(cube.running, headers), text.shown(after, headers)
    return Change(before_text, after_text, undo, reload=unsaved(cube, after))


def _differing(met: text.Config, wanted: Mapping[str, Mapping[str, str]]) -> List[Tuple[str, str, str, str]]:
    """Return section, slot, the line that stands and the line that is wanted, where the two differ."""
    found = []
    for header, lines in wanted.items():
        old = text.slots(header, met.get(header, []))
        found += [(header, slot, old.get(slot, ""), new) for slot, new in lines.items() if old.get(slot, "") != new]
    return found


def _assert_kept(cube: Cube, wanted: Wanted) -> None:
    """Refuse what touches an emergency dial-peer, or the server group that one uses."""
    places = [Place(header, slot) for header, slot, _old, _new in _differing(cube.running, wanted)]
    tags = {header.split()[2] for place in places for header in [place.header, *cube.peers(place)]}
    kept = sorted(tags & set(cube.options["keep"]))
    if kept:
        raise RefusedError(
            "emergency dial-peers are never touched",
            f"{cube.cli.host}: the calls of dial-peer {', '.join(kept)}, which the option keep names, would move",
            "Give the sites dial-peers or a server group of their own",
        )


def _assert_served(cube: Cube, wanted: Wanted) -> None:
    """Refuse to put back what would leave no target in service, or none that answers."""
    ours = [(site, place) for site in cube.sites for place in cube.places(site) if cube.in_service(place)]
    out = [(site, place) for site, place in ours if _goes_out(wanted, place)]
    if not out:
        return
    targets = read_cube(cube)["targets"]
    left = [place for site, place in ours if (site, place) not in out and targets[site]["oper"] != "down"]
    if not left:
        raise RefusedError(
            "a target stays in service",
            f"{cube.cli.host}: {', '.join(place.name for _site, place in out)} would go out of service, and no other"
            " target is in service and answers",
            "Open the other site's target or wait until it answers, and restore again",
        )


def _goes_out(wanted: Wanted, place: Place) -> bool:
    lines = wanted.get(place.header, {})
    return lines.get("shutdown") == "shutdown" if place.slot == "preference" else lines.get(place.slot) == ""


def _pushed(cube: Cube, params: Mapping[str, Any], lines: List[str], after: text.Config) -> Cube:
    """Send the lines and return the gateway as it then is. Raises GatewayError unless all of them stand."""
    refused: Optional[CommandError] = None
    try:
        cube.cli.configure(lines)
    except CommandError as error:
        refused = error
    except GatewayError as error:
        raise GatewayError(f"{error}; how much of this arrived is not known: {', '.join(lines)}") from error
    now = cube_of(params)
    left = _differing(now.running, _lines_of(after, now.running))
    if refused or left:
        parts = [
            f"{header}: {slot}: {new or 'no line'} expected, {met or 'no line'} met" for header, slot, met, new in left
        ]
        told = f"{refused}; " if refused else ""
        raise GatewayError(
            f"{told}{now.cli.host} does not run what it was told: {'; '.join(parts) or 'all of it stands'}"
        )
    return now


def _lines_of(config: text.Config, met: text.Config) -> Wanted:
    """Return what must stand in every slot that either text has."""
    found: Wanted = {}
    for header, lines in config.items():
        new = text.slots(header, lines)
        found[header] = {slot: new.get(slot, "") for slot in {**text.slots(header, met.get(header, [])), **new}}
    return found


def _save(cube: Cube, after: text.Config) -> None:
    try:
        printed = cube.cli.run("write memory")
    except GatewayError as error:
        printed = str(error)
    if "[OK]" not in printed or unsaved(cube, after):
        raise GatewayError(
            f"{cube.cli.host}: the change stands, but a reload would undo it: [OK] expected from write memory,"
            f" {' '.join(printed.split()) or 'nothing'} met"
        )
