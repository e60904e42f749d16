# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each guard left out gives a counterexample, or names which others cover it: then leaving those out too gives one."""

from __future__ import annotations

import model_guard
import model_plan
import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import plan_steps
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import core
from model_explorer import explore, in_words
from model_faults import first, successors
from model_mutations import LEFT_OUT
from model_setting import Setting
from model_settings import FAILOVER, MOVE
from model_site import turned
from model_world import about, wrong

LIMIT = 200_000
ALONE = [left for left in LEFT_OUT if not left.covered_by]
COVERED = [left for left in LEFT_OUT if left.covered_by]


def looked(setting, limit=LIMIT):
    """What is found in a world, printed where something is."""
    explored = explore(first(setting), successors(setting), wrong, limit=limit)
    if explored.found:
        print(f"{setting.name}, without {', '.join(sorted(setting.without)) or 'nothing'}:")
        print(in_words(explored.found, about))
    return explored


def without(left, *guards):
    """The world of a guard, with some left out."""
    return left.seen._replace(without=frozenset(guards))


@pytest.mark.parametrize("left", ALONE, ids=lambda left: left.guard)
def test_a_guard_left_out_is_missed(left):
    assert looked(without(left, left.guard)).found


@pytest.mark.parametrize("left", COVERED, ids=lambda left: left.guard)
def test_a_guard_that_is_covered_is_missed_with_those_that_cover_it(left):
    assert looked(without(left, left.guard, *left.covered_by)).found


@pytest.fixture
def changed_code():
    """Answers of the real code are forgotten before and after it is changed."""
    forget()
    yield
    forget()


def forget():
    """Ask the real code anew."""
    model_guard.forget()
    turned.cache_clear()
    for remembered in (model_plan._made, model_plan.moving, model_plan.ordered, model_plan.hosts_of, model_plan.goes):
        remembered.cache_clear()


CUT_OFF = Setting("site1 cut off", (FAILOVER,), faults=("isolated",), many=1)


def test_a_lease_counted_from_the_answer_is_too_long(monkeypatch, changed_code):
    """A lease that is counted from when a slow answer came outlives ticket_take."""
    real = core.Guard.reply
    late = 2 * model_guard.HOLD

    def reply(self, request, sent_at, now, outcome):
        real(self, request, sent_at + late, now + late, outcome)

    monkeypatch.setattr(core.Guard, "reply", reply)
    assert looked(CUT_OFF).found


def test_nothing_spares_once_an_armed_write_was_sent(monkeypatch, changed_code):
    """A defect that this model found: the store heard that the host is armed, and the host did not hear it back."""
    real = core.Guard.request

    def request(self, now):
        spared = self._spared_until
        wanted = real(self, now)
        self._spared_until = spared
        return wanted

    monkeypatch.setattr(core.Guard, "request", request)
    world = Setting("armed again, and cut off", (FAILOVER,), faults=("disarm", "gone"), many=3, struck=(0,))
    assert looked(world, 400_000).found


def test_another_order_of_the_steps_is_noticed(monkeypatch, changed_code):
    """Revoke, fence, promote: the other way round no plan gets anywhere, and with the proofs left out it is wrong."""
    steps = list(plan_steps.WITH_TICKET)
    names = [step.name for step in steps]
    steps.insert(names.index("revoke_ticket"), steps.pop(names.index("promote_database")))
    monkeypatch.setattr(plan_steps, "WITH_TICKET", tuple(steps))
    world = Setting("promoted before the ticket is revoked", (MOVE,), "async")
    ends = set()
    explored = explore(first(world), successors(world), wrong, visit=lambda state, _: ends.add(state.last))
    assert explored.found is None
    assert "done" not in ends
    asked = ("fence asked for before", "fence asked for at the commit", "lease asked for before")
    others = ("lease asked for at the commit", "lag, asked at the door", "wrapper", "killed again without a lease")
    bare = world._replace(without=frozenset((*asked, *others, "writes frozen first")))
    assert looked(bare).found
