# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A decision as a person reads it (experience.md): verdict, evidence, what it unlocks, why not something worse."""

from __future__ import annotations

from typing import Any, Iterable, List, Mapping


def verdict_text(decision: Mapping[str, Any]) -> List[str]:
    """Return a decision of `verdict.decide` or `verdict.track` as lines."""
    lines = [_heading(decision), *(f"  {sentence}" for sentence in decision["evidence"])]
    lines += _may("Automatic", decision["automatic"])
    lines += _may("Needs you", [_with_people(name, decision) for name in decision["operator"]])
    lines += _may("Forbidden", decision["forbidden"])
    return lines + [f"  Not met: {one['guard']}: {one['text']}{_kept(one)}" for one in decision["unmet"]]


def _heading(decision: Mapping[str, Any]) -> str:
    subject = f" {decision['site']}" if decision["site"] else ""
    waits = [f"{name} {left:.0f} s" for name, left in (decision.get("remaining") or {}).items()]
    settled = "" if decision.get("settled", True) else f", not settled: the rules say {decision['raw']}"
    running = f" (still running: {', '.join(waits)})" if waits else ""
    return f"{decision['verdict']}{subject}{settled}{running}"


def _may(who: str, actions: Iterable[str]) -> List[str]:
    named = ", ".join(actions)
    return [f"  {who}: {named}"] if named else []


def _with_people(action: str, decision: Mapping[str, Any]) -> str:
    return f"{action} (two people)" if action in decision["two_people"] else action


def _kept(unmet: Mapping[str, Any]) -> str:
    return f" (keeps back {', '.join(unmet['actions'])})" if unmet.get("actions") else ""
