# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every replication driver must do for the doors: one story of a move, told to each of them."""

from __future__ import annotations

import json
import os
import pwd
import sys
from pathlib import Path
from typing import Any, Iterator, NamedTuple

import database_stand_in
import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.config_database import Doors
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import Recorded
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import Replication
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.registry import DRIVERS, database_of
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.view import is_closed, is_open
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for
from postgresql_servers import NoUnits, a_pair, fence_of_another_host, needs_postgresql, promotion, step

VERBS = ("state", "close", "open", "lag_to", "followed", "detach", "attach", "promote", "write")
PROGRAMS = ("ggsci", "look", "grant", "triggers", "revoke", "write")
LIMITS = {"lag": 2**24, "free_space": 2**20}


class World(NamedTuple):
    """Both sides' drivers as the doors get them, and where the doors keep their records."""

    name: str
    old: Replication
    new: Replication
    directory: Path

    def doors(self, side: str) -> Doors:
        recorded = Recorded(str(self.directory / side), "config_database")
        return Doors(getattr(self, side), NoUnits(), recorded, 2.0, 0.05, dry=False)


def made_of_programs(name: str, directory: Path) -> World:
    file = directory / "pair.json"
    file.write_text(json.dumps(database_stand_in.first()))

    def side(which: str) -> Replication:
        program = [sys.executable, database_stand_in.__file__, str(file), which]
        groups = {"replicats": ["CSP", "MSP"], "extracts": ["CSE"]} if name == "oracle_goldengate" else {}
        commands = {verb: [*program, verb] for verb in (PROGRAMS if groups else VERBS)}
        user = pwd.getpwuid(os.geteuid()).pw_name
        words = {"writer": "confserv", "port": 0, "os_user": user, "commands": commands, **groups}
        return database_of({"driver": name, "name": "config", **words}, 2.0, 0.05)

    return World(name, side("old"), side("new"), directory)


@pytest.fixture(
    scope="module", params=["command", "oracle_goldengate", pytest.param("postgresql", marks=needs_postgresql)]
)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory = tmp_path_factory.mktemp(request.param)
    if request.param != "postgresql":
        yield made_of_programs(request.param, directory)
        return
    with a_pair("contract", (5437, 5438)) as (old, new):
        assert wait_for(lambda: "streaming" in old.sql("select state from pg_stat_replication"), 20, 0.05)
        yield World("postgresql", old.driver(), new.driver(), directory)


def test_every_driver_tells_the_same_story() -> None:
    assert set(DRIVERS) == {"command", "oracle_goldengate", "postgresql"}


def test_the_sides_are_told_apart(world: World) -> None:
    old, new = world.old.state(), world.new.state()
    assert (old["role"], is_open(old), is_closed(old)) == ("primary", True, False)
    assert (new["role"], is_closed(new), bool(new.get("detached"))) == ("standby", True, False)
    for state in (old, new):
        assert {"running", "role", "lsn", "timeline", "system_identifier", "writer"} <= set(state)


def test_the_standby_is_ready_and_each_item_says_its_way(world: World) -> None:
    shown = world.doors("new").readiness(LIMITS)
    assert shown["ready"], shown["readiness"]
    assert all({"item", "met", "evidence", "way"} <= set(item) for item in shown["readiness"])


def test_nothing_is_promoted_without_a_fence_or_with_an_unknown_lag(world: World) -> None:
    with pytest.raises(RefusedError, match="^fence:"):
        world.doors("new").take_over(step(world.directory), promotion({}))
    with pytest.raises(RefusedError, match="^replication lag:"):
        world.doors("new").take_over(step(world.directory), promotion(fence_of_another_host(), lag=None))
    assert wait_for(lambda: not world.new.state().get("detached"), 2, 0.05)
    assert world.new.state()["role"] == "standby"


def test_freezing_closes_and_is_undone_exactly(world: World) -> None:
    frozen = world.doors("old").freeze(step(world.directory))
    assert (frozen["changed"], is_closed(frozen["database"])) == (True, True)
    assert frozen["frozen"]["lsn"]
    assert not world.doors("old").freeze(step(world.directory))["changed"]
    with pytest.raises(RefusedError, match="one writer"):
        world.doors("old").restore(step(world.directory), "unknown")
    assert world.doors("old").restore(step(world.directory), "standby")["changed"]
    assert is_open(world.old.state())


def test_what_is_received_and_applied_leaves_no_lag(world: World) -> None:
    assert wait_for(lambda: world.new.lag_to(None) == 0, 2, 0.05)


def test_stopping_the_replication_twice_is_stopping_it_once(world: World) -> None:
    world.new.detach()
    world.new.detach()
    assert world.new.state()["detached"]
    world.new.attach()
    assert wait_for(lambda: not world.new.state()["detached"], 2, 0.05)


def test_a_fenced_and_frozen_side_hands_over(world: World) -> None:
    frozen = world.doors("old").freeze(step(world.directory))["frozen"]
    proof = world.doors("old").release(step(world.directory), [])["fence"]
    assert proof["kind"] == "stopped_and_revoked"
    rests = promotion(dict(proof, host="other"), frozen=frozen)
    done = world.doors("new").take_over(step(world.directory), rests)
    assert (done["changed"], done["lag"], done["database"]["role"]) == (True, 0, "primary")
    assert is_open(world.new.state())
    assert is_closed(world.old.state())
    assert not world.doors("new").take_over(step(world.directory), promotion({}))["changed"]


def test_a_write_is_seen_at_the_new_writer(world: World) -> None:
    written = world.doors("new").verify("after the move")["written"]
    assert (written["committed"], written["as"]) == (True, "confserv")


def test_what_a_make_cannot_show_is_refused_by_name(world: World, tmp_path: Path) -> None:
    noted = Recorded(str(tmp_path), "config_database_ledger")
    if world.name == "postgresql":
        pytest.skip("it can")
    calls: list[Any] = [lambda: world.doors("new").ledger("2026-01-31T03:14:15Z", noted), world.doors("new").compare]
    for call in calls:
        with pytest.raises(RefusedError, match="two people attest"):
            call()
    with pytest.raises(RefusedError, match="synchronous"):
        world.new.synchronise("site2")


def test_goldengate_is_called_in_the_documented_order(world: World) -> None:
    if world.name != "oracle_goldengate":
        pytest.skip("another make")
    log = json.loads((world.directory / "pair.json").read_text())["new"]["log"]
    calls = [verb for verb in log if verb in ("grant", "triggers")]
    assert calls[-2:] == ["grant", "triggers"]
    assert "ggsci" in log[: log.index("grant")]
