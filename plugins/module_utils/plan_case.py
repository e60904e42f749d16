# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every plan is made from, and how its steps get their hosts. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Mapping, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils import deployment
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_refusals import (
    Refusal,
    attesters,
    coordination_refusal,
    fence_refusal,
    survivor_refusal,
    ticket_refusal,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_steps import (
    LOOKING,
    StepKind,
    configuration_steps,
    has_ticket,
    undo_steps,
)

SEEN = "stopped_and_revoked"
RUN_OUT = "ticket_run_out"
ATTESTED = "attested"


@dataclass(frozen=True)
class Case:
    """What a plan is made from; `failed` is the site that the configuration or the calls leave."""

    continuity: Mapping[str, Any]
    decision: Mapping[str, Any]
    track_state: Mapping[str, Any]
    request: Mapping[str, Any]
    failed: str

    @property
    def survivor(self) -> str:
        """The other site."""
        return deployment.peer(self.continuity, self.failed)

    @property
    def done(self) -> Mapping[str, Any]:
        """The steps that this run has ended well, by name."""
        return self.request.get("done") or {}

    @property
    def ticket(self) -> Mapping[str, Any]:
        """The ticket as observed; empty when nobody could read it, or there is none."""
        found = self.request.get("ticket")
        return found if isinstance(found, Mapping) else {}

    @property
    def moving_configuration(self) -> bool:
        """True when this run has begun to move the configuration: then it must be brought to its end.

        A ticket that the failed site holds (again) says that whatever was begun was taken back, and so does an undo
        after it. One that the survivor holds beside a database that is still a standby was taken for a promotion.
        """
        if self.ticket.get("holder") == self.failed:
            return False
        taken = self.ticket.get("holder") == self.survivor and self.role(self.survivor) == "standby"
        begun = _last_done(self.done, configuration_steps(self.continuity))
        return begun > _last_done(self.done, undo_steps(self.continuity)) or self.is_revoked or taken

    @property
    def may_be_promoted(self) -> bool:
        """True unless it is known that the survivor's database was not promoted: then nothing is ever taken back."""
        begun = self.moving_configuration or self.ticket.get("holder") == self.survivor
        role = self.role(self.survivor)
        return "promote_database" in self.done or role == "primary" or (begun and role != "standby")

    @property
    def is_revoked(self) -> bool:
        """True when the failed site's ticket was revoked and nobody took it since."""
        return self.ticket.get("holder", "") is None and self.ticket.get("revoked_from") == self.failed

    @property
    def loss_is_judged(self) -> bool:
        """True from when the survivor has the ticket: nobody has written since, and the promotion judges for itself."""
        return "promote_database" in self.done or self.ticket.get("holder") == self.survivor

    @property
    def fence_kind(self) -> str:
        """The kind of proof that a promotion will stand on (decision.md, invariant 2): the best that can be had."""
        if not has_ticket(self.continuity):
            return SEEN if self.is_reachable(deployment.database_host(self.continuity, self.failed)) else ATTESTED
        if all(map(self._can_prove, deployment.configuration_hosts(self.continuity, self.failed))):
            return SEEN
        return RUN_OUT if self.ticket.get("armed") else ATTESTED

    def _can_prove(self, host: str) -> bool:
        """Return whether a host of the old side can revoke the ticket and then show its writers dead.

        One that is cut off from the store sees them die before anybody has revoked: that proves nothing.
        """
        asked = host in deployment.coordination_hosts(self.continuity)
        return self.is_reachable(host) and (not asked or host in self.request.get("stores", [host]))

    def is_reachable(self, host: str) -> bool:
        """Return whether a host answered in this run."""
        return host in self.request["reachable"]

    def role(self, site: str) -> Optional[str]:
        """Return the role in which a site's database was seen: primary, standby, unknown; None where nobody looked."""
        seen = (self.request.get("databases") or {}).get(site) or {}
        return seen.get("role")


def moving_steps(case: Case) -> List[StepKind]:
    """Return the steps that move the configuration; what looks before anything is touched only where nothing is yet."""
    begun = case.moving_configuration
    return [kind for kind in configuration_steps(case.continuity) if not (begun and kind.door == "readiness")]


def guards(case: Case) -> List[Refusal]:
    """Return what refuses any move of the configuration; the verdict and the data that it could lose come beside it."""
    ours = deployment.configuration_hosts(case.continuity, case.survivor)
    theirs = deployment.configuration_hosts(case.continuity, case.failed)
    stores = deployment.coordination_hosts(case.continuity)
    silent = [host for host in theirs if not case.is_reachable(host)]
    return [
        *survivor_refusal(case.request, case.survivor, ours),
        *coordination_refusal(case.request, stores),
        *(ticket_refusal(case.request, stores) if has_ticket(case.continuity) else []),
        *(fence_refusal(case.request, case.failed, silent) if case.fence_kind == ATTESTED else []),
    ]


def made(
    case: Case, why: str, kinds: Iterable[StepKind] = (), refused: Optional[List[Refusal]] = None, moves: bool = False
) -> Dict[str, Any]:
    """Return the plan (see plan.failover_plan) with these steps; `moves` where they move the configuration."""
    steps = _steps(case, kinds)
    fence = _fence(case) if moves else None
    return {
        "run_id": case.request["run_id"],
        "scenario": case.request.get("scenario", "site_failure"),
        "failed": case.failed,
        "survivor": case.survivor,
        "config_plane": moves,
        "lag": case.request.get("lag"),
        "lock": "any" if has_ticket(case.continuity) else "all",
        "why": why,
        "fence": fence,
        "changes": any(step["door"] not in LOOKING for step in steps),
        "overrides": _overrides(case, fence) if moves else [],
        "steps": steps,
        "undo": _steps(case, undo_steps(case.continuity)) if moves and not case.may_be_promoted else [],
        "refused": refused or [],
    }


def _steps(case: Case, kinds: Iterable[StepKind]) -> List[Dict[str, Any]]:
    return [step for step in (_step(case, kind) for kind in kinds) if step]


def _step(case: Case, kind: StepKind) -> Optional[Dict[str, Any]]:
    """Return the step, or None where this deployment has no host for it (no provisioned phone, for example)."""
    named = _hosts(case, kind)
    if not named:
        return None
    skipped = [host for host in named if not case.is_reachable(host)]
    return {
        "name": kind.name,
        "role": kind.role,
        "door": kind.door,
        "plane": kind.plane,
        "hosts": [host for host in named if case.is_reachable(host)],
        "skipped_hosts": skipped,
        "lost_hosts": [host for host in skipped if host not in deployment.site_hosts(case.continuity, case.failed)],
        "why": kind.why.format(failed=case.failed, survivor=case.survivor),
        **({"result": kind.result} if kind.result else {}),
    }


def _hosts(case: Case, kind: StepKind) -> List[str]:
    named = deployment.step_hosts(case.continuity, case.failed)[kind.name]
    # Where the old side's writers can be seen dying they are; else the ticket's end is waited for at the survivor.
    if kind.name == "revoke_ticket" and case.fence_kind == SEEN:
        return deployment.configuration_hosts(case.continuity, case.failed)
    # What nobody holds any host may give back; what the survivor holds, only a host that sees that nothing runs there.
    if kind.name == "return_ticket" and case.is_revoked and not any(map(case.is_reachable, named)):
        return [deployment.database_host(case.continuity, case.failed)]
    return named


def _last_done(done: Mapping[str, Any], kinds: Iterable[StepKind]) -> str:
    """Return when the last of these steps that change something was done; empty when none was."""
    return max((str(done[kind.name]) for kind in kinds if kind.name in done and kind.door not in LOOKING), default="")


def _fence(case: Case) -> Dict[str, Any]:
    return {"kind": case.fence_kind, "by": attesters(case.request) if case.fence_kind == ATTESTED else []}


def _overrides(case: Case, fence: Optional[Mapping[str, Any]]) -> List[Dict[str, Any]]:
    by, run_id = attesters(case.request), case.request["run_id"]
    used = [{"name": "attested_fence", "run_id": run_id, "by": by}] if fence and fence["kind"] == ATTESTED else []
    # Where the lag is measured later on, no refusal has asked for the two people before.
    if case.request.get("allow_data_loss") == run_id and len(by) >= 2:
        used.append({"name": "allow_data_loss", "run_id": run_id, "by": by})
    return used
