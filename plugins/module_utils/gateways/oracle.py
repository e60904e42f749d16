# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Oracle (Acme Packet) session border controller: the order of session agents in a session group that hunts.

A site is preferred by standing first in the group's `dest` list (strategy Hunt: "in the order in which they are
listed; when the first agent returns to service, the traffic is routed back to it"); both agents stay enabled. Save and
activate make it last; activation takes along whatever else somebody left in the edited configuration. The interface
tells no agent's operational state: it is unknown here, `show sipd agents` tells it.
Sources: oracle_rest.py; ACLI Reference Guide, session-group and session-agent. That a PUT of `dest` replaces the whole
list in the order given was not found in them: it is read back before anything is saved. Names and paths that another
release may have otherwise are the option `names`. Tried against a double made from these, not against an SBC.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import (
    Change,
    GatewayError,
    options_of,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.oracle_rest import Session
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for

NAMES: Dict[str, str] = {
    "token_path": "/auth/token",
    "lock_path": "/configuration/lock",
    "unlock_path": "/configuration/unlock",
    "elements_path": "/configuration/configElements",
    "management_path": "/configuration/management",
    "group": "session-group",
    "group_key": "group-name",
    "order": "dest",
    "strategy": "strategy",
    "agent": "session-agent",
    "agent_key": "hostname",
    "state": "state",
    "ping_method": "ping-method",
    "ping_interval": "ping-interval",
}
"""Paths below /rest/{version}, element types and attributes, as the manuals have them."""

DEFAULTS: Dict[str, Any] = {
    "url": "",
    "version": "v1.1",
    "username": "",
    "password_file": "",
    "ca_file": "",
    "group": "",
    "targets": {},
    "names": {},
    "timeout": 10.0,
    "action_deadline": 30.0,
    "action_interval": 1.0,
    "keepalive_max": 15.0,
}
"""The driver's options; times in seconds. `group`: name of the session group; `targets`: each site's agent (hostname);
`names`: what is called otherwise than in NAMES; `action_deadline`: for each of verify, save and activate."""

ENABLED, DISABLED = "enabled", "disabled"


class Standing(NamedTuple):
    """The group's agents in order, and the state of each site's agent by hostname."""

    order: List[str]
    states: Dict[str, str]

    def text(self, group: str) -> str:
        """Return it as the device's own words, one thing a line."""
        lines = [f"session-group {group}", *(f" dest {agent}" for agent in self.order)]
        return (
            "\n".join([*lines, *(f"session-agent {name} state {state}" for name, state in self.states.items())]) + "\n"
        )

    @classmethod
    def of_text(cls, text: str) -> Standing:
        """Return what `text` was made of."""
        lines = [line.split() for line in text.splitlines()]
        states = {line[1]: line[3] for line in lines if line[0] == "session-agent"}
        return cls([line[1] for line in lines if line[0] == "dest"], states)


class _Device:
    """A session and the two elements that matter."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self.options = _options(params)
        self.names = {**NAMES, **self.options["names"]}
        self.session = Session(self.options, self.names)

    def group(self, running: bool = True) -> Dict[str, List[str]]:
        return self.session.element(self.names["group"], self.names["group_key"], self.options["group"], running)

    def agent(self, name: str, running: bool = True) -> Dict[str, List[str]]:
        return self.session.element(self.names["agent"], self.names["agent_key"], name, running)

    def standing(self, running: bool = True) -> Standing:
        agents = [str(name) for name in self.options["targets"].values()]
        states = {name: _one(self.agent(name, running), self.names["state"], ENABLED) for name in agents}
        return Standing(self.group(running).get(self.names["order"], []), states)

    def hunts(self) -> bool:
        return _one(self.group(), self.names["strategy"], "Hunt").lower() == "hunt"

    def put(self, was: Standing, wanted: Standing) -> None:
        for name, state in wanted.states.items():
            if was.states.get(name) != state:
                change = {self.names["agent_key"]: [name], self.names["state"]: [state]}
                self.session.update(self.names["agent"], change)
        if was.order != wanted.order:
            change = {self.names["group_key"]: [self.options["group"]], self.names["order"]: wanted.order}
            self.session.update(self.names["group"], change)


def read(params: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the agents of both sites as the running configuration has them; `priority` 1 is tried first."""
    device = _Device(params)
    standing, hunts = device.standing(), device.hunts()
    targets = {
        site: {
            "state": standing.states[name],
            "admin": "in_service" if standing.states[name] == ENABLED and name in standing.order else "out_of_service",
            "oper": "unknown",
            "priority": standing.order.index(name) + 1 if name in standing.order else None,
            "uri": name,
        }
        for site, name in device.options["targets"].items()
    }
    return {"targets": targets, "prefers": _first(device.options, standing) if hunts else None}


def plan(params: Mapping[str, Any], site: str) -> Change:
    """Put the site's agent first and enable it. Raises RefusedError where the group does not go by order."""
    device = _Device(params)
    ours = _target(device.options, site)
    if not device.hunts():
        raise RefusedError(
            "the order of a session group counts only with strategy Hunt",
            f"session-group {device.options['group']} has another strategy",
            "set strategy Hunt, save and activate",
        )
    now = device.standing()
    wanted = Standing([ours, *(name for name in now.order if name != ours)], {**now.states, ours: ENABLED})
    undo: Dict[str, Any] = {"dest": now.order} if wanted.order != now.order else {}
    undo.update(
        {f"state {name}": now.states[name] for name in wanted.states if wanted.states[name] != now.states[name]}
    )
    return _change(device, now, wanted, undo)


def plan_restore(params: Mapping[str, Any], undo: Mapping[str, Any]) -> Change:
    """Put the recorded order and states back; a third agent that was added to the group meanwhile stays, at the end."""
    device = _Device(params)
    now = device.standing()
    recorded = list(undo.get("dest", now.order))
    ours = [str(name) for name in device.options["targets"].values()]
    kept = [name for name in recorded if name in now.order or name in ours]
    order = kept + [name for name in now.order if name not in recorded and name not in ours]
    states = {name: str(undo.get(f"state {name}", state)) for name, state in now.states.items()}
    return _change(device, now, Standing(order, states), {})


def apply(params: Mapping[str, Any], change: Change, site: Optional[str]) -> Dict[str, Any]:
    """Lock, edit what differs, read it back, verify, save, activate, unlock, and see that it runs."""
    device = _Device(params)
    group, wanted = device.options["group"], Standing.of_text(change.after)
    with device.session.locked():
        device.put(device.standing(running=False), wanted)
        edited = device.standing(running=False).text(group)
        if edited != change.after:
            raise GatewayError(_otherwise(device, "edited, not saved", change.after, edited))
        for action in ("verify", "save", "activate"):
            device.session.manage(action)
    deadline, interval = device.options["action_deadline"], device.options["action_interval"]
    if not wait_for(lambda: device.standing().text(group) == change.after, deadline, interval):
        raise GatewayError(_otherwise(device, "saved and activated", change.after, device.standing().text(group)))
    return read(params)


def readiness(params: Mapping[str, Any], sites: List[str]) -> List[Dict[str, Any]]:
    """Check log-in, group and agents, the agents' pings, and that the lock can be had (it is given back at once)."""
    item = {"item": "the REST interface takes the log-in, and both sites' agents are in the group"}
    way = "see url, username, password_file, group and targets; web-server-config with http/https enabled"
    try:
        device = _Device(params)
        missing = [site for site in sites if str(device.options["targets"].get(site)) not in device.standing().order]
    except GatewayError as error:
        return [dict(item, met=False, evidence=str(error), way=way)]
    evidence = f"no agent in it for {', '.join(missing)}" if missing else f"session-group {device.options['group']}"
    known = dict(item, met=not missing, evidence=evidence, way=way)
    return [
        known,
        _hunt_item(device),
        *(_ping_item(device, site) for site in sites if site not in missing),
        _lock(device),
    ]


def explain(params: Mapping[str, Any], site: str) -> List[str]:
    """Say it in ACLI."""
    options = _options(params)
    ours = _target(options, site)
    rest = [str(name) for name in options["targets"].values() if str(name) != ours]
    return [
        "configure terminal",
        "session-router",
        "session-agent",
        f"select    # {ours}",
        "state enabled",
        "done",
        "exit",
        "session-group",
        f"select    # {options['group']}",
        f"dest ({' '.join([ours, *rest])})    # all of the group's agents, {ours} first",
        "done",
        "exit",
        "exit",
        "exit",
        "save-config",
        "activate-config",
    ]


def _options(params: Mapping[str, Any]) -> Dict[str, Any]:
    options = options_of(DEFAULTS, params)
    for name in ("url", "username", "password_file", "group", "targets"):
        if not options[name]:
            raise GatewayError(f"gateway driver oracle: option {name} is needed")
    unknown = sorted(set(options["names"]) - set(NAMES))
    if unknown:
        raise GatewayError(f"option names has no {', '.join(unknown)}; it has {', '.join(sorted(NAMES))}")
    return options


def _target(options: Mapping[str, Any], site: str) -> str:
    if site not in options["targets"]:
        raise GatewayError(f"option targets: {site} expected, it has {', '.join(options['targets'])}")
    return str(options["targets"][site])


def _one(element: Mapping[str, List[str]], name: str, default: str) -> str:
    values = element.get(name) or [default]
    return values[0] or default


def _first(options: Mapping[str, Any], standing: Standing) -> Optional[str]:
    """The site whose agent is tried first; None when that is no site's."""
    tried = [name for name in standing.order if standing.states.get(name, ENABLED) == ENABLED]
    sites = {str(name): str(site) for site, name in options["targets"].items()}
    return sites.get(tried[0]) if tried else None


def _change(device: _Device, now: Standing, wanted: Standing, undo: Dict[str, Any]) -> Change:
    if not any(wanted.states.get(name, ENABLED) == ENABLED for name in wanted.order):
        raise RefusedError(
            "the gateway keeps an agent in service",
            f"session-group {device.options['group']} would have none that is enabled",
            "enable a session agent of the group",
        )
    group = device.options["group"]
    before, after = now.text(group), wanted.text(group)
    # What was edited and never activated would run at the next activation by anybody.
    lags = before == after and device.standing(running=False).text(group) != after
    return Change(before, after, undo, reload=lags)


def _otherwise(device: _Device, where: str, expected: str, met: str) -> str:
    return f"{device.options['url']}, {where}: {expected!r} expected, {met!r} met"


def _hunt_item(device: _Device) -> Dict[str, Any]:
    hunts = device.hunts()
    return {
        "item": "the session group goes by order",
        "met": hunts,
        "evidence": f"session-group {device.options['group']}: strategy {'Hunt' if hunts else 'is another one'}",
        "way": "strategy Hunt",
    }


def _ping_item(device: _Device, site: str) -> Dict[str, Any]:
    agent = device.agent(_target(device.options, site))
    method, interval = _one(agent, device.names["ping_method"], ""), _one(agent, device.names["ping_interval"], "0")
    met = method.startswith("OPTIONS") and interval.isdigit() and 0 < int(interval) <= device.options["keepalive_max"]
    return {
        "item": f"the agent of {site} is pinged often enough",
        "met": met,
        "evidence": f"ping-method {method or 'not set'}, ping-interval {interval} s",
        "way": f"ping-method OPTIONS, ping-interval {device.options['keepalive_max']:.0f} or less",
    }


def _lock(device: _Device) -> Dict[str, Any]:
    item = {"item": "the configuration can be locked for a change", "way": "let whoever edits it finish"}
    try:
        with device.session.locked():
            pass
    except GatewayError as error:
        return dict(item, met=False, evidence=str(error))
    return dict(item, met=True, evidence="the lock was had and given back")
