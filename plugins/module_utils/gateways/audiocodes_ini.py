# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
r"""Tables of an AudioCodes ini file: read and rewritten by the names in their FORMAT line, never by position.

    [ ProxyIp ]
    FORMAT Index = ProxySetId, ProxyIpIndex, IpAddress, TransportType, Priority, Weight;
    ProxyIp 0 = "1", 0, "10.1.0.10:5060", 0, 0, 0;
    [ \ProxyIp ]

Columns and their order vary by release; before 7.2 each name has its table's in front (`ProxyIp_IpAddress`). Names are
not case-sensitive. Sources: Mediant user's manuals, "Configuring ini File Table Parameters" and "General ini File
Formatting Rules".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Dict, Iterable, List, Mapping, NamedTuple, Optional, Tuple

# A value is quoted, and then may have commas and semicolons in it, or plain.
_VALUE = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^",;]*?)\s*(?=[,;])')


class IniError(ValueError):
    """The text is not what an ini file's table must be; the message names table, row and column."""


class Cell(NamedTuple):
    """A value as it stands (with its quotes), and where in the table's text it begins and ends."""

    value: str
    begin: int
    end: int


@dataclass(frozen=True)
class Table:
    """One table: its text from title to end mark, the columns' names without the table's, cells by row and column."""

    name: str
    text: str
    columns: List[str]
    rows: Dict[int, Dict[str, Cell]]

    def has(self, column: str) -> bool:
        """True when the FORMAT line names that column."""
        return column.lower() in (name.lower() for name in self.columns)

    def raw(self, row: int, column: str) -> str:
        """Return a value as it stands, quotes and all. Raises IniError for a row or column that is not there."""
        if row not in self.rows:
            raise IniError(f"{self.name} {row}: this row is expected, there are {_words(self.rows)}")
        return self.rows[row][self._named(column)].value

    def value(self, row: int, column: str) -> str:
        """Return a value without its quotes. Raises IniError for a row or column that is not there."""
        return _unquoted(self.raw(row, column))

    def number(self, row: int, column: str) -> int:
        """Return a value that must be a whole number. Raises IniError for anything else."""
        value = self.value(row, column)
        if not re.fullmatch(r"-?\d+", value):
            raise IniError(f"{self.name} {row}, {column}: a number is expected, {value!r} met")
        return int(value)

    def values(self) -> Dict[int, Dict[str, str]]:
        """Return all values without quotes, by row and lower-case column: what two texts of one table have in common.

        A device writes a file that was sent to it anew, so its text need not be what was sent.
        """
        return {
            row: {column.lower(): _unquoted(cell.value) for column, cell in cells.items()}
            for row, cells in self.rows.items()
        }

    def rewritten(self, wanted: Mapping[int, Mapping[str, str]]) -> str:
        """Return the text with those values (by row and column, with their quotes) and every other byte as it is."""
        new: List[Tuple[Cell, str]] = []
        for row, cells in wanted.items():
            for column, value in cells.items():
                self.raw(row, column)
                new.append((self.rows[row][self._named(column)], value))
        text = self.text
        for cell, value in sorted(new, key=lambda one: one[0].begin, reverse=True):
            text = text[: cell.begin] + value + text[cell.end :]
        return text

    def _named(self, column: str) -> str:
        for name in self.columns:
            if name.lower() == column.lower():
                return name
        raise IniError(f"{self.name}: column {column} is expected, FORMAT has {_words(self.columns)}")


def table(ini: str, name: str) -> Table:
    """Return one table of an ini file. Raises IniError when it is not there, not whole, or not as its FORMAT says."""
    titles = list(re.finditer(rf"^[ \t]*\[[ \t]*{name}[ \t]*\][ \t]*\r?$", ini, re.MULTILINE | re.IGNORECASE))
    if len(titles) != 1:
        raise IniError(f"one table {name} is expected, {len(titles) or 'none'} met")
    end = re.compile(rf"^[ \t]*\[[ \t]*\\[ \t]*{name}[ \t]*\][ \t]*", re.MULTILINE | re.IGNORECASE)
    mark = end.search(ini, titles[0].end())
    if not mark:
        raise IniError(f"{name}: its end mark [ \\{name} ] is missing, so it is not whole")
    return _parsed(name, ini[titles[0].start() : mark.end()], titles[0].end() - titles[0].start())


def parameter(ini: str, name: str) -> Optional[str]:
    """Return the value of a single parameter (`Name = value`), without quotes; None where the file has it not."""
    found = re.search(rf"^[ \t]*{name}[ \t]*=[ \t]*(.*?)[ \t]*\r?$", ini, re.MULTILINE | re.IGNORECASE)
    return _unquoted(found[1].strip("'")) if found else None


def _parsed(name: str, text: str, body: int) -> Table:
    columns: List[str] = []
    rows: Dict[int, Dict[str, Cell]] = {}
    for line in re.finditer(r"[^\r\n]+", text[body : text.rindex("[")]):
        words, begin = line[0], body + line.start()
        kind = re.match(rf"\s*(?:(FORMAT)\b[^=]*=|{name}[ \t]+(\d+)[ \t]*=|;|$)", words, re.IGNORECASE)
        if not kind:
            raise IniError(f"{name}: a row is expected, {words.strip()[:80]!r} met")
        if kind[1]:
            columns = _columns(name, columns, words[kind.end() :])
        elif kind[2]:
            _add(rows, columns, (name, int(kind[2])), _cells(words, kind.end(), begin))
    if not columns:
        raise IniError(f"{name}: a FORMAT line is expected, none met")
    return Table(name, text, columns, rows)


def _columns(name: str, before: List[str], words: str) -> List[str]:
    if before:
        raise IniError(f"{name}: one FORMAT line is expected, two met")
    if not words.rstrip().endswith(";"):
        raise IniError(f"{name}: the FORMAT line does not end in a semicolon, so it is not whole")
    names = [word.strip() for word in words.rstrip().rstrip(";").split(",")]
    return [re.sub(rf"^{name}_", "", word, flags=re.IGNORECASE) for word in names]


def _cells(line: str, at: int, begin: int) -> Optional[List[Cell]]:
    """The values of a row from `at` on, or None when it is no list that ends in a semicolon."""
    cells: List[Cell] = []
    while True:
        value = _VALUE.match(line, at)
        if not value:
            return None
        cells.append(Cell(value[1], begin + value.start(1), begin + value.end(1)))
        at = value.end() + 1
        if line[value.end()] == ";":
            return cells if not line[at:].strip() else None


def _add(
    rows: Dict[int, Dict[str, Cell]], columns: List[str], which: Tuple[str, int], cells: Optional[List[Cell]]
) -> None:
    name, row = which
    if cells is None:
        raise IniError(f"{name} {row}: values that end in a semicolon are expected; it is not whole")
    if len(cells) != len(columns):
        raise IniError(f"{name} {row}: {len(columns)} values are expected as FORMAT has them, {len(cells)} met")
    if row in rows:
        raise IniError(f"{name} {row}: it is there twice")
    rows[row] = dict(zip(columns, cells))


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def _words(things: Iterable[object]) -> str:
    return ", ".join(str(thing) for thing in things) or "none"
