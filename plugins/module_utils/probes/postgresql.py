# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at a PostgreSQL database through psql: the vantage host needs its client, and Python needs no driver.

The password is in a libpq password file (PGPASSFILE), never in argv or the environment.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Database

# What is lost when the primary vanishes now is what no standby has flushed (pg_stat_replication.flush_lsn).
QUERY = """
SELECT pg_is_in_recovery(),
       (SELECT count(*) FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND usename = :'role' AND datname = current_database()),
       CASE WHEN pg_is_in_recovery() THEN NULL
            ELSE (SELECT max(pg_wal_lsn_diff(pg_current_wal_lsn(), flush_lsn))::bigint
                    FROM pg_stat_replication WHERE state = 'streaming') END;
"""

# libpq's own words (LC_ALL=C) for "nobody there". Anything else, a refused log-in first of all, tells nothing.
_NOBODY = re.compile(
    r"connection refused|timeout expired|no route to host|host is down|closed the connection", re.IGNORECASE
)
_REFUSED = re.compile(r"connection refused|closed the connection", re.IGNORECASE)
# A postmaster that takes nobody in: starting, stopping or recovering from a crash.
_NOT_READY = re.compile(r"the database system is ", re.IGNORECASE)


@dataclass(frozen=True)
class DatabaseView:
    """What psql saw.

    role: primary, standby or unknown. sessions: of the Configuration Server's role. lag: bytes that no standby has
    flushed, None when unknown. nobody: nothing served there; answered: something came back. detail: one line.
    """

    role: str = "unknown"
    sessions: int = 0
    lag: Optional[int] = None
    nobody: bool = False
    answered: bool = False
    detail: str = ""


def look_at(check: Mapping[str, Any], database: Database, connect_timeout: float, deadline: float) -> DatabaseView:
    """The database at database_address and database_port, seen within `deadline` seconds. Raises nothing."""
    argv = [
        "psql",
        "-X",
        "-w",
        "-q",
        "-A",
        "-t",
        "-F",
        "|",
        "-v",
        "ON_ERROR_STOP=1",
        "-v",
        f"role={database.server_role}",
    ]
    environment = _environment(check, database, connect_timeout, deadline)
    try:
        # Probes run side by side in threads, without a module of their own whose run_command they could use.
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            argv, input=QUERY, env=environment, capture_output=True, text=True, timeout=deadline, check=False
        )
    except FileNotFoundError:
        return DatabaseView(detail="psql is not installed on this host")
    except subprocess.TimeoutExpired:
        return DatabaseView(nobody=True, detail=f"no answer within {deadline:.0f} s")
    return read_reply(done.stdout) if done.returncode == 0 else read_failure(done.stderr)


def read_reply(text: str) -> DatabaseView:
    """What the one line `recovery|sessions|lag` says."""
    fields = text.strip().split("|")
    if len(fields) != 3 or fields[0] not in ("t", "f") or not fields[1].isdigit():
        return DatabaseView(answered=True, detail=f"psql printed {text.strip()[:80]!r}")
    role = "standby" if fields[0] == "t" else "primary"
    lag = int(fields[2]) if fields[2].lstrip("-").isdigit() else None
    detail = f"{role}, {fields[1]} sessions, lag {'unknown' if lag is None else f'{lag} bytes'}"
    return DatabaseView(role, int(fields[1]), lag, answered=True, detail=detail)


def read_failure(text: str) -> DatabaseView:
    """What psql's complaint says: nobody there, or only that we may not look."""
    detail = " ".join(text.split())[:200]
    if _NOT_READY.search(text):
        return DatabaseView(nobody=True, answered=True, detail=detail)
    return DatabaseView(nobody=bool(_NOBODY.search(text)), answered=bool(_REFUSED.search(text)), detail=detail)


def _environment(
    check: Mapping[str, Any], database: Database, connect_timeout: float, deadline: float
) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    passfile = {"PGPASSFILE": database.passfile} if database.passfile else {}
    return {
        **inherited,
        **passfile,
        "LC_ALL": "C",
        "PGHOST": str(check["database_address"]),
        "PGPORT": str(check.get("database_port", 5432)),
        "PGDATABASE": database.name,
        "PGUSER": database.user,
        "PGAPPNAME": "sip-dr",
        # libpq takes whole seconds and reads 1 as 2.
        "PGCONNECT_TIMEOUT": str(max(2, round(connect_timeout))),
        "PGOPTIONS": f"-c statement_timeout={round(deadline * 1000)} -c default_transaction_read_only=on",
    }
