# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guard of this host needs for its work, met or not."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import StoreError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.etcd import TicketStore
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.ticket import Ticket
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.config import Config
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.doors import describe
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.sight import Sight

INSTALL = "install the guard on this host (playbooks/guard.yml)"


def readiness(sight: Sight, store: Callable[[], TicketStore]) -> Dict[str, Any]:
    """Return `{readiness, ready, detail}`; `store` opens the coordination store. Raises GuardError."""
    items = [*_guard_items(sight), *_store_items(sight, store)]
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
        ticket = store().read().ticket
    except (StoreError, OSError) as error:
        return [_item("a majority of the coordination store answers", False, str(error), "bring its members back")]
    items = [_item("a majority of the coordination store answers", True, "read, linearizable", "")]
    way = "say which site holds it first: -e continuity_guard_first_holder=NAME"
    items.append(_item("there is a ticket", ticket is not None, describe(ticket), way))
    return [*items, *_holder_items(sight, sight.config, ticket)]


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
