# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ticket's doors, against a store that answers as etcd does, on a host that is as the test says."""

from __future__ import annotations

import time

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import ticket as tickets
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.etcd import TicketState
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.etcd_client import (
    Committed,
    Conflict,
    KeyValue,
    Unavailable,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import config as configuration
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import lease
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.core import Standing
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.doors import TicketDoors, Times
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.ready import COMMITS, TIME_OUTS, readiness
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.sight import GuardError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import DatabaseError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import run_step

RUN = {"id": "run-1", "token": 7, "step": "revoke_ticket"}


def held(site="site1", host="s1-cfg"):
    return tickets.acquired(tickets.first(site, [host]), site, host, [host], True)


class Store:
    """One ticket. `meanwhile` happens once just before a write; `lost` answers are lost after the write."""

    def __init__(self, ticket):
        self.ticket, self.revision, self.patience = ticket, 5, 0.015
        self.meanwhile, self.lost, self.writes, self.reads = None, 0, 0, 0
        self.on_read = lambda: None

    def read(self):
        self.reads += 1
        self.on_read()
        return TicketState(self.ticket, self.revision)

    def put(self, ticket):
        self.ticket, self.revision = ticket, self.revision + 1

    def write(self, ticket, revision, run=None):
        if self.meanwhile:
            happens, self.meanwhile = self.meanwhile, None
            happens()
        if revision != self.revision:
            return Conflict({"ticket": KeyValue(self.ticket, self.revision)})
        self.put(dict(ticket))
        self.writes += 1
        if self.lost:
            self.lost -= 1
            raise Unavailable("nobody answers")
        return Committed(self.revision)


class Host:
    """What is seen of the guard on this host."""

    def __init__(self, site="site1"):
        times = {"hold": 0.03, "margin": 0.01, "renew": 0.005, "watchdog": 0.01}
        given = {"site": site, "host": "h", "hosts": ["h"], "writers": [{"unit": "a.service"}], **times}
        self.config = configuration.parse(given) if site else None
        self.standing = None
        self.left, self.active, self.running, self.standby, self.refuses = (
            8.0,
            "active",
            {10: "a.service"},
            False,
            False,
        )

    def writers(self):
        return self.running

    def database_is_standby(self):
        return self.standby

    def refuses_a_start(self):
        return self.refuses

    def is_fenced(self):
        self.left, self.running, self.refuses = 0.0, {}, True

    def shown(self):
        seen = {"installed": self.config is not None, "active": self.active, "left": self.left}
        return dict(seen, writers=sorted(self.running.values()), standby=self.standby)


class World:
    def __init__(self, root, ticket, site, run=None, dry=False):
        self.store, self.host, self.root, self.run = Store(ticket), Host(site), str(root), run
        self.dry = dry
        self.doors = TicketDoors(self.store, self.host, run, Times(0.3, 0.01, 0.05), dry)

    def __call__(self, door, *words):
        with run_step(self.run, self.root, self.dry) as step:
            result = getattr(self.doors, door)(step, *words)
            step.end(result["changed"])
        return result


@pytest.fixture
def world(tmp_path):
    """Return what makes a world: site1 holds the ticket, this is a host of the given site."""
    return lambda site="site1", ticket=None, **more: World(tmp_path, ticket or held(), site, **more)


def refused(call, *words):
    with pytest.raises(RefusedError) as error:
        call(*words)
    return error.value.refusal


def test_observe_shows_both(world):
    found = world().doors.observe()
    assert found["observed"] == {"holder": "site1", "revoked_from": None, "armed": True, "sync": False}
    assert "held by site1" in found["detail"]
    assert "no guard is installed" in world(site="").doors.observe()["detail"]


def test_a_fence_is_seen_once_the_guard_has_killed(world):
    old = world()
    old.store.on_read = lambda: old.store.ticket["holder"] is None and old.host.is_fenced()
    old.store.meanwhile = old.host.is_fenced
    result = old("release", "site1", "seen")
    assert result["changed"]
    assert (result["ticket"]["holder"], result["ticket"]["revoked_from"]) == (None, "site1")
    fence = result["fence"]
    assert (fence["kind"], fence["lsn"], fence["seen"]["writers"]) == ("stopped_and_revoked", None, [])


@pytest.mark.parametrize("what", ["left", "running", "refuses"])
def test_a_fence_of_which_a_part_is_missing_is_none(world, what):
    old = world()
    before = getattr(old.host, what)
    old.host.is_fenced()
    setattr(old.host, what, before)
    with pytest.raises(GuardError, match="not fenced"):
        old("release", "site1", "seen")


def test_a_stop_is_seen_only_at_the_site_that_is_stopped(world):
    other = world(site="site2")
    assert "hosts of the site" in refused(other, "release", "site1", "seen")["guard"]
    assert other.store.writes == 0


def test_a_ticket_runs_out_where_the_dead_man_is_armed(world):
    result = world(site="site2")("release", "site1", "run_out")
    assert (result["fence"]["kind"], result["fence"]["host"], result["fence"]["revision"]) == (
        "ticket_run_out",
        "site1",
        6,
    )


LONG = 30.0


def survivor_that_saw(world, revision, seconds, kills_within=LONG):
    ticket = tickets.promised(held(), "s1-cfg", kills_within)
    survivor = world("site2", ticket=ticket, run=RUN)
    survivor.host.standing = Standing(revision, lease.boottime() - seconds)
    return survivor


def test_what_the_guard_saw_standing_is_not_waited_for_again(world):
    survivor = survivor_that_saw(world, 5, LONG)
    began = time.monotonic()
    assert survivor("release", "site1", "run_out")["fence"]["kind"] == "ticket_run_out"
    assert time.monotonic() - began < 1


def test_a_part_of_it_counts_too(world):
    survivor = survivor_that_saw(world, 5, LONG - 0.2)
    began = time.monotonic()
    assert survivor("release", "site1", "run_out")["fence"]["kind"] == "ticket_run_out"
    assert 0.15 <= time.monotonic() - began < 1


@pytest.mark.parametrize("revision", [4, 6])
def test_the_standing_of_another_revision_is_nothing(world, revision):
    survivor = survivor_that_saw(world, revision, LONG, kills_within=0.3)
    began = time.monotonic()
    assert survivor("release", "site1", "run_out")["fence"]["kind"] == "ticket_run_out"
    assert time.monotonic() - began >= 0.3


def test_a_renewal_just_before_the_revocation_begins_the_wait_anew(world):
    survivor = survivor_that_saw(world, 5, LONG, kills_within=0.3)
    survivor.store.meanwhile = lambda: survivor.store.put(dict(survivor.store.ticket, n=77))
    began = time.monotonic()
    assert survivor("release", "site1", "run_out")["fence"]["kind"] == "ticket_run_out"
    assert time.monotonic() - began >= 0.3


def test_the_times_that_the_holder_was_installed_with_are_outwaited(world):
    survivor = survivor_that_saw(world, 0, 0, kills_within=0.5)
    assert configuration.outlives(survivor.host.config) < 0.5
    began = time.monotonic()
    assert survivor("release", "site1", "run_out")["fence"]["kind"] == "ticket_run_out"
    assert time.monotonic() - began >= 0.5


def test_what_the_guards_were_installed_with_is_outwaited_too(world):
    survivor = world("site2", run=RUN)
    survivor.host.config = survivor.host.config._replace(hold=0.4)
    began = time.monotonic()
    assert survivor("release", "site1", "run_out")["fence"]["kind"] == "ticket_run_out"
    assert time.monotonic() - began >= configuration.outlives(survivor.host.config) >= 0.6


def test_without_an_armed_dead_man_running_out_proves_nothing(world):
    away = world(site="site2", ticket=tickets.disarmed(held(), "2026-01-31T03:14:15Z"))
    assert "2026-01-31" in refused(away, "release", "site1", "run_out")["evidence"]
    assert away.store.writes == 0
    assert "s1-cfg" in refused(world(ticket=dict(held(), armed=[])), "release", "site1", "run_out")["evidence"]


def test_a_ticket_that_does_not_stand_still_has_not_run_out(world):
    moved = world(site="site2")

    def changes():
        if moved.store.ticket["holder"] is None:
            moved.store.revision += 1

    moved.store.on_read = changes
    with pytest.raises((GuardError, RefusedError)):
        moved("release", "site1", "run_out")


def test_a_ticket_that_was_given_back_meanwhile_has_not_run_out(world):
    moved = world(site="site2")

    def gives_back():
        if moved.store.ticket["holder"] is None:
            moved.store.ticket = tickets.granted(moved.store.ticket, "site1", RUN)

    moved.store.on_read = gives_back
    assert "stay revoked" in refused(moved, "release", "site1", "run_out")["guard"]


def test_reads_that_fail_prove_nothing(world):
    away = world(site="site2")

    def fails():
        if away.store.reads > 2:
            raise Unavailable("nobody answers")

    away.store.on_read = fails
    with pytest.raises(GuardError, match="nobody answers"):
        away("release", "site1", "run_out")


PASSED_ON = [
    tickets.acquired(tickets.granted(tickets.revoked(held(), "site1", RUN), "site2", RUN), "site2", "x", ["x"], True),
    tickets.granted(tickets.revoked(held(), "site1", RUN), "site2", RUN),
]


@pytest.mark.parametrize("ticket", PASSED_ON, ids=["taken", "granted"])
def test_what_an_earlier_start_has_passed_on_is_proven_and_stays(world, ticket):
    old = world(ticket=ticket)
    old.host.is_fenced()
    seen = old("release", "site1", "seen")
    assert (seen["changed"], seen["fence"]["kind"]) == (False, "stopped_and_revoked")
    survivor = world("site2", ticket)
    ran_out = survivor("release", "site1", "run_out")
    assert (ran_out["changed"], ran_out["fence"]["kind"]) == (False, "ticket_run_out")
    assert old.store.writes == survivor.store.writes == 0


def test_a_stop_is_seen_even_where_the_ticket_was_passed_on(world):
    with pytest.raises(GuardError, match="not fenced"):
        world(ticket=PASSED_ON[0])("release", "site1", "seen")


@pytest.mark.parametrize("sync", [True, False])
def test_release_tells_what_the_standby_has_as_the_ticket_said_last(world, sync):
    ticket = tickets.renewed(held(), "s1-cfg", True, sync)
    revoked = world(ticket=ticket)
    assert revoked("release", "site1", "none")["sync"] is sync
    assert revoked("release", "site1", "none")["sync"] is sync
    given = tickets.granted(revoked.store.ticket, "site2", RUN)
    taken = tickets.renewed(tickets.acquired(given, "site2", "x", ["x"], True), "x", True, not sync)
    assert world("site2", taken)("release", "site1", "none")["sync"] is sync


def test_a_renewal_just_before_the_revocation_is_what_counts(world):
    old = world(ticket=tickets.renewed(held(), "s1-cfg", True, True))
    old.store.meanwhile = lambda: old.store.put(tickets.renewed(old.store.ticket, "s1-cfg", True, False))
    assert old("release", "site1", "none")["sync"] is False


def test_a_revocation_alone_proves_nothing(world):
    assert world(site="")("release", "site1", "none")["fence"] is None


def test_the_same_run_revokes_once(world):
    old = world(run=RUN)
    assert old("release", "site1", "none")["changed"]
    assert not old("release", "site1", "none")["changed"]
    assert old.store.writes == 1


def test_the_next_run_puts_its_name_on_the_revocation(world):
    old = world(ticket=tickets.revoked(held(), "site1", {"id": "run-0", "token": 6}), run=RUN)
    assert old("release", "site1", "none")["changed"]
    assert old.store.ticket["run"] == {"id": "run-1", "token": 7}


def test_a_renewal_in_between_is_no_obstacle(world):
    old = world()
    old.store.meanwhile = lambda: old.store.put(tickets.renewed(old.store.ticket, "s1-cfg", True, False))
    assert old("release", "site1", "none")["ticket"]["n"] == 3


def test_a_lost_answer_is_looked_up(world):
    old = world(run=RUN)
    old.store.lost = 1
    assert old("release", "site1", "none")["changed"]
    assert old.store.writes == 1


def test_check_mode_writes_nothing_and_shows_the_difference(world):
    old = world(dry=True)
    result = old("release", "site1", "seen")
    assert (result["changed"], result["fence"], old.store.writes) == (True, None, 0)
    assert result["diff"]["after"]["revoked_from"] == "site1"
    assert world("site2", tickets.revoked(held(), "site1", None), dry=True)("take_over", "site2")["left"] is None


def test_check_mode_goes_on_as_if_the_ticket_had_been_taken(world):
    survivor = world("site2", dry=True)
    result = survivor("take_over", "site2")
    assert (result["changed"], result["ticket"]["for"], survivor.store.writes) == (True, "site2", 0)


def test_the_survivor_takes_what_was_revoked(world):
    result = world("site2", tickets.revoked(held(), "site1", None))("take_over", "site2")
    assert (result["ticket"]["for"], result["left"]) == ("site2", 8.0)


def test_what_was_taken_already_is_not_taken_again(world):
    result = world("site2", held("site2", "s2-cfg"))("take_over", "site2")
    assert (result["changed"], result["left"]) == (False, 8.0)


def test_nobody_takes_what_was_not_revoked_from_the_other(world):
    survivor = world("site2")
    assert "granted only while nobody" in refused(survivor, "take_over", "site2")["guard"]
    own = world("site1", tickets.revoked(held(), "site1", None))
    assert "revoked from the other" in refused(own, "take_over", "site1")["guard"]


def test_a_site_without_a_running_guard_takes_nothing(world):
    for site, active in (("site1", "active"), ("site2", "failed"), ("", "active")):
        survivor = world(site, tickets.revoked(held(), "site1", None))
        survivor.host.active = active
        assert "its guard runs" in refused(survivor, "take_over", "site2")["guard"]
        assert survivor.store.writes == 0


def test_a_guard_that_gets_no_lease_is_said(world):
    survivor = world("site2", tickets.revoked(held(), "site1", None))
    survivor.host.left = 0.0
    with pytest.raises(GuardError, match="no lease"):
        survivor("take_over", "site2")


def test_what_was_revoked_goes_back(world):
    back = world("site2", tickets.granted(tickets.revoked(held(), "site1", None), "site2", None))("restore", "site1")
    assert (back["changed"], back["ticket"]["for"]) == (True, "site1")


def test_what_is_back_is_not_given_back_again(world):
    assert not world()("restore", "site1")["changed"]


def test_what_was_taken_and_not_used_goes_back_in_one_write(world):
    survivor = world("site2", held("site2", "s2-cfg"))
    survivor.host.standby, survivor.host.running = True, {}
    back = survivor("restore", "site1")["ticket"]
    assert (back["holder"], back["for"], back["revoked_from"]) == (None, "site1", None)
    assert survivor.store.writes == 1


@pytest.mark.parametrize(
    ("site", "standby", "running"),
    [("site2", False, {}), ("site2", None, {}), ("site2", True, {9: "a.service"}), ("site1", True, {}), ("", True, {})],
)
def test_what_may_have_been_used_stays(world, site, standby, running):
    survivor = world(site, held("site2", "s2-cfg"))
    survivor.host.standby, survivor.host.running = standby, running
    assert "one writer" in refused(survivor, "restore", "site1")["guard"]
    assert survivor.store.writes == 0


def test_verify_sees_the_holder(world):
    holder = world()
    assert not holder.doors.verify("site1", "holder")["changed"]
    for site, left, active in (("site2", 8.0, "active"), ("site1", 0.0, "active"), ("site1", 8.0, "failed")):
        holder.host.left, holder.host.active = left, active
        with pytest.raises(GuardError, match="does not hold"):
            holder.doors.verify(site, "holder")


def test_verify_sees_that_nothing_may_start(world):
    other = world("site2")
    other.host.is_fenced()
    other.doors.verify("site2", "none")
    with pytest.raises(GuardError, match="not without the right"):
        other.doors.verify("site1", "none")
    other.host.refuses = None
    with pytest.raises(GuardError, match="start refused: None"):
        other.doors.verify("site2", "none")


def test_a_window_is_written_and_the_guards_are_waited_for(world):
    until = "2026-01-31T05:00:00Z"
    holder = world()

    def guard_renews():
        if holder.store.ticket["disarmed_until"]:
            holder.store.ticket = dict(holder.store.ticket, armed=[])

    holder.store.on_read = guard_renews
    result = holder("disarm", "site1", until)
    assert (result["changed"], result["disarmed_until"], result["armed"]) == (True, until, [])
    assert not holder("disarm", "site1", until)["changed"]
    holder.store.on_read = lambda: setattr(holder.store, "ticket", dict(holder.store.ticket, armed=["s1-cfg"]))
    assert holder("arm", "site1")["disarmed_until"] is None


def test_a_guard_that_does_not_hear_of_its_window_is_no_success(world):
    until, holder = "2026-01-31T05:00:00Z", world()
    with pytest.raises(
        GuardError, match="still armed after 0 s: s1-cfg; the window until .* stands.*end the window"
    ) as error:
        holder("disarm", "site1", until)
    assert until in str(error.value)
    assert holder.store.ticket["disarmed_until"] == until
    holder.store.ticket = dict(holder.store.ticket, armed=[])
    with pytest.raises(GuardError, match="still not armed after 0 s: s1-cfg; the end of the window stands"):
        holder("arm", "site1")
    assert holder.store.ticket["disarmed_until"] is None


def test_only_the_guards_that_did_not_hear_are_named(world):
    ticket = tickets.first("site1", ["s1-cfg", "s1-db"])
    for host in ("s1-cfg", "s1-db"):
        ticket = tickets.acquired(ticket, "site1", host, ["s1-cfg", "s1-db"], True)
    holder = world(ticket=ticket)
    holder.store.meanwhile = lambda: setattr(
        holder.store, "on_read", lambda: setattr(holder.store, "ticket", dict(holder.store.ticket, armed=["s1-db"]))
    )
    with pytest.raises(GuardError, match="still armed after 0 s: s1-db;"):
        holder("disarm", "site1", "2026-01-31T05:00:00Z")


def test_a_site_that_loses_the_ticket_meanwhile_has_no_window_to_wait_for(world):
    holder = world()

    def is_taken():
        if holder.store.ticket["disarmed_until"]:
            holder.store.ticket = tickets.revoked(holder.store.ticket, "site1", RUN)

    holder.store.on_read = is_taken
    assert holder("disarm", "site1", "2026-01-31T05:00:00Z")["changed"]


@pytest.mark.parametrize("until", ["tomorrow", "2026-02-31T00:00:00Z", ""])
def test_a_window_without_an_end_that_guards_understand_is_never_written(world, until):
    holder = world()
    with pytest.raises(GuardError, match="until: expected a time"):
        holder("disarm", "site1", until)
    assert holder.store.writes == 0


def test_a_site_without_the_ticket_has_no_dead_man_to_switch(world):
    other = world()
    assert not other("disarm", "site2", "2026-01-31T05:00:00Z")["changed"]
    assert other.store.writes == 0


def test_without_a_ticket_every_change_says_what_to_do(world):
    empty = world()
    empty.store.ticket = None
    with pytest.raises(GuardError, match="there is no ticket yet"):
        empty("restore", "site1")


def items(world):
    found = readiness(world.host, lambda: world.store)
    return found["ready"], {item["item"]: item["met"] for item in found["readiness"]}


def test_the_holder_is_ready(world):
    holder = world(ticket=tickets.acquired(tickets.first("site1", ["h"]), "site1", "h", ["h"], True))
    assert items(holder) == (True, dict.fromkeys(items(holder)[1], True))
    assert len(items(holder)[1]) == 8


def test_members_that_may_be_silent_for_longer_than_the_lease_lasts_are_named(world):
    holder = world(ticket=tickets.acquired(tickets.first("site1", ["h"]), "site1", "h", ["h"], True))
    holder.store.patience = holder.host.config.hold - holder.host.config.margin
    ready, found = items(holder)
    assert (ready, [name for name, met in found.items() if not met]) == (False, [TIME_OUTS])


def test_what_the_guard_lacks_is_named(world):
    assert not items(world())[1]["dead-man armed"]
    assert not items(world())[1]["all hosts of the site are known"]
    empty = world("")
    empty.store.ticket = None
    assert items(empty)[1] == {
        "guard installed": False,
        "guard runs": True,
        "a majority of the coordination store answers": True,
        "there is a ticket": False,
    }
    silent = world()
    silent.store.on_read = lambda: (_ for _ in ()).throw(Unavailable("nobody answers"))
    assert not items(silent)[1]["a majority of the coordination store answers"]


class Database:
    """A primary whose writer has this `synchronous_commit` of its own; an error is said instead."""

    def __init__(self, own, running=True, error=None):
        self.own, self.running, self.error = own, running, error

    def state(self):
        if self.error:
            raise self.error
        return {"running": self.running, "writer": {"synchronous_commit": self.own}}


@pytest.mark.parametrize(
    ("replication", "database", "met"),
    [
        ("sync", Database(None), [True]),
        ("sync", Database("remote_apply"), [True]),
        ("sync", Database("off"), [False]),
        ("sync", Database("local"), [False]),
        ("sync", Database(None, error=DatabaseError("no answer")), [False]),
        ("sync", Database("off", running=False), []),
        ("sync", None, []),
        ("async", Database("off"), []),
    ],
)
def test_commits_that_wait_for_nobody_are_named_where_the_ticket_says_they_do(world, replication, database, met):
    holder = world()
    holder.host.config = holder.host.config._replace(replication=replication)
    found = readiness(holder.host, lambda: holder.store, lambda options: database)["readiness"]
    assert [item["met"] for item in found if item["item"] == COMMITS] == met
