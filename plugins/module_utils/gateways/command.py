# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any gateway that has a command line: its commands are options, and its answers are read by regular expressions.

Commands are lists of words, run as they are, without a shell; in each word `{site}` and `{target}` stand for the site
and for its value in `targets`. Secrets come by environment, each from a file that only its owner may read. What the
gateway runs cannot be computed here, so `before` and `after` say what its own listing will be asked for.
"""

from __future__ import annotations

import re
import shlex
from typing import Any, Callable, Dict, List, Mapping, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.command_run import output
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import (
    Change,
    GatewayError,
    options_of,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for

DEFAULTS: Dict[str, Any] = {
    "targets": {},
    "read_command": [],
    "prefer_command": [],
    "restore_command": [],
    "save_command": [],
    "target_pattern": "",
    "prefers_pattern": "",
    "saved_pattern": "",
    "keepalive_pattern": "",
    "up": "",
    "down": "",
    "out_of_service": "",
    "prefer_enables": False,
    "secrets": {},
    "command_timeout": 10.0,
    "apply_deadline": 15.0,
    "apply_interval": 0.5,
    "keepalive_max": 15.0,
    "keepalive_required": False,
}
"""The driver's options; times in seconds.

Patterns are searched in what `read_command` prints, `^` and `$` at every line; `{site}` and `{target}` stand for the
words themselves. `target_pattern` has the group `state`, and may have `priority` and `uri`; `prefers_pattern` has the
group `target` or `site`; `saved_pattern` is there when the configuration survives a reboot; `keepalive_pattern` has the
group `seconds`. `up`, `down`, `out_of_service` are whole states: one that is neither up nor down is unknown.
`restore_command` is used in place of `prefer_command` to put back. `secrets`: {environment variable: file}.
"""


def read(params: Mapping[str, Any]) -> Dict[str, Any]:
    """Return what the gateway's own listing says of both sites."""
    options = _options(params)
    return _parsed(options, _listing(options))


def plan(params: Mapping[str, Any], site: str) -> Change:
    """Plan `prefer_command` where another site is preferred, or `save_command` where only that is missing.

    Raises RefusedError where the site is out of service and the command does not say that it puts it in service.
    """
    options = _options(params)
    listing = _listing(options)
    found = _parsed(options, listing)
    _target(options, site)
    if found["targets"][site]["admin"] == "out_of_service" and not options["prefer_enables"]:
        raise RefusedError(
            "new calls only go to a site that is in service at the gateway",
            f"{site} is {found['targets'][site]['state']}",
            "put it in service by hand, or let prefer_command do so and say prefer_enables: true",
        )
    before = _text(found["prefers"], _saved(options, listing))
    return Change(before, _text(site, saved=True), {"prefers": found["prefers"]})


def plan_restore(params: Mapping[str, Any], undo: Mapping[str, Any]) -> Change:
    """Plan what puts back the site that was preferred."""
    options = _options(params)
    site = undo.get("prefers")
    if site is None and not _restores_alone(options):
        raise GatewayError(
            "no site was preferred before the first change: put the former order back by hand, or name a"
            " restore_command without {site} and {target}"
        )
    listing = _listing(options)
    before = _text(_parsed(options, listing)["prefers"], _saved(options, listing))
    return Change(before, _text(site, saved=True), {"restore": site})


def apply(params: Mapping[str, Any], change: Change, site: Optional[str]) -> Dict[str, Any]:
    """Run the commands, wait until the listing says so, save, and see that it is saved."""
    options = _options(params)
    wanted = site or change.undo["restore"]
    restores = site is None and options["restore_command"]
    command = options["restore_command"] if restores else options["prefer_command"]
    if _parsed(options, _listing(options))["prefers"] != wanted:
        _run(options, command, wanted)
        _wait(
            options,
            lambda listing: _parsed(options, listing)["prefers"] == wanted,
            f"{wanted or 'no site'} is not preferred",
        )
    if options["save_command"]:
        _run(options, options["save_command"], wanted)
    _wait(options, lambda listing: _saved(options, listing), "the configuration is not saved")
    return read(params)


def readiness(params: Mapping[str, Any], sites: List[str]) -> List[Dict[str, Any]]:
    """Check that the listing can be read, knows both sites, and tells a keep-alive; and that there is what to run."""
    options = _options(params)
    return [_listing_item(options, sites), _commands_item(options), _keepalive_item(options)]


def explain(params: Mapping[str, Any], site: str) -> List[str]:
    """Say the commands as a person types them; secrets are named by their variables only."""
    options = _options(params)
    lines = [f"# {name}: what is in {path}" for name, path in sorted(options["secrets"].items())]
    commands = [options["prefer_command"], options["save_command"], options["read_command"]]
    return lines + [shlex.join(_words(options, command, site)) for command in commands if command]


def _options(params: Mapping[str, Any]) -> Dict[str, Any]:
    options = options_of(DEFAULTS, params)
    for name in ("read_command", "prefer_command", "target_pattern", "prefers_pattern", "targets"):
        if not options[name]:
            raise GatewayError(f"gateway driver command: option {name} is needed")
    return options


def _target(options: Mapping[str, Any], site: str) -> str:
    if site not in options["targets"]:
        raise GatewayError(f"option targets: {site} expected, it has {', '.join(options['targets']) or 'none'}")
    return str(options["targets"][site])


def _words(options: Mapping[str, Any], command: List[Any], site: Optional[str]) -> List[str]:
    words = [str(word) for word in command]
    if site is None:
        return words
    return [word.replace("{site}", site).replace("{target}", _target(options, site)) for word in words]


def _restores_alone(options: Mapping[str, Any]) -> bool:
    words = " ".join(map(str, options["restore_command"]))
    return bool(words) and "{site}" not in words and "{target}" not in words


def _run(options: Mapping[str, Any], command: List[Any], site: Optional[str]) -> str:
    return output(_words(options, command, site), options["secrets"], options["command_timeout"])


def _listing(options: Mapping[str, Any]) -> str:
    return _run(options, options["read_command"], None)


def _pattern(options: Mapping[str, Any], name: str, site: Optional[str] = None) -> re.Pattern[str]:
    text = str(options[name])
    if site is not None:
        text = text.replace("{site}", re.escape(site)).replace("{target}", re.escape(_target(options, site)))
    try:
        return re.compile(text, re.MULTILINE)
    except re.error as error:
        raise GatewayError(f"option {name}: a regular expression expected, {text!r} met ({error})") from error


def _parsed(options: Mapping[str, Any], listing: str) -> Dict[str, Any]:
    targets = {site: _state(options, listing, site) for site in options["targets"]}
    return {"targets": targets, "prefers": _preferred(options, listing)}


def _state(options: Mapping[str, Any], listing: str, site: str) -> Dict[str, Any]:
    found = _pattern(options, "target_pattern", site).search(listing)
    groups = found.groupdict() if found else {}
    if groups.get("state") is None:
        where = f"{shlex.join(map(str, options['read_command']))}: target_pattern with a state"
        raise GatewayError(f"{where} expected for {site}, none met in {len(listing)} characters")
    state = groups["state"].strip()
    priority = (groups.get("priority") or "").strip()
    return {
        "state": state,
        "admin": "out_of_service" if _is(options, "out_of_service", state) else "in_service",
        "oper": "up" if _is(options, "up", state) else "down" if _is(options, "down", state) else "unknown",
        "priority": int(priority) if priority.lstrip("-").isdigit() else None,
        "uri": groups.get("uri") or _target(options, site),
    }


def _is(options: Mapping[str, Any], name: str, state: str) -> bool:
    return bool(options[name]) and bool(_pattern(options, name).fullmatch(state))


def _preferred(options: Mapping[str, Any], listing: str) -> Optional[str]:
    found = _pattern(options, "prefers_pattern").search(listing)
    groups = found.groupdict() if found else {}
    for site, target in options["targets"].items():
        if groups.get("site") == site or groups.get("target") == str(target):
            return str(site)
    return None


def _saved(options: Mapping[str, Any], listing: str) -> bool:
    return not options["saved_pattern"] or bool(_pattern(options, "saved_pattern").search(listing))


def _text(prefers: Optional[str], saved: bool) -> str:
    return f"preferred: {prefers or 'no site'}\nsaved: {'yes' if saved else 'no'}\n"


def _wait(options: Mapping[str, Any], done: Callable[[str], bool], problem: str) -> None:
    if not wait_for(lambda: done(_listing(options)), options["apply_deadline"], options["apply_interval"]):
        words = shlex.join(map(str, options["read_command"]))
        raise GatewayError(f"{words}: {problem} after {options['apply_deadline']:g} s")


def _listing_item(options: Mapping[str, Any], sites: List[str]) -> Dict[str, Any]:
    item = {"item": "the gateway's listing knows both sites", "way": "see read_command, target_pattern and targets"}
    try:
        known = _parsed(options, _listing(options))["targets"]
    except GatewayError as error:
        return dict(item, met=False, evidence=str(error))
    missing = [site for site in sites if site not in known]
    evidence = f"no targets for {', '.join(missing)}" if missing else f"{', '.join(sorted(known))} are listed"
    return dict(item, met=not missing, evidence=evidence)


def _commands_item(options: Mapping[str, Any]) -> Dict[str, Any]:
    saves = bool(options["save_command"])
    return {
        "item": "a change survives a reboot of the gateway",
        "met": saves,
        "evidence": f"save_command is {shlex.join(map(str, options['save_command'])) if saves else 'not set'}",
        "way": "name the save_command; one that does nothing where prefer_command saves by itself",
    }


def _keepalive_item(options: Mapping[str, Any]) -> Dict[str, Any]:
    item = {"item": "the gateway pings both sites often enough", "way": "keep-alive by OPTIONS; see keepalive_pattern"}
    required = options["keepalive_required"]
    if not options["keepalive_pattern"]:
        return dict(item, met=not required, evidence="keepalive_pattern is not set: it is not known")
    try:
        found = _pattern(options, "keepalive_pattern").search(_listing(options))
        seconds = float(found["seconds"]) if found else None
    except (GatewayError, IndexError, TypeError, ValueError) as error:
        return dict(item, met=False, evidence=f"keepalive_pattern: {error}")
    if seconds is None:
        return dict(item, met=not required, evidence="the listing does not tell it")
    return dict(item, met=0 < seconds <= options["keepalive_max"], evidence=f"every {seconds:g} s")
