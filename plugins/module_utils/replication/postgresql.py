# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replication driver `postgresql`: streaming replication of PostgreSQL 13 and newer.

A read-only default fences nothing (`begin read write` undoes it); what is taken here is the writer's log-in, its
sessions and its write privileges, and of a server that is down the right to start as anything but a standby
(`standby.signal`).
Sources: PostgreSQL 15, chapters 27 (High Availability), 9.27 (System Administration Functions), ddl-priv.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import replace_file, sync_directory
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import (
    Access,
    DatabaseError,
    Server,
    Source,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import postgresql_sql as sql
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.postgresql_data import (
    started_with,
    write_standby_signal,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.postgresql_log import (
    Recording,
    last_seen,
    read_ledger,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.postgresql_readiness import (
    item_of,
    items_of,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.postgresql_resync import Resync
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.program import (
    first_line,
    run_program,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.psql import NoConnectionError, Psql
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.view import now
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for

DETACHED = "sip_dr.followed"
"""File in the data directory that keeps the setting which `detach` replaced. It may hold a password: mode 0600."""


class PostgreSQL:
    """The PostgreSQL server that `access` reaches."""

    def __init__(self, access: Access) -> None:
        """Keep how the server is reached; nothing is asked yet."""
        self._access = access
        self._psql = Psql(access)

    def state(self) -> Dict[str, Any]:
        """Return the server's state. `role` is primary, standby or unknown; lags are in bytes of the log.

        A server that is down is told from one that does not answer by its postmaster: only the first is a state, with
        `starts_as`; the second raises DatabaseError. `waits_for` names the standbys for which commits wait while none
        of them follows: then none would ever end.
        """
        try:
            found: Dict[str, Any] = self._psql.ask(sql.STATE)
        except NoConnectionError:
            if self._access.address or self._postmaster():
                raise
            return {"running": False, "role": "unknown", "starts_as": self._starts_as()}
        role = "standby" if found["in_recovery"] else "primary"
        return dict(found, running=True, role=role, waits_for=_waits_for(found))

    def readiness(self, state: Mapping[str, Any], limits: Mapping[str, int]) -> List[Dict[str, Any]]:
        """Return what a promotion will need. `limits`: `lag` and `free_space`, both in bytes."""
        if not state["running"]:
            way = "start the database server of this host"
            return [item_of("server answers", False, f"it is down and would start as {state['starts_as']}", way)]
        return [*items_of(state, limits), self._space_item(limits["free_space"])]

    def left_behind(self, state: Mapping[str, Any], fence: Mapping[str, Any]) -> Optional[str]:
        """Return in words why this database lacks what the last writer wrote, or None.

        A promotion begins a new timeline. So a primary whose fence is as old as its own timeline is the fenced side
        itself, and one whose timeline is not above the other side's was never promoted from it.
        """
        identifier = fence.get("system_identifier")
        if identifier and identifier != state["system_identifier"]:
            return f"the fenced database is another one ({identifier}, here {state['system_identifier']})"
        if state["in_recovery"]:
            return self._strayed(fence)
        if state["writer"]["fenced"] and state["writer"]["fenced"] >= state["timeline"]:
            return f"it was fenced itself, on timeline {state['writer']['fenced']}, and not promoted since"
        if fence.get("timeline") and fence["timeline"] >= state["timeline"]:
            return f"the fenced side wrote on timeline {fence['timeline']}"
        return None

    def _strayed(self, fence: Mapping[str, Any]) -> Optional[str]:
        """A standby that has applied beyond the fenced side's end, yet has no log of its timeline, parted from it."""
        if not fence.get("timeline") or not fence.get("lsn") or self.lag_to(str(fence["lsn"])) != 0:
            return None
        known = int(self._psql.ask(sql.LOG_TIMELINE))
        if known >= int(fence["timeline"]):
            return None
        return f"its log is of timeline {known}, and the fenced side wrote on timeline {fence['timeline']}"

    def close(self) -> Dict[str, Any]:
        """Fence this server and return its state as seen afterwards. Raises DatabaseError when a session stays."""
        if not self.state()["running"]:
            return self._close_stopped()
        self._psql.run(sql.CLOSE)
        access = self._access
        if not wait_for(self._without_sessions, access.deadline, access.interval):
            raise DatabaseError(f"sessions of {access.writer} are still there after {access.deadline:.0f} s")
        return self.state()

    def open(self, log_in: bool) -> None:
        """Give the writer back what the fence recorded, here or on the side that this one followed.

        `log_in` gives the log-in even if nothing is recorded, as at a side that is to become the writer.
        """
        kept = self._psql.ask(sql.KEPT) or {"can_login": False, "grants": {}}
        may_log_in = ['alter role :"writer" login;'] if log_in or kept["can_login"] else []
        grants = [f'grant {", ".join(_known(held))} on {table} to :"writer";' for table, held in kept["grants"].items()]
        forget = f'alter role :"writer" reset {sql.RECORD};'
        self._psql.run("\n".join(["begin;", *may_log_in, *grants, forget, "commit;"]))

    def followed(self, end: Mapping[str, Any]) -> Optional[bool]:
        """Return whether every streaming standby has applied the log up to `end`; None when none streams."""
        found = self._psql.ask(sql.FOLLOWED, lsn=str(end["lsn"]))
        return None if found is None else bool(found)

    def lag_to(self, lsn: Optional[str]) -> Optional[int]:
        """Return how many bytes of the log up to `lsn` are not applied here, None when nothing was ever applied.

        Without `lsn`: up to the end of what has been received.
        """
        found = self._psql.ask(sql.LAG_TO, lsn=lsn) if lsn else self._psql.ask(sql.LAG_HERE)
        return None if found is None else int(found)

    def receives(self) -> bool:
        """Return whether a receiver streams; its server notices a cut link after wal_receiver_timeout."""
        return bool(self._psql.ask(sql.RECEIVES))

    def detach(self) -> None:
        """Stop the receiver and see that it is gone; what had been set with ALTER SYSTEM is kept beside the data."""
        before = self._psql.ask(sql.FOLLOWED_BEFORE)
        if before:
            replace_file(self._detached(), json.dumps({"primary_conninfo": before}), mode=0o600)
        self._psql.run(sql.DETACH)
        if not wait_for(lambda: bool(self._psql.ask(sql.IS_DETACHED)), self._access.deadline, self._access.interval):
            raise DatabaseError(f"the receiver still runs {self._access.deadline:.0f} s after it was told to stop")

    def attach(self) -> None:
        """Follow again whom `detach` left; on a primary, make it so that it would."""
        path = self._detached()
        statement = "alter system reset primary_conninfo;"
        if path.exists():
            # On standard input, for it may hold a password; standard_conforming_strings: only quotes need care.
            followed = str(json.loads(path.read_text(encoding="utf-8"))["primary_conninfo"]).replace("'", "''")
            statement = f"set standard_conforming_strings = on;\nalter system set primary_conninfo = '{followed}';"
        self._psql.run(statement + "\nselect pg_reload_conf();")
        if path.exists():
            path.unlink()
            sync_directory(path.parent)

    def stand_alone(self) -> None:
        """Stop waiting for synchronous standbys. Without this, no commit ends once the only one is gone."""
        self._psql.run(sql.STAND_ALONE)

    def synchronise(self, names: str) -> None:
        """Commit only what these standbys have applied: their names, and remote_apply, set together."""
        self._psql.run(sql.SYNCHRONISE, names=names)

    def promote(self) -> None:
        """Promote and write a checkpoint: before it, pg_rewind at the old side would see no new timeline.

        What `detach` replaced is put back: on a primary it says nothing, and the next standby here begins with it.
        """
        wait = str(max(1, round(self._access.deadline)))
        self._psql.run("select pg_promote(true, :wait) where pg_is_in_recovery();", wait=wait)
        if not wait_for(self._is_primary, self._access.deadline, self._access.interval):
            raise DatabaseError(f"still a standby {self._access.deadline:.0f} s after pg_promote")
        self._psql.run("checkpoint;")
        self.attach()

    def write(self, marker: str) -> Dict[str, Any]:
        """Commit a transaction as the writer, waiting for standbys as it would, and return what is seen of it."""
        become = "" if self._access.address else 'set role :"writer";'
        try:
            return dict(Psql(self._access, as_the_server_commits=True).ask(become + sql.WRITE, marker=marker))
        except DatabaseError:
            # A commit that waits for a standby outlives its client; without this it would wait for ever.
            self._psql.run(sql.END_WAITING)
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

    def ledger(self, since: str, recording: Mapping[str, Any]) -> Dict[str, Any]:
        """Return every write of the writer that stands in the server's own log since a time (RFC 3339)."""
        state = self.state()
        if state["running"]:
            said = {"log_statement": state["writer"]["log_statement"], "at": now()}
            found = read_ledger(self._access, state["settings"], Recording(said["log_statement"]), since)
            return dict(found, recording=said, applied_until=self._psql.ask(sql.APPLIED_UNTIL))
        # A fenced server that is down need not start for it: its configuration says how its log is to be read.
        words = {name: self._configured(name) for name in ("log_line_prefix", "log_timezone")}
        return read_ledger(self._access, words, last_seen(recording, since), since)

    def compare(self) -> Dict[str, Any]:
        """Return rows and content hash of every table, all of one snapshot; the order of rows does not count."""
        tables: Dict[str, Any] = self._psql.ask(sql.COMPARE) or {}
        return {"tables": tables, "digest": sql.digest(tables)}

    def resync(
        self, source: Source, server: Server, begin: Optional[Callable[[str], None]], unfinished: bool
    ) -> Dict[str, Any]:
        """Make this server a standby of the source and see it stream; without `begin`, only say whether it does."""
        resync = Resync(self._access, source, server, self)
        done = resync.is_done(unfinished)
        if done or begin is None:
            return {"way": "none", "tried": [], "seconds": 0.0, "streams": done}
        return dict(resync.run(begin, unfinished), streams=True)

    def _configured(self, name: str) -> str:
        program = started_with(self._access)
        config = [f"--config-file={program['config_file']}"] if program["config_file"] else []
        words = [f"{program['bin_directory']}/postgres", "-C", name, "-D", str(self._data()), *config]
        done = run_program(words, self._access.deadline, user=self._access.os_user)
        if done.code != 0:
            raise DatabaseError(first_line(done.errors))
        return done.output.rstrip("\n")

    def _is_primary(self) -> bool:
        return bool(self._psql.ask("select to_json(not pg_is_in_recovery());"))

    def _without_sessions(self) -> bool:
        self._psql.run(sql.END_SESSIONS)
        return int(self._psql.ask("select count(*) from pg_stat_activity where usename = :'writer';")) == 0

    def _close_stopped(self) -> Dict[str, Any]:
        write_standby_signal(self._data(), self._access.os_user)
        # A server that was started in between may have passed the place where the signal is read.
        state = self.state()
        if state["running"] and not state["in_recovery"]:
            raise DatabaseError("the database server was started while it was being fenced: run this again")
        return state

    def _data(self) -> Path:
        if not self._access.data_directory or not Path(self._access.data_directory).is_dir():
            raise DatabaseError(f"{self._access.data_directory or 'data_directory'} is no directory on this host")
        return Path(self._access.data_directory)

    def _detached(self) -> Path:
        return self._data() / DETACHED

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
        return item_of(
            "disk space", free >= wanted, words, "free space: a promotion writes a checkpoint and keeps the log"
        )


def _waits_for(state: Mapping[str, Any]) -> str:
    followed = any(replica["state"] == "streaming" for replica in state["replicas"])
    return "" if followed or state["in_recovery"] else str(state["settings"]["synchronous_standby_names"])


def _known(privileges: List[str]) -> List[str]:
    return [word for word in sql.WRITES if word in privileges]
