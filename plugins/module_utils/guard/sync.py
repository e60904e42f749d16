# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order synchronous replication is given up and restored, so that the ticket never promises too much. Pure.

Giving up: the ticket says `sync: false`, committed; then commits stop waiting. Restoring: commits wait; a standby is
seen to have applied everything up to a position that was reached while they did; then the ticket says `sync: true`.
"""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple, Optional

NOTHING, STAND_ALONE, SYNCHRONISE = "nothing", "stand_alone", "synchronise"


class Look(NamedTuple):
    """A primary as it was seen. Positions are bytes of the log."""

    waits: bool
    """Whether commits wait for synchronous standbys (`synchronous_standby_names` is not empty)."""
    streams: bool
    """Whether any standby follows, and while commits wait: one that they wait for."""
    position: int
    applied: Optional[int]
    """Up to where a synchronous standby has applied the log; None when none is synchronous."""


class Order(NamedTuple):
    """What the ticket should say (None: leave it), and what is to be done to the database."""

    wish: Optional[bool]
    act: str


class Sync:
    """The order of things during one lease."""

    def __init__(self, degrade: float) -> None:
        """`degrade`: seconds that every standby may be missing before commits stop waiting for one."""
        self._degrade = degrade
        self._missing_since: Optional[float] = None
        self._waited_before = False
        self._base: Optional[int] = None
        self._wish: Optional[bool] = None

    def decide(self, now: float, look: Optional[Look], settled: Optional[bool]) -> Order:
        """Return what follows from a look at `now` (None: the database did not answer, or is no primary).

        `settled` is what the ticket says for certain, `Guard.sync_settled`.
        """
        if look is None:
            self._missing_since = None
            return Order(self._wish, NOTHING)
        if not look.waits:
            return self._without(look, settled)
        if self._is_missing(now, look):
            self._wish = False
            return Order(False, STAND_ALONE if settled is False else NOTHING)
        if self._caught_up(look):
            self._wish = True
        return Order(self._wish, NOTHING)

    def _without(self, look: Look, settled: Optional[bool]) -> Order:
        self._missing_since, self._waited_before, self._base, self._wish = None, False, None, False
        return Order(False, SYNCHRONISE if look.streams and settled is False else NOTHING)

    def _is_missing(self, now: float, look: Look) -> bool:
        if look.streams:
            self._missing_since = None
            return False
        self._missing_since = now if self._missing_since is None else self._missing_since
        self._base = None
        return now - self._missing_since >= self._degrade

    def _caught_up(self, look: Look) -> bool:
        # The server takes a new setting a little after it was told: only the second look is surely under it.
        if self._waited_before and self._base is None:
            self._base = look.position
        self._waited_before = True
        return self._base is not None and look.applied is not None and look.applied >= self._base


def look_of(state: Mapping[str, Any]) -> Optional[Look]:
    """Return the look that a replication driver's `state` is; None of what is no primary at work."""
    if not state["running"] or state["role"] != "primary":
        return None
    position = _bytes(state["lsn"])
    # A base backup's stream tells no position: it is no standby.
    following = [one for one in state["replicas"] if one["state"] == "streaming" and one["lag"] is not None]
    waits = bool(state["settings"]["synchronous_standby_names"])
    if waits:
        # Beside a standby of another name commits would wait for ever.
        following = [one for one in following if one["sync"] != "async"]
    applied = [position - int(one["lag"]) for one in following if one["sync"] in ("sync", "quorum")]
    return Look(waits, bool(following), position, max(applied) if applied else None)


def _bytes(lsn: str) -> int:
    high, _slash, low = lsn.partition("/")
    return (int(high, 16) << 32) + int(low, 16)
