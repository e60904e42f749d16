# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time folded in: confirmation, clocks over gaps, events late and often, FLAPPING, RETURNING, the last master."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any, Dict, List

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import track
from verdict_world import at, fold, guards, samples, world

AUTO = {"call_plane": "auto", "promotion": "auto"}
FENCED = {"is": "silent", "fence": {"kind": "stopped_and_revoked", "seen_at": {"ago": 2}}}


def done(second: float, site: str = "site1", scope: str = "config") -> Dict[str, Any]:
    return {"at": at(second), "type": "failover_done", "site": site, "scope": scope}


def said(second: float, what: str, site: Any = None) -> Dict[str, Any]:
    return {"at": at(second), "type": what, "site": site, "by": "alice"}


def blinks(count: int, first: float = 0, every: float = 10) -> List[Dict[str, Any]]:
    """Return observations in which a site turns gray and well again, so many times."""
    times = [first + every * step for step in range(2 * count + 1)]
    return [world(second, site1="gray" if step % 2 else "healthy") for step, second in enumerate(times)]


@pytest.mark.parametrize("look", ({"site1": "gray"}, {"site2": {"trunk": "down"}}, {"site1": {"is": "alive"}}))
def test_confirm_guards_other_verdicts(look: Dict[str, Any]) -> None:
    _, early = fold(samples(0, 14, 7, **look))
    _, late = fold(samples(0, 15, 5, **look))
    assert (early["verdict"], early["settled"]) == ("SUSPECT", False)
    assert (late["verdict"], late["settled"]) == (late["raw"], True)


@pytest.mark.parametrize("look", ({}, {"site1": {"witness": "unknown"}}, {"site1": "degraded"}))
def test_calm_verdicts_stand_at_once(look: Dict[str, Any]) -> None:
    _, decision = fold([world(**look)])
    assert decision["settled"] and decision["verdict"] == decision["raw"] != "SUSPECT"


def test_another_verdict_between_starts_again() -> None:
    seen = [*samples(0, 10, site1="silent"), world(15, site1="alive"), *samples(20, 30, site1="silent")]
    _, decision = fold(seen)
    assert (decision["verdict"], decision["since"]) == ("SUSPECT", at(20))


def test_the_stack_needs_the_longer_of_both() -> None:
    _, decision = fold(samples(0, 60, site1="stack_down"), {"confirm": 90})
    assert decision["remaining"] == {"confirm": 30}


def test_a_stack_that_died_later_needs_its_time() -> None:
    seen = [*samples(0, 15, site1="silent"), *samples(20, 55, site1="stack_down")]
    assert fold(seen)[1]["verdict"] == "SUSPECT"
    assert fold([*seen, world(60, site1="stack_down")])[1]["verdict"] == "SITE_DOWN"


def test_hold_counts_from_the_settled_verdict() -> None:
    seen = samples(0, 315, site1=FENCED)
    _, before = fold(seen[:-1], AUTO)
    _, after = fold(seen, AUTO)
    assert "hold" in guards(before) and "fence" not in before["automatic"]
    assert after["automatic"] == ["verify_call_plane", "prefer_survivor", "notify", "fence", "promote_config"]


def test_hold_starts_again_when_the_verdict_left() -> None:
    seen = [*samples(0, 310, site1=FENCED), world(315, site1="alive"), *samples(320, 340, site1=FENCED)]
    _, decision = fold(seen, AUTO)
    assert decision["remaining"] == {"hold": 295}


def test_hold_does_not_count_while_it_settles_again() -> None:
    _, decision = fold([*samples(0, 250, site1=FENCED), *samples(345, 355, site1=FENCED)], AUTO)
    assert (decision["verdict"], decision["automatic"]) == ("SUSPECT", ["notify", "reprobe"])


def test_scheduled_runs_continue_each_other() -> None:
    runs = [sample for minute in range(6) for sample in samples(minute * 65, minute * 65 + 15, site1=FENCED)]
    _, decision = fold(runs, AUTO)
    assert "promote_config" in decision["automatic"]


def test_two_gaps_while_it_settles() -> None:
    seen = [*samples(0, 20, site1=FENCED), world(60, site1=FENCED), *samples(100, 115, site1=FENCED)]
    assert fold(seen, AUTO)[1]["remaining"] == {"hold": 200}


def test_the_site_that_fails_is_another() -> None:
    seen = [*samples(0, 20, site1="silent"), *samples(60, 75, site2="silent")]
    _, decision = fold(seen, AUTO)
    assert (decision["site"], decision["remaining"]) == ("site2", {"hold": 300})


def test_long_partition_goes_on_over_a_gap() -> None:
    cut = {"site1": {"peer": "down", "trunk": "down"}, "site2": {"peer": "down", "trunk": "down"}}
    _, decision = fold([*samples(0, 840, 15, **cut), *samples(930, 945, 15, **cut)])
    assert "stay" in decision["operator"]


def test_recover_restarts_after_a_gap() -> None:
    seen = [*samples(0, 55, site1={"isolated": "drain"}), *samples(90, 100, site1={"isolated": "drain"})]
    assert fold(seen, AUTO)[1]["remaining"] == {"recover": 50}


def test_recover_restarts_after_a_fault() -> None:
    drained = {"isolated": "drain"}
    seen = [*samples(0, 55, site1=drained), world(60, site1={**drained, "calls": "down"}), world(65, site1=drained)]
    assert fold(seen, AUTO)[1]["remaining"] == {"recover": 60}


def test_a_drained_site_is_not_clean_because_nobody_looks() -> None:
    drained = {"isolated": "drain", "calls": "unknown"}
    _, decision = fold(samples(0, 120, site1=drained), AUTO)
    assert (decision["verdict"], decision["automatic"]) == ("BLIND_SPOT", ["notify"])


@pytest.mark.parametrize("look", ({"site1": {"isolated": "drain", "redundancy": "down"}}, {"site2": {"mgmt": "down"}}))
def test_restored_while_calm(look: Dict[str, Any]) -> None:
    drained = {"site1": {"isolated": "drain"}, **look}
    _, decision = fold(samples(0, 60, **drained), AUTO)
    assert decision["verdict"] in ("DEGRADED", "BLIND_SPOT") and decision["automatic"] == ["notify", "restore_gateways"]


def test_four_departures_are_not_flapping() -> None:
    assert fold(blinks(4))[1]["verdict"] == "NORMAL"
    assert fold(blinks(5))[1]["verdict"] == "FLAPPING"


def test_departures_of_more_than_an_hour_ago_do_not_count() -> None:
    seen = [*blinks(4), *blinks(1, first=3605)]
    assert fold(seen)[1]["verdict"] == "NORMAL"
    assert fold([*blinks(4), *blinks(1, first=3590)])[1]["verdict"] == "FLAPPING"


def test_flapping_stays_latched_over_gaps_and_hours() -> None:
    state, _ = fold(blinks(5))
    state, decision = fold([world(90_000)], state=state)
    assert decision["verdict"] == "FLAPPING"


def test_flapping_ends_by_an_acknowledgement_and_counts_anew() -> None:
    seen = blinks(5)
    acknowledged = [said(101, "acknowledged")]
    _, decision = fold([*seen, world(105, events=acknowledged), *blinks(4, first=110)])
    assert decision["verdict"] == "NORMAL"


def test_an_acknowledgement_from_before_does_not_count() -> None:
    _, decision = fold([*blinks(5), world(105, events=[said(50, "acknowledged")])])
    assert decision["verdict"] == "FLAPPING"


def test_flapping_offers_what_the_raw_verdict_offers() -> None:
    _, decision = fold([*blinks(5), *samples(105, 120, site1={"master": "down"})])
    assert (decision["verdict"], decision["raw"]) == ("FLAPPING", "NO_MASTER")
    assert decision["operator"] == ["acknowledge", "pin_single_site", "restart_master", "move_master"]


def test_a_dead_site_stands_over_flapping_and_is_not_promoted() -> None:
    state, first = fold([*blinks(5), world(105, site1=FENCED)], AUTO)
    _, decision = fold(samples(110, 425, site1=FENCED), AUTO, state)
    assert (first["verdict"], first["raw"]) == ("SUSPECT", "SITE_DOWN")
    assert (decision["verdict"], decision["site"]) == ("SITE_DOWN", "site1")
    assert "flapping" in guards(decision)
    assert decision["automatic"] == ["verify_call_plane", "prefer_survivor", "notify"]


def test_the_pin_goes_while_flapping() -> None:
    pinned = {"site1": "silent", "site2": {"isolated": "drain"}}
    _, decision = fold([*blinks(5), *samples(105, 120, **pinned)], AUTO)
    assert decision["automatic"] == ["page", "unpin_gateways"]


def test_an_event_counts_once_and_may_come_late() -> None:
    late = [done(5), said(8, "let_in", "site1"), said(9, "acknowledged", "site1")]
    in_order, _ = fold([world(0), world(5, events=late[:1]), world(10, events=late[1:]), world(15)])
    at_once, _ = fold([world(0), world(5), world(10), world(15, events=list(reversed(late)))])
    again, _ = fold([world(0), world(5, events=late[:1]), world(10, events=late), world(15, events=late)])
    for key in ("failed_over", "failed_over_config", "let_in", "acknowledged", "flapping_since"):
        assert in_order[key] == at_once[key] == again[key]


def test_a_second_failover_after_let_in_is_one_more() -> None:
    events = [done(5, scope="call"), said(8, "let_in", "site1"), done(20)]
    state, decision = fold([world(0), world(25, events=events), world(30)])
    assert state["failed_over"] == {"site1": "config"}
    assert (decision["verdict"], decision["scope"]) == ("RETURNING", "config")


def test_the_larger_scope_stays() -> None:
    state, _ = fold([world(0), world(25, events=[done(5), done(6, scope="call")])])
    assert state["failed_over"] == {"site1": "config"}


def test_an_event_from_the_future_answers_for_nothing_to_come() -> None:
    state, _ = fold([world(0, events=[said(7200, "acknowledged", "site1")])])
    _, decision = fold(samples(5, 30, site1="silent", events=[done(20)]), AUTO, state)
    assert "acknowledgement" in guards(decision)


@pytest.mark.parametrize("what", ["acknowledged", "let_in"])
def test_a_person_does_not_answer_ahead_of_the_time(what: str) -> None:
    """Handed in with every bundle, as a store does; it counts once its time has come, for what was before it."""
    events = [said(1000, what, "site1"), done(20)]
    early = [*samples(0, 15), *samples(20, 60, events=events), *samples(975, 994, events=events)]
    state, decision = fold(early)
    assert state[what] == {} and decision["verdict"] == "RETURNING"
    state, decision = fold(samples(995, 1000, events=events), state=state)
    assert state[what] == {"site1": at(1000)}
    assert (decision["verdict"] == "RETURNING") == (what == "acknowledged")


def test_a_clock_that_is_a_little_ahead_is_believed_and_no_further() -> None:
    for ahead, kept in ((5, {"site1": at(0)}), (5.001, {})):
        assert fold([world(0, events=[said(ahead, "acknowledged", "site1")])])[0]["acknowledged"] == kept


def test_returning_once_heard_until_let_in() -> None:
    silent = samples(0, 20, site1="silent", events=[done(15)])
    state, decision = fold(silent)
    assert decision["verdict"] == "SITE_DOWN"
    state, decision = fold([world(25, site1="alive")], state=state)
    assert (decision["verdict"], decision["settled"]) == ("RETURNING", True)
    state, decision = fold([world(30, site1="unknown")], state=state)
    assert decision["verdict"] == "RETURNING"
    state, decision = fold(samples(35, 50, site1="silent"), state=state)
    assert decision["verdict"] == "SITE_DOWN"
    state, decision = fold([world(90_000)], state=state)
    assert decision["verdict"] == "RETURNING"
    _, decision = fold([world(90_005, events=[said(90_001, "let_in", "site1")])], state=state)
    assert decision["verdict"] == "NORMAL"


def test_a_silent_site_is_not_returning() -> None:
    _, decision = fold([world(0, site1="silent", events=[done(0)]), *samples(5, 20, site1="unknown")])
    assert (decision["verdict"], decision["site"]) == ("SUSPECT", "site1")


def test_what_a_blind_observer_heard_is_not_remembered() -> None:
    blind = {"observer": {"healthy": False}, "site2": {"master": "up"}, "site1": {"master": "down"}}
    state, _ = fold([world(0, site1="silent", events=[done(0, scope="call")]), world(5, **blind)])
    assert state["heard_since"] == {} and state["last_master"] is None


def test_two_sites_return() -> None:
    events = [done(1, "site2", "call"), done(2, "site1")]
    _, decision = fold([world(5, events=events)])
    assert (decision["verdict"], decision["site"], decision["scope"]) == ("RETURNING", "site1", "config")
    _, decision = fold([world(5, events=[done(1, "site2"), done(1, "site1")])])
    assert (decision["site"], decision["targets"]["keep_fenced"]) == (None, ["site1", "site2"])


def test_returning_while_flapping_can_be_acknowledged() -> None:
    _, decision = fold([*blinks(5), world(105, events=[done(104)])])
    assert decision["verdict"] == "RETURNING"
    assert "keep_fenced" in decision["automatic"] and "acknowledge" in decision["operator"]
    assert decision["forbidden"] == ["promote_config", "fence"]


def test_pending_preferences_are_watched_under_observe() -> None:
    _, decision = fold([world(5, events=[done(1)])], {"call_plane": "observe"})
    assert decision["automatic"] == ["page", "notify", "keep_fenced"]
    assert decision["operator"][0] == "apply_pending_preferences"


def after_a_failover(second: float, events: List[Dict[str, Any]]) -> List[str]:
    """Return the unmet guards after site1 has died a second time, failed over and let in at 0 s."""
    state, _ = fold([world(0, events=[done(0), said(0, "let_in", "site1")])])
    _, decision = fold(samples(second, second + 315, site1=FENCED, events=events), AUTO, state)
    return guards(decision)


def test_cool_down_and_acknowledgement_are_both_needed() -> None:
    acknowledged = [said(50, "acknowledged", "site1")]
    assert {"cooldown", "acknowledgement"} <= set(after_a_failover(100, []))
    assert "cooldown" in after_a_failover(100, acknowledged)
    assert "acknowledgement" in after_a_failover(4000, [])
    assert after_a_failover(4000, acknowledged) == []


def test_an_acknowledgement_of_the_other_site_is_not_this_ones() -> None:
    assert "acknowledgement" in after_a_failover(4000, [said(50, "acknowledged", "site2")])
    assert "acknowledgement" not in after_a_failover(4000, [said(50, "acknowledged")])


def test_the_last_master_is_remembered_without_a_ticket() -> None:
    state, decision = fold([world(0, ticket="none"), *samples(200, 215, site1="silent", ticket="none")])
    assert state["last_master"] == "site1" and "ticket" not in guards(decision)
    _, decision = fold([*samples(0, 15, site1="silent", ticket="none")])
    assert "ticket" in guards(decision)
    _, decision = fold([world(0, ticket="none"), *samples(200, 215, site2="silent", ticket="none")])
    assert "ticket" in guards(decision) and "promote_config" not in decision["operator"]


def test_a_failover_moves_the_last_master() -> None:
    silent = {"site1": "silent", "ticket": "none"}
    state, _ = fold([world(0, ticket="none"), world(10, **silent, events=[done(9)])])
    assert state["last_master"] == "site2"
    state, _ = fold([world(0, ticket="none"), world(20, ticket="none"), world(25, **silent, events=[done(9)])])
    assert state["last_master"] == "site1"


def test_the_input_is_left_alone_and_the_output_is_plain() -> None:
    seen = world(30, site1="silent", events=[done(29)])
    state, _ = fold(samples(0, 25, site1="silent"))
    kept_state, kept_seen = deepcopy(state), deepcopy(seen)
    after, decision = track(state, seen)
    assert (state, seen) == (kept_state, kept_seen)
    assert json.loads(json.dumps([after, decision])) == [after, decision]
    assert track(json.loads(json.dumps(state)), seen) == (after, decision)


def test_a_state_with_less_in_it_remembers_less() -> None:
    state, _ = fold(samples(0, 20, site1="silent", events=[done(15), said(16, "let_in", "site1")]))
    state.pop("let_in")
    assert track(state, world(25))[1]["verdict"] == "RETURNING"


def test_the_order_of_keys_does_not_matter() -> None:
    seen = world(0, site1="silent")
    turned = {key: seen[key] for key in reversed(seen)}
    turned["sites"] = {name: dict(reversed(list(seen["sites"][name].items()))) for name in ("site2", "site1")}
    assert json.dumps(track(None, turned)) == json.dumps(track({}, seen))
