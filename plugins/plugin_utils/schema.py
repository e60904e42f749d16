# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A declarative shape for inventory data: reads it, fills in defaults, and names every problem by its dotted path.

A node's `read` never raises. What cannot be right becomes a problem and is read as None (a leaf) or as an empty
container, so that one pass finds all of them and later checks need not look at types again.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypedDict

MISSING: Any = object()
"""Stands for a value that the inventory does not have; None may be one that it has."""


class Problem(TypedDict):
    """One thing that is wrong: where, what was expected, and what stands there."""

    path: str
    expected: str
    found: str


class Node(Protocol):
    """One part of a shape."""

    @property
    def expected(self) -> str:
        """Say in words what belongs here."""

    def read(self, value: object, path: str, problems: list[Problem]) -> object:
        """Return the value with defaults filled in; add to `problems` what is wrong with it."""


def problem(path: str, expected: str, found: object) -> Problem:
    """Build a problem; `found` is shown short, as YAML's flow style would write it."""
    return {"path": path, "expected": expected, "found": show(found)}


def show(value: object) -> str:
    """Return a value as a person would find it in the inventory, 120 characters at most."""
    if value is MISSING:
        return "nothing"
    if isinstance(value, Mapping):
        text = "{" + ", ".join(f"{key}: {show(item)}" for key, item in value.items()) + "}"
    elif isinstance(value, (list, tuple)):
        text = "[" + ", ".join(map(show, value)) + "]"
    elif isinstance(value, str):
        text = value if value and value.strip() == value and value.isprintable() else repr(str(value))
    else:
        text = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 120 else text[:117] + "..."


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean x?` for a name close to a known one, else the list of what is known."""
    names = [str(item) for item in known]
    close = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known: {', '.join(names) or 'none'}"


@dataclass(frozen=True)
class Text:
    """A non-empty string, one of `choices` or matching `pattern` where given."""

    what: str = "a text"
    choices: tuple[str, ...] = ()
    pattern: str = ""

    @property
    def expected(self) -> str:
        """Say in words what belongs here."""
        return " or ".join(self.choices) if self.choices else self.what

    def read(self, value: object, path: str, problems: list[Problem]) -> str | None:
        """Return the text."""
        if isinstance(value, str) and value and self._fits(value):
            return value
        close = did_you_mean(value, self.choices) if isinstance(value, str) and self.choices else ""
        problems.append(problem(path, self.expected + (close if "did you mean" in close else ""), value))
        return None

    def _fits(self, value: str) -> bool:
        return value in self.choices if self.choices else re.fullmatch(self.pattern or r"(?s).+", value) is not None


@dataclass(frozen=True)
class Integer:
    """A whole number between two bounds, both included. A truth value is none."""

    low: int
    high: int

    @property
    def expected(self) -> str:
        """Say in words what belongs here."""
        return f"a whole number from {self.low} to {self.high}"

    def read(self, value: object, path: str, problems: list[Problem]) -> int | None:
        """Return the number."""
        if isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high:
            return value
        problems.append(problem(path, self.expected, value))
        return None


@dataclass(frozen=True)
class Flag:
    """True or false, never a text that looks like it."""

    expected: str = "true or false"

    def read(self, value: object, path: str, problems: list[Problem]) -> bool:
        """Return the truth value; False for what is none."""
        if isinstance(value, bool):
            return value
        problems.append(problem(path, self.expected, value))
        return False


@dataclass(frozen=True)
class Anything:
    """A mapping that another check judges."""

    expected: str = "a mapping"

    def read(self, value: object, path: str, problems: list[Problem]) -> dict[str, Any]:
        """Return the mapping as it is."""
        return _mapping(value, path, self.expected, problems)


@dataclass(frozen=True)
class ListOf:
    """A list of at least so many items."""

    item: Node
    what: str
    at_least: int = 0

    @property
    def expected(self) -> str:
        """Say in words what belongs here."""
        return f"a list of {self.what}" + (f", {self.at_least} or more" if self.at_least else "")

    def read(self, value: object, path: str, problems: list[Problem]) -> list[Any]:
        """Return the list, with None in the place of an item that cannot be read."""
        if not isinstance(value, (list, tuple)) or len(value) < self.at_least:
            problems.append(problem(path, self.expected, value))
            return []
        return [self.item.read(item, f"{path}[{index}]", problems) for index, item in enumerate(value)]


@dataclass(frozen=True)
class MapOf:
    """A mapping from names of the user's choice to items; `low` to `high` of them."""

    item: Node
    what: str
    low: int = 0
    high: int = 10_000
    name: Text = field(default_factory=lambda: Text("a name"))

    @property
    def expected(self) -> str:
        """Say in words what belongs here."""
        if self.low == self.high:
            return f"exactly {self.low} {self.what}, by name"
        return f"{self.what} by name" + (f", {self.low} or more" if self.low else "")

    def read(self, value: object, path: str, problems: list[Problem]) -> dict[str, Any]:
        """Return the mapping; a wrong number of items is a problem, and the items are read all the same."""
        given = _mapping(value, path, self.expected, problems)
        if isinstance(value, Mapping) and not self.low <= len(given) <= self.high:
            problems.append(problem(path, self.expected, f"{len(given)} ({', '.join(map(str, given)) or 'none'})"))
        for name in given:
            self.name.read(name, f"{path}.{name}", problems)
        return {str(name): self.item.read(item, f"{path}.{name}", problems) for name, item in given.items()}


@dataclass(frozen=True)
class Beside:
    """A default that goes by the value of another key of the same record; None where that value is none of these."""

    key: str
    defaults: Mapping[str, Any]

    def of(self, chosen: object) -> object:
        """Return the default beside a value, which may be anything that an inventory can hold."""
        return self.defaults.get(chosen) if isinstance(chosen, str) else None


@dataclass(frozen=True)
class Field:
    """One key of a record; without a default it must be there, unless it is optional: then it is left out.

    An optional one whose default goes by another key is left out where that gives none.
    """

    node: Node
    default: Any = MISSING
    optional: bool = False


@dataclass(frozen=True)
class Record:
    """A mapping with known keys; every other key is a problem, with the nearest known one beside it."""

    fields: Mapping[str, Field]
    what: str = "a mapping"

    @property
    def expected(self) -> str:
        """Say in words what belongs here."""
        return f"{self.what} with the keys {', '.join(self.fields)}"

    def read(self, value: object, path: str, problems: list[Problem]) -> dict[str, Any]:
        """Return the record with its known keys; an optional one only where it is given."""
        given = _mapping(value, path, self.expected, problems)
        for key in given:
            if key not in self.fields:
                expected = f"no such key{did_you_mean(str(key), self.fields)}"
                problems.append(problem(_join(path, key), expected, given[key]))
        # Below something that is no mapping at all, "nothing" at every key would only be noise.
        below = problems if isinstance(value, Mapping) else []
        wanted = [key for key in self.fields if key in given or self._is_wanted(key, given)]
        return {key: self._field(key, given, _join(path, key), below) for key in wanted}

    def _is_wanted(self, key: str, given: Mapping[str, Any]) -> bool:
        known = self.fields[key]
        if known.optional and isinstance(known.default, Beside):
            return known.default.of(given.get(known.default.key)) is not None
        return not known.optional

    def _field(self, key: str, given: Mapping[str, Any], path: str, problems: list[Problem]) -> object:
        known, value = self.fields[key], given.get(key, MISSING)
        if isinstance(known.default, Beside) and value is MISSING:
            other = known.default.key
            # What is wrong with the other key is said there: here it leaves nothing to say.
            value = known.default.of(given.get(other, self.fields[other].default))
            return None if value is None else known.node.read(value, path, problems)
        if value is not MISSING:
            return known.node.read(value, path, problems)
        if known.default is MISSING:
            problems.append(problem(path, known.node.expected, MISSING))
            return known.node.read(MISSING, path, [])
        return known.node.read(known.default, path, problems)


def _mapping(value: object, path: str, expected: str, problems: list[Problem]) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    problems.append(problem(path, expected, value))
    return {}


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)
