# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges the coordination store: where it stands, and what the policy may ask of it."""

from __future__ import annotations

from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.addresses import is_inside, parse_network
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.deployment_case import Case

PATH = "continuity_coordination"
ASYNC = "async, or driver etcd: without a ticket nothing records that commits wait for the standby"


def check_coordination(case: Case) -> None:
    """At least one host a site; with etcd a majority is left when either site is lost."""
    store = case.data["continuity_coordination"]
    if store["driver"] == "files" and "settings" in store:
        case.add(f"{PATH}.settings", "nothing: only driver etcd has settings", store["settings"])
    hosts = set(store["hosts"])
    if store["driver"] == "etcd" and 0 < len(hosts) < 3:
        case.add(f"{PATH}.hosts", "three hosts or more with driver etcd, one of them in a third place", store["hosts"])
    known = [site for site in case.sites if hosts and any(map(parse_network, case.networks_of(site)))]
    for site in known:
        _check_site(case, site, sum(_stands(case, host, site) for host in hosts), len(hosts))


def _check_site(case: Case, site: str, inside: int, total: int) -> None:
    hosts = case.data["continuity_coordination"]["hosts"]
    if not inside:
        case.add(f"{PATH}.hosts", f"at least one host inside {site}, or its loss loses the store", hosts)
    if case.data["continuity_coordination"]["driver"] == "etcd" and total >= 3 and 2 * inside >= total:
        case.add(f"{PATH}.hosts", f"less than half of the hosts inside {site}, or its loss loses the majority", hosts)


def check_replication(case: Case) -> None:
    """Who moves the master by itself must know that nothing is lost; `continuity_policy` must have been read before."""
    policy, driver = case.data["continuity_policy"], case.data["continuity_coordination"]["driver"]
    if policy["replication"] == "sync" and driver == "files":
        case.add("continuity_policy.replication", ASYNC, "sync")
    if policy["promotion"] == "auto" and policy["replication"] != "sync":
        expected = "operator, or replication: sync: with asynchronous replication nobody knows what a promotion loses"
        case.add("continuity_policy.promotion", expected, "auto")


def _stands(case: Case, host: str | None, site: str) -> bool:
    return host is not None and is_inside(case.address_of(host), case.networks_of(site))
