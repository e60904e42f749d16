# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AudioCodes Mediant (SBC or gateway, 7.2 and 7.4) as a media gateway, over its REST interface.

Both sites' addresses stay in the Proxy Set; the site is *preferred* by swapping their rows, as a set with Homing always
goes back to its first address. There is no administrative state of an address: one that is in the set is in service.
The whole table ProxyIp is sent, with nothing but the two rows changed: whether a release takes a table of an
incremental ini for all rows or for those to change is not documented, and this is right either way.
Sources: AudioCodes "REST API for Mediant Devices" (7.40: Status, Full INI File, Incremental INI File, Incremental CLI
Script, Save Configuration); user's manual, "Configuring Proxy Sets".
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Mapping, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.audiocodes_ini import IniError, table
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.audiocodes_set import (
    ADDRESSES,
    ProxySet,
    proxy_set,
    restored,
    state_of,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import (
    Change,
    GatewayError,
    options_of,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.http import (
    Answer,
    Body,
    HttpClient,
    StatusError,
    file_body,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for

DEFAULTS: Dict[str, Any] = {
    "address": "",
    "username": "",
    "password_file": "",
    "ca_file": "",
    "server_name": "",
    "proxy_set": "",
    "targets": {},
    "states": {"ONLINE": "up", "OFFLINE": "down"},
    "keepalive_max": 15.0,
    "timeout": 5.0,
    "busy_deadline": 20.0,
    "busy_interval": 1.0,
    "apply_deadline": 10.0,
    "apply_interval": 0.5,
}
"""The driver's options; times in seconds. `address` is `host` or `host:port` of the device's https. `proxy_set` is a
name or an index, `targets` has each site's address as it stands in the table ProxyIp (`host:port`). `states` says what
the words of `show voip proxy sets status` mean. `timeout` is for one exchange; a busy device (409) is asked again every
`busy_interval` until `busy_deadline`; it runs, and has saved, what it was sent within `apply_deadline`."""

STATUS = "/api/v1/status"
INI = "/api/v1/files/ini"
INCREMENTAL = "/api/v1/files/ini/incremental"
SCRIPT = "/api/v1/files/cliScript/incremental"
SAVE = "/api/v1/actions/saveConfiguration"
SHOW = "show voip proxy sets status"
BUSY = 409


def read(params: Mapping[str, Any]) -> Dict[str, Any]:
    """Return each site's address as the device has it, and the site whose address is first (None: no order decides)."""
    device = _Device(params)
    with device.named():
        return _view(device, device.proxy_set())


def plan(params: Mapping[str, Any], site: str) -> Change:
    """Swap the two sites' rows unless `site` comes first; unsaved is a change as well.

    Raises RefusedError for a Proxy Set in which the order of the rows does not decide.
    """
    device = _Device(params)
    other = _other(device.options, site)
    with device.named():
        found = device.proxy_set()
        if found.disorder():
            raise RefusedError(
                guard="the order of a Proxy Set's addresses decides where new calls go",
                evidence=f"{device.host}, {found.title}: {found.disorder()}",
                way="set ProxyRedundancyMode 1 (Homing), ProxyLoadBalancingMethod 0 and one Priority in it",
            )
        targets = device.options["targets"]
        wanted = found.preferring(str(targets[site]), str(targets[other]))
        after = found.addresses.rewritten(wanted)
    return Change(found.addresses.text, after, found.undo(wanted), reload=_unsaved(device.status()))


def plan_restore(params: Mapping[str, Any], undo: Mapping[str, Any]) -> Change:
    """Put the recorded rows back, each value as it stood; other rows stay, also those that were added meanwhile."""
    device = _Device(params)
    with device.named():
        addresses = device.proxy_set().addresses
        wanted, strange = restored(addresses, undo)
        after = addresses.rewritten(wanted)
    if strange:
        raise GatewayError(
            f"{device.host}: the recorded rows of {ADDRESSES} are expected to have the recorded addresses, in any"
            f" order; {', '.join(strange)} met: given meanwhile, by somebody else; put the order back by hand"
        )
    return Change(addresses.text, after, reload=_unsaved(device.status()))


def apply(params: Mapping[str, Any], change: Change, site: Optional[str]) -> Dict[str, Any]:
    """Send the table, read it back, save; `site` is the one that must come first. Raises GatewayError."""
    device = _Device(params)
    with device.named():
        wanted = table(change.after, ADDRESSES).values()
        stands = device.proxy_set().addresses
        if stands.values() != wanted:
            if stands.text != change.before:
                raise GatewayError(
                    f"{device.host}: {ADDRESSES} is not what it was when this was planned; nothing changed"
                )
            device.push(change, wanted)
    device.save()
    found = read(params)
    if site and found["prefers"] != site:
        raise GatewayError(f"{device.host}: {site} is expected first, {found['prefers'] or 'no site'} met")
    return found


def readiness(params: Mapping[str, Any], sites: List[str]) -> List[Dict[str, Any]]:
    """Check log-in, service, the right to change, both addresses, and that the device's own failover is on and fast."""
    answers = "the device answers over REST and takes the log-in"
    try:
        device = _Device(params)
        status = device.status()
    except GatewayError as error:
        return [_item(answers, False, str(error), _REACH)]
    items = [_item(answers, True, f"{device.host} answers", _REACH), *_status_items(status)]
    may_change = "the log-in may change and save the configuration"
    try:
        ini = device.ask("GET", INI).text
    except GatewayError as error:
        return [*items, _item(may_change, False, str(error), _LEVEL)]
    items.append(_item(may_change, True, "it may read the whole configuration, which takes the same level", _LEVEL))
    try:
        with device.named():
            return items + _set_items(device, proxy_set(ini, device.options["proxy_set"]), sites)
    except GatewayError as error:
        return [
            *items,
            _item("the Proxy Set is there, with all its columns", False, str(error), "name it in proxy_set"),
        ]


def explain(params: Mapping[str, Any], site: str) -> List[str]:
    """Say it in the words of the device's web interface (7.2, 7.4) and of its command line."""
    options = options_of(DEFAULTS, params)
    other = _other(options, site)
    targets = options["targets"]
    return [
        f"https://{options['address']}",
        f"  Setup > Signaling & Media > Core Entities > Proxy Sets > {options['proxy_set']}",
        f"  Redundancy Mode is Homing; Proxy Address: the first row has {targets[site]} ({site}),",
        f"  the row in which that stood has {targets[other]} ({other}); each with its own Transport Type",
        "  Apply, then Save (command line: write)",
        f"{SHOW}    # {targets[site]} first",
    ]


class _Device:
    """One device: its options, and every call that is made to it."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self.options = options = options_of(DEFAULTS, params)
        for name in ("address", "proxy_set"):
            if not options[name]:
                raise GatewayError(f"option {name} is expected, none met")
        self.host = str(options["address"])
        log_in = {name: options[name] for name in ("username", "password_file", "ca_file", "server_name")}
        self._client = HttpClient(f"https://{self.host}", options["timeout"], **log_in)

    @contextmanager
    def named(self) -> Iterator[None]:
        """Say of which device's ini a complaint is."""
        try:
            yield
        except IniError as error:
            raise GatewayError(f"{self.host}: {INI}: {error}") from error

    def ask(self, method: str, path: str, body: Optional[Body] = None) -> Answer:
        """Return the answer; a busy device is asked again until the deadline. Raises StatusError when it refuses."""
        busy: List[StatusError] = []

        def answered() -> Optional[Answer]:
            try:
                return self._client.ask(method, path, body)
            except StatusError as error:
                if error.status != BUSY:
                    raise
                busy.append(error)
                return None

        answer = wait_for(answered, self.options["busy_deadline"], self.options["busy_interval"])
        if answer:
            return answer
        raise StatusError(f"{busy[-1]}; asked again for {self.options['busy_deadline']:g} s", BUSY, busy[-1].said)

    def status(self) -> Dict[str, Any]:
        answer = self.ask("GET", STATUS)
        told = answer.json()
        if not isinstance(told, dict) or "operationalState" not in told:
            raise GatewayError(f"{answer.where}: an object with operationalState is expected, another JSON met")
        return told

    def proxy_set(self) -> ProxySet:
        return proxy_set(self.ask("GET", INI).text, self.options["proxy_set"])

    def shown(self) -> str:
        """What the device says of its Proxy Sets; empty where it does not know that command, or not for this log-in."""
        try:
            told = self.ask("PUT", SCRIPT, file_body("file", "cli.txt", SHOW + "\r\n")).json()
        except StatusError:
            return ""
        return str(told.get("output", "")) if isinstance(told, dict) else ""

    def push(self, change: Change, wanted: Mapping[int, Mapping[str, str]]) -> None:
        told, wait = f"{self.host}: {INCREMENTAL} was accepted", self.options["apply_deadline"]
        try:
            self.ask("PUT", INCREMENTAL, file_body("file", "incremental.ini", change.after + "\r\n"))
        except StatusError as error:
            told, wait = str(error), 0.0
        except GatewayError as error:
            told = str(error)  # what was not answered may still be done
        stands: Mapping[int, Mapping[str, str]] = {}

        def runs() -> bool:
            nonlocal stands
            stands = self.proxy_set().addresses.values()
            return stands == wanted

        try:
            done = wait_for(runs, wait, self.options["apply_interval"])
        except (GatewayError, IniError) as error:
            raise GatewayError(f"{told}; what stands now cannot be read: {error}") from error
        if not done:
            nothing = stands == table(change.before, ADDRESSES).values()
            met = f"nothing was changed within {wait:g} s" if nothing else _difference(wanted, stands)
            raise GatewayError(f"{told}; {met}; nothing was saved")

    def save(self) -> None:
        late = "the order is right, but not saved: a reboot would undo it"
        try:
            self.ask("POST", SAVE)
            saved = wait_for(
                lambda: not _unsaved(self.status()), self.options["apply_deadline"], self.options["apply_interval"]
            )
        except GatewayError as error:
            raise GatewayError(f"{error}; {late}") from error
        if not saved:
            raise GatewayError(f"{self.host}: {STATUS}: saveNeeded false is expected after {SAVE}, true met; {late}")


def _other(options: Mapping[str, Any], site: str) -> str:
    others = [name for name in options["targets"] if name != site]
    if site not in options["targets"] or len(others) != 1:
        there = ", ".join(options["targets"]) or "none"
        raise GatewayError(f"option targets: the addresses of {site} and of one other site are expected, {there} met")
    if str(options["targets"][site]).lower() == str(options["targets"][others[0]]).lower():
        raise GatewayError(f"option targets: two addresses are expected, {options['targets'][site]} met for both sites")
    return str(others[0])


def _view(device: _Device, found: ProxySet) -> Dict[str, Any]:
    shown = device.shown()
    sites = {site: str(target) for site, target in device.options["targets"].items()}
    targets = {site: _target(device, found, target, shown) for site, target in sites.items()}
    rows = {found.row_of(target): site for site, target in sites.items()}
    first = found.rows()[0] if found.rows() and not found.disorder() else None
    return {"targets": targets, "prefers": rows.get(first) if first is not None else None}


def _target(device: _Device, found: ProxySet, target: str, shown: str) -> Dict[str, Any]:
    row = found.row_of(target)
    if row is None:
        missing = {"state": f"not in {found.title}", "admin": "out_of_service", "oper": "unknown"}
        return dict(missing, priority=None, uri=f"sip:{target}")
    state, oper = state_of(shown, found.number, target, device.options["states"])
    asked = found.setting("EnableProxyKeepAlive") != 0  # a device that never asks knows nothing, whatever it shows
    place = {"priority": found.rows().index(row), "uri": f"sip:{target}"}
    return {"state": state or "not told", "admin": "in_service", "oper": oper if asked else "unknown", **place}


def _unsaved(status: Mapping[str, Any]) -> bool:
    """True when the device says that its configuration would not survive a reboot; one that says nothing has saved."""
    return str(status.get("saveNeeded", "false")).lower() == "true"


def _difference(wanted: Mapping[int, Mapping[str, str]], stands: Mapping[int, Mapping[str, str]]) -> str:
    cells = sorted({(row, name) for rows in (wanted, stands) for row, values in rows.items() for name in values})
    pairs = [(row, name, wanted.get(row, {}).get(name), stands.get(row, {}).get(name)) for row, name in cells]
    differ = [
        f"{ADDRESSES} {row}, {name}: {expected} expected, {met} met"
        for row, name, expected, met in pairs
        if expected != met
    ]
    return "; ".join(differ[:4])


_REACH = "enable REST and https at the device; name address, username, password_file and ca_file"
_LEVEL = "let the log-in have the level Administrator"


def _item(item: str, met: bool, evidence: str, way: str) -> Dict[str, Any]:
    return {"item": item, "met": met, "evidence": evidence, "way": way}


def _status_items(status: Mapping[str, Any]) -> List[Dict[str, Any]]:
    state = str(status["operationalState"])
    unsaved = _unsaved(status)
    return [
        _item("the device is in service", state == "UNLOCKED", f"operationalState {state}", "unlock the device"),
        _item(
            "nothing unsaved waits at the device, which a change would save with it",
            not unsaved,
            f"saveNeeded {status.get('saveNeeded', 'is not told')}",
            "save it, or take it back",
        ),
    ]


def _set_items(device: _Device, found: ProxySet, sites: List[str]) -> List[Dict[str, Any]]:
    options, targets = device.options, device.options["targets"]
    missing = [site for site in sites if site not in targets or found.row_of(str(targets[site])) is None]
    every, on = found.setting("ProxyKeepAliveTime"), found.setting("EnableProxyKeepAlive")
    swap = found.setting("IsProxyHotSwap")
    disorder = found.disorder()
    return [
        _item(
            f"both sites' addresses are in {found.title}",
            not missing,
            f"missing: {', '.join(missing)}" if missing else f"{', '.join(sites)} have a row in {ADDRESSES}",
            "name both in targets, and give both a row in the Proxy Set",
        ),
        _item(
            "the device asks both addresses by OPTIONS, often enough",
            found.keep_alive() and every <= options["keepalive_max"],
            f"EnableProxyKeepAlive {on}, ProxyKeepAliveTime {every} s",
            f"EnableProxyKeepAlive 1, ProxyKeepAliveTime {options['keepalive_max']:.0f} or less",
        ),
        _item(
            "the device prefers the first address and goes back to it",
            not disorder,
            disorder or "Homing, no load balancing",
            "ProxyRedundancyMode 1, ProxyLoadBalancingMethod 0, one Priority",
        ),
        _item(
            "a call that is not answered at one address goes to the other",
            swap == 1,
            f"IsProxyHotSwap {swap}",
            "IsProxyHotSwap 1",
        ),
        _states_item(device, found),
    ]


def _states_item(device: _Device, found: ProxySet) -> Dict[str, Any]:
    told = _view(device, found)["targets"]
    said = ", ".join(f"{site} {target['state']}" for site, target in told.items())
    met = bool(told) and all(target["oper"] != "unknown" for target in told.values())
    way = f"look at {SHOW}, and say in the option states what its words mean"
    return _item("the device tells whether each address answers", met, f"it says: {said or 'nothing'}", way)
