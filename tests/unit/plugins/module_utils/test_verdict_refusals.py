# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a refusal says, word for word; the policy's defaults, and the least values that it takes."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_unlocks import ROWS
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import (
    DEFAULT_POLICY,
    VerdictInputError,
    decide,
    track,
)
from verdict_world import at, fold, healthy, samples, world

A_TIME = 'an ISO 8601 time with its zone, such as "2026-01-31T03:14:15Z"'
FLAG = "expected true or false, found 1"
SITES = "(the sites are site1 and site2)"

DEFAULTS = {
    "call_plane": "operator",
    "promotion": "operator",
    "synthetic_calls": True,
    "witness": True,
    "fresh": 20,
    "max_gap": 30,
    "schedule_gap": 120,
    "confirm": 15,
    "local_takeover": 60,
    "hold": 300,
    "recover": 60,
    "long_partition": 900,
    "flaps_per_hour": 4,
    "cooldown": 3600,
    "lag_limit": 0,
    "sip_t1": 0.2,
    "sip_tries": 6,
    "probe_deadline": 8,
    "connect_timeout": 3,
    "call_tries": 3,
    "call_quorum": 2,
    "call_deadline": 5,
    "attestation": 900,
    "call_plane_deadline": 20,
    "config_plane_deadline": 30,
    "lock_stale": 60,
    "ticket_hold": 10,
    "ticket_take": 13,
    "ticket_margin": 1,
    "ticket_renew": 0.5,
    "guard_watchdog": 2,
    "replication": "async",
    "sync_degrade": 10,
    "divergence": 3600,
}
NUMBERS = ("confirm", "local_takeover", "hold", "recover", "long_partition", "cooldown", "lag_limit")
WHOLE = ("flaps_per_hour", "sip_tries", "call_tries", "call_quorum")
POSITIVE = (
    "fresh",
    "max_gap",
    "schedule_gap",
    "sip_t1",
    "probe_deadline",
    "connect_timeout",
    "call_deadline",
    "attestation",
    "call_plane_deadline",
    "config_plane_deadline",
    "lock_stale",
    "ticket_hold",
    "ticket_take",
    "ticket_margin",
    "ticket_renew",
    "guard_watchdog",
    "sync_degrade",
    "divergence",
)

LET_IN = {"type": "let_in", "site": "site1", "at": at(0)}
OVERRIDE = {"name": "without_fence", "run_id": "r", "by": [], "until": at(0)}

REFUSED: List[Tuple[str, Any, str]] = [
    ("taken_at", 5, f"{A_TIME}, found 5"),
    ("taken_at", "2026-01-31T24:00:00Z", f"{A_TIME}, found '2026-01-31T24:00:00Z'"),
    ("observer", "well", "a mapping, found 'well'"),
    ("observer.healthy", 1, "true or false, found 1"),
    ("observer.why", {"healthy": True, "why": "x"}, "a list, found 'x'"),
    ("observer.notes[1]", {"healthy": True, "notes": ["x", 1]}, "a sentence, found 1"),
    ("ticket", [], "a mapping, or the word none, found []"),
    ("ticket.holder", "site3", f"a site, null or unknown {SITES}, found 'site3'"),
    ("ticket.revoked_from", "site3", f"a site or null {SITES}, found 'site3'"),
    ("observer.store", "lost", "read or unread, found 'lost'"),
    ("ticket.armed", "yes", "true or false, found 'yes'"),
    ("sites", {"a": {}}, "exactly two sites, found {'a': {}}"),
    ("sites.unknown", {"unknown": {}, "site2": {}}, "another name for this site, found {}"),
    ("sites. ", {" ": {}, "site2": {}}, "another name for this site, found {}"),
    ("sites.site1.peer", "dead", "up or down or unknown, found 'dead'"),
    ("sites.site1.peer", 0, "up, down or unknown, or a mapping with such a value, found 0"),
    ("sites.site1.peer.value", {"value": "dead"}, "up or down or unknown, found 'dead'"),
    ("sites.site1.peer.answered", {"value": "up", "answered": 1}, "true or false, found 1"),
    ("sites.site1.peer.at", {"value": "up", "at": 1}, f"{A_TIME}, found 1"),
    ("sites.site1.downtime", "no", "true or false, found 'no'"),
    ("sites.site1.isolated", "pin", "null, drain or failover, found 'pin'"),
    ("sites.site1.database", 1, "a mapping, found 1"),
    ("sites.site1.database.lag", {"lag": "0"}, "a number, 0 or more, or null, found '0'"),
    ("sites.site1.database.role", {"role": "main"}, "primary or standby or unknown, found 'main'"),
    ("sites.site1.fence", 1, "a mapping, found 1"),
    ("sites.site1.fence.kind", {"kind": " "}, "a name, found ' '"),
    ("sites.site1.fence.until", {"kind": "attested", "until": 1}, f"{A_TIME}, found 1"),
    ("sites.site1.attested_down.by", {"until": at(0)}, "the names of two people, found nothing"),
    ("sites.site1.attested_down.by", {"by": 2, "until": at(0)}, "a list, found 2"),
    ("sites.site1.attested_down.by[0]", {"by": [2], "until": at(0)}, "a name, found 2"),
    ("sites.site1.attested_down.until", {"by": []}, f"{A_TIME}, found nothing"),
    ("events", "none", "a list, found 'none'"),
    ("events", b"none", "a list, found b'none'"),
    ("events[1].type", [LET_IN, {"type": "x"}], "failover_done or run_aborted or let_in or acknowledged, found 'x'"),
    ("events[0].site", [{"type": "let_in"}], f"a site {SITES}, found nothing"),
    ("events[0].site", [{"type": "acknowledged", "site": "s"}], f"a site {SITES}, found 's'"),
    ("events[0].by", [{"type": "acknowledged", "by": 1}], "a list, found 1"),
    ("events[0].at", [{"type": "acknowledged"}], f"{A_TIME}, found nothing"),
    ("events[0].scope", [{**LET_IN, "scope": "x"}], "call or config, found 'x'"),
    ("overrides[0].until", [{}], f"{A_TIME}, found nothing"),
    ("overrides[0].by", [{"by": 1}], "a list, found 1"),
    ("overrides[0].run_id", [{**OVERRIDE, "run_id": 7}], "a name, found 7"),
    (
        "overrides[0].name",
        [{**OVERRIDE, "name": "x"}],
        "accept_divergence or allow_data_loss or without_fence, found 'x'",
    ),
]


def refusal(observation: Any, policy: Any = None, state: Any = None) -> str:
    """Return what the refusal of an input says."""
    with pytest.raises(VerdictInputError) as caught:
        track(state, observation, policy)
    return str(caught.value)


def put(path: str, value: Any) -> Dict[str, Any]:
    """Return a healthy observation with a value at the deepest place on the path that is there already."""
    bundle = healthy()
    steps = path.partition("[")[0].split(".")
    place: Any = bundle
    if steps[0] == "sites" and not isinstance(value, dict) or len(steps) > 2:
        for step in steps[:2]:
            place = place[step]
        place[steps[2]] = value
    elif len(steps) == 2 and steps[0] != "sites" and not isinstance(value, dict):
        place[steps[0]][steps[1]] = value
    else:
        place[steps[0]] = value
    return bundle


@pytest.mark.parametrize(("path", "value", "words"), REFUSED, ids=lambda each: str(each)[:40])
def test_the_words_of_a_refused_observation(path: str, value: Any, words: str) -> None:
    assert refusal(put(path, value)) == f"observation.{path}: expected {words}"


def test_what_was_found_is_cut_short() -> None:
    assert refusal(put("events", "x" * 78)).endswith(f"found '{'x' * 78}'")
    assert refusal(put("events", "x" * 79)).endswith(f"found '{'x' * 76}...")


def test_the_defaults() -> None:
    assert DEFAULT_POLICY == DEFAULTS


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        *[({key: -0.1}, f"{key}: expected a number, 0 or more, found -0.1") for key in NUMBERS],
        *[({key: 0}, f"{key}: expected a whole number, 1 or more, found 0") for key in WHOLE],
        *[({key: 1.5}, f"{key}: expected a whole number, 1 or more, found 1.5") for key in WHOLE],
        *[({key: 0.009}, f"{key}: expected a number of at least 0.01, found 0.009") for key in POSITIVE],
        *[({key: True}, f"{key}: expected a number of at least 0.01, found True") for key in POSITIVE],
        ({"call_plane": "x"}, "call_plane: expected observe or operator or auto, found 'x'"),
        ({"promotion": "observe"}, "promotion: expected operator or auto, found 'observe'"),
        ({"synthetic_calls": None}, "synthetic_calls: expected true or false, found None"),
        ({"witness": "none"}, "witness: expected true or false, found 'none'"),
        ({"fresh": 15.9}, "fresh: expected at least 16 (probe_deadline + connect_timeout + 5), found 15.9"),
        (
            {"ticket_hold": 12},
            "ticket_take: expected at least 13.32 (ticket_hold - ticket_margin + guard_watchdog + 0.2 + the clocks'"
            " drift): a taker must outwait the holder, found 13",
        ),
        (
            {"ticket_hold": 2},
            "ticket_hold: expected more than 2 (ticket_margin + 2 * ticket_renew): one lost renewal must stop nobody,"
            " found 2",
        ),
        ({"replication": "remote_apply"}, "replication: expected async or sync, found 'remote_apply'"),
        ({"call_tries": 1}, "call_quorum: expected at most call_tries (1): so many of them must complete, found 2"),
        (
            {"probe_deadline": 4},
            "call_deadline: expected at most probe_deadline (4): what was read first would be stale, found 5",
        ),
        ({"x": 1}, f"x: expected no such key; the policy's keys are {', '.join(DEFAULTS)}, found 1"),
    ],
    ids=str,
)
def test_the_words_of_a_refused_policy(policy: Dict[str, Any], words: str) -> None:
    assert refusal(healthy(), policy) == f"policy.{words}"


@pytest.mark.parametrize("key", DEFAULTS)
def test_the_least_that_a_policy_takes(key: str) -> None:
    least = 0 if key in NUMBERS else 1 if key in WHOLE else 0.01
    beside = {"fresh": 100, "call_deadline": 0.01, "call_quorum": 1}
    beside.update(ticket_hold=0.04, ticket_take=0.2604, ticket_margin=0.01, ticket_renew=0.01, guard_watchdog=0.01)
    if key == "fresh":
        beside, least = {}, 16
    if key in ("ticket_hold", "ticket_take"):
        least = beside[key]
    if not isinstance(DEFAULTS[key], (str, bool)):
        assert decide(healthy(), {**beside, key: least})["verdict"] == "NORMAL"


def test_the_least_of_two_together() -> None:
    together = {"call_quorum": 3, "call_deadline": 8, "ticket_take": 11.3, "ticket_hold": 10, "fresh": 16}
    assert decide(healthy(), together)["verdict"] == "NORMAL"


def state_of_a_failover() -> Dict[str, Any]:
    """Return the state of a dead site that was failed over."""
    return fold(samples(0, 20, site1="silent", events=[{**LET_IN, "type": "failover_done"}]))[0]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("version", 3, "version: expected 1, found 3"),
        ("taken_at", 1, f"taken_at: expected {A_TIME}, found 1"),
        ("sites", ["a", "a"], "sites: expected the names of two sites, found ['a', 'a']"),
        ("sites", ["a", "b", "c"], "sites: expected the names of two sites, found ['a', 'b', 'c']"),
        ("sites", ["a", "b", "b"], "sites: expected the names of two sites, found ['a', 'b', 'b']"),
        ("sites", ["a", "none"], "sites: expected the names of two sites, found ['a', 'none']"),
        ("raw", {"verdict": "X"}, f"raw.verdict: expected {' or '.join(ROWS)}, found 'X'"),
        ("raw", {"verdict": "NORMAL", "site": "x"}, "raw.site: expected site1 or site2, found 'x'"),
        ("raw", {"verdict": "NORMAL", "since": 1}, f"raw.since: expected {A_TIME}, found 1"),
        (
            "raw",
            {"verdict": "NORMAL", "since": at(0), "stack_down": 1},
            "raw.stack_down: expected true or false, found 1",
        ),
        ("lasting", {"verdict": "NORMAL"}, f"lasting.since: expected {A_TIME}, found nothing"),
        (
            "lasting",
            {"verdict": "NORMAL", "since": at(0), "resuming": 1},
            "lasting.resuming: expected true or false, found 1",
        ),
        ("departures", [1], f"departures[0]: expected {A_TIME}, found 1"),
        ("flapping_since", 1, f"flapping_since: expected {A_TIME}, found 1"),
        ("last_master", "x", "last_master: expected site1 or site2, found 'x'"),
        ("last_master_at", 1, f"last_master_at: expected {A_TIME}, found 1"),
        ("acknowledged", {"x": 1}, "acknowledged.x: expected no such site (the sites are site1 and site2), found 1"),
        ("acknowledged", {"site1": 1}, f"acknowledged.site1: expected {A_TIME}, found 1"),
        ("heard_since", [], "heard_since: expected a mapping, found []"),
    ],
)
def test_the_words_of_a_refused_state(key: str, value: Any, words: str) -> None:
    assert refusal(healthy(25), state={**state_of_a_failover(), key: value}) == f"state.{words}"


def test_the_words_of_a_state_of_other_sites() -> None:
    state, _ = fold([world(0, observer={"healthy": False})])
    said = "state.sites: expected the observation's sites, site1 and site2, found ['a', 'b']"
    assert refusal(healthy(25), state={**state, "sites": ["b", "a"]}) == said


def test_the_words_of_time_running_backwards() -> None:
    said = f"observation.taken_at: expected a time no earlier than the last one, {at(20)}, found '{at(19)}'"
    assert refusal(healthy(19), state=state_of_a_failover()) == said


def test_what_a_state_holds() -> None:
    assert {
        "version": 1,
        "taken_at": at(20),
        "sites": ["site1", "site2"],
        "raw": {"verdict": "SITE_DOWN", "site": "site1", "since": at(0), "stack_down": False},
        "lasting": {"verdict": "SITE_DOWN", "site": "site1", "since": at(15), "resuming": False},
        "departures": [],
        "flapping_since": None,
        "last_master": "site2",
        "last_master_at": at(0),
        "failed_over": {"site1": "config"},
        "clean_since": {},
        "failed_over_call": {},
        "failed_over_config": {"site1": at(0)},
        "heard_since": {},
        "let_in": {},
        "acknowledged": {},
    } == state_of_a_failover()


def test_a_state_when_a_verdict_settles() -> None:
    state, _ = fold(samples(0, 15, site1="silent"))
    assert state["lasting"] == {"verdict": "SITE_DOWN", "site": "site1", "since": at(15), "resuming": False}


def test_a_state_of_a_latched_pair() -> None:
    seen = [world(0), world(5, site1="gray"), world(10), world(15, site1="stack_down")]
    state, _ = fold(seen, {"flaps_per_hour": 1})
    assert state["departures"] == [at(5), at(15)] and state["flapping_since"] == at(15)
    assert state["raw"] == {"verdict": "SITE_DOWN", "site": "site1", "since": at(15), "stack_down": True}
    assert state["lasting"] is None and state["last_master_at"] == at(10)


def test_a_state_of_a_site_that_came_back() -> None:
    done = [{**LET_IN, "type": "failover_done", "scope": "call", "at": at(0)}]
    state, _ = fold([world(0, site1="silent", events=done), world(5), world(10), world(15)])
    assert (state["heard_since"], state["failed_over_call"]) == ({"site1": at(5)}, {"site1": at(0)})
    assert state["clean_since"] == {"site1": at(5), "site2": at(5)}
