# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PRIVATE to the collection. Reading values out of plain data, each with the path at which it stands.

Times are ISO 8601 with a zone ("2026-01-31T03:14:15Z"): a time without one could be any of 24 hours, so it is refused.
"""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence

MISSING = object()
"""Stands for a value that was left out, which is not the same as null."""

TIME_EXPECTED = 'an ISO 8601 time with its zone, such as "2026-01-31T03:14:15Z"'

_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6})\d*)?(?:[Zz]|([+-])(\d\d):?(\d\d))",
    re.ASCII,
)

_PLAIN_TEXT = frozenset([str])


class VerdictInputError(ValueError):
    """Malformed observation, policy or state.

    `path` is where the value stands ("observation.sites.site1.peer", "policy.fresh", "state.raw"), `expected` is what
    belongs there, in words.
    """

    def __init__(self, path: str, expected: str, found: object) -> None:
        super().__init__(f"{path}: expected {expected}, found {_shown(found)}")
        self.path = path
        self.expected = expected


class Field:
    """A value of the input and the path at which it stands; every reader raises VerdictInputError.

    An observation has a hundred of them and most are well formed: a path is put together only when it is asked for,
    and the keys of a mapping are looked at once.
    """

    __slots__ = ("_above", "_members", "_step", "value")

    def __init__(self, step: str, value: object, above: Optional[Field] = None) -> None:
        """Hold a value; `step` is its path, or with `above` what follows the path of that field."""
        self.value: Any = value
        self._step = step
        self._above = above
        self._members: Optional[Mapping[str, Any]] = None

    @property
    def path(self) -> str:
        """Where the value stands, such as "observation.sites.site1.peer"."""
        return self._step if self._above is None else f"{self._above.path}{self._step}"

    def refused(self, expected: str) -> VerdictInputError:
        """Return the error for this field, to be raised."""
        return VerdictInputError(self.path, expected, self.value)

    @property
    def missing(self) -> bool:
        """Whether it was left out."""
        return self.value is MISSING

    @property
    def absent(self) -> bool:
        """Whether it was left out or is null."""
        return self.value is MISSING or self.value is None

    def mapping(self) -> Mapping[str, Any]:
        """Return the value, which must be a mapping with text for keys."""
        if self._members is None:
            if not is_mapping(self.value) or not _all_text(self.value):
                raise self.refused("a mapping")
            self._members = self.value
        return self._members

    def get(self, key: str) -> Field:
        """Return a member of this mapping, MISSING when it was left out."""
        members = self._members if self._members is not None else self.mapping()
        return Field("." + key, members.get(key, MISSING), self)

    def items(self) -> List[Field]:
        """Return the members of this list; a list that was left out or is null is empty."""
        if self.absent:
            return []
        if isinstance(self.value, (str, bytes)) or not isinstance(self.value, Sequence):
            raise self.refused("a list")
        return [Field(f"[{index}]", value, self) for index, value in enumerate(self.value)]

    def text(self) -> str:
        """Return the value, which must be a text with something in it."""
        if not isinstance(self.value, str) or not self.value.strip():
            raise self.refused("a name")
        return self.value

    def choice(self, choices: Sequence[str]) -> str:
        """Return the value, which must be one of the words."""
        if not isinstance(self.value, str) or self.value not in choices:
            raise self.refused(" or ".join(choices))
        return self.value

    def flag(self, default: Optional[bool] = None) -> bool:
        """Return the value, which must be true or false; without a default it must not be left out."""
        if self.absent and default is not None:
            return default
        if not isinstance(self.value, bool):
            raise self.refused("true or false")
        return self.value

    def number(self, expected: str, least: float, whole: bool = False) -> float:
        """Return the value, which must be a finite number of at least `least`."""
        kinds = (int,) if whole else (int, float)
        if isinstance(self.value, bool) or not isinstance(self.value, kinds):
            raise self.refused(expected)
        if not least <= self.value < math.inf:
            raise self.refused(expected)
        return self.value

    def time(self) -> datetime:
        """Return the value as a time in UTC."""
        moment = plain_time(self.value)
        if moment is None:
            raise self.refused(TIME_EXPECTED)
        return moment

    def optional_time(self) -> Optional[datetime]:
        """Return the value as a time in UTC, None when it was left out or is null."""
        return None if self.absent else self.time()

    def people(self) -> List[str]:
        """Return the different people named, as written: a list of names, or one name; see person_key."""
        if self.absent:
            return []
        fields = [self] if isinstance(self.value, str) else self.items()
        names: Dict[str, str] = {}
        for field in fields:
            key = person_key(field.text())
            if not key:
                raise field.refused("a name")
            names.setdefault(key, field.text().strip())
        return list(names.values())


def person_key(name: str) -> str:
    """Return what two spellings of one person's name have in common: "Alice" and "alice " are one, and so are two names
    that differ in how Unicode composes them (NFKC), in double blanks, or in characters without a shape (category Cf).
    """
    shaped = "".join(each for each in name if unicodedata.category(each) != "Cf")
    folded = unicodedata.normalize("NFKC", shaped).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def plain_time(value: object) -> Optional[datetime]:
    """Return a text as a time in UTC, None for whatever is not one."""
    return _moment(value) if isinstance(value, str) else None


def is_mapping(value: object) -> bool:
    """Whether a value is a mapping: most are a dict, which is quick to tell, and being any other Mapping is not."""
    return isinstance(value, (dict, Mapping))


def time_text(moment: datetime) -> str:
    """Return a time as it is written in decisions and states: ISO 8601 in UTC with a Z."""
    return moment.isoformat().replace("+00:00", "Z")


def amount(value: float) -> str:
    """Return a number as people read it, with at most one decimal."""
    return f"{round(value, 1):.12g}"


def seconds(later: datetime, earlier: datetime) -> float:
    """Return the seconds between two times, exact to the microsecond."""
    return (later - earlier).total_seconds()


def _all_text(keys: Iterable[object]) -> bool:
    return _PLAIN_TEXT.issuperset(map(type, keys)) or all(isinstance(key, str) for key in keys)


# The signals of one bundle were mostly looked at together.
@lru_cache(maxsize=64)
def _moment(text: str) -> Optional[datetime]:
    found = _TIME.fullmatch(text)
    try:
        return _in_utc(found) if found else None
    except (ValueError, OverflowError):
        return None


def _in_utc(found: re.Match[str]) -> datetime:
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    micro = int((found.group(7) or "").ljust(6, "0"))
    local = datetime(year, month, day, hour, minute, second, micro, tzinfo=timezone.utc)
    if found.group(8) is None:
        return local
    east = timedelta(hours=int(found.group(9)), minutes=int(found.group(10)))
    return local - east if found.group(8) == "+" else local + east


def _shown(value: object) -> str:
    if value is MISSING:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
