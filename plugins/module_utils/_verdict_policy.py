# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PRIVATE to the collection. The policy: its keys, their defaults and their ranges (decision.md, "The interface").

Times are seconds; `lag_limit` is in the unit of the database's driver. The timers of probes, runs and the ticket belong
to the policy too and are checked here, so that there is one place for them; no rule of the verdict reads them but one:
what was read first must still be fresh when the silent ones finish.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_fields import Field

READING_SLACK = 5.0
"""Seconds that `fresh` must leave beyond the slowest probe and the connection (decision.md)."""

KILLING = 0.2
"""Seconds that killing the writers takes (decision.md; a SIGKILL of both cgroups was measured at 0.05 to 0.15 s)."""
DRIFT = 0.01
"""How far two hosts' clocks may run apart, of the time measured (decision.md)."""


class Policy(NamedTuple):
    """A policy that was checked; each field is a key of decision.md's policy."""

    call_plane: str = "operator"
    promotion: str = "operator"
    synthetic_calls: bool = True
    witness: bool = True
    fresh: float = 20
    max_gap: float = 30
    schedule_gap: float = 120
    confirm: float = 15
    local_takeover: float = 60
    hold: float = 300
    recover: float = 60
    long_partition: float = 900
    flaps_per_hour: float = 4
    cooldown: float = 3600
    lag_limit: float = 0
    sip_t1: float = 0.2
    sip_tries: float = 6
    probe_deadline: float = 8
    connect_timeout: float = 3
    call_tries: float = 3
    call_quorum: float = 2
    call_deadline: float = 5
    attestation: float = 900
    call_plane_deadline: float = 20
    config_plane_deadline: float = 30
    lock_stale: float = 60
    ticket_hold: float = 10
    ticket_take: float = 13
    ticket_margin: float = 1
    ticket_renew: float = 0.5
    guard_watchdog: float = 2
    replication: str = "async"
    sync_degrade: float = 10
    divergence: float = 3600


Reader = Callable[[Field], Any]


def _moment_or_more(field: Field) -> float:
    return field.number("a number, 0 or more", 0)


def _positive(field: Field) -> float:
    return field.number("a number of at least 0.01", 0.01)


def _count(field: Field) -> float:
    return field.number("a whole number, 1 or more", 1, whole=True)


READERS: Dict[str, Reader] = {
    "call_plane": lambda field: field.choice(("observe", "operator", "auto")),
    "promotion": lambda field: field.choice(("operator", "auto")),
    "synthetic_calls": lambda field: field.flag(),
    "witness": lambda field: field.flag(),
    "fresh": _positive,
    "max_gap": _positive,
    "schedule_gap": _positive,
    "confirm": _moment_or_more,
    "local_takeover": _moment_or_more,
    "hold": _moment_or_more,
    "recover": _moment_or_more,
    "long_partition": _moment_or_more,
    "flaps_per_hour": _count,
    "cooldown": _moment_or_more,
    "lag_limit": _moment_or_more,
    "sip_t1": _positive,
    "sip_tries": _count,
    "probe_deadline": _positive,
    "connect_timeout": _positive,
    "call_tries": _count,
    "call_quorum": _count,
    "call_deadline": _positive,
    "attestation": _positive,
    "call_plane_deadline": _positive,
    "config_plane_deadline": _positive,
    "lock_stale": _positive,
    "ticket_hold": _positive,
    "ticket_take": _positive,
    "ticket_margin": _positive,
    "ticket_renew": _positive,
    "guard_watchdog": _positive,
    "replication": lambda field: field.choice(("async", "sync")),
    "sync_degrade": _positive,
    "divergence": _positive,
}


def read_policy(policy: Optional[Mapping[str, Any]]) -> Policy:
    """Return the policy with its defaults filled in. Raises VerdictInputError with the path `policy.<key>`."""
    field = Field("policy", {} if policy is None else policy)
    for key in sorted(field.mapping()):
        if key not in READERS:
            raise field.get(key).refused(f"no such key; the policy's keys are {', '.join(READERS)}")
    read = Policy(**{key: READERS[key](field.get(key)) for key in field.mapping()})
    _check_together(field, read)
    return read


def _check_together(field: Field, policy: Policy) -> None:
    least = policy.probe_deadline + policy.connect_timeout + READING_SLACK
    if policy.fresh < least:
        wanted = f"at least {least:g} (probe_deadline + connect_timeout + {READING_SLACK:g})"
        raise Field("policy.fresh", policy.fresh).refused(wanted)
    _check_ticket(policy)
    _check_calls(policy)


def _check_ticket(policy: Policy) -> None:
    """A taker outwaits the holder's last moment; a holder outlives two renewals that were lost."""
    last = policy.ticket_hold - policy.ticket_margin + policy.guard_watchdog
    least = round(last + KILLING + DRIFT * policy.ticket_hold, 6)
    if policy.ticket_take < least:
        wanted = f"at least {least:g} (ticket_hold - ticket_margin + guard_watchdog + {KILLING:g} + the clocks' drift)"
        raise Field("policy.ticket_take", policy.ticket_take).refused(f"{wanted}: a taker must outwait the holder")
    shortest = round(policy.ticket_margin + 2 * policy.ticket_renew, 6)
    if policy.ticket_hold <= shortest:
        wanted = f"more than {shortest:g} (ticket_margin + 2 * ticket_renew): one lost renewal must stop nobody"
        raise Field("policy.ticket_hold", policy.ticket_hold).refused(wanted)


def _check_calls(policy: Policy) -> None:
    if policy.call_quorum > policy.call_tries:
        wanted = f"at most call_tries ({policy.call_tries:g}): so many of them must complete"
        raise Field("policy.call_quorum", policy.call_quorum).refused(wanted)
    if policy.call_deadline > policy.probe_deadline:
        wanted = f"at most probe_deadline ({policy.probe_deadline:g}): what was read first would be stale"
        raise Field("policy.call_deadline", policy.call_deadline).refused(wanted)
