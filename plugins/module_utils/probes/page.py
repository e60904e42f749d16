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
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Optional
from xml.etree import ElementTree

MAX_PAGE_BYTES = 1 << 20

_TAG = re.compile(r"<([A-Za-z_][\w.:-]*)((?:\s[^<>]*)?)>\s*([^<>]+?)\s*</\1\s*>")
_ATTRIBUTE = re.compile(r"([A-Za-z_][\w.:-]*)\s*=\s*[\"']([^\"']*)[\"']")
_LINE = re.compile(r"^\s*([A-Za-z][\w .-]{0,60}?)\s*[:=]\s*(\S.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class PageNames:
    """The names and words to look for.

    run_mode, trunk, in_service, out_of_service (which turns yes and no round), calls: names. primary, backup, yes, no:
    values.
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
    for group in _groups(page):
        said = words.get(plain(_value(group, names.run_mode) or ""))
        if said:
            return said
    return "unknown"


def running_calls(page: str, names: PageNames) -> Optional[int]:
    """How many calls run now, by the first of the names that the page has with a number; None when it tells none.

    A name that stands there several times, as for each trunk, is added up.
    """
    pairs = [pair for group in _groups(page) for pair in group]
    for name in names.calls:
        figures = [int(value) for key, value in pairs if plain(key) == plain(name) and value.isdecimal()]
        if figures:
            return sum(figures)
    return None


def _groups(page: str) -> Iterator[list[tuple[str, str]]]:
    """The (name, value) pairs as they stand: one group per element with its children, or one for the whole text."""
    try:
        root = ElementTree.fromstring(page)
    except ElementTree.ParseError:
        tags = [(name, text) for name, _more, text in _TAG.findall(page)]
        yield [*tags, *_ATTRIBUTE.findall(page), *_LINE.findall(page)]
        return
    for element in root.iter():
        children = [(local(child.tag), (child.text or "").strip()) for child in element]
        yield [*element.attrib.items(), *children]
    yield [(local(root.tag), (root.text or "").strip())]


def _value(group: Iterable[tuple[str, str]], wanted: Iterable[str]) -> Optional[str]:
    found = {plain(name): value for name, value in reversed(list(group))}
    return next((found[plain(name)] for name in wanted if plain(name) in found), None)


def local(tag: str) -> str:
    """A tag without its namespace."""
    return tag.rsplit("}", 1)[-1]


def plain(name: str) -> str:
    """A name or word as it is compared: without case, blanks, dots, hyphens and underscores."""
    return re.sub(r"[\s._-]", "", name).lower()


def plains(names: Iterable[str]) -> set[str]:
    """Names or words as they are compared."""
    return {plain(name) for name in names}
