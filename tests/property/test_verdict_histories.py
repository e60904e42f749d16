# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Invariants of decision.md over whole histories: any observations, gaps and events, and then one that settles."""

from __future__ import annotations

import json
import os
from copy import deepcopy
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, List

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import Tracker, track
from hypothesis import given, settings
from hypothesis import strategies as st
from test_verdict_properties import (
    LINK_VERDICTS,
    NAMES,
    assert_dead,
    destruction,
    observations,
    policies,
    swap,
    without_downs,
)

BEGUN = datetime(2026, 1, 31, 3, 14, 15, tzinfo=timezone.utc)
SPARSE = {"max_gap": 100_000, "schedule_gap": 100_000}
"""A policy under which seldom samples are no gaps, so that the clocks run their real lengths in few samples."""

SETTLING = (0, 20, 340, 1300)
"""Seconds of samples that settle a verdict, its hold, its recovery and a long partition."""

events = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(("failover_done", "run_aborted", "let_in", "acknowledged")),
            "site": st.sampled_from(NAMES),
            "scope": st.sampled_from(("call", "config")),
            "ago": st.sampled_from((0, 1, 5, 90)),
        }
    ),
    max_size=2,
)
steps = st.tuples(observations, st.sampled_from((1, 5, 14, 31, 119, 200)), events)
histories = st.lists(steps, max_size=5)
fewer = settings(max_examples=max(10, int(os.environ.get("SIP_DR_EXAMPLES", 150)) // 4), deadline=None)


def at(second: float) -> str:
    return (BEGUN + timedelta(seconds=second)).isoformat().replace("+00:00", "Z")


def placed(observation: Dict[str, Any], second: float, happened: Any = ()) -> Dict[str, Any]:
    """Return an observation at a time, with its fences seen then and its events so many seconds before."""
    there = deepcopy(observation)
    there["taken_at"] = at(second)
    for site in there["sites"].values():
        if site["fence"]:
            site["fence"]["seen_at"] = there["taken_at"]
    there["events"] = [{**event, "at": at(second - event["ago"])} for event in happened]
    return there


def laid_out(history: Any) -> List[Dict[str, Any]]:
    """Return a history's observations, each at its time."""
    bundles, second = [], 0.0
    for observation, gap, happened in history:
        second += gap
        bundles.append(placed(observation, second, happened))
    return bundles


def settled(state: Any, observation: Dict[str, Any], first: float, policy: Dict[str, Any]) -> Dict[str, Any]:
    """Return the decision after one observation has lasted as long as anything can ask for."""
    tracker = Tracker(state, policy)
    for second in SETTLING:
        judgement = tracker.judge(placed(observation, first + second))
    return judgement.decision()


def after(history: Any, policy: Dict[str, Any]) -> Dict[str, Any]:
    """Return the state after a history."""
    tracker = Tracker(None, policy)
    for bundle in laid_out(history):
        tracker.judge(bundle)
    return tracker.state()


@fewer
@given(histories, observations, policies)
def test_invariant_4_with_any_memory(history: Any, observation: Dict[str, Any], policy: Dict[str, Any]) -> None:
    policy = {**policy, **SPARSE}
    state, first = after(history, policy), 5.0 + sum(gap for _, gap, _ in history)
    strongest = settled(state, observation, first, policy)
    assert strongest["settled"]
    for weaker in without_downs(observation):
        assert destruction(settled(state, weaker, first, policy)) <= destruction(strongest)


@fewer
@given(histories, observations, policies)
def test_invariants_3_and_6_with_any_memory(history: Any, observation: Dict[str, Any], policy: Dict[str, Any]) -> None:
    policy = {**policy, **SPARSE}
    decision = settled(after(history, policy), observation, 5.0 + sum(gap for _, gap, _ in history), policy)
    if decision["verdict"] in ("SITE_DOWN", "SITE_DOWN_PEER_UNFIT", "SITE_DOWNTIME"):
        assert_dead(observation, decision["site"])
    if decision["verdict"] in LINK_VERDICTS:
        assert destruction(decision) == 0


@fewer
@given(histories, observations, policies)
def test_invariant_10_an_aborted_run_is_none(history: Any, observation: Dict[str, Any], policy: Dict[str, Any]) -> None:
    without = [
        (seen, gap, [each for each in happened if each["type"] != "run_aborted"]) for seen, gap, happened in history
    ]
    assert after(history, policy) == after(without, policy)


@fewer
@given(histories, histories, policies)
def test_invariant_13_nothing_but_the_input_counts(history: Any, other: Any, policy: Dict[str, Any]) -> None:
    bundles, between = laid_out(history), laid_out(other)
    kept = deepcopy(bundles)
    state, alone = None, []
    for bundle in bundles:
        state, decision = track(state, bundle, policy)
        alone.append(json.dumps([state, decision]))
    assert bundles == kept
    state, stranger = None, Tracker(None, policy)
    for place, bundle in enumerate(json.loads(json.dumps(kept))):
        for each in between[place : place + 1]:
            stranger.judge(each)
        state, decision = track(None if state is None else json.loads(json.dumps(state)), bundle, policy)
        assert json.dumps([state, decision]) == alone[place]


@fewer
@given(histories.filter(bool), policies)
def test_invariant_14_a_swapped_history(history: Any, policy: Dict[str, Any]) -> None:
    one, other = Tracker(None, policy), Tracker(None, policy)
    for bundle in laid_out(history):
        here, there = one.judge(bundle).decision(), swap(other.judge(swap(bundle)).decision())
        for key in ("verdict", "site", "scope", "states", "automatic", "operator", "forbidden", "two_people"):
            assert here[key] == there[key], key
        for key in ("raw", "raw_site", "since", "settled", "remaining"):
            assert here[key] == there[key], key
