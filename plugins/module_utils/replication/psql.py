# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Statements to PostgreSQL through its own client `psql`: as the database's system user by peer, or over TCP.

Statements go in by standard input and values as psql variables, so nothing needs quoting by hand; a password goes by
the environment (libpq, "Environment Variables"), never on the command line.
"""

from __future__ import annotations

import json
from typing import Any, Dict

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import Access, DatabaseError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.program import (
    clean_environment,
    first_line,
    run_program,
)

NO_CONNECTION = 2
"""psql's exit status when the connection went bad (psql(1), "Exit Status")."""


class NoConnectionError(DatabaseError):
    """Nobody answers, or the server refuses the log-in."""


class Psql:
    """One way to one database; each call is a session of its own."""

    def __init__(self, access: Access, as_the_server_commits: bool = False) -> None:
        """Keep how the server is reached. `as_the_server_commits` waits for a synchronous standby as the writer would.

        Without it our commits are local: fencing and promoting must not wait for a standby that is gone.
        """
        self._access = access
        self._options = f"-c statement_timeout={round(access.deadline * 1000)}"
        if not as_the_server_commits:
            self._options += " -c synchronous_commit=local"

    def run(self, statements: str, **variables: str) -> str:
        """Run statements and return what they print. Raises NoConnectionError, DatabaseError."""
        access = self._access
        values = dict(variables, writer=access.writer)
        command = ["psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d", access.database]
        for name, value in values.items():
            command += ["-v", f"{name}={value}"]
        # Peer log-in goes by the system user that runs psql.
        user = "" if access.address else access.os_user
        done = run_program(command, 2 * access.deadline, statements, self._environment(), user)
        if done.code == NO_CONNECTION:
            raise NoConnectionError(first_line(done.errors))
        if done.code != 0:
            raise DatabaseError(first_line(done.errors))
        return done.output

    def ask(self, statements: str, **variables: str) -> Any:  # noqa: ANN401  the JSON that the statement builds
        """Run statements whose last line of output is JSON, and return it."""
        lines = self.run(statements, **variables).strip().splitlines()
        return json.loads(lines[-1]) if lines else None

    def _environment(self) -> Dict[str, str]:
        access = self._access
        return clean_environment(
            {
                "PGHOST": access.address or access.socket_directory,
                "PGPORT": str(access.port),
                "PGUSER": access.user if access.address else access.os_user,
                "PGPASSWORD": access.password if access.address else "",
                "PGPASSFILE": access.passfile if access.address else "",
                "PGSSLMODE": access.sslmode if access.address else "",
                "PGCONNECT_TIMEOUT": str(max(2, round(access.deadline))),
                "PGAPPNAME": "sip-dr",
                "PGOPTIONS": self._options,
            }
        )
