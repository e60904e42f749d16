# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules by which the reports of many vantage points become one signal (decision.md, "What is observed").

Each rule gives `{value, answered, of: [how many say up, how many were asked], by: {reporter: {value, detail, rtt}}}`.
They all hold to one thing: a missing answer is never `down`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Callable

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.reports import Report, Reports, word

Signal = dict[str, Any]
GATEWAY_FAULT = "GATEWAY_FAULT"


@dataclass(frozen=True)
class Site:
    """One site under judgement.

    inside: for each site, the hosts that look from inside it. gateways: the site of each gateway.
    downtime: sites and gateways in a declared downtime.
    """

    name: str
    peer: str
    inside: Mapping[str, frozenset[str]]
    gateways: Mapping[str, str]
    downtime: frozenset[str]
    reports: Reports

    def silent(self, site: str) -> bool:
        """A whole site is silent: no host inside it was reached, and nobody has an answer about it."""
        return not self.inside[site] & self.reports.reached and not self.reports.heard(site)

    def excused(self, gateway: str) -> bool:
        """A gateway whose silence says nothing new: its site is silent as a whole, or its downtime is declared."""
        site = self.gateways[gateway]
        return self.silent(site) or bool({gateway, site} & self.downtime)


def inside(site: Site) -> Signal:
    """up: a SIP Server of the pair answers a host inside (by design only the primary does); down: one of those hosts
    could look, none got an answer, and no monitoring page names a primary."""
    reports = site.reports.of("inside", site.name)
    words = {one.host: one.word for one in reports if one.check["kind"] == "sip_options"}
    for gateway in _gateways_inside(site):
        target = site.reports.target(gateway, site.name)
        words[gateway.host] = {**word(target), "value": target["options"]} if target else gateway.word
    pages = {one.reporter: one.word for one in reports if one.check["kind"] == "monitoring_page"}
    value = _any_up([one["value"] for one in words.values()])
    if value == "down" and any(one.answer and one.answer.get("run_mode") == "primary" for one in reports):
        value = "unknown"
    # A host inside that we reached is a sign of life, whatever it could find out.
    return _signal(value, bool(site.inside[site.name] & site.reports.reached), words, {**words, **pages})


def redundancy(site: Site) -> Signal:
    """down: a part of the site is lost (a leg, an LCA, the proxy, a gateway); up: every part is there.

    Without any host inside that could be reached it is unknown: what is silent may only be cut off from us.
    """
    reports = [one for one in site.reports.of("inside", site.name) if one.check["kind"] == "monitoring_page"]
    parts = _parts([*reports, *site.reports.of("redundancy", site.name)])
    parts.update(_split_pair(reports))
    parts.update({one.host: _fault_word(site, one) for one in _gateways_inside(site) if one.host not in site.downtime})
    if not site.inside[site.name] & site.reports.reached:
        return _signal("unknown", False, parts, parts)
    values = [one["value"] for one in parts.values()]
    value = "down" if "down" in values else "unknown" if "unknown" in values else "up"
    return _signal(value, True, parts, parts)


def peer(site: Site) -> Signal:
    """What the other site's hosts see of the SIP address; one of them that can look is enough."""
    return _plain(site.reports.of("peer", site.name))


def witness(site: Site) -> Signal:
    """What the third place sees of the SIP address."""
    return _plain(site.reports.of("witness", site.name))


def gateways(site: Site) -> Signal:
    """up: any gateway anywhere reaches the site. down: a gateway outside it says down, and none is silent.

    Excused are the silent gateways of a site that is silent as a whole, and those in a declared downtime.
    """
    words: dict[str, dict[str, Any]] = {}
    for one in site.reports.of_gateways():
        target = site.reports.target(one, site.name)
        words[one.host] = word(target) if target else one.word
    values = {name: one["value"] for name, one in words.items()}
    outside = [value for name, value in values.items() if site.gateways[name] != site.name]
    silent = [name for name, value in values.items() if value == "unknown" and not site.excused(name)]
    down = "down" in outside and not silent
    value = "up" if "up" in values.values() else "down" if down else "unknown"
    answered = any(_answered(site, one) for one in site.reports.of_gateways())
    return _signal(value, answered, words, words)


def trunk(site: Site) -> Signal:
    """What the site's SIP Server says of its Trunk DN: the word of the primary leg, where it is known which that is."""
    reports = site.reports.of("trunk", site.name)
    modes = {
        (one.host, one.check.get("part")): (one.answer or {}).get("run_mode")
        for one in site.reports.of("inside", site.name)
    }
    primary = [one for one in reports if modes.get((one.host, one.check["part"])) == "primary"]
    return _plain(primary or reports)


def mgmt(site: Site) -> Signal:
    """What the other site's hosts reach of the management (SSH, LCA); a refusal is down, but an answer."""
    return _plain(site.reports.of("mgmt", site.name))


def master(site: Site) -> Signal:
    """up: somebody saw a session on a writable database. down: somebody got a refusal, nothing or a read-only answer.

    A port that stands open, with a database that nobody could ask, outweighs the silence that others met.
    """
    reports = site.reports.of("master", site.name)
    signal = _plain(reports)
    said_down = any(one.value == "down" and one.answered for one in reports)
    port_open = any(one.value == "unknown" and one.answered for one in reports)
    if signal["value"] == "down" and port_open and not said_down:
        signal["value"] = "unknown"
    return signal


def database(site: Site) -> dict[str, Any]:
    """Role of the site's Configuration Database; for a standby, the lag in bytes that its primary measured now.

    A standby's lag is null when its primary did not answer: what a dead primary had more is not known.
    """
    role = _role(site.reports, site.name)
    primaries = [one for one in site.reports.of("database", site.peer) if (one.answer or {}).get("role") == "primary"]
    lags = [one.answer["lag"] for one in primaries if one.answer and one.answer["lag"] is not None]
    return {"role": role, "lag": max(lags) if lags and role == "standby" else None}


RULES: dict[str, Callable[[Site], Signal]] = {
    "inside": inside,
    "redundancy": redundancy,
    "peer": peer,
    "witness": witness,
    "gateways": gateways,
    "trunk": trunk,
    "mgmt": mgmt,
    "master": master,
}
"""Every signal that is looked at; synthetic calls are not: `calls` is left out, which means unknown."""


def _signal(value: str, answered: bool, counted: Mapping[str, Any], by: Mapping[str, Any]) -> Signal:
    up = sum(one["value"] == "up" for one in counted.values())
    return {"value": value, "answered": answered, "of": [up, len(counted)], "by": dict(by)}


def _plain(reports: Iterable[Report]) -> Signal:
    asked = list(reports)
    words = {one.reporter: one.word for one in asked}
    return _signal(_any_up([one.value for one in asked]), any(one.answered for one in asked), words, words)


def _any_up(values: Iterable[str]) -> str:
    """up when anyone says up, down when anyone says down and none up, else unknown."""
    said = set(values)
    return "up" if "up" in said else "down" if "down" in said else "unknown"


def _gateways_inside(site: Site) -> list[Report]:
    return [one for one in site.reports.of_gateways() if site.gateways[one.host] == site.name]


def _answered(site: Site, gateway: Report) -> bool:
    target = site.reports.target(gateway, site.name)
    return bool(target and target["answered"])


def _parts(reports: Iterable[Report]) -> dict[str, dict[str, Any]]:
    """One word for each part of the site; a part that any host inside reaches is there."""
    parts: dict[str, dict[str, Any]] = {}
    for one in reports:
        known = parts.get(one.check["part"])
        if known is None or _any_up([known["value"], one.value]) != known["value"]:
            parts[one.check["part"]] = one.word
    return parts


def _split_pair(pages: Iterable[Report]) -> dict[str, dict[str, Any]]:
    primaries = {one.check["part"] for one in pages if one.answer and one.answer.get("run_mode") == "primary"}
    if len(primaries) < 2:
        return {}
    return {"HA pair": {"value": "down", "detail": f"{' and '.join(sorted(primaries))} both run as primary"}}


def _fault_word(site: Site, gateway: Report) -> dict[str, Any]:
    """A gateway as a part of its site: there as long as it reaches any site and speaks."""
    if gateway.answer is None or not gateway.answer["answered"]:
        return {"value": "down", "detail": f"{GATEWAY_FAULT}: silent ({gateway.word['detail']})"}
    if gateway.value == "down":
        return {"value": "down", "detail": f"{GATEWAY_FAULT}: reaches no site ({gateway.word['detail']})"}
    return gateway.word


def _role(reports: Reports, name: str) -> str:
    said = [(one.answer or {}).get("role", "unknown") for one in reports.of("database", name)]
    return next((role for role in said if role != "unknown"), "unknown")
