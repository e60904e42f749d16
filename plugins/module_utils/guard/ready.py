# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guard of this host needs for its work, met or not."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import StoreError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.etcd import TicketStore
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.ticket import Ticket
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.config import Config
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.doors import describe
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.duties import database_for
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.sight import Sight
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import DatabaseError, Replication

INSTALL = "install the guard on this host (playbooks/guard.yml)"
TIME_OUTS = "the members' time-outs fit into the lease"
COMMITS = "the writer's commits wait for the standby"
WAITS = (None, "remote_apply")
"""What the writer's own `synchronous_commit` may be: nothing, or what the guard gives the server."""

Database = Callable[[Optional[Mapping[str, Any]]], Optional[Replication]]


def readiness(sight: Sight, store: Callable[[], TicketStore], database: Database = database_for) -> Dict[str, Any]:
    """Return `{readiness, ready, detail}`; `store` opens the coordination store. Raises GuardError."""
    items = [*_guard_items(sight), *_store_items(sight, store), *_commit_items(sight.config, database)]
    unmet = [item["item"] for item in items if not item["met"]]
    detail = f"unmet: {', '.join(unmet)}" if unmet else "all met"
    return {"changed": False, "readiness": items, "ready": not unmet, "detail": detail}


def _guard_items(sight: Sight) -> List[Dict[str, Any]]:
    config, active = sight.config, sight.active
    words = f"for {config.site}, {len(config.writers)} writers" if config else "no configuration"
    return [
        _item("guard installed", config is not None, words, INSTALL),
        _item("guard runs", active == "active", active, "see why: journalctl -u sip-dr-guard"),
    ]


def _store_items(sight: Sight, store: Callable[[], TicketStore]) -> List[Dict[str, Any]]:
    try:
        asked = store()
        ticket = asked.read().ticket
    except (StoreError, OSError) as error:
        return [_item("a majority of the coordination store answers", False, str(error), "bring its members back")]
    items = [_item("a majority of the coordination store answers", True, "read, linearizable", "")]
    way = "say which site holds it first: -e continuity_guard_first_holder=NAME"
    items.append(_item("there is a ticket", ticket is not None, describe(ticket), way))
    return [*items, *_time_items(sight.config, asked.patience), *_holder_items(sight, sight.config, ticket)]


def _time_items(config: Optional[Config], patience: float) -> List[Dict[str, Any]]:
    """A renewal goes from one silent member to the next, and must come through before the writers are killed."""
    if config is None:
        return []
    lasts = config.hold - config.margin
    words = f"all members silent in turn: {patience:g} s; writers are killed after {lasts:g} s without a renewal"
    return [_item(TIME_OUTS, patience < lasts, words, f"shorten timeout in {config.settings} (docs/coordination.md)")]


def _commit_items(config: Optional[Config], database: Database) -> List[Dict[str, Any]]:
    """A role's or a database's own setting wins over the server's, which the guard keeps: the ticket would be wrong."""
    found = database(config.database) if config is not None and config.replication == "sync" else None
    if found is None:
        return []
    try:
        state = found.state()
    except DatabaseError as error:
        return [_item(COMMITS, False, str(error), "see why the database of this host does not answer")]
    if not state["running"]:
        return []
    own = state["writer"].get("synchronous_commit")
    words = f"synchronous_commit of the writer's role or of its database: {own or 'not set, so the server counts'}"
    way = "alter role ... reset synchronous_commit, alter database ... reset synchronous_commit, at the primary"
    return [_item(COMMITS, own in WAITS, words, way)]


def _holder_items(sight: Sight, config: Optional[Config], ticket: Optional[Ticket]) -> List[Dict[str, Any]]:
    if config is None or ticket is None or ticket["holder"] != config.site:
        return []
    armed = config.host in ticket["armed"] and ticket["disarmed_until"] is None
    words = f"armed: {', '.join(ticket['armed']) or 'nobody'}; disarmed until {ticket['disarmed_until'] or 'never'}"
    known = set(ticket["hosts"]) == set(config.hosts)
    hosts = f"ticket: {', '.join(ticket['hosts'])}; here: {', '.join(config.hosts)}"
    return [
        _item("the holder has a lease", sight.left > 0, f"{sight.left:.1f} s left", "journalctl -u sip-dr-guard"),
        _item("dead-man armed", armed, words, "end the downtime, or wait until it ends"),
        _item("all hosts of the site are known", known, hosts, INSTALL.replace("this host", "each host of the site")),
    ]


def _item(item: str, met: bool, evidence: str, way: str) -> Dict[str, Any]:
    return {"item": item, "met": bool(met), "evidence": evidence, "way": "" if met else way}
