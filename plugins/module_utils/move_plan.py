# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a decision to the steps that move the configuration plane alone: planned, or because nobody is the master. Pure.

The calls stay where they are. Nothing here is done to a dead site: that is a failover (plan.py). A ticket that was
taken from a site before anything was promoted is given back by the same words: a move to that site. So is a site that
may be written to and is not the master, because its Configuration Server is down or its writes stayed frozen: it is
started again.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils import deployment
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_case import (
    SEEN,
    Case,
    guards,
    made,
    moving_steps,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_refusals import (
    FAILOVER_VERDICTS,
    WAYS,
    Refusal,
    coordination_refusal,
    data_loss_refusal,
    refusal,
    said,
    survivor_refusal,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_steps import (
    REOPEN,
    RESYNC,
    configuration_steps,
    has_ticket,
    undo_steps,
)

UNLOCKING = ("switchover", "move_master")
"""The operator's actions of a verdict that a move needs one of (decision.md, "What a verdict unlocks")."""
NEVER = ("OBSERVER_BLIND", "DUAL_MASTER")
"""Verdicts under which not even a move that has begun goes on: nobody sees, or there is a master too many."""
RESTARTING = ("take_ticket", REOPEN.name, "start_config_server", "repoint_names", "verify_configuration")
"""The steps that make a site the master which may be written to already."""


def move_plan(
    continuity: Mapping[str, Any],
    decision: Mapping[str, Any],
    track_state: Optional[Mapping[str, Any]],
    request: Mapping[str, Any],
) -> Dict[str, Any]:
    """Return the plan that makes `request.to_site` the one that is written to; shape and request as plan.failover_plan.

    Raises KeyError for a site that is none.
    """
    to_site = str(request["to_site"])
    case = Case(continuity, decision, track_state or {}, request, deployment.peer(continuity, to_site))
    refused = _verdict(case)
    if refused:
        return made(case, f"refused: {refused[0]['guard']}", refused=refused)
    if _was_taken_from(case, to_site):
        return _return_plan(case, to_site)
    if request.get("master") == to_site and not case.moving_configuration:
        return made(case, f"the configuration is at {to_site} already: only verified", _verifying(case))
    if _is_idle_writer(case, to_site):
        return _restart_plan(case, to_site)
    lost = [] if _is_measured(case) else data_loss_refusal(request, continuity["continuity_policy"])
    refused = [*guards(case), *lost]
    if refused:
        return made(case, "the configuration does not move: a guard refuses", refused=refused)
    kinds = [*moving_steps(case), *(RESYNC if case.fence_kind == SEEN else ())]
    return made(case, f"the configuration moves to {to_site}", kinds, moves=True)


def _was_taken_from(case: Case, to_site: str) -> bool:
    """Return whether the ticket was taken from the site that shall have it, and the other one promoted nothing."""
    if case.ticket.get("holder", "") is None:
        return bool(case.ticket.get("revoked_from") == to_site)
    idle = case.ticket.get("holder") == case.failed and case.role(case.failed) == "standby"
    return idle and case.track_state.get("last_master") == to_site


def _return_plan(case: Case, to_site: str) -> Dict[str, Any]:
    asked = {**case.request, "scenario": "return_master"}
    back = Case(case.continuity, case.decision, case.track_state, asked, to_site)
    refused = coordination_refusal(asked, deployment.coordination_hosts(case.continuity))
    if refused:
        return made(back, f"the ticket does not go back to {to_site}: a guard refuses", refused=refused)
    why = f"the ticket was taken from {to_site} and nothing was promoted: it gets it back"
    return _without_fence(made(back, why, undo_steps(case.continuity), moves=True))


def _is_idle_writer(case: Case, to_site: str) -> bool:
    """Return whether nothing but a start is missing: the site may be written to, and nobody is the master."""
    # A move that has begun wants its promotion; where the other side follows already, there is none left to be done.
    promoted = case.role(to_site) == "primary" and case.role(case.failed) == "standby"
    begun = case.moving_configuration and not promoted
    return not case.request.get("master") and not begun and _is_writer(case, to_site)


def _is_writer(case: Case, to_site: str) -> bool:
    """Return whether this site is the one that is written to already: by the ticket, or else by its database's role."""
    if has_ticket(case.continuity):
        return bool(case.ticket.get("holder") == to_site)
    # A primary that comes back after a failover is one, too: where the other database says nothing, the memory counts.
    alone = case.role(case.failed) == "standby" or case.track_state.get("last_master") == to_site
    return case.role(to_site) == "primary" and case.role(case.failed) != "primary" and alone


def _restart_plan(case: Case, to_site: str) -> Dict[str, Any]:
    ours = deployment.configuration_hosts(case.continuity, to_site)
    stores = deployment.coordination_hosts(case.continuity)
    refused = [*survivor_refusal(case.request, to_site, ours), *coordination_refusal(case.request, stores)]
    if refused:
        return made(case, f"the master of {to_site} is not started: a guard refuses", refused=refused)
    reopen = [REOPEN] if case.role(case.failed) == "standby" else []
    known = {kind.name: kind for kind in (*configuration_steps(case.continuity), *reopen)}
    kinds = [known[name] for name in RESTARTING if name in known]
    why = f"{to_site} is the one that may be written to: its Configuration Server is started again"
    return _without_fence(made(case, why, kinds, moves=True))


def _without_fence(plan: Dict[str, Any]) -> Dict[str, Any]:
    """Return a plan that takes nothing from anybody: nothing to be fenced, nothing to be taken back."""
    return {**plan, "undo": [], "fence": None, "overrides": []}


def _verifying(case: Case) -> List[Any]:
    return [kind for kind in configuration_steps(case.continuity) if kind.door == "verify"]


def _is_measured(case: Case) -> bool:
    """Return whether the move itself measures the lag: the old side is frozen and names the end of its log."""
    return case.fence_kind == SEEN or case.loss_is_judged


def _verdict(case: Case) -> List[Refusal]:
    """Refuse a move that the verdict does not offer to the operator; one that has begun goes on where that is safe."""
    if any(action in (case.decision.get("operator") or []) for action in UNLOCKING):
        return []
    verdict, site = case.decision["verdict"], case.decision.get("site")
    if case.moving_configuration and verdict not in NEVER:
        return []
    # Where the move was to has failed meanwhile: the site that it began from gets its ticket back.
    if verdict in FAILOVER_VERDICTS and site == case.failed and _was_taken_from(case, case.survivor):
        return []
    about = f"{verdict} {site}" if site else verdict
    way = WAYS.get(verdict, "run playbooks/failover.yml for a site that is down").format(failed=site, site=site)
    evidence = [f"The verdict {about} offers no move of the configuration.", *map(said, case.decision["evidence"])]
    return [refusal("verdict", "all", evidence, way)]
