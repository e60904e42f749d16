# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of healing: nothing merged, nothing overwritten unseen, and no peering while a divergence is open."""

from __future__ import annotations

import json

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import ledger
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_unlocks import ROWS
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.heal_plan import HEALED, heal_plan
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.network_plan import LINK_VERDICTS
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_steps import LOOKING
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_text import plan_text
from link_world import AT, PEOPLE, RUN, by_name, decision, names, refused, request, with_driver

PEERING = ["peer_again", "test_calls", "verify_gateways"]
FOLLOWS = ["repoint_names", "verify_configuration", "resync_old", "verify_streaming"]
SAME = {"cfg_application": {"rows": 12, "hash": "a1"}, "cfg_dn": {"rows": 40, "hash": "b2"}}
CHANGED = {**SAME, "cfg_application": {"rows": 12, "hash": "c3"}}
WRITE = {"at": "2026-01-31T02:55:00Z", "session": "65f.1", "user": "confserv", "outcome": "unknown"}
LOST = [{**WRITE, "statement": "UPDATE cfg_application SET props = '…' WHERE dbid = 101"}]
KEPT = [{**WRITE, "statement": "INSERT INTO cfg_dn VALUES (7, '1021')"}]
DIVERGENCE = {
    "run_id": RUN,
    "at": AT,
    "since": "2026-01-31T02:50:00Z",
    "survivor": "ams",
    "losing": "fra",
    "by": PEOPLE,
    "until": "2026-01-31T04:14:15Z",
    "status": "open",
}


def database(role="standby", writes=(), tables=None, streams=0, complete=True):
    return {"role": role, "streams": streams, "tables": tables or SAME, "writes": list(writes), "complete": complete}


WELL = {"fra": database("primary", streams=1), "ams": database()}
PARTED = {"fra": database("primary", LOST, CHANGED), "ams": database("primary", KEPT)}


@pytest.fixture
def world(continuity):
    return with_driver(continuity, "etcd")


def healing(continuity, seen=None, judged=None, **more):
    asked = {"scenario": "heal", "seen": seen or WELL, "survivor_choice": "", "reconciled": "", "agents": {}, **more}
    return heal_plan(continuity, judged or decision("NORMAL"), {}, request(continuity, **{"pinned": [], **asked}))


def chosen(continuity, **more):
    words = {
        "survivor_choice": "ams",
        "attested_by": PEOPLE,
        "divergence": DIVERGENCE,
        "master": "ams",
        "pinned": ["ams"],
    }
    words.update(more)
    return healing(continuity, PARTED, decision("DUAL_MASTER"), **words)


def test_a_short_partition_leaves_only_the_peering_to_be_seen(world):
    plan = healing(world)
    assert names(plan) == ["verify_configuration", "verify_streaming", *PEERING]
    assert (refused(plan), plan["config_plane"], plan["survivor"]) == ([], False, "fra")
    assert "The two databases hold the same." in plan["notes"]


def test_peering_is_seen_from_inside_both_sites(world):
    step = by_name(healing(world))["peer_again"]
    assert (step["role"], step["door"]) == ("sip_server", "restore")
    assert {"fra-dr-1", "ams-dr-1"} <= set(step["hosts"])


@pytest.mark.parametrize("verdict", LINK_VERDICTS)
def test_nothing_is_healed_while_the_network_is_not_whole(world, verdict):
    assert refused(healing(world, judged=decision(verdict))) == ["link"]


@pytest.mark.parametrize("shown", ["RETURNING", "FLAPPING"])
def test_what_the_rules_say_of_this_look_counts(world, shown):
    plan = healing(world, judged={**decision(shown), "raw": "PARTITION"})
    assert (refused(plan), names(plan)) == (["link"], [])


@pytest.mark.parametrize("verdict", [one for one in ROWS if one not in (*HEALED, *LINK_VERDICTS)])
def test_any_other_verdict_is_refused_with_its_way(world, verdict):
    plan = healing(world, judged=decision(verdict))
    assert (refused(plan), names(plan)) == (["verdict"], [])
    assert plan["refused"][0]["way"]


def test_a_side_to_which_nothing_streams_is_made_to_follow(world):
    plan = healing(world, {"fra": database("primary"), "ams": database("unknown")})
    assert names(plan) == [*FOLLOWS, *PEERING]
    assert by_name(plan)["resync_old"]["hosts"] == ["ams-db"]
    assert plan["config_plane"]
    assert plan["undo"] == []


def test_a_site_that_returns_after_a_move_follows_and_says_how_it_is_let_in(world):
    seen = {"fra": database("unknown", LOST), "ams": database("primary")}
    judged = {**decision("RETURNING"), "raw": "NORMAL", "site": "fra", "scope": "config"}
    plan = healing(world, seen, judged, master="ams")
    assert (plan["failed"], plan["survivor"]) == ("fra", "ams")
    assert names(plan)[: len(FOLLOWS)] == FOLLOWS
    assert any("let_in.yml -e continuity_returning_site=fra" in note for note in plan["notes"])
    assert any("cfg_application where dbid = 101" in note for note in plan["notes"]), "what it had alone is listed"


def test_where_no_database_is_the_primary_nothing_is_overwritten(world):
    plan = healing(world, {"fra": database("unknown"), "ams": database()})
    assert (refused(plan), names(plan)) == (["databases"], [])


def test_a_standby_does_not_survive_the_one_that_writes(world):
    plan = healing(world, survivor_choice="ams", attested_by=PEOPLE)
    assert refused(plan) == ["survivor"]
    assert "-e continuity_survivor=fra" in plan["refused"][0]["way"]


def test_a_losing_side_that_cannot_be_reached_is_waited_for(world):
    assert refused(healing(world, reachable=["fra-cfg", "fra-db", "ams-cfg"])) == ["reachable"]


def test_two_writers_are_never_merged(world):
    plan = healing(world, PARTED, decision("DUAL_MASTER"), divergence=DIVERGENCE)
    assert (refused(plan), names(plan)) == (["choose_survivor"], [])
    evidence = plan["refused"][0]["evidence"]
    assert "fra: 1 writes" in evidence
    assert "ams: 1 writes" in evidence
    assert any("cfg_application: 12 rows at fra, 12 rows at ams, with different content" in n for n in plan["notes"])


@pytest.mark.parametrize("people", [[], ["alice"], ["alice", "ALICE "]])
def test_one_person_chooses_no_survivor(world, people):
    assert refused(chosen(world, attested_by=people)) == ["choose_survivor"]


def test_the_losing_sides_writes_are_listed_object_by_object_and_confirmed_by_digest(world):
    plan = chosen(world)
    assert (refused(plan), names(plan)) == (["reconcile"], [])
    assert "cfg_application where dbid = 101: 2026-01-31T02:55:00Z UPDATE" in plan["refused"][0]["evidence"]
    assert f"continuity_reconciled={ledger.digest(LOST)}" in plan["refused"][0]["way"]


def test_a_ledger_that_has_grown_since_is_confirmed_again(world):
    grown = {**PARTED, "fra": database("primary", [*LOST, *KEPT], CHANGED)}
    asked = {"survivor_choice": "ams", "attested_by": PEOPLE, "divergence": DIVERGENCE}
    plan = healing(world, grown, decision("DUAL_MASTER"), reconciled=ledger.digest(LOST), **asked)
    assert refused(plan) == ["reconcile"]


def test_a_reconciled_divergence_ends_in_one_truth_and_then_in_peering(world):
    plan = chosen(world, reconciled=ledger.digest(LOST))
    assert names(plan) == ["stop_old_master", "fence", *FOLLOWS, "unpin_single_site", *PEERING]
    steps = by_name(plan)
    assert steps["fence"]["hosts"] == steps["resync_old"]["hosts"] == ["fra-db"]
    assert steps["verify_streaming"]["hosts"] == ["ams-db"]
    assert plan["divergence"]["status"] == "reconciled"
    assert plan["divergence"]["reconciled_by"] == PEOPLE
    assert any("given up there" in note for note in plan["notes"]), "the report of the run keeps what was lost"


@pytest.mark.parametrize("seen", [WELL, PARTED, {**PARTED, "fra": database("unknown", LOST)}])
def test_while_a_divergence_is_open_no_step_peers_before_the_resync(world, seen):
    for words in ({}, {"survivor_choice": "ams", "attested_by": PEOPLE}):
        order = names(healing(world, seen, decision("DUAL_MASTER"), divergence=DIVERGENCE, **words))
        assert "peer_again" not in order or order.index("resync_old") < order.index("peer_again")
        assert "unpin_single_site" not in order or order.index("resync_old") < order.index("unpin_single_site")


def test_the_side_that_alone_wrote_survives_without_a_choice(world):
    seen = {"fra": database("primary"), "ams": database("primary", KEPT, CHANGED)}
    plan = healing(world, seen, decision("DUAL_MASTER"), divergence={**DIVERGENCE, "survivor": "fra"})
    assert (plan["survivor"], refused(plan)) == ("ams", [])


@pytest.mark.parametrize("unread", [{"writes": None}, {"complete": False}])
def test_a_log_that_does_not_tell_everything_overwrites_nothing(world, unread):
    seen = {**PARTED, "fra": {**PARTED["fra"], **unread}}
    words = {"survivor_choice": "ams", "attested_by": PEOPLE, "divergence": DIVERGENCE}
    assert refused(healing(world, seen, decision("DUAL_MASTER"), **words)) == ["ledger"]


def test_what_the_server_itself_refused_was_not_written(world):
    failed = [{**LOST[0], "outcome": "error: permission denied"}]
    seen = {**PARTED, "fra": database("primary", failed)}
    words = {"survivor_choice": "ams", "attested_by": PEOPLE, "divergence": DIVERGENCE}
    assert refused(healing(world, seen, decision("DUAL_MASTER"), **words)) == []


@pytest.mark.parametrize(
    ("agents", "said"),
    [
        ({}, "no open interface"),
        ({"fra": ["1001", "1002"]}, "no open interface"),
        ({"fra": ["1001", "1002"], "ams": ["1002", "1003"]}, "when they peer: 1002."),
        ({"fra": ["1001"], "ams": ["1003"]}, "No agent is logged in at both sites."),
    ],
)
def test_agents_logged_in_twice_are_listed_before_peering(world, agents, said):
    assert any(said in note for note in healing(world, agents=agents)["notes"])


def test_a_pinned_pair_is_unpinned_before_it_peers(world):
    plan = healing(world, pinned=["fra"])
    order = names(plan)
    assert by_name(plan)["unpin_single_site"]["hosts"] == ["fra-dr-1", "fra-dr-2"]
    assert order.index("unpin_single_site") < order.index("peer_again")


def test_the_plan_is_plain_data_in_words(world):
    plan = chosen(world, reconciled=ledger.digest(LOST))
    assert json.loads(json.dumps(plan)) == plan
    text = plan_text(plan)
    assert text[0].startswith(f"Run {RUN}, healing: fra follows ams again")
    assert plan["changes"] == any(step["door"] not in LOOKING for step in plan["steps"])
