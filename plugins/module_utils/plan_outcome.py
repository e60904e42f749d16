# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a plan: the steps' results beside the plan, as the report and the store want it. Pure.

A role leaves the result of a door on its host as `__<role>_result`, that of `verify` as `__<role>_verified`.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_refusals import attesters

CHANGING = ("release", "take_over", "restore")


def plan_outcome(plan: Mapping[str, Any], hostvars: Mapping[str, Mapping[str, Any]], now: str) -> Dict[str, Any]:
    """Return `{ok, changed, status, sentences, journal, checks, events, measured, summary}`.

    plan: of plan.failover_plan. hostvars: {host: variables}. now: the controller's clock, RFC 3339.
    status: `finished`, or `open` while a refusal or a failed step leaves something to do. events: what `track` must
    learn (decision.md, "Time"); none while the calls are not saved.
    """
    steps = [_Step(step, hostvars, now) for step in plan["steps"]]
    refused = list(plan["refused"])
    ok = not refused and all(step.ok for step in steps)
    return {
        "ok": ok,
        "changed": any(step.changed for step in steps),
        "status": "finished" if ok else "open",
        "sentences": [line for step in steps for line in step.sentences()],
        "journal": [record for step in steps for record in step.journal()],
        "checks": [step.check() for step in steps if step.data["door"] not in CHANGING],
        "events": _events(plan, steps, now),
        "measured": _measured(steps),
        "summary": _summary(refused, steps),
    }


class _Step:
    """One step of the plan with what its hosts said."""

    def __init__(self, data: Mapping[str, Any], hostvars: Mapping[str, Mapping[str, Any]], now: str) -> None:
        self.data = data
        self.now = now
        name = f"__{data['role']}_{'verified' if data['door'] == 'verify' else 'result'}"
        self.results = {host: dict(hostvars[host].get(name) or {}) for host in data["hosts"]}

    @property
    def ok(self) -> bool:
        """Whether every reachable host did it; a step without any reachable host has nothing that failed."""
        return all(_ended_well(result) for result in self.results.values())

    @property
    def changed(self) -> bool:
        return any(result.get("changed") for result in self.results.values())

    def sentences(self) -> Iterator[str]:
        """One line for each host: what was done, or what went wrong."""
        if not self.results:
            yield f"{self.data['name']}: no host could be reached ({', '.join(self.data['skipped_hosts'])})"
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
    return bool(result) and not result.get("failed") and not result.get("unreachable")


def _said(result: Mapping[str, Any]) -> str:
    if not result:
        return "not done: an earlier step failed here"
    return str(result.get("detail") or result.get("msg") or ("changed" if result.get("changed") else "as wished"))


def _summary(refused: List[Mapping[str, Any]], steps: List[_Step]) -> str:
    """Return what was refused and what failed in one line; the report has the rest."""
    guards = ", ".join(f"{refusal['guard']} ({refusal['blocks']})" for refusal in refused)
    failed = ", ".join(step.data["name"] for step in steps if not step.ok)
    parts = [f"Refused: {guards}." if guards else "", f"Failed: {failed}." if failed else ""]
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
