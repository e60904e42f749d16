# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The writer's right goes to and fro between two real servers: frozen, drained, promoted, resynchronised in each way.

One story, in the order of the tests; figures of seconds are bounds against hanging, not measurements.
"""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any, Iterator

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import Recorded
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.lease import boot_id, boottime
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process import UnitState
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import DatabaseError, Source
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import Server as HostServer
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.content import lag_of
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.postgresql import DETACHED
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.view import is_closed, is_open, now
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for
from postgresql_servers import (
    DEADLINE,
    INTERVAL,
    Server,
    a_pair,
    doors,
    fence_of_another_host,
    needs_postgresql,
    noted,
    promotion,
    step,
)

pytestmark = needs_postgresql
WRITE = "set role confserv; insert into cfg_object select g, 'n' from generate_series({0}, {1}) g"


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Server, Server]]:
    with a_pair("moves", (5435, 5436)) as servers:
        yield servers


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


class Postmaster:
    """Process control of one server: its unit is its data directory."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def state(self, name: str) -> UnitState:
        return UnitState(name, True, "active" if self.server.runs() else "inactive", (), False, "")

    def start(self, name: str) -> UnitState:
        self.server.start()
        return self.state(name)

    def stop(self, name: str) -> UnitState:
        self.server.stop()
        return self.state(name)


def source_of(server: Server, **more: str) -> Source:
    words = {"passfile": "", "database": "postgres", "name": "", "sslmode": "prefer", **more}
    return Source(str(server.directory), server.port, "postgres", "postgres", **words)


def resynced(server: Server, primary: Server, state_dir: Path, dry: bool = False, **more: str) -> dict[str, Any]:
    host = HostServer("postgres", Postmaster(server), DEADLINE)
    return doors(server, state_dir, dry=dry).resync(step(state_dir), source_of(primary, **more), host)


def streaming(primary: Server) -> bool:
    return "streaming" in primary.sql("select state from pg_stat_replication")


def lease(directory: Path, seconds: float) -> str:
    path = directory / "lease.json"
    words = {"deadline": boottime() + seconds, "margin": 0, "revision": 1, "site": "site2", "boot_id": boot_id()}
    path.write_text(json.dumps(words))
    return str(path)


def test_synchronous_means_applied_and_is_taken_back_whole(pair: tuple[Server, Server]) -> None:
    primary, _standby = pair
    assert wait_for(lambda: streaming(primary), DEADLINE, INTERVAL)
    primary.driver().synchronise("site2")
    settings = "select current_setting('synchronous_standby_names') || '/' || current_setting('synchronous_commit')"
    assert wait_for(lambda: primary.sql(settings) == "site2/remote_apply", DEADLINE, INTERVAL)
    assert wait_for(lambda: primary.driver().state()["replicas"][0]["sync"] == "sync", DEADLINE, INTERVAL)
    assert primary.driver().state()["settings"]["synchronous_standby_names"] == "site2"
    primary.driver().stand_alone()
    assert wait_for(lambda: primary.sql(settings) == "/on", DEADLINE, INTERVAL)


def test_a_synchronous_primary_whose_standby_is_gone_is_frozen_and_says_so(
    pair: tuple[Server, Server], state_dir: Path
) -> None:
    primary, standby = pair
    primary.driver().synchronise("site2")
    standby.stop()
    words = ["psql", "-XAtq", "-h", str(primary.directory), "-p", str(primary.port), "-U", "confserv", "-d", "config"]
    write = "insert into cfg_object values (200, 'committed here, seen nowhere')"
    with subprocess.Popen([*words, "-c", write], stderr=subprocess.PIPE, text=True, cwd="/") as writer:
        waiting = "select count(*) from pg_stat_activity where wait_event = 'SyncRep'"
        assert wait_for(lambda: primary.sql(waiting) == "1", DEADLINE, INTERVAL)
        began = time.monotonic()
        frozen = doors(primary, state_dir).freeze(step(state_dir))
        assert time.monotonic() - began < DEADLINE
        assert writer.wait(DEADLINE) != 0
    assert (frozen["changed"], frozen["frozen"]["standby_caught_up"]) == (True, False)
    assert is_closed(frozen["database"])
    assert not doors(primary, state_dir).freeze(step(state_dir))["changed"]
    standby.start()
    again = doors(primary, state_dir).freeze(step(state_dir))
    assert wait_for(lambda: streaming(primary), DEADLINE, INTERVAL)
    again = doors(primary, state_dir).freeze(step(state_dir))
    assert (again["changed"], again["frozen"]["standby_caught_up"]) == (False, True)
    assert again["frozen"]["lsn"] == frozen["frozen"]["lsn"]


def test_unfreezing_gives_back_and_a_second_freeze_is_of_its_own(pair: tuple[Server, Server], state_dir: Path) -> None:
    primary = pair[0]
    assert doors(primary, state_dir).restore(step(state_dir), "standby")["changed"]
    assert is_open(primary.driver().state())
    primary.driver().stand_alone()
    primary.sql(WRITE.format(300, 310))
    first = doors(primary, state_dir, dry=True).freeze(step(state_dir))
    assert (first["changed"], first["frozen"]) == (True, None)
    assert is_open(primary.driver().state())
    frozen = doors(primary, state_dir).freeze(step(state_dir))["frozen"]
    assert frozen["standby_caught_up"]
    primary.stop()
    kept = doors(primary, state_dir).freeze(step(state_dir))
    assert (kept["changed"], kept["frozen"]) == (False, frozen)
    release = doors(primary, state_dir).release(step(state_dir), [])
    assert (release["fence"]["kind"], release["fence"]["lsn"]) == ("stopped_and_revoked", None)


def test_a_standby_has_nothing_to_freeze(pair: tuple[Server, Server], state_dir: Path) -> None:
    assert doors(pair[1], state_dir).freeze(step(state_dir))["frozen"] is None


def test_without_a_fresh_lease_nothing_is_promoted(
    pair: tuple[Server, Server], state_dir: Path, tmp_path: Path
) -> None:
    standby = pair[1]
    for path in (str(tmp_path / "none.json"), lease(tmp_path, -1)):
        with pytest.raises(RefusedError, match="^lease:"):
            rests = promotion(fence_of_another_host(), lag=0, lease=path)
            doors(standby, state_dir).take_over(step(state_dir), rests)
    assert standby.driver().state()["role"] == "standby"


def test_a_refusal_after_the_replication_was_stopped_starts_it_again(
    pair: tuple[Server, Server], state_dir: Path
) -> None:
    standby = pair[1]
    before = standby.sql("select current_setting('primary_conninfo')")
    beyond = fence_of_another_host(lsn="F/0")
    hasty = doors(standby, state_dir)
    hasty._deadline = 0.2
    with pytest.raises(RefusedError, match="^replication lag:"):
        hasty.take_over(step(state_dir), promotion(beyond))
    assert wait_for(lambda: not standby.driver().state()["detached"], DEADLINE, INTERVAL)
    assert standby.sql("select current_setting('primary_conninfo')") == before
    assert not (standby.data / DETACHED).exists()


def test_a_standby_left_without_replication_follows_again(pair: tuple[Server, Server], state_dir: Path) -> None:
    standby = pair[1]
    standby.driver().detach()
    standby.driver().detach()
    assert standby.driver().state()["detached"]
    assert doors(standby, state_dir).restore(step(state_dir), "primary")["changed"]
    assert not standby.driver().state()["detached"]


def test_the_lag_is_measured_to_where_the_frozen_side_ended(
    pair: tuple[Server, Server], state_dir: Path, tmp_path: Path
) -> None:
    primary, standby = pair
    frozen = doors(primary, state_dir).freeze(step(state_dir))["frozen"]
    rests = promotion(fence_of_another_host(lsn=None), frozen=frozen, lease=lease(tmp_path, 60))
    done = doors(standby, state_dir).take_over(step(state_dir), rests)
    assert (done["lag"], done["database"]["role"], done["database"]["timeline"]) == (0, "primary", 2)
    assert is_open(done["database"])
    standby.sql(WRITE.format(400, 410))
    recorded = Recorded(str(state_dir / standby.directory.name), "config_database")
    recorded.keep({"frozen": {"lsn": "0/1"}, "waits_for": "x"})
    assert not doors(standby, state_dir).take_over(step(state_dir), promotion({}))["changed"]
    assert recorded.read() == {"waits_for": "x"}
    recorded.forget()


def test_a_side_that_stopped_cleanly_just_follows(pair: tuple[Server, Server], state_dir: Path) -> None:
    old, primary = pair
    would = resynced(old, primary, state_dir, dry=True)
    assert (would["changed"], would["resync"]["streams"]) == (True, False)
    done = resynced(old, primary, state_dir, name="site1")
    assert (done["changed"], done["resync"]["way"], done["database"]["timeline"]) == (True, "follow", 2)
    assert primary.sql("select application_name from pg_stat_replication") == "site1"
    assert not resynced(old, primary, state_dir)["changed"]
    assert doors(old, state_dir).freeze(step(state_dir))["frozen"] is None


def test_both_sides_hold_the_same_and_a_difference_shows(pair: tuple[Server, Server], state_dir: Path) -> None:
    standby, primary = pair
    here, there = (doors(server, state_dir).compare() for server in (primary, standby))
    assert here["tables"] == there["tables"]
    assert here["tables"]["public.history"] == {"rows": 0, "hash": "0/0"}
    primary.sql("update cfg_object set name = 'm' where dbid = 400; update cfg_object set name = 'n' where dbid = 400")
    assert doors(primary, state_dir).compare()["digest"] == here["digest"]
    primary.sql("update cfg_object set name = 'm' where dbid = 400")
    changed = doors(primary, state_dir).compare()["tables"]["public.cfg_object"]
    assert changed["rows"] == here["tables"]["public.cfg_object"]["rows"]
    assert changed["hash"] != here["tables"]["public.cfg_object"]["hash"]


def test_an_end_that_cannot_come_is_not_waited_for(pair: tuple[Server, Server], state_dir: Path) -> None:
    standby, primary = pair
    standby.driver().detach()
    frozen = doors(primary, state_dir).freeze(step(state_dir))["frozen"]
    assert (frozen["standby_caught_up"], len(frozen["content"])) == (False, 64)
    here, there = (
        doors(one, state_dir, dry=True).ledger(now(), noted(one, state_dir))["applied_until"] for one in pair
    )
    assert (here[:3], there) == ("202", None)
    assert doors(primary, state_dir).freeze(step(state_dir))["frozen"] == frozen
    lag = standby.driver().lag_to(frozen["lsn"])
    assert lag and lag > 0, "the freeze itself is in the log"
    assert lag_of(standby.driver(), frozen["lsn"], None, frozen) == 0
    assert lag_of(standby.driver(), frozen["lsn"], None, {**frozen, "content": "other"}) == lag
    doors(primary, state_dir).restore(step(state_dir), "standby")
    standby.driver().attach()
    primary.stop()
    assert wait_for(lambda: not standby.driver().receives(), DEADLINE, INTERVAL)
    began = time.monotonic()
    with pytest.raises(RefusedError, match="^replication lag:"):
        doors(standby, state_dir).take_over(step(state_dir), promotion(fence_of_another_host(lsn="F/0")))
    assert time.monotonic() - began < DEADLINE / 2
    primary.start()
    assert wait_for(lambda: standby.driver().receives(), DEADLINE, INTERVAL)


def test_a_source_that_is_no_primary_of_ours_is_refused(pair: tuple[Server, Server], state_dir: Path) -> None:
    standby, primary = pair
    with pytest.raises(RefusedError, match="is fenced"):
        resynced(primary, standby, state_dir)
    doors(primary, state_dir).release(step(state_dir), [])
    with pytest.raises(RefusedError, match="is a standby itself"):
        resynced(primary, standby, state_dir)
    doors(primary, state_dir).restore(step(state_dir), "standby")


def test_a_crashed_primary_that_wrote_on_is_rewound_and_its_ledger_read(
    pair: tuple[Server, Server], state_dir: Path
) -> None:
    new, old = pair
    old.sql("alter role confserv set log_statement = 'mod'")
    since = now()
    assert doors(old, state_dir, dry=True).ledger(since, noted(old, state_dir))["ledger_complete"]
    assert not noted(old, state_dir).read(), "nothing is kept in check mode"
    assert doors(old, state_dir).ledger(since, noted(old, state_dir))["ledger_complete"]
    assert noted(old, state_dir).read()["log_statement"] == "mod"
    new.stop()
    words = ["psql", "-XAtq", "-h", str(old.directory), "-p", str(old.port), "-U", "confserv", "-d", "config"]
    lines = "insert into cfg_object\n  values (501, 'only\there')"
    subprocess.run([*words, "-c", lines], check=True, cwd="/")
    subprocess.run([*words, "-c", "insert into nothing values (1)"], check=False, capture_output=True, cwd="/")
    old.stop("immediate")
    found = doors(old, state_dir).ledger(since, noted(old, state_dir))
    assert "log_statement mod when the server, down now, was last asked at" in found["detail"]
    assert [write["statement"] for write in found["ledger"]] == [lines, "insert into nothing values (1)"]
    assert found["ledger"][1]["outcome"].startswith("error: relation")
    assert found["ledger_complete"]
    new.start()
    doors(old, state_dir).release(step(state_dir), [])
    rests = promotion(fence_of_another_host(), allow_data_loss=True)
    doors(new, state_dir).take_over(step(state_dir), rests)
    done = resynced(old, new, state_dir, name="site2")
    assert (done["resync"]["way"], done["database"]["role"], done["database"]["timeline"]) == ("rewind", "standby", 3)
    assert old.sql("select count(*) from cfg_object where dbid = 501") == "0"
    assert not Recorded(str(state_dir / old.directory.name), "config_database").read()


def test_a_crashed_primary_that_cannot_be_rewound_is_copied(pair: tuple[Server, Server], state_dir: Path) -> None:
    old, new = pair
    new.stop()
    old.sql(WRITE.format(600, 610))
    old.sql("select pg_switch_wal()")
    old.sql("checkpoint")
    old.sql(WRITE.format(611, 620))
    old.stop("immediate")
    log = sorted(path for path in (old.data / "pg_wal").glob("00000003*") if len(path.name) == 24)
    for path in log[:-1]:
        path.unlink()
    new.start()
    doors(old, state_dir).release(step(state_dir), [])
    rests = promotion(fence_of_another_host(), allow_data_loss=True)
    doors(new, state_dir).take_over(step(state_dir), rests)
    done = resynced(old, new, state_dir, name="site1")
    assert [one["way"] for one in done["resync"]["tried"]] == ["rewind", "copy"]
    assert done["resync"]["tried"][0]["failure"].startswith("pg_rewind: ")
    assert (done["database"]["role"], done["database"]["timeline"]) == ("standby", 4)
    assert not old.data.with_name("data.resync").exists()
    assert doors(old, state_dir).compare()["digest"] == doors(new, state_dir).compare()["digest"]


def test_what_was_killed_half_way_is_only_copied(pair: tuple[Server, Server], state_dir: Path) -> None:
    standby, primary = pair
    standby.stop()
    (standby.data / "global" / "pg_control").unlink()
    with pytest.raises(DatabaseError, match="pg_controldata"):
        resynced(standby, primary, state_dir)
    recorded = Recorded(str(state_dir / standby.directory.name), "config_database")
    recorded.keep({"resync": "copy"})
    done = resynced(standby, primary, state_dir)
    assert (done["resync"]["way"], done["database"]["role"]) == ("copy", "standby")
    assert not recorded.read()
