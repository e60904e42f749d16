# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report for a person at three in the morning: plain text, the worst first, every refusal with its way round."""

from __future__ import annotations

import textwrap
from typing import Any, Dict, List, Mapping

WIDTH = 100
COMMAND = " -e "
"""What the part of a way round begins with that is to be copied as it stands."""


def report_text(report: Mapping[str, Any]) -> str:
    """Write out a report of `report.build_report`; lines of at most WIDTH columns where the words allow it."""
    sections = {
        "": _head(report),
        "WHAT THE BUSINESS ASKS FOR": _table(report["table"]),
        "THE PLAN, AND WHAT HAPPENED": [line for step in _numbered(report["steps"]) for line in step],
        "REFUSED": [line for refusal in report["refused"] for line in _refusal(refusal)],
        "OVERRIDES USED": [_override(override) for override in report["overrides"]],
        "CHECKS": [_check(check) for check in report["checks"]],
        "WHY NOTHING STRONGER WAS DECIDED": [f"  - {_unmet(guard)}" for guard in report["unmet"]],
        "TIMELINE": [f"  {moment['at']}  {moment['what']}" for moment in report["timeline"]],
    }
    lines: List[str] = []
    for title, body in sections.items():
        lines += ["", title] if title and body else []
        lines += body
    return "\n".join(folded for line in lines for folded in _fold(line)) + "\n"


def verdict_line(report: Mapping[str, Any]) -> str:
    """Return the verdict in a word or two: `SITE_DOWN site1`."""
    return " ".join(str(part) for part in (report["verdict"] or "no verdict", report["site"]) if part)


def _head(report: Mapping[str, Any]) -> List[str]:
    title = f"sip-dr, run {report['run_id']}"
    why = [f"  {_capital(report['why'])}."] if report["why"] else []
    loud = [f"UNPROTECTED: {sentence}" for sentence in report["unprotected"]]
    return [
        title,
        "=" * len(title),
        f"VERDICT  {verdict_line(report)}",
        *(f"  - {sentence}" for sentence in report["evidence"]),
        f"OUTCOME  {report['outcome']}",
        *why,
        *loud,
    ]


def _table(rows: List[Mapping[str, Any]]) -> List[str]:
    width = max(len(row["what"]) for row in rows)
    return [
        f"  {row['what']:<{width}}  {row['value']}" + (f"  (target {row['target']})" if row["target"] else "")
        for row in rows
    ]


def _numbered(steps: List[Mapping[str, Any]]) -> List[List[str]]:
    width = max((len(step["name"]) for step in steps), default=0)
    return [_step(number, step, width) for number, step in enumerate(steps, 1)]


def _step(number: int, step: Mapping[str, Any], width: int) -> List[str]:
    time = f"  {_clock(step['began'] or step['ended'])}" if step["began"] or step["ended"] else ""
    took = f"  {step['seconds']} s" if step["seconds"] is not None else ""
    same = "  (already so)" if step["status"] == "ok" and step["ended"] and not step["changed"] else ""
    where = ", ".join(step["hosts"]) or "no host"
    skipped = f"; not reached: {', '.join(step['skipped_hosts'])}" if step["skipped_hosts"] else ""
    return [
        f"  {number}. {step['name']:<{width}}  {_loud(step['status'])}{time}{took}{same}",
        f"       on {where}{skipped}",
        *([f"       {step['why']}"] if step["why"] else []),
        *(f"       > {detail}" for detail in step["details"]),
    ]


def _loud(status: str) -> str:
    return status if status == "ok" else status.upper()


def _refusal(refusal: Mapping[str, Any]) -> List[str]:
    way, command = (refusal["way"].split(COMMAND, 1) + [""])[:2]
    return [
        f"  {refusal['guard']} (blocks: {refusal['blocks']})",
        f"       {refusal['evidence']}",
        f"       way round: {way}",
        *([f"           {COMMAND.strip()} {command}"] if command else []),
    ]


def _override(override: Mapping[str, Any]) -> str:
    until = f", until {override['until']}" if override.get("until") else ""
    people = " and ".join(override["by"]) or "nobody named"
    return f"  {override['name']} for run {override['run_id']}, by {people}{until}"


def _check(check: Mapping[str, Any]) -> str:
    words: Dict[Any, str] = {True: "ok", False: "FAILED"}
    detail = f": {check['detail']}" if check.get("detail") else ""
    return f"  {check['name']}  {words.get(check.get('ok'), 'UNKNOWN')}{detail}"


def _unmet(guard: Mapping[str, Any]) -> str:
    held = f" (keeps back: {', '.join(guard['actions'])})" if guard["actions"] else ""
    return f"{guard['text']}{held}"


def _clock(moment: str) -> str:
    return moment[11:23].rstrip("Z") if len(moment) > 18 else moment


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".")


def _fold(line: str) -> List[str]:
    if not line:
        return [""]
    if line.lstrip().startswith(COMMAND.strip()):
        return [line]
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    return textwrap.wrap(line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
