# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard's decisions: what it asks for, what moves its deadline, when it kills and when it starts."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import ticket as tickets
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import core
from guard_world import EVENTS, HOLD, MARGIN, RUN, World, at
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.fixture
def world():
    """Return a world in which the guard has acquired the ticket."""
    world = World()
    world.happens("asked")
    world.happens("asked")
    world.actions.clear()
    return world


def test_it_begins_with_a_look_and_nothing_else():
    world = World()
    assert world.guard.request(world.now) == core.Read()
    assert world.guard.tick(world.now, world.now) == ()
    assert world.guard.lease is None
    assert not world.guard.answered


def test_boot_means_acquire():
    world = World()
    world.happens("asked")
    assert world.actions == []
    sent = world.now
    world.happens("asked")
    assert world.actions == [core.Start()]
    assert world.guard.lease == core.Lease(sent + HOLD, world.revision)
    assert world.ticket["holder"] == "site1"
    assert world.ticket["armed"] == ["s1-cfg"]


def test_a_restarted_guard_takes_its_own_site_s_ticket_again():
    held = tickets.acquired(tickets.first("site1", ["s1-cfg"]), "site1", "s1-cfg", ["s1-cfg"], True)
    world = World(ticket=held)
    world.happens("asked")
    world.happens("asked")
    assert world.actions == [core.Start()]


@pytest.mark.parametrize(
    "ticket",
    [
        tickets.first("site2", ["s2-cfg"]),
        tickets.acquired(tickets.first("site2", ["s2-cfg"]), "site2", "s2-cfg", ["s2-cfg"], True),
        tickets.revoked(
            tickets.acquired(tickets.first("site1", ["s1-cfg"]), "site1", "s1-cfg", ["s1-cfg"], True), "site1", RUN
        ),
    ],
)
def test_a_site_that_may_not_hold_it_only_looks(ticket):
    world = World(ticket=ticket)
    for _time in range(5):
        world.happens("asked")
    assert world.guard.request(world.now) == core.Read()
    assert world.actions == []
    assert world.ticket == ticket


def test_without_a_ticket_it_only_looks():
    guard = World().guard
    guard.reply(core.Read(), 1, 1, core.Found(0, None))
    assert guard.answered
    assert guard.request(2) == core.Read()


def test_the_deadline_counts_from_the_sending(world):
    sent = world.now
    world.slow(1)
    assert world.guard.lease.deadline == sent + HOLD


def test_a_failure_moves_nothing_and_the_kill_says_why(world):
    before = world.guard.lease
    world.happens("lost")
    assert world.guard.lease == before
    assert world.guard.failure == "no answer"
    world.happens("lost")
    world.happens("lost")
    (kill,) = world.actions
    assert kill.why == f"the ticket was not renewed in time, {MARGIN:.2f} s left; no answer"
    assert world.guard.lease is None


def test_a_ticket_taken_away_kills_at_once(world):
    world.revoked()
    world.asked()
    world.tick()
    (kill,) = world.actions
    assert "taken away: revoked from site1, by run run" in kill.why
    assert world.guard.lease is None


def test_a_ticket_that_is_gone_kills_at_once(world):
    request = world.guard.request(world.now)
    world.guard.reply(request, world.now, world.now, core.Conflict(0, None))
    assert world.guard.tick(world.now, world.now) == (core.Kill("the ticket is gone from the store"),)


def test_a_granted_ticket_starts_the_writers_again(world):
    world.happens("revoked")
    world.happens("asked")
    world.happens("granted")
    world.happens("asked")
    world.happens("asked")
    assert [type(action) for action in world.actions] == [core.Kill, core.Start]


def test_a_renewal_that_was_sent_before_the_kill_starts_nothing(world):
    request = world.guard.request(world.now)
    sent = world.now
    world.now += HOLD
    world.tick()
    world.guard.reply(request, sent + 2, world.now, core.Committed(world.revision + 1))
    assert world.guard.lease is None
    world.tick()
    assert [type(action) for action in world.actions] == [core.Kill]


def test_an_acquisition_whose_answer_came_too_late_starts_nothing():
    world = World()
    world.asked()
    world.slow(int(HOLD - MARGIN))
    assert world.guard.lease is None
    assert world.actions == []


def test_another_host_s_renewal_is_adopted_and_moves_no_deadline_of_ours(world):
    world.renewed()
    before = world.guard.lease
    world.asked()
    assert world.guard.lease == before
    sent = world.now
    world.asked()
    assert world.guard.lease.deadline == sent + HOLD


def test_a_host_that_its_own_site_does_not_list_acquires_instead_of_renewing(world):
    world._store(dict(world.ticket, hosts=["s1-db"]))
    world.asked()
    world.asked()
    assert world.ticket["hosts"] == ["s1-cfg"]
    assert world.guard.lease is not None


def test_a_window_spares_the_writers_once_it_is_committed_by_this_host(world):
    world.disarmed()
    world.asked()
    world.asked()
    assert world.ticket["armed"] == []
    assert world.guard.good_until(world.now, world.now) == world.now + 20
    for _second in range(19):
        world.happens("lost")
    assert world.actions == []
    world.happens("lost")
    assert [type(action) for action in world.actions] == [core.Kill]
    assert world.guard.good_until(world.now, world.now) is None


def test_a_window_that_was_only_read_spares_nobody(world):
    world.disarmed()
    world.asked()
    world.lost()
    world.guard._settings = core.GuardSettings("site1", "s1-cfg", ("s1-cfg",), HOLD, HOLD, 0.5)
    world.tick()
    assert [type(action) for action in world.actions] == [core.Kill]


def test_a_window_that_is_over_is_armed_again_by_the_next_renewal(world):
    world.disarmed()
    for _second in range(25):
        world.happens("asked")
    assert world.ticket["disarmed_until"] is None
    assert world.ticket["armed"] == ["s1-cfg"]
    assert world.actions == []


def test_nothing_spares_once_a_write_that_arms_this_host_was_sent(world):
    world.disarmed()
    world.asked()
    world.asked()
    world.armed()
    world.asked()
    world.happens("unheard")
    assert world.ticket["armed"] == ["s1-cfg"]
    for _second in range(3):
        world.happens("lost")
    assert [type(action) for action in world.actions] == [core.Kill]


def test_an_overdue_lease_is_made_good_before_this_host_is_armed_again(world):
    world.disarmed()
    world.asked()
    world.asked()
    for _second in range(5):
        world.happens("lost")
    world.armed()
    world.asked()
    world.asked()
    assert world.ticket["armed"] == []
    world.happens("asked")
    assert world.ticket["armed"] == ["s1-cfg"]
    assert world.actions == []


def test_a_ticket_taken_away_kills_in_a_window_too(world):
    world.disarmed()
    world.asked()
    world.asked()
    world.revoked()
    world.asked()
    world.tick()
    assert [type(action) for action in world.actions] == [core.Kill]


def test_sync_is_settled_by_a_write_that_was_made_for_the_wish(world):
    world.guard.sync_wanted(True)
    assert world.guard.sync_settled is None
    world.asked()
    assert world.guard.sync_settled is True
    assert world.ticket["sync"] is True
    late = world.guard.request(world.now)
    world.guard.sync_wanted(False)
    world.guard.reply(late, world.now, world.now, world._apply(late))
    assert world.guard.sync_settled is None
    world.asked()
    assert world.guard.sync_settled is False
    assert world.ticket["sync"] is False


def test_a_wish_of_before_says_nothing_of_a_write_under_way(world):
    world.guard.sync_wanted(False)
    world.asked()
    world.guard.sync_wanted(True)
    late = world.guard.request(world.now)
    world.guard.sync_wanted(False)
    assert world.guard.sync_settled is None
    world.guard.reply(late, world.now, world.now, world._apply(late))
    assert world.guard.sync_settled is None


def test_without_a_wish_the_ticket_s_word_is_kept(world):
    world._store(dict(world.ticket, sync=True))
    world.asked()
    world.asked()
    assert world.ticket["sync"] is True


def test_the_standing_of_a_ticket_begins_when_its_revision_is_first_heard_of(world):
    assert core.Guard(world.guard._settings).standing is None
    world.revoked()
    world.now += 3
    world.happens("slow")
    heard = world.now - world.pace
    assert world.guard.standing == core.Standing(world.revision, heard)
    for event in ("asked", "lost", "asked"):
        world.happens(event)
    assert world.guard.standing == core.Standing(world.revision, heard)


def test_what_it_writes_says_in_what_time_it_kills():
    guarded = World(kills_within=12.3)
    guarded.happens("asked")
    guarded.happens("asked")
    assert guarded.ticket["kills_within"] == {"s1-cfg": 12.3}


def test_times_are_read_with_and_without_a_zone():
    assert core.seconds("1970-01-01T00:01:00Z") == 60
    assert core.seconds("1970-01-01T01:01:00+01:00") == 60
    assert core.seconds("1970-01-01T00:01:00") == 60
    assert core.seconds(at(60)) == 60


def holds_what_it_promises(events, prepared):
    """Let the events happen; nothing may run here once a taker may conclude that it does not."""
    world = World(pace=0.5)
    for event in (*prepared, *events):
        world.happens(event)
        assert not (world.proven and world.runs), events
        lease = world.guard.lease
        if lease and not world.guard._spared(world.now):
            assert world.now < lease.deadline - MARGIN, events


@pytest.mark.parametrize("prepared", [(), ("asked", "asked"), ("asked", "asked", "disarmed", "asked", "asked")])
def test_no_four_events_make_two_writers(prepared):
    for events in itertools.product(EVENTS, repeat=4):
        holds_what_it_promises((*events, *["lost"] * 9), prepared)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(EVENTS), max_size=40))
def test_no_long_row_of_events_makes_two_writers(events):
    holds_what_it_promises(events, ("asked", "asked"))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([*EVENTS, "wish", "unwish"]), max_size=30))
def test_a_settled_sync_is_what_the_ticket_says(events):
    world = World()
    world.wish = lambda: world.guard.sync_wanted(True)
    world.unwish = lambda: world.guard.sync_wanted(False)
    for event in ("asked", "asked", *events):
        world.happens(event)
        if world.guard.sync_settled is False and world.ticket["holder"] == "site1":
            assert world.ticket["sync"] is False


@pytest.mark.parametrize("until", ["tomorrow", "2026-02-31T00:00:00Z", "0001-01-01T00:00:00+23:59"])
def test_a_window_that_nobody_understands_is_over_and_ends_no_guard(world, until):
    world.ticket = tickets.disarmed(world.ticket, until)
    world.revision += 1
    for _turn in range(3):
        world.happens("asked")
    assert world.actions == []
    assert world.ticket["disarmed_until"] is None
    assert world.ticket["armed"] == ["s1-cfg"]
