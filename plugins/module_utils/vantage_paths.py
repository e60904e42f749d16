# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the view of each vantage point depends on, and so how many independent views there are.

The rule: a host that `continuity_paths` names depends on what stands there and on nothing else. Any other host inside a
site depends on that site's network: two hosts of one site are one view of the other site. A witness that is not named
depends on nothing that is known. Whoever shares a name with one of a group belongs to the group.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.contactcenter.sip_dr.plugins.module_utils import deployment

THIRD_PLACE = "the third place"


def places(continuity: Mapping[str, Any]) -> dict[str, str]:
    """Where each host that looks stands: the name of a site, or the third place."""
    found = {}
    for name in deployment.site_names(continuity):
        hosts = [*deployment.vantage_hosts(continuity, name), *deployment.gateways(continuity, name)]
        found.update(dict.fromkeys(hosts, name))
    witness = deployment.witness(continuity)
    return {**found, witness: THIRD_PLACE} if witness else found


def paths_of(continuity: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """The names of what each vantage point depends on, declared or by the rule above."""
    declared: Mapping[str, Iterable[str]] = continuity.get("continuity_paths") or {}
    return {
        host: frozenset(declared[host]) if host in declared else _by_place(place)
        for host, place in places(continuity).items()
    }


def independent(paths: Mapping[str, Collection[str]], hosts: Iterable[str]) -> list[frozenset[str]]:
    """The hosts in groups that share nothing with one another."""
    groups: list[tuple[set[str], set[str]]] = []
    for host in hosts:
        members, names = {host}, set(paths.get(host, ()))
        apart = []
        for group in groups:
            if group[1] & names:
                members, names = members | group[0], names | group[1]
            else:
                apart.append(group)
        groups = [*apart, (members, names)]
    return [frozenset(members) for members, _names in groups]


def shared(continuity: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(name, host, an earlier host in another place) for each declared name that two places depend on."""
    at = places(continuity)
    holders: dict[str, list[str]] = {}
    for host, names in (continuity.get("continuity_paths") or {}).items():
        for name in names if host in at else ():
            other = next((one for one in holders.get(name, []) if at[one] != at[host]), None)
            if other is not None:
                yield name, host, other
            holders.setdefault(name, []).append(host)


def _by_place(place: str) -> frozenset[str]:
    return frozenset() if place == THIRD_PLACE else frozenset([f"the network of {place}"])
