# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a decision to the steps of a network failure between two living sites: pure, no I/O.

What is done is what the decision offers, action by action (decision.md, "What a verdict unlocks"): each site is seen to
work alone, the gateways are seen and never re-pointed, and the site without the master stays without one. Nothing is
moved by itself. After `long_partition` a person may choose: to stay, to move the master on a proven fence, or to accept
that the two databases part (two people, for one run, until a stated time; every change since is kept in the ledger).

In the plan `survivor` is the site that has, or will have, the master, and `failed` is the other one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Dict, List, Mapping, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils import deployment
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.move_plan import move_plan
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.network_steps import (
    LEDGER,
    PIN,
    RECORD,
    TEST_CALLS,
    VERIFY_FROZEN,
    VERIFY_GATEWAYS,
    VERIFY_PROXY,
    VERIFY_SINGLE_SITE,
    LinkStep,
    freezing_step,
    link_hosts,
    link_step,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_case import Case, made
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_refusals import (
    WAYS,
    Refusal,
    attesters,
    refusal,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_steps import CONFIGURATION, LOOKING
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.statements import moment

LINK_VERDICTS = ("PARTITION", "PARTITION_ASYM", "TRUNK_OOS", "TRUNK_OOS_ASYM", "MGMT_PARTITION")
STAY, MOVE, DIVERGE = "stay", "move_master", "accept_divergence"
CHOICES = (STAY, MOVE, DIVERGE)

INFERRED = (
    "Seen: the monitoring pages, test calls through each site's own gateways, and what each gateway reaches. Inferred"
    " from single-site mode, for no open interface shows it: no forwarding between the sites, agents log in whatever"
    " their endpoint's state, nobody is logged out by force, and incoming calls go only to agents logged in there."
)


def network_plan(
    continuity: Mapping[str, Any],
    decision: Mapping[str, Any],
    track_state: Optional[Mapping[str, Any]],
    request: Mapping[str, Any],
) -> Dict[str, Any]:
    """Return the plan for a failure of the network between the sites, in the shape of plan.failover_plan.

    `request` as there, without `failed_site`, and: `choice` (empty, or one of CHOICES), `to_site` (of a choice that
    moves), `at` (the observation's time, RFC 3339), `divergence` (the stored record of one, or None). The plan has
    `heading`, `notes` (sentences for a person), `report` (even a look alone is reported) and, with an accepted
    divergence, `divergence`: `{run_id, at, since, survivor, losing, by, until, status: open}`, to be kept until it is
    reconciled.
    """
    state, choice = track_state or {}, request.get("choice") or ""
    refused = _refused(decision, choice, request, deployment.site_names(continuity))
    master = _master(continuity, decision, state, request)
    if refused:
        return _without_steps(Case(continuity, decision, state, request, _standing(continuity, master)), refused)
    if choice in (MOVE, DIVERGE):
        return _moving(continuity, decision, state, request)
    case = Case(continuity, decision, state, request, _standing(continuity, master))
    return _watching(case, decision, choice, master)


def _standing(continuity: Mapping[str, Any], master: Optional[str]) -> str:
    """Return the site without the master; where nobody knows it, the second one."""
    return deployment.peer(continuity, master) if master else deployment.site_names(continuity)[1]


def _master(
    continuity: Mapping[str, Any], decision: Mapping[str, Any], state: Mapping[str, Any], request: Mapping[str, Any]
) -> Optional[str]:
    """Return the site with the master, as the decision took it for its `freeze_config`; None when nobody knows."""
    frozen = (decision.get("targets") or {}).get("freeze_config") or []
    if len(frozen) == 1:
        return deployment.peer(continuity, frozen[0])
    if len(frozen) > 1:
        return None
    ticket = request.get("ticket")
    held = ticket.get("holder") if isinstance(ticket, Mapping) else None
    found = request.get("master") or held or state.get("last_master")
    return found if found in deployment.site_names(continuity) else None


def _watching(case: Case, decision: Mapping[str, Any], choice: str, master: Optional[str]) -> Dict[str, Any]:
    """Return the plan that looks at both sites and freezes the one without the master."""
    kinds = [TEST_CALLS, VERIFY_GATEWAYS]
    offered = {*(decision.get("automatic") or []), *(decision.get("operator") or [])}
    offered -= set(decision.get("forbidden") or [])
    if "verify_single_site" in offered:
        kinds.insert(0, VERIFY_SINGLE_SITE)
    if "freeze_config" in offered:
        kinds += [freezing_step(case.continuity), VERIFY_FROZEN]
    if "verify_proxy" in offered:
        kinds.append(VERIFY_PROXY)
    frozen = (decision.get("targets") or {}).get("freeze_config") or []
    steps = _steps(case, kinds, frozen)
    stays = f"the configuration stays at {master}" if master else "nobody knows where the master is: both are frozen"
    plan = {**made(case, f"no site has failed; {stays}"), "steps": steps, **_planes(steps)}
    notes = [INFERRED] if VERIFY_SINGLE_SITE in kinds else []
    told = {"heading": _heading(decision), "notes": [*notes, *_may_choose(decision, choice)], "report": True}
    return {**plan, **told}


def _moving(
    continuity: Mapping[str, Any], decision: Mapping[str, Any], state: Mapping[str, Any], request: Mapping[str, Any]
) -> Dict[str, Any]:
    """Return the plan that moves the master across a cut link: nothing lost, or with an accepted divergence."""
    diverges = request["choice"] == DIVERGE
    asked = {**request, "allow_data_loss": request["run_id"]} if diverges else request
    plan = move_plan(continuity, decision, state, asked)
    case = Case(continuity, decision, state, asked, plan["failed"])
    if plan["refused"]:
        return {**plan, "heading": _heading(decision), "notes": []}
    # The old side cannot follow across a cut link: playbooks/heal.yml makes it follow when the link is back.
    moves = [step for step in plan["steps"] if step["name"] != "resync_old"]
    looked = _steps(case, [VERIFY_SINGLE_SITE, TEST_CALLS, VERIFY_GATEWAYS], [])
    plan = {**plan, "heading": _heading(decision), "notes": [INFERRED]}
    if not diverges or not plan["config_plane"]:
        return {**plan, "steps": [*looked, *moves]}
    before, after = _steps(case, [LEDGER], []), _steps(case, [PIN], [])
    return {**_diverging(plan, case), "steps": [*before, *looked, *_recorded(case, moves), *after]}


def _recorded(case: Case, moves: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    """Return the move with the step that keeps the divergence, at every host of the store that answers.

    It stands before the first step that changes anything, and after those that may refuse before anything is touched.
    """
    hosts = [host for host in deployment.coordination_hosts(case.continuity) if case.is_reachable(host)]
    step = link_step(RECORD, hosts, hosts, {})
    first = sum(1 for one in moves if one["door"] == "readiness")
    return [*moves[:first], *([step] if step else []), *moves[first:]]


def _diverging(plan: Dict[str, Any], case: Case) -> Dict[str, Any]:
    """Add to a move what an accepted divergence leaves behind: the override, and what is to be reconciled."""
    run_id, at = case.request["run_id"], case.request["at"]
    known = case.request.get("divergence") or {}
    divergence = {
        "run_id": run_id,
        "at": at,
        "since": case.decision.get("since") or at,
        "survivor": case.survivor,
        "losing": case.failed,
        "by": attesters(case.request),
        "until": _later(at, float(case.continuity["continuity_policy"]["divergence"])),
        "status": "open",
    }
    # A run that goes on after an interruption gets no new term.
    divergence = dict(known) if known.get("run_id") == run_id else divergence
    override = {"name": DIVERGE, **{key: divergence[key] for key in ("run_id", "by", "until")}}
    words = (
        f"{' and '.join(divergence['by'])} accept that the databases part, run {run_id}, until {divergence['until']}."
        f" What {case.failed} wrote and {case.survivor} has not stays in the ledger of {case.failed}; the sites are not"
        " peered again before playbooks/heal.yml has reconciled it."
    )
    return {
        **plan,
        "overrides": [*plan["overrides"], override],
        "notes": [*plan["notes"], words],
        "divergence": divergence,
    }


def _refused(decision: Mapping[str, Any], choice: str, request: Mapping[str, Any], sites: List[str]) -> List[Refusal]:
    """Return why nothing is done at all: no verdict of the link, or a choice that nobody may make now."""
    verdict = _raw(decision)
    if verdict not in LINK_VERDICTS:
        evidence = f"The verdict is {verdict}, which is no failure of the network between two living sites."
        way = WAYS.get(verdict, "run playbooks/health_check.yml")
        return [_refusal("verdict", evidence, way.format(failed="it", site=decision.get("site") or "it"))]
    if not choice:
        return []
    if choice not in CHOICES:
        return [_refusal("choice", f"{choice!r} is none of {', '.join(CHOICES)}.", "name one of them")]
    if choice not in (decision.get("operator") or []):
        return [_too_early(decision, verdict, choice)]
    if choice != STAY and request.get("to_site") not in sites:
        evidence = f"{choice}: to which site? continuity_to_site is {request.get('to_site') or 'not given'}."
        return [_refusal("to_site", evidence, f"-e continuity_to_site={'|'.join(sites)}")]
    if choice == DIVERGE and len(attesters(request)) < 2:
        named = attesters(request)
        evidence = f"Accepted by {named[0] if named else 'nobody'}; two different people are needed."
        way = "-e continuity_first_attester=alice -e continuity_second_attester=bob"
        return [_refusal("two_people", evidence, way)]
    return []


def _raw(decision: Mapping[str, Any]) -> str:
    """Return the verdict; under FLAPPING what the rules say of this one look."""
    verdict = str(decision["verdict"])
    return str(decision.get("raw") or verdict) if verdict == "FLAPPING" else verdict


def _too_early(decision: Mapping[str, Any], verdict: str, choice: str) -> Refusal:
    left = (decision.get("remaining") or {}).get("long_partition")
    lacks = [one["text"] for one in decision.get("unmet") or [] if one["guard"] == "long_partition"]
    evidence = f"{choice} is offered after a long PARTITION; the verdict is {verdict}. {'. '.join(lacks)}".strip()
    if verdict != "PARTITION":
        return _refusal("long_partition", evidence, WAYS[verdict].format(failed="it", site="it"))
    words = f"{float(left):.0f} s are left" if left is not None else "health checks must have seen it all the while"
    return _refusal("long_partition", f"{evidence}; {words}.", "mend the link, or wait and run this again")


def _may_choose(decision: Mapping[str, Any], choice: str) -> List[str]:
    left = (decision.get("remaining") or {}).get("long_partition")
    if choice == STAY:
        return ["By choice everything stays as it is until the link is back; playbooks/heal.yml follows."]
    if set(CHOICES) <= set(decision.get("operator") or []):
        return [f"The partition is long. Choose: -e continuity_partition_choice={'|'.join(CHOICES)}"]
    return [f"In {float(left):.0f} s a person may choose where the master runs."] if left else []


def _without_steps(case: Case, refused: List[Refusal]) -> Dict[str, Any]:
    plan = made(case, f"refused: {', '.join(one['guard'] for one in refused)}", refused=refused)
    return {**plan, "heading": _heading(case.decision), "notes": []}


def _steps(case: Case, kinds: List[LinkStep], frozen: List[str]) -> List[Dict[str, Any]]:
    hosts = link_hosts(case.continuity, case.failed, frozen)
    words = {"failed": case.failed, "survivor": case.survivor, "frozen": " and ".join(frozen)}
    found = [link_step(kind, hosts[kind.name], case.request["reachable"], words) for kind in kinds]
    return [step for step in found if step]


def _planes(steps: List[Dict[str, Any]]) -> Dict[str, bool]:
    """Say whether the plan changes anything, and whether that is of the plane that needs the lock."""
    changing = [step for step in steps if step["door"] not in LOOKING]
    return {"changes": bool(changing), "config_plane": any(step["plane"] == CONFIGURATION for step in changing)}


def _heading(decision: Mapping[str, Any]) -> str:
    return f"{_raw(decision)} between the sites"


def _later(at: str, seconds: float) -> str:
    later: datetime = moment(at) + timedelta(seconds=seconds)
    return later.isoformat().replace("+00:00", "Z")


def _refusal(guard: str, evidence: str, way: str) -> Refusal:
    return refusal(guard, "all", [evidence], way)
