# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A saved series judged under another policy: what would have been said and fired, and when. Pure: no I/O.

Decisions change what happens next, and what was saved did not: after the first observation at which the two policies
act differently, a backtest tells what the new one says of the old one's world.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Tuple, TypeVar

from ansible_collections.contactcenter.sip_dr.plugins.module_utils import missing
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_rules import CALM
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_unlocks import HARMLESS
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.missing import Looking, Missing
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.series import Beginning, Judged, entries
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import Judgement, Tracker

QUIET = tuple(action for action in HARMLESS if action != "page")
"""Automatic actions that are no event: all that change nothing, but for the one that wakes a person."""


class Said(NamedTuple):
    """What a decision says, as far as a backtest compares it; `raw` is None where it was made without memory."""

    verdict: str
    site: Optional[str]
    raw: Optional[str]
    fires: Tuple[str, ...]

    def __str__(self) -> str:
        about = f" {self.site}" if self.site else ""
        return f"{self.verdict}{about}{' (' + ', '.join(self.fires) + ')' if self.fires else ''}"


class Fired(NamedTuple):
    """An automatic action that one observation brought, and the verdict that it came with."""

    at: datetime
    action: str
    said: Said


class Stretch(NamedTuple):
    """Successive observations, first and last, of which the same is said."""

    since: datetime
    until: datetime
    observations: int
    said: Any


class Side(NamedTuple):
    """What one policy made of a series.

    `departures`: when the raw verdict left {NORMAL, BLIND_SPOT, DEGRADED}, and for what. `stretches`: of a verdict
    other than these, by verdict and site. `fired`: automatic actions but QUIET, once each time they become automatic.
    """

    departures: List[Fired]
    stretches: List[Stretch]
    fired: List[Fired]


class Backtest(NamedTuple):
    """What a backtest came to; several add up with `together`.

    `now` is under the new policy, `then` as it was decided; `compared` counts the observations with a saved decision,
    and `differences` are stretches in which pairs (then, now) differ.
    """

    observations: int
    compared: int
    first: Optional[datetime]
    last: Optional[datetime]
    now: Side
    then: Side
    differences: List[Stretch]
    missing: Missing


Key = TypeVar("Key")


class _Runs(Generic[Key]):
    """Puts successive equal keys together; None is a key that nobody wants to know of."""

    def __init__(self) -> None:
        self.found: List[Stretch] = []
        self._key: Optional[Key] = None

    def add(self, at: datetime, key: Optional[Key]) -> None:
        if key is not None and key == self._key:
            last = self.found[-1]
            self.found[-1] = Stretch(last.since, at, last.observations + 1, key)
        elif key is not None:
            self.found.append(Stretch(at, at, 1, key))
        self._key = key


class _Telling:
    """Collects what one side says."""

    def __init__(self) -> None:
        self._runs: _Runs[Tuple[str, Optional[str]]] = _Runs()
        self._last: Optional[Said] = None
        self.side = Side([], self._runs.found, [])

    def add(self, at: datetime, said: Said) -> None:
        last, self._last = self._last, said
        self._runs.add(at, None if said.verdict in CALM else (said.verdict, said.site))
        if last is not None and last.raw in CALM and said.raw not in CALM:
            self.side.departures.append(Fired(at, str(said.raw), said))
        known = last.fires if last is not None else ()
        self.side.fired.extend(Fired(at, action, said) for action in said.fires if action not in known)


def backtest(lines: Iterable[str], changes: Mapping[str, Any]) -> Backtest:
    """Judge a series under its saved policy with `changes` to it.

    Raises SeriesError for a line that is none, VerdictInputError for malformed content or a policy out of range.
    """
    now, then, looking = _Telling(), _Telling(), Looking()
    differences: _Runs[Tuple[Said, Said]] = _Runs()
    first = last = None
    counted = compared = 0
    for entry, judgement in _judgements(lines, changes):
        last = judgement.case.picture.observation.now
        first, counted = first or last, counted + 1
        said = _says(judgement)
        now.add(last, said)
        looking.add(judgement.case)
        saved = _said(entry.decision) if entry.decision else None
        if saved is not None:
            compared += 1
            then.add(last, saved)
        differences.add(last, (saved, said) if saved is not None and saved != said else None)
    return Backtest(counted, compared, first, last, now.side, then.side, differences.found, looking.seen())


def together(parts: Iterable[Backtest]) -> Backtest:
    """Return the backtests of several series as one, in the order of time."""
    found = list(parts)
    moments = sorted(moment for part in found for moment in (part.first, part.last) if moment is not None)
    return Backtest(
        observations=sum(part.observations for part in found),
        compared=sum(part.compared for part in found),
        first=moments[0] if moments else None,
        last=moments[-1] if moments else None,
        now=_sides([part.now for part in found]),
        then=_sides([part.then for part in found]),
        differences=sorted((each for part in found for each in part.differences), key=lambda each: each.since),
        missing=missing.together(part.missing for part in found),
    )


def _sides(sides: List[Side]) -> Side:
    return Side(
        sorted((each for side in sides for each in side.departures), key=lambda each: each.at),
        sorted((each for side in sides for each in side.stretches), key=lambda each: each.since),
        sorted((each for side in sides for each in side.fired), key=lambda each: each.at),
    )


def _judgements(lines: Iterable[str], changes: Mapping[str, Any]) -> Iterator[Tuple[Judged, Judgement]]:
    tracker = None
    for _, entry in entries(lines):
        if isinstance(entry, Beginning):
            tracker = _go_on(tracker, entry, changes)
        else:
            tracker = tracker or Tracker({}, changes)
            yield entry, tracker.judge(entry.observation)


def _go_on(tracker: Optional[Tracker], entry: Beginning, changes: Mapping[str, Any]) -> Tracker:
    """Keep what was folded under the new policy where the saved state only goes on from the last observation."""
    mine = tracker.state() if tracker else {}
    goes_on = bool(mine) and mine["taken_at"] == entry.state.get("taken_at")
    return Tracker(mine if goes_on else entry.state, {**entry.policy, **changes})


def _says(judgement: Judgement) -> Said:
    case = judgement.case
    return Said(case.shown.verdict, case.shown.site, case.raw.verdict, _loud(judgement.automatic()))


def _said(decision: Mapping[str, Any]) -> Said:
    return Said(decision["verdict"], decision["site"], decision.get("raw"), _loud(decision["automatic"]))


def _loud(automatic: List[str]) -> Tuple[str, ...]:
    return tuple(action for action in automatic if action not in QUIET)
