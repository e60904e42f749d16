# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a plan: the steps' results beside the plan, as the report and the store want it. Pure.

A role leaves the result of a door on its host as `__<role>_result`, that of `verify` as `__<role>_verified`. A step
that failed stops neither the calls nor the report: `may_go_on` says whether the next step of the one-writer plane may
run.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_refusals import attesters

CHANGING = ("release", "take_over", "restore")
LOCK_RESULTS = ("__continuity_lock", "__continuity_renewed")
"""What taking and renewing the run lock left on each host that keeps the run."""

HostVars = Mapping[str, Mapping[str, Any]]


def may_go_on(plan: Mapping[str, Any], step: str, hostvars: HostVars, stores: Sequence[str]) -> bool:
    """Return whether a step of the configuration plane may run: lock held everywhere, every step before it done.

    stores: the hosts that keep the run. Ansible itself would only leave out the host that failed, and go on elsewhere.
    A plan that only verifies holds no lock.
    """
    if not plan["config_plane"]:
        return True
    before = [each["name"] for each in plan["steps"]].index(step)
    needed = [each for each in plan["steps"][:before] if each["plane"] == "configuration" and each["door"] in CHANGING]
    return holds_lock(hostvars, stores) and all(_Step(each, hostvars, "", False).ok for each in needed)


def holds_lock(hostvars: HostVars, stores: Sequence[str]) -> bool:
    """Return whether every host that keeps the run has given it the lock (decision.md, invariant 8).

    A renewal is skipped in check mode only, in which nobody took the lock.
    """
    given = [[dict(hostvars[host].get(name) or {}) for name in LOCK_RESULTS] for host in stores]
    return bool(given) and all(
        _ended_well(taken) and (_ended_well(renewed) or bool(renewed.get("skipped"))) for taken, renewed in given
    )


def plan_outcome(
    plan: Mapping[str, Any], hostvars: HostVars, now: str, stores: Sequence[str], check: bool = False
) -> Dict[str, Any]:
    """Return `{ok, changed, status, sentences, journal, checks, events, measured, summary}`.

    plan: of plan.failover_plan. now: the controller's clock, RFC 3339. stores: the hosts that keep the run. check: in
    check mode nothing was changed, so nothing can be verified.
    status: `finished`, or `open` while a refusal, a failed step or a host that should have been reached leaves
    something to do. events: what `track` must learn (decision.md, "Time"); of a plane once every step of it is done.
    """
    steps = [_Step(step, hostvars, now, check) for step in plan["steps"]]
    locked = not plan["config_plane"] or holds_lock(hostvars, stores)
    ok = not plan["refused"] and locked and all(step.ok for step in steps)
    return {
        "ok": ok,
        "changed": any(step.changed for step in steps),
        "status": "finished" if ok else "open",
        "sentences": [line for step in steps for line in step.sentences()],
        "journal": [record for step in steps for record in step.journal()],
        "checks": [step.check() for step in steps if step.data["door"] not in CHANGING and not check],
        "events": [] if check else _events(plan, steps, now),
        "measured": _measured(steps),
        "summary": _summary(plan["refused"], steps, locked),
    }


class _Step:
    """One step of the plan with what its hosts said."""

    def __init__(self, data: Mapping[str, Any], hostvars: HostVars, now: str, check: bool) -> None:
        self.data = data
        self.now = now
        self.unasked = check and data["door"] not in CHANGING
        name = f"__{data['role']}_{'verified' if data['door'] == 'verify' else 'result'}"
        self.results = {host: dict(hostvars[host].get(name) or {}) for host in data["hosts"]}

    @property
    def ok(self) -> bool:
        """Whether every host that had to did it; hosts of the failed site that cannot be reached have not to."""
        return self.unasked or not self.data["lost_hosts"] and all(map(_ended_well, self.results.values()))

    @property
    def changed(self) -> bool:
        return any(result.get("changed") for result in self.results.values())

    def sentences(self) -> Iterator[str]:
        """One line for each host: what was done, or what went wrong."""
        if self.data["skipped_hosts"]:
            yield f"{self.data['name']}: not reached: {', '.join(self.data['skipped_hosts'])}"
        for host, result in self.results.items():
            yield f"{self.data['name']} {host}: {_said(result)}"

    def journal(self) -> Iterator[Dict[str, Any]]:
        """The records that the hosts wrote; of a host that could write none, one that says so."""
        if self.data["door"] not in CHANGING:
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
    return bool(result) and not any(result.get(word) for word in ("failed", "unreachable", "skipped"))


def _said(result: Mapping[str, Any]) -> str:
    if not result or result.get("skipped"):
        return "not done: an earlier step failed, or this one was refused"
    return str(result.get("detail") or result.get("msg") or ("changed" if result.get("changed") else "as wished"))


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


def _measured(steps: List[_Step]) -> Dict[str, str]:
    """Return what the steps themselves have seen of the figures that the business asks for (experience.md)."""
    measured = {}
    for step in steps:
        for result in step.results.values():
            if step.data["name"] == "move_phones" and "registered" in result:
                there, missing = len(result["registered"]), len(result.get("missing") or [])
                measured["phones_registered"] = f"{there} of {there + missing}"
            if step.data["name"] == "verify_configuration":
                measured["configuration_writable"] = "yes" if _ended_well(result) else "no"
    return measured


def _events(plan: Mapping[str, Any], steps: List[_Step], now: str) -> List[Dict[str, Any]]:
    """Return failover_done with how far it went; nothing for a run that only verified or that saved nothing."""
    changing = [step for step in steps if step.data["door"] in CHANGING]
    by = ", ".join(attesters({"attested_by": plan.get("attested_by")})) or "operator"
    return [
        {"at": now, "type": "failover_done", "site": plan["failed"], "scope": scope, "by": by}
        for scope, plane in _SCOPES
        if _all_done([step for step in changing if step.data["plane"] == plane])
    ]


_SCOPES: Tuple[Tuple[str, str], ...] = (("call", "call"), ("config", "configuration"))


def _all_done(steps: List[_Step]) -> bool:
    return bool(steps) and all(step.ok for step in steps)
