# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guard does beside its watch: who is started when, and what becomes of synchronous replication."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import config as configuration
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.duties import (
    AGAIN,
    LATER,
    SOON,
    Duties,
    database_for,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process import ProcessError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import DatabaseError

DATABASE, SERVER, SCS = "postgresql@15-main.service", "genesys-confserv.service", "genesys-scs.service"
OPEN = {"can_login": True, "writable": 3, "fenced": None}


class Units:
    """Starts what it is told to; `broken` units do not come up."""

    def __init__(self):
        self.started, self.broken = [], set()

    def start(self, name):
        if name in self.broken:
            raise ProcessError(f"{name} did not come up")
        self.started.append(name)


class Database:
    """Answers with one state until the test gives another; None: it does not answer."""

    def __init__(self):
        self.now = primary()
        self.done = []

    def state(self):
        if self.now is None:
            raise DatabaseError("does not answer")
        return self.now

    def stand_alone(self):
        self.done.append("stand_alone")

    def synchronise(self, names):
        self.done.append(names)


def primary(**more):
    replicas = [{"state": "streaming", "sync": "sync", "lag": 0}]
    settings = {"synchronous_standby_names": "site2"}
    base = {"running": True, "role": "primary", "lsn": "0/10", "replicas": replicas, "settings": settings}
    return {**base, "writer": OPEN, **more}


class World:
    def __init__(self, root, database=True, **more):
        self.signal = root / "standby.signal"
        writers = [{"unit": SERVER}, {"unit": DATABASE, "standby_signal": str(self.signal)}]
        given = {"site": "site1", "host": "h", "hosts": ["h"], "writers": writers, "start": [DATABASE, SERVER, SCS]}
        config = configuration.parse({**given, "database": {} if database else None, "sync_names": "site2", **more})
        self.units, self.database, self.said = Units(), Database(), []
        driver = self.database if database else None
        self.duties = Duties(config, self.units, driver, lambda words, level: self.said.append(words))


@pytest.fixture
def world(tmp_path):
    return World(tmp_path, replication="sync")


def test_without_a_lease_nothing_is_done(world):
    assert world.duties.turn(0, 0, None) is None
    assert world.units.started == []


def test_the_database_comes_first_and_the_rest_follows(world):
    world.duties.turn(1, 0, None)
    assert world.units.started == [DATABASE, SERVER, SCS]
    world.duties.turn(1, 1, None)
    assert len(world.units.started) == 3


def test_the_rest_waits_until_the_database_accepts_writes(world):
    world.database.now = primary(writer=dict(OPEN, fenced=1))
    world.duties.turn(1, 0, None)
    world.duties.turn(1, 1, None)
    assert world.units.started == [DATABASE]
    assert len([words for words in world.said if "waiting" in words]) == 1
    assert world.duties.pause == SOON
    world.database.now = None
    world.duties.turn(1, 2, None)
    world.database.now = primary()
    world.duties.turn(1, 3, None)
    assert world.units.started == [DATABASE, SERVER, SCS]


def test_a_lease_that_ends_ends_the_waiting(world):
    world.database.now = None
    world.duties.turn(1, 0, None)
    world.duties.turn(0, 1, None)
    world.database.now = primary()
    world.duties.turn(0, 2, None)
    assert world.units.started == [DATABASE]


def test_the_next_lease_starts_everything_again(world):
    world.duties.turn(1, 0, None)
    world.duties.turn(2, 1, None)
    assert world.units.started == [DATABASE, SERVER, SCS] * 2


def test_beside_a_standby_nothing_is_started(world):
    world.signal.touch()
    world.duties.turn(1, 0, None)
    assert world.units.started == []
    assert "is a standby" in world.said[0]


def test_a_unit_that_does_not_come_up_is_said_and_the_next_one_waits_its_turn(world):
    world.units.broken.add(SERVER)
    world.duties.turn(1, 0, None)
    assert world.units.started == [DATABASE]
    world.duties.turn(1, 1, None)
    assert world.units.started == [DATABASE, SCS]
    assert any("did not come up" in words for words in world.said)


@pytest.mark.parametrize("broken", [DATABASE, SERVER])
def test_a_unit_that_did_not_come_up_is_tried_again_and_in_its_place(world, broken):
    world.units.broken.add(broken)
    world.database.now = None if broken == DATABASE else primary()
    for now in range(3):
        world.duties.turn(1, now, None)
    world.units.broken.clear()
    assert world.duties.pause == SOON
    world.duties.turn(1, AGAIN - 1, None)
    assert broken not in world.units.started
    world.duties.turn(1, AGAIN + 1, None)
    world.database.now = primary()
    world.duties.turn(1, AGAIN + 2, None)
    assert sorted(world.units.started) == sorted([DATABASE, SERVER, SCS])
    assert world.units.started[0] == DATABASE


def test_what_failed_under_one_lease_is_not_tried_without_one(world):
    world.units.broken.add(SERVER)
    world.duties.turn(1, 0, None)
    world.units.broken.clear()
    for now in (1, AGAIN + 2, AGAIN + 3):
        world.duties.turn(0, now, None)
    assert SERVER not in world.units.started


def test_without_a_database_to_ask_nothing_waits(tmp_path):
    world = World(tmp_path, database=False, start=[SERVER])
    assert world.duties.turn(1, 0, None) is None
    assert world.units.started == [SERVER]


def test_asynchronous_replication_is_said_for_certain(tmp_path):
    world = World(tmp_path, replication="async", start=[])
    world.database.now = None
    assert world.duties.turn(1, 0, None) is False
    assert world.said == []
    assert world.duties.pause == LATER


def test_a_database_elsewhere_has_its_own_guard(tmp_path):
    world = World(tmp_path, replication="sync", start=[])
    world.duties._config = world.duties._config._replace(database={"address": "192.0.2.1"})
    assert world.duties.turn(1, 0, None) is None


def test_a_standby_in_step_is_looked_at_less_often(world):
    for now in range(3):
        wish = world.duties.turn(1, now, None)
    assert wish is True
    assert world.duties.pause == LATER


def test_a_missing_standby_ends_the_waiting_in_the_right_order(world):
    for now in range(3):
        world.duties.turn(1, now, None)
    world.database.now = primary(replicas=[])
    assert world.duties.turn(1, 10, True) is True
    assert world.duties.turn(1, 20, True) is False
    assert world.database.done == []
    world.duties.turn(1, 21, False)
    assert world.database.done == ["stand_alone"]
    assert any("unprotected" in words for words in world.said)


def test_a_standby_that_is_back_is_waited_for_again(world):
    world.database.now = primary(settings={"synchronous_standby_names": ""})
    world.duties.turn(1, 0, False)
    assert world.database.done == ["site2"]


def test_a_database_that_refuses_is_said_once(world):
    def refuse(names):
        raise DatabaseError("not now")

    world.database.synchronise = refuse
    world.database.now = primary(settings={"synchronous_standby_names": ""})
    for now in range(3):
        world.duties.turn(1, now, False)
    assert [words for words in world.said if "not now" in words] == ["synchronise: not now"]


def test_the_driver_is_made_of_the_module_s_own_defaults():
    assert database_for(None) is None
    assert database_for({"port": 5433}) is not None
