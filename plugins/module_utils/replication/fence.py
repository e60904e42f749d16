# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the proof that the other side is fenced is good enough to promote on (decision.md, invariant 2). Pure."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, Mapping, Optional

SEEN = frozenset({"stopped_and_revoked", "power_off", "ticket_run_out"})
"""Kinds that were looked at, so they age."""
SAID = frozenset({"attested", "without_fence"})
"""Kinds for which two people stand, until a stated time; `without_fence` for one run only."""


def fence_problem(
    fence: Optional[Mapping[str, Any]], now: datetime, max_age: float, host: str, run_id: Optional[str]
) -> Optional[str]:
    """Return in words why this evidence proves nothing, or None when it holds.

    `fence` is `{kind, seen_at, by}` (and `until`, for kinds that people state; `run_id` with `without_fence`; `host`,
    the host that was fenced). `max_age` in seconds bounds the time between seeing the fence and relying on it.
    """
    if not fence:
        return "nobody has shown that the other side is fenced"
    kind = fence.get("kind")
    if kind in SEEN:
        return _stale(fence, now, max_age) or _of_this_host(fence, host)
    if kind in SAID:
        return _not_attested(fence, now) or _other_run(fence, run_id)
    return f"{kind!r} is no kind of fence; known are {', '.join(sorted(SEEN | SAID))}"


def read_time(text: object) -> Optional[datetime]:
    """Return an ISO 8601 time with its zone, or None when it is none."""
    try:
        time = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


def _stale(fence: Mapping[str, Any], now: datetime, max_age: float) -> Optional[str]:
    seen_at = read_time(fence.get("seen_at"))
    if seen_at is None:
        return f"{fence['kind']} without a time at which it was seen"
    age = now - seen_at
    # Two hosts' clocks may differ a little; a time in the future by more is no evidence of anything.
    if age > timedelta(seconds=max_age) or age < -timedelta(seconds=max_age):
        return f"{fence['kind']} was seen at {fence['seen_at']}, {age.total_seconds():.0f} s ago, limit {max_age:.0f} s"
    return None


def _of_this_host(fence: Mapping[str, Any], host: str) -> Optional[str]:
    if fence.get("host") == host:
        return f"{fence['kind']} is about this very host, {host}"
    return None


def _not_attested(fence: Mapping[str, Any], now: datetime) -> Optional[str]:
    people = {str(name).strip().lower() for name in fence.get("by") or [] if str(name).strip()}
    if len(people) < 2:
        return f"{fence['kind']} needs two different people, and {len(people)} is named"
    until = read_time(fence.get("until"))
    if until is None or until <= now:
        return f"{fence['kind']} by {', '.join(sorted(people))} has run out (until {fence.get('until')})"
    return None


def _other_run(fence: Mapping[str, Any], run_id: Optional[str]) -> Optional[str]:
    if fence["kind"] == "without_fence" and (run_id is None or str(fence.get("run_id")) != run_id):
        return f"without_fence was given for run {fence.get('run_id')}, this is run {run_id}"
    return None
