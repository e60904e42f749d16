# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PRIVATE to the collection. What the rules of `signals` stand on: the site under judgement, the form of a signal.

A signal is `{value, answered, of: [up, asked], by: {reporter: {value, detail, rtt}}}`. `of` counts independent views
(vantage_paths.py), not reporters: how many of them say up, how many were asked. The value does not depend on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.reports import Report, Reports
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.vantage_paths import independent

Signal = dict[str, Any]
Word = dict[str, Any]


@dataclass(frozen=True)
class Site:
    """One site under judgement.

    inside: for each site, the hosts that look from inside it. gateways: the site of each gateway.
    downtime: sites and gateways in a declared downtime. paths: for each host, the names of what its view depends on.
    capacity: how many calls at once each site is declared to carry, None where nothing is said.
    synchronous: whether the other site's database confirms no commit that this one has not applied.
    """

    name: str
    peer: str
    inside: Mapping[str, frozenset[str]]
    gateways: Mapping[str, str]
    downtime: frozenset[str]
    reports: Reports
    paths: Mapping[str, frozenset[str]] = field(default_factory=dict)
    capacity: Mapping[str, Optional[int]] = field(default_factory=dict)
    synchronous: bool = False

    def silent(self, site: str) -> bool:
        """A whole site is silent: no host inside it was reached, and nobody has an answer about it."""
        return not self.inside[site] & self.reports.reached and not self.reports.heard(site)

    def declared(self, gateway: str) -> bool:
        """Whether a downtime of the gateway, or of its site, is declared."""
        return bool({gateway, self.gateways[gateway]} & self.downtime)

    def excused(self, gateway: str) -> bool:
        """A gateway whose silence says nothing new: its site is silent as a whole, or its downtime is declared."""
        return self.silent(self.gateways[gateway]) or self.declared(gateway)

    def gateways_inside(self) -> list[Report]:
        """The reports of the media gateways that stand in this site."""
        return [one for one in self.reports.of_gateways() if self.gateways[one.host] == self.name]

    def views(self, said: Iterable[tuple[str, str]]) -> list[int]:
        """How many independent views say up, and how many there are; `said`: (host, value), a host may say several."""
        heard: dict[str, set[str]] = {}
        for host, value in said:
            heard.setdefault(host, set()).add(value)
        groups = independent(self.paths, heard)
        return [sum(any("up" in heard[host] for host in group) for group in groups), len(groups)]


def signal(value: str, answered: bool, of: list[int], by: Mapping[str, Word]) -> Signal:
    """A signal as the observation carries it."""
    return {"value": value, "answered": answered, "of": of, "by": dict(by)}


def plain(site: Site, reports: Iterable[Report]) -> Signal:
    """The signal of reports that need no further thought: up when any says up."""
    asked = list(reports)
    words = {one.reporter: one.word for one in asked}
    of = site.views((one.host, one.value) for one in asked)
    return signal(any_up([one.value for one in asked]), any(one.answered for one in asked), of, words)


def any_up(values: Iterable[str]) -> str:
    """up when anyone says up, down when anyone says down and none up, else unknown."""
    said = set(values)
    return "up" if "up" in said else "down" if "down" in said else "unknown"
