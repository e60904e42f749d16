# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files with one `key = value` on each line, as Yealink and AudioCodes have them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Dict, Iterable, List, Mapping, Optional, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import PhoneError, Values

_LINE = re.compile(r"^[ \t]*(?P<key>[^\s=#;\[]+)[ \t]*=[ \t]*(?P<value>[^\r\n]*?)[ \t]*\r?(?:\n|\Z)", re.MULTILINE)


@dataclass(frozen=True)
class KeyLines:
    """separator: what stands between key and value in a line that is added."""

    separator: str = " = "

    def values(self, text: str, keys: Iterable[str]) -> Values:
        """Return these keys' values. Raises PhoneError when one stands there twice."""
        wanted = tuple(keys)
        found = _lines(text, wanted)
        return {key: found[key]["value"] if key in found else None for key in wanted}

    def with_values(self, text: str, values: Mapping[str, Optional[str]]) -> str:
        """Return the text with these values; a new key comes at the end. Raises PhoneError."""
        found = _lines(text, values)
        edits: List[Tuple[int, int, str]] = []
        added: List[str] = []
        for key, value in values.items():
            if value is not None:
                self.escaped(value)
            if key in found:
                edits.append(_edit(text, found[key], value))
            elif value is not None:
                added.append(f"{key}{self.separator}{value}")
        for start, end, new in sorted(edits, reverse=True):
            text = text[:start] + new + text[end:]
        return _appended(text, added)

    def escaped(self, value: str) -> str:
        """Return the value as it is. Raises PhoneError for one that would end its line."""
        if re.search(r"[\r\n\0]", value):
            raise PhoneError("a value with the end of a line in it cannot stand in such a file")
        return value


def _lines(text: str, keys: Iterable[str]) -> Dict[str, re.Match[str]]:
    wanted = frozenset(keys)
    found: Dict[str, re.Match[str]] = {}
    for line in _LINE.finditer(text):
        key = line["key"]
        if key in found:
            raise PhoneError(f"{key}: it stands there twice, and phones differ in which one they take")
        if key in wanted:
            found[key] = line
    return found


def _edit(text: str, line: re.Match[str], value: Optional[str]) -> Tuple[int, int, str]:
    if value is not None:
        return (*line.span("value"), value)
    start, end = line.span()
    # The last line without an end takes the end of the line before it along: that is how it was added.
    if not text[start:end].endswith("\n") and start:
        start -= 2 if text[:start].endswith("\r\n") else 1
    return start, end, ""


def _appended(text: str, lines: List[str]) -> str:
    if not lines:
        return text
    end = "\r\n" if "\r\n" in text else "\n"
    if text and not text.endswith("\n"):
        return text + "".join(end + line for line in lines)
    return text + "".join(line + end for line in lines)
