# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What GGSCI prints, as it is read."""

from __future__ import annotations

import json
import os
import pwd
import sys
from pathlib import Path

import database_stand_in
import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import Access, DatabaseError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.oracle_goldengate import (
    OracleGoldenGate,
    parse_lag,
    parse_status,
)

LAG = """
Oracle GoldenGate Command Interpreter for Oracle

GGSCI (s2-cfg) 1> LAG REPLICAT CSP

Sending GETLAG request to REPLICAT CSP ...
Last record lag 4 seconds.
Low watermark lag: 10.
High watermark lag: 5.
At EOF, no more records to process.


GGSCI (s2-cfg) 2> Sending GETLAG request to REPLICAT MSP ...
Last record lag 37 seconds.

Sending GETLAG request to REPLICAT XSP ...
Lag unknown (timestamp mismatch between source and target).
"""
INFO = """
REPLICAT   CSP       Last Started 2026-01-31 03:14   Status RUNNING
Checkpoint Lag       00:00:00 (updated 00:00:07 ago)
Log Read Checkpoint  File ./dirdat/re000000

EXTRACT    CSE       Initialized   2026-01-31 03:10   Status STOPPED
REPLICAT   msp       Last Started 2026-01-31 03:14   Status ABENDED
"""


def test_a_lag_is_nought_only_at_the_end_of_the_trail() -> None:
    assert parse_lag(LAG) == {"CSP": 0, "MSP": 37, "XSP": None}
    assert parse_lag("Sending GETLAG request to REPLICAT CSP ...\nLast record lag 0 seconds.\n") == {"CSP": 1}
    assert parse_lag("ERROR: REPLICAT CSP not currently running.") == {}


def test_the_status_of_a_group_is_read_whatever_it_is() -> None:
    assert parse_status(INFO) == {"CSP": "RUNNING", "CSE": "STOPPED", "MSP": "ABENDED"}


def driver(tmp_path: Path, **more: object) -> OracleGoldenGate:
    file = tmp_path / "pair.json"
    file.write_text(json.dumps({**database_stand_in.first(), **more}))
    program = [sys.executable, database_stand_in.__file__, str(file), "new"]
    commands = {verb: [*program, verb] for verb in ("ggsci", "look", "grant", "triggers", "revoke", "write")}
    user = pwd.getpwuid(os.geteuid()).pw_name
    return OracleGoldenGate(Access("config", "confserv", 0, 2.0, 0.05, user, commands=commands, replicats=["CSP"]))


def test_a_replicat_that_somebody_else_stopped_has_no_known_lag(tmp_path: Path) -> None:
    stopped = dict(database_stand_in.first()["new"], runs=False)
    assert driver(tmp_path, new=stopped).lag_to(None) is None


def test_one_that_was_behind_when_we_stopped_it_has_none_either(tmp_path: Path) -> None:
    behind = dict(database_stand_in.first()["new"], applied=3)
    found = driver(tmp_path, new=behind)
    assert found.lag_to(None) == 4
    found.detach()
    assert found.lag_to(None) is None


def test_a_group_that_ggsci_does_not_know_is_an_error(tmp_path: Path) -> None:
    found = driver(tmp_path)
    found._access = found._access._replace(commands={"ggsci": ["sh", "-c", "cat >/dev/null; echo 'ERROR: no MANAGER'"]})
    with pytest.raises(DatabaseError, match="no MANAGER"):
        found.lag_to(None)


@pytest.mark.parametrize(
    ("shell", "words"),
    [
        ("echo; echo '[1]'", "writer"),
        ("echo no json", "printed no JSON"),
        ("echo ora-1017 >&2; exit 3", "ora-1017"),
        ("echo '{\"can_login\": 1}'", "can_login"),
        ("sleep 60", "did not finish"),
    ],
)
def test_a_program_that_says_too_little_is_an_error(tmp_path: Path, shell: str, words: str) -> None:
    found = driver(tmp_path)
    commands = {"look": ["sh", "-c", f"cat >/dev/null; {shell}"]}
    found._access = found._access._replace(commands=commands, deadline=0.5)
    with pytest.raises(DatabaseError, match=words):
        found.state()
