# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A saved series of observations with what was decided of them (decision.md, invariant 13). Pure: no I/O.

The format: JSON lines, UTF-8, each line one object that `line` wrote:

    {"policy": {...}, "state": {...}}              a beginning
    {"observation": {...}, "decision": {...}}      an observation, and what `verdict.track` decided of it

- A beginning stands first, and again wherever the writer started anew: a new run, another policy, a state that came
  from the coordination store. It holds what the next `track` was handed: `policy` (only the keys that were given; left
  out: all defaults) and `state` (left out, null or empty: nothing was remembered). A series without one begins with
  neither.
- After it, observations in the order in which they were judged; each `track` was handed the state that the one before
  it returned. `decision` may be left out where nobody decided: such a line is folded in, with nothing to differ from.
- Other keys are other people's and say nothing here. An empty line is none.
- A writer appends whole lines, each by one write. A last line without its line feed was cut short, by a power failure
  for one; it never counted.

Where they lie: `<runs>/<run id>/observations.jsonl` for one run, `<runs>/observations.jsonl` for a continuous one.
"""

from __future__ import annotations

import json
from typing import Any, Dict, Iterable, Iterator, Mapping, NamedTuple, Optional, Tuple, Union

FILE_NAME = "observations.jsonl"
"""The name of a series' file."""


class SeriesError(ValueError):
    """A line is not what the format says; `number` counts from 1."""

    def __init__(self, number: int, expected: str) -> None:
        super().__init__(f"line {number}: expected {expected}")
        self.number = number


class Beginning(NamedTuple):
    """What the next observation is judged with."""

    policy: Mapping[str, Any]
    state: Mapping[str, Any]


class Judged(NamedTuple):
    """An observation, and what was decided of it then; None where nobody did."""

    observation: Mapping[str, Any]
    decision: Optional[Mapping[str, Any]]


Entry = Union[Beginning, Judged]


def beginning(policy: Optional[Mapping[str, Any]], state: Optional[Mapping[str, Any]]) -> Dict[str, Any]:
    """Return a beginning as data, from what the next `track` will be handed."""
    return {"policy": dict(policy or {}), "state": dict(state or {})}


def judged(observation: Mapping[str, Any], decision: Mapping[str, Any]) -> Dict[str, Any]:
    """Return an observation and its decision as data."""
    return {"observation": observation, "decision": decision}


def line(entry: Mapping[str, Any]) -> str:
    """Return an entry's data as its line, with the line feed."""
    return canonical(entry) + "\n"


def canonical(data: object) -> str:
    """Return plain data as JSON in the one form in which equal values are equal texts: sorted keys, no spaces."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"))


def entries(lines: Iterable[str]) -> Iterator[Tuple[int, Entry]]:
    """Return each entry with the number of its line, from 1. Raises SeriesError where a line is none."""
    for number, text in enumerate(lines, 1):
        if not text.endswith("\n"):
            return
        if text.strip():
            yield number, _entry(number, text)


def _entry(number: int, text: str) -> Entry:
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise SeriesError(number, "a JSON object")
    if "observation" in data:
        return Judged(_mapping(number, data, "observation"), _mapping(number, data, "decision") or None)
    if "policy" in data or "state" in data:
        return Beginning(_mapping(number, data, "policy"), _mapping(number, data, "state"))
    raise SeriesError(number, "an observation, or the policy and the state of a beginning")


def _mapping(number: int, data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a member that is a mapping; one that was left out or is null is empty."""
    value = data.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise SeriesError(number, f"a mapping as {key}")
    return value
