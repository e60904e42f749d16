# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two real PostgreSQL servers of our own: a primary and its streaming standby on unix sockets, and their doors."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Iterator

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.config_database import Doors, Promotion
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import Recorded
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process import UnitState
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import Access
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.postgresql import PostgreSQL
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import Step

BIN = max(Path("/usr/lib/postgresql").glob("*/bin"), default=Path("/nowhere"), key=lambda path: float(path.parent.name))
needs_postgresql = pytest.mark.skipif(
    os.geteuid() != 0 or not (BIN / "initdb").exists(), reason="needs root and an installed PostgreSQL server"
)
DEADLINE = 20.0
INTERVAL = 0.05
SCHEMA = """
create role confserv login;
create database config owner confserv;
\\c config
set role confserv;
create table cfg_object (dbid int primary key, name text);
insert into cfg_object values (101, 'default');
create view cfg_names as select name from cfg_object;
reset role;
create table history (line text);
grant select, insert on history to confserv;
"""


class Server:
    """One data directory and its postmaster; sockets only, no TCP."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory
        self.data = directory / "data"
        self.port = port

    def access(self) -> Access:
        return Access(
            "config",
            "confserv",
            self.port,
            DEADLINE,
            INTERVAL,
            "postgres",
            str(self.data),
            str(self.directory),
            log_files=str(self.directory / "log"),
        )

    def driver(self) -> PostgreSQL:
        return PostgreSQL(self.access())

    def postgres(self, *words: str, text: str = "") -> str:
        command = ["runuser", "-u", "postgres", "--", *words]
        done = subprocess.run(command, input=text, text=True, capture_output=True, cwd="/", check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sql(self, statements: str, database: str = "config") -> str:
        words = ("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", str(self.directory), "-p", str(self.port))
        return self.postgres(*words, "-d", database, text=statements).strip()

    def settings(self, text: str) -> None:
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(text)

    def start(self) -> None:
        # pg_ctl's server must not hold our pipe open.
        words = [str(BIN / "pg_ctl"), "-D", str(self.data), "-l", str(self.directory / "log"), "-w", "start"]
        command = ["runuser", "-u", "postgres", "--", *words]
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", check=True, timeout=60)

    def runs(self) -> bool:
        # A crash leaves the file behind, and one in single-user mode has a negative number in it.
        file = self.data / "postmaster.pid"
        pid = int(file.read_text().split()[0]) if file.exists() else 0
        return pid > 0 and Path(f"/proc/{pid}").exists()

    def stop(self, mode: str = "fast") -> None:
        if self.runs():
            self.postgres(str(BIN / "pg_ctl"), "-D", str(self.data), "-m", mode, "-w", "stop")


@contextlib.contextmanager
def a_pair(name: str, ports: tuple[int, int]) -> Iterator[tuple[Server, Server]]:
    """A primary and its streaming standby, in a directory whose name is short enough for a socket; no TCP port."""
    root = Path("/tmp") / f"sip-dr-{name}-{os.getpid()}"
    user = pwd.getpwnam("postgres")
    servers = [Server(root / letter, port) for letter, port in zip("ab", ports, strict=True)]
    for server in servers:
        server.directory.mkdir(parents=True)
        os.chown(server.directory, user.pw_uid, user.pw_gid)
    primary, standby = servers
    try:
        primary.postgres(str(BIN / "initdb"), "-D", str(primary.data), "-A", "trust", "--no-sync")
        primary.settings(
            f"port = {primary.port}\nunix_socket_directories = '{primary.directory}'\nlisten_addresses = ''\n"
            "wal_log_hints = on\nwal_receiver_status_interval = 1s\nwal_retrieve_retry_interval = 200ms\n"
            "log_line_prefix = '%m [%p] %q%u@%d '\n"
        )
        primary.start()
        primary.sql(SCHEMA, "postgres")
        source = f"host={primary.directory} port={primary.port} user=postgres application_name=site2"
        primary.postgres(
            str(BIN / "pg_basebackup"), "-d", source, "-D", str(standby.data), "-R", "-X", "stream", "-c", "fast"
        )
        standby.settings(
            f"port = {standby.port}\nunix_socket_directories = '{standby.directory}'\nprimary_conninfo = '{source}'\n"
        )
        standby.start()
        yield primary, standby
    finally:
        for server in servers:
            server.stop("immediate")
        shutil.rmtree(root)


class NoUnits:
    """A host without units: the database's doors ask only whether the given writer units have stopped."""

    def __init__(self, running: frozenset[str] = frozenset()) -> None:
        self.running = running

    def state(self, name: str) -> UnitState:
        return UnitState(name, True, "active" if name in self.running else "inactive", (), False, "")

    def start(self, name: str) -> UnitState:
        raise AssertionError("the database's doors start nothing")

    def stop(self, name: str) -> UnitState:
        raise AssertionError("the database's doors stop nothing")


def doors(server: Server, tmp_path: Path, dry: bool = False, running: frozenset[str] = frozenset()) -> Doors:
    recorded = Recorded(str(tmp_path / server.directory.name), "config_database")
    return Doors(server.driver(), NoUnits(running), recorded, DEADLINE, INTERVAL, dry)


def noted(server: Server, tmp_path: Path) -> Recorded:
    return Recorded(str(tmp_path / server.directory.name), "config_database_ledger")


def step(tmp_path: Path) -> Step:
    return Step(None, tmp_path, writes=False)


def promotion(fence: dict[str, Any], **more: Any) -> Promotion:
    known: dict[str, Any] = {"lag": None, "lag_limit": 0, "allow_data_loss": False, "run_id": None}
    return Promotion(fence=fence, fence_max_age=60, **dict(known, **more))


def fence_of_another_host(**more: Any) -> dict[str, Any]:
    seen_at = datetime.now(timezone.utc).isoformat()
    return {"kind": "stopped_and_revoked", "seen_at": seen_at, "by": ["test"], "host": "other", **more}
