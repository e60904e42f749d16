"""The OpenSIPS driver, against a dispatcher made from its manual."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways import opensips
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import GatewayError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError

from .opensips_double import SITE1, SITE2, Device, running
from .serving import Manners, serve_http

Bench = tuple[dict[str, Any], Device]


@pytest.fixture
def bench() -> Iterator[Bench]:
    with running() as made:
        yield made


def prefer(params: dict[str, Any], site: str) -> dict[str, Any]:
    return opensips.apply(params, opensips.plan(params, site), site)


def test_the_other_site_is_taken_out_and_comes_back(bench: Bench) -> None:
    params, device = bench
    assert prefer(params, "site2")["targets"]["site1"]["admin"] == "out_of_service"
    assert device.text.splitlines() == [f"1 {SITE1} Inactive", f"1 {SITE2} Active", "2 sip:10.9.9.9:5060 Active"]
    prefer(params, "site1")
    assert [row["state"] for row in device.table] == ["Active"] * 3


def test_a_script_that_does_not_go_by_order_needs_the_other_site_out(bench: Bench) -> None:
    params, device = bench
    params["in_order"] = False
    assert opensips.read(params)["prefers"] is None
    assert prefer(params, "site1")["prefers"] == "site1"
    assert [row["state"] for row in device.table] == ["Active", "Inactive", "Active"]


def test_a_site_that_its_pings_found_dead_does_not_become_the_only_one(bench: Bench) -> None:
    params, device = bench
    device.state(SITE2, "p")
    with pytest.raises(RefusedError, match=f"{SITE2} Probing"):
        opensips.plan(params, "site2")
    assert device.text.splitlines()[0] == f"1 {SITE1} Active"


def test_what_was_taken_out_can_be_put_back_whatever_became_of_the_other(bench: Bench) -> None:
    params, device = bench
    change = opensips.plan(params, "site2")
    opensips.apply(params, change, "site2")
    device.state(SITE2, "p")
    opensips.apply(params, opensips.plan_restore(params, change.undo), None)
    assert device.table[0]["state"] == "Active"


def test_probing_is_down_and_inactive_is_unknown(bench: Bench) -> None:
    params, device = bench
    device.state(SITE1, "p")
    assert opensips.read(params)["targets"]["site1"]["oper"] == "down"
    device.state(SITE1, "i")
    assert opensips.read(params)["targets"]["site1"]["oper"] == "unknown"


def test_active_is_up_only_where_somebody_pings(bench: Bench) -> None:
    params, _ = bench
    assert opensips.read(params)["targets"]["site2"]["oper"] == "unknown"
    assert opensips.read({**params, "keepalive": 10})["targets"]["site2"]["oper"] == "up"


def test_half_a_change_says_what_was_done(bench: Bench) -> None:
    params, device = bench
    device.state(SITE2, "i")
    device.fails_on = SITE1
    with pytest.raises(GatewayError, match=f"failed; done before that: ds_set_state a default:1 {SITE2}"):
        prefer(params, "site2")


def test_a_destination_of_nobody_is_left_as_it_is(bench: Bench) -> None:
    params, device = bench
    device.table.append({**device.table[2], "setid": 1})
    prefer(params, "site2")
    assert device.table[3]["state"] == "Active"


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"set": 7}, "default:7 has no destination"),
        ({"partition": "west"}, "west:1"),
        ({"targets": {}}, "no site found"),
    ],
)
def test_a_set_or_target_that_is_not_there_is_named(bench: Bench, options: dict[str, Any], named: str) -> None:
    with pytest.raises(GatewayError, match=named):
        opensips.plan({**bench[0], **options}, "site2")


@pytest.mark.parametrize(
    "result",
    ["{}", "[]", '{"PARTITIONS": [{"name": "default", "SETS": [{"id": 1, "Destinations": [{"URI": "sip:a"}]}]}]}']
    + ['{"PARTITIONS": [{"name": "default", "SETS": [{"id": 1, "Destinations": [{"URI": "a", "state": "Odd"}]}]}]}'],
)
def test_a_list_of_another_shape_is_an_error(result: str) -> None:
    def handle(_method: str, _path: str, _headers: dict, body: str) -> tuple[int, str]:
        number = body.split('"id": ')[1].split("}")[0].split(",")[0]
        return 200, f'{{"jsonrpc": "2.0", "id": {number}, "result": {result}}}'

    with serve_http(Manners(), handle) as url, pytest.raises(GatewayError, match="ds_list at"):
        opensips.read({"mi_url": f"{url}/mi", "targets": {"site1": "sip:a"}})


@pytest.mark.parametrize(
    ("options", "met"),
    [({}, True), ({"keepalive_required": True}, False), ({"keepalive": 10}, True), ({"keepalive": 30}, False)],
)
def test_the_keepalive_is_what_the_options_say(bench: Bench, options: dict[str, Any], met: bool) -> None:
    items = opensips.readiness({**bench[0], **options}, ["site1", "site2"])
    assert next(item for item in items if "pings" in item["item"])["met"] is met


def test_explain_says_what_stands_before(bench: Bench) -> None:
    lines = opensips.explain(bench[0], "site2")
    assert lines[0] == "opensips-cli -x mi ds_set_state a default:1 site2"
    assert lines[1].startswith(f"opensips-cli -x mi ds_set_state i default:1 {SITE1}")


def test_a_state_that_does_not_stay_is_found_out(bench: Bench) -> None:
    params, device = bench
    change = opensips.plan(params, "site2")
    device.forgets = True
    with pytest.raises(GatewayError, match="ds_set_state i default:1 .* expected, .*ds_set_state a default:1 .* met"):
        opensips.apply(params, change, "site2")


def test_one_of_several_destinations_between_the_preferred_ones_is_taken_out(bench: Bench) -> None:
    params, device = bench
    third = "sip:10.71.1.101:5060"
    device.table.insert(2, {**device.table[0], "destination": third})
    params["targets"]["site1"] = "site1"
    assert opensips.read(params)["prefers"] is None
    change = opensips.plan(params, "site1")
    assert change.undo == {f"default:1 {SITE2}": "a"}
    assert opensips.apply(params, change, "site1")["prefers"] == "site1"
    device.state(third, "i")
    assert opensips.read(params)["prefers"] is None
