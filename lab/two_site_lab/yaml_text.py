# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain data as YAML text that a person can read and copy; the lab has no library for it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./@-]*")
# YAML 1.1 reads these words as something else than text.
RESERVED = {"yes", "no", "on", "off", "true", "false", "null", "y", "n"}
WIDTH = 110


def dump(data: Mapping[str, Any]) -> str:
    """A mapping of plain data (strings, numbers, booleans, None, lists, mappings) as a YAML document."""
    return "---\n" + "".join(f"{line}\n" for line in _mapping(data))


def _scalar(value: object) -> str:
    if isinstance(value, str) and PLAIN.fullmatch(value) and value.lower() not in RESERVED:
        return value
    return json.dumps(value, ensure_ascii=False)


def _flow(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    return _scalar(value)


def _nested(value: object) -> bool:
    """Whether a value holds mappings that hold mappings or lists: too much for one line."""
    if not isinstance(value, Mapping):
        return False
    return any(isinstance(item, (Mapping, list)) for item in value.values())


def _mapping(data: Mapping[str, Any], indent: str = "") -> list[str]:
    lines: list[str] = []
    for key, value in data.items():
        start = f"{indent}{_scalar(key)}:"
        short = f"{start} {_flow(value)}"
        if isinstance(value, list) and len(short) > WIDTH:
            lines += [start, *(f"{indent}  - {_flow(item)}" for item in value)]
        elif isinstance(value, Mapping) and value and (_nested(value) or len(short) > WIDTH):
            lines += [start, *_mapping(value, indent + "  ")]
        else:
            lines.append(short)
    return lines
