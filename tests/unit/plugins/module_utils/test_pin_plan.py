# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan that pins and unpins: when the verdict offers it, through one master, where what stood before is kept."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_unlocks import ROWS
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.deployment import coordination_hosts, observers
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.pin_plan import PIN, UNPIN, pin_plan, pins_kept
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_text import plan_text

SAVED = {"Application SIP_Server_FRA": {"[TServer] dr-peer-trunk": "trunk_to_ams"}}


def decision(verdict="TRUNK_OOS", operator=("pin_single_site",)):
    return {"verdict": verdict, "site": None, "evidence": ["both trunks are down"], "operator": list(operator)}


def request(continuity, **more):
    base = {"scenario": "pin", "run_id": "r1", "pin": PIN, "pin_by": "alice", "pin_sites": ["fra", "ams"], "at": "t0"}
    hosts = [*observers(continuity), "fra-cfg", "ams-cfg"]
    return {**base, "masters": ["fra"], "reachable": hosts, "pinned": {}, "divergence": None, **more}


def plan(continuity, said=None, **more):
    return pin_plan(continuity, said or decision(), {}, request(continuity, **more))


def guards(made):
    return [refused["guard"] for refused in made["refused"]]


def test_one_host_of_each_site_pins_it_under_the_lock(continuity):
    made = plan(continuity)
    (step,) = made["steps"]
    assert (step["name"], step["role"], step["door"]) == ("pin_single_site", "sip_server", "pin")
    assert step["hosts"] == ["fra-dr-1", "ams-dr-1"]
    assert (made["config_plane"], made["changes"], made["refused"], made["undo"]) == (True, True, [], [])
    assert (made["survivor"], made["failed"]) == ("fra", "ams"), "the master's site is the survivor"
    words = plan_text(made)
    assert words[0] == "Run r1, pin fra and ams: the configuration at fra takes writes."
    assert "Asked for by alice." in words


def test_one_site_alone_and_another_vantage_host_where_the_first_is_silent(continuity):
    silent = [host for host in observers(continuity) if host != "ams-dr-1"]
    made = plan(continuity, pin_sites=["ams"], reachable=[*silent, "fra-cfg"], masters=["ams"])
    assert made["steps"][0]["hosts"] == ["ams-dr-2"]
    assert made["survivor"] == "ams"


@pytest.mark.parametrize("verdict", ROWS)
def test_a_pin_is_made_only_where_the_verdict_offers_it(continuity, verdict):
    offered = [offer.action for offer in ROWS[verdict].operator]
    made = plan(continuity, decision(verdict, offered))
    assert guards(made) == ([] if "pin_single_site" in offered else ["verdict"])
    assert bool(made["steps"]) == ("pin_single_site" in offered)


@pytest.mark.parametrize("verdict", ROWS)
def test_unpinning_needs_only_that_somebody_knows_what_is_true(continuity, verdict):
    made = plan(continuity, decision(verdict, []), pin=UNPIN)
    assert guards(made) == (["verdict"] if verdict in ("OBSERVER_BLIND", "BOTH_DOWN", "DUAL_MASTER") else [])


@pytest.mark.parametrize("masters", [[], ["fra", "ams"]])
@pytest.mark.parametrize("door", [PIN, UNPIN])
def test_without_one_writable_master_it_is_refused_and_names_the_mode_that_comes_by_itself(continuity, masters, door):
    made = plan(continuity, masters=masters, pin=door)
    (refused,) = made["refused"]
    assert refused["guard"] == "writable_master"
    assert "comes by itself while the inter-site trunk is out of service" in refused["way"]
    assert made["steps"] == [] and made["changes"] is False


def test_nobody_holds_the_lock_where_no_store_answers(continuity):
    stores = coordination_hosts(continuity)
    reachable = [host for host in observers(continuity) if host not in stores]
    assert guards(plan(continuity, reachable=reachable)) == ["coordination"]


def test_a_site_without_a_host_that_answers_is_refused_by_name(continuity):
    reachable = [host for host in request(continuity)["reachable"] if not host.startswith("ams-dr")]
    made = plan(continuity, reachable=reachable)
    assert [(one["guard"], one["blocks"]) for one in made["refused"]] == [("vantage", "pin")]
    assert "No host inside ams can be reached (ams-dr-1, ams-dr-2)" in made["refused"][0]["evidence"]


def test_unpinning_asks_the_host_that_keeps_what_stood_before(continuity):
    assert plan(continuity, pin=UNPIN, pin_sites=["fra"])["steps"][0]["hosts"] == ["fra-dr-1", "fra-dr-2"]
    pinned = {"fra": {"host": "fra-dr-2", "saved": SAVED}}
    made = plan(continuity, pin=UNPIN, pin_sites=["fra"], pinned=pinned)
    assert made["steps"][0]["hosts"] == ["fra-dr-2"]
    assert plan(continuity, pin_sites=["fra"], pinned=pinned)["steps"][0]["hosts"] == ["fra-dr-2"], "and pins again"
    gone = [host for host in request(continuity)["reachable"] if host != "fra-dr-2"]
    refused = plan(continuity, pin=UNPIN, pin_sites=["fra"], pinned=pinned, reachable=gone)["refused"][0]
    assert "was pinned by fra-dr-2" in refused["evidence"] and "trunk_to_ams" in refused["evidence"]


def test_sites_whose_databases_parted_are_not_peered_again(continuity):
    divergence = {"run_id": "r0", "status": "open"}
    made = plan(continuity, pin=UNPIN, divergence=divergence)
    assert guards(made) == ["divergence"]
    assert "heal.yml" in made["refused"][0]["way"]
    assert plan(continuity, divergence=divergence)["refused"] == []
    assert plan(continuity, pin=UNPIN, divergence={**divergence, "status": "reconciled"})["refused"] == []


def test_who_keeps_what_is_remembered_and_forgotten(continuity):
    made = plan(continuity)
    failed = {
        "fra-dr-1": {"__sip_server_pinned": {"saved": SAVED}},
        "ams-dr-1": {"__sip_server_pinned": {"failed": True}},
    }
    kept = pins_kept(made, {}, failed, continuity)
    assert kept == {"fra": {"host": "fra-dr-1", "by": "alice", "at": "t0", "run_id": "r1", "saved": SAVED}}
    undone = plan(continuity, pin=UNPIN, pin_sites=["fra"], pinned=kept)
    assert pins_kept(undone, kept, {"fra-dr-1": {}}, continuity) == kept, "not done"
    assert pins_kept(undone, kept, {"fra-dr-1": {"__sip_server_pinned": {"saved": SAVED}}}, continuity) == {}
