# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenSIPS' dispatcher as a media gateway, over its management interface (MI): JSON-RPC by HTTP or unix datagram.

Destinations come from a database only (the list file is gone; README, question "list_file"), and the MI cannot set a
priority. So a site is preferred by what the MI has: `ds_set_state i` takes the other site's destinations out of
service, `ds_set_state a` puts them back. Where the preferred site stands first in its set anyway, nothing is taken out.
It is a removal, and so it is refused unless the preferred site's own destination is in service and not found dead, and
the undo puts back each state exactly. It outlives `ds_reload` and a restart because of `persistent_state`, on by
default, which writes states to the database; the MI does not tell whether it is on, nor the ping interval.
An inactive destination is not pinged any more: nothing is known of it but what an OPTIONS from elsewhere says.
Sources: OpenSIPS 3.x modules/dispatcher README, sections "Exported Parameters" (ds_ping_interval, ds_probing_mode,
persistent_state), "ds_select_dst" (algorithm 8: the first entry), "Exported MI Functions"; the names in `ds_list` are
those of its source, `ds_print_mi_list`. Tried against a double made from these, not against OpenSIPS.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import (
    Change,
    GatewayError,
    options_of,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.jsonrpc import call
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError

DEFAULTS: Dict[str, Any] = {
    "mi_url": "http://127.0.0.1:8888/mi",
    "ca_file": "",
    "partition": "default",
    "set": 1,
    "targets": {},
    "in_order": True,
    "mi_timeout": 2.0,
    "keepalive": 0.0,
    "keepalive_max": 15.0,
    "keepalive_required": False,
}
"""The driver's options; times in seconds. `targets`: a destination's URI or attribute, by site. `in_order`: the routing
script takes the set's first destination in service (algorithm 8). `keepalive`: what ds_ping_interval is with
ds_probing_mode 1; 0: not known, and then an active destination is not taken for one that answers."""

ACTIVE, INACTIVE = "Active", "Inactive"
_LETTER = {ACTIVE: "a", INACTIVE: "i"}


class Destination(NamedTuple):
    """One destination of the set, in the set's order; `state` is OpenSIPS' word: Active, Probing or Inactive."""

    site: Optional[str]
    uri: str
    state: str
    priority: Optional[int]

    @property
    def letter(self) -> str:
        """The administrative state as `ds_set_state` has it; Probing is no administrative state."""
        return "i" if self.state == INACTIVE else "a"


def read(params: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the destinations by site as they run; a site with several is as good as its best one."""
    options = options_of(DEFAULTS, params)
    found = _list(options)
    targets = {site: _target(options, _of(found, site)) for site in options["targets"] if _of(found, site)}
    return {"targets": targets, "prefers": _first(options, found)}


def plan(params: Mapping[str, Any], site: str) -> Change:
    """Put the site in service, and take the others out where they would come before it.

    Raises RefusedError where the site's own destinations are found dead: the gateway would have nowhere to send calls.
    """
    options = options_of(DEFAULTS, params)
    found = _list(options)
    _known(options, found, site)
    first = options["in_order"] and found[0].site == site
    wanted = {one.uri: "a" if one.site == site or (first and one.letter == "a") else "i" for one in found}
    if first:
        last = max(place for place, one in enumerate(found) if one.site == site)
        wanted.update({one.uri: "i" for one in found[:last] if one.site != site})
    wanted.update({one.uri: one.letter for one in found if one.site is None})
    return _change(options, found, wanted)


def plan_restore(params: Mapping[str, Any], undo: Mapping[str, Any]) -> Change:
    """Put back the recorded states; a destination that is gone since is left out."""
    options = options_of(DEFAULTS, params)
    found = _list(options)
    return _change(options, found, {one.uri: str(undo.get(_key(options, one.uri), one.letter)) for one in found})


def apply(params: Mapping[str, Any], change: Change, site: Optional[str]) -> Dict[str, Any]:
    """Put in service first, take out afterwards, and read back what runs."""
    options = options_of(DEFAULTS, params)
    standing = change.before.splitlines()
    ahead = [line for line in change.after.splitlines() if line not in standing]
    done: List[str] = []
    for line in sorted(ahead):
        letter, group, uri = line.split(" ", 3)[1:]
        try:
            _call(options, "ds_set_state", {"state": letter, "group": group, "address": uri})
        except GatewayError as error:
            raise GatewayError(f"{error}; done before that: {', '.join(done) or 'nothing'}") from error
        done.append(line)
    runs = _text(options, {one.uri: one.letter for one in _list(options)})
    if runs != change.after:
        raise GatewayError(f"{options['mi_url']}: states {change.after!r} expected, {runs!r} met")
    return read(params)


def readiness(params: Mapping[str, Any], sites: List[str]) -> List[Dict[str, Any]]:
    """Check that the MI answers and both sites' destinations are in the set; the rest is what the options say."""
    options = options_of(DEFAULTS, params)
    return [_list_item(options, sites), _keepalive_item(options), _persistent_item()]


def explain(params: Mapping[str, Any], site: str) -> List[str]:
    """Say it for opensips-cli; an attribute stands for the destinations that have it."""
    options = options_of(DEFAULTS, params)
    ours = options["targets"].get(site, f"<destination of {site}>")
    others = [f"opensips-cli -x mi ds_set_state i {_group(options)} {value}" for value in _others(options, site)]
    return [
        f"opensips-cli -x mi ds_set_state a {_group(options)} {ours}",
        *(others if not options["in_order"] else [f"{line}    # if it stands before {ours}" for line in others]),
        f"opensips-cli -x mi ds_list    # set {options['set']}: {ours} Active and first of those in service",
    ]


def _others(options: Mapping[str, Any], site: str) -> List[str]:
    return [str(value) for name, value in options["targets"].items() if name != site]


def _group(options: Mapping[str, Any]) -> str:
    return f"{options['partition']}:{options['set']}"


def _call(options: Mapping[str, Any], method: str, params: Mapping[str, Any]) -> Any:  # noqa: ANN401  any JSON
    return call(options["mi_url"], options["mi_timeout"], method, params, options["ca_file"])


def _list(options: Mapping[str, Any]) -> List[Destination]:
    """The set's destinations in its order. Raises GatewayError for a set that is not there or empty."""
    result = _call(options, "ds_list", {"full": 1})
    try:
        parts = [part for part in result["PARTITIONS"] if part["name"] == options["partition"]]
        sets = [one for part in parts for one in part["SETS"] if int(one["id"]) == options["set"]]
        found = [_destination(options, entry) for one in sets for entry in one["Destinations"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        expected = "PARTITIONS/SETS/Destinations with URI and state expected"
        raise GatewayError(f"ds_list at {options['mi_url']}: {expected}, {error!r} met") from error
    if not found:
        raise GatewayError(f"ds_list at {options['mi_url']}: {_group(options)} has no destination")
    return found


def _destination(options: Mapping[str, Any], entry: Mapping[str, Any]) -> Destination:
    uri, state = str(entry["URI"]), str(entry["state"])
    if state not in (ACTIVE, INACTIVE, "Probing"):
        raise ValueError(f"state {state}")
    names = {uri, str(entry.get("attr", "")), *str(entry.get("attr", "")).split(";")}
    sites = [site for site, value in options["targets"].items() if str(value) in names]
    priority = entry.get("priority")
    return Destination(sites[0] if sites else None, uri, state, None if priority is None else int(priority))


def _of(found: List[Destination], site: str) -> List[Destination]:
    return [one for one in found if one.site == site]


def _known(options: Mapping[str, Any], found: List[Destination], site: str) -> None:
    others = {one.site for one in found} - {site, None}
    if not _of(found, site) or not others:
        known = ", ".join(sorted({str(one.site) for one in found if one.site})) or "no site"
        raise GatewayError(
            f"{options['mi_url']}, {_group(options)}: a destination of {site} and one of another site are expected by"
            f" targets, {known} found"
        )


def _target(options: Mapping[str, Any], ours: List[Destination]) -> Dict[str, Any]:
    best = min(ours, key=lambda one: (one.state == INACTIVE, one.state != ACTIVE))
    known_up = options["keepalive"] > 0 and best.state == ACTIVE
    return {
        "uri": best.uri,
        "state": best.state,
        "admin": "out_of_service" if best.state == INACTIVE else "in_service",
        "oper": "down" if best.state == "Probing" else "up" if known_up else "unknown",
        "priority": best.priority,
    }


def _first(options: Mapping[str, Any], found: List[Destination]) -> Optional[str]:
    """The site whose destinations in service come before every other's."""
    order = [one.site for one in found if one.letter == "a"]
    site = order[0] if order else None
    if site is None or any(one.letter == "i" for one in _of(found, site)):
        return None
    others = order[order.count(site) :]
    alone = not others
    return site if alone or (options["in_order"] and site not in others) else None


def _key(options: Mapping[str, Any], uri: str) -> str:
    return f"{_group(options)} {uri}"


def _text(options: Mapping[str, Any], states: Mapping[str, str]) -> str:
    return "".join(f"ds_set_state {letter} {_key(options, uri)}\n" for uri, letter in states.items())


def _change(options: Mapping[str, Any], found: List[Destination], wanted: Dict[str, str]) -> Change:
    if not any(one.state != "Probing" and wanted[one.uri] == "a" for one in found):
        in_service = ", ".join(f"{one.uri} {one.state}" for one in found if wanted[one.uri] == "a") or "none"
        raise RefusedError(
            "the gateway keeps a destination that answers",
            f"left in service: {in_service}",
            "wait until its keep-alive finds the destination alive, or correct the set",
        )
    undo = {_key(options, one.uri): one.letter for one in found if wanted[one.uri] != one.letter}
    before = _text(options, {one.uri: one.letter for one in found})
    return Change(before, _text(options, {one.uri: wanted[one.uri] for one in found}), undo)


def _list_item(options: Mapping[str, Any], sites: List[str]) -> Dict[str, Any]:
    item = {"item": "the MI answers, and both sites are in the set", "way": "load mi_http; see mi_url, set and targets"}
    try:
        known = {one.site for one in _list(options)}
    except GatewayError as error:
        return dict(item, met=False, evidence=str(error))
    missing = [site for site in sites if site not in known]
    evidence = f"no destination for {', '.join(missing)}" if missing else f"{_group(options)} has {', '.join(sites)}"
    return dict(item, met=not missing, evidence=evidence)


def _keepalive_item(options: Mapping[str, Any]) -> Dict[str, Any]:
    item = {
        "item": "the dispatcher pings both sites often enough",
        "way": "ds_ping_interval and ds_probing_mode 1; then say the interval in the option keepalive",
    }
    seconds = options["keepalive"]
    if not seconds:
        evidence = "the MI does not tell ds_ping_interval, and the option keepalive is not set"
        return dict(item, met=not options["keepalive_required"], evidence=evidence)
    return dict(item, met=0 < seconds <= options["keepalive_max"], evidence=f"every {seconds:g} s, as keepalive says")


def _persistent_item() -> Dict[str, Any]:
    return {
        "item": "a change survives a reload and a restart",
        "met": True,
        "evidence": "persistent_state is 1 unless the configuration says 0; the MI does not tell it",
        "way": 'modparam("dispatcher", "persistent_state", 1)',
    }
