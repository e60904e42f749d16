"""The Oracle SBC driver, against a REST interface made from its manual."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways import oracle
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import GatewayError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError

from .oracle_double import SITE1, SITE2, Device, running
from .serving import Manners, serve_http

Bench = tuple[dict[str, Any], Device]


@pytest.fixture
def bench() -> Iterator[Bench]:
    with running() as made:
        yield made


def attributes(source: list, name: str) -> dict[str, list[str]]:
    return next(one for _, one in source if [name] in (one.get("hostname"), one.get("group-name")))


def prefer(params: dict[str, Any], site: str) -> dict[str, Any]:
    return oracle.apply(params, oracle.plan(params, site), site)


def test_only_the_order_changes_and_it_is_saved_and_runs(bench: Bench) -> None:
    params, device = bench
    prefer(params, "site2")
    for source in (device.edited, device.saved, device.running):
        assert attributes(source, "SIPSERVERS")["dest"] == [SITE2, SITE1, "other.example"]
        assert attributes(source, SITE1)["state"] == ["enabled"]
    assert device.locked_by == ""
    assert [call for call in device.calls if call.startswith("PUT")] == [
        "PUT /rest/v1.1/configuration/configElements",
        "PUT /rest/v1.1/configuration/management?action=verify",
        "PUT /rest/v1.1/configuration/management?action=save",
    ]


def test_a_disabled_agent_is_enabled_and_restored_as_it_was(bench: Bench) -> None:
    params, device = bench
    for source in (device.edited, device.saved, device.running):
        attributes(source, SITE2)["state"] = ["disabled"]
    assert oracle.read(params)["targets"]["site2"]["admin"] == "out_of_service"
    before = device.text
    change = oracle.plan(params, "site2")
    assert change.undo == {"dest": [SITE1, SITE2, "other.example"], f"state {SITE2}": "disabled"}
    assert oracle.apply(params, change, "site2")["prefers"] == "site2"
    oracle.apply(params, oracle.plan_restore(params, change.undo), None)
    assert device.text == before


def test_an_agent_added_meanwhile_stays(bench: Bench) -> None:
    params, device = bench
    change = oracle.plan(params, "site2")
    oracle.apply(params, change, "site2")
    for source in (device.edited, device.saved, device.running):
        attributes(source, "SIPSERVERS")["dest"].append("new.example")
    oracle.apply(params, oracle.plan_restore(params, change.undo), None)
    assert attributes(device.running, "SIPSERVERS")["dest"] == [SITE1, SITE2, "other.example", "new.example"]


@pytest.mark.parametrize("action", ["verify", "save", "activate"])
def test_an_action_that_fails_is_named_and_the_lock_given_back(bench: Bench, action: str) -> None:
    params, device = bench
    device.refuses = action
    with pytest.raises(GatewayError, match=f"{action}: success within 2 s expected, failure met"):
        prefer(params, "site2")
    assert device.locked_by == ""
    assert attributes(device.running, "SIPSERVERS")["dest"][0] == SITE1
    device.refuses = ""
    assert prefer(params, "site2")["prefers"] == "site2"


def test_what_was_edited_and_never_activated_is_cleared(bench: Bench) -> None:
    params, device = bench
    device.refuses = "verify"
    with pytest.raises(GatewayError):
        prefer(params, "site2")
    device.refuses = ""
    change = oracle.plan(params, "site1")
    assert (change.needed, change.before == change.after) == (True, True)
    oracle.apply(params, change, "site1")
    assert attributes(device.edited, "SIPSERVERS")["dest"][0] == SITE1
    assert not oracle.plan(params, "site1").needed


def test_a_configuration_that_somebody_edits_is_left_alone(bench: Bench) -> None:
    params, device = bench
    device.locked_by = "somebody"
    before = device.text
    with pytest.raises(GatewayError, match="somebody else edits"):
        prefer(params, "site2")
    assert (device.text, device.locked_by) == (before, "somebody")
    assert any("somebody else" in item["evidence"] for item in oracle.readiness(params, ["site1"]) if not item["met"])


def test_a_device_that_keeps_another_order_is_found_out_before_it_is_saved(bench: Bench) -> None:
    params, device = bench
    device.sorts = True
    with pytest.raises(GatewayError, match="edited, not saved"):
        prefer(params, "site2")
    assert attributes(device.saved, "SIPSERVERS")["dest"][0] == SITE1


def test_what_was_activated_and_does_not_run_is_found_out(bench: Bench) -> None:
    params, device = bench
    device.forgets = True
    with pytest.raises(GatewayError, match="saved and activated"):
        prefer({**params, "action_deadline": 0.3}, "site2")
    assert device.locked_by == ""


def test_a_group_without_an_agent_in_service_is_refused(bench: Bench) -> None:
    params, device = bench
    change = oracle.plan(params, "site2")
    for source in (device.edited, device.saved, device.running):
        attributes(source, "SIPSERVERS")["dest"] = [SITE1, SITE2]
        attributes(source, SITE1)["state"] = ["disabled"]
    with pytest.raises(RefusedError, match="keeps an agent in service"):
        oracle.plan_restore(params, {**change.undo, f"state {SITE2}": "disabled"})


def test_an_agent_that_is_in_no_group_is_out_of_service_and_is_put_in(bench: Bench) -> None:
    params, device = bench
    for source in (device.edited, device.saved, device.running):
        attributes(source, "SIPSERVERS")["dest"] = [SITE1]
    site2 = oracle.read(params)["targets"]["site2"]
    assert (site2["admin"], site2["priority"]) == ("out_of_service", None)
    assert "no agent in it for site2" in oracle.readiness(params, ["site1", "site2"])[0]["evidence"]
    before = device.text
    change = oracle.plan(params, "site2")
    assert oracle.apply(params, change, "site2")["prefers"] == "site2"
    oracle.apply(params, oracle.plan_restore(params, change.undo), None)
    assert device.text == before


def test_a_group_that_does_not_hunt_has_no_order(bench: Bench) -> None:
    params, device = bench
    attributes(device.running, "SIPSERVERS")["strategy"] = ["RoundRobin"]
    assert oracle.read(params)["prefers"] is None
    with pytest.raises(RefusedError, match="strategy Hunt"):
        oracle.plan(params, "site2")
    assert not all(item["met"] for item in oracle.readiness(params, ["site1", "site2"]))


@pytest.mark.parametrize(("interval", "method", "met"), [("10", "OPTIONS", 1), ("0", "OPTIONS", 0), ("10", "", 0)])
def test_agents_must_be_pinged(bench: Bench, interval: str, method: str, met: bool) -> None:
    params, device = bench
    attributes(device.running, SITE2).update({"ping-interval": [interval], "ping-method": [method]})
    items = oracle.readiness(params, ["site1", "site2"])
    assert next(item for item in items if "agent of site2" in item["item"])["met"] == met


def test_the_password_is_refused_without_being_told(bench: Bench) -> None:
    params, _ = bench
    Path(params["password_file"]).write_text("hunter2\n")
    with pytest.raises(GatewayError, match="401") as caught:
        oracle.read(params)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"url": ""}, "url is needed"),
        ({"group": "NONE"}, "session-group with group-name NONE expected"),
        ({"targets": {"site1": "gone.example"}}, "session-agent with hostname gone.example"),
        ({"names": {"colour": "red"}}, "names has no colour"),
        ({"names": {"token_path": "/login"}}, "401"),
    ],
)
def test_wrong_options_are_named(bench: Bench, wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(GatewayError, match=named):
        oracle.read({**bench[0], **wrong})


@pytest.mark.parametrize("answer", ["<response/>", "<response><data>", '<!DOCTYPE a [<!ENTITY b "c">]><response/>'])
def test_an_answer_that_is_none_is_an_error(bench: Bench, answer: str) -> None:
    with serve_http(Manners(), lambda *_asked: (200, answer)) as url, pytest.raises(GatewayError, match="127.0.0.1"):
        oracle.read({**bench[0], "url": url})
