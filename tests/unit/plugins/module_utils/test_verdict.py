# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the decision says beside its verdict: guards by name, targets, evidence, and the table as a whole."""

from __future__ import annotations

from typing import Any, Dict, List

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import _verdict_unlocks as unlocks
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import verdict
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_evidence import evidence
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_guards import Case
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_observation import read_observation
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_policy import Policy
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_rules import Finding
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_states import draw
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import Tracker, decide
from verdict_world import fold, guards, samples, world

AUTO = {"call_plane": "auto", "promotion": "auto"}
ATTESTED = {"by": ["alice", "bob"], "until": {"seconds": 9000}}
CUT = {"peer": "down", "trunk": "down"}


def site_down(fence: Any = None, ticket: Any = None, policy: Any = None, **site2: Any) -> Dict[str, Any]:
    """Return the decision on a dead site1 after the hold has passed."""
    ticket = ticket or {"holder": "site1", "armed": True, "sync": True}
    site1 = {"is": "silent", "fence": fence}
    return fold(samples(0, 315, site1=site1, site2=site2, ticket=ticket), {**AUTO, **(policy or {})})[1]


@pytest.mark.parametrize(
    ("fence", "proven"),
    [
        (None, False),
        ({"kind": "stopped_and_revoked", "seen_at": {"ago": 20}}, True),
        ({"kind": "stopped_and_revoked", "seen_at": {"ago": 21}}, False),
        ({"kind": "power_off", "seen_at": {"ago": -6}}, False),
        ({"kind": "power_off"}, False),
        ({"kind": "ticket_run_out", "seen_at": {"ago": 0}}, True),
        ({"kind": "read_only_default", "seen_at": {"ago": 0}}, False),
        ({"kind": "attested", **ATTESTED}, True),
        ({"kind": "attested", "by": ["alice"], "until": {"seconds": 9000}}, False),
        ({"kind": "attested", "by": ["alice", "bob"], "until": {"seconds": 300}}, False),
        ({"kind": "attested", "by": ["alice", "bob"]}, False),
    ],
)
def test_what_proves_a_fence(fence: Any, proven: bool) -> None:
    decision = site_down(fence)
    assert ("promote_config" in decision["automatic"], "fence" not in guards(decision)) == (proven, proven)
    assert "fence" in decision["automatic"]


def test_a_ticket_that_ran_out_needs_an_armed_dead_man() -> None:
    unarmed = {"holder": None, "revoked_from": "site1", "sync": True}
    decision = site_down({"kind": "ticket_run_out", "seen_at": {"ago": 0}}, unarmed)
    assert guards(decision) == ["fence"]


@pytest.mark.parametrize(
    ("ticket", "unmet"),
    [
        ({"holder": "site1", "sync": True}, False),
        ({"holder": None, "revoked_from": "site1", "sync": True}, False),
        ({"holder": None, "revoked_from": "site2", "sync": True}, True),
        ({"holder": None, "sync": True}, True),
        ({"holder": "site2", "revoked_from": "site1", "sync": True}, True),
        ({"holder": "unknown", "sync": True}, True),
        ({"sync": True}, True),
    ],
)
def test_who_holds_the_ticket(ticket: Dict[str, Any], unmet: bool) -> None:
    decision = site_down(ticket=ticket)
    assert ("ticket" in guards(decision), "fence" not in decision["automatic"]) == (unmet, unmet)


@pytest.mark.parametrize(("lag", "limit", "met"), [(0, 0, True), (5, 0, False), (5, 5, True), (None, 99, False)])
def test_replication_lag(lag: Any, limit: float, met: bool) -> None:
    decision = site_down(policy={"lag_limit": limit}, database={"role": "standby", "lag": lag})
    assert ("lag" not in guards(decision)) is met


def test_the_lag_counts_without_sync_while_the_primary_answers() -> None:
    answering = {"is": "stack_down", "master": {"value": "down", "answered": True}}
    decision = decide(world(site1=answering, ticket={"holder": "site1"}))
    assert "lag" not in guards(decision) and "sync" in guards(decision)


def test_a_master_that_lives_keeps_the_configuration() -> None:
    decision = decide(world(site1={"is": "stack_down", "master": "up"}))
    assert (decision["verdict"], "fence" in decision["operator"]) == ("SITE_DOWN", False)
    assert "the configuration stays at site1: its master is up" in " ".join(decision["evidence"])


def test_overrides_open_no_automatic_guard() -> None:
    names = ("allow_data_loss", "without_fence")
    overrides = [{"name": name, "run_id": "r1", "by": ["alice", "bob"], "until": {"seconds": 9000}} for name in names]
    seen = samples(0, 315, site1="silent", site2={"database": {"lag": 7}}, overrides=overrides)
    _, decision = fold(seen, AUTO)
    assert {"lag", "fence"} <= set(guards(decision))
    assert "Override allow_data_loss for run r1 by alice and bob" in " ".join(decision["evidence"])


def test_attested_failovers_are_started_by_a_person() -> None:
    site1 = {"is": "unknown", "witness": "down", "attested_down": ATTESTED, "fence": {"kind": "attested", **ATTESTED}}
    _, decision = fold(samples(0, 315, site1=site1), AUTO)
    assert decision["automatic"] == ["verify_call_plane", "notify"]
    assert decision["operator"][:3] == ["prefer_survivor", "fence", "promote_config"]
    assert set(guards(decision)) == {"unanimity"}


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({}, ["site2"]),
        ({"site2": {**CUT, "master": "up"}, "site1": {**CUT, "master": "down"}}, ["site1"]),
        ({"site1": {**CUT, "master": "unknown"}}, ["site2"]),
        ({"site1": {**CUT, "master": "unknown"}, "ticket": {"holder": "unknown"}}, ["site1", "site2"]),
    ],
)
def test_where_the_configuration_is_frozen(changes: Dict[str, Any], where: List[str]) -> None:
    decision = decide(world(**{"site1": CUT, "site2": CUT, **changes}))
    assert (decision["verdict"], decision["targets"]["freeze_config"]) == ("PARTITION", where)


def test_where_the_last_master_was_seen_the_other_is_frozen() -> None:
    gone = {"site1": {**CUT, "master": "unknown"}, "site2": CUT, "ticket": "none"}
    _, decision = fold([world(0, ticket="none"), *samples(5, 20, **gone)])
    assert decision["targets"] == {"freeze_config": ["site2"]}


def test_a_pinned_survivor_that_nobody_reaches_stays_pinned() -> None:
    lost = dict.fromkeys(("peer", "witness", "gateways"), "unknown")
    decision = decide(world(site1="silent", site2={**lost, "isolated": "failover"}))
    assert decision["verdict"] == "SITE_DOWN_PEER_UNFIT"
    assert "reachable" in guards(decision) and "unpin_gateways" not in decision["operator"]


def test_a_blind_observer_forbids_everything_else() -> None:
    decision = decide(world(observer={"healthy": False}))
    assert {*decision["automatic"], *decision["forbidden"]} == set(unlocks.ACTIONS)


def test_the_sentence_of_a_dead_site_has_its_numbers() -> None:
    counted = {"value": "down", "answered": False, "of": [0, 2]}
    views = {"peer": counted, "witness": counted, "gateways": counted}
    _, decision = fold(samples(0, 12.4, 6.2, site1={"is": "silent", **views}), {"confirm": 12})
    assert decision["evidence"][0] == (
        "SITE_DOWN site1: peer 0/2 down, witness 0/2 down, gateways 0/2 down; nothing from inside; site2 is fit;"
        " seen for 12.4 s."
    )


def test_every_two_person_action_is_in_the_table() -> None:
    assert set(unlocks.TWO_PEOPLE) <= set(unlocks.ACTIONS)
    assert set(unlocks.CALL_PLANE) <= set(unlocks.ACTIONS)
    assert set(unlocks.HARMLESS) <= set(unlocks.ACTIONS)


def test_no_row_forbids_what_it_offers() -> None:
    for row in unlocks.ROWS.values():
        offered = {offer.action for offer in (*row.automatic, *row.operator)}
        assert not offered & set(row.forbidden)


def test_a_tracker_has_nothing_to_say_before_its_first_observation() -> None:
    assert Tracker(None).state() == Tracker({}).state() == {}


def test_a_judgement_says_what_is_automatic_without_the_words() -> None:
    judgement = Tracker(None, {"call_plane": "auto", "confirm": 0}).judge(world(site1="gray"))
    assert judgement.automatic() == judgement.decision()["automatic"] == ["notify", "drain_gateways"]


def test_what_the_module_offers() -> None:
    offered = ["DEFAULT_POLICY", "Judgement", "Tracker", "VerdictInputError", "decide", "track"]
    assert verdict.__all__ == offered and all(hasattr(verdict, name) for name in offered)


def test_what_cannot_be_is_an_error() -> None:
    decided = Case(draw(read_observation(world(), Policy()), Policy()), Finding("NORMAL"), Finding("NORMAL"), None)
    with pytest.raises(AssertionError, match="^NORMAL names no site$"):
        _ = decided.failed
    with pytest.raises(AssertionError, match="^only a memory replaces a verdict$"):
        evidence(decided._replace(shown=Finding("SUSPECT")))


ASYNC = "Replication is asynchronous: what the standby has not got yet would be lost with its primary; "
UNKNOWN = "how much that is now is not known."
UNPROTECTED = (
    "Unprotected, for no ticket records that commits wait for the standby: what the standby has not got yet would be"
    " lost with its primary; "
)


@pytest.mark.parametrize(
    ("changes", "policy", "said"),
    [
        ({"ticket": {"holder": "site1", "sync": True}}, {}, []),
        ({"ticket": {"holder": "site1", "sync": True}}, {"replication": "sync"}, []),
        ({"ticket": "none"}, {}, [f"{ASYNC}{UNKNOWN}"]),
        (
            {"ticket": {"holder": "site1"}},
            {"replication": "sync"},
            [f"{UNPROTECTED}{UNKNOWN}"],
        ),
        ({"ticket": "none", "lag": 7}, {}, [f"{ASYNC}now 7 (the lag of site2)."]),
        ({"ticket": "none", "lag": 7, "site1": "silent"}, {}, [f"{ASYNC}{UNKNOWN}"]),
    ],
)
def test_every_verdict_says_what_would_be_lost(changes, policy, said):
    database = {"role": "standby", "lag": changes.pop("lag", None)}
    decision = decide(world(**{"site2": {"database": database}, **changes}), policy)
    assert [sentence for sentence in decision["evidence"] if "lost with its primary" in sentence] == said
