"""The call plane's modules: options in, verdict of the module out; what they act on is tested with module_utils."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import read_journal
from ansible_collections.contactcenter.sip_dr.plugins.modules import media_gateway, sip_phone, sip_server

NOBODY = 9  # the discard port: nobody listens there
RUN = {"id": "run-6", "token": 6, "step": "a_step"}
QUICK = {"sip_t1": 0.05, "sip_tries": 1, "probe_deadline": 0.1}
SERVERS = {site: {"address": "127.0.0.1", "port": NOBODY} for site in ("site1", "site2")}
PHONE = {"name": "a", "dn": "1", "registration": "single", "driver": "yealink", "mac": "001565000021", "address": "::1"}
TRUNK = {"dn": "trunk_site1", "oos_check": 1, "oos_force": 2}
LEGS = {"s2-sip-a": {"address": "127.0.0.1"}}
NO_LAYER = {"url": f"http://127.0.0.1:{NOBODY}/gax/api/", "user": "sip-dr", "password": "s3cret-of-the-layer"}
PIN = {"legs": LEGS, "trunk": TRUNK, "application": "SIP_Server_2", "layer": NO_LAYER, "connect_timeout": 0.2}


def call(module: ModuleType, capsys: pytest.CaptureFixture[str], **options: object) -> dict:
    with patch_module_args(dict(options)), pytest.raises(SystemExit):
        module.main()
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def overtaken(tmp_path: Path) -> str:
    (tmp_path / "token").write_text(json.dumps({"token": 7, "run": "run-7", "at": "2026-01-31T03:14:15Z"}))
    return str(tmp_path)


def test_a_gateway_without_a_record_has_nothing_to_restore(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    found = call(media_gateway, capsys, door="restore", state_dir=str(tmp_path), run=RUN)
    assert (found["changed"], found["detail"][:18]) == (False, "nothing to restore")
    assert [record["event"] for record in read_journal(str(tmp_path))] == ["begin", "end"]


def test_a_failed_step_is_journalled_as_failed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    options = {"rpc_url": f"http://127.0.0.1:{NOBODY}/RPC", "list_file": str(tmp_path / "dispatcher.list")}
    found = call(
        media_gateway, capsys, door="take_over", site="site2", driver_options=options, state_dir=str(tmp_path), run=RUN
    )
    assert found["failed"] and "dispatcher.list" in found["msg"]
    assert read_journal(str(tmp_path))[-1]["outcome"] == "failed"


@pytest.mark.parametrize(
    ("module", "options"),
    [
        (media_gateway, {"door": "restore"}),
        (sip_phone, {"door": "take_over", "site": "site2", "servers": SERVERS, "phones": [PHONE], **QUICK}),
        (sip_server, {"door": "take_over", "legs": LEGS, "trunk": TRUNK}),
        (sip_server, {"door": "pin", **PIN}),
        (sip_server, {"door": "unpin", **PIN}),
    ],
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_an_overtaken_run_is_refused(
    capsys: pytest.CaptureFixture[str], overtaken: str, module: ModuleType, options: dict, check_mode: bool
) -> None:
    found = call(module, capsys, state_dir=overtaken, run=RUN, _ansible_check_mode=check_mode, **options)
    assert found["failed"]
    assert found["refused"]["guard"].startswith("fencing token")
    assert read_journal(overtaken) == []


@pytest.mark.parametrize("door", ["take_over", "release", "verify"])
def test_these_doors_are_about_a_site(capsys: pytest.CaptureFixture[str], door: str) -> None:
    assert "site" in call(media_gateway, capsys, door=door)["msg"]
    assert "site" in call(sip_phone, capsys, door=door, servers=SERVERS, phones=[PHONE])["msg"]


@pytest.mark.parametrize("door", ["take_over", "release"])
def test_phones_are_not_sent_to_silence(capsys: pytest.CaptureFixture[str], tmp_path: Path, door: str) -> None:
    options = {"servers": SERVERS, "phones": [PHONE], "state_dir": str(tmp_path), **QUICK}
    found = call(sip_phone, capsys, door=door, site="site1", **options)
    assert found["refused"]["guard"] == "phones are only sent to a server that answers"


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"phones": [dict(PHONE, mac="x")]}, "phones[0].mac"),
        ({"servers": {"site1": {}}}, "servers.site1.address"),
        ({"servers": {"site1": {"address": "::1", "transport": "tls"}}}, "servers.site1.transport: udp or tcp"),
        ({"phones": [dict(PHONE, transport="tls")]}, "phones[0].transport: udp or tcp"),
        ({"notify_rate": 0}, "notify_rate"),
    ],
)
def test_wrong_phones_are_named(capsys: pytest.CaptureFixture[str], wrong: dict, named: str) -> None:
    options = {"servers": SERVERS, "phones": [PHONE], **wrong}
    assert named in call(sip_phone, capsys, door="observe", **options)["msg"]


def test_single_site_mode_cannot_be_seen_without_oos_check(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    options = {"legs": LEGS, "trunk": {"dn": "trunk_site1"}, "state_dir": str(tmp_path)}
    assert "oos-check 0" in call(sip_server, capsys, door="take_over", **options)["refused"]["evidence"]


def test_a_silent_pair_is_no_single_site_mode(capsys: pytest.CaptureFixture[str]) -> None:
    options = {"legs": LEGS, "trunk": TRUNK, "monitoring_port": NOBODY, "connect_timeout": 0.2}
    found = call(sip_server, capsys, door="verify", **options)
    assert found["failed"] and found["peering"]["mode"] == "unknown"
    assert call(sip_server, capsys, door="readiness", **options)["ready"] is False


def test_unknown_page_names_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    found = call(sip_server, capsys, legs=LEGS, trunk=TRUNK, page_names={"colour": ["red"]})
    assert "page_names" in found["msg"]


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_pin_without_a_configuration_server_is_refused_and_tells_no_password(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, check_mode: bool
) -> None:
    found = call(sip_server, capsys, door="pin", state_dir=str(tmp_path), _ansible_check_mode=check_mode, **PIN)
    assert found["failed"]
    assert found["refused"]["guard"] == "pinning needs a master Configuration Server that takes writes"
    assert "s3cret" not in json.dumps(found)


def test_unpinning_without_saved_values_is_no_step_that_failed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = call(sip_server, capsys, door="unpin", state_dir=str(tmp_path), run=RUN, **PIN)
    assert (found["changed"], found["saved"]) == (False, {})
    assert [record["event"] for record in read_journal(str(tmp_path))] == ["begin", "end"]


@pytest.mark.parametrize("missing", ["application", "layer"])
def test_a_pin_needs_to_know_where_and_whom(capsys: pytest.CaptureFixture[str], missing: str) -> None:
    options = {name: value for name, value in PIN.items() if name != missing}
    assert missing in call(sip_server, capsys, door="pin", **options)["msg"]


def test_a_shape_that_is_none_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    options = {**PIN, "layer": {**NO_LAYER, "shape": {"colour": "red"}}}
    assert "shape: colour unknown" in call(sip_server, capsys, door="pin", state_dir=str(tmp_path), **options)["msg"]
