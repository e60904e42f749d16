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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Optional
from xml.etree import ElementTree

MAX_PAGE_BYTES = 1 << 20

_TAG = re.compile(r"<([A-Za-z_][\w.:-]*)((?:\s[^<>]*)?)>\s*([^<>]+?)\s*</\1\s*>")
_ATTRIBUTE = re.compile(r"([A-Za-z_][\w.:-]*)\s*=\s*[\"']([^\"']*)[\"']")
_LINE = re.compile(r"^\s*([A-Za-z][\w .-]{0,60}?)\s*[:=]\s*(\S.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class PageNames:
    """The names and words to look for. run_mode, trunk, in_service: names; primary, backup, yes, no: values."""

    run_mode: tuple[str, ...] = ("runMode", "run-mode", "haRole", "role", "mode")
    primary: tuple[str, ...] = ("primary", "active", "master")
    backup: tuple[str, ...] = ("backup", "standby", "passive")
    trunk: tuple[str, ...] = ("dn", "trunk", "trunkDn", "name", "number")
    in_service: tuple[str, ...] = ("inService", "in-service-status", "serviceStatus", "inServiceStatus")
    yes: tuple[str, ...] = ("1", "true", "yes", "in service", "inservice", "up")
    no: tuple[str, ...] = ("0", "false", "no", "out of service", "oos", "down")


def run_mode(page: str, names: PageNames) -> str:
    """primary, backup or unknown: what the page says of the server that serves it."""
    words = {_plain(word): "primary" for word in names.primary}
    words.update({_plain(word): "backup" for word in names.backup})
    for group in _groups(page):
        said = words.get(_plain(_value(group, names.run_mode) or ""))
        if said:
            return said
    return "unknown"


def trunk_state(page: str, dn: str, names: PageNames) -> Optional[bool]:
    """Whether the Trunk DN is in service, or None when the page does not tell."""
    for group in _groups(page):
        if any(_plain(key) in _plains(names.trunk) and value == dn for key, value in group):
            word = _plain(_value(group, names.in_service) or "")
            if word in _plains(names.yes):
                return True
            if word in _plains(names.no):
                return False
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
        children = [(_local(child.tag), (child.text or "").strip()) for child in element]
        yield [*element.attrib.items(), *children]
    yield [(_local(root.tag), (root.text or "").strip())]


def _value(group: Iterable[tuple[str, str]], wanted: Iterable[str]) -> Optional[str]:
    found = {_plain(name): value for name, value in reversed(list(group))}
    return next((found[_plain(name)] for name in wanted if _plain(name) in found), None)


def _local(tag: str) -> str:
    return tag.rsplit("}", 1)[-1]


def _plain(name: str) -> str:
    return re.sub(r"[\s._-]", "", name).lower()


def _plains(names: Iterable[str]) -> set[str]:
    return {_plain(name) for name in names}
