# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan in words, for a person."""

from __future__ import annotations

from typing import Any, List, Mapping

HEADINGS = {
    "site_failure": "failover of {failed} to {survivor}",
    "move_master": "the configuration from {failed} to {survivor}",
    "return_master": "the configuration back to {failed}",
    "resync": "the database of {failed} after {survivor}",
}


def plan_text(plan: Mapping[str, Any]) -> List[str]:
    """Return the plan for a person: a heading, one line for each step, one for each refusal."""
    words = plan.get("heading") or HEADINGS[plan["scenario"]]
    heading = words.format(failed=plan["failed"], survivor=plan["survivor"])
    steps = [_step_line(number, step) for number, step in enumerate(plan["steps"], 1)]
    if plan["fence"] and plan["fence"]["kind"] == "attested":
        people = " and ".join(plan["fence"]["by"])
        steps.append(f"The fence of {plan['failed']} is attested by {people}: it can be neither seen nor waited for.")
    refused = [refusal_line(refusal) for refusal in plan["refused"]]
    notes = list(plan.get("notes") or [])
    return [f"Run {plan['run_id']}, {heading}: {plan['why']}.", *(steps or ["Nothing to do."]), *notes, *refused]


def refusal_line(refusal: Mapping[str, Any]) -> str:
    """Return a refusal in one line: the guard, what it lacks, the way round."""
    return f"REFUSED ({refusal['blocks']}) {refusal['guard']}: {refusal['evidence']} Way: {refusal['way']}"


def _step_line(number: int, step: Mapping[str, Any]) -> str:
    where = ", ".join(step["hosts"]) or "no host that can be reached"
    skipped = f" (not reached: {', '.join(step['skipped_hosts'])})" if step["skipped_hosts"] else ""
    return f"{number}. {step['name']} [{step['plane']}] on {where}{skipped}: {step['why']}"
