# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people say, and what of it holds: the newest statement counts until its end."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.statements import (
    attestations,
    downtimes,
    moment,
    overrides,
    unreadable,
    unreadable_overrides,
)
from observed_world import World

NOW = "2026-01-31T03:14:00Z"
BEFORE, LATER, MUCH_LATER = "2026-01-31T03:00:00Z", "2026-01-31T03:29:00Z", "2026-01-31T05:00:00Z"


def attested(at, until, site="site1", by=("alice", "bob")):
    return {"at": at, "site": site, "by": list(by), "until": until}


def window(begin, until, name="site1"):
    return {"name": name, "from": begin, "until": until}


def said(at, until, name="site1"):
    return {"at": at, "name": name, "by": "alice", "why": "new UPS", "until": until}


def test_an_attestation_in_force():
    assert attestations([attested(BEFORE, LATER)], NOW) == {"site1": {"by": ["alice", "bob"], "until": LATER}}


@pytest.mark.parametrize("until", [BEFORE, NOW])
def test_an_attestation_that_is_over_is_gone(until):
    assert attestations([attested(BEFORE, until)], NOW) == {}


def test_the_newest_counts_and_so_one_is_taken_back():
    first, withdrawn = (
        attested("2026-01-31T03:00:00Z", LATER),
        attested("2026-01-31T03:05:00+00:00", "2026-01-31T03:05:00Z"),
    )
    for order in itertools.permutations([first, withdrawn]):
        assert attestations(order, NOW) == {}
    again = attested("2026-01-31T03:06:00Z", MUCH_LATER, by=("carol", "bob"))
    assert attestations([again, first, withdrawn], NOW)["site1"]["by"] == ["carol", "bob"]


def test_attestations_of_two_sites_stand_side_by_side():
    both = [attested(BEFORE, LATER), attested(BEFORE, MUCH_LATER, site="site2")]
    assert set(attestations(both, NOW)) == {"site1", "site2"}


@pytest.mark.parametrize(
    ("begin", "until", "in_force"),
    [
        (BEFORE, LATER, True),
        (NOW, LATER, True),
        (BEFORE, NOW, False),
        (LATER, MUCH_LATER, False),
        ("2026-01-31T04:00:00+01:00", "2026-01-31T03:15:00+00:00", True),
    ],
)
def test_a_planned_window(begin, until, in_force):
    assert downtimes([window(begin, until)], [], NOW) == ({"site1"} if in_force else set())


def test_a_declared_downtime():
    assert downtimes([], [said(BEFORE, LATER)], NOW) == {"site1"}
    assert downtimes([], [said(BEFORE, NOW)], NOW) == set()
    assert downtimes([], [said(LATER, MUCH_LATER)], NOW) == set()


def test_planned_and_declared_stand_side_by_side():
    assert downtimes([window(BEFORE, LATER)], [said(BEFORE, LATER, "s2-gw")], NOW) == {"site1", "s2-gw"}


def test_a_person_ends_a_planned_window():
    ended = said("2026-01-31T03:10:00Z", "2026-01-31T03:10:00Z")
    assert downtimes([window(BEFORE, LATER)], [ended], NOW) == set()


def test_what_was_said_before_a_window_began_does_not_end_it():
    ended = said("2026-01-31T02:10:00Z", "2026-01-31T02:10:00Z")
    assert downtimes([window(BEFORE, LATER)], [ended], NOW) == {"site1"}


# in the observation


def test_the_observation_has_what_the_store_says():
    world = World().downtime("site2")
    world.meta["attested"] = [attested(BEFORE, LATER)]
    sites = world.look()["sites"]
    assert sites["site1"]["attested_down"] == {"by": ["alice", "bob"], "until": LATER}
    assert (sites["site1"]["downtime"], sites["site2"]["downtime"]) == (False, True)


def test_names_said_in_this_run_outweigh_the_stores():
    world = World()
    world.meta["attested"] = [attested(BEFORE, LATER)]
    world.meta["attestations"] = {"site1": {"by": ["carol", "dave"], "until": MUCH_LATER}}
    assert world.look()["sites"]["site1"]["attested_down"]["by"] == ["carol", "dave"]


def test_planned_windows_come_from_the_inventory():
    world = World().silence("s1-gw")
    assert world.values("site1")["redundancy"] == "down"
    world.continuity["continuity_downtimes"] = [window(BEFORE, LATER, "s1-gw")]
    assert world.values("site1")["redundancy"] == "up"
    world.meta["started_at"] = "2026-01-31T03:29:00Z"
    world.meta["taken_at"] = "2026-01-31T03:29:05Z"
    assert world.values("site1")["redundancy"] == "down"


@pytest.mark.parametrize("until", ["2026-01-31T05:00:00", "May", "", None, 7])
def test_a_statement_without_a_time_that_can_be_read_counts_for_nothing_and_is_told(until):
    world = World().downtime("site2")
    world.meta["downtime"].append(said("2026-01-31T03:10:00Z", until))
    world.meta["attested"] = [attested(BEFORE, LATER), attested("2026-01-31T03:10:00Z", until)]
    seen = world.look()
    assert (seen["sites"]["site1"]["downtime"], seen["sites"]["site2"]["downtime"]) == (False, True)
    assert seen["sites"]["site1"]["attested_down"]["until"] == LATER
    first, second = seen["observer"]["notes"]
    assert first.startswith("What ['alice', 'bob'] said of site1 counts for nothing: at 2026-01-31T03:10:00Z, until")
    assert second.startswith("What alice said of site1 counts for nothing")


@pytest.mark.parametrize("statement", [{}, {"at": BEFORE, "until": LATER}, {"name": ["site1"], "at": BEFORE}])
def test_a_statement_about_nobody(statement):
    assert downtimes([], [statement], NOW) == frozenset()
    assert len(unreadable([statement], "name")) == 1


def override(at=BEFORE, until=LATER, **more):
    return {"at": at, "name": "without_fence", "run_id": "r", "by": ["alice", "bob"], "until": until, **more}


def test_an_override_in_force_is_what_the_decision_takes():
    assert overrides([override(id=7)], NOW) == [
        {"name": "without_fence", "run_id": "r", "by": ["alice", "bob"], "until": LATER}
    ]
    assert overrides([override(until=NOW)], NOW) == []


def test_the_newest_of_an_override_counts_and_so_it_is_taken_back():
    ended = override("2026-01-31T03:10:00Z", "2026-01-31T03:10:00Z")
    for said_in_order in itertools.permutations([override(), ended]):
        assert overrides(said_in_order, NOW) == []
    assert len(overrides([override(), override("2026-01-31T03:10:00Z", run_id="other")], NOW)) == 2


@pytest.mark.parametrize(
    "change",
    [{"name": "anything"}, {"run_id": ""}, {"by": "alice"}, {"by": [1]}, {"until": "May"}, {"at": None}, {"run_id": 7}],
)
def test_an_override_that_cannot_be_read_counts_for_nothing_and_is_told(change):
    assert overrides([override(**change)], NOW) == []
    (sentence,) = unreadable_overrides([override(**change), override()])
    assert sentence.startswith("The override ") and "counts for nothing" in sentence


def test_a_time_without_its_zone_is_none():
    with pytest.raises(ValueError, match="without its zone"):
        moment("2026-01-31T05:00:00")
