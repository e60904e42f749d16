# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan that gives the configuration its second copy back: the database of a site follows the other one. Pure."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils import deployment
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_case import Case, made
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_refusals import (
    Refusal,
    coordination_refusal,
    refusal,
    survivor_refusal,
    ticket_refusal,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_steps import RESYNC, has_ticket


def resync_plan(
    continuity: Mapping[str, Any],
    decision: Mapping[str, Any],
    track_state: Optional[Mapping[str, Any]],
    request: Mapping[str, Any],
) -> Dict[str, Any]:
    """Return the plan that makes the database of `request.failed_site` follow the other one; shape as failover_plan.

    The verdict is not asked: a copy is lost whatever else is well. Raises KeyError for a site that is none.
    """
    case = Case(continuity, decision, track_state or {}, request, str(request["failed_site"]))
    refused = _guards(case)
    if refused:
        return made(case, f"the database of {case.failed} is not touched: a guard refuses", refused=refused)
    plan = made(case, f"the database of {case.failed} follows {case.survivor}", RESYNC, moves=True)
    return {**plan, "fence": None, "overrides": [], "undo": []}


def _guards(case: Case) -> List[Refusal]:
    stores = deployment.coordination_hosts(case.continuity)
    ours, theirs = (deployment.database_host(case.continuity, name) for name in (case.failed, case.survivor))
    return [
        *survivor_refusal(case.request, case.survivor, [theirs]),
        *survivor_refusal(case.request, case.failed, [ours]),
        *coordination_refusal(case.request, stores),
        *(ticket_refusal(case.request, stores) if has_ticket(case.continuity) else []),
        *_writer_refusal(case),
        *_divergence_refusal(case),
    ]


def _writer_refusal(case: Case) -> List[Refusal]:
    """Refuse to overwrite a database whose site is, or may be, the one that is written to (invariant 1)."""
    roles = {name: (case.request["databases"].get(name) or {}).get("role") for name in (case.failed, case.survivor)}
    if roles[case.survivor] == "primary" and case.ticket.get("holder", case.survivor) == case.survivor:
        return []
    held = f"; the ticket's holder is {case.ticket['holder']}" if case.ticket else ""
    evidence = [f"{case.survivor}'s database is {roles[case.survivor]}, {case.failed}'s {roles[case.failed]}{held}."]
    way = f"name the site that shall follow; {case.survivor} must be seen as the one that is written to"
    return [refusal("one_writer", "configuration", evidence, way)]


def _divergence_refusal(case: Case) -> List[Refusal]:
    """Refuse to overwrite what was written apart before anybody has read and reconciled it (invariant 1)."""
    divergence = case.request.get("divergence") or {}
    if divergence.get("status") != "open":
        return []
    evidence = [f"The divergence that run {divergence['run_id']} accepted is not reconciled."]
    way = "run playbooks/heal.yml: it lists what would be lost, and resynchronises once somebody has confirmed it"
    return [refusal("divergence", "configuration", evidence, way)]
