# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of phones on the provisioning host: CSV, or YAML of one shape, read without any library beyond Python's.

    name,dn,registration,driver,mac,address,servers
    agent-1021,1021,single,yealink,001565000021,10.71.4.10,site1 site2

    - {name: agent-1021, dn: "1021", registration: single, driver: yealink, mac: 001565000021, address: 10.71.4.10}
    - name: agent-1022
      dn: 1022
      address: 10.71.4.11
      servers: [site2, site1]

YAML is a list of phones, each a mapping of plain values in one line, or with one value on each line. Values are text,
so that a number that begins with 0 stays as it is; one with a comma, colon or bracket in it is quoted. Whatever else
YAML can be is refused, with the line.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Dict, Iterator, List, Tuple, Union

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import DUAL, Phone, PhoneError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.inventory import (
    FIELDS,
    FieldError,
    assert_unique,
    phone_of,
)

Row = Dict[str, Union[str, List[str]]]

# A plain value in one line must not begin with what has a meaning in YAML; ` #` begins a comment, `: ` a mapping.
_SCALAR = (
    r"\"(?:[^\"\\]|\\[\"\\])*\"|'(?:[^']|'')*'"
    r"|[^\s,\[\]{}\"'#&*!|>%@`:?-](?:[^,\[\]{}#:\n]|:(?!\s|$)|(?<!\s)#)*|-(?=[^\s,\[\]{}])[^,\[\]{}#:\n]*"
)
_VALUE = re.compile(rf"(?P<scalar>{_SCALAR})|\[(?P<list>[^\[\]{{}}\n]*)\]|(?P<empty>(?=[,}}]|\s*#|\s*\Z))")
_KEY = re.compile(r"(?P<key>[A-Za-z_][A-Za-z0-9_]*)\s*:(?:\s+|(?=[,}]|\Z))")
_ITEM = re.compile(r" *- +(?=\S)")


class _LineError(PhoneError):
    """What is wrong at a line; the file's name is put before it."""


def read_phones(path: Path, mode: str = DUAL) -> List[Phone]:
    """Return the phones of a file. mode: of those that do not say. Raises PhoneError, which names line and column."""
    text = _text(path)
    rows = _yaml_rows(text) if path.suffix.lower() in (".yml", ".yaml") else _csv_rows(text)
    found: List[Tuple[int, Phone]] = []
    try:
        for line, row in rows:
            found.append((line, _phone(line, row, mode)))
    except (_LineError, csv.Error) as error:
        raise PhoneError(f"{path} {error}") from error
    phones = [phone for _line, phone in found]
    _assert_private(path, phones)
    assert_unique(phones, lambda index: f"{path} line {found[index][0]}, column name")
    return phones


def _assert_private(path: Path, phones: List[Phone]) -> None:
    open_to = path.stat().st_mode & 0o077
    if open_to and any(phone.password for phone in phones):
        raise PhoneError(f"{path}: there are passwords in it, and others may read it: mode 0600 expected")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise PhoneError(f"{path}: it is not UTF-8, byte {error.start}") from error


def _phone(line: int, row: Row, mode: str) -> Phone:
    for key in row:
        _assert_known(line, key)
    try:
        return phone_of(row, mode)
    except FieldError as error:
        raise _LineError(f"line {line}, column {error.field}: {error.text}") from error


def _assert_known(line: int, key: str) -> None:
    if key not in FIELDS:
        raise _LineError(f"line {line}, column {key}: there is no such column; there are {', '.join(FIELDS)}")


def _csv_rows(text: str) -> Iterator[Tuple[int, Row]]:
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    names: List[str] = []
    for cells in reader:
        number = reader.line_num
        if not any(cells) or cells[0].startswith("#"):
            continue
        if not names:
            names = _names(number, [cell.strip() for cell in cells])
        elif len(cells) != len(names):
            raise _LineError(f"line {number}: {len(names)} columns expected, {len(cells)} met")
        else:
            yield number, {name: cell.strip() for name, cell in zip(names, cells)}


def _names(line: int, names: List[str]) -> List[str]:
    for name in names:
        _assert_known(line, name)
        if names.count(name) > 1:
            raise _LineError(f"line {line}, column {name}: it is there twice")
    return names


def _yaml_rows(text: str) -> Iterator[Tuple[int, Row]]:
    row: Row = {}
    begun, indent = 0, -1
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.rstrip()
        if not line or line.lstrip().startswith("#") or line == "---":
            continue
        item = _ITEM.match(line)
        if item:
            if row:
                yield begun, row
            begun, indent, row = number, item.end(), {}
        elif len(line) - len(line.lstrip(" ")) != indent:
            raise _LineError(
                f"line {number}: a phone (- name: …) or one of its values expected, {line.strip()[:40]!r} met"
            )
        _take(number, line[indent:], row)
        if line[indent] == "{":
            indent = -1  # the phone is whole
    if row:
        yield begun, row


def _take(number: int, rest: str, row: Row) -> None:
    end = _flow(number, rest, row) if rest.startswith("{") else _pair(number, rest, 0, row)
    left = rest[end:].strip()
    if left and not left.startswith("#"):
        raise _LineError(f"line {number}: {left[:40]!r} is more than was expected in this line")


def _flow(number: int, rest: str, row: Row) -> int:
    """Take `{key: value, …}`; return the place after it."""
    at = _after_blanks(rest, 1)
    while rest[at : at + 1] != "}":
        at = _after_blanks(rest, _pair(number, rest, at, row))
        if rest[at : at + 1] not in (",", "}"):
            raise _LineError(f"line {number}: a comma or }} expected, {rest[at : at + 20]!r} met")
        if rest[at] == ",":
            at = _after_blanks(rest, at + 1)
    return at + 1


def _after_blanks(rest: str, at: int) -> int:
    return at + len(rest[at:]) - len(rest[at:].lstrip())


def _pair(number: int, rest: str, at: int, row: Row) -> int:
    """Take `key: value` from this place on; return the place after it."""
    key = _KEY.match(rest, at)
    if not key:
        raise _LineError(f"line {number}: key: value expected, {rest[at : at + 40]!r} met")
    name = key["key"]
    value = _VALUE.match(rest, key.end())
    if not value:
        raise _LineError(f"line {number}, column {name}: a plain value expected, {rest[key.end() :][:20]!r} met")
    if name in row:
        raise _LineError(f"line {number}, column {name}: it is there twice")
    listed = value["list"]
    row[name] = _plain(value["scalar"] or "") if listed is None else [_plain(one) for one in listed.split(",")]
    return value.end()


def _plain(scalar: str) -> str:
    text = scalar.strip()
    if text[:1] == '"':
        return re.sub(r"\\([\"\\])", r"\1", text[1:-1])
    if text[:1] == "'":
        return text[1:-1].replace("''", "'")
    return "" if text in ("~", "null") else text
