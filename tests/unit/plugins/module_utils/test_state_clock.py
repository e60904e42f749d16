# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A state that a clock ahead of the present has dated: it is taken over, and what waits waits anew."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_fields import time_text
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_memory import TIMES, Memory, dump, load
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.state_clock import pulled
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import VerdictInputError, track
from hypothesis import given
from hypothesis import strategies as st
from observed_world import World

BEGIN = datetime(2026, 1, 31, 3, 0, tzinfo=timezone.utc)
NOW = {"taken_at": time_text(BEGIN)}
POLICY = {"call_plane": "auto"}
AHEAD = 3600


def text(seconds):
    return time_text(BEGIN + timedelta(seconds=seconds))


def seen(world, at, state, **said):
    world.meta.update(started_at=text(at - 8), taken_at=text(at), not_before=state.get("taken_at"), **said)
    return world.look()


def folded(world, at, state, **said):
    observation = seen(world, at, state, **said)
    return track(pulled(state, observation), observation, POLICY)


def ahead():
    return folded(World(), AHEAD, {})[0]


def lost():
    return World().lose(1).answer("s2-cfg", "trunk:site2:s2", "down", True).answer("s2-cfg", "trunk:site2:own", "down")


def test_a_dead_site_is_found_in_time_after_a_state_from_the_future():
    state = ahead()
    for at in range(0, 30, 6):
        state, decision = folded(lost(), at, state)
    assert (decision["verdict"], decision["site"], state["taken_at"]) == ("SITE_DOWN", "site1", text(24))
    assert "prefer_survivor" in decision["automatic"]


def test_it_is_said_once_and_then_goes_on_by_the_right_clock():
    state, decision = folded(World(), 0, ahead())
    assert any("dated 3600 s ahead" in sentence for sentence in decision["evidence"])
    state, decision = folded(World(), 6, state)
    assert not any("ahead" in sentence for sentence in decision["evidence"])


def test_attesters_of_this_run_are_believed_under_a_state_from_the_future():
    world = lost().answer("witness", "witness:site1", "unknown", False)
    said = {"attestations": {"site1": {"by": ["alice", "bob"], "until": text(900)}}}
    assert folded(world, 0, ahead(), **said)[1]["states"]["site1"] == "DOWN"


def test_a_failover_of_the_future_is_still_one_and_its_cool_down_begins_now():
    done = {"at": text(AHEAD - 60), "type": "failover_done", "site": "site1", "scope": "call", "by": "run"}
    state = folded(World(), AHEAD, {}, events=[done])[0]
    assert pulled(state, NOW)["failed_over_call"]["site1"] <= NOW["taken_at"]
    assert load(pulled(state, NOW)).unacknowledged() == ["site1"]


def test_what_was_acknowledged_before_a_failover_does_not_answer_for_it():
    state = {
        **ahead(),
        "acknowledged": {"site1": text(100), "site2": text(300)},
        "failed_over_call": {"site1": text(200), "site2": text(200)},
    }
    assert load(pulled(state, NOW)).unacknowledged() == ["site1"]


@pytest.mark.parametrize("state", [{}, folded(World(), -10, {})[0], folded(World(), 0, {})[0]])
def test_a_state_of_the_past_stays_as_it_is(state):
    assert pulled(state, NOW) == state


def test_every_time_of_the_memory_is_pulled():
    state = ahead()
    later = {"site1": text(7), "site2": text(9)}
    state.update(dict.fromkeys(TIMES, later), departures=[text(5)], flapping_since=text(6), last_master_at=text(8))
    state["lasting"] = {"verdict": "NORMAL", "site": None, "since": text(4), "resuming": False}
    memory = load(pulled(state, NOW))
    assert dump(memory) == pulled(state, NOW)
    assert set(Memory._fields) - {"names", "last_master"} == {
        "taken_at", "run", "lasting", "departures", "flapping_since", "last_master_at", *TIMES,
    }  # fmt: skip
    times = [memory.taken_at, memory.run.since, memory.lasting.since, *memory.departures, memory.flapping_since]
    times += [memory.last_master_at, *(at for key in TIMES for at in getattr(memory, key).values())]
    assert max(times) == memory.taken_at == BEGIN
    assert BEGIN - min(times) < timedelta(milliseconds=1)


@given(st.lists(st.integers(min_value=-9, max_value=9), min_size=1))
def test_the_order_of_times_stays(offsets):
    state = {"departures": [text(offset) for offset in offsets]}
    after = [datetime.fromisoformat(one.replace("Z", "+00:00")) for one in pulled(state, NOW)["departures"]]
    assert all(at <= BEGIN for at in after)
    future = sorted({(offset, at) for offset, at in zip(offsets, after) if offset > 0})
    assert [at for _, at in future] == sorted({at for _, at in future})


def test_a_time_that_is_none_is_left_to_the_one_who_judges():
    state = ahead()
    assert pulled(state, {"taken_at": "now"}) == state
    with pytest.raises(VerdictInputError):
        track(state, {**seen(World(), 0, {}), "taken_at": "now"})
