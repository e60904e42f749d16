# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run's report says, as data: the verdict, the plan beside what happened, and what is unprotected now.

Pure: it reads no clock and no file, so that the same run always gives the same report.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_refusals import FAILOVER_VERDICTS

BUSINESS_TABLE = {
    "first_call_answered": "first call answered at the survivor",
    "phones_registered": "phones registered",
    "agents_logged_in": "agents logged in",
    "configuration_writable": "configuration writable",
}
"""The four figures that the business asks for (experience.md), by the keys of `measured` and `targets`."""

NOT_MEASURED = "not measured"

NOT_REACHED = "not reached"
"""Status of a step none of whose hosts could be reached: nobody could do it, and a guard has judged what that means."""

JUDGED: Dict[Any, str] = {True: "ok", False: "failed"}


def build_report(run: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the report of a run.

    `run`: `run_id`; `decision` (of the verdict, or empty); `plan` (or empty); `journal` (records of the hosts' journals
    with `step`, `event` begin or end, `at`, `outcome`, `changed`, `detail` and the `host`); `timeline` (`{at, what}`);
    `checks` (`{name, ok, detail}`; a verifying step's outcome under its own name); `measured` and `targets` (texts, by
    the keys of BUSINESS_TABLE); `unprotected` (sentences that the run adds).
    """
    decision, plan = run["decision"], run["plan"]
    steps = _steps(plan, run["journal"], run["checks"])
    return {
        "run_id": run["run_id"],
        "verdict": decision.get("verdict"),
        "site": decision.get("site"),
        "evidence": list(decision.get("evidence") or []),
        "unmet": list(decision.get("unmet") or []),
        "failed": plan.get("failed"),
        "survivor": plan.get("survivor"),
        "why": plan.get("why"),
        "outcome": _outcome(plan, steps),
        "unprotected": [*_unprotected(decision, plan, steps), *run["unprotected"]],
        "table": _table(run["measured"], run["targets"]),
        "steps": steps,
        "refused": list(plan.get("refused") or []),
        "overrides": list(plan.get("overrides") or []),
        "timeline": sorted(run["timeline"], key=lambda moment: str(moment["at"])),
        "checks": list(run["checks"]),
    }


def _table(measured: Mapping[str, Any], targets: Mapping[str, Any]) -> List[Dict[str, Any]]:
    return [
        {"what": what, "value": _given(measured.get(key), NOT_MEASURED), "target": _given(targets.get(key), None)}
        for key, what in BUSINESS_TABLE.items()
    ]


def _given(value: object, otherwise: Optional[str]) -> Optional[str]:
    return otherwise if value in (None, "") else str(value)


def _steps(
    plan: Mapping[str, Any], journal: Iterable[Mapping[str, Any]], checks: Iterable[Mapping[str, Any]]
) -> List[Dict[str, Any]]:
    """Put what happened beside each step of the plan; steps of an earlier, interrupted start come from the journal."""
    planned = {step["name"]: step for step in [*(plan.get("steps") or []), *(plan.get("undone") or [])]}
    happened: Dict[str, List[Mapping[str, Any]]] = {}
    for record in journal:
        happened.setdefault(str(record["step"]), []).append(record)
    names = [*planned, *(name for name in happened if name not in planned)]
    judged = {check["name"]: check for check in checks}
    return [_step(name, planned.get(name, {}), happened.get(name, []), judged.get(name)) for name in names]


def _step(
    name: str,
    planned: Mapping[str, Any],
    records: List[Mapping[str, Any]],
    check: Optional[Mapping[str, Any]],
) -> Dict[str, Any]:
    begun = sorted(str(record["at"]) for record in records if _event(record) == "begin")
    ends = [record for record in records if _event(record) == "end"]
    ended = sorted(str(record["at"]) for record in ends)
    return {
        "name": name,
        "why": planned.get("why"),
        "hosts": list(
            planned.get("hosts") or sorted({str(record["host"]) for record in records if record.get("host")})
        ),
        "skipped_hosts": list(planned.get("skipped_hosts") or []),
        "status": _status(records, check) if records or check or _has_hosts(planned) else NOT_REACHED,
        "changed": any(record.get("changed") for record in ends),
        "began": begun[0] if begun else None,
        "ended": ended[-1] if ended else None,
        "seconds": _seconds(begun, ended),
        "details": [*_details(ends, check), *_by_hand(planned)],
    }


def _by_hand(planned: Mapping[str, Any]) -> List[str]:
    """Say what a person does at what was not reached, line by line."""
    told = (planned.get("by_hand") or {}).items()
    return [f"{host}, by hand: {line}" for host, lines in told for line in lines]


def _has_hosts(planned: Mapping[str, Any]) -> bool:
    return not planned or bool(planned["hosts"])


def _status(records: List[Mapping[str, Any]], check: Optional[Mapping[str, Any]]) -> str:
    """Say how a step stands; a check from outside outweighs what the step says of itself."""
    if check is not None:
        return JUDGED.get(check.get("ok"), "unknown")
    last = _last_of_each_host(records)
    if any(_event(record) == "end" and record.get("outcome", "ok") != "ok" for record in last):
        return "failed"
    if any(_event(record) == "begin" for record in last):
        return "begun, not ended"
    return "ok" if last else "not done"


def _last_of_each_host(records: List[Mapping[str, Any]]) -> List[Mapping[str, Any]]:
    # A step that failed, or was killed, and was run again is judged by the last time.
    latest: Dict[Any, Mapping[str, Any]] = {}
    for record in sorted(records, key=lambda one: str(one["at"])):
        latest[record.get("host")] = record
    return list(latest.values())


def _event(record: Mapping[str, Any]) -> str:
    return str(record.get("event", "end"))


def _details(ends: List[Mapping[str, Any]], check: Optional[Mapping[str, Any]]) -> List[str]:
    said = [
        f"{record.get('host', 'host')}: {record['detail']}"
        for record in _last_of_each_host(ends)
        if record.get("detail")
    ]
    return [*said, *([str(check["detail"])] if check and check.get("detail") else [])]


def _seconds(begun: List[str], ended: List[str]) -> Optional[float]:
    if not begun or not ended:
        return None
    return round((parse_time(ended[-1]) - parse_time(begun[0])).total_seconds(), 1)


def parse_time(text: str) -> datetime:
    """Return the moment of an ISO 8601 text; without a zone it is UTC. Raises ValueError for anything else."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _outcome(plan: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> str:
    """Sum the run up in a sentence."""
    if not plan:
        return "observed and decided; nothing was to be done"
    failed = [step["name"] for step in steps if step["status"] in ("failed", "unknown")]
    open_steps = [step["name"] for step in steps if step["status"] in ("not done", "begun, not ended")]
    refused = [f"{refusal['guard']} ({refusal['blocks']})" for refusal in plan.get("refused") or []]
    parts = [
        f"FAILED: {', '.join(failed)}" if failed else "",
        f"NOT FINISHED: {', '.join(open_steps)}; run it again, it resumes" if open_steps else "",
        f"REFUSED: {', '.join(refused)}" if refused else "",
    ]
    return "; ".join(part for part in parts if part) or "done as planned"


def _unprotected(decision: Mapping[str, Any], plan: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> List[str]:
    if not plan:
        return []
    failed, survivor = plan["failed"], plan["survivor"]
    ended_well = {step["name"] for step in steps if step["status"] == "ok"}
    skipped = list(dict.fromkeys(host for step in steps for host in step["skipped_hosts"]))
    blocked = [refusal["guard"] for refusal in plan.get("refused") or [] if refusal["blocks"] == "configuration"]
    used = {override["name"] for override in plan.get("overrides") or []}
    found = {
        f"no second site: {survivor} carries every call alone": decision.get("verdict") in FAILOVER_VERDICTS,
        f"{survivor} was not fit when it took over: see the evidence": decision.get("verdict")
        == "SITE_DOWN_PEER_UNFIT",
        "no standby database: what is written now is held once": "promote_database" in ended_well
        and "resync_old" not in ended_well,
        f"no writable configuration: it did not move ({', '.join(blocked)})": bool(blocked),
        f"nobody has seen the writer of {failed} stop: keep it off until failback": "attested_fence" in used,
        "what the dead primary had not sent is lost: compare the configuration": "allow_data_loss" in used,
        f"not reached, so not changed: {', '.join(skipped)}": bool(skipped),
    }
    return [sentence for sentence, is_so in found.items() if is_so]
