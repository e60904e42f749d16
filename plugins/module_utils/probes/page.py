# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads SIP Server's HTTP monitoring page without knowing its exact names.

Genesys documents the addresses (`/server?sipServer`, `/server?sipTrunkStatistics`) and what they tell, run mode and "In
Service status" among it. The names of the elements in the reply are NOT in any page that we could read: the defaults
here are a guess, compared without case, blanks, dots, hyphens and underscores, and every list can be replaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, Optional
from xml.etree import ElementTree

MAX_PAGE_BYTES = 1 << 20

# Whatever serves a page may be ill. So each pattern takes time in proportion to the page: no two parts of one can share
# out the same blanks between them, none begins within a word that it has tried, and blanks are stripped afterwards.
TAG = r"<(?P<tag>[A-Za-z_][\w.:-]*)(?:\s[^<>]*)?>(?P<text>[^<>]+)</(?P=tag)\s*>"
ATTRIBUTE = r"(?<![\w.:-])(?P<attribute>[A-Za-z_][\w.:-]*)\s*=\s*[\"'](?P<quoted>[^\"']*)[\"']"
LINE = r"^[ \t]*(?P<name>[A-Za-z][\w \t.-]{0,60}?)[:=][ \t]*(?P<value>\S.*)$"

_TAG = re.compile(TAG)
_ATTRIBUTE = re.compile(ATTRIBUTE)
_LINE = re.compile(LINE, re.MULTILINE)
_LONGEST_FIGURE = 9  # digits


@dataclass(frozen=True)
class PageNames:
    """The names and words to look for.

    run_mode, trunk, in_service, out_of_service (which turns yes and no round), calls, peer_trunk: names. primary,
    backup, yes, no: values.
    """

    run_mode: tuple[str, ...] = ("runMode", "run-mode", "haRole", "role", "mode")
    primary: tuple[str, ...] = ("primary", "active", "master")
    backup: tuple[str, ...] = ("backup", "standby", "passive")
    trunk: tuple[str, ...] = ("dn", "trunk", "trunkDn", "name", "number")
    in_service: tuple[str, ...] = ("inService", "in-service-status", "serviceStatus", "serviceState")
    out_of_service: tuple[str, ...] = ("outOfService", "oos", "isOos", "out-of-service-status")
    yes: tuple[str, ...] = ("1", "true", "yes", "in service", "up")
    no: tuple[str, ...] = ("0", "false", "no", "out of service", "not in service", "oos", "down")
    calls: tuple[str, ...] = ("currentCalls", "activeCalls", "callsInProgress", "numberOfCalls", "calls")
    peer_trunk: tuple[str, ...] = ("drPeerTrunk",)


_WORDS = {"type": "list", "elements": "str"}
PAGE_NAMES_OPTION: dict[str, Any] = {
    "page_names": {"type": "dict", "default": {}, "options": {one.name: _WORDS for one in fields(PageNames)}}
}
"""The argument specification of the option; its documentation is the fragment page_names."""


def page_names(option: Mapping[str, Any]) -> PageNames:
    """The option as it was given; what was left out keeps its default."""
    return PageNames(**{name: tuple(words) for name, words in option.items() if words is not None})


def run_mode(page: str, names: PageNames) -> str:
    """primary, backup or unknown: what the page says of the server that serves it."""
    words = {plain(word): "primary" for word in names.primary}
    words.update({plain(word): "backup" for word in names.backup})
    wanted = [plain(name) for name in names.run_mode]
    for group in _groups(page):
        said = words.get(plain(_value(group, wanted) or ""))
        if said:
            return said
    return "unknown"


def peer_trunk(page: str, names: PageNames) -> Optional[str]:
    """The option `dr-peer-trunk` as the page tells it, empty where it has none; None when the page does not tell."""
    wanted = [plain(name) for name in names.peer_trunk]
    return next((told for told in (_value(group, wanted) for group in _groups(page)) if told is not None), None)


def running_calls(page: str, names: PageNames) -> Optional[int]:
    """How many calls run now, by the first of the names that the page has with a number; None when it tells none.

    A name that stands there several times, as for each trunk, is added up.
    """
    pairs = [(plain(key), value) for group in _groups(page) for key, value in group if _is_figure(value)]
    for name in map(plain, names.calls):
        figures = [int(value) for key, value in pairs if key == name]
        if figures:
            return sum(figures)
    return None


def _is_figure(value: str) -> bool:
    return value.isdecimal() and len(value) <= _LONGEST_FIGURE


def _groups(page: str) -> Iterator[list[tuple[str, str]]]:
    """The (name, value) pairs as they stand: one group per element with its children, or one for the whole text."""
    try:
        root = xml(page)
    except ElementTree.ParseError:
        found = [*_TAG.findall(page), *_ATTRIBUTE.findall(page), *_LINE.findall(page)]
        yield [(name, value.strip()) for name, value in found]
        return
    for element in root.iter():
        children = [(local(child.tag), (child.text or "").strip()) for child in element]
        yield [*element.attrib.items(), *children]
    yield [(local(root.tag), (root.text or "").strip())]


def _value(group: Sequence[tuple[str, str]], wanted: Iterable[str]) -> Optional[str]:
    found = {plain(name): value for name, value in reversed(group)}
    return next((found[name] for name in wanted if name in found), None)


def xml(page: str) -> ElementTree.Element:
    """The page's root element. Raises ParseError, also for one with entities of its own: a few make a page endless."""
    if "<!ENTITY" in page:
        raise ElementTree.ParseError("entities are not expanded")
    return ElementTree.fromstring(page)


def local(tag: str) -> str:
    """A tag without its namespace."""
    return tag.rsplit("}", 1)[-1]


def plain(name: str) -> str:
    """A name or word as it is compared: without case, blanks, dots, hyphens and underscores."""
    return re.sub(r"[\s._-]", "", name).lower()


@lru_cache(maxsize=32)
def plains(names: tuple[str, ...]) -> frozenset[str]:
    """Names or words as they are compared."""
    return frozenset(plain(name) for name in names)
