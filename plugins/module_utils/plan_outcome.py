# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a plan: the steps' results beside the plan, as the report and the store want it. Pure.

A role leaves the result of a door on its host as `__<role>_result`, or as RESULTS or the step itself names it. A step
that failed stops neither the calls nor the report: `may_go_on` says whether the next step of the one-writer plane may
run.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_refusals import attesters
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_steps import DESKTOPS, LOOKING

RESULTS = {"verify": "verified", "readiness": "readiness", "resync": "resync"}
"""Under which name the doors whose result must not hide another one of the same role leave theirs."""
LOCK_RESULTS = ("__continuity_lock", "__continuity_renewed")
"""What taking and renewing the run lock left on each host that keeps the run."""

LAST = tuple(kind.name for kind in DESKTOPS)
"""The steps that come after everything else, the undo included."""

STALE_GUARD = "fencing token"
"""How the guard begins that refuses a run whose token is not the newest (run_journal.py, coordination/etcd.py)."""

HostVars = Mapping[str, Mapping[str, Any]]


def may_go_on(plan: Mapping[str, Any], step: str, hostvars: HostVars, stores: Sequence[str]) -> bool:
    """Return whether a step of the configuration plane may run: lock held, every step before it done.

    stores: the hosts that keep the run. Ansible itself would only leave out the host that failed, and go on elsewhere.
    A plan that only verifies holds no lock. The steps of an undo need the lock alone, as long as no newer run was met:
    each gives back what it can.
    """
    if not plan["config_plane"]:
        return True
    names = [each["name"] for each in plan["steps"]]
    if step not in names:
        return holds_lock(plan, hostvars, stores) and not _overtaken(plan, hostvars)
    before = names.index(step)
    needed = [each for each in plan["steps"][:before] if each["plane"] == "configuration"]
    return holds_lock(plan, hostvars, stores) and all(_Step(each, hostvars, "", False).ok for each in needed)


def holds_lock(plan: Mapping[str, Any], hostvars: HostVars, stores: Sequence[str]) -> bool:
    """Return whether this run has the run lock (decision.md, invariant 8), as `plan.lock` says how that is known.

    `all`: each host that keeps the run has its own lock and must have given it. `any`: they share one store, in which a
    majority stands behind each answer: one that holds it is enough where none was refused, for then a newer run has it.
    A renewal is skipped in check mode only, in which nobody took the lock.
    """
    given = [[dict(hostvars[host].get(name) or {}) for name in LOCK_RESULTS] for host in stores]
    held = [_ended_well(taken) and (_ended_well(renewed) or _skipped(renewed)) for taken, renewed in given]
    refused = any(result.get("refused") for pair in given for result in pair)
    return any(held) and not refused if plan["lock"] == "any" else bool(held) and all(held)


def must_undo(plan: Mapping[str, Any], hostvars: HostVars, stores: Sequence[str]) -> bool:
    """Return whether the move of the configuration is to be taken back: begun, not finished, and nothing promoted.

    A promotion that failed in any other way than by a refusal may have happened: the next run goes on from there.
    """
    steps = [_Step(each, hostvars, "", False) for each in plan["steps"] if each["plane"] == "configuration"]
    changing = [step for step in steps if step.data["door"] not in LOOKING]
    if not plan["undo"] or not holds_lock(plan, hostvars, stores) or all(step.ok for step in changing):
        return False
    if _overtaken(plan, hostvars):
        return False
    promotion = [result for step in changing if step.data["name"] == "promote_database" for result in step.given]
    promoted = any(not result.get("refused") and not _skipped(result) for result in promotion)
    return not promoted and any(step.given for step in changing)


def _overtaken(plan: Mapping[str, Any], hostvars: HostVars) -> bool:
    """Return whether a step was refused for a newer run: what this one began is the newer one's to end or to undo."""
    steps = [_Step(each, hostvars, "", False) for each in (*plan["steps"], *plan["undo"])]
    refused = [result.get("refused") or {} for step in steps for result in step.results.values()]
    return any(str(one.get("guard")).startswith(STALE_GUARD) for one in refused)


def plan_outcome(
    plan: Mapping[str, Any],
    hostvars: HostVars,
    now: str,
    stores: Sequence[str],
    check: bool = False,
    forward: Optional[Mapping[str, Any]] = None,
    last: bool = True,
) -> Dict[str, Any]:
    """Return `{ok, changed, undone, status, sentences, journal, checks, events, measured, summary}`.

    plan: of plan.failover_plan. now: the controller's clock, RFC 3339. stores: the hosts that keep the run. check: in
    check mode nothing was changed, so nothing can be verified.
    status: `finished`, or `open` while a refusal, a failed step or a host that should have been reached leaves
    something to do. events: what `track` must learn (decision.md, "Time"); of a plane once every step of it is done.
    forward: the outcome up to where the move was given up, if it was: what follows it are the steps of the undo, and
    those that come last. last: false before these have come.
    """
    if forward:
        return _undone(plan, hostvars, now, forward)
    steps = [_Step(step, hostvars, now, check) for step in plan["steps"] if last or step["name"] not in LAST]
    locked = not plan["config_plane"] or holds_lock(plan, hostvars, stores)
    ok = not plan["refused"] and locked and all(step.ok for step in steps)
    return {
        "ok": ok,
        "changed": any(step.changed for step in steps),
        "undone": False,
        "status": "finished" if ok else "open",
        "sentences": [*(line for step in steps for line in step.sentences()), *_protection(plan, steps, check)],
        "journal": [record for step in steps for record in step.journal()],
        "checks": [step.check() for step in steps if step.data["door"] in LOOKING and not step.unasked],
        "events": [] if check else _events(plan, steps, now),
        "measured": _measured(steps),
        "summary": _summary(plan["refused"], steps, locked),
    }


def _undone(plan: Mapping[str, Any], hostvars: HostVars, now: str, forward: Mapping[str, Any]) -> Dict[str, Any]:
    undo = [_Step(step, hostvars, now, False) for step in plan["undo"]]
    steps = [*undo, *(_Step(step, hostvars, now, False) for step in plan["steps"] if step["name"] in LAST)]
    looked = [step for step in steps if step.data["door"] in LOOKING and step.results]
    failed = ", ".join(step.data["name"] for step in undo if not step.ok)
    back = f"NOT taken back: {failed}." if failed else f"Taken back: the configuration stays at {plan['failed']}."
    return {
        **forward,
        "undone": True,
        "sentences": [*forward["sentences"], *(line for step in steps for line in step.sentences())],
        "journal": [*forward["journal"], *(record for step in steps for record in step.journal())],
        "checks": [*forward["checks"], *(step.check() for step in looked)],
        "measured": {**forward["measured"], **_measured(steps)},
        "summary": f"{forward['summary']} {back}",
    }


class _Step:
    """One step of the plan with what its hosts said."""

    def __init__(self, data: Mapping[str, Any], hostvars: HostVars, now: str, check: bool) -> None:
        self.data = data
        self.now = now
        # What is to be changed can be judged before it is; what was changed cannot be verified before.
        self.unasked = check and data["door"] in LOOKING and data["door"] != "readiness"
        name = data.get("result") or f"__{data['role']}_{RESULTS.get(data['door'], 'result')}"
        self.results = {host: dict(hostvars[host].get(name) or {}) for host in data["hosts"]}

    @property
    def ok(self) -> bool:
        """Whether every host that had to did it; hosts of the failed site that cannot be reached have not to."""
        return self.unasked or not self.data["lost_hosts"] and all(map(_ended_well, self.results.values()))

    @property
    def changed(self) -> bool:
        return any(result.get("changed") for result in self.results.values())

    @property
    def given(self) -> List[Mapping[str, Any]]:
        """What the hosts said that were really asked."""
        return [result for result in self.results.values() if result and not _skipped(result)]

    def sentences(self) -> Iterator[str]:
        """One line for each host: what was done, or what went wrong."""
        if self.data["skipped_hosts"]:
            yield f"{self.data['name']}: not reached: {', '.join(self.data['skipped_hosts'])}"
        for host, result in self.results.items():
            yield f"{self.data['name']} {host}: {_said(result)}"

    def journal(self) -> Iterator[Dict[str, Any]]:
        """The records that the hosts wrote; of a host that could write none, one that says so."""
        if self.data["door"] in LOOKING:
            return
        for host, result in self.results.items():
            yield from (
                {key: value for key, value in dict(record, host=host).items() if key != "token"}
                for record in result.get("journal") or [self._end(result)]
            )

    def _end(self, result: Mapping[str, Any]) -> Dict[str, Any]:
        outcome = "ok" if _ended_well(result) else "failed"
        return {
            "step": self.data["name"],
            "event": "end",
            "at": self.now,
            "outcome": outcome,
            "changed": bool(result.get("changed")),
            "detail": _said(result),
        }

    def check(self) -> Dict[str, Any]:
        """The step as a check from outside."""
        said = [f"{host}: {_said(result)}" for host, result in self.results.items()]
        return {"name": self.data["name"], "ok": bool(self.results) and self.ok, "detail": "; ".join(said)}


def _ended_well(result: Mapping[str, Any]) -> bool:
    failed = any(result.get(word) for word in ("failed", "unreachable", "skipped"))
    return bool(result) and not failed and bool(result.get("ready", True))


def _skipped(result: Mapping[str, Any]) -> bool:
    return bool(result.get("skipped"))


def _said(result: Mapping[str, Any]) -> str:
    if not result or _skipped(result):
        return "not done: an earlier step failed, or this one was refused"
    if result.get("ready") is False:
        unmet = [one for one in result.get("readiness") or [] if not one["met"] and one.get("needed", True)]
        return "; ".join(f"{one['item']}: {one['evidence']} ({one['way']})" for one in unmet)
    told = str(result.get("detail") or result.get("msg") or ("changed" if result.get("changed") else "as wished"))
    by_hand = result.get("by_hand") if result.get("failed") else None
    return f"{told}; by hand: {' / '.join(by_hand)}" if by_hand else told


def _summary(refused: Sequence[Mapping[str, Any]], steps: List[_Step], locked: bool) -> str:
    """Return what was refused and what failed in one line; the report has the rest."""
    guards = ", ".join(f"{refusal['guard']} ({refusal['blocks']})" for refusal in refused)
    failed = ", ".join(step.data["name"] for step in steps if not step.ok)
    lost = ", ".join(dict.fromkeys(host for step in steps for host in step.data["lost_hosts"]))
    parts = [
        f"Refused: {guards}." if guards else "",
        "" if locked else "The run lock is not held everywhere, so the configuration did not move.",
        f"Failed or not done: {failed}." if failed else "",
        f"Not reached: {lost}." if lost else "",
    ]
    return " ".join(part for part in parts if part) or "Everything as wished."


def _protection(plan: Mapping[str, Any], steps: List[_Step], check: bool) -> Iterator[str]:
    """Say that the configuration has no second copy, from the promotion until the old side was seen streaming."""
    done = {step.data["name"] for step in steps if step.given and step.ok}
    if not check and "promote_database" in done and "resync_old" not in done:
        yield (
            f"UNPROTECTED: no other database follows {plan['survivor']} until {plan['failed']} does:"
            f" playbooks/resync.yml -e continuity_returning_site={plan['failed']}"
        )


def _measured(steps: List[_Step]) -> Dict[str, str]:
    """Return what the steps themselves have seen of the figures that the business asks for (experience.md)."""
    measured = {}
    for step in steps:
        for result in step.results.values():
            if step.data["name"] == "move_phones" and "registered" in result:
                there, missing = len(result["registered"]), len(result.get("missing") or [])
                measured["phones_registered"] = f"{there} of {there + missing}"
            if step.data["name"] == "verify_desktops" and "before" in result:
                measured["agents_logged_in"] = f"{result['there']} of {result['before']}"
            if step.data["name"] == "verify_configuration":
                measured["configuration_writable"] = "yes" if _ended_well(result) else "no"
    return measured


def _events(plan: Mapping[str, Any], steps: List[_Step], now: str) -> List[Dict[str, Any]]:
    """Return failover_done with how far it went; nothing for a run that only verified or that saved nothing."""
    if plan["scenario"] != "site_failure":
        return []
    changing = [step for step in steps if step.data["door"] not in LOOKING]
    by = ", ".join(attesters({"attested_by": plan.get("attested_by")})) or "operator"
    return [
        {"at": now, "type": "failover_done", "site": plan["failed"], "scope": scope, "by": by}
        for scope, plane in _SCOPES
        if _all_done([step for step in changing if step.data["plane"] == plane])
    ]


_SCOPES: Tuple[Tuple[str, str], ...] = (("call", "call"), ("config", "configuration"))


def _all_done(steps: List[_Step]) -> bool:
    return bool(steps) and all(step.ok for step in steps)
