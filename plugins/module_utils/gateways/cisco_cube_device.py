# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Cisco CUBE as it is read: the driver's options, where each site's targets lie, and how they do."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways import cisco_cube_text as text
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.cli import Cli, CommandError, ConnectionCli
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import GatewayError, options_of

DEFAULTS: Dict[str, Any] = {
    "targets": {},
    "server_group": 0,
    "keep": [],
    "save": True,
    "keepalive_max": 15.0,
    "command_timeout": 30.0,
    "socket_path": "",
}
"""The driver's options; times in seconds. `targets` name each site's dial-peer tags, or its addresses in the group.

`socket_path` is that of the module's network_cli connection: the module sets it, not a person.
"""

_OPER = {"active": "up", "busyout": "down", "partial": "partial"}


class Place(NamedTuple):
    """Where a target's preference stands: a section's first line, and the slot in that section."""

    header: str
    slot: str

    @property
    def name(self) -> str:
        """The target in the device's words."""
        return self.header if self.slot == "preference" else f"{self.header}: {self.slot}"


class Cube(NamedTuple):
    """A gateway as it was read: its command line, the driver's options, and the running configuration's sections."""

    cli: Cli
    options: Dict[str, Any]
    running: text.Config

    @property
    def sites(self) -> List[str]:
        """The sites that have targets."""
        return list(self.options["targets"])

    def places(self, site: str) -> List[Place]:
        """Return the places of a site's targets, whether something stands there or not."""
        return places_of(self.options, site)

    def line(self, place: Place) -> str:
        """Return the line that stands in a slot; empty when there is none."""
        return text.slots(place.header, self.running.get(place.header, [])).get(place.slot, "")

    def stands(self, place: Place) -> bool:
        """True when the target is configured; a dial-peer may be so without a line of its preference."""
        return place.header in self.running and (place.slot == "preference" or bool(self.line(place)))

    def preferences(self, site: str) -> List[int]:
        """Return the preferences of the site's targets that are configured; lower is preferred."""
        return [text.number(self.line(place)) for place in self.places(site) if self.stands(place)]

    def peers(self, place: Place) -> List[str]:
        """Return the dial-peers that send calls to the target."""
        if place.slot == "preference":
            return [place.header]
        line = "session server-group " + place.header.split()[-1]
        return [header for header, lines in self.running.items() if line in lines]

    def shut(self, place: Place) -> List[str]:
        """Return the sections in which a `shutdown` keeps the target out of service."""
        above = sorted({place.header, *self.peers(place)})
        return [header for header in above if "shutdown" in self.running.get(header, [])]

    def in_service(self, place: Place) -> bool:
        """True when the target is configured and nothing above it is shut down."""
        return self.stands(place) and not self.shut(place)

    @property
    def headers(self) -> List[str]:
        """The sections that may be changed, in the order in which the device has them."""
        ours = {place.header for site in self.sites for place in self.places(site)}
        return [header for header in self.running if header in ours]


def settings(params: Mapping[str, Any]) -> Dict[str, Any]:
    """Return every option in its type. Raises GatewayError naming the option that cannot be."""
    options = options_of(DEFAULTS, params)
    options["targets"] = {str(site): _words(value) for site, value in options["targets"].items()}
    options["keep"] = _words(options["keep"])
    return options


def _words(value: object) -> List[str]:
    return [str(one) for one in (value if isinstance(value, (list, tuple)) else [value])]


def places_of(options: Mapping[str, Any], site: str) -> List[Place]:
    """Return where the options say that the site's targets lie."""
    values = options["targets"].get(site, [])
    if options["server_group"]:
        header = f"voice class server-group {options['server_group']}"
        return [Place(header, text.entry_slot(value)) for value in values]
    return [Place(f"dial-peer voice {tag} voip", "preference") for tag in values]


def cube_of(params: Mapping[str, Any]) -> Cube:
    """Connect and read the running configuration. Raises GatewayError."""
    options = settings(params)
    cli = ConnectionCli(options["socket_path"], options["command_timeout"])
    return Cube(cli, options, config(cli, options, "running"))


def config(cli: Cli, options: Mapping[str, Any], which: str) -> text.Config:
    """Return the dial-peers, and with `server_group` the groups, of the running or the startup configuration."""
    found = text.sections(cli.run(f"show {which}-config | section dial-peer voice"))
    if options["server_group"]:
        found.update(text.sections(cli.run(f"show {which}-config | section voice class server-group")))
    return found


def unsaved(cube: Cube, wanted: text.Config) -> bool:
    """True when a reload would bring back other lines than the wanted ones; always False without `save`."""
    if not cube.options["save"]:
        return False
    startup = config(cube.cli, cube.options, "startup")
    return any(
        text.slots(header, startup.get(header, [])) != text.slots(header, lines) for header, lines in wanted.items()
    )


def scheme(cube: Cube) -> str:
    """Return the server group's hunt-scheme; IOS does not show its default."""
    lines = cube.running.get(f"voice class server-group {cube.options['server_group']}", [])
    return next((line.split()[1] for line in lines if line.startswith("hunt-scheme ")), "preference")


def read_cube(cube: Cube) -> Dict[str, Any]:
    """Return each site's targets as the device shows them, and the site that comes first."""
    try:
        table = text.summary(cube.cli.run("show dial-peer voice summary"))
    except ValueError as error:
        raise GatewayError(f"{cube.cli.host}: {error}") from error
    status = _status(cube) if cube.options["server_group"] else {}
    targets = {site: _target(cube, site, table, status) for site in cube.sites}
    return {"targets": targets, "prefers": _first(cube)}


def _status(cube: Cube) -> Dict[str, Dict[str, str]]:
    """Return each dial-peer's destinations with their keep-alive; nothing where IOS is too old to have the command."""
    try:
        return text.keepalive_status(cube.cli.run("show dial-peer voip keepalive status"))
    except CommandError:
        return {}


def _target(
    cube: Cube, site: str, table: Mapping[str, Mapping[str, str]], status: Mapping[str, Mapping[str, str]]
) -> Dict[str, Any]:
    standing = [place for place in cube.places(site) if cube.stands(place)]
    seen = [_seen(cube, place, table, status) for place in standing]
    missing = [f"{place.name}: not configured" for place in cube.places(site) if place not in standing]
    opers = {oper for _words, oper in seen}
    return {
        "state": "; ".join([words for words, _oper in seen] + missing),
        "admin": "in_service" if standing and all(map(cube.in_service, cube.places(site))) else "out_of_service",
        "oper": _together({oper for _state, oper in seen}) if opers else "unknown",
        "priority": min(cube.preferences(site), default=None),
        "uri": ", ".join(_uri(cube, place) for place in standing),
    }


def _together(opers: set[str]) -> str:
    """Return how several targets do: what all do, partial when some are known to be up, else unknown."""
    if len(opers) == 1:
        return next(iter(opers))
    return "partial" if opers & {"up", "partial"} else "unknown"


def _seen(
    cube: Cube, place: Place, table: Mapping[str, Mapping[str, str]], status: Mapping[str, Mapping[str, str]]
) -> Tuple[str, str]:
    """Return the device's own words about a target, and what they mean."""
    rows = {header: table.get(header.split()[2]) for header in cube.peers(place)}
    if place.slot == "preference":
        return _seen_peer(place, rows[place.header])
    words = {
        word
        for header in rows
        for destination, word in status.get(header.split()[2], {}).items()
        if word and _is(destination, place.slot)
    }
    # A whole dial-peer that is active or busied out says it of each entry; partial does not say which.
    words = words or {row["keepalive"] for row in rows.values() if row and row["keepalive"] in ("active", "busyout")}
    state = " ".join(
        [place.slot, *sorted(words or {"no keep-alive state"}), *(f"({at} shutdown)" for at in cube.shut(place))]
    )
    return state, _together({_OPER[word] for word in words}) if words else "unknown"


def _seen_peer(place: Place, row: Optional[Mapping[str, str]]) -> Tuple[str, str]:
    if row is None:
        return f"{place.header}: not in the summary", "unknown"
    state = f"{place.header}: MIN {row['admin']} OPER {row['oper']} KEEPALIVE {row['keepalive'] or 'none'}"
    # OPER is down with MIN as well: only of a dial-peer that is not shut down does it say something new.
    dead = row["admin"] == "up" and row["oper"] == "down"
    return state, "down" if dead else _OPER.get(row["keepalive"], "unknown")


def _is(destination: str, slot: str) -> bool:
    """True when a destination of the keep-alive table (`ipv4:10.1.0.10:5060`, the port may be missing) is the entry."""
    kind, _colon, address = destination.partition(":")
    return slot in (f"{kind} {address}", f"{kind} {address}:5060")


def _uri(cube: Cube, place: Place) -> str:
    if place.slot != "preference":
        return place.slot.replace(" ", ":")
    lines = cube.running[place.header]
    return next((line.split()[2] for line in lines if line.startswith("session target ")), "")


def _first(cube: Cube) -> Optional[str]:
    """Return the site all of whose targets are in service and come before every other site's."""
    for site in cube.sites:
        others = [at for name in cube.sites if name != site for at in cube.preferences(name)]
        ours = cube.preferences(site)
        if ours and all(map(cube.in_service, cube.places(site))) and (not others or max(ours) < min(others)):
            return site
    return None
