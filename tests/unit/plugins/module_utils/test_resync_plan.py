# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan that overwrites a database with the other one: only where that loses nothing that nobody has read."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_steps import has_ticket
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.resync_plan import resync_plan
from plan_world import DRIVERS, coordinated, guards, names, planned, request, roles, state, step_of, ticket


@pytest.fixture(params=DRIVERS)
def continuity(request, continuity):
    return coordinated(continuity, request.param)


def returning(continuity, **more):
    """Fra comes back: ams was promoted in its place."""
    held = ticket("ams") if has_ticket(continuity) else None
    return request(continuity, **{"databases": roles("unknown", "primary"), "ticket": held, **more})


def test_the_side_that_returns_follows(continuity):
    plan = resync_plan(continuity, planned(), state(), returning(continuity))
    assert (names(plan), guards(plan), plan["undo"]) == (["resync_old"], [], [])
    assert step_of(plan, "resync_old")["hosts"] == ["fra-db"]


@pytest.mark.parametrize("role", ["standby", "unknown", None])
def test_a_side_that_is_not_seen_to_be_written_to_is_followed_by_nobody(continuity, role):
    asked = returning(continuity, databases=roles("unknown", role))
    assert guards(resync_plan(continuity, planned(), state(), asked)) == ["one_writer"]


def test_the_holder_of_the_ticket_is_not_overwritten(continuity):
    if has_ticket(continuity):
        asked = returning(continuity, ticket=ticket("fra"))
        assert guards(resync_plan(continuity, planned(), state(), asked)) == ["one_writer"]


def test_what_was_written_apart_is_not_overwritten_before_it_is_reconciled(continuity):
    parted = {"run_id": "ams-1", "survivor": "ams", "losing": "fra", "status": "open"}
    plan = resync_plan(continuity, planned(), state(), returning(continuity, divergence=parted))
    assert (names(plan), guards(plan)) == ([], ["divergence"])
    assert "playbooks/heal.yml" in plan["refused"][0]["way"]
    healed = returning(continuity, divergence={**parted, "status": "reconciled"})
    assert names(resync_plan(continuity, planned(), state(), healed)) == ["resync_old"]
