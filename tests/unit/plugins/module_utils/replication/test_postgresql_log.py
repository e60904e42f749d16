# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The divergence ledger from PostgreSQL's own log: prefixes, zones, statements of several lines, rotated files."""

from __future__ import annotations

import gzip
import os
import re
from datetime import datetime, timezone
from pathlib import Path

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import Access, DatabaseError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.postgresql_log import (
    Recording,
    clock_of,
    last_seen,
    messages,
    prefix_problem,
    read_ledger,
    writes_of,
)

DEBIAN = "%m [%p] %q%u@%d "
SINCE = datetime(2026, 1, 31, 3, 14, 15, tzinfo=timezone.utc)
LOG = """\
2026-01-31 03:14:00.000 UTC [49] LOG:  checkpoint starting: time
2026-01-31 03:14:14.999 UTC [101] confserv@config LOG:  statement: insert into cfg_write values (0)
2026-01-31 03:14:15.000 UTC [101] confserv@config LOG:  statement: update cfg_object
\t set name = 'a: b',
\t\tobject = '{}'
2026-01-31 03:14:16.000 UTC [102] confserv@config LOG:  execute <unnamed>: insert into cfg_write values ($1)
2026-01-31 03:14:16.000 UTC [102] confserv@config DETAIL:  parameters: $1 = '7'
2026-01-31 03:14:17.000 UTC [101] confserv@config ERROR:  duplicate key value violates unique constraint "k"
2026-01-31 03:14:17.000 UTC [101] confserv@config DETAIL:  Key (dbid)=(1) already exists.
2026-01-31 03:14:17.500 UTC [101] confserv@config LOG:  statement: SELECT 1
2026-01-31 03:14:18.000 UTC [103] postgres@config LOG:  statement: delete from cfg_write
2026-01-31 03:14:18.000 UTC [104] confserv@other LOG:  statement: delete from cfg_write
2026-01-31 03:14:19.000 UTC [105] [unknown]@[unknown] LOG:  connection received: host=[local]
"""


def written(text: str, prefix: str = DEBIAN, zone: str = "Etc/UTC") -> list[dict[str, object]]:
    return writes_of(messages(text.splitlines(keepends=True), prefix, zone), "confserv", "config", SINCE)


def test_writes_of_the_role_since_then_with_how_they_ended() -> None:
    first, second = written(LOG)
    assert first == {
        "at": "2026-01-31T03:14:15.000Z",
        "session": "101",
        "user": "confserv",
        "statement": "update cfg_object\n set name = 'a: b',\n\tobject = '{}'",
        "outcome": 'error: duplicate key value violates unique constraint "k"',
    }
    assert (second["statement"], second["parameters"], second["outcome"]) == (
        "insert into cfg_write values ($1)",
        "$1 = '7'",
        "unknown",
    )


@pytest.mark.parametrize(
    ("prefix", "line"),
    [
        (
            "%t [%p]: user=%u,db=%d,app=%a,client=%h ",
            "2026-01-31 03:14:15 UTC [9]: user=confserv,db=config,app=x,client= ",
        ),
        ("%n %c %p %u@%d:", "1769829255.000 65b.2 9 confserv@config:"),
        ("<%%%m %p %u@%d> ", "<%2026-01-31 03:14:15.000 UTC 9 confserv@config> "),
    ],
)
def test_other_prefixes_are_understood(prefix: str, line: str) -> None:
    assert prefix_problem(prefix) is None
    found = written(f"{line}LOG:  statement: truncate a", prefix)
    assert [(write["at"], write["session"]) for write in found] == [("2026-01-31T03:14:15.000Z", "9")]


@pytest.mark.parametrize(("prefix", "word"), [("%m [%p] ", "user"), ("[%p] %u@%d ", "time"), ("%m %u@%d", "process")])
def test_a_prefix_that_does_not_say_who_is_named(prefix: str, word: str) -> None:
    assert word in str(prefix_problem(prefix))


def test_the_hour_that_comes_twice_is_told_by_its_abbreviation() -> None:
    clock = clock_of("Europe/Berlin")
    first, second = (clock("2026-10-25 02:30:00.000", word).astimezone(timezone.utc) for word in ("CEST", "CET"))
    assert (first.hour, second.hour) == (0, 1)
    with pytest.raises(DatabaseError, match="does not know"):
        clock_of("Mars/Olympus")


def ledger(
    tmp_path: Path, since: str = "2026-01-31T03:14:15Z", log_statement: str = "mod", seen_at: str = ""
) -> dict[str, object]:
    access = Access("config", "confserv", 5432, 1, 1, log_files=str(tmp_path / "main.log*"))
    settings = {"log_line_prefix": DEBIAN, "log_timezone": "UTC"}
    return read_ledger(access, settings, Recording(log_statement, seen_at), since)


def test_rotated_and_compressed_files_are_one_log(tmp_path: Path) -> None:
    lines = LOG.splitlines(keepends=True)
    (tmp_path / "main.log").write_text("".join(lines[8:]))
    (tmp_path / "main.log.1").write_text("".join(lines[3:8]))
    with gzip.open(tmp_path / "main.log.2.gz", "wt") as old:
        old.write("".join(lines[:3]))
    found = ledger(tmp_path)
    assert (len(found["writes"]), found["complete"]) == (2, True)


def test_a_log_that_begins_later_or_without_statements_is_not_complete(tmp_path: Path) -> None:
    (tmp_path / "main.log").write_text(LOG)
    assert ledger(tmp_path)["complete"]
    assert not ledger(tmp_path, log_statement="none")["complete"]
    assert ledger(tmp_path, log_statement="")["complete"]
    early = ledger(tmp_path, since="2026-01-31T03:00:00Z")
    assert not early["complete"]
    assert "later than that" in str(early["detail"])
    before = tmp_path / "main.log.1"
    before.write_text("")
    os.utime(before, (0, 0))
    assert ledger(tmp_path, since="2026-01-31T03:00:00Z")["complete"]


def test_a_server_that_is_down_is_believed_what_it_said_after_the_split(tmp_path: Path) -> None:
    quiet = "".join(line for line in LOG.splitlines(keepends=True) if not re.search("insert|statement: ", line))
    (tmp_path / "main.log").write_text(quiet)
    since, later = "2026-01-31T03:14:15Z", "2026-01-31T03:14:16.000Z"
    assert not ledger(tmp_path, since, "")["complete"], "nobody asked, and nothing was logged"
    said = last_seen({"log_statement": "mod", "at": later}, since)
    found = ledger(tmp_path, since, *said)
    assert found["complete"]
    assert f"log_statement mod when the server, down now, was last asked at {later}" in str(found["detail"])
    off = last_seen({"log_statement": "none", "at": later}, since)
    assert not ledger(tmp_path, since, *off)["complete"]
    assert last_seen({"log_statement": "mod", "at": since}, later) == Recording(), "of another split"
    assert last_seen({}, since) == Recording()


def test_no_log_and_no_time_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="no log matches"):
        ledger(tmp_path)
    with pytest.raises(DatabaseError, match="no time"):
        ledger(tmp_path, since="yesterday")
