# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A model of `track`: it keeps every sample and every event, and answers each question from all of them.

It is written from decision.md's section "Time" and shares no code with the decision. Seconds count from the start.
"""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Tuple

NAMES = ("site1", "site2")
CALM = ("NORMAL", "BLIND_SPOT", "DEGRADED")
STANDING = ("OBSERVER_BLIND", "DUAL_MASTER", "BOTH_DOWN", "SITE_DOWNTIME", "SITE_DOWN", "SITE_DOWN_PEER_UNFIT")
DEAD_SITES = ("BOTH_DOWN", "SITE_DOWNTIME", "SITE_DOWN", "SITE_DOWN_PEER_UNFIT")
CONFIRM, TAKEOVER, HOLD, RECOVER, LONG, COOLDOWN, MAX_GAP, SCHEDULE_GAP, FLAPS = 15, 60, 300, 60, 900, 3600, 30, 120, 4


class Sample(NamedTuple):
    """One observation as the model keeps it."""

    at: float
    bundle: Dict[str, Any]
    raw: str
    site: Optional[str]
    stack_down: bool
    heard: Tuple[str, ...]
    healthy: bool

    @property
    def finding(self) -> Tuple[str, Optional[str]]:
        return self.raw, self.site

    def carries_calls(self, name: str) -> bool:
        seen = self.bundle["sites"][name]
        return (seen["gateways"], seen["calls"]) == ("up", "up")


class Happening(NamedTuple):
    """An event with the place of the sample that brought it."""

    at: float
    type: str
    site: Optional[str]
    scope: str
    place: int


class Model:
    """Every sample and every event, and what follows from them."""

    def __init__(self) -> None:
        self.samples: List[Sample] = []
        self.events: List[Happening] = []

    @property
    def now(self) -> float:
        return self.samples[-1].at

    def stretch(self) -> List[Sample]:
        """Return the last samples that say the same."""
        first = len(self.samples) - 1
        while first and self.samples[first - 1].finding == self.samples[-1].finding:
            first -= 1
        return self.samples[first:]

    def runs(self) -> List[List[Sample]]:
        """Return the stretch, cut wherever nobody looked for longer than max_gap."""
        found: List[List[Sample]] = []
        for sample in self.stretch():
            if found and sample.at - found[-1][-1].at <= MAX_GAP:
                found[-1].append(sample)
            else:
                found.append([sample])
        return found

    def left_to_confirm(self) -> float:
        """Return the seconds until the last sample's verdict is settled, 0 or less when it is."""
        return left_to_confirm(self.runs()[-1])

    def settled_since(self) -> Optional[float]:
        """Return since when the verdict has been settled, over the gaps of a schedule; None when it is not."""
        since, before = None, None
        for run in self.runs():
            if before is not None and run[0].at - before >= SCHEDULE_GAP:
                since = None
            since = settles(run, since)
            before = run[-1].at
        return since if self.left_to_confirm() <= 0 else None

    def clean_since(self, name: str) -> Optional[float]:
        """Return since when a site has been clean, None when it is not."""
        since, before = None, None
        for sample in self.samples:
            clean = sample.raw in CALM and sample.carries_calls(name)
            kept = since if before is not None and sample.at - before <= MAX_GAP else None
            since, before = (sample.at if kept is None else kept) if clean else None, sample.at
        return since

    def last(self, kind: str, site: Optional[str] = None, scope: str = "", place: Optional[int] = None) -> float:
        """Return the last time of an event, before everything when there was none."""
        known = len(self.samples) if place is None else place
        found = [each for each in self.events if each.type == kind and each.place <= known]
        named = [each for each in found if site is None or each.site in (site, None)]
        return max([each.at for each in named if scope in ("", each.scope)], default=float("-inf"))

    def scope(self, name: str) -> Optional[str]:
        """Return how far a site was failed over and not let in since."""
        let_in = self.last("let_in", name)
        for scope in ("config", "call"):
            when = self.last("failover_done", name, scope)
            if when > float("-inf") and when > let_in:
                return scope
        return None

    def returning(self) -> List[str]:
        """Return the sites that were heard again after their last failover and not let in."""
        found = []
        for name in NAMES:
            done = [each for each in self.events if each.type == "failover_done" and each.site == name]
            place = max(done, key=lambda each: (each.at, -each.place)).place if done else 0
            heard = any(name in sample.heard and sample.healthy for sample in self.samples[place:])
            if done and heard and self.scope(name):
                found.append(name)
        return found

    def flapping(self) -> bool:
        """Whether FLAPPING is latched, after each sample in turn."""
        since = None
        for place, sample in enumerate(self.samples):
            known = self.last("acknowledged", place=place)
            if since is not None and known >= since:
                since = None
            departures = [each for each in self.departures(place) if sample.at - each < 3600 and each > known]
            if since is None and len(departures) > FLAPS:
                since = sample.at
        return since is not None

    def departures(self, place: int) -> List[float]:
        """Return when a calm verdict was left, up to a sample."""
        pairs = zip(self.samples[:place], self.samples[1 : place + 1])
        return [after.at for before, after in pairs if before.raw in CALM and after.raw not in CALM]

    def unacknowledged(self) -> bool:
        """Whether anybody's failover has not been acknowledged."""
        return any(self.last("failover_done", name) > self.last("acknowledged", name) for name in NAMES)

    def cooling(self) -> float:
        """Return the seconds of cool-down that are left."""
        return max(0, COOLDOWN - (self.now - self.last("failover_done")))

    def shown(self) -> str:
        """Return the verdict that stands."""
        sample = self.samples[-1]
        if sample.raw not in STANDING and self.returning():
            return "RETURNING"
        if sample.raw not in STANDING and self.flapping():
            return "FLAPPING"
        return sample.raw if self.left_to_confirm() <= 0 else "SUSPECT"

    def remaining(self, drained: List[str]) -> Dict[str, float]:
        """Return the seconds left of each clock that runs."""
        clocks = {"confirm": self.left_to_confirm(), "cooldown": self.cooling()}
        since, (raw, _) = self.settled_since(), self.samples[-1].finding
        length = {"SITE_DOWN": ("hold", HOLD), "PARTITION": ("long_partition", LONG)}.get(raw)
        if length and since is not None:
            clocks[length[0]] = length[1] - (self.now - since)
        clean = [when for when in map(self.clean_since, drained) if when is not None]
        if clean:
            clocks["recover"] = max(RECOVER - (self.now - when) for when in clean)
        return {clock: round(left, 3) for clock, left in clocks.items() if left > 0}


def left_to_confirm(run: List[Sample]) -> float:
    """Return the seconds that a run of equal samples still needs, 0 or less when it is settled."""
    if run[-1].raw in CALM:
        return 0
    rests = run[-1].raw in DEAD_SITES and any(sample.stack_down for sample in run)
    return (max(CONFIRM, TAKEOVER) if rests else CONFIRM) - (run[-1].at - run[0].at)


def settles(run: List[Sample], before: Optional[float]) -> Optional[float]:
    """Return since when a verdict has been settled after a run, given since when it was before the gap."""
    since = before
    resuming = before is not None
    for end in range(1, len(run) + 1):
        if left_to_confirm(run[:end]) <= 0:
            since, resuming = (run[end - 1].at if since is None else since), False
        elif not resuming:
            since = None
    return since
