# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Breadth-first search over the states of a small world: every interleaving, the shortest way to whatever is wrong.

A state is a tuple of tuples of numbers and short strings. Kept of each state are its hash (64 bits: with a million
states two share one with a probability of 3e-8), the hash of the state before and what happened in between; the states
themselves are kept only while they wait for their turn. A trace is made by going the same way again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from typing import NamedTuple

Successors = Callable[[Hashable], Iterable[tuple[str, Hashable]]]
Wrong = Callable[[Hashable], "str | None"]


class Found(NamedTuple):
    """What is wrong in words, and what led there: the happenings in their order and the states after each."""

    what: str
    happened: list[str]
    states: list[Hashable]


class Explored(NamedTuple):
    """How much was looked at: states, steps between them, the longest shortest way, seconds; and what is wrong."""

    states: int
    steps: int
    depth: int
    seconds: float
    found: Found | None
    whole: bool


def explore(
    first: Hashable,
    successors: Successors,
    wrong: Wrong,
    limit: int = 2_000_000,
    visit: Callable[[Hashable, bool], None] | None = None,
) -> Explored:
    """Look at every state that can be reached from the first one, or until one is wrong, or until the limit.

    ``visit`` is called once with each state and whether nothing can follow it.
    """
    begun = time.monotonic()
    came: dict[int, tuple[int, str] | None] = {hash(first): None}
    waiting = deque([(first, 0)])
    steps = depth = 0
    while waiting and len(came) <= limit:
        state, depth = waiting.popleft()
        what = wrong(state)
        if what:
            found = _traced(first, successors, came, hash(state), what)
            return Explored(len(came), steps, depth, time.monotonic() - begun, found, False)
        key, before = hash(state), steps
        for label, following in successors(state):
            steps += 1
            there = hash(following)
            if there not in came:
                came[there] = (key, label)
                waiting.append((following, depth + 1))
        if visit:
            visit(state, steps == before)
    return Explored(len(came), steps, depth, time.monotonic() - begun, None, not waiting)


def _traced(
    first: Hashable, successors: Successors, came: dict[int, tuple[int, str] | None], last: int, what: str
) -> Found:
    keys = [last]
    while came[keys[-1]] is not None:
        keys.append(came[keys[-1]][0])
    states, happened = [first], []
    for key in reversed(keys[:-1]):
        label, state = next((label, state) for label, state in successors(states[-1]) if hash(state) == key)
        happened.append(label)
        states.append(state)
    return Found(what, happened, states)


def in_words(found: Found, about: Callable[[Hashable], str]) -> str:
    """A trace for a person: one line for each happening, with what the world looks like after it."""
    lines = [f"    start: {about(found.states[0])}"]
    for number, (happened, state) in enumerate(zip(found.happened, found.states[1:], strict=True), 1):
        lines.append(f"{number:3}. {happened}\n         {about(state)}")
    return "\n".join([*lines, f"WRONG: {found.what}"])
