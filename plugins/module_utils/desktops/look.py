# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the network tells about desktops: pages, ports, and the Configuration Layer. All the I/O of this family.

Only the primary SIP Server of a site is asked: desktops are connected to the backup as well, and are logged in once.
"""

from __future__ import annotations

import http.client
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer import (
    APPLICATION,
    ConfigurationLayer,
    LayerError,
    Target,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops import Endpoint, Site
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops.logins import (
    LoginNames,
    LogIns,
    as_result,
    read,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops.options import Options
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes import monitoring_page, tcp
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Settings
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.trunks import SERVER_PAGE


class Page(NamedTuple):
    """Where log-ins are read, and by which names."""

    path: str
    names: LoginNames
    settings: Settings


class Port(NamedTuple):
    """Whether a port answers; None where its address was not given."""

    answers: Optional[bool]
    detail: str


class Seen(NamedTuple):
    """What one site tells."""

    primary: Optional[str]
    log_ins: Optional[LogIns]
    """None where nobody tells; that is not nobody logged in."""
    stat_server: Port
    proxy: Port
    detail: str

    def as_result(self) -> Dict[str, Any]:
        """Return it as modules return it."""
        ports = {"stat_server": self.stat_server._asdict(), "proxy": self.proxy._asdict()}
        return {"primary": self.primary, **as_result(self.log_ins), **ports, "detail": self.detail}


class Read(NamedTuple):
    """What the Configuration Layer has of an Application; `trouble` says why it has nothing."""

    options: Options
    annex: Options
    trouble: str = ""


def look(site: Site, page: Page) -> Seen:
    """Ask a site's pages and ports, all at once. Never raises because something is down."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        answers = pool.submit(ports, (site.stat_server, site.proxy), page.settings)
        primary, log_ins, detail = _log_ins(site, page)
        stat_server, proxy = answers.result()
    return Seen(primary, log_ins, stat_server, proxy, detail)


def look_at_all(sites: Mapping[str, Site], page: Page) -> Dict[str, Seen]:
    """Ask all sites at once: a dead one does not hold up the others."""
    with ThreadPoolExecutor(max_workers=max(1, len(sites))) as pool:
        return dict(zip(sites, pool.map(lambda site: look(site, page), sites.values())))


def ports(endpoints: Sequence[Optional[Endpoint]], settings: Settings) -> List[Port]:
    """Connect to ports, all at once, within connect_timeout seconds."""
    with ThreadPoolExecutor(max_workers=max(1, len(endpoints))) as pool:
        return list(pool.map(lambda endpoint: _port(endpoint, settings), endpoints))


def applications(layer: ConfigurationLayer, names: Tuple[str, ...]) -> Dict[str, Read]:
    """Read Applications; one that cannot be read has its trouble instead. Changes nothing."""
    try:
        layer.log_in()
    except LayerError as error:
        return {name: Read({}, {}, str(error)) for name in names}
    return {name: _application(layer, name) for name in names}


def _port(endpoint: Optional[Endpoint], settings: Settings) -> Port:
    if endpoint is None:
        return Port(None, "its address is not given, nobody looks")
    answer = tcp.look(endpoint._asdict(), settings)
    return Port(answer["value"] == "up", f"{endpoint}: {answer['detail']}")


def _application(layer: ConfigurationLayer, name: str) -> Read:
    target = Target(APPLICATION, name)
    try:
        found = layer.read(target)
    except LayerError as error:
        return Read({}, {}, str(error))
    return Read(layer.options(target, found), layer.annex(found))


def _log_ins(site: Site, page: Page) -> Tuple[Optional[str], Optional[LogIns], str]:
    primary = _primary(site, page.settings)
    if primary is None:
        return None, None, "no SIP Server tells that it runs as primary"
    check = {"address": site.legs[primary], "port": site.monitoring_port, "path": page.path}
    try:
        status, text = monitoring_page.fetch(check, page.settings)
    except (OSError, http.client.HTTPException) as error:
        return primary, None, f"{primary}: no page {page.path} ({error or type(error).__name__})"
    found = read(text, page.names) if status == 200 else None
    if found is None:
        return primary, None, f"{primary}: {page.path} (HTTP {status}) does not tell who is logged in"
    kind = "agents logged in" if found.agents is not None else "counted, names are not told"
    return primary, found, f"{primary}: {found.count} {kind}"


def _primary(site: Site, settings: Settings) -> Optional[str]:
    def mode(address: str) -> str:
        check = {"address": address, "port": site.monitoring_port, "path": SERVER_PAGE}
        return str(monitoring_page.look(check, settings).get("run_mode"))

    with ThreadPoolExecutor(max_workers=max(1, len(site.legs))) as pool:
        modes = dict(zip(site.legs, pool.map(mode, site.legs.values())))
    return next((leg for leg, seen in modes.items() if seen == "primary"), None)
