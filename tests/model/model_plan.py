# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real plans (module_utils/plan.py, move_plan.py) for what a run of the model sees, and which step may go on.

A plan is a number in a table; each question is asked of the real code once.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import model_guard
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.move_plan import move_plan
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan import failover_plan
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_outcome import (
    LOCK_RESULTS,
    RESULTS,
    may_go_on,
    must_undo,
)
from model_guard import Table, frozen
from model_setting import Setting
from model_world import HOSTS, NAMES, World, active, follows, runs_on

STORES = ("s1-cfg", "s2-cfg", "witness")
CONTINUITY = {
    "continuity_sites": {
        name: {
            "networks": [],
            "vantage": [host],
            "sip_server": {"legs": {}},
            "configuration": {"host": host, "database": {"host": host}},
        }
        for name, host in zip(NAMES, HOSTS, strict=True)
    },
    "continuity_gateways": {},
    "continuity_provisioning": None,
    "continuity_witness": "witness",
    "continuity_service_names": {"confserv-master": {"clients": list(HOSTS)}},
    "continuity_coordination": {"driver": "etcd", "hosts": list(STORES)},
    "continuity_policy": {"lag_limit": 0},
}
OFFERED = {
    "verdict": "NORMAL",
    "site": None,
    "evidence": [],
    "operator": ["switchover", "move_master"],
    "forbidden": [],
}
_PLANS = Table()


def plan_of(number: int) -> dict[str, Any]:
    """The plan of a number."""
    return _PLANS.value(number)


def reachable(world: World, index: int) -> bool:
    """Whether the controllers reach a site's host."""
    return runs_on(world.sites[index]) and world.sites[index].managed


def look(world: World, playbook: str, old: int, setting: Setting) -> int:
    """What a run sees of the world, and the plan that is made of it: its number.

    ``old``: the site that the configuration is to leave.
    """
    ticket = dict(model_guard.observed(world.ticket))
    if not setting.has("armed, asked in the plan"):
        ticket["armed"] = True
    behind = lag(world, 1 - old) if setting.has("lag, asked in the plan") else 0.0
    reached = tuple(reachable(world, index) for index in (0, 1))
    masters = [NAMES[index] for index in (0, 1) if reached[index] and active(world.sites[index])]
    master = masters[0] if masters else None
    roles = tuple(_role(world, index) for index in (0, 1))
    seen = (old, reached, frozen(ticket), master, roles, world.master, _done(world), behind, setting.people)
    return _made(seen, playbook)


def _role(world: World, index: int) -> str:
    """The role of a site's database, as an observation says it."""
    database = world.sites[index].database
    if not reachable(world, index) or not database.up:
        return "unknown"
    return "standby" if database.recovery else "primary"


def lag(world: World, new: int) -> float | None:
    """The lag as it would be observed: known from the ticket, or from a primary that answers."""
    database = world.sites[new].database
    if model_guard.observed(world.ticket)["sync"] and database.recovery:
        return 0.0
    if reachable(world, 1 - new) and follows(world, new):
        return 5.0 if database.lacks else 0.0
    return None


def _done(world: World) -> tuple[tuple[str, str], ...]:
    """What a plan asks of the journals, with when: the last step of the move, of its undo, and the promotion."""
    last = ((), (("freeze_writes", "1"),), (("freeze_writes", "1"), ("return_ticket", "2")))[world.begun]
    return (*last, *((("promote_database", "1"),) if world.promoted else ()))


@cache
def _made(request: tuple[Any, ...], playbook: str) -> int:
    old, reached, ticket, master, roles, last, done, lag, people = request
    asked = {
        "run_id": "run",
        "failed_site": NAMES[old],
        "to_site": NAMES[1 - old],
        "attested_by": ["alice", "bob"] if people else [],
        "allow_data_loss": "run" if people else "",
        "reachable": ["witness", *(host for host, there in zip(HOSTS, reached, strict=True) if there)],
        "master": master,
        "ticket": dict(ticket),
        "databases": {name: {"role": role} for name, role in zip(NAMES, roles, strict=True)},
        "done": dict(done),
        "lag": lag,
    }
    plan = _asked(asked, playbook, NAMES[last])
    return _PLANS.number(frozen(plan), plan)


def _asked(asked: Mapping[str, Any], playbook: str, last: str) -> dict[str, Any]:
    failed = asked["failed_site"]
    remembered = {"last_master": last}
    if playbook == "failover":
        down = {"verdict": "SITE_DOWN", "site": failed, "evidence": [], "operator": [], "forbidden": []}
        return failover_plan(CONTINUITY, down, remembered, asked)
    return move_plan(CONTINUITY, OFFERED, remembered, asked)


@cache
def moving(plan: int) -> tuple[Mapping[str, Any], ...]:
    """The plan's steps of the configuration plane."""
    return tuple(step for step in plan_of(plan)["steps"] if step["plane"] == "configuration")


@cache
def ordered(plan: int) -> tuple[Mapping[str, Any], ...]:
    """The steps of a run, those of its undo behind those of its move."""
    return (*moving(plan), *plan_of(plan)["undo"])


@cache
def hosts_of(plan: int, number: int) -> tuple[int, ...]:
    """The sites whose hosts do a step; a name is repointed on all hosts in one here."""
    hosts = [HOSTS.index(host) for host in ordered(plan)[number - 1]["hosts"] if host in HOSTS]
    return tuple(hosts[-1:] if ordered(plan)[number - 1]["role"] == "service_name" else hosts)


@cache
def goes(plan: int, results: tuple[tuple[str, ...], ...], number: int, waits: bool) -> bool:
    """Whether a step may run after what the steps before it came to: the real `may_go_on`, and `must_undo`.

    waits: False where a guard is left out, and every step of the move runs whatever those before it came to.
    """
    forward = len(moving(plan))
    if number <= forward and not waits:
        return True
    step = ordered(plan)[number - 1]["name"]
    may = bool(may_go_on(plan_of(plan), step, _hostvars(plan, results), list(STORES)))
    if number <= forward:
        return may
    return may and bool(must_undo(plan_of(plan), _hostvars(plan, results[:forward]), list(STORES)))


def _hostvars(plan: int, results: tuple[tuple[str, ...], ...]) -> dict[str, dict[str, Any]]:
    """What each step left on its hosts, in the order in which they ran: a later one hides an earlier one's."""
    found: dict[str, dict[str, Any]] = {host: {name: {"changed": True} for name in LOCK_RESULTS} for host in STORES}
    for step, result in zip(ordered(plan), results, strict=False):
        name = step.get("result") or f"__{step['role']}_{RESULTS.get(step['door'], 'result')}"
        said = dict(each.split(":") for each in result)
        for host in step["hosts"]:
            site = str(HOSTS.index(host)) if host in HOSTS else ""
            found[host][name] = _left(said.get(site, said.get("", "ok")))
    return found


def _left(result: str) -> dict[str, Any]:
    if result == "skipped":
        return {"changed": False, "skipped": True}
    refused = {"refused": {"guard": "", "evidence": "", "way": ""}} if result == "refused" else {}
    return {"changed": True, "failed": result in ("failed", "refused"), **refused}
