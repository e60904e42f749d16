# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kamailio's dispatcher as a media gateway: the order of its targets in the list file, its state over JSON-RPC.

A target names its site by `duid=<site>` in the list file. The site is *preferred* by priority (higher first, algorithm
8) and nothing is taken out of service. `dispatcher.reload` forgets every run-time state: all targets start as active
again, also a dead one, but calls go to the preferred one first. The RPC tells neither how often targets are pinged nor
whether all are: readiness reads that in the configuration files (kamailio_text.py).
Sources: Kamailio 5.6 modules/dispatcher, sections "Destination List File" and "RPC Commands".
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import read_text, replace_file
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import (
    Change,
    GatewayError,
    options_of,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.jsonrpc import call
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.kamailio_text import (
    accepts_timeout,
    dispatcher_settings,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for

DEFAULTS: Dict[str, Any] = {
    "rpc_url": "http://127.0.0.1:8080/RPC",
    "list_file": "/etc/kamailio/dispatcher.list",
    "set": 1,
    "rpc_timeout": 2.0,
    "reload_deadline": 15.0,
    "reload_interval": 0.25,
    "config_file": "/etc/kamailio/kamailio.cfg",
    "keepalive_max": 15.0,
    "keepalive_required": False,
}
"""The driver's options; times in seconds. `set` is the dispatcher set that holds both sites; `rpc_url` may also be the
unix datagram socket, `unix:/path`. A keep-alive that cannot be read is not ready only with `keepalive_required`."""

PREFERRED, OTHER = 10, 5
INACTIVE, DISABLED = 1, 4  # flags of the list file that keep a target out of service

# setid uri flags priority attrs, where attrs hold duid=<site>; every blank is kept for an exact restore
_TARGET = re.compile(
    r"^(?P<set>[ \t]*(?P<setid>\d+)[ \t]+(?P<uri>\S+)[ \t]+)(?P<flags>\d+)(?P<gap>[ \t]+)(?P<priority>-?\d+)"
    r"(?P<rest>[ \t]+[^#\r\n]*?\bduid=(?P<site>[^;\s\"']+)[^\r\n]*)$",
    re.MULTILINE,
)
# Trying (T) has missed a ping and is not judged yet; a second letter X was not pinged since the last reload.
_OPER = {"AP": "up", "IP": "down"}


def read(params: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the dispatcher's targets as it runs now, and the site that it prefers (None: no strict order)."""
    found = _live(options_of(DEFAULTS, params))
    targets = {site: _best(of_site) for site, of_site in found.items()}
    return {"targets": targets, "prefers": _first(found)}


def plan(params: Mapping[str, Any], site: str) -> Change:
    """Give `site` the higher priority and clear what keeps it out of service; the other site's targets stay."""
    options = options_of(DEFAULTS, params)
    before = _list_file(options)
    wanted = _wanted(before, options, site)
    after, undo = _rewrite(before, options["set"], wanted)
    return Change(before, after, undo, reload=not _runs(_live(options), site))


def plan_restore(params: Mapping[str, Any], undo: Mapping[str, Any]) -> Change:
    """Put flags and priorities back, line by line, so that what an administrator added meanwhile stays."""
    options = options_of(DEFAULTS, params)
    before = _list_file(options)
    after = _rewrite(before, options["set"], {key: (int(old[0]), int(old[1])) for key, old in undo.items()})[0]
    return Change(before, after, reload=_lags(options, after))


def apply(params: Mapping[str, Any], change: Change, site: Optional[str]) -> Dict[str, Any]:
    """Write the list file, reload, and wait until the dispatcher runs it; `site` is the one that must come first."""
    options = options_of(DEFAULTS, params)
    if change.before != change.after:
        replace_file(Path(options["list_file"]), change.after)
    problem = "not asked to reload yet"

    def runs() -> bool:
        nonlocal problem
        # reload_delta (5 s by default) refuses a second reload that comes too soon.
        problem = problem and _reload(options)
        return not problem and not _lags(options, change.after)

    if not wait_for(runs, options["reload_deadline"], options["reload_interval"]):
        raise GatewayError(_not_live(options, problem, site))
    return read(params)


def readiness(params: Mapping[str, Any], sites: List[str]) -> List[Dict[str, Any]]:
    """Check what a change needs: RPC, a list file that can be replaced, both sites' targets, and the keep-alive."""
    options = options_of(DEFAULTS, params)
    settings = dispatcher_settings(Path(options["config_file"]))
    kept_alive = [_keepalive_item(options, settings), _codes_item(options, settings)]
    return [_rpc_item(options, sites), _file_item(options), _sites_item(options, sites), *kept_alive]


def explain(params: Mapping[str, Any], site: str) -> List[str]:
    """Say it in the list file's own columns: setid, uri, flags, priority, attrs."""
    options = options_of(DEFAULTS, params)
    return [
        f"in {options['list_file']}, lines of set {options['set']}:",
        f"  duid={site}: flags 0, priority {PREFERRED} (columns 3 and 4)",
        f"  the other site's: priority {OTHER}",
        "kamcmd dispatcher.reload",
        f"kamcmd dispatcher.list    # duid={site}: FLAGS A., PRIORITY {PREFERRED}",
    ]


def _call(options: Mapping[str, Any], method: str) -> Any:  # noqa: ANN401  any JSON
    return call(options["rpc_url"], options["rpc_timeout"], method)


def _live(options: Mapping[str, Any]) -> Dict[str, List[Dict[str, Any]]]:
    """Targets of the set by site, as they run."""
    result = _call(options, "dispatcher.list")
    found: Dict[str, List[Dict[str, Any]]] = {}
    try:
        sets = [record["SET"] for record in result["RECORDS"] if record["SET"]["ID"] == options["set"]]
        for entry in (target["DEST"] for one in sets for target in one["TARGETS"]):
            site = entry.get("ATTRS", {}).get("DUID")
            if site:
                found.setdefault(site, []).append(_target(entry))
    except (KeyError, TypeError, AttributeError) as error:
        raise GatewayError(f"dispatcher.list: RECORDS/SET/TARGETS/DEST expected, {error!r} met") from error
    return found


def _target(entry: Mapping[str, Any]) -> Dict[str, Any]:
    state = str(entry["FLAGS"])
    return {
        "uri": entry["URI"],
        "state": state,
        "admin": "out_of_service" if state.startswith("D") else "in_service",
        "oper": _OPER.get(state, "unknown"),
        "priority": int(entry["PRIORITY"]),
    }


def _best(targets: List[Dict[str, Any]]) -> Dict[str, Any]:
    return max(targets, key=lambda one: (one["admin"] == "in_service", one["oper"] == "up", one["priority"]))


def _first(found: Mapping[str, List[Dict[str, Any]]]) -> Optional[str]:
    for site in found:
        if _runs(found, site):
            return site
    return None


def _runs(found: Mapping[str, List[Dict[str, Any]]], site: str) -> bool:
    """True when every target of the site is in service and comes before every other site's."""
    others = [target["priority"] for name, of_site in found.items() if name != site for target in of_site]
    ours = found.get(site, [])
    in_service = bool(ours) and all(target["admin"] == "in_service" for target in ours)
    return in_service and bool(others) and min(target["priority"] for target in ours) > max(others)


def _list_file(options: Mapping[str, Any]) -> str:
    try:
        return read_text(Path(options["list_file"]))
    except OSError as error:
        raise GatewayError(f"the dispatcher's list file cannot be read: {error}") from error


def _lines(text: str, setid: int) -> List[re.Match[str]]:
    return [line for line in _TARGET.finditer(text) if int(line["setid"]) == setid]


def _key(line: re.Match[str]) -> str:
    return f"{line['setid']} {line['uri']}"


def _wanted(text: str, options: Mapping[str, Any], site: str) -> Dict[str, Tuple[int, int]]:
    """Flags and priority by line. An order that stands already is left with the numbers that it has."""
    lines = _lines(text, options["set"])
    sites = sorted({line["site"] for line in lines})
    if site not in sites or len(sites) < 2:
        known = ", ".join(sites) or "no site"
        raise GatewayError(
            f"{options['list_file']}, set {options['set']}: a target with duid={site} and one of another site"
            f" are expected, {known} found"
        )
    ours = [line for line in lines if line["site"] == site]
    lowest = min(int(line["priority"]) for line in ours)
    stands = all(int(line["priority"]) < lowest for line in lines if line["site"] != site)
    wanted = {_key(line): (int(line["flags"]), _priority(line, site, stands)) for line in lines}
    cleared = {_key(line): (int(line["flags"]) & ~(INACTIVE | DISABLED), wanted[_key(line)][1]) for line in ours}
    return dict(wanted, **cleared)


def _priority(line: re.Match[str], site: str, stands: bool) -> int:
    if stands:
        return int(line["priority"])
    return PREFERRED if line["site"] == site else OTHER


def _rewrite(text: str, setid: int, wanted: Mapping[str, Tuple[int, int]]) -> Tuple[str, Dict[str, Any]]:
    """Return the new text, and flags and priority that stood on the lines that change."""
    undo: Dict[str, Any] = {}

    def put(line: re.Match[str]) -> str:
        before = (int(line["flags"]), int(line["priority"]))
        flags, priority = wanted.get(_key(line), before)
        if int(line["setid"]) != setid or (flags, priority) == before:
            return line[0]
        undo[_key(line)] = list(before)
        return f"{line['set']}{flags}{line['gap']}{priority}{line['rest']}"

    return _TARGET.sub(put, text), undo


def _reload(options: Mapping[str, Any]) -> str:
    """Return why the dispatcher did not reload, or nothing."""
    try:
        _call(options, "dispatcher.reload")
    except GatewayError as error:
        return str(error)
    return ""


def _lags(options: Mapping[str, Any], text: str) -> bool:
    """True while the dispatcher runs other priorities, or keeps out of service what the file has in service."""
    live = {target["uri"]: target for of_site in _live(options).values() for target in of_site}
    for line in _lines(text, options["set"]):
        target = live.get(line["uri"])
        in_service = "out_of_service" if int(line["flags"]) & DISABLED else "in_service"
        if target is None or (target["priority"], target["admin"]) != (int(line["priority"]), in_service):
            return True
    return False


def _not_live(options: Mapping[str, Any], problem: str, site: Optional[str]) -> str:
    order = f"{site} first" if site else "the recorded order"
    reason = problem or "it reloads, but dispatcher.list shows another order"
    late = f"the dispatcher does not run it after {options['reload_deadline']} s"
    return f"{options['list_file']} has {order}; {late}: {reason}"


def _rpc_item(options: Mapping[str, Any], sites: List[str]) -> Dict[str, Any]:
    item = {"item": "the dispatcher answers over JSON-RPC", "way": "load jsonrpcs and xhttp, or set rpc_url"}
    try:
        found = _live(options)
    except GatewayError as error:
        return dict(item, met=False, evidence=str(error))
    missing = [site for site in sites if site not in found]
    if missing:
        evidence = f"set {options['set']} runs no target with duid={' or duid='.join(missing)}"
        return dict(
            item, met=False, evidence=evidence, way="name each target by duid=<site> in the list file, and reload"
        )
    return dict(item, met=True, evidence=f"set {options['set']} runs {', '.join(sorted(found))}")


def _file_item(options: Mapping[str, Any]) -> Dict[str, Any]:
    path = Path(options["list_file"])
    met = path.is_file() and os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    return {
        "item": "the dispatcher's list file can be replaced",
        "met": met,
        "evidence": f"{path} {'can' if met else 'cannot'} be written by this user, together with its directory",
        "way": "let the user of this connection become one who may write both",
    }


def _sites_item(options: Mapping[str, Any], sites: List[str]) -> Dict[str, Any]:
    try:
        known = {line["site"] for line in _lines(_list_file(options), options["set"])}
    except GatewayError:
        known = set()
    missing = sorted(set(sites) - known)
    return {
        "item": "both sites' targets are in the list file",
        "met": not missing,
        "evidence": f"missing: {', '.join(missing)}"
        if missing
        else f"{', '.join(sites)} have a target with their duid",
        "way": "one line for each site: <set> <uri> 0 <priority> duid=<site>",
    }


def _keepalive_item(options: Mapping[str, Any], settings: Optional[Mapping[str, str]]) -> Dict[str, Any]:
    item = {
        "item": "the dispatcher pings both targets often enough",
        "way": f'modparam("dispatcher", "ds_ping_interval", {options["keepalive_max"]:.0f}) or less, ds_probing_mode 1',
    }
    interval = (settings or {}).get("ds_ping_interval", "0")
    if settings is None or not interval.isdigit():
        evidence = f"the RPC does not tell it, and {options['config_file']} cannot be read for it"
        return dict(item, met=not options["keepalive_required"], evidence=evidence)
    mode = settings.get("ds_probing_mode", "0")
    met = 0 < int(interval) <= options["keepalive_max"] and mode == "1"
    return dict(item, met=met, evidence=f"ds_ping_interval {interval} s, ds_probing_mode {mode}")


def _codes_item(options: Mapping[str, Any], settings: Optional[Mapping[str, str]]) -> Dict[str, Any]:
    item = {
        "item": "the dispatcher does not take silence for an answer",
        "way": "leave class=4 and code=408 out of ds_ping_reply_codes: 408 is what tm itself says of silence",
    }
    codes = _reply_codes(options, settings)
    if codes is None:
        evidence = f"ds_ping_reply_codes: cfg_rpc is not loaded, and {options['config_file']} cannot be read for it"
        return dict(item, met=not options["keepalive_required"], evidence=evidence)
    return dict(item, met=not accepts_timeout(codes), evidence=f"ds_ping_reply_codes {codes or 'not set'}")


def _reply_codes(options: Mapping[str, Any], settings: Optional[Mapping[str, str]]) -> Optional[str]:
    """As they run now, where the module cfg_rpc is loaded; else as the files say; None when neither tells."""
    try:
        asked = {"group": "dispatcher", "name": "ping_reply_codes"}
        return str(call(options["rpc_url"], options["rpc_timeout"], "cfg.get", asked) or "")
    except GatewayError:
        return None if settings is None else settings.get("ds_ping_reply_codes", "")
