# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PRIVATE to the collection. Reading values out of plain data, each with the path at which it stands.

Times are ISO 8601 with a zone ("2026-01-31T03:14:15Z"): a time without one could be any of 24 hours, so it is refused.
"""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

MISSING = object()
"""Stands for a value that was left out, which is not the same as null."""

TIME_EXPECTED = 'an ISO 8601 time with its zone, such as "2026-01-31T03:14:15Z"'

_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6})\d*)?(?:[Zz]|([+-])(\d\d):?(\d\d))",
    re.ASCII,
)


class VerdictInputError(ValueError):
    """Malformed observation, policy or state.

    `path` is where the value stands ("observation.sites.site1.peer", "policy.fresh", "state.raw"), `expected` is what
    belongs there, in words.
    """

    def __init__(self, path: str, expected: str, found: object) -> None:
        super().__init__(f"{path}: expected {expected}, found {_shown(found)}")
        self.path = path
        self.expected = expected


class Field(NamedTuple):
    """A value of the input and the path at which it stands; every reader raises VerdictInputError."""

    path: str
    value: Any

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
        if not isinstance(self.value, Mapping) or not all(isinstance(key, str) for key in self.value):
            raise self.refused("a mapping")
        return self.value

    def get(self, key: str) -> Field:
        """Return a member of this mapping, MISSING when it was left out."""
        return Field(f"{self.path}.{key}", self.mapping().get(key, MISSING))

    def items(self) -> List[Field]:
        """Return the members of this list; a list that was left out or is null is empty."""
        if self.absent:
            return []
        if isinstance(self.value, (str, bytes)) or not isinstance(self.value, Sequence):
            raise self.refused("a list")
        return [Field(f"{self.path}[{index}]", value) for index, value in enumerate(self.value)]

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
        found = _TIME.fullmatch(self.value) if isinstance(self.value, str) else None
        try:
            moment = _moment(found) if found else None
        except (ValueError, OverflowError):
            moment = None
        if moment is None:
            raise self.refused(TIME_EXPECTED)
        return moment

    def optional_time(self) -> Optional[datetime]:
        """Return the value as a time in UTC, None when it was left out or is null."""
        return None if self.absent else self.time()

    def people(self) -> List[str]:
        """Return the different people named, as written: a list of names, or one name. Alice and "alice " are one."""
        if self.absent:
            return []
        fields = [self] if isinstance(self.value, str) else self.items()
        names: Dict[str, str] = {}
        for field in fields:
            names.setdefault(field.text().strip().casefold(), field.text().strip())
        return list(names.values())


def time_text(moment: datetime) -> str:
    """Return a time as it is written in decisions and states: ISO 8601 in UTC with a Z."""
    return moment.isoformat().replace("+00:00", "Z")


def amount(value: float) -> str:
    """Return a number as people read it, with at most one decimal."""
    return f"{round(value, 1):.12g}"


def seconds(later: datetime, earlier: datetime) -> float:
    """Return the seconds between two times, exact to the microsecond."""
    return (later - earlier).total_seconds()


def _moment(found: re.Match[str]) -> datetime:
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
