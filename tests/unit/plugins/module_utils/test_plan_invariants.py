# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every plan that can be asked for holds the invariants of decision.md, failovers and moves alike."""

from __future__ import annotations

import json

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import deployment
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_unlocks import ROWS
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.move_plan import RESTARTING, move_plan
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan import failover_plan
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_steps import LOOKING, has_ticket
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_text import plan_text
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plan_world import (
    ATTESTED,
    CALL_NAMES,
    DRIVERS,
    LAST,
    RUN,
    RUN_OUT,
    SAVING,
    SEEN,
    changing,
    coordinated,
    decision,
    done,
    moves,
    names,
    request,
    roles,
    state,
    step_of,
    ticket,
    undoing,
)

SITES = st.sampled_from(["fra", "ams"])
NOBODY_TOO = st.sampled_from(["fra", "ams", None])
ROLES = st.sampled_from(["primary", "standby", "unknown", None])
PLANNERS = {"site_failure": failover_plan, "move_master": move_plan}
SWITCHING = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)

TICKETS = st.one_of(
    st.none(),
    st.builds(
        ticket,
        st.sampled_from(["fra", "ams", None, "unknown"]),
        revoked_from=NOBODY_TOO,
        armed=st.booleans(),
        sync=st.booleans(),
    ),
)


@pytest.fixture(params=DRIVERS)
def continuity(request, continuity):
    return coordinated(continuity, request.param)


def decisions():
    """A verdict about a site, with its row of the table as if every condition of it were met."""
    return st.builds(
        lambda verdict, site: decision(
            verdict,
            site,
            operator=[offer.action for offer in ROWS[verdict].operator],
            forbidden=[action for action in ROWS[verdict].forbidden if action != "everything else"],
        ),
        st.sampled_from(sorted(ROWS)),
        NOBODY_TOO,
    )


def requests(continuity):
    site_and_target = st.sampled_from([("fra", "ams"), ("ams", "fra")])
    hosts = deployment.plan_hosts(continuity)
    ended = ["", *CALL_NAMES, *changing(continuity), *undoing(continuity)]
    return st.builds(
        lambda sites, **drawn: request(continuity, failed_site=sites[0], to_site=sites[1], **drawn),
        site_and_target,
        scenario=st.sampled_from(sorted(PLANNERS)),
        ticket=TICKETS if has_ticket(continuity) else st.none(),
        databases=st.builds(roles, ROLES, ROLES),
        # Rarely are many hosts silent at once, and those are the plans that move something.
        reachable=st.one_of(
            st.sets(st.sampled_from(hosts), max_size=3).map(lambda silent: [one for one in hosts if one not in silent]),
            st.lists(st.sampled_from(hosts), unique=True),
        ),
        attested_by=st.sampled_from([[], ["alice"], ["alice", "bob"]]),
        allow_data_loss=st.sampled_from(["", RUN, "other"]),
        master=NOBODY_TOO,
        lag=st.sampled_from([None, 0, 5]),
        done=st.sets(st.sampled_from(ended)).map(lambda some: done(*filter(None, some))),
    )


@SWITCHING
@given(data=st.data())
def test_every_plan_holds_the_invariants(continuity, data):
    stored = data.draw(
        st.builds(
            state,
            NOBODY_TOO,
            failed_over=st.sampled_from([{}, {"fra": "call"}, {"fra": "config"}, {"ams": "call"}]),
        )
    )
    decided, asked = data.draw(decisions()), data.draw(requests(continuity))
    plan = PLANNERS[asked["scenario"]](continuity, decided, stored, asked)
    assert plan == json.loads(json.dumps(plan))
    assert len(plan_text(plan)) > 1
    assert plan["changes"] == any(step["door"] not in LOOKING for step in plan["steps"])
    in_its_order(continuity, plan)
    hosts_are_judged(continuity, asked, plan)
    one_writer_moves_whole_or_not_at_all(continuity, plan)
    nothing_promoted_without_a_fence(continuity, asked, plan)
    taken_back_only_what_was_not_promoted(continuity, asked, plan)


def in_its_order(continuity, plan):
    whole = [*SAVING, *moves(continuity), "resync_old", *LAST]
    if plan["scenario"] == "return_master":
        whole = undoing(continuity)
    places = [whole.index(name) for name in names(plan)]
    assert places == sorted(set(places))


def hosts_are_judged(continuity, asked, plan):
    theirs = deployment.site_hosts(continuity, plan["failed"])
    for step in [*plan["steps"], *plan["undo"]]:
        assert set(step["hosts"]) <= set(asked["reachable"])
        assert not set(step["skipped_hosts"]) & set(asked["reachable"])
        assert step["lost_hosts"] == [host for host in step["skipped_hosts"] if host not in theirs]


def one_writer_moves_whole_or_not_at_all(continuity, plan):
    moving = [name for name in names(plan) if name in changing(continuity)]
    if any(refusal["blocks"] in ("all", "configuration") for refusal in plan["refused"]):
        assert not plan["config_plane"] and not moving and not plan["undo"]
    if plan["config_plane"]:
        restarts = [name for name in changing(continuity) if name in RESTARTING]
        returns = plan["scenario"] == "return_master"
        assert moving in ([] if returns else changing(continuity), restarts)
    else:
        assert (moving, plan["fence"], plan["overrides"], plan["undo"]) == ([], None, [], [])


def nothing_promoted_without_a_fence(continuity, asked, plan):
    """Invariant 2, and that every kind of proof has where it comes from in this very plan."""
    if "promote_database" not in names(plan):
        assert plan["fence"] is None, "a fence for nothing"
        return
    kind, by = plan["fence"]["kind"], plan["fence"]["by"]
    proving = step_of(plan, "revoke_ticket" if has_ticket(continuity) else "fence")
    assert names(plan).index(proving["name"]) < names(plan).index("promote_database")
    old = deployment.configuration_hosts(continuity, plan["failed"])
    if kind == SEEN:
        seen = old if has_ticket(continuity) else [deployment.database_host(continuity, plan["failed"])]
        assert proving["hosts"] == seen
    elif kind == RUN_OUT:
        assert asked["ticket"]["armed"]
        assert proving["hosts"] == [deployment.database_host(continuity, plan["survivor"])]
    else:
        assert kind == ATTESTED and len(by) == 2
        assert any(host not in asked["reachable"] for host in old), "what can be reached is seen, whoever attests"
    if has_ticket(continuity):
        assert asked["ticket"]["holder"] != "unknown"


def taken_back_only_what_was_not_promoted(continuity, asked, plan):
    """Invariants 1 and 11: the undo gives back, promotes nothing, and stands only beside a promotion to come."""
    assert names(plan, "undo") in ([], undoing(continuity))
    assert not {step["door"] for step in plan["undo"]} & {"take_over", "release", "freeze", "resync"}
    if plan["undo"]:
        assert "promote_database" in names(plan)
        assert "promote_database" not in asked["done"]
        assert asked["databases"][plan["survivor"]]["role"] != "primary"
    if plan["scenario"] == "return_master":
        assert asked["databases"][plan["survivor"]]["role"] == "standby" or asked["ticket"]["holder"] is None
