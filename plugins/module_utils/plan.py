# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a decision to the steps of a site failover: pure, no I/O, so that the same inputs give the same plan.

Two planes, two rules (decision.md). The call plane moves whenever the verdict says that the site is down: its steps can
be undone. The configuration plane moves only when the failed site held the master, and only behind its guards; a guard
that is not met is a refusal, with the way round, and never stops the call plane.

A plan is made again after every interruption, whole: every step acts by state, so one that was done changes nothing.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils import deployment
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_case import Case, guards, made, moving_steps
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_refusals import (
    LAST_MASTER_UNKNOWN,
    Refusal,
    data_loss_refusal,
    forbidden_refusal,
    revoked_refusal,
    verdict_refusal,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_steps import (
    CALL,
    CALLS,
    CONFIGURATION,
    DESKTOPS,
    LOOKING,
    configuration_steps,
)

FOR_DESKTOPS = {"stat server": "Stat Server", "proxy": "Configuration Server Proxy"}
"""What desktops need beside SIP Server, by the parts of the signal `redundancy`."""


def failover_plan(
    continuity: Mapping[str, Any],
    decision: Mapping[str, Any],
    track_state: Optional[Mapping[str, Any]],
    request: Mapping[str, Any],
) -> Dict[str, Any]:
    """Return the plan for a failed site.

    `request`: `run_id`; `scenario`; `failed_site`; `attested_by` (names); `allow_data_loss` (a run id, or empty);
    `reachable` (hosts that answered in this run); `master` (the site whose master is seen up now, or None); `ticket`
    (as observed, None when nobody could read it); `databases` (`{role, lag}` by site, as observed); `done` (steps this
    run has journalled as ended well, by name); `failed_over` (bool);
    `lag` (of the survivor's database in the driver's unit, None when unknown); `prefers` (the site that each gateway
    which answered sends new calls to); `lost` (parts of the survivor that are seen lost).

    Returns `{run_id, scenario, failed, survivor, config_plane, lock, why, fence, overrides, changes, steps, undo,
    refused, notes}`; a step is `{name, role, door, plane, hosts, skipped_hosts, lost_hosts, why}` (lost: to be reached,
    for they are not in the failed site), a refusal `{guard, blocks, evidence, way}` where `blocks` is `all`, `call` or
    `configuration`. `undo` has the steps that take the configuration's move back while nothing is promoted. `lock`:
    whether `all` of the hosts that keep the run must have given the lock, or `any` (they share one store).
    Raises KeyError for a site that is none.
    """
    case = Case(continuity, decision, track_state or {}, request, str(request["failed_site"]))
    return {**_plan(case), "notes": _unfit_for_desktops(case)}


def _plan(case: Case) -> Dict[str, Any]:
    refusal = verdict_refusal(case.decision, case.failed, case.survivor)
    done = _failed_over(case)
    if done == "config" and _calls_left(case) and not refusal:
        return _calls_plan(case)
    if done == "config" or (done and refusal):
        return _followed_plan(case, done)
    if refusal:
        return made(case, f"refused: {refusal['guard']}", refused=[refusal])
    return _full_plan(case, done)


def done_steps(journal: Iterable[Mapping[str, Any]], run_id: str) -> Dict[str, str]:
    """Return the steps that a run has ended well, with the time of the last end: the `done` of a request.

    `journal`: records of the hosts' journals, each with its `host`. A step is done when its last record is a good end
    on every host that began it; one host that failed, or was killed in between, and the step is run again everywhere:
    every step acts by state.
    """
    last: Dict[Tuple[str, Any], Mapping[str, Any]] = {}
    for record in sorted((one for one in journal if one["id"] == run_id), key=lambda one: str(one["at"])):
        last[(record["step"], record["host"])] = record
    by_step: Dict[str, List[Mapping[str, Any]]] = {}
    for record in last.values():
        by_step.setdefault(record["step"], []).append(record)
    return {
        step: max(str(record["at"]) for record in records)
        for step, records in by_step.items()
        if all(record["event"] == "end" and record["outcome"] == "ok" for record in records)
    }


def _unfit_for_desktops(case: Case) -> List[str]:
    """Say before anything is moved what agents will miss; no guard, for calls come first."""
    missing = [words for part, words in FOR_DESKTOPS.items() if part in (case.request.get("lost") or [])]
    told = f"{case.survivor} is not fit for desktops: {' and '.join(missing)} not in service. Calls move all the same."
    return [told] if missing else []


def _failed_over(case: Case) -> Optional[str]:
    """Return how far the stored state says that the site has been failed over: `call`, `config` or None."""
    stored = (case.track_state.get("failed_over") or {}).get(case.failed)
    return stored or (CALL if case.request.get("failed_over") else None)


def _calls_left(case: Case) -> bool:
    """Return whether this run has moved the configuration, but has not done every step that saves the calls."""
    hosts = deployment.step_hosts(case.continuity, case.failed)
    saving = [kind.name for kind in CALLS if kind.door not in LOOKING]
    return case.moving_configuration and any(hosts[name] and name not in case.done for name in saving)


def _verifying(case: Case, done: Optional[str]) -> List[Any]:
    # Once the site is heard again, agents may work at either.
    desktops = () if verdict_refusal(case.decision, case.failed, case.survivor) else DESKTOPS
    every = (*CALLS, *configuration_steps(case.continuity), *desktops)
    kinds = [kind for kind in every if kind.door == "verify"]
    return kinds if done == "config" else [kind for kind in kinds if kind.plane == CALL]


def _followed_plan(case: Case, done: Optional[str]) -> Dict[str, Any]:
    """Verify; gateways that were dead or out of reach during the failover follow it now (decision.md, RETURNING)."""
    verified, pending = _verifying(case, done), _pending(case)
    if not pending or forbidden_refusal(case.decision, "prefer_survivor", CALL):
        return made(case, f"{case.failed} has been failed over already: only verified", verified)
    prefer = [kind for kind in CALLS if kind.name == "prefer_survivor"]
    why = f"{case.failed} has been failed over already, and {', '.join(pending)} did not follow yet"
    return made(case, why, [*prefer, *verified])


def _pending(case: Case) -> List[str]:
    """The gateways that answer and prefer the failed site; none while the verdict is about the survivor itself."""
    if case.decision.get("site") == case.survivor:
        return []
    prefers = case.request.get("prefers") or {}
    return [name for name in deployment.gateways(case.continuity) if prefers.get(name) == case.failed]


def _calls_plan(case: Case) -> Dict[str, Any]:
    refused = forbidden_refusal(case.decision, "prefer_survivor", CALL)
    verified = [kind for kind in configuration_steps(case.continuity) if kind.door == "verify"]
    why = f"the configuration is at {case.survivor}; what is left of the calls follows"
    calls, desktops = ((), ()) if refused else (CALLS, DESKTOPS)
    return made(case, why, [*calls, *verified, *desktops], refused)


def _full_plan(case: Case, done: Optional[str]) -> Dict[str, Any]:
    call_refused = forbidden_refusal(case.decision, "prefer_survivor", CALL)
    stays, config_refused = _configuration(case)
    moves = not stays and not config_refused
    kinds = [] if call_refused else [kind for kind in CALLS if not done or kind.door in LOOKING]
    if moves:
        kinds += moving_steps(case)
    kinds += [] if call_refused else DESKTOPS
    why = stays or (
        f"the configuration moves to {case.survivor}" if moves else "the configuration does not move: a guard refuses"
    )
    return made(case, why, kinds, [*call_refused, *config_refused], moves)


def _configuration(case: Case) -> Tuple[str, List[Refusal]]:
    """Return why the configuration stays where it is (empty when it should move), and what refuses the move."""
    if not case.moving_configuration:
        if case.request.get("master"):
            return f"the configuration stays at {case.request['master']}: its master is up", []
        if case.ticket.get("holder", "") is None and case.ticket.get("revoked_from") == case.survivor:
            return "", [revoked_refusal(case.survivor)]
        holder, words = _holder(case)
        if holder is None:
            return "", [LAST_MASTER_UNKNOWN]
        if holder != case.failed:
            return f"the configuration stays at {holder}: {words}", []
    policy = case.continuity["continuity_policy"]
    lost = [] if case.loss_is_judged else data_loss_refusal(case.request, policy)
    return "", [*forbidden_refusal(case.decision, "promote_config", CONFIGURATION), *guards(case), *lost]


def _holder(case: Case) -> Tuple[Optional[str], str]:
    """Return the site whose configuration may be moved away, None when nobody knows, and how that is known."""
    if case.ticket.get("holder") not in (None, "unknown"):
        return str(case.ticket["holder"]), "it holds the ticket"
    return case.track_state.get("last_master"), "it was the last master seen"
