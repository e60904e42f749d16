"""What the plan tells a person of gateways that it does not reach."""

from __future__ import annotations

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.by_hand import with_by_hand

CUBE = {"driver": "cisco_cube", "driver_options": {"targets": {"site1": 1001, "site2": 1002}}}
WRONG = {"driver": "nobody"}


def plan(*skipped: str) -> dict:
    steps = [{"name": name, "skipped_hosts": list(skipped)} for name in ("prefer_survivor", "verify_call_plane")]
    return {"survivor": "site2", "steps": steps}


def test_each_gateway_that_is_not_reached_gets_its_own_lines() -> None:
    continuity = {"continuity_gateways": {"cube": CUBE, "wrong": WRONG}}
    prefer, verify = with_by_hand(continuity, plan("cube", "wrong"))["steps"]
    assert any(line.startswith("dial-peer voice 1002 voip") for line in prefer["by_hand"]["cube"])
    assert prefer["by_hand"]["wrong"][0].startswith("not known: ")
    assert "by_hand" not in verify


def test_where_all_are_reached_the_plan_stays_as_it_is() -> None:
    assert with_by_hand({"continuity_gateways": {"cube": CUBE}}, plan()) == plan()
