# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Configuration Database behind a master: one session, which holds the master's lock for as long as it lives."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from uuid import uuid4

import psycopg2

from standins.config_server.objects import name_of
from standins.config_server.settings import Settings
from standins.config_server.wire import Message, RefusedError

MASTER_LOCK = 2020
WRITABLE = """
select not pg_is_in_recovery()
   and has_table_privilege('cfg_object', 'insert') and has_table_privilege('cfg_object', 'update')
   and has_table_privilege('cfg_write', 'insert')"""
KEEP = """
insert into cfg_object (type, dbid, name, object) values (%s, %s, %s, %s)
on conflict (type, dbid) do update set name = excluded.name, object = excluded.object"""
RECORD = """
insert into cfg_write (site, term, username, type, dbid, name, object) values (%s, %s, %s, %s, %s, %s, %s)
returning seq, at"""


class NotMasterError(Exception):
    """This database makes no master now: it is a standby, its grants are gone, or another server holds the lock."""


class StoreLostError(Exception):
    """There is no session on the database, or it has just been lost."""


def _now() -> str:
    return datetime.now(timezone.utc).isoformat()


@contextmanager
def _session_errors() -> Iterator[None]:
    """Speak of what psycopg2 reports in the words of this module."""
    try:
        yield
    except (psycopg2.errors.InsufficientPrivilege, psycopg2.errors.ReadOnlySqlTransaction) as error:
        raise RefusedError(f"read-only: {error.pgerror or error}".strip()) from error
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        raise StoreLostError(str(error).strip().partition("\n")[0]) from error


class Store:
    """The master's session. ``term`` names one uninterrupted time in service: where two overlap, two masters ran."""

    def __init__(self, settings: Settings) -> None:
        """Open nothing yet."""
        self._settings = settings
        self._connection: psycopg2.extensions.connection | None = None
        self.term = ""

    def open(self) -> list[Message]:
        """Become master on the database: all objects. NotMasterError or StoreLostError if it must not or cannot be."""
        self.close()
        with _session_errors():
            self._connection = psycopg2.connect(**self._settings.dsn)
            self._connection.autocommit = True
            if not self.is_writable():
                raise NotMasterError("the database is not writable for its Configuration Server")
            if not self._one("select pg_try_advisory_lock(%s)", MASTER_LOCK)[0]:
                raise NotMasterError("another Configuration Server is master on this database")
            self.term = uuid4().hex
            with self._live.cursor() as cursor:
                cursor.execute("select object from cfg_object")
                objects = [row[0] for row in cursor.fetchall()]
        self._log(event="began", at=_now())
        return objects

    def close(self) -> None:
        """End the session, and with it the lock."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def is_writable(self) -> bool:
        """Would a write be accepted now? StoreLostError if the session is gone."""
        with _session_errors():
            return bool(self._one(WRITABLE)[0])

    def write(self, obj: Message, username: str) -> int:
        """Commit an object and the record of its write, log it on the host; the write's sequence number."""
        identity = (obj["type"], int(obj["dbid"]), name_of(obj))
        text = json.dumps(obj)
        with _session_errors(), self._transaction() as cursor:
            cursor.execute(KEEP, (*identity, text))
            cursor.execute(RECORD, (self._settings.site, self.term, username, *identity, text))
            seq, at = cursor.fetchone()
        when = at.astimezone(timezone.utc).isoformat()
        self._log(seq=int(seq), at=when, accepted=_now(), user=username, object=list(identity))
        return int(seq)

    @contextmanager
    def _transaction(self) -> Iterator[psycopg2.extensions.cursor]:
        connection = self._live
        connection.autocommit = False
        try:
            with connection, connection.cursor() as cursor:
                yield cursor
        finally:
            if not connection.closed:
                connection.autocommit = True

    def _log(self, **what: object) -> None:
        record = {"site": self._settings.site, "term": self.term, **what}
        with self._settings.write_log.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(record) + "\n")
            stream.flush()
            os.fsync(stream.fileno())

    @property
    def _live(self) -> psycopg2.extensions.connection:
        if self._connection is None or self._connection.closed:
            raise StoreLostError("no session on the database")
        return self._connection

    def _one(self, statement: str, *values: object) -> tuple:
        with self._live.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchone()
