# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Malformed input is refused with the path of the field and what was expected; odd but sound input is not."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_fields import person_key
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import (
    DEFAULT_POLICY,
    VerdictInputError,
    decide,
    track,
)
from verdict_world import at, fold, healthy, samples, world

LEFT_OUT = object()
SITE_FIELDS = ("peer", "capacity", "fence", "attested_down")

BAD_OBSERVATIONS: List[Tuple[str, Any]] = [
    ("taken_at", LEFT_OUT),
    ("taken_at", "2026-01-31T03:00:00"),
    ("taken_at", "2026-13-31T03:00:00Z"),
    ("taken_at", "0001-01-01T00:00:00+05:00"),
    ("taken_at", 1769828400),
    ("observer", LEFT_OUT),
    ("observer", "healthy"),
    ("observer.healthy", "yes"),
    ("observer.healthy", LEFT_OUT),
    ("observer.store", None),
    ("observer.store", True),
    ("observer.why", {"healthy": False, "why": "blind"}),
    ("observer.why[0]", {"healthy": False, "why": [None]}),
    ("observer.notes", {"healthy": True, "notes": {}}),
    ("observer.notes[1]", {"healthy": True, "notes": ["a and b share c.", 3]}),
    ("ticket", "unknown"),
    ("ticket.holder", "site3"),
    ("ticket.revoked_from", "unknown"),
    ("ticket.armed", 1),
    ("ticket.sync", "true"),
    ("sites", LEFT_OUT),
    ("sites", ["site1", "site2"]),
    ("sites", {"site1": {}}),
    ("sites", {"site1": {}, "site2": {}, "site3": {}}),
    ("sites", {"site1": {}, 2: {}}),
    ("sites.none", {"none": {}, "site2": {}}),
    ("sites.site1", None),
    ("sites.site1.peer", "dead"),
    ("sites.site1.peer", None),
    ("sites.site1.peer", True),
    ("sites.site1.peer", ["up"]),
    ("sites.site1.peer.value", {"at": "2026-01-31T03:00:00Z"}),
    ("sites.site1.peer.at", {"value": "up", "at": "just now"}),
    ("sites.site1.peer.answered", {"value": "up", "answered": "no"}),
    ("sites.site1.capacity", "plenty"),
    ("sites.site2.downtime", "false"),
    ("sites.site2.isolated", "none"),
    ("sites.site2.isolated", True),
    ("sites.site2.database", "standby"),
    ("sites.site2.database.role", "master"),
    ("sites.site2.database.lag", -1),
    ("sites.site2.database.lag", True),
    ("sites.site2.database.lag", float("nan")),
    ("sites.site2.fence", "power_off"),
    ("sites.site2.fence.kind", {"seen_at": "2026-01-31T03:00:00Z"}),
    ("sites.site2.fence.seen_at", {"kind": "power_off", "seen_at": "now"}),
    ("sites.site2.attested_down.by", {"until": "2026-01-31T03:00:00Z"}),
    ("sites.site2.attested_down.by", {"by": 2, "until": "2026-01-31T03:00:00Z"}),
    ("sites.site2.attested_down.by[1]", {"by": ["alice", ""], "until": "2026-01-31T03:00:00Z"}),
    ("sites.site2.attested_down.until", {"by": ["alice", "bob"]}),
    ("events", {}),
    ("events[0].at", [{"type": "acknowledged"}]),
    ("events[0].type", [{"at": "2026-01-31T03:00:00Z", "type": "failover"}]),
    ("events[0].site", [{"at": "2026-01-31T03:00:00Z", "type": "let_in"}]),
    ("events[0].site", [{"at": "2026-01-31T03:00:00Z", "type": "failover_done", "site": "site3"}]),
    ("events[0].scope", [{"at": "2026-01-31T03:00:00Z", "type": "failover_done", "site": "site1", "scope": "all"}]),
    ("overrides[0].name", [{"name": "force", "run_id": "r", "by": [], "until": "2026-01-31T03:00:00Z"}]),
    ("overrides[0].run_id", [{"name": "without_fence", "by": [], "until": "2026-01-31T03:00:00Z"}]),
    ("overrides[0].until", [{"name": "without_fence", "run_id": "r", "by": ["alice", "bob"]}]),
]


def put(path: str, value: Any) -> Dict[str, Any]:
    """Return a healthy observation with a value at the nearest place on the path that such a value can stand at."""
    bundle = healthy()
    bundle["sites"]["site2"]["database"] = {}
    steps = path.partition("[")[0].split(".")
    while isinstance(value, (dict, list)) and len(steps) > 1 and steps[-1] not in SITE_FIELDS:
        steps.pop()
    *parents, last = steps
    target = bundle
    for step in parents:
        target = target[step]
    if value is LEFT_OUT:
        del target[last]
    else:
        target[last] = value
    return bundle


@pytest.mark.parametrize(("path", "value"), BAD_OBSERVATIONS, ids=lambda each: str(each)[:40])
def test_bad_observation(path: str, value: Any) -> None:
    bundle = put(path, value)
    with pytest.raises(VerdictInputError) as caught:
        decide(bundle)
    assert caught.value.path == f"observation.{path}"
    assert caught.value.expected in str(caught.value)


@pytest.mark.parametrize("bundle", (None, "bundle", [], 3))
def test_an_observation_is_a_mapping(bundle: Any) -> None:
    with pytest.raises(VerdictInputError, match="^observation: expected a mapping"):
        decide(bundle)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("fresh", 15.9),
        ("fresh", "20"),
        ("fresh", float("inf")),
        ("confirm", -1),
        ("confirm", True),
        ("confirm", None),
        ("flaps_per_hour", 0),
        ("flaps_per_hour", 4.5),
        ("sip_tries", 0),
        ("call_plane", "manual"),
        ("promotion", "observe"),
        ("synthetic_calls", "no"),
        ("witness", "none"),
        ("lag_limit", -0.1),
        ("ticket_take", 9),
        ("call_tries", 1),
        ("call_quorum", 4),
        ("call_deadline", 8.1),
        ("hold_time", 300),
    ],
)
def test_bad_policy(key: str, value: Any) -> None:
    with pytest.raises(VerdictInputError) as caught:
        decide(healthy(), {key: value})
    assert caught.value.path == f"policy.{'call_quorum' if key == 'call_tries' else key}"


def test_a_policy_is_a_mapping() -> None:
    with pytest.raises(VerdictInputError, match="^policy: expected a mapping"):
        decide(healthy(), [])  # type: ignore[arg-type]


def test_fresh_goes_with_the_probes() -> None:
    fast = {"probe_deadline": 2, "call_deadline": 2, "connect_timeout": 1, "fresh": 8, "confirm": 2, "ticket_hold": 3}
    assert decide(healthy(), fast)["verdict"] == "NORMAL"
    assert decide(healthy(), DEFAULT_POLICY)["verdict"] == "NORMAL"
    with pytest.raises(VerdictInputError, match=r"policy\.fresh: expected at least 8"):
        decide(healthy(), {**fast, "fresh": 7})


def test_bad_state() -> None:
    state, _ = fold(samples(0, 20, site1="silent"))
    bad: Dict[str, Any] = {
        "version": 2,
        "taken_at": None,
        "sites": ["site1"],
        "raw": {"verdict": "FINE", "site": None, "since": state["taken_at"]},
        "lasting": {"verdict": "SITE_DOWN", "site": "site9", "since": state["taken_at"]},
        "departures": ["once"],
        "last_master": "site9",
        "let_in": {"site9": state["taken_at"]},
    }
    for key, value in bad.items():
        with pytest.raises(VerdictInputError) as caught:
            track({**state, key: value}, healthy(25))
        assert caught.value.path.startswith(f"state.{key}")
    for key in ("version", "taken_at", "sites", "raw"):
        with pytest.raises(VerdictInputError):
            track({name: value for name, value in state.items() if name != key}, healthy(25))
    with pytest.raises(VerdictInputError, match="^state: expected a mapping"):
        track("state", healthy(25))  # type: ignore[arg-type]


def test_a_state_of_other_sites() -> None:
    state, _ = fold([healthy()])
    bundle = healthy(5)
    bundle["sites"] = {"north": {}, "south": {}}
    bundle["ticket"] = "none"
    with pytest.raises(VerdictInputError, match=r"^state\.sites"):
        track(state, bundle)


def test_time_does_not_run_backwards() -> None:
    state, _ = fold([healthy(10)])
    assert track(state, healthy(10))[1]["verdict"] == "NORMAL"
    with pytest.raises(VerdictInputError, match=r"^observation\.taken_at: expected a time no earlier"):
        track(state, healthy(9))


def test_times_with_zones_and_fractions() -> None:
    bundle = world(site1={"peer": {"value": "up", "at": "2026-01-31T04:59:40.1234567+02:00"}})
    assert decide(bundle)["verdict"] == "NORMAL"
    bundle = world(site1={"peer": {"value": "up", "at": "2026-01-30 21:59:59-0500"}})
    assert decide(bundle)["verdict"] == "NORMAL"


def test_what_every_verdict_repeats_ends_the_evidence() -> None:
    notes = ["a and b share c.", "All media gateways stand at site1."]
    assert decide(world(observer={"healthy": True, "notes": notes}))["evidence"][-2:] == notes


def test_an_observer_that_is_not_healthy_says_why() -> None:
    why = ["no vantage host was reached", "the looking took too long"]
    decision = decide(world(observer={"healthy": False, "why": why}))
    assert decision["verdict"] == "OBSERVER_BLIND"
    assert decision["evidence"][0] == "OBSERVER_BLIND: no vantage host was reached; the looking took too long."
    assert decide(world(observer={"healthy": True, "why": why, "notes": None}))["verdict"] == "NORMAL"


def test_what_is_left_out_says_nothing() -> None:
    bundle = {"taken_at": "2026-01-31T03:00:00Z", "observer": {"healthy": True}, "sites": {"a": {}, "b": {}}}
    assert decide(bundle)["verdict"] == "OBSERVER_BLIND"
    assert decide({**bundle, "ticket": None, "events": None, "comment": "by hand"})["verdict"] == "OBSERVER_BLIND"


def test_a_store_that_was_not_read_is_said_once() -> None:
    observer = {"healthy": True, "store": "unread"}
    assert sum("coordination store" in each for each in decide(world(observer=observer))["evidence"]) == 1
    assert decide(world(observer={**observer, "store": "read"})) == decide(world())


ONE_PERSON = [
    ("José", "Jose\u0301"),
    ("alice", "alice\u200b"),
    ("alice", "a\u00adlice"),
    ("José", "Jose\u200b\u0301"),
    ("alice smith", "alice  \u00a0smith"),
    ("alice", "\uff21\uff2c\uff29\uff23\uff25"),
    ("Straße", "STRASSE"),
    ("Alice", "ALICE "),
]


@pytest.mark.parametrize(("one", "same"), ONE_PERSON)
def test_one_person_is_one_however_written(one: str, same: str) -> None:
    assert person_key(one) == person_key(same)
    attested = {"by": [one, same], "until": at(60)}
    site1 = {"is": "unknown", "gateways": "down", "attested_down": attested}
    assert decide(world(site1=site1))["states"]["site1"] == "UNKNOWN"
    site1["attested_down"] = {**attested, "by": [one, same, "bob"]}
    assert decide(world(site1=site1))["states"]["site1"] == "DOWN"


def test_two_people_stay_two() -> None:
    assert len({person_key(name) for name in ("alice", "alicia", "al ice", "jose", "josé")}) == 5


def test_a_name_without_a_shape_is_none() -> None:
    attested = {"by": ["alice", "\u200b"], "until": at(60)}
    with pytest.raises(VerdictInputError, match=r"attested_down\.by\[1\]: expected a name"):
        decide(world(site1={"attested_down": attested}))


def test_signals_may_carry_more() -> None:
    noisy = {"value": "up", "answered": True, "of": ["two", 2], "rtt": 0.2, "at": None}
    assert decide(world(site1={"peer": noisy, "legs": 2}))["verdict"] == "NORMAL"
