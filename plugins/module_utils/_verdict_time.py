# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PRIVATE to the collection. Time: one observation folded into what is remembered (decision.md, "Time").

Where decision.md is silent:
- A verdict that rests on STACK_DOWN in any of its samples needs `local_takeover` since it began: a site whose stack
  died and whose vantage host then fell silent may still be taking over.
- `hold` and `long_partition` start when the verdict has settled, not when it was first seen.
- What an unhealthy observer reports of masters, of a site heard again or of a clean site is not remembered.
- "Clean" is a raw verdict of NORMAL, BLIND_SPOT or DEGRADED while the drained site's gateways, and calls where they are
  asked for, are up: a site that was drained because calls failed is not clean because nobody looks any more.
- A failover from the future counts as of now. An acknowledgement or a letting in from the future, beyond the clocks'
  skew, does not count yet: it cannot answer for a failover that has not happened.
- A configuration failover moves the last master seen to the survivor, unless a master was seen later.
- An acknowledgement that names a site is about that site's failover; about FLAPPING it says the same.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Dict, Optional, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_fields import Field, seconds, time_text
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_memory import (
    Lasting,
    Memory,
    Run,
    Times,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_observation import (
    CLOCK_SKEW,
    Event,
    Observation,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_policy import Policy
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_rules import CALM, Finding
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_states import Picture, heard_by

HOUR = timedelta(hours=1)

BY_PEOPLE = ("acknowledged", "let_in")
"""Events by which a person answers for a failover that has been."""

RESTING_ON_STATES = ("BOTH_DOWN", "SITE_DOWNTIME", "SITE_DOWN", "SITE_DOWN_PEER_UNFIT")


def fold(before: Optional[Memory], picture: Picture, raw: Finding) -> Memory:
    """Return what is remembered after this observation. Raises VerdictInputError when time runs backwards."""
    seen = picture.observation
    if before is not None:
        _check_continues(before, seen)
    merged = _with_events(before if before is not None else _empty(seen, raw), seen)
    gap = 0.0 if before is None else seconds(seen.now, before.taken_at)
    run = _run(before, picture, raw, gap)
    master, master_at = _last_master(merged, picture)
    departures = _departures(merged, before, raw, seen.now)
    return merged._replace(
        taken_at=seen.now,
        run=run,
        lasting=_lasting(merged.lasting, run, picture, gap),
        clean_since=_clean(merged.clean_since, picture, raw, gap),
        departures=departures,
        flapping_since=_flapping(merged, departures, picture.policy, seen.now),
        last_master=master,
        last_master_at=master_at,
        heard_since=_heard(merged, picture),
    )


def needed(run: Run, policy: Policy) -> float:
    """Return the seconds that a raw verdict must last before it is settled."""
    if run.finding.verdict in CALM:
        return 0
    return max(policy.confirm, policy.local_takeover) if run.stack_down else policy.confirm


def settled(run: Run, policy: Policy, now: datetime) -> bool:
    """Whether the raw verdict has lasted as long as it must."""
    return seconds(now, run.since) >= needed(run, policy)


def _check_continues(before: Memory, seen: Observation) -> None:
    if set(before.names) != set(seen.names):
        raise Field("state.sites", list(before.names)).refused(f"the observation's sites, {' and '.join(seen.names)}")
    if seen.now < before.taken_at:
        wanted = f"a time no earlier than the last one, {time_text(before.taken_at)}"
        raise Field("observation.taken_at", time_text(seen.now)).refused(wanted)


def _empty(seen: Observation, raw: Finding) -> Memory:
    run = Run(raw, seen.now, False)
    return Memory(seen.now, seen.names, run, None, {}, (), None, None, None, {}, {}, {}, {}, {})


def _with_events(memory: Memory, seen: Observation) -> Memory:
    for event in sorted(seen.events, key=lambda each: each.at):
        if event.type not in BY_PEOPLE or seconds(event.at, seen.now) <= CLOCK_SKEW:
            memory = _with_event(memory, event._replace(at=min(event.at, seen.now)))
    return memory


def _with_event(memory: Memory, event: Event) -> Memory:
    sites = (event.site,) if event.site else memory.names
    if event.type == "acknowledged":
        return memory._replace(acknowledged=_latest(memory.acknowledged, sites, event.at))
    if event.type == "let_in":
        return memory._replace(let_in=_latest(memory.let_in, sites, event.at))
    if event.type == "run_aborted":
        return memory
    if event.scope == "call":
        return memory._replace(failed_over_call=_latest(memory.failed_over_call, sites, event.at))
    memory = memory._replace(failed_over_config=_latest(memory.failed_over_config, sites, event.at))
    if memory.last_master_at is not None and memory.last_master_at > event.at:
        return memory
    survivor = next(name for name in memory.names if name != event.site)
    return memory._replace(last_master=survivor, last_master_at=event.at)


def _latest(times: Times, sites: Tuple[str, ...], at: datetime) -> Times:
    return {**times, **{name: max(at, times.get(name, at)) for name in sites}}


def _run(before: Optional[Memory], picture: Picture, raw: Finding, gap: float) -> Run:
    stack_down = raw.verdict in RESTING_ON_STATES and bool(picture.in_state("STACK_DOWN"))
    if before is None or before.run.finding != raw or gap > picture.policy.max_gap:
        return Run(raw, picture.observation.now, stack_down)
    return before.run._replace(stack_down=before.run.stack_down or stack_down)


def _lasting(lasting: Optional[Lasting], run: Run, picture: Picture, gap: float) -> Optional[Lasting]:
    """Start a clock when a verdict settles; keep it while it lasts, and over a gap if it settles again."""
    policy, now = picture.policy, picture.observation.now
    kept = lasting if lasting and lasting.finding == run.finding else None
    if kept and gap > policy.max_gap:
        kept = kept._replace(resuming=True) if gap < policy.schedule_gap else None
    if settled(run, policy, now):
        return kept._replace(resuming=False) if kept else Lasting(run.finding, now, False)
    return kept if kept and kept.resuming else None


def _clean(before: Times, picture: Picture, raw: Finding, gap: float) -> Times:
    if raw.verdict not in CALM:
        return {}
    kept = before if gap <= picture.policy.max_gap else {}
    names = [name for name in picture.observation.names if _carries_calls(picture, name)]
    return {name: kept.get(name, picture.observation.now) for name in names}


def _carries_calls(picture: Picture, name: str) -> bool:
    site = picture.site(name)
    return site.up("gateways") and (site.up("calls") or not picture.policy.synthetic_calls)


def _departures(merged: Memory, before: Optional[Memory], raw: Finding, now: datetime) -> Tuple[datetime, ...]:
    """Return the departures of the last hour that nobody has acknowledged."""
    known = merged.last_acknowledged()
    kept = [at for at in merged.departures if now - at < HOUR and (known is None or at > known)]
    departed = before is not None and before.run.finding.verdict in CALM and raw.verdict not in CALM
    return (*kept, now) if departed else tuple(kept)


def _flapping(merged: Memory, departures: Tuple[datetime, ...], policy: Policy, now: datetime) -> Optional[datetime]:
    since, known = merged.flapping_since, merged.last_acknowledged()
    latched = since if since is not None and (known is None or known < since) else None
    return latched or (now if len(departures) > policy.flaps_per_hour else None)


def _last_master(merged: Memory, picture: Picture) -> Tuple[Optional[str], Optional[datetime]]:
    masters = picture.masters()
    if len(masters) == 1 and picture.observation.healthy:
        return masters[0], picture.observation.now
    return merged.last_master, merged.last_master_at


def _heard(merged: Memory, picture: Picture) -> Dict[str, datetime]:
    """Return since when each site that was failed over has been heard again."""
    heard = dict(merged.heard_since)
    for name in picture.observation.names:
        waiting = merged.failed_over_at(name) is not None and not merged.heard_again(name)
        if waiting and picture.observation.healthy and heard_by(picture.view(name)):
            heard[name] = picture.observation.now
    return heard
