# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Database replication: which side is the writer, how it is fenced, how the other one is promoted."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Protocol, Sequence

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process import ProcessDriver


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
    passfile: str = ""
    """libpq's password file for `address`."""
    config_file: str = ""
    """The server's postgresql.conf; empty: what the server was last started with."""
    bin_directory: str = ""
    """Where pg_rewind and pg_basebackup lie; empty: where the server was last started from."""
    log_files: str = ""
    """Pattern of the server's own log, rotated files included."""
    commands: Mapping[str, Sequence[str]] = {}
    """Programs of the drivers that are made of programs: name of the verb to its command line."""
    replicats: Sequence[str] = ()
    """Process groups that apply here (oracle_goldengate)."""
    extracts: Sequence[str] = ()
    """Process groups that send from here (oracle_goldengate)."""


class Source(NamedTuple):
    """The primary that a side is to follow. The password is in `passfile` (libpq, "The Password File")."""

    address: str
    port: int
    user: str
    """A role that may look and, for pg_rewind, read files (its four functions)."""
    replication_user: str
    """The role that streams."""
    passfile: str
    database: str
    """The database that `user` logs in to."""
    name: str
    """application_name of this side as a standby; empty: that of the connection which is configured."""
    sslmode: str


class Server(NamedTuple):
    """How the server on this host is stopped and started."""

    unit: str
    processes: ProcessDriver
    copy_deadline: float
    """Seconds that rewinding or copying it may take."""


class Replication(Protocol):
    """What a replication driver can do with the server on this host. A state is what view.py says."""

    def state(self) -> Dict[str, Any]:
        """Return the server's state; a server that is down is an answer, not an error."""

    def readiness(self, state: Mapping[str, Any], limits: Mapping[str, int]) -> List[Dict[str, Any]]:
        """Return one `{item, met, evidence, way}` for each thing that a promotion will need.

        With `needed: false` it is advice: a promotion goes without.
        """

    def left_behind(self, state: Mapping[str, Any], fence: Mapping[str, Any]) -> Optional[str]:
        """Return in words why this database lacks what the fenced side wrote, or None as far as the driver can tell."""

    def close(self) -> Dict[str, Any]:
        """Revoke the writer's log-in and write privileges, end its sessions, and return what is seen afterwards."""

    def open(self, log_in: bool) -> None:
        """Give the writer back what `close` took, its log-in in any case with `log_in`."""

    def followed(self, end: Mapping[str, Any]) -> Optional[bool]:
        """Return whether every standby has applied all up to the position `end`; None when no standby follows."""

    def lag_to(self, lsn: Optional[str]) -> Optional[int]:
        """Return how much of the log up to `lsn` is not applied here, in the driver's unit; None when unknown.

        Without `lsn`: up to the end of what has been received.
        """

    def receives(self) -> bool:
        """Return whether more of the other side's log may come; true where the make cannot tell."""

    def detach(self) -> None:
        """Stop receiving, so that what is here is final. Done again it changes nothing."""

    def attach(self) -> None:
        """Undo `detach`."""

    def promote(self) -> None:
        """Make this server the writer, durable on disk. Raises DatabaseError when it is still a standby afterwards."""

    def stand_alone(self) -> None:
        """Commit without waiting for any standby."""

    def synchronise(self, names: str) -> None:
        """Commit only what the standbys `names` have applied too."""

    def write(self, marker: str) -> Dict[str, Any]:
        """Commit a transaction as the writer and return what is seen of it. Raises DatabaseError."""

    def start_as_primary(self) -> None:
        """Take back that a stopped server would start as a standby."""

    def ledger(self, since: str, recording: Mapping[str, Any]) -> Dict[str, Any]:
        """Return `{writes, complete, detail, recording}`: the writer's writes since a time (RFC 3339), oldest first.

        `applied_until` of a standby is when the last transaction that it has was committed (RFC 3339), else None.
        `recording` is what a running server says of how it records writes, and when; empty of one that is down. What an
        earlier call said is given back to it, or nothing.
        Raises RefusedError when the make keeps no such record.
        """

    def compare(self) -> Dict[str, Any]:
        """Return `{tables: {name: {rows, hash}}, digest}` of what the database holds. Raises RefusedError likewise."""

    def resync(
        self, source: Source, server: Server, begin: Optional[Callable[[str], None]], unfinished: bool
    ) -> Dict[str, Any]:
        """Make this side a standby of the primary `source`; return `{way, tried, seconds, streams}` once it is seen.

        `begin` is called with each way just before it is taken; without it nothing is changed. `unfinished`: an earlier
        one was killed half-way. Raises RefusedError, DatabaseError.
        """
