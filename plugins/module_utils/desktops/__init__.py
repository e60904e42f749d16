# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Agent desktops: who is logged in where, and whether Workspace finds the other site by itself.

Desktops move by themselves (Disaster Recovery, step 4: they log in at the survivor and connect to its Stat Server and
Configuration Server Proxy). So nothing here changes anything. `logins`, `options` and `moves` are pure; `look` asks the
network; `desk` puts them together.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple

Item = Dict[str, Any]
"""One line of a readiness: `{item, met, evidence, way}`."""


class DesktopError(Exception):
    """Desktops are not where they should be, or are described wrongly; the message names what was expected."""


class Endpoint(NamedTuple):
    """A TCP port that must answer."""

    address: str
    port: int

    def __str__(self) -> str:
        """Return address and port as they are written."""
        return f"{self.address}:{self.port}"


class Site(NamedTuple):
    """What desktops need of one site."""

    name: str
    legs: Mapping[str, str]
    """Address of each SIP Server of the HA pair, by name."""
    monitoring_port: int
    """`http-port` of the SIP Servers."""
    stat_server: Optional[Endpoint]
    """None where nobody gave it."""
    proxy: Optional[Endpoint]
    """The Configuration Server Proxy; None where nobody gave it."""
    workspace_name: str
    """How Workspace calls the site, in its options."""
    servers: Tuple[str, ...]
    """Applications that desktops connect to, whose annex must name the site."""


def site_of(name: str, data: Any) -> Site:  # noqa: ANN401  whatever the inventory has
    """Return the site that the option `sites` describes. Raises DesktopError, which names the place."""
    place = f"sites.{name}"
    if not isinstance(data, Mapping):
        raise DesktopError(f"{place}: legs, stat_server and proxy expected, {data!r} given")
    try:
        return Site(
            name=name,
            legs={leg: str(given["address"]) for leg, given in (data.get("legs") or {}).items()},
            monitoring_port=int(data.get("monitoring_port", 8080)),
            stat_server=_endpoint(data.get("stat_server")),
            proxy=_endpoint(data.get("proxy")),
            workspace_name=str(data.get("workspace_name") or name),
            servers=tuple(map(str, data.get("servers") or ())),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        words = "each leg with address, stat_server and proxy with address and port expected"
        raise DesktopError(f"{place}: {words} ({type(error).__name__}: {error})") from error


def item(what: str, met: bool, evidence: str, way: str) -> Item:
    """Return one line of a readiness."""
    return {"item": what, "met": met, "evidence": evidence, "way": way}


def _endpoint(data: Optional[Mapping[str, Any]]) -> Optional[Endpoint]:
    return Endpoint(str(data["address"]), int(data["port"])) if data else None
