# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A side that was left behind by a failover comes back as a standby with a longer log of its own: it is no successor.

One story, in the order of the tests.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Iterator

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.lease import boot_id, boottime
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process import UnitState
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import Server as HostServer
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import Source
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.postgresql_data import (
    write_standby_signal,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for
from postgresql_servers import (
    DEADLINE,
    INTERVAL,
    Server,
    a_pair,
    doors,
    fence_of_another_host,
    needs_postgresql,
    promotion,
    step,
)

pytestmark = needs_postgresql
NAMES = "select current_setting('synchronous_standby_names')"


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Server, Server]]:
    with a_pair("strayed", (5441, 5442)) as servers:
        yield servers


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


class Postmaster:
    """Process control of one server, which keeps what it was told."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.orders: list[str] = []

    def state(self, name: str) -> UnitState:
        return UnitState(name, True, "active" if self.server.runs() else "inactive", (), False, "")

    def start(self, name: str) -> UnitState:
        self.orders.append("start")
        self.server.start()
        return self.state(name)

    def stop(self, name: str) -> UnitState:
        self.orders.append("stop")
        self.server.stop()
        return self.state(name)


def source_of(server: Server) -> Source:
    return Source(str(server.directory), server.port, "postgres", "postgres", "", "postgres", "site1", "prefer")


def test_a_standby_that_is_promoted_waits_for_nobody(pair: tuple[Server, Server], state_dir: Path) -> None:
    old, new = pair
    assert wait_for(lambda: "streaming" in old.sql("select state from pg_stat_replication"), DEADLINE, INTERVAL)
    new.stop()
    old.sql("insert into history select 'written by the old side alone' from generate_series(1, 20000)")
    old.stop("immediate")
    new.settings("synchronous_standby_names = 'site1'\nwal_keep_size = 256MB\n")
    new.start()
    done = doors(new, state_dir).take_over(step(state_dir), promotion(fence_of_another_host(), allow_data_loss=True))
    assert (done["database"]["role"], new.sql(NAMES)) == ("primary", "")
    new.sql("set role confserv; insert into cfg_object values (700, 'of the new timeline')")


def test_with_a_lease_the_guard_gives_up_waiting_and_nobody_else(
    pair: tuple[Server, Server], state_dir: Path, tmp_path: Path
) -> None:
    new = pair[1]
    path = tmp_path / "lease.json"
    words = {"deadline": boottime() + 60, "margin": 0, "revision": 1, "site": "site2", "boot_id": boot_id()}
    path.write_text(json.dumps(words))
    new.driver().synchronise("site1")
    assert wait_for(lambda: new.sql(NAMES) == "site1", DEADLINE, INTERVAL)
    rests = promotion(fence_of_another_host(), lease=str(path))
    assert not doors(new, state_dir).take_over(step(state_dir), rests)["changed"]
    assert new.sql(NAMES) == "site1"
    new.driver().stand_alone()


def test_a_longer_log_of_another_timeline_is_no_end_that_was_reached(
    pair: tuple[Server, Server], state_dir: Path
) -> None:
    old, new = pair
    write_standby_signal(old.data, "postgres")
    old.start()
    frozen = doors(new, state_dir).freeze(step(state_dir))["frozen"]
    assert frozen["timeline"] == 2
    assert old.driver().lag_to(frozen["lsn"]) == 0, "as many bytes, and not the same ones"
    rests = promotion(fence_of_another_host(lsn=None), frozen=frozen)
    with pytest.raises(RefusedError, match="^history: .* timeline 1, and the fenced side wrote on timeline 2"):
        doors(old, state_dir).take_over(step(state_dir), rests)
    assert old.driver().state()["role"] == "standby"
    assert doors(new, state_dir).restore(step(state_dir), "standby")["changed"]


def test_a_newer_run_that_came_while_it_copied_keeps_what_lies_there(
    pair: tuple[Server, Server], state_dir: Path
) -> None:
    old, new = pair
    postmaster, ways = Postmaster(old), list[str]()

    def begin(way: str) -> None:
        ways.append(way)
        if ways.count("copy") > 1:
            raise RefusedError("fencing token", "a newer run acted here", "let it go on")

    with pytest.raises(RefusedError, match="^fencing token"):
        old.driver().resync(source_of(new), HostServer("postgres", postmaster, DEADLINE), begin, unfinished=True)
    assert (postmaster.orders, ways) == (["stop"], ["stop", "copy", "copy"])
    assert (old.data / "global" / "pg_control").exists()


def test_in_check_mode_a_resync_says_what_it_still_lacks(pair: tuple[Server, Server], state_dir: Path) -> None:
    old, new = pair
    host = HostServer("postgres", Postmaster(new), DEADLINE)
    would = doors(new, state_dir, dry=True).resync(step(state_dir), source_of(old), host)
    assert (would["changed"], would["resync"]["streams"]) == (True, False)
    assert "given up only by a side that is fenced" in would["unmet"]
    host = HostServer("postgres", Postmaster(old), DEADLINE)
    assert doors(old, state_dir, dry=True).resync(step(state_dir), source_of(new), host)["unmet"] is None


def test_it_is_resynchronised_and_then_it_is_one(pair: tuple[Server, Server], state_dir: Path) -> None:
    old, new = pair
    host = HostServer("postgres", Postmaster(old), DEADLINE)
    assert doors(old, state_dir).resync(step(state_dir), source_of(new), host)["resync"]["streams"]
    frozen = doors(new, state_dir).freeze(step(state_dir))["frozen"]
    rests = promotion(fence_of_another_host(lsn=None), frozen=frozen)
    done = doors(old, state_dir).take_over(step(state_dir), rests)
    assert (done["lag"], done["database"]["timeline"]) == (0, 3)
    assert old.sql("select count(*) from cfg_object where dbid = 700") == "1"
