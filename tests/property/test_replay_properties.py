# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Invariant 13: whatever was observed, the saved series replays to the same decisions, bit for bit."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, List

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.backtest import backtest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replay import replay
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.series import beginning, canonical, judged, line
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import Tracker, track
from hypothesis import given, settings
from hypothesis import strategies as st

START = datetime(2026, 1, 31, 3, tzinfo=timezone.utc)
NAMES = ("site1", "site2")
SIGNALS = ("inside", "redundancy", "peer", "witness", "gateways", "calls", "trunk", "mgmt", "master", "capacity")

many = settings(max_examples=int(os.environ.get("SIP_DR_EXAMPLES", 150)), deadline=None)

VALUES = ("up", "down", "unknown")
AGES = (-5.5, -1, 0, 0.25, 8, 20, 20.5, 33)
STEPS = (0, 0.25, 5, 20, 45, 200)
TICKETS = ("none", None, {"holder": "site1", "armed": True, "sync": True}, {"holder": None, "revoked_from": "site2"})
EVENTS = ("failover_done", "let_in", "acknowledged", "run_aborted")

policies = st.fixed_dictionaries(
    {},
    optional={
        "call_plane": st.sampled_from(["observe", "operator", "auto"]),
        "promotion": st.sampled_from(["operator", "auto"]),
        "synthetic_calls": st.booleans(),
        "confirm": st.sampled_from([0, 0.5, 15]),
        "hold": st.sampled_from([0, 10, 300]),
        "flaps_per_hour": st.sampled_from([1, 4]),
    },
)


def text(moment: datetime) -> str:
    return moment.isoformat()


def signal(drawn: int, now: datetime) -> Any:
    """A plain word, a value with its age, an answer and details, or nothing."""
    if drawn < 128:
        return VALUES[drawn % 3]
    value, age = VALUES[drawn % 3], AGES[drawn // 3 % 8]
    by = {"ä host": {"value": value, "rtt": age / 7}}
    return {
        "value": value,
        "at": text(now - timedelta(seconds=age)),
        "answered": drawn % 2 == 0,
        "of": [1, 3],
        "by": by,
    }


def site(drawn: bytes, now: datetime) -> Dict[str, Any]:
    """Signals, and now and then a drain, a downtime, a fence, a known lag."""
    signals = {name: signal(byte, now) for name, byte in zip(SIGNALS, drawn) if byte != 0}
    last = drawn[len(SIGNALS)]
    return {
        **signals,
        "isolated": (None, None, "drain", "failover")[last % 4],
        "downtime": last // 4 % 8 == 0,
        "fence": {"kind": "stopped_and_revoked", "seen_at": text(now)} if last % 2 else None,
        "database": {"role": "standby", "lag": (None, 0, 0.5)[last % 3]},
    }


def observations(drawn: List[bytes]) -> List[Dict[str, Any]]:
    """Successive observations with pauses, events and tickets; one draw each, which keeps the drawing quick."""
    now, found = START, []
    for each in drawn:
        now += timedelta(seconds=STEPS[each[0] % len(STEPS)])
        event = {"at": text(now), "type": EVENTS[each[1] % 4], "site": NAMES[each[1] % 2]}
        found.append(
            {
                "taken_at": text(now),
                "observer": {"healthy": each[2] % 8 != 7},
                "ticket": TICKETS[each[3] % 4],
                "sites": {"site1": site(each[4:15], now), "site2": site(each[15:], now)},
                "events": [event] if each[1] >= 192 else [],
            }
        )
    return found


runs = st.lists(st.binary(min_size=26, max_size=26), min_size=1, max_size=8).map(observations)


def written(run: List[Dict[str, Any]], policy: Dict[str, Any], state: Dict[str, Any]) -> List[str]:
    lines = [line(beginning(policy, state))]
    for observation in run:
        state, decision = track(state, observation, policy)
        lines.append(line(judged(observation, decision)))
    return lines


@many
@given(run=runs, policy=policies)
def test_what_was_saved_replays_to_the_same(run: List[Dict[str, Any]], policy: Dict[str, Any]) -> None:
    """Through JSON and back, each decision comes out as it was."""
    lines = written(run, policy, {})
    assert replay(lines) == (len(run), len(run), None)


@many
@given(run=runs, policy=policies, cut=st.integers(0, 8))
def test_from_any_saved_state_the_rest_is_the_same(run: List[Dict[str, Any]], policy: Dict[str, Any], cut: int) -> None:
    """A run that begins where another one ended needs the state from between them, and nothing else."""
    state: Dict[str, Any] = {}
    for observation in run[:cut]:
        state, _ = track(state, observation, policy)
    rest = written(run[cut:], policy, state)
    assert rest[1:] == written(run, policy, {})[1 + min(cut, len(run)) :]
    assert replay(rest).difference is None


@many
@given(run=runs, policy=policies)
def test_a_tracker_says_what_track_says(run: List[Dict[str, Any]], policy: Dict[str, Any]) -> None:
    """State and decision, after each observation; and looking at a decision changes nothing."""
    tracker, state = Tracker({}, policy), {}
    for observation in run:
        state, decision = track(state, observation, policy)
        judgement = tracker.judge(observation)
        assert judgement.automatic() == decision["automatic"]
        assert canonical([tracker.state(), judgement.decision()]) == canonical([state, decision])


@many
@given(run=runs, policy=policies)
def test_a_backtest_under_the_saved_policy_differs_in_nothing(
    run: List[Dict[str, Any]], policy: Dict[str, Any]
) -> None:
    """What it compares is a part of what a replay compares."""
    found = backtest(written(run, policy, {}), {})
    assert found.differences == []
    assert found.now == found.then
