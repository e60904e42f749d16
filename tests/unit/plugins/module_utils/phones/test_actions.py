"""Moving phones, putting them back, counting them, against registrars and phones on real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.actions import (
    Fleet,
    Report,
    Timing,
    TooFewPhonesError,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import (
    PhoneError,
    Server,
    phone_of,
    server_of,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.provisioning import Provisioning
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import run_step
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.client import SipClient

from .exchange import Exchange, running

SINGLE = {f"10{number}": f"0015650000{number}" for number in (21, 22, 23)}


class Bench(NamedTuple):
    exchange: Exchange
    fleet: Fleet

    def go(self, door: str, *site: str, check_mode: bool = False) -> Report:
        fleet = replace(self.fleet, check_mode=check_mode)
        with run_step(None, fleet.state_dir, check_mode) as step:
            return getattr(fleet, door)(*site, step)

    def files(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in self.exchange.directory.iterdir()}

    def at(self, site: str) -> set[str]:
        return self.exchange.bindings[self.fleet.servers[site].port]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    directory = tmp_path / "provisioning"
    directory.mkdir()
    with running(directory) as exchange:
        servers = {site: Server("127.0.0.1", exchange.registrar()) for site in ("site1", "site2")}
        phones = [{"name": "agent-1001", "dn": "1001", "registration": "dual", "address": "127.0.0.1"}]
        for dn, mac in SINGLE.items():
            port = exchange.phone(dn, mac, servers["site1"].port)
            single = {"registration": "single", "driver": "yealink", "mac": mac, "port": port}
            phones.append({"name": f"agent-{dn}", "dn": dn, "address": "127.0.0.1", **single})  # type: ignore[dict-item]
        for server in servers.values():
            exchange.bindings[server.port].add("1001")
        yield Bench(
            exchange,
            Fleet(
                phones=[phone_of(data, "phones") for data in phones],
                servers=servers,
                provisioning=Provisioning(directory),
                client=SipClient(t1=0.05, tries=3, deadline=0.3),
                timing=Timing(deadline=1.0, interval=0.02, notify_rate=50),
                state_dir=str(tmp_path / "state"),
            ),
        )


def test_the_single_ones_move_and_all_are_counted(bench: Bench) -> None:
    report = bench.go("move", "site2")
    assert report.changed
    assert report.registered == ["agent-1001", "agent-1021", "agent-1022", "agent-1023"]
    assert set(report.notified.values()) == {200}
    assert bench.at("site2") == {"1001", *SINGLE}
    assert f".port = {bench.fleet.servers['site2'].port}\n" in bench.files()["001565000021.cfg"]


def test_a_second_move_changes_nothing_and_disturbs_no_phone(bench: Bench) -> None:
    bench.go("move", "site2")
    files = bench.files()
    report = bench.go("move", "site2")
    assert (report.changed, report.notified, bench.files()) == (False, {}, files)
    assert len(bench.exchange.notified) == len(SINGLE)


def test_check_mode_says_the_difference_and_touches_nothing(bench: Bench) -> None:
    files = bench.files()
    report = bench.go("move", "site2", check_mode=True)
    assert report.changed
    assert report.before.splitlines()[0].endswith(f"127.0.0.1:{bench.fleet.servers['site1'].port}")
    assert report.after.splitlines()[0].endswith(f"127.0.0.1:{bench.fleet.servers['site2'].port}")
    assert (bench.files(), bench.exchange.notified) == (files, [])


def test_restore_puts_the_files_back_exactly_and_the_phones_home(bench: Bench) -> None:
    files = bench.files()
    bench.go("move", "site2")
    assert bench.go("restore", check_mode=True).changed
    assert bench.go("restore").changed
    assert bench.files() == files
    assert bench.at("site1") == {"1001", *SINGLE}
    assert bench.go("restore").detail == "nothing to restore: no phone was moved from here"


def test_a_run_killed_before_the_notify_is_finished_by_the_next(bench: Bench) -> None:
    here, there = (str(bench.fleet.servers[site].port) for site in ("site1", "site2"))
    for path in bench.exchange.directory.iterdir():
        path.write_text(path.read_text().replace(here, there))
    report = bench.go("move", "site2")
    assert not report.changed
    assert bench.at("site2") == {"1001", *SINGLE}


def test_a_deaf_phone_is_named_and_the_others_move(bench: Bench) -> None:
    bench.exchange.deaf = {"1022"}
    with pytest.raises(TooFewPhonesError, match="75.0%.*agent-1022") as caught:
        bench.go("move", "site2")
    assert caught.value.report.notified["agent-1022"] is None
    assert bench.at("site2") == {"1001", "1021", "1023"}


def test_a_share_may_be_enough(bench: Bench) -> None:
    bench.exchange.deaf = {"1022"}
    fleet = replace(bench.fleet, min_registered=0.7)
    with run_step(None, fleet.state_dir, False) as step:
        assert fleet.move("site2", step).missing == ["agent-1022"]


def test_a_phone_without_its_file_is_named_and_the_others_move(bench: Bench) -> None:
    (bench.exchange.directory / "001565000022.cfg").unlink()
    bench.exchange.deaf = {"1022"}
    with pytest.raises(TooFewPhonesError) as caught:
        bench.go("move", "site2")
    assert list(caught.value.report.problems) == ["agent-1022"]
    assert caught.value.report.missing == ["agent-1022"]


def test_phones_are_never_sent_to_a_silent_server(bench: Bench) -> None:
    files = bench.files()
    bench.exchange.silent = {bench.fleet.servers["site2"].port}
    with pytest.raises(RefusedError, match="no answer to OPTIONS"):
        bench.go("move", "site2")
    assert (bench.files(), bench.exchange.notified) == (files, [])


def test_verify_counts_at_the_site(bench: Bench) -> None:
    assert bench.fleet.verify("site1").share == 1.0
    with pytest.raises(TooFewPhonesError, match="25.0%"):
        bench.fleet.verify("site2")
    bench.exchange.silent = {bench.fleet.servers["site2"].port}
    with pytest.raises(PhoneError, match="cannot be asked"):
        bench.fleet.verify("site2")


def test_observe_says_who_is_where_and_which_registrar_is_silent(bench: Bench) -> None:
    bench.exchange.silent = {bench.fleet.servers["site2"].port}
    everyone = ["agent-1001", "agent-1021", "agent-1022", "agent-1023"]
    assert bench.fleet.observe() == {
        "site1": {"answers": True, "registered": everyone},
        "site2": {"answers": False, "registered": []},
    }


def test_readiness_names_what_is_missing(bench: Bench) -> None:
    assert all(item["met"] for item in bench.fleet.readiness())
    (bench.exchange.directory / "001565000022.cfg").unlink()
    bench.exchange.silent = {bench.fleet.servers["site2"].port}
    unmet = [item["evidence"] for item in bench.fleet.readiness() if not item["met"]]
    assert len(unmet) == 2
    assert "agent-1022" in unmet[0]


def test_a_site_is_released_to_its_peer(bench: Bench) -> None:
    assert bench.fleet.target("site1", "release") == "site2"
    assert bench.fleet.target("site1", "take_over") == "site1"
    with pytest.raises(PhoneError, match="site3"):
        bench.fleet.target("site3", "take_over")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"registration": "both"}, r"phones\[3\].registration"),
        ({"dn": ""}, r"phones\[3\].dn"),
        ({"mac": "../../etc/passwd"}, r"phones\[3\].mac"),
    ],
)
def test_a_phone_that_is_described_wrongly_is_named(wrong: dict, named: str) -> None:
    phone = {"name": "a", "dn": "1", "registration": "single", "address": "127.0.0.1", "mac": "00:15:65:00:00:21"}
    assert phone_of(phone, "phones[3]").mac == "001565000021"
    with pytest.raises(PhoneError, match=named):
        phone_of(dict(phone, **wrong), "phones[3]")


def test_a_site_needs_an_address() -> None:
    with pytest.raises(PhoneError, match="servers.site1.address"):
        server_of("site1", {"port": 5060})
