# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The phones' module: its options in, its result out; what it acts on is tested with module_utils."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import read_journal
from ansible_collections.contactcenter.sip_dr.plugins.modules import sip_phone

NOBODY = 9  # the discard port: nobody listens there
SERVERS = {"site1": {"address": "127.0.0.1", "port": NOBODY}, "site2": {"address": "127.0.0.2", "port": NOBODY}}
QUICK = {"sip_t1": 0.05, "sip_tries": 1, "probe_deadline": 0.1}
ROW = "agent-{n},{n},single,yealink,00156500{n},10.71.4.10,site2 site1\n"
TABLE = "name,dn,registration,driver,mac,address,servers\n" + "".join(ROW.format(n=n) for n in range(1021, 1024))


def call(capsys: pytest.CaptureFixture[str], **options: object) -> dict:
    with patch_module_args(dict(options)), pytest.raises(SystemExit):
        sip_phone.main()
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def options(tmp_path: Path) -> dict:
    (tmp_path / "phones.csv").write_text(TABLE)
    (tmp_path / "files").mkdir()
    given = {"phones_file": str(tmp_path / "phones.csv"), "directory": str(tmp_path / "files")}
    return {"door": "provision", "servers": SERVERS, "state_dir": str(tmp_path / "state"), **given, **QUICK}


def test_provision_is_a_step_that_is_honest(capsys: pytest.CaptureFixture[str], options: dict, tmp_path: Path) -> None:
    run = {"id": "run-7", "token": 7, "step": "provision"}
    checked = call(capsys, **options, run=run, _ansible_check_mode=True)
    assert (checked["changed"], list((tmp_path / "files").iterdir())) == (True, [])
    found = call(capsys, **options, run=run)
    assert found["diff"]["after"] == checked["diff"]["after"]
    assert "001565001021.cfg: account.1.sip_server.1.address = 127.0.0.2\n" in found["diff"]["after"]
    assert (found["diff"]["before"], len(list((tmp_path / "files").iterdir()))) == ("", 3)
    assert [record["event"] for record in read_journal(options["state_dir"])] == ["begin", "end"]
    again = call(capsys, **options, run=run)
    assert (again["changed"], again["detail"]) == (False, "0 files changed, 3 stand right, 0 phones without driver")


def test_the_order_of_sites_is_the_phones_then_the_options(capsys: pytest.CaptureFixture[str], options: dict) -> None:
    options["phones"] = [{"name": "a", "dn": "1", "driver": "snom", "mac": "00041300af00", "address": "::1"}]
    del options["phones_file"]
    after = call(capsys, **options, sites=["site2"])["diff"]["after"]
    assert "snom-00041300AF00.xml: user_host[1] = 127.0.0.2:9\n" in after
    assert "snom-00041300AF00.xml: user_active[2] = on\n" in after


def test_a_password_is_in_the_file_and_nowhere_else(
    capsys: pytest.CaptureFixture[str], options: dict, tmp_path: Path
) -> None:
    table = tmp_path / "phones.csv"
    table.write_text("name,dn,driver,mac,address,password\na,1,snom,00041300af00,::1,s3cret\n")
    assert "mode 0600 expected" in call(capsys, **options)["msg"]
    table.chmod(0o600)
    assert "s3cret" not in json.dumps(call(capsys, **options, file_mode="0600"))
    made = tmp_path / "files" / "snom-00041300AF00.xml"
    assert made.read_text().count("s3cret") == 2
    assert made.stat().st_mode & 0o777 == 0o600


def test_credentials_for_phones_are_in_no_result(
    capsys: pytest.CaptureFixture[str], options: dict, tmp_path: Path
) -> None:
    path = tmp_path / "phones.json"
    path.write_text('{"username": "a", "password": "s3cret"}')
    options.update(door="readiness", credentials_file=str(path))
    assert call(capsys, **options)["msg"] == f"credentials_file {path}: others may read it; mode 0600 is expected"
    path.chmod(0o600)
    found = call(capsys, **options)
    assert "readiness" in found and "s3cret" not in json.dumps(found)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"expires": 600}, "expires: 1 to 300 (max_expires) expected, 600 given"),
        ({"file_mode": "rw"}, "file_mode"),
        ({"look_rate": 0}, "look_rate"),
        ({"driver_options": {"nokia": {}}}, "driver_options.nokia"),
        ({"templates": {"nokia": "/x"}}, "templates.nokia"),
        ({"templates": {"snom": "/nowhere/x"}}, "/nowhere/x"),
        ({"phones_file": "/nowhere/phones.csv"}, "/nowhere/phones.csv"),
        ({"phones": [{}]}, "mutually exclusive"),
        ({"phones_file": None}, "one of the following is required: phones, phones_file"),
        ({"sites": ["site3"]}, "servers has no site3"),
        ({"credentials_file": "/nowhere/phones.json"}, "credentials_file /nowhere/phones.json: No such file"),
    ],
)
def test_wrong_options_are_named_and_nothing_is_written(
    capsys: pytest.CaptureFixture[str], options: dict, tmp_path: Path, wrong: dict, named: str
) -> None:
    found = call(capsys, **{**options, **wrong})
    assert found["failed"] and named in found["msg"]
    assert list((tmp_path / "files").iterdir()) == []


def test_an_empty_list_beside_the_file_is_none(capsys: pytest.CaptureFixture[str], options: dict) -> None:
    assert call(capsys, **options, phones=[])["detail"] == "3 files changed, 0 stand right, 0 phones without driver"


def test_a_bad_row_is_named_by_line_and_column(
    capsys: pytest.CaptureFixture[str], options: dict, tmp_path: Path
) -> None:
    (tmp_path / "phones.csv").write_text(TABLE + "a,1,both,yealink,001565009999,10.0.0.1,\n")
    assert "phones.csv line 5, column registration: single or dual" in call(capsys, **options)["msg"]
    assert list((tmp_path / "files").iterdir()) == []


def test_a_phone_that_cannot_be_provisioned_is_named_and_the_others_are_done(
    capsys: pytest.CaptureFixture[str], options: dict, tmp_path: Path
) -> None:
    (tmp_path / "files" / "001565001022.cfg").write_text("account.1.label = nobody\n")
    found = call(capsys, **options)
    assert found["failed"] and "001565001022.cfg: account.1.user_name: it is not set" in found["msg"]
    assert (list(found["problems"]), found["changed"]) == (["agent-1022"], True)
    assert len(list((tmp_path / "files").iterdir())) == 3


def test_readiness_has_its_lists(capsys: pytest.CaptureFixture[str], options: dict) -> None:
    call(capsys, **options)
    found = call(capsys, **{**options, "door": "readiness"})
    assert found["ready"] is False  # nobody answers
    assert {name: len(phones) for name, phones in found["lists"].items()} == {
        "one_server": 0,
        "expiry_over_policy": 0,
        "outbound_proxy_at_one_site": 0,
        "restarts_on_notify": 0,
        "file_not_understood": 0,
        "not_seen_at_a_registrar": 0,
    }
    strict = call(capsys, **{**options, "door": "readiness", "max_expires": 100})
    assert len(strict["lists"]["expiry_over_policy"]) == 3
