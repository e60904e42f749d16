# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replication driver `postgresql`: streaming replication of PostgreSQL 12 and newer.

A read-only default fences nothing (`begin read write` undoes it); what is taken here is the writer's log-in, its
sessions and its write privileges, and of a server that is down the right to start as anything but a standby
(`standby.signal`).
Sources: PostgreSQL 15, chapters 27 (High Availability), 9.27 (System Administration Functions), ddl-priv.
"""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import sync_directory
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import Access, DatabaseError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.psql import NoConnectionError, Psql
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for

WRITES = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")
RECORD = "sip_dr.fenced"
"""The role's own setting that keeps what the fence took (ALTER ROLE … SET; any name with a dot is free for use)."""

# Every table and view outside the system's own schemas, with the writer's role beside it.
_TABLES = """
  pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_roles r on r.rolname = :'writer'
  where c.relkind in ('r', 'p', 'v', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
"""
# Of a primary only: the first eight digits of a log file's name.
_TIMELINE = "('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int"
# The record lies with the role itself: it comes about in the transaction that revokes, and follows to every standby.
_RECORD = f"""
  select substr(setting, length('{RECORD}=') + 1) as record
  from pg_db_role_setting s join pg_roles w on w.oid = s.setrole cross join unnest(s.setconfig) setting
  where s.setdatabase = 0 and w.rolname = :'writer' and setting like '{RECORD}=%'
"""
_GRANTS = f"""
  select format('%I.%I', n.nspname, c.relname) as name,
     json_agg(a.privilege_type order by a.privilege_type) as privileges
  from {_TABLES.replace("where", ", aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a where")}
    and a.grantee = r.oid and a.privilege_type in ({", ".join(repr(word) for word in WRITES)})
  group by 1
"""
_WRITABLE = f"has_table_privilege(r.oid, c.oid, '{', '.join(WRITES)}')"

_STATE = f"""
select json_build_object(
  'version', current_setting('server_version_num')::int,
  'system_identifier', (select system_identifier::text from pg_control_system()),
  'in_recovery', pg_is_in_recovery(),
  'timeline', case when pg_is_in_recovery()
     then (select coalesce((select received_tli from pg_stat_wal_receiver), timeline_id) from pg_control_checkpoint())
     else {_TIMELINE} end,
  'lsn', case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end,
  'received_lsn', pg_last_wal_receive_lsn(),
  'replay_paused', case when pg_is_in_recovery() then pg_is_wal_replay_paused() else false end,
  'replay_lag', case when pg_is_in_recovery()
     then greatest(0, pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())) end,
  'receiver', (select json_build_object('status', status, 'sender_host', sender_host, 'sender_port', sender_port,
     'latest_end_lsn', latest_end_lsn) from pg_stat_wal_receiver),
  'replicas', (select coalesce(json_agg(json_build_object('name', application_name, 'address', client_addr,
     'state', state, 'sync', sync_state,
     'lag', case when pg_is_in_recovery() then null else pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) end)),
     '[]') from pg_stat_replication),
  'settings', (select json_object_agg(name, setting) from pg_settings
     where name in ('wal_log_hints', 'data_checksums', 'synchronous_standby_names', 'data_directory')),
  'writer', json_build_object(
     'exists', exists (select from pg_roles where rolname = :'writer'),
     'can_login', coalesce((select rolcanlogin from pg_roles where rolname = :'writer'), false),
     'sessions', (select count(*) from pg_stat_activity where usename = :'writer'),
     'tables', (select count(*) from {_TABLES}),
     'writable', (select count(*) from {_TABLES} and {_WRITABLE}),
     'fenced', (select (record::json ->> 'timeline')::int from ({_RECORD}) kept)));
"""

_CLOSE = f"""
begin;
select format('alter role %I set {RECORD} = %L', r.rolname, json_build_object('can_login', r.rolcanlogin,
  'timeline', {_TIMELINE}, 'grants',
  (select coalesce(json_object_agg(name, privileges), '{{}}') from ({_GRANTS}) held))::text)
  from pg_roles r where r.rolname = :'writer' and not exists ({_RECORD}) \\gexec
select format('alter role %I nologin', rolname) from pg_roles where rolname = :'writer' and rolcanlogin \\gexec
select format('revoke {", ".join(WRITES)} on %I.%I from %I', n.nspname, c.relname, r.rolname)
  from {_TABLES} and {_WRITABLE} \\gexec
commit;
"""

_END_SESSIONS = """
select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = :'writer';
"""

# A transactional message in the log is a write that needs no table (pg_logical_emit_message).
_WRITE = """
begin;
select pg_logical_emit_message(true, 'sip-dr', :'marker');
select pg_current_xact_id() as xid \\gset
commit;
select json_build_object('committed', pg_xact_status(:'xid'::xid8) = 'committed', 'as', current_user,
  'server', host(inet_server_addr()), 'in_recovery', pg_is_in_recovery(), 'lsn', pg_current_wal_lsn());
"""
_END_WAITING = """
select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'sip-dr' and wait_event = 'SyncRep';
"""


class PostgreSQL:
    """The PostgreSQL server that `access` reaches."""

    def __init__(self, access: Access) -> None:
        """Keep how the server is reached; nothing is asked yet."""
        self._access = access
        self._psql = Psql(access)

    def state(self) -> Dict[str, Any]:
        """Return the server's state. `role` is primary, standby or unknown; lags are in bytes of the log.

        A server that is down is told from one that does not answer by its postmaster: only the first is a state, with
        `starts_as`; the second raises DatabaseError.
        """
        try:
            found: Dict[str, Any] = self._psql.ask(_STATE)
        except NoConnectionError:
            if self._access.address or self._postmaster():
                raise
            return {"running": False, "role": "unknown", "starts_as": self._starts_as()}
        return dict(found, running=True, role="standby" if found["in_recovery"] else "primary")

    def readiness(self, state: Mapping[str, Any], limits: Mapping[str, int]) -> List[Dict[str, Any]]:
        """Return what a promotion will need. `limits`: `lag` and `free_space`, both in bytes."""
        if not state["running"]:
            way = "start the database server of this host"
            return [_item("server answers", False, f"it is down and would start as {state['starts_as']}", way)]
        replication = _standby_items(state, limits) if state["in_recovery"] else [_replicas_item(state)]
        return [
            *replication,
            self._space_item(limits["free_space"]),
            _rewind_item(state),
            _writer_item(state["writer"]),
        ]

    def close(self) -> Dict[str, Any]:
        """Fence this server and return its state as seen afterwards. Raises DatabaseError when a session stays."""
        if not self.state()["running"]:
            return self._close_stopped()
        self._psql.run(_CLOSE)
        access = self._access
        # A session that was logging in while the log-in was taken away shows up only later: look twice.
        for _look in range(2):
            if not wait_for(self._without_sessions, access.deadline, access.interval):
                raise DatabaseError(f"sessions of {access.writer} are still there after {access.deadline:.0f} s")
        return self.state()

    def open(self, log_in: bool) -> None:
        """Give the writer back what the fence recorded, here or on the side that this one followed.

        `log_in` gives the log-in even if nothing is recorded, as at a side that is to become the writer.
        """
        kept = self._psql.ask(_RECORD) or {"can_login": False, "grants": {}}
        may_log_in = ['alter role :"writer" login;'] if log_in or kept["can_login"] else []
        grants = [f'grant {", ".join(_known(held))} on {table} to :"writer";' for table, held in kept["grants"].items()]
        forget = f'alter role :"writer" reset {RECORD};'
        self._psql.run("\n".join(["begin;", *may_log_in, *grants, forget, "commit;"]))

    def stand_alone(self) -> None:
        """Stop waiting for synchronous standbys. Without this, no commit ends once the only one is gone."""
        self._psql.run("alter system set synchronous_standby_names = '';\nselect pg_reload_conf();")

    def synchronise(self, names: str) -> None:
        """Wait for these synchronous standbys again."""
        self._psql.run("alter system set synchronous_standby_names = :'names';\nselect pg_reload_conf();", names=names)

    def lag_to(self, lsn: str) -> Optional[int]:
        """Return how many bytes of the log up to `lsn` are not applied here, None when nothing was ever applied."""
        found = self._psql.ask(
            "select to_json(greatest(0, pg_wal_lsn_diff(:'lsn'::pg_lsn, pg_last_wal_replay_lsn())));", lsn=lsn
        )
        return None if found is None else int(found)

    def promote(self) -> None:
        """Promote and write a checkpoint: before it, pg_rewind at the old side would see no new timeline."""
        wait = str(max(1, round(self._access.deadline)))
        self._psql.run("select pg_promote(true, :wait) where pg_is_in_recovery();", wait=wait)
        if not wait_for(self._is_primary, self._access.deadline, self._access.interval):
            raise DatabaseError(f"still a standby {self._access.deadline:.0f} s after pg_promote")
        self._psql.run("checkpoint;")

    def write(self, marker: str) -> Dict[str, Any]:
        """Commit a transaction as the writer, waiting for standbys as it would, and return what is seen of it."""
        become = "" if self._access.address else 'set role :"writer";'
        try:
            return dict(Psql(self._access, as_the_server_commits=True).ask(become + _WRITE, marker=marker))
        except DatabaseError:
            # A commit that waits for a standby outlives its client; without this it would wait for ever.
            self._psql.run(_END_WAITING)
            raise

    def start_as_primary(self) -> None:
        """Take back that a stopped server would start as a standby."""
        if self._postmaster():
            raise DatabaseError(
                "the database server runs by now; what it starts as can only be changed while it is down"
            )
        signal = self._data() / "standby.signal"
        if signal.exists():
            signal.unlink()
            sync_directory(signal.parent)

    def _is_primary(self) -> bool:
        return bool(self._psql.ask("select to_json(not pg_is_in_recovery());"))

    def _without_sessions(self) -> bool:
        self._psql.run(_END_SESSIONS)
        return int(self._psql.ask("select count(*) from pg_stat_activity where usename = :'writer';")) == 0

    def _close_stopped(self) -> Dict[str, Any]:
        signal = self._data() / "standby.signal"
        user = pwd.getpwnam(self._access.os_user)
        descriptor = os.open(str(signal), os.O_WRONLY | os.O_CREAT, 0o600)
        os.fchown(descriptor, user.pw_uid, user.pw_gid)
        os.close(descriptor)
        sync_directory(signal.parent)
        # A server that was started in between may have passed the place where the signal is read.
        state = self.state()
        if state["running"] and not state["in_recovery"]:
            raise DatabaseError("the database server was started while it was being fenced: run this again")
        return state

    def _data(self) -> Path:
        if not self._access.data_directory or not Path(self._access.data_directory).is_dir():
            raise DatabaseError(f"{self._access.data_directory or 'data_directory'} is no directory on this host")
        return Path(self._access.data_directory)

    def _starts_as(self) -> str:
        return "standby" if (self._data() / "standby.signal").exists() else "primary"

    def _postmaster(self) -> Optional[int]:
        """Return the pid of a living postmaster of this data directory (first line of postmaster.pid), or None."""
        try:
            pid = int((self._data() / "postmaster.pid").read_text(encoding="ascii", errors="replace").split("\n")[0])
            name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return None
        return pid if name.startswith("postgres") else None

    def _space_item(self, wanted: int) -> Dict[str, Any]:
        free = shutil.disk_usage(str(self._data())).free
        words = f"{free // 2**20} MiB free at {self._data()}, {wanted // 2**20} MiB wanted"
        return _item(
            "disk space", free >= wanted, words, "free space: a promotion writes a checkpoint and keeps the log"
        )


def _standby_items(state: Mapping[str, Any], limits: Mapping[str, int]) -> List[Dict[str, Any]]:
    receiver = state["receiver"] or {}
    streams = receiver.get("status") == "streaming"
    source = f"receiver {receiver.get('status') or 'absent'}, from {receiver.get('sender_host') or 'nowhere'}"
    lag = state["replay_lag"]
    return [
        _item("standby streams", streams, source, "resynchronise this database from the primary"),
        _item("replay runs", not state["replay_paused"], f"paused: {state['replay_paused']}", "pg_wal_replay_resume()"),
        _item(
            "replay keeps up",
            lag is not None and lag <= limits["lag"],
            f"{'unknown' if lag is None else lag} bytes received and not applied, limit {limits['lag']}",
            "end the queries that hold up the replay, or mend its disk",
        ),
    ]


def _replicas_item(state: Mapping[str, Any]) -> Dict[str, Any]:
    streaming = [replica for replica in state["replicas"] if replica["state"] == "streaming"]
    words = ", ".join(f"{replica['name']} {replica['address']} {replica['lag']} bytes behind" for replica in streaming)
    return _item("a standby follows", bool(streaming), words or "no standby streams from here", "resynchronise it")


def _rewind_item(state: Mapping[str, Any]) -> Dict[str, Any]:
    settings = state["settings"]
    met = "on" in (settings["wal_log_hints"], settings["data_checksums"])
    words = f"wal_log_hints {settings['wal_log_hints']}, data_checksums {settings['data_checksums']}"
    return _item(
        "can be rewound", met, words, "set wal_log_hints = on and restart, or the old side must be copied anew"
    )


def _writer_item(writer: Mapping[str, Any]) -> Dict[str, Any]:
    words = f"role {'is there' if writer['exists'] else 'is missing'}, {writer['tables']} tables in the database"
    met = writer["exists"] and writer["tables"] > 0
    return _item(
        "Configuration Server's role and tables", met, words, "check the names of the database and of the role"
    )


def _item(item: str, met: bool, evidence: str, way: str) -> Dict[str, Any]:
    return {"item": item, "met": bool(met), "evidence": evidence, "way": "" if met else way}


def _known(privileges: List[str]) -> List[str]:
    return [word for word in WRITES if word in privileges]
