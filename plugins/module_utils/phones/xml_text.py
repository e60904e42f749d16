# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changing XML text in place: comments, order, white space and quotes stay as a person wrote them.

expat judges whether a text is well-formed; what is changed is found by tokens, so that nothing is written anew.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Dict, FrozenSet, Iterable, List, Mapping, Optional, Tuple
from xml.parsers import expat
from xml.sax.saxutils import escape, unescape

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import PhoneError

_ANY_NAME = r"[^\s/>!?]+"
_TOKEN = (
    r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>"
    r"|<(?P<close>/?)(?P<name>{names})(?=[\s/>])(?P<inside>(?:[^<>\"'/]+|\"[^\"]*\"|'[^']*'|/(?!>))*)(?P<empty>/?)>"
)
_ATTRIBUTE = re.compile(r"\s+(?P<name>[^\s=]+)\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)')")
_QUOTES = {'"': "&quot;", "'": "&apos;"}
_PLAIN = {entity: mark for mark, entity in _QUOTES.items()}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

Edit = Tuple[int, int, str]
"""From, to, and what comes there instead."""

TWICE = "it stands there twice, and phones differ in which one they take"


@dataclass(frozen=True)
class Attribute:
    """start: of the white space before its name; value: from and to, between the quotes."""

    start: int
    end: int
    value: Tuple[int, int]


@dataclass(frozen=True)
class Tag:
    """One tag in the text; kind: open, close or empty."""

    name: str
    kind: str
    start: int
    end: int
    attributes: Mapping[str, Attribute]

    @property
    def end_of_attributes(self) -> int:
        """Where a further attribute goes."""
        return max((one.end for one in self.attributes.values()), default=self.start + 1 + len(self.name))


def tags(text: str, names: FrozenSet[str] = frozenset()) -> List[Tag]:
    """Return the tags of these names outside of comments, in their order; without names, all.

    Raises PhoneError when the text is not well-formed XML.
    """
    _assert_well_formed(text)
    return [_tag(found) for found in _token(names).finditer(text) if found["name"]]


def value_at(text: str, where: Tuple[int, int]) -> str:
    """Return the plain value between these places. Raises PhoneError when it is more than text."""
    inner = text[where[0] : where[1]]
    if "<" in inner:
        raise PhoneError(f"{inner.strip()[:40]}: plain text is expected there")
    return unescape(inner, _PLAIN).strip()


def escaped(value: str) -> str:
    """Return a value as it may stand in an element or in quotes of either kind. Raises PhoneError."""
    if _CONTROL.search(value):
        raise PhoneError("a value with a control character cannot stand in XML")
    return escape(value, _QUOTES)


def changed(text: str, edits: Iterable[Edit]) -> str:
    """Return the text after these edits, which do not overlap; of several at one place the first comes first."""
    parts: List[str] = []
    last = 0
    for start, end, new in sorted(edits, key=lambda edit: edit[:2]):
        parts += [text[last:start], new]
        last = end
    return "".join([*parts, text[last:]])


def inserted(text: str, at: int, elements: Iterable[str]) -> Edit:
    """Return the edit that puts elements before the closing tag at `at`: on their own lines when that has its own."""
    begin = text.rfind("\n", 0, at) + 1
    if text[begin:at].strip() or not begin:
        return at, at, "".join(elements)
    return begin, begin, "".join(f"{text[begin:at]}  {element}{line_end(text)}" for element in elements)


def line_end(text: str) -> str:
    """Return how the lines of this text end."""
    return "\r\n" if "\r\n" in text else "\n"


def with_line(text: str, start: int, end: int) -> Tuple[int, int]:
    """Return the line of what stands from `start` to `end`, when it is alone there; else only that."""
    begin, newline = text.rfind("\n", 0, start) + 1, text.find("\n", end)
    if newline < 0 or not begin or text[begin:start].strip() or text[end:newline].strip():
        return start, end
    return begin, newline + 1


def change_of(one: Attribute, value: Optional[str]) -> Edit:
    """Return the edit that gives an attribute another value, or takes it away."""
    return (one.start, one.end, "") if value is None else (*one.value, escaped(value))


@lru_cache(maxsize=64)
def _token(names: FrozenSet[str]) -> re.Pattern[str]:
    # Of a file with a thousand elements only those are looked at that are asked for.
    return re.compile(_TOKEN.format(names="|".join(map(re.escape, sorted(names))) or _ANY_NAME), re.DOTALL)


@lru_cache(maxsize=2)
def _assert_well_formed(text: str) -> None:
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _no_doctype
    try:
        parser.Parse(text.encode("utf-8", "surrogateescape"), True)
    except expat.ExpatError as error:
        raise PhoneError(f"line {error.lineno}: it is not well-formed XML, {expat.ErrorString(error.code)}") from error
    except (LookupError, ValueError) as error:
        raise PhoneError(f"its encoding is not known: {error}") from error


def _no_doctype(*_given: object) -> None:
    raise PhoneError("<!DOCTYPE: no phone needs one, and what it may define is not followed")


def _tag(token: re.Match[str]) -> Tag:
    kind = "close" if token["close"] else ("empty" if token["empty"] else "open")
    found: Dict[str, Attribute] = {}
    for one in _ATTRIBUTE.finditer(token.string, *token.span("inside")):
        quoted = "double" if one["double"] is not None else "single"
        found[one["name"]] = Attribute(one.start(), one.end(), one.span(quoted))
    return Tag(token["name"], kind, token.start(), token.end(), found)
