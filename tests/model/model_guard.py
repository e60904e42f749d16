# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real guard (module_utils/guard/core.py) and the real ticket's rules as values of the model.

A guard of the model is a number: that of a real ``Guard`` in a table, times relative to now, revisions either the
store's or an older one. Each question is asked of the real code once; the answer is remembered.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import ticket as tickets
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import core
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from model_world import HOSTS, NAMES

NOW = 1000.0
HOLD, MARGIN, RENEW, WATCHDOG = 4.0, 1.0, 1.0, 1.0
TAKE = 5
"""At least HOLD - MARGIN + WATCHDOG + 0.2 + 0.01 * HOLD, as the policy's check wants it."""
NEXT, CURRENT, OLDER = 3, 2, 1
BEFORE, AFTER = 1_000_000.0, 3_000_000.0
UNTIL = "1970-01-24T03:33:20Z"
"""2,000,000 seconds: between the two instants that the wall clock knows."""

Ticket = Mapping[str, Any]


class Exchanged(NamedTuple):
    """What an exchange with the store came to: the guard after it, and the ticket that it wrote (0: none)."""

    guard: int
    wrote: int


class Table:
    """Values that are expensive to compare, each with a number above zero."""

    def __init__(self) -> None:
        self._numbers: dict[object, int] = {}
        self._values: list[Any] = [None]

    def number(self, key: object, value: object) -> int:
        """The number of a value with this key."""
        if key not in self._numbers:
            self._numbers[key] = len(self._values)
            self._values.append(value)
        return self._numbers[key]

    def value(self, number: int) -> Any:
        """The value of a number."""
        return self._values[number]


def frozen(value: object) -> object:
    """A value that can be a key, of data made of mappings, rows and plain things."""
    if isinstance(value, Mapping):
        return tuple(sorted((key, frozen(one)) for key, one in value.items()))
    if isinstance(value, (list, tuple)):
        return tuple(frozen(one) for one in value)
    if dataclasses.is_dataclass(value):
        return (type(value).__name__, frozen(vars(value)))
    return value


_TICKETS, _GUARDS = Table(), Table()


def ticket_number(ticket: Ticket) -> int:
    """The number of a ticket; how often it was changed and by whom it was written decides nothing."""
    plain = _plain_ticket(ticket)
    return _TICKETS.number(frozen(plain), plain)


def ticket(number: int) -> dict[str, Any]:
    """The ticket of a number."""
    return copy.deepcopy(_TICKETS.value(number))


def _plain_ticket(value: Ticket) -> dict[str, Any]:
    return {**value, "n": 0, "by": None}


def changed(number: int, change: Callable[..., Ticket], *arguments: object) -> int | str:
    """The ticket after one of the real functions of ``coordination/ticket.py``, or the refusal's guard in words."""
    try:
        return ticket_number(change(ticket(number), *arguments))
    except RefusedError as refused:
        return str(refused.refusal["guard"])


@cache
def observed(number: int) -> dict[str, Any]:
    """What an observation would say of a ticket."""
    return tickets.observed(ticket(number))


def new_guard(index: int, replication: str, standing: bool) -> int:
    """The guard of a site's host as it begins after a boot or a restart."""
    who, times = (NAMES[index], HOSTS[index], (HOSTS[index],)), (HOLD, MARGIN, RENEW)
    return _number(core.Guard(core.GuardSettings(*who, *times, replication, TAKE if standing else 0)))


def _guard(number: int) -> core.Guard:
    return copy.deepcopy(_GUARDS.value(number))


def _number(guard: core.Guard) -> int:
    for name, value in vars(guard).items():
        setattr(guard, name, _normal(name, value))
    if not guard._settings.kills_within:
        # Nobody asks for it in this setting.
        guard._seen_since = NOW
    return _GUARDS.number(frozen(vars(guard)), guard)


def _normal(name: str, value: Any) -> Any:
    if isinstance(value, core.Found):
        return core.Found(min(value.revision, CURRENT), _plain_ticket(value.ticket) if value.ticket else None)
    if isinstance(value, core.Lease):
        return dataclasses.replace(value, revision=min(value.revision, CURRENT))
    if isinstance(value, core.Kill):
        return core.Kill("")
    if isinstance(value, dict):
        return _plain_ticket(value)
    if isinstance(value, float) and value < NOW - 2 * HOLD:
        # Older than every answer that can still come.
        return NOW - 2 * HOLD
    if name == "_seen_since":
        return max(value, NOW - TAKE)
    return "" if name == "_failure" else value


@cache
def passed(number: int) -> int:
    """A guard one renewal later: every time that it remembers lies further back."""
    guard = _guard(number)
    for name, value in vars(guard).items():
        if isinstance(value, float):
            setattr(guard, name, value - RENEW)
        elif isinstance(value, core.Lease):
            setattr(guard, name, dataclasses.replace(value, deadline=max(NOW - 1, value.deadline - RENEW)))
    return _number(guard)


@cache
def outdated(number: int) -> int:
    """A guard after somebody else changed the ticket: what it has seen is no longer the store's revision."""
    guard = _guard(number)
    for name, value in vars(guard).items():
        if isinstance(value, (core.Found, core.Lease)):
            setattr(guard, name, dataclasses.replace(value, revision=OLDER))
    return _number(guard)


@cache
def ticked(number: int, late_clock: bool) -> tuple[int, tuple[str, ...]]:
    """A guard after its look at the clock, and what it does: `kill`, `start`."""
    guard = _guard(number)
    actions = guard.tick(NOW, AFTER if late_clock else BEFORE)
    return _number(guard), tuple("kill" if isinstance(action, core.Kill) else "start" for action in actions)


@cache
def exchanged(number: int, lying: int, answer: str) -> Exchanged:
    """A guard after an exchange with the store, in which `lying` lies.

    answer: `heard`; `lost` (the store did it, the guard never hears of it); `none` (it never came to the store).
    """
    guard = _guard(number)
    request = guard.request(NOW)
    wrote, outcome = 0, core.Found(CURRENT, ticket(lying))
    if isinstance(request, core.Write):
        if request.expected_revision == CURRENT and answer != "none":
            wrote, outcome = ticket_number(request.ticket), core.Committed(NEXT)
        else:
            outcome = core.Conflict(CURRENT, ticket(lying))
    if answer == "heard":
        guard.reply(request, NOW, NOW, outcome)
        return Exchanged(_number(guard), wrote)
    guard.reply(request, NOW, NOW, core.Failed("no answer"))
    after = _number(guard)
    return Exchanged(outdated(after) if wrote else after, wrote)


@cache
def stood(number: int) -> int:
    """For how many renewals a guard knows that the revision that lies in the store stands."""
    standing = _GUARDS.value(number).standing if number else None
    return int(NOW - standing.since) if standing and standing.revision == CURRENT else 0


@cache
def fresh(number: int, late_clock: bool) -> bool:
    """Whether a guard's host has a lease on which writers may run."""
    until = _GUARDS.value(number).good_until(NOW, AFTER if late_clock else BEFORE) if number else None
    return until is not None and until > NOW


@cache
def wished(number: int, sync: bool) -> int:
    """A guard after the host's wish of what the ticket says about synchronous replication."""
    guard = _guard(number)
    guard.sync_wanted(sync)
    return _number(guard)


@cache
def settled_sync(number: int) -> bool | None:
    """What the ticket says for certain about synchronous replication, as this guard knows it."""
    return _GUARDS.value(number).sync_settled if number else None


def forget() -> None:
    """Forget every answer: the code that gave them was changed by a test."""
    for remembered in (passed, outdated, ticked, exchanged, stood, fresh, wished, settled_sync, observed):
        remembered.cache_clear()
