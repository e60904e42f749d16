# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Database replication: which side is the writer, how it is fenced, how the other one is promoted."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Protocol


class DatabaseError(Exception):
    """The database server does not do what it was asked; the message is what it said, without any secret."""


class Access(NamedTuple):
    """How a database server is reached. Without `address` it is the one on this host, as `os_user` by peer log-in."""

    database: str
    writer: str
    """The role that the Configuration Server logs in with."""
    port: int
    deadline: float
    """Seconds for one statement and for one log-in."""
    interval: float
    """Seconds between two looks."""
    os_user: str = "postgres"
    data_directory: str = ""
    socket_directory: str = ""
    address: str = ""
    user: str = ""
    password: str = ""
    sslmode: str = "prefer"


class Replication(Protocol):
    """What a replication driver can do with the server on this host."""

    def state(self) -> Dict[str, Any]:
        """Return `{running, role, timeline, lsn, …}`; a server that is down is an answer, not an error."""

    def readiness(self, state: Mapping[str, Any], limits: Mapping[str, int]) -> List[Dict[str, Any]]:
        """Return one `{item, met, evidence, way}` for each thing that a promotion will need."""

    def close(self) -> Dict[str, Any]:
        """Revoke the writer's log-in and write privileges, end its sessions, and return what is seen afterwards."""

    def open(self, log_in: bool) -> None:
        """Give the writer back what `close` took, its log-in in any case with `log_in`."""

    def lag_to(self, lsn: str) -> Optional[int]:
        """Return how many bytes of the log up to `lsn` are not applied here."""

    def promote(self) -> None:
        """Make this server the writer, durable on disk. Raises DatabaseError when it is still a standby afterwards."""

    def write(self, marker: str) -> Dict[str, Any]:
        """Commit a transaction as the writer and return what is seen of it. Raises DatabaseError."""
