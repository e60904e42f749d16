# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workspace's disaster-recovery options: what they say, and what is missing or wrong. Pure: no I/O.

Source: Workspace Desktop Edition 8.5.1, Business Continuity for SIP Server, Configuration Server, and Statistic Server;
and Workspace SIP Endpoint (Workspace and Genesys 8). Documented: `disaster-recovery.enabled` (default false),
`disaster-recovery.timeout` (default 60 s), `disaster-recovery.preferred-site` in the annex of each server Application
that desktops connect to, and `sipendpoint.sbc-register-address` with `.peer`, all in section `interaction-workspace`.
That the Workspace Application has a `preferred-site` of its own is from memory: its name can be changed, or left empty.
All of them take effect when Workspace is started. What Tenants, Agent Groups and Persons override is not read.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer import Key
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops import DesktopError, Item, item

Options = Mapping[Key, str]

DEFAULT_TIMEOUT = 60
"""Seconds; what Workspace takes where `disaster-recovery.timeout` is not set."""

RESTART = "agents start Workspace anew, for it reads its options when it is started"


class OptionNames(NamedTuple):
    """Section and names of the options. An empty name is an option that is not asked for."""

    section: str = "interaction-workspace"
    enabled: str = "disaster-recovery.enabled"
    timeout: str = "disaster-recovery.timeout"
    preferred_site: str = "disaster-recovery.preferred-site"
    server_site: str = "disaster-recovery.preferred-site"
    """In the annex of a server's Application: the site that it stands at."""
    registrar: str = "sipendpoint.sbc-register-address"
    peer_registrar: str = "sipendpoint.sbc-register-address.peer"


class Policy(NamedTuple):
    """What the options must say: timeout at most (seconds), and whether agents use Workspace's own SIP endpoint."""

    max_timeout: int
    sip_endpoint: bool


class Workspace(NamedTuple):
    """One Workspace Application's options, with Workspace's defaults for those that are not set."""

    enabled: bool
    timeout: Optional[int]
    """Seconds; None where the value is no number."""
    preferred_site: str
    registrar: str
    peer_registrar: str


def option_names(option: Mapping[str, Any]) -> OptionNames:
    """Return the option as it was given; what was left out keeps its default. Raises DesktopError."""
    unknown = sorted(set(option) - set(OptionNames._fields))
    if unknown:
        expected = ", ".join(OptionNames._fields)
        raise DesktopError(f"option_names: {', '.join(unknown)} unknown; expected: {expected}")
    return OptionNames(**{name: str(value or "") for name, value in option.items()})


def workspace(options: Options, names: OptionNames) -> Workspace:
    """Return what the options of a Workspace Application say."""

    def value(name: str) -> str:
        return str(options.get((names.section, name), "")).strip() if name else ""

    timeout = value(names.timeout) or str(DEFAULT_TIMEOUT)
    return Workspace(
        enabled=value(names.enabled).lower() == "true",
        timeout=int(timeout) if timeout.isdecimal() else None,
        preferred_site=value(names.preferred_site),
        registrar=value(names.registrar),
        peer_registrar=value(names.peer_registrar),
    )


def server_site(annex: Options, names: OptionNames) -> str:
    """Return the site that the annex of a server's Application names; empty where it names none."""
    return str(annex.get((names.section, names.server_site), "")).strip()


def workspace_items(
    name: str, found: Workspace, names: OptionNames, sites: Iterable[str], policy: Policy
) -> List[Item]:
    """Return what desktops of this Application need to move by themselves. `sites`: as Workspace calls them."""
    items = [_enabled(name, found, names), _timeout(name, found, names, policy.max_timeout)]
    if names.preferred_site:
        items.append(_preferred(name, found, names, list(sites)))
    return [*items, _registrar(name, found, names)] if policy.sip_endpoint and names.peer_registrar else items


def server_item(name: str, annex: Options, names: OptionNames, site: str) -> Item:
    """Return whether the annex of a server's Application names the site that it stands at."""
    seen = server_site(annex, names)
    return item(
        f"{name}: its annex names its site for desktops",
        seen == site,
        f"{_key(names, names.server_site)} {_said(seen)}",
        f"set {_key(names, names.server_site)} to {site} in the annex of Application {name}; without it desktops do not"
        " leave this server for the other site",
    )


def options_result(found: Workspace) -> Dict[str, Any]:
    """Return the options as modules return them."""
    return dict(found._asdict())


def _enabled(name: str, found: Workspace, names: OptionNames) -> Item:
    return item(
        f"{name}: desktops go to the other site by themselves",
        found.enabled,
        f"{_key(names, names.enabled)} is {str(found.enabled).lower()}",
        f"set {_key(names, names.enabled)} to true in the options of Application {name}; {RESTART}",
    )


def _timeout(name: str, found: Workspace, names: OptionNames, most: int) -> Item:
    seen = "no number" if found.timeout is None else f"{found.timeout} s"
    return item(
        f"{name}: desktops leave a lost site within {most} s",
        found.timeout is not None and 0 < found.timeout <= most,
        f"{_key(names, names.timeout)} is {seen} (Workspace's default: {DEFAULT_TIMEOUT} s)",
        f"set {_key(names, names.timeout)} to {most} or less in the options of Application {name}; {RESTART}",
    )


def _preferred(name: str, found: Workspace, names: OptionNames, sites: List[str]) -> Item:
    return item(
        f"{name}: desktops have a preferred site",
        found.preferred_site in sites,
        f"{_key(names, names.preferred_site)} {_said(found.preferred_site)}",
        f"set {_key(names, names.preferred_site)} to one of {', '.join(sites)} in the options of Application {name};"
        f" {RESTART}",
    )


def _registrar(name: str, found: Workspace, names: OptionNames) -> Item:
    same = bool(found.peer_registrar) and found.peer_registrar == found.registrar
    own, peer = (f"{key} {_said(value)}" for key, value in _registrars(found, names))
    return item(
        f"{name}: the SIP endpoint knows the registrar of the peer site",
        bool(found.peer_registrar) and not same,
        f"{own}; {peer}" + (": the same for both sites" if same else ""),
        f"set {_key(names, names.peer_registrar)} to the SBC, SIP Proxy or SIP Server of the peer site in the options"
        f" of Application {name} (its port to 0 where it is a DNS SRV domain); {RESTART}. Where agents have other"
        " phones, say sip_endpoint: false",
    )


def _registrars(found: Workspace, names: OptionNames) -> Iterable[Tuple[str, str]]:
    yield _key(names, names.registrar), found.registrar
    yield _key(names, names.peer_registrar), found.peer_registrar


def _key(names: OptionNames, name: str) -> str:
    return f"[{names.section}] {name}"


def _said(value: str) -> str:
    return f"is {value}" if value else "is not set"
