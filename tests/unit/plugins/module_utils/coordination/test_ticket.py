# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may take, renew, revoke and grant the ticket, and what is concluded from it."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import ticket
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError

RUN = {"id": "run-1", "token": 7}
SITE1 = ("s1-cfg", "s1-db")
SITE2 = ("s2-cfg",)


@pytest.fixture
def held() -> ticket.Ticket:
    """Held by site1, both hosts armed, its standby synchronous."""
    seed = ticket.first("site1", SITE1)
    one = ticket.acquired(seed, "site1", "s1-cfg", SITE1, armed=True)
    both = ticket.acquired(one, "site1", "s1-db", SITE1, armed=True)
    return ticket.renewed(both, "s1-db", armed=True, sync=True)


def test_the_seed_is_for_one_site_and_proves_nothing():
    seed = ticket.first("site1", SITE1)
    assert ticket.read_ticket(seed) == seed
    assert [ticket.may_acquire(seed, site) for site in ("site1", "site2")] == [True, False]
    assert ticket.observed(seed) == {"holder": None, "revoked_from": None, "armed": False, "sync": False}


def test_every_change_counts_so_that_a_renewal_is_one(held):
    again = ticket.renewed(held, "s1-db", armed=True, sync=True)
    assert again == {**held, "n": held["n"] + 1}


def test_armed_is_a_ticket_only_when_all_its_hosts_are(held):
    assert ticket.observed(held) == {"holder": "site1", "revoked_from": None, "armed": True, "sync": True}
    off = ticket.renewed(held, "s1-cfg", armed=False, sync=True)
    assert off["armed"] == ["s1-db"]
    assert not ticket.observed(off)["armed"]


def test_a_disarmed_ticket_proves_nothing_until_a_write_ends_the_disarming(held):
    off = ticket.disarmed(held, "2026-01-31T03:14:15Z")
    kept = ticket.renewed(off, "s1-cfg", armed=True, sync=True)
    assert kept["disarmed_until"] == "2026-01-31T03:14:15Z"
    assert not ticket.observed(kept)["armed"]
    assert not ticket.observed(ticket.revoked(kept, "site1", RUN))["armed"]
    assert ticket.observed(ticket.disarmed(kept, None))["armed"]


def test_a_revocation_keeps_what_may_be_concluded(held):
    taken = ticket.revoked(held, "site1", RUN)
    assert ticket.observed(taken) == {"holder": None, "revoked_from": "site1", "armed": True, "sync": True}
    assert (taken["hosts"], taken["run"], taken["for"]) == (list(SITE1), RUN, None)
    assert [ticket.may_acquire(taken, site) for site in ("site1", "site2")] == [False, False]


def test_a_move_ends_with_the_other_site_alone(held):
    given = ticket.granted(ticket.revoked(held, "site1", RUN), "site2", RUN)
    assert given["revoked_from"] == "site1"
    moved = ticket.acquired(given, "site2", "s2-cfg", SITE2, armed=False)
    assert (moved["holder"], moved["revoked_from"], moved["run"], moved["for"]) == ("site2", None, None, None)
    assert (moved["hosts"], moved["armed"], moved["sync"]) == (["s2-cfg"], [], False)
    with pytest.raises(RefusedError, match="held by site2"):
        ticket.acquired(moved, "site1", "s1-cfg", SITE1, armed=True)


def test_a_disarming_ends_with_a_change_of_the_holder(held):
    off = ticket.disarmed(held, "2026-01-31T03:14:15Z")
    given = ticket.granted(ticket.revoked(off, "site1", RUN), "site2", RUN)
    assert ticket.acquired(given, "site2", "s2-cfg", SITE2, armed=True)["disarmed_until"] is None
    assert ticket.acquired(off, "site1", "s1-cfg", SITE1, armed=True)["disarmed_until"]


def test_another_run_revokes_what_is_revoked_and_changes_only_whose_it_is(held):
    taken = ticket.revoked(held, "site1", RUN)
    newer = {"id": "run-2", "token": 8}
    again = ticket.revoked(taken, "site1", newer)
    assert again == {**taken, "n": taken["n"] + 1, "run": newer, "by": "run-2"}
    given = ticket.granted(taken, "site2", RUN)
    assert ticket.revoked(given, "site1", newer)["for"] == "site2"


def test_the_way_back_is_granted_without_another_revocation(held):
    given = ticket.granted(ticket.revoked(held, "site1", RUN), "site2", RUN)
    back = ticket.granted(given, "site1", RUN)
    assert ticket.may_acquire(back, "site1")
    assert ticket.acquired(back, "site1", "s1-cfg", SITE1, armed=True)["revoked_from"] is None


def test_after_the_way_back_a_move_begins_with_a_revocation(held):
    back = ticket.granted(ticket.revoked(held, "site1", RUN), "site1", RUN)
    with pytest.raises(RefusedError, match="granted to site1"):
        ticket.granted(back, "site2", RUN)
    taken = ticket.revoked(back, "site1", RUN)
    assert (taken["for"], ticket.may_acquire(taken, "site1")) == (None, False)
    assert ticket.observed(taken)["armed"]
    assert ticket.may_acquire(ticket.granted(taken, "site2", RUN), "site2")


def test_of_a_grant_that_nobody_took_nothing_is_concluded(held):
    given = ticket.granted(ticket.revoked(held, "site1", RUN), "site2", RUN)
    taken = ticket.revoked(given, "site2", RUN)
    assert ticket.observed(taken) == {"holder": None, "revoked_from": "site2", "armed": False, "sync": False}


@pytest.mark.parametrize("site", ["site1", "site2"])
def test_a_held_ticket_is_granted_to_nobody(held, site):
    with pytest.raises(RefusedError, match="held by site1"):
        ticket.granted(held, site, RUN)


def test_a_ticket_is_revoked_only_from_the_site_that_has_it(held):
    with pytest.raises(RefusedError, match="held by site1"):
        ticket.revoked(held, "site2", RUN)
    with pytest.raises(RefusedError, match="revoked from site1, by run run-1 with token 7"):
        ticket.revoked(ticket.revoked(held, "site1", RUN), "site2", RUN)


def test_only_a_host_of_the_holder_renews(held):
    with pytest.raises(RefusedError, match="s2-cfg is none of s1-cfg, s1-db"):
        ticket.renewed(held, "s2-cfg", armed=True, sync=True)
    with pytest.raises(RefusedError, match="revoked from site1"):
        ticket.renewed(ticket.revoked(held, "site1", RUN), "s1-cfg", armed=True, sync=True)


def test_a_second_host_of_the_holder_joins_it(held):
    joined = ticket.acquired(held, "site1", "s1-cfg", (*SITE1, "s1-new"), armed=False)
    assert (joined["hosts"], joined["armed"], joined["sync"]) == (["s1-cfg", "s1-db", "s1-new"], ["s1-db"], True)


def test_guards_of_two_versions_understand_each_other():
    older = {key: value for key, value in ticket.first("site1", SITE1).items() if key != "took_sync"}
    assert ticket.read_ticket(older) == ticket.first("site1", SITE1)
    newer = {**ticket.first("site1", SITE1), "colour": "blue"}
    assert ticket.read_ticket(newer) == newer
    assert ticket.acquired(newer, "site1", "s1-cfg", SITE1, True)["colour"] == "blue"


@pytest.mark.parametrize("value", [None, [], "site1", {}, {"holder": "site1"}])
def test_what_is_no_ticket_is_none(value):
    assert ticket.read_ticket(value) is None


def test_a_holder_s_hosts_promise_in_what_time_they_kill_and_the_next_holder_anew():
    given = ticket.first("site1", SITE1)
    one = ticket.promised(ticket.acquired(given, "site1", "s1-cfg", SITE1, True), "s1-cfg", 12.0)
    both = ticket.promised(ticket.acquired(one, "site1", "s1-db", SITE1, True), "s1-db", 20.0)
    assert given["kills_within"] == {}
    assert both["kills_within"] == {"s1-cfg": 12.0, "s1-db": 20.0}
    taken = ticket.revoked(both, "site1", RUN)
    assert taken["kills_within"] == both["kills_within"]
    moved = ticket.acquired(ticket.granted(taken, "site2", RUN), "site2", "s2-cfg", SITE2, True)
    assert moved["kills_within"] == {}
