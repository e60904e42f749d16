# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of giving up and restoring synchronous replication."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.sync import (
    NOTHING,
    STAND_ALONE,
    SYNCHRONISE,
    Look,
    Order,
    Sync,
    look_of,
)
from hypothesis import given
from hypothesis import strategies as st

FOLLOWED = Look(True, True, 100, 100)
ALONE = Look(True, False, 100, None)
DEGRADED = Look(False, True, 100, None)


def test_the_standby_counts_from_the_second_look_under_the_setting():
    sync = Sync(10)
    assert sync.decide(0, FOLLOWED, None) == Order(None, NOTHING)
    assert sync.decide(1, Look(True, True, 200, 150), None) == Order(None, NOTHING)
    assert sync.decide(2, Look(True, True, 300, 199), None) == Order(None, NOTHING)
    assert sync.decide(3, Look(True, True, 400, 200), None) == Order(True, NOTHING)


def test_a_missing_standby_is_first_taken_out_of_the_ticket():
    sync = Sync(10)
    for now in (0, 1):
        sync.decide(now, FOLLOWED, None)
    assert sync.decide(2, ALONE, True) == Order(True, NOTHING)
    assert sync.decide(11, ALONE, True) == Order(True, NOTHING)
    assert sync.decide(12, ALONE, True) == Order(False, NOTHING)
    assert sync.decide(13, ALONE, None) == Order(False, NOTHING)
    assert sync.decide(14, ALONE, False) == Order(False, STAND_ALONE)


def test_a_standby_that_comes_back_in_time_changes_nothing():
    sync = Sync(10)
    for now, look in enumerate((FOLLOWED, FOLLOWED, ALONE, ALONE, FOLLOWED)):
        order = sync.decide(now, look, True)
    assert order == Order(True, NOTHING)
    assert sync.decide(15, ALONE, True) == Order(True, NOTHING)


def test_commits_wait_again_only_once_the_ticket_says_that_they_do_not():
    sync = Sync(10)
    assert sync.decide(0, DEGRADED, None) == Order(False, NOTHING)
    assert sync.decide(1, DEGRADED, False) == Order(False, SYNCHRONISE)
    assert sync.decide(2, FOLLOWED, False) == Order(False, NOTHING)
    assert sync.decide(3, FOLLOWED, False) == Order(True, NOTHING)


def test_without_a_standby_nothing_is_restored():
    assert Sync(10).decide(0, Look(False, False, 1, None), False) == Order(False, NOTHING)


def test_a_database_that_does_not_answer_says_nothing():
    sync = Sync(10)
    sync.decide(0, ALONE, True)
    assert sync.decide(9, None, True) == Order(None, NOTHING)
    assert sync.decide(12, ALONE, True) == Order(None, NOTHING)


LOOKS = st.none() | st.builds(Look, st.booleans(), st.booleans(), st.just(100), st.sampled_from([None, 50, 100]))


@given(st.lists(st.tuples(LOOKS, st.sampled_from([None, True, False]), st.integers(0, 12)), max_size=30))
def test_commits_never_stop_waiting_before_the_ticket_says_so(turns):
    sync, now = Sync(10), 0
    for look, settled, passed in turns:
        now += passed
        order = sync.decide(now, look, settled)
        if order.act == STAND_ALONE:
            assert settled is False
            assert order.wish is False
        if order.wish and look is not None:
            assert look.waits


def state(**more):
    replicas = [{"state": "streaming", "sync": "sync", "lag": 16}, {"state": "streaming", "sync": "async", "lag": 0}]
    settings = {"synchronous_standby_names": "site2"}
    return {"running": True, "role": "primary", "lsn": "1/10", "replicas": replicas, "settings": settings, **more}


def test_a_look_is_read_off_a_state():
    assert look_of(state()) == Look(True, True, (1 << 32) + 16, 1 << 32)


@pytest.mark.parametrize("other", [{"running": False, "role": "unknown"}, {"role": "standby"}])
def test_what_is_no_primary_gives_no_look(other):
    assert look_of(state(**other)) is None


def test_a_base_backup_is_no_standby():
    backup = [{"state": "streaming", "sync": "sync", "lag": None}, {"state": "backup", "sync": "async", "lag": 0}]
    look = look_of(state(replicas=backup, settings={"synchronous_standby_names": ""}))
    assert look == Look(False, False, (1 << 32) + 16, None)


def test_a_standby_that_commits_do_not_wait_for_is_missing():
    look = look_of(state(replicas=[{"state": "streaming", "sync": "async", "lag": 0}]))
    assert look == Look(True, False, (1 << 32) + 16, None)
    sync = Sync(10)
    assert [sync.decide(now, look, False).act for now in (0, 9, 10)] == [NOTHING, NOTHING, STAND_ALONE]
