# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The statements of the driver `postgresql`.

`:'writer'` is the Configuration Server's role. Sources: PostgreSQL 15, chapters 9.27 (System Administration Functions),
28.2 (The Cumulative Statistics System), 54 (System Views).
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Mapping

WRITES = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")
RECORD = "sip_dr.fenced"
"""The role's own setting that keeps what the fence took (ALTER ROLE … SET; any name with a dot is free for use)."""

# Every table and view outside the system's own schemas, with the writer's role beside it.
TABLES = """
  pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_roles r on r.rolname = :'writer'
  where c.relkind in ('r', 'p', 'v', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
"""
# Of a primary only: the first eight digits of a log file's name.
TIMELINE = "('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int"
# The record lies with the role itself: it comes about in the transaction that revokes, and follows to every standby.
KEPT = f"""
  select substr(setting, length('{RECORD}=') + 1) as record
  from pg_db_role_setting s join pg_roles w on w.oid = s.setrole cross join unnest(s.setconfig) setting
  where s.setdatabase = 0 and w.rolname = :'writer' and setting like '{RECORD}=%'
"""
_GRANTS = f"""
  select format('%I.%I', n.nspname, c.relname) as name,
     json_agg(a.privilege_type order by a.privilege_type) as privileges
  from {TABLES.replace("where", ", aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a where")}
    and a.grantee = r.oid and a.privilege_type in ({", ".join(repr(word) for word in WRITES)})
  group by 1
"""
_WRITABLE = f"has_table_privilege(r.oid, c.oid, '{', '.join(WRITES)}')"

# What counts of the settings that a session of the writer begins with, the nearest first (chapter 20.1.3).
_OWN_COMMIT = """
  select substr(setting, length('synchronous_commit=') + 1)
  from pg_db_role_setting s cross join unnest(s.setconfig) setting
  where setting like 'synchronous_commit=%'
    and (s.setrole = 0 or s.setrole = (select oid from pg_roles where rolname = :'writer'))
    and (s.setdatabase = 0 or s.setdatabase = (select oid from pg_database where datname = current_database()))
  order by s.setrole = 0, s.setdatabase = 0 limit 1
"""

STATE = f"""
select json_build_object(
  'version', current_setting('server_version_num')::int,
  'system_identifier', (select system_identifier::text from pg_control_system()),
  'in_recovery', pg_is_in_recovery(),
  'timeline', case when pg_is_in_recovery()
     then (select coalesce((select received_tli from pg_stat_wal_receiver), timeline_id) from pg_control_checkpoint())
     else {TIMELINE} end,
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
     where name in ('wal_log_hints', 'data_checksums', 'synchronous_standby_names',
       'data_directory', 'config_file', 'log_line_prefix', 'log_timezone', 'primary_slot_name')),
  'detached', pg_is_in_recovery() and coalesce(
     (select setting = '' from pg_settings where name = 'primary_conninfo'), false),
  'writer', json_build_object(
     'exists', exists (select from pg_roles where rolname = :'writer'),
     'can_login', coalesce((select rolcanlogin from pg_roles where rolname = :'writer'), false),
     'sessions', (select count(*) from pg_stat_activity where usename = :'writer'),
     'tables', (select count(*) from {TABLES}),
     'writable', (select count(*) from {TABLES} and {_WRITABLE}),
     'log_statement', coalesce((select substr(setting, length('log_statement=') + 1)
       from pg_db_role_setting s join pg_roles w on w.oid = s.setrole cross join unnest(s.setconfig) setting
       where w.rolname = :'writer' and setting like 'log_statement=%' limit 1), current_setting('log_statement')),
     'synchronous_commit', ({_OWN_COMMIT}),
     'fenced', (select (record::json ->> 'timeline')::int from ({KEPT}) kept)));
"""

CLOSE = f"""
begin;
select format('alter role %I set {RECORD} = %L', r.rolname, json_build_object('can_login', r.rolcanlogin,
  'timeline', {TIMELINE}, 'grants',
  (select coalesce(json_object_agg(name, privileges), '{{}}') from ({_GRANTS}) held))::text)
  from pg_roles r where r.rolname = :'writer' and not exists ({KEPT}) \\gexec
select format('alter role %I nologin', rolname) from pg_roles where rolname = :'writer' and rolcanlogin \\gexec
select format('revoke {", ".join(WRITES)} on %I.%I from %I', n.nspname, c.relname, r.rolname)
  from {TABLES} and {_WRITABLE} \\gexec
commit;
"""

END_SESSIONS = """
select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = :'writer';
"""

# A transactional message in the log is a write that needs no table (pg_logical_emit_message).
WRITE = """
begin;
select pg_logical_emit_message(true, 'sip-dr', :'marker');
select pg_current_xact_id() as xid \\gset
commit;
select json_build_object('committed', pg_xact_status(:'xid'::xid8) = 'committed', 'as', current_user,
  'server', host(inet_server_addr()), 'in_recovery', pg_is_in_recovery(), 'lsn', pg_current_wal_lsn());
"""
END_WAITING = """
select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'sip-dr' and wait_event = 'SyncRep';
"""

FOLLOWED = """
select to_json(bool_and(replay_lsn >= :'lsn'::pg_lsn)) from pg_stat_replication
  where state in ('streaming', 'catchup') and replay_lsn is not null;
"""
LAG_TO = "select to_json(greatest(0, pg_wal_lsn_diff(:'lsn'::pg_lsn, pg_last_wal_replay_lsn())));"
# The newest timeline of which a standby has any log: what it applied last may be of it before a checkpoint says so.
LOG_TIMELINE = """
select to_json(greatest((select received_tli from pg_stat_wal_receiver),
  (select timeline_id from pg_control_checkpoint()), (select min_recovery_end_timeline from pg_control_recovery()),
  (select max(('x' || substr(name, 1, 8))::bit(32)::int) from pg_ls_waldir() where name ~ '^[0-9A-F]{24}$')));
"""
# Nothing received since the start is nothing left to apply: what lay in the log was applied before anyone could log in.
LAG_HERE = """
select to_json(greatest(0, coalesce(pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), 0)))
  where pg_last_wal_replay_lsn() is not null;
"""
# When the last transaction that is here was committed at the primary; where none was applied, when this server started.
APPLIED_UNTIL = """
select to_json(case when pg_is_in_recovery()
  then to_char(coalesce(pg_last_xact_replay_timestamp(), pg_postmaster_start_time()) at time zone 'UTC',
    'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') end);
"""
# With a restore_command the log may also come from an archive, which nothing shows.
RECEIVES = """
select to_json(current_setting('restore_command') <> ''
  or exists (select from pg_stat_wal_receiver where status = 'streaming'));
"""
STAND_ALONE = """
alter system set synchronous_standby_names = '';
alter system reset synchronous_commit;
select pg_reload_conf();
"""
# With any weaker word a standby could be promoted that has a commit in its log but does not show it yet.
SYNCHRONISE = """
alter system set synchronous_standby_names = :'names';
alter system set synchronous_commit = 'remote_apply';
select pg_reload_conf();
"""
# What ALTER SYSTEM had set before us; a setting of another file comes back by itself.
FOLLOWED_BEFORE = """
select to_json((select setting from pg_file_settings where name = 'primary_conninfo'
  and sourcefile = current_setting('data_directory') || '/postgresql.auto.conf' order by seqno desc limit 1));
"""
DETACH = "alter system set primary_conninfo = '';\nselect pg_reload_conf();"
IS_DETACHED = """
select to_json(not pg_is_in_recovery()
  or (current_setting('primary_conninfo') = '' and not exists (select from pg_stat_wal_receiver)));
"""
# One row of a table hashes to one number, and a sum knows no order; the settings fix how values are written as text.
COMPARE = r"""
set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set bytea_output = 'hex';
set extra_float_digits = 1;
select format($q$select json_object_agg(name, json_build_object('rows', rows, 'hash', hash)) from (%s) t;$q$,
  string_agg(format($q$select %L as name, count(*) as rows,
      coalesce(sum(('x' || left(h, 16))::bit(64)::bigint), 0) || '/' ||
      coalesce(sum(('x' || substr(h, 17, 16))::bit(64)::bigint), 0) as hash
    from (select encode(sha256(convert_to(t::text, 'UTF8')), 'hex') as h from %I.%I t) hashed$q$,
    format('%I.%I', n.nspname, c.relname), n.nspname, c.relname), ' union all '))
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  having count(*) > 0 \gexec
"""


def digest(tables: Mapping[str, Any]) -> str:
    """Return one hash for all tables (SHA-256 of their names, row counts and hashes)."""
    return hashlib.sha256(json.dumps(tables, sort_keys=True).encode()).hexdigest()
