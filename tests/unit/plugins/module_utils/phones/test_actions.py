"""Moving phones, putting them back, counting them, against registrars and phones on real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.actions import Fleet, Timing
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import PhoneError, Server
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.inventory import (
    FieldError,
    phone_of,
    phones_of,
    server_of,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.provisioning import DayOne, Provisioning
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.report import (
    NotAllProvisionedError,
    Report,
    TooFewPhonesError,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import run_step
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.client import Credentials, SipClient

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
            port = exchange.phone(dn, mac, servers["site1"].port, servers["site2"].port)
            single = {"registration": "single", "driver": "yealink", "mac": mac, "port": port}
            phones.append({"name": f"agent-{dn}", "dn": dn, "address": "127.0.0.1", **single})  # type: ignore[dict-item]
        for server in servers.values():
            exchange.bindings[server.port].add("1001")
        yield Bench(
            exchange,
            Fleet(
                phones=phones_of(phones),
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
    here, there = (bench.fleet.servers[site].port for site in ("site1", "site2"))
    assert f"sip_server.1.port = {there}\n" in bench.files()["001565000021.cfg"]
    assert f"sip_server.2.port = {here}\n" in bench.files()["001565000021.cfg"]
    assert report.answers == {"200": 3}
    assert report.progress[-1]["registered"] == report.progress[-1]["expected"] == 4


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
    here, there = (f"127.0.0.1:{bench.fleet.servers[site].port}" for site in ("site1", "site2"))
    assert report.before.splitlines()[0].endswith(f": {here}, {there}")
    assert report.after.splitlines()[0].endswith(f": {there}, {here}")
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
        path.write_text(path.read_text().replace(f"1.port = {here}", f"1.port = {there}"))
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


def test_a_phone_whose_file_is_not_understood_is_named_and_the_others_move(bench: Bench) -> None:
    broken = bench.exchange.directory / "001565000022.cfg"
    broken.write_text(broken.read_text() + "account.1.sip_server.1.address = 10.0.0.1\n")
    text = broken.read_text()
    bench.exchange.deaf = {"1022"}
    with pytest.raises(TooFewPhonesError) as caught:
        bench.go("move", "site2")
    assert "001565000022.cfg: account.1.sip_server.1.address: it stands there twice" in str(
        caught.value.report.problems["agent-1022"]
    )
    assert (caught.value.report.missing, broken.read_text()) == (["agent-1022"], text)


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
    assert [item for item in bench.fleet.readiness().items if not item["met"]] == []
    (bench.exchange.directory / "001565000022.cfg").unlink()
    bench.exchange.silent = {bench.fleet.servers["site2"].port}
    found = bench.fleet.readiness()
    unmet = [item["evidence"] for item in found.items if not item["met"]]
    assert len(unmet) == 3
    assert "agent-1022" in unmet[0] and "no answer to OPTIONS" in unmet[1] and "agent-1022" in unmet[2]
    assert found.lists["file_not_understood"] == ["agent-1022"]


def test_readiness_lists_the_phones_that_a_disaster_would_hit(bench: Bench) -> None:
    one, outbound, lasting = (bench.exchange.directory / f"{mac}.cfg" for mac in SINGLE.values())
    one.write_text("".join(line + "\n" for line in one.read_text().splitlines() if "sip_server.2" not in line))
    with outbound.open("a") as file:
        file.write("account.1.outbound_proxy_enable = 1\naccount.1.outbound_proxy.1.address = 10.9.9.9\n")
    lasting.write_text(lasting.read_text().replace("expires = 60", "expires = 3600"))
    lasting.write_text(lasting.read_text().replace("sip.notify_reboot_enable = 0\n", ""))
    bench.at("site1").discard("1021")
    bench.at("site2").discard("1001")
    assert bench.fleet.readiness().lists == {
        "one_server": ["agent-1021"],
        "outbound_proxy_at_one_site": ["agent-1022"],
        "expiry_over_policy": ["agent-1023"],
        "restarts_on_notify": ["agent-1023"],
        "file_not_understood": [],
        "not_seen_at_a_registrar": ["agent-1001", "agent-1021"],
    }


def test_a_phone_of_single_registration_may_be_at_the_silent_site(bench: Bench) -> None:
    bench.exchange.silent = {bench.fleet.servers["site1"].port}
    assert bench.fleet.readiness().lists["not_seen_at_a_registrar"] == []


def test_answers_are_counted_by_class_and_are_no_failure(bench: Bench) -> None:
    bench.exchange.refusing = {"1021": 481, "1022": 401}
    bench.exchange.deaf = {"1023"}
    for server in bench.fleet.servers.values():  # they read their file by themselves, whatever they answer
        bench.exchange.bindings[server.port] |= set(SINGLE)
    report = bench.go("move", "site2")
    assert report.answers == {"401": 1, "481": 1, "silent": 1}
    assert report.notified == {"agent-1021": 481, "agent-1022": 401, "agent-1023": None}
    assert report.missing == []


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_a_phone_that_wants_a_digest_is_asked_again_with_it(bench: Bench, algorithm: str) -> None:
    bench.exchange.algorithm = algorithm
    bench.exchange.challenging = {"1022": ("provisioning", "s3cret"), "1023": ("provisioning", "another")}
    fleet = replace(bench.fleet, credentials=Credentials("provisioning", "s3cret"), min_registered=0.7)
    with run_step(None, fleet.state_dir, False) as step:
        report = fleet.move("site2", step)
    assert report.answers == {"200": 2, "401": 1}
    assert report.missing == ["agent-1023"]
    assert bench.at("site2") == {"1001", "1021", "1022"}


def test_without_credentials_a_401_is_reported_and_is_no_failure(bench: Bench) -> None:
    bench.exchange.challenging = {"1022": ("provisioning", "s3cret")}
    bench.at("site2").add("1022")  # it reads its file by itself
    report = bench.go("move", "site2")
    assert (report.answers, report.missing) == ({"200": 2, "401": 1}, [])


def test_notifys_are_paced(bench: Bench) -> None:
    fleet = replace(bench.fleet, timing=replace(bench.fleet.timing, notify_rate=10))
    with run_step(None, fleet.state_dir, False) as step:
        fleet.move("site2", step)
    first, second, third = bench.exchange.asked_at
    assert second - first > 0.03 and third - second > 0.03


def test_a_softphone_is_not_asked_and_named(bench: Bench) -> None:
    soft = {"name": "agent-1031", "dn": "1031", "registration": "single", "address": "127.0.0.1"}
    path = bench.exchange.directory / "1031.config"
    port = bench.fleet.servers["site1"].port
    path.write_text(f'<c>\n  <Connectivity user="1031" server="127.0.0.1:{port}" protocol="udp"/>\n</c>\n')
    phones = [*bench.fleet.phones, phone_of({**soft, "driver": "genesys_softphone"})]
    fleet = replace(bench.fleet, phones=phones, min_registered=0.5)
    with run_step(None, fleet.state_dir, False) as step:
        report = fleet.move("site2", step)
    assert (report.not_asked, report.answers) == (["agent-1031"], {"200": 3, "not_asked": 1})
    assert f"127.0.0.1:{fleet.servers['site2'].port}" in path.read_text()


def plan_of(fleet: Fleet, **given: object) -> DayOne:
    return DayOne(fleet.servers_of, 60, 300, **given)  # type: ignore[arg-type]


def provision(fleet: Fleet, **given: object) -> Report:
    with run_step(None, fleet.state_dir, fleet.check_mode) as step:
        return fleet.provision(plan_of(fleet, **given), step)


def test_provisioning_changes_only_what_differs(bench: Bench) -> None:
    files = bench.files()
    assert provision(replace(bench.fleet, check_mode=True)).changed
    assert bench.files() == files
    report = provision(bench.fleet)
    assert report.detail == "3 files changed, 0 stand right, 1 phones without driver"
    assert "001565000021.cfg: account.1.fallback.redundancy_type = 1\n" in report.after
    assert "001565000021.cfg: account.1.fallback.redundancy_type = (none)\n" in report.before
    changed = bench.files()["001565000021.cfg"]
    assert changed.startswith(files["001565000021.cfg"].replace("expires = 60", "expires = 60"))
    again = provision(bench.fleet)
    assert (again.changed, again.before, again.detail[:31]) == (False, "", "0 files changed, 3 stand right,")
    assert not [path for path in bench.exchange.directory.iterdir() if path.name.startswith(".")]


def test_a_new_phone_gets_its_file_in_its_own_order(bench: Bench) -> None:
    new = {"name": "new", "dn": "1099", "driver": "yealink", "mac": "00:15:65:00:00:99", "address": "127.0.0.1"}
    fleet = replace(bench.fleet, phones=[phone_of({**new, "registration": "dual", "servers": ["site2", "site1"]})])
    assert provision(fleet, mode=0o640).changed
    path = bench.exchange.directory / "001565000099.cfg"
    assert path.stat().st_mode & 0o777 == 0o640
    assert f"sip_server.1.port = {fleet.servers['site2'].port}\n" in path.read_text()
    assert "redundancy_type = 0\n" in path.read_text()
    assert not provision(fleet).changed


def test_a_site_may_have_its_own_template(bench: Bench) -> None:
    new = {"name": "new", "dn": "1099", "driver": "yealink", "mac": "001565000099", "address": "127.0.0.1"}
    fleet = replace(bench.fleet, phones=[phone_of(new)])
    with pytest.raises(
        NotAllProvisionedError, match=r"new: .*001565000099.cfg: template: \{\{ colour \}\} is not known"
    ):
        provision(fleet, templates={"yealink": "account.1.user_name = {{ dn }}\nx = {{ colour }}\n"})
    provision(fleet, templates={"yealink": "account.1.user_name = {{ dn }}\nours = 1\n"})
    assert "ours = 1\n" in (bench.exchange.directory / "001565000099.cfg").read_text()


def test_a_file_that_cannot_be_understood_is_left_and_the_others_are_provisioned(bench: Bench) -> None:
    broken = bench.exchange.directory / "001565000022.cfg"
    broken.write_text("account.1.user_name = 1\naccount.1.user_name = 2\n")
    with pytest.raises(
        NotAllProvisionedError, match="agent-1022: .*001565000022.cfg: account.1.user_name: .* twice"
    ) as caught:
        provision(bench.fleet)
    assert caught.value.report.changed
    assert list(caught.value.report.problems) == ["agent-1022"]
    assert broken.read_text().count("user_name") == 2


def test_two_phones_never_share_a_file(bench: Bench) -> None:
    twin = replace(bench.fleet.phones[1], name="twin")
    with pytest.raises(NotAllProvisionedError, match="twin: .*: it is the file of agent-1021"):
        provision(replace(bench.fleet, phones=[*bench.fleet.phones, twin]))


def test_phones_that_are_moved_are_not_provisioned_over(bench: Bench) -> None:
    bench.go("move", "site2")
    with pytest.raises(RefusedError, match="3 phones were moved"):
        provision(bench.fleet)
    bench.go("restore")
    assert provision(bench.fleet).changed


def test_an_unknown_driver_changes_nothing(bench: Bench) -> None:
    files = bench.files()
    phones = [*bench.fleet.phones, replace(bench.fleet.phones[1], name="x", driver="nokia")]
    for act in (lambda fleet: provision(fleet), lambda fleet: Bench(bench.exchange, fleet).go("move", "site2")):
        with pytest.raises(PhoneError, match="x: driver nokia is not known"):
            act(replace(bench.fleet, phones=phones))
    assert bench.files() == files


def test_a_site_is_released_to_its_peer(bench: Bench) -> None:
    assert bench.fleet.target("site1", "release") == "site2"
    assert bench.fleet.target("site1", "take_over") == "site1"
    with pytest.raises(PhoneError, match="site3"):
        bench.fleet.target("site3", "take_over")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"registration": "both"}, "registration"),
        ({"dn": ""}, "dn"),
        ({"dn": "1\r\nVia: x"}, "dn"),
        ({"mac": "../../etc/passwd"}, "mac"),
        ({"port": "99999"}, "port"),
        ({"address": "10.0.0.1 x"}, "address"),
        ({"servers": 5}, "servers"),
    ],
)
def test_a_phone_that_is_described_wrongly_is_named(wrong: dict, named: str) -> None:
    phone = {"name": "a", "dn": "1", "registration": "single", "address": "127.0.0.1", "mac": "00:15:65:00:00:21"}
    assert phone_of(phone).mac == "001565000021"
    with pytest.raises(FieldError) as caught:
        phone_of({**phone, **wrong})
    assert caught.value.field == named
    with pytest.raises(PhoneError, match=rf"phones\[1\].{named}"):
        phones_of([phone, {**phone, **wrong}])


def test_no_two_phones_have_one_name_and_no_password_comes_by_the_module() -> None:
    phone = {"name": "a", "dn": "1", "address": "127.0.0.1"}
    with pytest.raises(PhoneError, match=r"phones\[1\]: a is a phone's name already, at phones\[0\]"):
        phones_of([phone, phone])
    with pytest.raises(PhoneError, match=r"phones\[0\].password: only phones_file") as caught:
        phones_of([{**phone, "password": "s3cret"}])
    assert "s3cret" not in str(caught.value)


def test_a_site_needs_an_address() -> None:
    with pytest.raises(PhoneError, match="servers.site1.address"):
        server_of("site1", {"port": 5060})
