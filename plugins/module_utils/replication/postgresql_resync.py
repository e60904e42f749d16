# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A PostgreSQL server becomes a standby of the other side again: it follows, is rewound, or is copied anew.

A server that was stopped cleanly before the other one was promoted just follows; one that crashed or wrote on is
rewound to where the two parted; where that fails it is copied. Success is only what is seen: it streams the primary's
timeline and has applied the primary's log of that moment.
Sources: PostgreSQL 15, pg_rewind, pg_basebackup, pg_controldata, 55.4 (Streaming Replication Protocol).
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import read_text, replace_file, sync_directory
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process import ProcessError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import (
    Access,
    DatabaseError,
    Replication,
    Server,
    Source,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.postgresql_data import (
    Control,
    fork_of,
    keep_settings,
    make_directory,
    names,
    parse_control,
    put_settings_back,
    quoted,
    refuse_without_space,
    remove,
    started_with,
    stopped_before,
    word_of,
    write_standby_signal,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.postgresql_sql import TIMELINE
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.program import (
    Finished,
    clean_environment,
    run_program,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.psql import Psql
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for

NOT_REWOUND = "no rewind required"
"""What pg_rewind says, with exit status 0, of a primary that crashed while the new one had not written a checkpoint."""
OWN = ("primary_conninfo", "synchronous_standby_names", "synchronous_commit")
"""Settings of ALTER SYSTEM that a new standby must not keep, from itself or copied from the primary."""

_PRIMARY = f"""
select json_build_object('in_recovery', pg_is_in_recovery(),
  'system_identifier', (select system_identifier::text from pg_control_system()),
  'checkpoint_timeline', (select timeline_id from pg_control_checkpoint()),
  'timeline', case when pg_is_in_recovery() then null else {TIMELINE} end,
  'lsn', case when pg_is_in_recovery() then null else pg_current_wal_lsn() end,
  'slots', (select coalesce(json_agg(slot_name), '[]') from pg_replication_slots),
  'follows_by', (select setting from pg_settings where name = 'primary_slot_name'));
"""
_HISTORY = """
select to_json(convert_from(pg_read_binary_file('pg_wal/' || lpad(upper(to_hex(:timeline)), 8, '0') || '.history'),
  'UTF8'));
"""
_DROP_SLOT = """
select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = :'slot' and not active;
"""


class Resync:
    """One resynchronisation of the server on this host from the primary `source`."""

    def __init__(self, access: Access, source: Source, server: Server, driver: Replication) -> None:
        """Keep how both are reached; nothing is asked yet. `driver` is that of the server on this host."""
        self._access = access
        self._source = source
        self._server = server
        self._driver = driver
        self._data = Path(access.data_directory)
        self._new = self._data.with_name(self._data.name + ".resync")
        self._settings = self._data.with_name(self._data.name + ".settings")
        self._asks = access._replace(
            address=source.address,
            port=source.port,
            user=source.user,
            password="",
            passfile=source.passfile,
            database=source.database,
            sslmode=source.sslmode,
        )
        self._started_with = started_with(access)
        self._begin: Callable[[str], None] = lambda way: None

    def primary(self) -> Dict[str, Any]:
        """Return what the source says of itself now. Raises DatabaseError when it does not answer."""
        return dict(Psql(self._asks).ask(_PRIMARY))

    def is_done(self, unfinished: bool) -> bool:
        """Return whether this server streams from the source. Raises RefusedError when it must not follow it."""
        state = self._driver.state()
        # Killed half-way, what lies here says nothing of what this side was.
        primary = self._refuse_wrong_source({} if unfinished else self._identity(state))
        return not unfinished and self._follows(state, primary)

    def run(self, begin: Callable[[str], None], unfinished: bool) -> Dict[str, Any]:
        """Stop the server and make it a standby that streams. `begin` is called with each way just before it is taken.

        `unfinished` says that an earlier one was killed half-way: then only a copy will do. Returns `{way, tried,
        seconds}`. Raises DatabaseError with what each way failed of; nothing but a standby starts then.
        """
        started = time.monotonic()
        self._begin = begin
        begin("stop")
        if self._driver.state()["running"]:
            self._server.processes.stop(self._server.unit)
        keep_settings(self._data, self._settings)
        tried: List[Dict[str, str]] = []
        for way in ["copy"] if unfinished else self._ways(self.primary()):
            begin(way)
            failure = self._failure_of(way)
            tried.append({"way": way, "failure": failure})
            if not failure:
                self._forget_slot()
                shutil.rmtree(str(self._settings))
                return {"way": way, "tried": tried, "seconds": round(time.monotonic() - started, 2)}
        raise DatabaseError("; ".join(f"{one['way']}: {one['failure']}" for one in tried))

    def _identity(self, state: Mapping[str, Any]) -> Dict[str, Any]:
        """Return system_identifier, and the timeline that a primary must be on at least for this side to follow it."""
        if state["running"]:
            return dict(state, least=state["timeline"] + (0 if state["role"] == "standby" else 1))
        control = self._control()
        least = control.timeline + (0 if control.state.endswith("in recovery") else 1)
        return {"system_identifier": control.system_identifier, "least": least}

    def _refuse_wrong_source(self, mine: Mapping[str, Any]) -> Dict[str, Any]:
        primary = self.primary()
        problem = ""
        if primary["in_recovery"]:
            problem = f"{self._source.address} is a standby itself"
        elif mine and primary["system_identifier"] != mine["system_identifier"]:
            problem = f"{self._source.address} is another database ({primary['system_identifier']})"
        elif mine and primary["timeline"] < mine["least"]:
            problem = f"{self._source.address} is on timeline {primary['timeline']}, not yet on {mine['least']}"
        if problem:
            raise RefusedError(
                "one writer: a side follows only the primary that was promoted in its place",
                problem,
                "look at both databases; give as the source the one that is written to",
            )
        return primary

    def _control(self) -> Control:
        return parse_control(self._run("pg_controldata", "-D", str(self._data)).output)

    def _follows(self, state: Mapping[str, Any], primary: Mapping[str, Any]) -> bool:
        receiver = state.get("receiver") or {}
        return bool(
            state["role"] == "standby"
            and receiver.get("status") == "streaming"
            and receiver.get("sender_host") == self._source.address
            and int(receiver.get("sender_port") or 0) == self._source.port
            and state["timeline"] == primary["timeline"]
        )

    def _ways(self, primary: Mapping[str, Any]) -> List[str]:
        control = self._control()
        if control.timeline == primary["timeline"]:
            return ["follow", "copy"] if control.state == "shut down in recovery" else ["copy"]
        fork = fork_of(self._history(primary), control.timeline)
        if fork is None:
            return ["copy"]
        return ["follow", "rewind", "copy"] if stopped_before(control, fork) else ["rewind", "copy"]

    def _history(self, primary: Mapping[str, Any]) -> str:
        return str(Psql(self._asks).ask(_HISTORY, timeline=str(primary["timeline"])))

    def _failure_of(self, way: str) -> str:
        prepare = {"follow": lambda: None, "rewind": self._rewind, "copy": self._copy}[way]
        try:
            prepare()
            write_standby_signal(self._data, self._access.os_user)
            self._write_settings()
            self._claim_slot()
            self._server.processes.start(self._server.unit)
            self._see()
        except (DatabaseError, ProcessError, OSError) as error:
            # A newer run may have come, and the server that runs here by now be its own.
            self._begin(way)
            self._server.processes.stop(self._server.unit)
            return str(error) or type(error).__name__
        return ""

    def _rewind(self) -> None:
        """pg_rewind, once the primary has a checkpoint of its own timeline: before that it would find nothing to do."""
        deadline, interval = self._access.deadline, self._access.interval
        if not wait_for(lambda: _has_checkpoint(self.primary()), deadline, interval):
            raise DatabaseError("the primary has written no checkpoint since its promotion (say CHECKPOINT there)")
        signal = self._data / "standby.signal"
        # Crash recovery in single-user mode refuses a server that is to start as a standby.
        if signal.exists():
            signal.unlink()
        try:
            words = ["--source-server", self._conninfo(self._source.user, f"dbname={self._source.database}")]
            done = self._run("pg_rewind", "-D", str(self._data), *words, *self._config("--config-file={}"))
        finally:
            write_standby_signal(self._data, self._access.os_user)
        if NOT_REWOUND in done.output + done.errors:
            raise DatabaseError(
                f"pg_rewind says {NOT_REWOUND!r} of a server that did not stop before the other's start"
            )

    def _copy(self) -> None:
        """Copy the primary beside the old data, and only then let the new take the old one's place."""
        shutil.rmtree(str(self._new), ignore_errors=True)
        refuse_without_space(self._data, self._new.parent)
        make_directory(self._new, self._access.os_user)
        conninfo = self._conninfo(self._source.replication_user, "")
        self._run("pg_basebackup", "-w", "-d", conninfo, "-D", str(self._new), "-X", "stream", "-c", "fast")
        write_standby_signal(self._new, self._access.os_user)
        # The copy may have taken an hour, in which another run may have come.
        self._begin("copy")
        # Not by renaming the directory: it may be a mount point. Without `global` a server starts as nothing at all.
        for path in sorted(self._data.iterdir(), key=lambda path: path.name != "global"):
            if path.name != "postmaster.opts":
                remove(path)
        for path in sorted(self._new.iterdir(), key=lambda path: path.name == "global"):
            self._run_any("mv", "--", str(path), str(self._data))
        sync_directory(self._data)
        self._new.rmdir()

    def _see(self) -> None:
        """Wait until this server streams and has applied what the primary had written when it began to."""
        deadline, interval = self._access.deadline, self._access.interval
        if not wait_for(self._follows_now, deadline, interval):
            raise DatabaseError(f"started, but it does not stream after {deadline:.0f} s: {self._last_words()}")
        lsn = str(self.primary()["lsn"])
        if not wait_for(lambda: self._driver.lag_to(lsn) == 0, deadline, interval):
            raise DatabaseError(f"it streams, but has not applied {lsn} after {deadline:.0f} s")

    def _follows_now(self) -> bool:
        try:
            return self._follows(self._driver.state(), self.primary())
        except DatabaseError:
            return False

    def _last_words(self) -> str:
        try:
            return str(self._driver.state().get("receiver") or "no receiver")
        except DatabaseError as error:
            return str(error)

    def _write_settings(self) -> None:
        """Put our own configuration back: what pg_rewind and pg_basebackup bring is the primary's."""
        put_settings_back(self._settings, self._data)
        path = self._data / "postgresql.auto.conf"
        lines = read_text(path).splitlines() if path.exists() else []
        kept = [line for line in lines if line.split("=")[0].strip() not in OWN]
        replace_file(path, "\n".join([*kept, ""]), mode=0o600)
        configured = self._setting("primary_conninfo")
        if not names(configured, self._source):
            name = self._source.name or word_of(configured, "application_name")
            more = f"application_name={quoted(name)}" if name else ""
            conninfo = self._conninfo(self._source.replication_user, more).replace("'", "''")
            replace_file(path, "\n".join([*kept, f"primary_conninfo = '{conninfo}'", ""]), mode=0o600)
        user = pwd.getpwnam(self._access.os_user)
        os.chown(str(path), user.pw_uid, user.pw_gid)

    def _claim_slot(self) -> None:
        slot = self._setting("primary_slot_name")
        if slot and slot not in self.primary()["slots"]:
            stream = self._asks._replace(user=self._source.replication_user, database="replication=true")
            Psql(stream).run(f'CREATE_REPLICATION_SLOT "{slot}" PHYSICAL;')

    def _forget_slot(self) -> None:
        """Drop the slot by which the other side followed this one: nobody reads it, and it would keep all log."""
        slot = self.primary()["follows_by"]
        if slot:
            Psql(self._access).run(_DROP_SLOT, slot=str(slot))

    def _setting(self, name: str) -> str:
        return self._run(
            "postgres", "-C", name, "-D", str(self._data), *self._config("--config-file={}")
        ).output.strip()

    def _config(self, word: str) -> List[str]:
        return [word.format(self._started_with["config_file"])] if self._started_with["config_file"] else []

    def _conninfo(self, user: str, more: str) -> str:
        source = self._source
        words = {"host": source.address, "port": str(source.port), "user": user, "passfile": source.passfile}
        words.update(sslmode=source.sslmode, connect_timeout=str(max(2, round(self._access.deadline))))
        text = " ".join(f"{name}={quoted(value)}" for name, value in words.items() if value)
        return f"{text} {more}".strip()

    def _run(self, program: str, *words: str) -> Finished:
        return self._run_any(str(Path(self._started_with["bin_directory"]) / program), *words)

    def _run_any(self, *command: str) -> Finished:
        environment, user = clean_environment({}), self._access.os_user
        done = run_program(list(command), self._server.copy_deadline, environment=environment, user=user)
        if done.code != 0:
            lines = [line for line in done.errors.splitlines() if re.search("error|fatal", line, re.IGNORECASE)]
            words = lines or done.errors.splitlines() or [f"{command[0]} failed without a word"]
            raise DatabaseError(words[-1].strip())
        return done


def _has_checkpoint(primary: Mapping[str, Any]) -> bool:
    return bool(primary["checkpoint_timeline"] == primary["timeline"])
