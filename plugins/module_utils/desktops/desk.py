# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The doors of agent desktops: observe, readiness, verify, and those at which desktops move by themselves."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer import ConfigurationLayer
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops import DesktopError, Item, Site, item
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops.logins import (
    Compared,
    LogIns,
    as_result,
    compare,
    together,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops.look import (
    Page,
    Port,
    Read,
    Seen,
    applications,
    look,
    look_at_all,
    ports,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops.moves import known, moves
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops.options import (
    OptionNames,
    Policy,
    options_result,
    server_item,
    server_site,
    workspace,
    workspace_items,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for

STAT_SERVER, PROXY = "Statistic Server", "Configuration Server Proxy"


class Configured(NamedTuple):
    """Which Workspace Applications there are, how their options are read, and what they must say."""

    layer: Optional[ConfigurationLayer]
    """None: the options are not read."""
    applications: Tuple[str, ...]
    names: OptionNames
    policy: Policy


class Asked(NamedTuple):
    """What `verify` asks for: this share of those before, within `deadline` seconds, looking every `interval`."""

    before: Optional[LogIns]
    min_logged_in: float
    deadline: float
    interval: float
    where: str = ""
    """Where those before were logged in, in words."""


class NotThereError(DesktopError):
    """Desktops cannot work at the site, or too few are logged in; `seen` has all of it, the message names them."""

    def __init__(self, words: str, seen: Dict[str, Any]) -> None:
        """Keep what was seen last."""
        self.seen = seen
        super().__init__(words)


class Desk:
    """The desktops of the sites that are given. Changes nothing."""

    def __init__(self, sites: Mapping[str, Site], page: Page, configured: Configured) -> None:
        """Take the sites, where log-ins are read, and how the options are."""
        self._sites = sites
        self._page = page
        self._configured = configured

    def observe(self) -> Dict[str, Any]:
        """Return `{sites, before, applications, servers, detail}`: log-ins, ports and options as they are.

        before: what `verify` takes as such later: names of all sites together, or their number; None where no site
        tells. applications: options of each Workspace Application; servers: the site that each server's annex names.
        """
        found, configured = self._read_options(), self._configured
        names = configured.names
        read = {
            one: _told(found[one], options_result(workspace(found[one].options, names)))
            for one in configured.applications
        }
        servers = {one: _told(found[one], {"site": server_site(found[one].annex, names)}) for one in self._servers}
        return {**self._seen(), "applications": read, "servers": servers}

    def passed(self, door: str, site: str) -> Dict[str, Any]:
        """Return what `observe` does without the options, and what moves. Raises DesktopError for an unknown site."""
        words = moves(door, site, self._sites)
        seen = self._seen()
        return {**seen, "applications": {}, "servers": {}, "detail": f"{words}. Now: {seen['detail']}"}

    def readiness(self) -> List[Item]:
        """Return what desktops will need to move, each `{item, met, evidence, way}`."""
        return [*self._option_items(), *self._fitness()]

    def verify(self, site: str, asked: Asked) -> Dict[str, Any]:
        """Wait until desktops work at the site. Raises NotThereError, and DesktopError for an unknown site."""
        meant = known(site, self._sites)
        looks: List[Tuple[Seen, Optional[Compared], List[str]]] = []

        def there() -> bool:
            seen = look(meant, self._page)
            compared = compare(asked.before, seen.log_ins) if asked.before else None
            looks.append((seen, compared, _lacking(seen, compared, asked.min_logged_in)))
            return not looks[-1][2]

        wait_for(there, asked.deadline, asked.interval)
        seen, compared, lacking = looks[-1]
        found = _verified(seen, compared, asked.where)
        if lacking:
            raise NotThereError(f"{site}: {'; '.join(lacking)}", found)
        return found

    @property
    def _servers(self) -> Tuple[str, ...]:
        names = self._configured.names
        return tuple(one for site in self._sites.values() for one in site.servers) if names.server_site else ()

    def _read_options(self) -> Dict[str, Read]:
        layer, names = self._configured.layer, (*self._configured.applications, *self._servers)
        if layer is None:
            return {name: Read({}, {}, "the Configuration Layer is not given") for name in names}
        return applications(layer, names)

    def _seen(self) -> Dict[str, Any]:
        seen = look_at_all(self._sites, self._page)
        known_ones = together(one.log_ins for one in seen.values() if one.log_ins is not None)
        result = as_result(known_ones)
        return {
            "sites": {name: one.as_result() for name, one in seen.items()},
            "before": result["count"] if result["agents"] is None else result["agents"],
            "detail": "; ".join(f"{name}: {one.detail}" for name, one in seen.items()),
        }

    def _option_items(self) -> List[Item]:
        configured, found = self._configured, self._read_options()
        unread = [_unread(name, one) for name, one in found.items() if one.trouble]
        if not configured.applications:
            way = "name the Workspace Applications (applications), and how the Configuration Layer is reached (layer)"
            unread.append(item("Workspace's options can be read", False, "no Workspace Application is named", way))
        readable = {name: found[name] for name in configured.applications if not found[name].trouble}
        items = [one for name, read in readable.items() for one in self._workspace_items(name, read)]
        return [*unread, *items, *self._server_items(found)]

    def _workspace_items(self, name: str, read: Read) -> List[Item]:
        names, policy = self._configured.names, self._configured.policy
        sites = [site.workspace_name for site in self._sites.values()]
        return workspace_items(name, workspace(read.options, names), names, sites, policy)

    def _server_items(self, found: Mapping[str, Read]) -> List[Item]:
        names = self._configured.names
        pairs = [(name, site.workspace_name) for site in self._sites.values() for name in site.servers]
        return [
            server_item(name, found[name].annex, names, site)
            for name, site in pairs
            if name in found and not found[name].trouble
        ]

    def _fitness(self) -> List[Item]:
        asked = [
            (site.name, what, endpoint)
            for site in self._sites.values()
            for what, endpoint in ((STAT_SERVER, site.stat_server), (PROXY, site.proxy))
        ]
        answers = ports([endpoint for _, _, endpoint in asked], self._page.settings)
        return [_fit(site, what, answer) for (site, what, _), answer in zip(asked, answers)]


def _fit(site: str, what: str, answer: Port) -> Item:
    way = f"start the {what} of {site}, and open its port; give its address and port in sites.{site}"
    return item(f"{site}: the {what} answers", bool(answer.answers), answer.detail, way)


def _unread(name: str, found: Read) -> Item:
    way = "mend layer (url, user, password), or the Application's name; read access is enough"
    return item(f"{name}: its options can be read", False, found.trouble, way)


def _told(found: Read, words: Dict[str, Any]) -> Dict[str, Any]:
    return {"read": False, "detail": found.trouble} if found.trouble else {"read": True, **words}


def _lacking(seen: Seen, compared: Optional[Compared], wanted: float) -> List[str]:
    needed = {STAT_SERVER: seen.stat_server, PROXY: seen.proxy}
    silent = [f"the {what} does not answer ({one.detail})" for what, one in needed.items() if one.answers is False]
    if compared is None or compared.share >= wanted:
        return silent
    unknown = f" ({seen.detail})" if seen.log_ins is None else ""
    return [*silent, f"{wanted:.1%} asked for, {compared.words()}{unknown}"]


def _verified(seen: Seen, compared: Optional[Compared], where: str) -> Dict[str, Any]:
    words = [where] if where else []
    words += [compared.words() if compared else seen.detail]
    words += [f"{STAT_SERVER}: {seen.stat_server.detail}", f"{PROXY}: {seen.proxy.detail}"]
    found: Dict[str, Any] = {"site": seen.as_result(), "detail": "; ".join(words)}
    if compared:
        known = {"before": compared.before, "there": compared.there, "missing": list(compared.missing)}
        found.update(known, share=round(compared.share, 4))
    return found
