# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long each signal was missing and each disturbance lasted, and which thresholds that suggests. Pure: no I/O.

A gap runs from the first observation without a fresh answer to the first one with an answer again, on the observations'
own clock; a disturbance from the first raw verdict other than NORMAL, BLIND_SPOT and DEGRADED to the next one among
them. Only what healed by itself counts: not what began before the series, was still there at its end, was cut by a
pause of more than `max_gap` between two observations, touched a declared downtime, or ended after a failover of the
site. Those are counted apart.

The rule of a suggestion: a threshold that SHARE of what healed by itself would not have reached - that length (nearest
rank, so one that was seen), one sampling interval more (the median distance of two observations: between two samples it
may have lasted longer), rounded up to whole seconds.
- `fresh` from the gaps: an answer so old still counts while the next one is late.
- `confirm` from the disturbances: a verdict must outlast them.
With `n` of them the next one is longer than all of them with probability 1/(n + 1), if they are of a kind; below ENOUGH
the share is just the longest one.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from datetime import datetime
from typing import Dict, Iterable, List, Mapping, NamedTuple, Optional, Set, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_fields import seconds
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_guards import Case
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_rules import CALM

SHARE = 0.95
ENOUGH = 20
"""With fewer than these, the nearest rank of SHARE is the longest."""

EDGES = (1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 300, 900, 3600)
"""Upper ends of the histogram's bars, in seconds; a last bar has what is longer."""

DISTURBANCE = ("", "")
"""The key of the disturbances, among those of the gaps: a site and a signal."""

Key = Tuple[str, str]


class Healed(NamedTuple):
    """Lengths in seconds of what healed by itself, and how many others there were."""

    lengths: Tuple[float, ...] = ()
    others: int = 0


class Missing(NamedTuple):
    """What was seen: gaps by `(site, signal)`, disturbances, observations by their distance in seconds, `never` seen.

    `never` are the signals that had no answer in the whole series, such as those that nobody asks for.
    """

    gaps: Dict[Key, Healed]
    disturbances: Healed
    distances: Dict[float, int]
    never: Tuple[Key, ...]


class Suggestion(NamedTuple):
    """A threshold in seconds, how many lengths it rests on, and the longest of them."""

    seconds: int
    rests_on: int
    longest: float


class Looking:
    """Collects what is missing, one case after the other."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._lengths: Dict[Key, List[float]] = {}
        self._others: Counter[Key] = Counter()
        self._distances: Counter[float] = Counter()
        self._open: Dict[Key, Optional[datetime]] = {}
        self._never: Optional[Set[Key]] = None
        self._last: Optional[datetime] = None

    def add(self, case: Case) -> None:
        """Take the next case."""
        now, absent = case.picture.observation.now, _absent(case)
        self._never = absent - {DISTURBANCE} if self._never is None else self._never & absent
        if self._goes_on(now, case.picture.policy.max_gap):
            for key in self._open.keys() - absent:
                self._end(key, now)
            self._open.update(dict.fromkeys(absent - self._open.keys(), now))
        else:
            self._others.update(self._open.keys() - absent)
            self._open = dict.fromkeys(absent)
        # What a person or a run has a hand in does not heal by itself.
        self._open.update(dict.fromkeys(key for key in absent if _handled(case, key)))
        self._last = now

    def seen(self) -> Missing:
        """Return what was seen so far."""
        others = self._others + Counter(self._open.keys())
        never = self._never or set()
        keys = sorted({*self._lengths, *others} - never)
        found = {key: Healed(tuple(self._lengths.get(key, ())), others[key]) for key in keys}
        disturbances = found.pop(DISTURBANCE, Healed())
        return Missing(found, disturbances, dict(self._distances), tuple(sorted(never)))

    def _goes_on(self, now: datetime, max_gap: float) -> bool:
        if self._last is None:
            return False
        distance = round(seconds(now, self._last), 1)
        self._distances[distance] += 1
        return distance <= max_gap

    def _end(self, key: Key, now: datetime) -> None:
        since = self._open.pop(key)
        if since is None:
            self._others[key] += 1
        else:
            self._lengths.setdefault(key, []).append(seconds(now, since))


def together(parts: Iterable[Missing]) -> Missing:
    """Return what was seen in several series as one."""
    found = list(parts)
    distances: Counter[float] = Counter()
    for part in found:
        distances.update(part.distances)
    keys = sorted({key for part in found for key in part.gaps})
    never = sorted({key for part in found for key in part.never} - set(keys))
    return Missing(
        {key: _all_healed(part.gaps[key] for part in found if key in part.gaps) for key in keys},
        _all_healed(part.disturbances for part in found),
        dict(distances),
        tuple(key for key in never if all(key in part.never for part in found)),
    )


def suggestion(lengths: Iterable[float], distances: Mapping[float, int]) -> Optional[Suggestion]:
    """Return the threshold that lengths in seconds suggest, by the module's rule; None without any."""
    ordered = sorted(lengths)
    if not ordered:
        return None
    reached = ordered[math.ceil(SHARE * len(ordered)) - 1]
    return Suggestion(math.ceil(reached + median(distances)), len(ordered), ordered[-1])


def median(counts: Mapping[float, int]) -> float:
    """Return the (lower) median of values with their counts, 0 without any."""
    left = sum(counts.values()) / 2
    for value in sorted(counts):
        left -= counts[value]
        if left <= 0:
            return value
    return 0


def bars(lengths: Iterable[float]) -> List[int]:
    """Return how many lengths each bar of the histogram holds: up to each of EDGES, and longer."""
    held = Counter(bisect_left(EDGES, length) for length in lengths)
    return [held[bar] for bar in range(len(EDGES) + 1)]


def _all_healed(parts: Iterable[Healed]) -> Healed:
    found = list(parts)
    return Healed(tuple(length for part in found for length in part.lengths), sum(part.others for part in found))


def _absent(case: Case) -> Set[Key]:
    sites = case.picture.observation.sites.values()
    found = {(site.name, name) for site in sites for name, signal in site.signals.items() if signal.value == "unknown"}
    return found if case.raw.verdict in CALM else found | {DISTURBANCE}


def _handled(case: Case, key: Key) -> bool:
    names = case.picture.observation.names if key == DISTURBANCE else (key[0],)
    failed_over = case.memory is not None and any(case.memory.scope(name) for name in names)
    return failed_over or any(case.picture.site(name).downtime for name in names)
