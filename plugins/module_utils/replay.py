# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judging a saved series again: the same bundle gives the same verdict, bit for bit (decision.md, invariant 13).
Pure: no I/O.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.series import Beginning, canonical, entries
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import Tracker

NOTHING = "nothing"


class Difference(NamedTuple):
    """Where a decision differs from the saved one; `path` as in "decision.evidence[2]", the values as JSON."""

    line: int
    path: str
    saved: str
    replayed: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.path}: saved {self.saved}, replayed {self.replayed}"


class Replay(NamedTuple):
    """What a replay came to.

    `judged` counts the observations, `compared` those with a saved decision; `difference` is the first one, None when
    all are the same.
    """

    judged: int
    compared: int
    difference: Optional[Difference]


def replay(lines: Iterable[str]) -> Replay:
    """Judge a series' observations again, up to the first difference.

    Raises SeriesError for a line that is none, VerdictInputError for one whose content is malformed.
    """
    counted = compared = 0
    for number, saved, again in decisions(lines):
        counted += 1
        if saved is None:
            continue
        compared += 1
        if canonical(saved) != canonical(again):
            return Replay(counted, compared, Difference(number, *first_difference("decision", saved, again)))
    return Replay(counted, compared, None)


def decisions(lines: Iterable[str]) -> Iterator[Tuple[int, Optional[Mapping[str, Any]], Mapping[str, Any]]]:
    """Return for each observation the number of its line, the saved decision and the one made now."""
    tracker = Tracker({})
    for number, entry in entries(lines):
        if isinstance(entry, Beginning):
            tracker = Tracker(entry.state, entry.policy)
        else:
            yield number, entry.decision, tracker.judge(entry.observation).decision()


def first_difference(name: str, saved: object, again: object) -> Tuple[str, str, str]:
    """Return where plain data differs first: the path below `name`, and both values as JSON."""
    old, new = _leaves(name, saved), _leaves(name, again)
    paths = sorted({*old, *new}, key=lambda path: (path not in old, path))
    differing = (path for path in paths if old.get(path) != new.get(path))
    path = next(differing, None)
    if path is None:
        return name, canonical(saved), canonical(again)
    return path, old.get(path, NOTHING), new.get(path, NOTHING)


def _leaves(path: str, data: object) -> Dict[str, str]:
    """Return every value that holds no others, as JSON, by its path."""
    members: List[Tuple[str, Any]] = []
    if isinstance(data, Mapping):
        members = [(f"{path}.{key}", data[key]) for key in sorted(data)]
    elif isinstance(data, list):
        members = [(f"{path}[{index}]", value) for index, value in enumerate(data)]
    else:
        return {path: canonical(data)}
    return {leaf: value for below, member in members for leaf, value in _leaves(below, member).items()}
