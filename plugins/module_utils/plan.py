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

from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils import deployment
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_refusals import (
    LAST_MASTER_UNKNOWN,
    Refusal,
    attesters,
    coordination_refusal,
    data_loss_refusal,
    fence_refusal,
    forbidden_refusal,
    survivor_refusal,
    verdict_refusal,
)

CALL = "call"
CONFIGURATION = "configuration"


@dataclass(frozen=True)
class StepKind:
    """A step that a plan may order: which role's door does it, on which plane, and why (with the sites' names)."""

    name: str
    role: str
    door: str
    plane: str
    why: str


SITE_FAILURE: Tuple[StepKind, ...] = (
    StepKind(
        "prefer_survivor",
        "media_gateway",
        "take_over",
        CALL,
        "new calls go to {survivor} first; {failed} stays second, so that no call is cut off if this is wrong",
    ),
    StepKind(
        "move_phones",
        "sip_phone",
        "take_over",
        CALL,
        "phones with a single registration are sent to {survivor}",
    ),
    StepKind(
        "single_site",
        "sip_server",
        "take_over",
        CALL,
        "the SIP Server of {survivor} works without its peer: no forwarding to {failed}, no forced logout",
    ),
    StepKind(
        "verify_call_plane",
        "media_gateway",
        "verify",
        CALL,
        "seen from outside: {survivor} takes the calls",
    ),
    StepKind(
        "stop_old_master",
        "config_server",
        "release",
        CONFIGURATION,
        "the Configuration Server of {failed} is stopped, where it can be reached",
    ),
    StepKind(
        "fence",
        "config_database",
        "release",
        CONFIGURATION,
        "the writer's log-in at {failed} is revoked and its sessions ended before anybody else writes",
    ),
    StepKind(
        "promote_database",
        "config_database",
        "take_over",
        CONFIGURATION,
        "the Configuration Database of {survivor} becomes the primary; the fence is checked again just before",
    ),
    StepKind(
        "start_config_server",
        "config_server",
        "take_over",
        CONFIGURATION,
        "the Configuration Server of {survivor} becomes the master",
    ),
    StepKind(
        "repoint_names",
        "service_name",
        "take_over",
        CONFIGURATION,
        "Configuration Server Proxies find the new master by its name",
    ),
    StepKind(
        "verify_configuration",
        "config_server",
        "verify",
        CONFIGURATION,
        "seen from outside: exactly one master, at {survivor}, and it takes writes",
    ),
)
"""The steps of a site failure in their order: calls before configuration, the fence before the promotion."""

VERIFICATIONS = ("verify_call_plane", "verify_configuration")


@dataclass(frozen=True)
class _Case:
    """What a plan is made from."""

    continuity: Mapping[str, Any]
    decision: Mapping[str, Any]
    track_state: Mapping[str, Any]
    request: Mapping[str, Any]

    @property
    def failed(self) -> str:
        return str(self.request["failed_site"])

    @property
    def survivor(self) -> str:
        return deployment.peer(self.continuity, self.failed)

    @property
    def done(self) -> Mapping[str, Any]:
        return self.request.get("done") or {}

    @property
    def moving_configuration(self) -> bool:
        """True when this run has finished a step of the configuration plane: then it must be brought to its end."""
        return any(kind.name in self.done for kind in SITE_FAILURE if kind.plane == CONFIGURATION)

    @property
    def calls_left(self) -> bool:
        """True when this run has moved the configuration, but has not done every step that saves the calls."""
        hosts = deployment.step_hosts(self.continuity, self.failed)
        saving = {kind.name for kind in SITE_FAILURE if kind.plane == CALL and kind.name not in VERIFICATIONS}
        return self.moving_configuration and any(hosts[name] and name not in self.done for name in saving)

    @property
    def failed_over(self) -> Optional[str]:
        """How far the stored state says that the site has been failed over: `call`, `config` or None."""
        stored = (self.track_state.get("failed_over") or {}).get(self.failed)
        return stored or (CALL if self.request.get("failed_over") else None)


def failover_plan(
    continuity: Mapping[str, Any],
    decision: Mapping[str, Any],
    track_state: Optional[Mapping[str, Any]],
    request: Mapping[str, Any],
) -> Dict[str, Any]:
    """Return the plan for a failed site.

    `request`: `run_id`; `failed_site`; `attested_by` (names); `allow_data_loss` (a run id, or empty); `reachable`
    (hosts that answered in this run); `master` (the site whose master is seen up now, or None); `done` (steps this
    run has journalled as ended well, by name); `failed_over` (bool); `lag` (of the survivor's database in the
    driver's unit, None when unknown).

    Returns `{run_id, failed, survivor, config_plane, why, fence, overrides, steps, refused}`; a step is
    `{name, role, door, plane, hosts, skipped_hosts, lost_hosts, why}` (lost: to be reached, for they are not in the
    failed site), a refusal `{guard, blocks, evidence, way}` where `blocks` is `all`, `call` or `configuration`.
    Raises KeyError for a site that is none.
    """
    case = _Case(continuity, decision, track_state or {}, request)
    refusal = verdict_refusal(decision, case.failed, case.survivor)
    if case.failed_over == "config" and case.calls_left and not refusal:
        return _calls_plan(case)
    if case.failed_over == "config" or (case.failed_over and refusal):
        return _plan(case, f"{case.failed} has been failed over already: only verified", names=_verified(case))
    if refusal:
        return _plan(case, f"refused: {refusal['guard']}", refused=[refusal])
    return _full_plan(case)


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


def plan_text(plan: Mapping[str, Any]) -> List[str]:
    """Return the plan for a person: a heading, one line for each step, one for each refusal."""
    heading = f"Run {plan['run_id']}, failover of {plan['failed']} to {plan['survivor']}: {plan['why']}."
    steps = [_step_line(number, step) for number, step in enumerate(plan["steps"], 1)]
    if plan["fence"] and plan["fence"]["kind"] == "attested":
        people = " and ".join(plan["fence"]["by"])
        steps.append(f"The fence of {plan['failed']} is attested by {people}: its database cannot be reached.")
    refused = [refusal_line(refusal) for refusal in plan["refused"]]
    return [heading, *(steps or ["Nothing to do."]), *refused]


def refusal_line(refusal: Mapping[str, Any]) -> str:
    """Return a refusal in one line: the guard, what it lacks, the way round."""
    return f"REFUSED ({refusal['blocks']}) {refusal['guard']}: {refusal['evidence']} Way: {refusal['way']}"


def _calls_plan(case: _Case) -> Dict[str, Any]:
    refused = forbidden_refusal(case.decision, "prefer_survivor", CALL)
    calls = [] if refused else [kind.name for kind in SITE_FAILURE if kind.plane == CALL]
    why = f"the configuration is at {case.survivor}; what is left of the calls follows"
    return _plan(case, why, [*calls, "verify_configuration"], refused)


def _full_plan(case: _Case) -> Dict[str, Any]:
    call_refused = forbidden_refusal(case.decision, "prefer_survivor", CALL)
    stays, config_refused = _configuration(case)
    moves = not stays and not config_refused
    names = [] if call_refused else [kind.name for kind in SITE_FAILURE if kind.plane == CALL]
    if case.failed_over:
        names = [name for name in names if name in VERIFICATIONS]
    if moves:
        names += [kind.name for kind in SITE_FAILURE if kind.plane == CONFIGURATION]
    why = stays or (
        f"the configuration moves to {case.survivor}" if moves else "the configuration does not move: a guard refuses"
    )
    return _plan(case, why, names, [*call_refused, *config_refused], moves)


def _configuration(case: _Case) -> Tuple[str, List[Refusal]]:
    """Return why the configuration stays where it is (empty when it should move), and what refuses the move."""
    if not case.moving_configuration:
        holder = case.track_state.get("last_master")
        if case.request.get("master"):
            return f"the configuration stays at {case.request['master']}: its master is up", []
        if holder is None:
            return "", [LAST_MASTER_UNKNOWN]
        if holder != case.failed:
            return f"the configuration stays at {holder}: it was the last master seen", []
    return "", _guards(case)


def _guards(case: _Case) -> List[Refusal]:
    ours = deployment.configuration_hosts(case.continuity, case.survivor)
    theirs = deployment.database_host(case.continuity, case.failed)
    policy = case.continuity["continuity_policy"]
    return [
        *forbidden_refusal(case.decision, "promote_config", CONFIGURATION),
        *survivor_refusal(case.request, case.survivor, ours),
        *coordination_refusal(case.request, deployment.coordination_hosts(case.continuity)),
        *fence_refusal(case.request, case.failed, theirs),
        *([] if "promote_database" in case.done else data_loss_refusal(case.request, policy)),
    ]


def _verified(case: _Case) -> List[str]:
    return [name for name in VERIFICATIONS if name != "verify_configuration" or case.failed_over == "config"]


def _plan(
    case: _Case,
    why: str,
    names: Optional[List[str]] = None,
    refused: Optional[List[Refusal]] = None,
    moves: bool = False,
) -> Dict[str, Any]:
    fence = _fence(case) if moves else None
    kinds = [kind for kind in SITE_FAILURE if kind.name in (names or [])]
    return {
        "run_id": case.request["run_id"],
        "failed": case.failed,
        "survivor": case.survivor,
        "config_plane": moves,
        "why": why,
        "fence": fence,
        "changes": any(kind.door != "verify" for kind in kinds),
        "overrides": _overrides(case, fence) if moves else [],
        "steps": [step for step in (_step(case, kind) for kind in kinds) if step],
        "refused": refused or [],
    }


def _step(case: _Case, kind: StepKind) -> Optional[Dict[str, Any]]:
    """Return the step, or None where this deployment has no host for it (no provisioned phone, for example)."""
    named = deployment.step_hosts(case.continuity, case.failed)[kind.name]
    if not named:
        return None
    reachable = set(case.request["reachable"])
    skipped = [host for host in named if host not in reachable]
    return {
        "name": kind.name,
        "role": kind.role,
        "door": kind.door,
        "plane": kind.plane,
        "hosts": [host for host in named if host in reachable],
        "skipped_hosts": skipped,
        "lost_hosts": [host for host in skipped if host not in deployment.site_hosts(case.continuity, case.failed)],
        "why": kind.why.format(failed=case.failed, survivor=case.survivor),
    }


def _fence(case: _Case) -> Dict[str, Any]:
    """Return the kind of fence proof that the promotion stands on (decision.md, invariant 2)."""
    if deployment.database_host(case.continuity, case.failed) in case.request["reachable"]:
        return {"kind": "stopped_and_revoked", "by": []}
    return {"kind": "attested", "by": attesters(case.request)}


def _overrides(case: _Case, fence: Optional[Mapping[str, Any]]) -> List[Dict[str, Any]]:
    by, run_id = attesters(case.request), case.request["run_id"]
    used = [{"name": "attested_fence", "run_id": run_id, "by": by}] if fence and fence["kind"] == "attested" else []
    if case.request.get("allow_data_loss") == run_id:
        used.append({"name": "allow_data_loss", "run_id": run_id, "by": by})
    return used


def _step_line(number: int, step: Mapping[str, Any]) -> str:
    where = ", ".join(step["hosts"]) or "no host that can be reached"
    skipped = f" (not reached: {', '.join(step['skipped_hosts'])})" if step["skipped_hosts"] else ""
    return f"{number}. {step['name']} [{step['plane']}] on {where}{skipped}: {step['why']}"
