# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decisions and requests of two living sites whose link is cut, for the plans of a network failure."""

from __future__ import annotations

from ansible_collections.contactcenter.sip_dr.plugins.module_utils import deployment
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_unlocks import ROWS

RUN = "fra-20260131T031415Z"
AT = "2026-01-31T03:14:15Z"
PEOPLE = ["alice", "bob"]


def decision(verdict, long=False, frozen=("ams",), **more):
    """The decision of a verdict as the table unlocks it; `long` when the partition has lasted."""
    row = ROWS[verdict]
    operator = [offer.action for offer in row.operator if long or offer.when != "long_partition"]
    text = "the partition must last 900 s: 120 s so far"
    return {
        "verdict": verdict,
        "raw": verdict,
        "site": None,
        "since": "2026-01-31T02:50:00Z",
        "evidence": ["peer 0/2 both ways"],
        "automatic": [offer.action for offer in row.automatic],
        "operator": operator,
        "forbidden": list(row.forbidden),
        "targets": {"freeze_config": list(frozen)} if "freeze_config" in {one.action for one in row.automatic} else {},
        "unmet": [] if long else [{"guard": "long_partition", "text": text, "actions": []}],
        "remaining": {} if long else {"long_partition": 780.0},
        **more,
    }


def request(continuity, silent=(), **more):
    """What a run with these words asks for; every host answers but the silent ones."""
    hosts = [*deployment.observers(continuity), *deployment.coordination_hosts(continuity)]
    hosts += deployment.plan_hosts(continuity)
    return {
        "run_id": RUN,
        "scenario": "network_failure",
        "failed_site": "ams",
        "to_site": "",
        "choice": "",
        "attested_by": [],
        "allow_data_loss": "",
        "reachable": [host for host in dict.fromkeys(hosts) if host not in silent],
        "master": "fra",
        "masters": ["fra"],
        "ticket": {"holder": "fra", "revoked_from": None, "armed": True, "sync": False},
        "done": {},
        "lag": 0,
        "at": AT,
        "divergence": None,
        **more,
    }


def with_driver(continuity, driver):
    """The example with another coordination driver, and with test calls."""
    policy = {**continuity["continuity_policy"], "synthetic_calls": True, "divergence": 3600.0}
    coordination = {**continuity["continuity_coordination"], "driver": driver}
    return {**continuity, "continuity_policy": policy, "continuity_coordination": coordination}


def by_name(plan):
    """The steps by their names."""
    return {step["name"]: step for step in plan["steps"]}


def names(plan):
    """The steps' names in their order."""
    return [step["name"] for step in plan["steps"]]


def refused(plan):
    """The guards that refused."""
    return [one["guard"] for one in plan["refused"]]
