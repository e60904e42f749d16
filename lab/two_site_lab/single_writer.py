# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checker: was there one writer of the configuration, always, and was any acknowledged write lost? Pure.

It judges what others noted and asks nobody: the Configuration Servers' own logs of both sites, the rows of both
databases, and the log of a writer that stands outside (``truth_configuration_writer``). One clock for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from two_site_lab.truth_configuration import Term, compare, terms, two_writers

Row = tuple[str, int]  # the term and the number of a write: numbers alone are given twice where two databases part


@dataclass(frozen=True)
class Database:
    """What a site's database has: its writes' rows, the outside writer's values, and may its writer write now?"""

    rows: frozenset[Row] = frozenset()
    values: tuple[str, ...] = ()
    writable: bool = False


@dataclass(frozen=True)
class Evidence:
    """records: of both servers' logs; outcomes: of the outside writer; databases: by site, those that answer."""

    records: Sequence[Mapping[str, Any]] = ()
    outcomes: Sequence[Mapping[str, Any]] = ()
    databases: Mapping[str, Database] = field(default_factory=dict)


@dataclass(frozen=True)
class Outage:
    """The longest time between two acknowledged writes: seconds, and its two ends (seconds since the epoch)."""

    seconds: float
    begun: float
    ended: float


@dataclass(frozen=True)
class Verdict:
    """What the evidence proves.

    overlaps: pairs of terms at one time, each a violation. primary: the site whose database counts in the end; without
    one nothing can be said of losses and what follows is None. lost: numbers of acknowledged writes that are not there;
    accepted_lost: how many writes are not there that a server accepted, acknowledged or not; diverged: how many rows
    another site's database has that are not there.
    """

    terms: tuple[Term, ...]
    overlaps: tuple[tuple[Term, Term], ...]
    primary: str | None
    acknowledged: int
    lost: tuple[int, ...] | None
    accepted_lost: int | None
    diverged: int | None
    outage: Outage | None

    @property
    def single_writer(self) -> bool:
        """Whether no two masters were in service at one time."""
        return not self.overlaps


def judge(evidence: Evidence) -> Verdict:
    """The verdict on a run."""
    primary = final_primary(evidence)
    acknowledged = [outcome for outcome in evidence.outcomes if outcome["outcome"] == "accepted"]
    if primary is None:
        lost, accepted_lost, diverged = None, None, None
    else:
        there = evidence.databases[primary]
        others = [base.rows for site, base in evidence.databases.items() if site != primary]
        lost = tuple(compare(evidence.outcomes, there.values).lost)
        accepted_lost = len(_accepted(evidence.records) - there.rows)
        diverged = len(frozenset().union(*others) - there.rows)
    return Verdict(
        terms=tuple(terms(evidence.records)),
        overlaps=tuple(two_writers(evidence.records)),
        primary=primary,
        acknowledged=len(acknowledged),
        lost=lost,
        accepted_lost=accepted_lost,
        diverged=diverged,
        outage=longest_outage(acknowledged),
    )


def final_primary(evidence: Evidence) -> str | None:
    """The site whose database its Configuration Server may write to; of several, the one whose master began last."""
    writable = [site for site, base in evidence.databases.items() if base.writable]
    began = {term.site: term.first for term in terms(evidence.records)}
    ordered = sorted((site for site in writable if site in began), key=lambda site: began[site])
    return next(reversed(ordered or writable), None)


def longest_outage(acknowledged: Iterable[Mapping[str, Any]]) -> Outage | None:
    """The longest wait from one acknowledgement to the next; None for fewer than two of them."""
    moments = sorted(outcome["ended"] for outcome in acknowledged)
    waits = [Outage(later - earlier, earlier, later) for earlier, later in pairwise(moments)]
    return max(waits, key=lambda outage: outage.seconds, default=None)


def _accepted(records: Iterable[Mapping[str, Any]]) -> frozenset[Row]:
    return frozenset((record["term"], record["seq"]) for record in records if "event" not in record)
