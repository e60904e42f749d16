"""What every gateway driver does, whatever its make: the same questions to each, against a double that has a store.

A double `<name>_double.py` exports `running()`, a context manager of (options, device): site1 and site2 are known and
in service, site1 is preferred and saved. The device has `silent()` and `garbage()`, and `text`: what survives its
reboot.
"""

from __future__ import annotations

import importlib
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.actions import (
    Gateway,
    gateway_of,
    record_here,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import (
    Driver,
    GatewayError,
    options_of,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.registry import DRIVERS
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import run_step

DOUBLES = {"kamailio": "dispatcher"}
SITES = ["site1", "site2"]
STATE = {"state", "admin", "oper", "priority", "uri"}


class Bench(NamedTuple):
    name: str
    driver: Driver
    params: dict[str, Any]
    device: Any
    state_dir: str

    def gateway(self, check_mode: bool = False) -> Gateway:
        return gateway_of(self.name, self.params, record_here(self.state_dir), check_mode)

    def go(self, door: str, *site: str, check_mode: bool = False) -> bool:
        with run_step(None, self.state_dir, check_mode) as step:
            return getattr(self.gateway(check_mode), door)(*site, step).changed

    @property
    def prefers(self) -> str | None:
        return self.driver.read(self.params)["prefers"]

    @property
    def text(self) -> str:
        """The configuration as the driver shows it, and as the device keeps it over a reboot."""
        return f"{self.driver.plan(self.params, 'site1').before}\n---\n{self.device.text}"


@pytest.fixture(params=sorted(DRIVERS))
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    name = request.param
    double = importlib.import_module(f".{DOUBLES.get(name, f'{name}_double')}", __package__)
    with double.running() as (params, device):
        yield Bench(name, DRIVERS[name], params, device, str(tmp_path))


def test_it_reads_both_sites_and_keeps_the_two_kinds_of_state_apart(bench: Bench) -> None:
    found = bench.driver.read(bench.params)
    assert set(found) == {"targets", "prefers"}
    assert set(SITES) <= set(found["targets"])
    for target in found["targets"].values():
        assert set(target) >= STATE
        assert target["admin"] in ("in_service", "out_of_service")
        assert target["oper"] in ("up", "down", "partial", "unknown")
    assert found["prefers"] == "site1"


def test_a_gateway_that_stands_right_is_left_alone(bench: Bench) -> None:
    before = bench.text
    assert bench.go("prefer", "site1") is False
    assert bench.text == before


def test_preferring_a_site_a_second_time_is_not_needed(bench: Bench) -> None:
    assert bench.go("prefer", "site2") is True
    assert bench.prefers == "site2"
    assert not bench.driver.plan(bench.params, "site2").needed
    assert bench.go("prefer", "site2") is False


def test_a_change_reaches_what_survives_a_reboot(bench: Bench) -> None:
    before = bench.device.text
    bench.go("prefer", "site2")
    assert bench.device.text != before


def test_what_is_planned_is_what_then_stands(bench: Bench) -> None:
    planned = bench.driver.plan(bench.params, "site2")
    assert planned.needed and planned.undo
    bench.go("prefer", "site2")
    assert bench.driver.plan(bench.params, "site2").before == planned.after


def test_restore_puts_back_the_text_of_the_beginning(bench: Bench) -> None:
    before = bench.text
    bench.go("prefer", "site2")
    assert bench.go("restore") is True
    assert bench.text == before
    assert bench.prefers == "site1"


def test_restore_after_going_to_and_fro_is_the_beginning_too(bench: Bench) -> None:
    before = bench.text
    for site in ("site2", "site1", "site2"):
        bench.go("prefer", site)
    bench.go("restore")
    assert bench.text == before


def test_check_mode_changes_nothing(bench: Bench) -> None:
    before = bench.text
    assert bench.go("prefer", "site2", check_mode=True) is True
    assert bench.text == before
    assert bench.gateway().observe().gateway["prefers"] == "site1"


def test_some_site_is_in_service_whatever_is_preferred(bench: Bench) -> None:
    for site in ("site2", "site1"):
        bench.go("prefer", site)
        assert bench.driver.read(bench.params)["targets"][site]["admin"] == "in_service"


def test_a_site_that_is_not_known_is_an_error_that_names_it(bench: Bench) -> None:
    before = bench.text
    with pytest.raises(GatewayError, match="site3"):
        bench.driver.plan(bench.params, "site3")
    assert bench.text == before


def test_an_unknown_option_is_refused_by_name(bench: Bench) -> None:
    with pytest.raises(GatewayError, match="colour"):
        gateway_of(bench.name, {**bench.params, "colour": "red"}, record_here(bench.state_dir), False)


def test_an_option_of_another_type_is_refused_by_name(bench: Bench) -> None:
    name = next(name for name, default in bench.driver.DEFAULTS.items() if isinstance(default, float))
    with pytest.raises(GatewayError, match=name):
        bench.driver.read({**bench.params, name: "soon"})


def test_every_default_is_an_option_and_every_option_of_the_double_exists(bench: Bench) -> None:
    assert set(bench.params) <= set(bench.driver.DEFAULTS)
    assert set(options_of(bench.driver.DEFAULTS, bench.params)) == set(bench.driver.DEFAULTS)


@pytest.mark.parametrize("act", ["read", "plan"])
def test_a_silent_device_is_an_error_in_time(bench: Bench, act: str) -> None:
    begin = time.monotonic()
    arguments = ["site2"] if act == "plan" else []
    with bench.device.silent(), pytest.raises(GatewayError):
        getattr(bench.driver, act)(bench.params, *arguments)
    assert time.monotonic() - begin < 5
    assert bench.prefers == "site1"


@pytest.mark.parametrize("act", ["read", "plan"])
def test_nonsense_is_an_error_and_changes_nothing(bench: Bench, act: str) -> None:
    before = bench.text
    arguments = ["site2"] if act == "plan" else []
    with bench.device.garbage(), pytest.raises(GatewayError):
        getattr(bench.driver, act)(bench.params, *arguments)
    assert bench.text == before


def test_a_gateway_that_died_meanwhile_is_preferred_at_the_next_try(bench: Bench) -> None:
    planned = bench.driver.plan(bench.params, "site2")
    with bench.device.silent(), pytest.raises(GatewayError):
        bench.driver.apply({**bench.params, **_short(bench.driver)}, planned, "site2")
    assert bench.go("prefer", "site2") is True
    assert bench.prefers == "site2"


def _short(driver: Driver) -> dict[str, float]:
    return {name: 0.3 for name in driver.DEFAULTS if name.endswith("_deadline")}


def test_readiness_says_what_is_missing_and_the_way(bench: Bench) -> None:
    items = bench.driver.readiness(bench.params, SITES)
    assert [item for item in items if not item["met"]] == []
    assert all(set(item) == {"item", "met", "evidence", "way"} for item in items)
    unmet = [item for item in bench.driver.readiness(bench.params, ["site1", "site3"]) if not item["met"]]
    assert any("site3" in item["evidence"] for item in unmet)


def test_readiness_of_a_silent_device_is_an_answer(bench: Bench) -> None:
    with bench.device.silent():
        assert not all(item["met"] for item in bench.driver.readiness(bench.params, SITES))


def test_readiness_changes_nothing(bench: Bench) -> None:
    before = bench.text
    bench.driver.readiness(bench.params, SITES)
    assert bench.text == before


def test_explain_names_the_sites_target_and_asks_nobody(bench: Bench) -> None:
    with bench.device.silent():
        begin = time.monotonic()
        lines = bench.driver.explain(bench.params, "site2")
        assert time.monotonic() - begin < 0.3
    target = str(bench.params.get("targets", {}).get("site2", "duid=site2"))
    assert any(target in line for line in lines)
    assert all(isinstance(line, str) and "\n" not in line for line in lines)


def test_no_secret_is_in_any_text(bench: Bench) -> None:
    files = [*bench.params.get("secrets", {}).values(), bench.params.get("password_file", "")]
    secrets = [Path(name).read_text().strip() for name in files if name]
    change = bench.driver.plan(bench.params, "site2")
    told = f"{change} {bench.driver.explain(bench.params, 'site2')} {bench.driver.read(bench.params)}"
    told += str(bench.driver.readiness(bench.params, SITES))
    assert not [secret for secret in secrets if re.search(re.escape(secret), told)]
