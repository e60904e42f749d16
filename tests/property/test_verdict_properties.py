# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Invariants of decision.md that hold for every observation, and the sixteen rules against a second reading of them."""

from __future__ import annotations

import json
import os
from copy import deepcopy
from typing import Any, Dict, List, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import decide, track
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = ("site1", "site2")
SWAPPED = {"site1": "site2", "site2": "site1"}
NOW = "2026-01-31T03:14:15Z"
LATER = "2026-01-31T04:00:00Z"
VIEWS = ("inside", "redundancy", "peer", "witness", "gateways", "calls", "trunk", "mgmt", "master", "capacity")
OUTSIDE = ("peer", "witness", "gateways")
DESTRUCTION = ("drain_gateways", "prefer_survivor", "fence", "promote_config")
HARMLESS = {"notify", "page", "reprobe", "freeze_automation"}
LINK_VERDICTS = ("PARTITION", "PARTITION_ASYM", "MGMT_PARTITION", "TRUNK_OOS", "TRUNK_OOS_ASYM")
AT_ONCE = {"confirm": 0, "local_takeover": 0, "hold": 0, "recover": 0, "long_partition": 0}
"""A policy under which one sample is settled, and every clock has run out."""

signal = st.one_of(
    st.sampled_from(("up", "down", "unknown")),
    st.builds(
        lambda value, answered: {"value": value, "answered": answered},
        st.sampled_from(("up", "down", "unknown")),
        st.booleans(),
    ),
)


@st.composite
def a_site(draw: st.DrawFn) -> Dict[str, Any]:
    """Draw a site: well, silent or dead inside, with some of its signals turned into anything."""
    dead = {**dict.fromkeys(VIEWS, "unknown"), "peer": "down", "witness": "down", "gateways": "down", "master": "down"}
    looks = (dict.fromkeys(VIEWS, "up"), dead, {**dead, "inside": "down"}, dict.fromkeys(VIEWS, "unknown"))
    site: Dict[str, Any] = dict(draw(st.sampled_from(looks)))
    site.update(draw(st.dictionaries(st.sampled_from(VIEWS), signal, max_size=4)))
    site["isolated"] = draw(st.sampled_from((None, None, None, "drain", "failover")))
    site["downtime"] = draw(st.sampled_from((False, False, False, True)))
    site["database"] = {"role": "standby", "lag": draw(st.sampled_from((None, 0, 0, 5)))}
    attested = draw(st.sampled_from(((), ("alice",), ("alice", "bob"))))
    site["attested_down"] = {"by": list(attested), "until": LATER} if attested else None
    site["fence"] = draw(
        st.sampled_from((None, {"kind": "power_off", "seen_at": NOW}, {"kind": "mask", "seen_at": NOW}))
    )
    return site


holders = st.sampled_from(("site1", "site2", None, "unknown"))
tickets = st.one_of(
    st.just("none"),
    st.fixed_dictionaries(
        {
            "holder": holders,
            "revoked_from": st.sampled_from((None, *NAMES)),
            "sync": st.booleans(),
            "armed": st.booleans(),
        }
    ),
)
observations = st.fixed_dictionaries(
    {
        "taken_at": st.just(NOW),
        "observer": st.fixed_dictionaries({"healthy": st.sampled_from((True, True, True, False))}),
        "ticket": tickets,
        "sites": st.fixed_dictionaries({name: a_site() for name in NAMES}),
    }
)
policies = st.fixed_dictionaries(
    {
        "call_plane": st.sampled_from(("observe", "operator", "auto")),
        "promotion": st.sampled_from(("operator", "auto")),
        "synthetic_calls": st.booleans(),
        "witness": st.booleans(),
    }
)
many = settings(max_examples=int(os.environ.get("SIP_DR_EXAMPLES", 150)), deadline=None)


def settled(observation: Dict[str, Any], policy: Dict[str, Any]) -> Dict[str, Any]:
    """Return the decision of `track` with every clock run out."""
    return track(None, observation, {**policy, **AT_ONCE})[1]


def value(site: Dict[str, Any], name: str) -> str:
    seen = site[name]
    return str(seen["value"] if isinstance(seen, dict) else seen)


def destruction(decision: Dict[str, Any]) -> int:
    return max([DESTRUCTION.index(action) + 1 for action in decision["automatic"] if action in DESTRUCTION], default=0)


def without_downs(observation: Dict[str, Any]) -> List[Dict[str, Any]]:
    """Return the observation once for each `down` in it, with that one turned into unknown; an answer stays heard."""
    found = []
    for name in NAMES:
        for view in VIEWS:
            if value(observation["sites"][name], view) == "down":
                weaker = deepcopy(observation)
                seen = weaker["sites"][name][view]
                weaker["sites"][name][view] = {**seen, "value": "unknown"} if isinstance(seen, dict) else "unknown"
                found.append(weaker)
    return found


def swap(thing: Any) -> Any:
    """Return plain data with the two names exchanged wherever they stand alone."""
    if isinstance(thing, dict):
        return {SWAPPED.get(key, key): swap(member) for key, member in thing.items()}
    if isinstance(thing, list):
        return [swap(member) for member in thing]
    return SWAPPED.get(thing, thing) if isinstance(thing, str) else thing


@many
@given(observations, policies)
def test_invariant_3_what_a_dead_site_needs(observation: Dict[str, Any], policy: Dict[str, Any]) -> None:
    decision = settled(observation, policy)
    if decision["verdict"] in ("SITE_DOWN", "SITE_DOWN_PEER_UNFIT", "SITE_DOWNTIME"):
        assert_dead(observation, decision["site"])


def assert_dead(observation: Dict[str, Any], name: str) -> None:
    """Check that a site has what it takes to be called dead."""
    site = observation["sites"][name]
    assert not [view for view in (*OUTSIDE, "calls") if value(site, view) == "up"]
    assert value(observation["sites"][SWAPPED[name]], "trunk") != "up"
    assert site["inside"] != {"value": "unknown", "answered": True}
    downs = {view for view in (*OUTSIDE, "inside") if value(site, view) == "down"}
    attested = site["attested_down"] and len(site["attested_down"]["by"]) == 2 and downs & set(OUTSIDE)
    inside = {"inside", "gateways"} <= downs and downs & {"peer", "witness"}
    assert set(OUTSIDE) <= downs or inside or attested


@many
@given(observations, policies)
def test_invariant_4_a_missing_answer_unlocks_nothing(observation: Dict[str, Any], policy: Dict[str, Any]) -> None:
    before = destruction(settled(observation, policy))
    for weaker in without_downs(observation):
        assert destruction(settled(weaker, policy)) <= before


@many
@given(observations, policies)
def test_a_store_that_was_not_read_unlocks_nothing(observation: Dict[str, Any], policy: Dict[str, Any]) -> None:
    unread = {**observation, "observer": {**observation["observer"], "store": "unread"}}
    before, after = settled(observation, policy), settled(unread, policy)
    assert destruction(after) == 0 and before["verdict"] == after["verdict"]
    assert set(before["automatic"]) - set(after["automatic"]) <= set(DESTRUCTION)


@many
@given(observations, policies)
def test_invariant_6_links_never_fence(observation: Dict[str, Any], policy: Dict[str, Any]) -> None:
    decision = settled(observation, policy)
    if decision["verdict"] in LINK_VERDICTS:
        assert not {"fence", "promote_config", "prefer_survivor", "drain_gateways"} & set(decision["automatic"])


@many
@given(observations, policies)
def test_invariant_7_some_site_stays_in_service(observation: Dict[str, Any], policy: Dict[str, Any]) -> None:
    decision = settled(observation, policy)
    if {"drain_gateways", "prefer_survivor"} & set(decision["automatic"]):
        other = observation["sites"][SWAPPED[decision["site"]]]
        assert value(other, "gateways") == "up" and other["isolated"] is None


@many
@given(observations, policies)
def test_invariant_2_nothing_is_promoted_without_its_guards(
    observation: Dict[str, Any], policy: Dict[str, Any]
) -> None:
    decision = settled(observation, {**policy, "promotion": "auto"})
    if "promote_config" in decision["automatic"]:
        failed, ticket = decision["site"], observation["ticket"]
        survivor = observation["sites"][SWAPPED[failed]]
        assert ticket["holder"] == failed or (ticket["holder"], ticket["revoked_from"]) == (None, failed)
        assert ticket["sync"] and survivor["database"]["lag"] == 0
        assert observation["sites"][failed]["fence"]["kind"] == "power_off"
        assert "up" not in (value(survivor, "master"), value(observation["sites"][failed], "master"))


@many
@given(observations, policies)
def test_invariant_13_pure(observation: Dict[str, Any], policy: Dict[str, Any]) -> None:
    kept = deepcopy((observation, policy))
    once = track(None, observation, policy)
    assert (observation, policy) == kept
    saved = json.loads(json.dumps({"observation": observation, "policy": policy}))
    assert json.dumps(track({}, saved["observation"], saved["policy"])) == json.dumps(once)


@many
@given(observations, policies, st.integers(0, 3))
def test_invariant_14_symmetric(observation: Dict[str, Any], policy: Dict[str, Any], count: int) -> None:
    events = [{"at": NOW, "type": "failover_done", "site": "site1", "scope": "call"}] * count
    with_events = {**observation, "events": events}
    one = track(None, with_events, {**policy, **AT_ONCE})[1]
    other = swap(track(None, swap(with_events), {**policy, **AT_ONCE})[1])
    for key in ("verdict", "site", "states", "automatic", "operator", "forbidden", "settled", "raw", "scope"):
        assert one[key] == other[key], key
    assert {key: sorted(sites) for key, sites in one["targets"].items()} == {
        key: sorted(sites) for key, sites in other["targets"].items()
    }
    assert sorted(each["guard"] for each in one["unmet"]) == sorted(each["guard"] for each in other["unmet"])


@many
@given(observations, policies)
def test_what_is_automatic_is_not_forbidden(observation: Dict[str, Any], policy: Dict[str, Any]) -> None:
    for decision in (decide(observation, policy), settled(observation, policy)):
        assert not set(decision["automatic"]) & set(decision["forbidden"])
        assert len(set(decision["automatic"])) == len(decision["automatic"])
        assert len(set(decision["operator"])) == len(decision["operator"])
        assert set(decision["two_people"]) <= set(decision["operator"])
        assert decision["evidence"][0].startswith(decision["verdict"])


@many
@given(observations, policies)
def test_one_bundle_changes_nothing(observation: Dict[str, Any], policy: Dict[str, Any]) -> None:
    automatic = decide(observation, policy)["automatic"]
    assert [action for action in automatic if action not in HARMLESS and not action.startswith("verify_")] == []


@many
@given(observations, policies)
def test_the_policy_moves_call_plane_actions_only(observation: Dict[str, Any], policy: Dict[str, Any]) -> None:
    modes = {mode: settled(observation, {**policy, "call_plane": mode}) for mode in ("observe", "operator", "auto")}
    call_plane = {"prefer_survivor", "drain_gateways", "restore_gateways", "unpin_gateways"}
    assert not call_plane & set(modes["observe"]["automatic"])
    assert call_plane & set(modes["operator"]["automatic"]) <= {"unpin_gateways"}
    assert len({decision["verdict"] for decision in modes.values()}) == 1
    moved = call_plane & set(modes["auto"]["automatic"])
    assert moved <= set(modes["observe"]["operator"])
    assert not moved or "page" in modes["observe"]["automatic"]


@many
@given(st.lists(st.tuples(observations, st.integers(0, 200)), min_size=1, max_size=8), policies)
def test_any_history_can_be_folded(history: List[Tuple[Dict[str, Any], int]], policy: Dict[str, Any]) -> None:
    state, second = None, 0
    for observation, gap in history:
        second += gap
        at = f"2026-01-31T03:{second // 60:02d}:{second % 60:02d}Z"
        saved = None if state is None else json.loads(json.dumps(state))
        state, decision = track(saved, {**observation, "taken_at": at}, policy)
        assert not set(decision["automatic"]) & set(decision["forbidden"])
        assert decision["settled"] or decision["verdict"] == "SUSPECT"
        assert decision["settled"] or set(decision["automatic"]) <= HARMLESS


class Reading:
    """A second reading of the sixteen rules, from the states."""

    def __init__(self, observation: Dict[str, Any], policy: Dict[str, Any], states: Dict[str, str]) -> None:
        self.sites, self.states, self.policy = observation["sites"], states, policy
        self.healthy = observation["observer"]["healthy"]

    def both(self, view: str) -> str:
        return " ".join(sorted(value(self.sites[name], view) for name in NAMES))

    def named(self, *wanted: str) -> List[str]:
        return [name for name in NAMES if self.states[name] in wanted]

    def other_fit(self, names: List[str]) -> bool:
        other = SWAPPED[names[0]] if names else ""
        if self.states.get(other) not in ("DEGRADED", "SERVING") or self.sites[other]["isolated"] is not None:
            return False
        site = self.sites[other]
        calls = value(site, "calls") == "up" or not self.policy["synthetic_calls"]
        return calls and value(site, "gateways") == "up"

    def explained(self) -> bool:
        return any(value(self.sites[name], "peer") == "down" for name in self.named("GW_CUT"))

    def well(self) -> bool:
        views = [view for view in VIEWS if view not in ("master", "capacity")]
        unasked = {"calls": not self.policy["synthetic_calls"], "witness": not self.policy["witness"]}
        ups = [self.both(view) == "up up" for view in views if not unasked.get(view)]
        return all(ups) and self.both("master") == "down up"

    def verdict(self) -> Tuple[str, Any]:
        dead, ill, unknown = self.named("DOWN", "STACK_DOWN"), self.named("GRAY", "GW_CUT"), self.named("UNKNOWN")
        downtime = any(self.sites[name]["downtime"] for name in dead)
        peers, trunks = self.both("peer"), self.both("trunk")
        read: List[Tuple[bool, str, List[str]]] = [
            (not self.healthy, "OBSERVER_BLIND", []),
            (self.both("master") == "up up", "DUAL_MASTER", []),
            (len(dead) == 2, "BOTH_DOWN", []),
            (len(unknown) == 2, "OBSERVER_BLIND", []),
            (len(dead) == 1 and downtime, "SITE_DOWNTIME", dead),
            (len(dead) == 1 and self.other_fit(dead), "SITE_DOWN", dead),
            (len(dead) == 1, "SITE_DOWN_PEER_UNFIT", dead),
            (len(unknown) == 1, "SUSPECT", unknown),
            (peers == "down down" and "up" not in trunks, "PARTITION", []),
            (peers == "down down", "MGMT_PARTITION", []),
            (peers == "down up" and not self.explained(), "PARTITION_ASYM", []),
            (peers == "down unknown", "SUSPECT", []),
            (len(ill) == 1 and self.other_fit(ill), "".join(self.states[name] for name in ill), ill),
            (len(ill) > 0, "NO_HEALTHY_SITE", []),
            (trunks == "down down", "TRUNK_OOS", []),
            (trunks == "down up", "TRUNK_OOS_ASYM", []),
            (trunks == "down unknown", "SUSPECT", []),
            (bool(self.named("ALIVE")), "SUSPECT", self.named("ALIVE")),
            (self.both("mgmt") == "down down", "MGMT_PARTITION", []),
            (self.both("master") == "down down", "NO_MASTER", []),
            (bool(self.named("DEGRADED")), "DEGRADED", self.named("DEGRADED")),
            (not self.well(), "BLIND_SPOT", []),
            (True, "NORMAL", []),
        ]
        found, about = next((verdict, sites) for fits, verdict, sites in read if fits)
        return found, about[0] if len(about) == 1 else None


@settings(max_examples=int(os.environ.get("SIP_DR_EXAMPLES", 150)) * 4, deadline=None)
@given(observations, policies)
def test_the_sixteen_rules(observation: Dict[str, Any], policy: Dict[str, Any]) -> None:
    decision = decide(observation, policy)
    assert (decision["verdict"], decision["site"]) == Reading(observation, policy, decision["states"]).verdict()
