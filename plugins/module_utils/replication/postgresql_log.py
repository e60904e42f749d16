# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The divergence ledger: what the writer wrote, from the server's own log (PostgreSQL 15, chapter 20.8).

The log is that of `log_destination = stderr`, with `log_statement` mod or all for the writer's role. A statement stands
there before it is carried out: `outcome` says error when the server said so next in the same session, and a
transaction that was rolled back later cannot be told from one that was committed. Writes by functions that a SELECT
calls do not stand there.
"""

from __future__ import annotations

import gzip
import re
from datetime import datetime, timezone
from glob import glob
from pathlib import Path
from typing import IO, Any, Callable, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Pattern
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import Access, DatabaseError

UTC_NAMES = frozenset({"UTC", "GMT", "Etc/UTC", "Etc/GMT", "Zulu", "Universal", "UCT"})
NEEDED = {"%u": "user", "%d": "database", "%p": "process"}
_WORDS = {
    "m": r"(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) (?P<zone>\S+)",
    "t": r"(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?P<zone>\S+)",
    "n": r"(?P<epoch>\d+\.\d{3})",
    "p": r"(?P<process>\d+)",
    "u": r"(?P<user>.*?)",
    "d": r"(?P<database>.*?)",
    "%": "%",
}
_MESSAGE = r"(?P<level>[A-Z]+\d?):  (?P<text>.*)$"
_STATEMENT = re.compile(r"(?:statement|execute [^:]*): (?P<sql>.*)\Z", re.DOTALL)
_READS = re.compile(r"\s*(?:select|show|begin|start|commit|end|set|fetch|close|listen|explain)\b", re.IGNORECASE)
_ERRORS = ("ERROR", "FATAL", "PANIC")


class Line(NamedTuple):
    """One message of the log, its continuation lines joined."""

    at: datetime
    process: str
    user: str
    database: str
    level: str
    text: str


def prefix_problem(prefix: str) -> Optional[str]:
    """Return in words what a log_line_prefix lacks for a ledger, or None."""
    missing = [name for word, name in NEEDED.items() if word not in prefix]
    if not re.search("%[mtn]", prefix):
        missing.insert(0, "time")
    return f"it names no {', '.join(missing)}" if missing else None


def prefix_pattern(prefix: str) -> Pattern[str]:
    """Return the expression that a line of a log with this log_line_prefix matches (`%q`: the rest is of sessions)."""
    parts = []
    optional = False
    for word in re.findall(r"%-?\d*.|[^%]+", prefix):
        letter = word[-1]
        if not word.startswith("%"):
            parts.append(re.escape(word))
        elif letter == "q":
            parts.append("(?:")
            optional = True
        else:
            parts.append(_WORDS.get(letter, r".*?"))
    return re.compile("".join(parts) + (")?" if optional else "") + _MESSAGE)


def clock_of(name: str) -> Callable[[str, str], datetime]:
    """Return what reads a time of the log, given log_timezone: `(text, abbreviation)` to a moment.

    The hour that autumn has twice is told by the abbreviation. Raises DatabaseError for a zone that this host lacks.
    """
    if name in UTC_NAMES:
        return lambda text, _abbreviation: datetime.fromisoformat(text).replace(tzinfo=timezone.utc)
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise DatabaseError(f"log_timezone is {name}, and this host does not know that zone") from error

    def read(text: str, abbreviation: str) -> datetime:
        """Return the moment, whichever of its two hours it was."""
        first = datetime.fromisoformat(text).replace(tzinfo=zone)
        second = first.replace(fold=1)
        return second if first.tzname() != abbreviation and second.tzname() == abbreviation else first

    return read


def messages(lines: Iterable[str], prefix: str, zone: str) -> Iterator[Line]:
    """Yield the log's messages. A line that begins with a tab, or fits no message, goes on with the one before."""
    pattern, clock = prefix_pattern(prefix), clock_of(zone)
    current: Optional[Line] = None
    for text in lines:
        text = text.rstrip("\n")
        found = None if text.startswith("\t") else pattern.match(text)
        if found is None:
            # What the server writes into a message of several lines it indents by one tab.
            current = current and current._replace(text=f"{current.text}\n{text[1:] if text[:1] == chr(9) else text}")
            continue
        if current:
            yield current
        current = _line(found.groupdict(), clock)
    if current:
        yield current


def _line(words: Mapping[str, Optional[str]], clock: Callable[[str, str], datetime]) -> Line:
    if words.get("epoch"):
        at = datetime.fromtimestamp(float(str(words["epoch"])), timezone.utc)
    else:
        at = clock(str(words["at"]), str(words["zone"]))
    process, user, database = (str(words.get(key) or "") for key in ("process", "user", "database"))
    return Line(at, process, user, database, str(words["level"]), str(words["text"]))


def writes_of(found: Iterable[Line], user: str, database: str, since: datetime) -> List[Dict[str, Any]]:
    """Return `{at, session, user, statement, outcome}` of every write of a role since a moment, oldest first."""
    writes: List[Dict[str, Any]] = []
    last: Dict[str, Dict[str, Any]] = {}
    for line in found:
        if line.at < since or line.user != user or line.database != database:
            continue
        statement = _STATEMENT.match(line.text) if line.level == "LOG" else None
        if statement:
            last.pop(line.process, None)
            if not _READS.match(statement["sql"]):
                writes.append(_write(line, statement["sql"]))
                last[line.process] = writes[-1]
        elif line.process in last:
            _add(last[line.process], line)
    return writes


def _write(line: Line, statement: str) -> Dict[str, Any]:
    at = line.at.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"at": at, "session": line.process, "user": line.user, "statement": statement, "outcome": "unknown"}


def _add(write: Dict[str, Any], line: Line) -> None:
    if line.level in _ERRORS:
        write["outcome"] = f"error: {line.text}"
    elif line.level == "DETAIL" and line.text.startswith("parameters: "):
        write["parameters"] = line.text[len("parameters: ") :]


class Recording(NamedTuple):
    """What is known of the writer's log_statement; empty: nothing, of a server that is down."""

    log_statement: str = ""
    seen_at: str = ""
    """When a server that is down said so (RFC 3339); empty: it says so now. A change in between is not known."""

    @property
    def words(self) -> str:
        """Say it, and how old it is."""
        when = f" when the server, down now, was last asked at {self.seen_at}" if self.seen_at else ""
        return f"log_statement {self.log_statement}{when}"


def last_seen(kept: Mapping[str, Any], since: str) -> Recording:
    """Return what a server that is down said of its recording, if that was after `since`: older words prove nothing."""
    if not kept or _moment(str(kept["at"])) < _moment(since):
        return Recording()
    return Recording(str(kept["log_statement"]), str(kept["at"]))


def read_ledger(access: Access, settings: Mapping[str, str], recording: Recording, since: str) -> Dict[str, Any]:
    """Return `{writes, complete, detail}` from the log files of this host, rotated and compressed ones included.

    `complete` is true when the log reaches back to `since` and the writer's statements are logged. Raises DatabaseError
    when the log cannot be read, or its prefix does not say who wrote.
    """
    start = _moment(since)
    problem = prefix_problem(settings["log_line_prefix"])
    if problem:
        raise DatabaseError(f"log_line_prefix is {settings['log_line_prefix']!r}: {problem}")
    # A file that was last written to before that time holds nothing of it, but the newest such file proves the reach.
    files = sorted((Path(name) for name in glob(access.log_files)), key=lambda path: path.stat().st_mtime)
    if not files:
        raise DatabaseError(f"no log matches {access.log_files or 'log_files'}")
    older = [path for path in files if path.stat().st_mtime < start.timestamp()]
    read = files[len(older) :]
    found = [line for path in read for line in _messages_of(path, settings)]
    first = min((line.at for line in found), default=None)
    reaches = bool(older) or bool(first and first <= start)
    known = recording.log_statement
    # Where nobody asked a server before it went down the role's setting is not known, but what it logged is.
    logged = known in ("mod", "all") if known else any(_is_statement(line, access) for line in found)
    writes = writes_of(sorted(found, key=lambda line: line.at), access.writer, access.database, start)
    words = f"{len(writes)} writes of {access.writer} since {since} in {len(read)} files"
    unknown = f"log_statement {'was on' if logged else 'unknown, the server is down'}"
    words += f"; {recording.words if known else unknown}"
    begins = "" if reaches else f"; the log begins at {first.isoformat() if first else 'no time'}, later than that"
    return {"writes": writes, "complete": reaches and logged, "detail": words + begins}


def _is_statement(line: Line, access: Access) -> bool:
    return line.user == access.writer and line.level == "LOG" and bool(_STATEMENT.match(line.text))


def _messages_of(path: Path, settings: Mapping[str, str]) -> List[Line]:
    with _opened(path) as lines:
        return list(messages(lines, settings["log_line_prefix"], settings["log_timezone"]))


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", errors="replace")
    return open(path, encoding="utf-8", errors="replace")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise DatabaseError(f"since is no time: {text!r}") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
