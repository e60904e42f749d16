"""The module media_gateway: what it documents, and what it says that a person can do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.registry import DRIVERS
from ansible_collections.contactcenter.sip_dr.plugins.modules import media_gateway
from gateways.dispatcher import running

ROOT = Path(__file__).parents[4]
NOBODY = "http://127.0.0.1:9/RPC"
LIST = "1 sip:10.71.1.100:5060 0 10 duid=site1\n1 sip:10.71.2.100:5060 0 5 duid=site2\n"
SITES = {"site1": {"address": "10.71.1.100"}, "site2": {"address": "10.71.2.100"}}
INTERNAL = {"socket_path"}


def call(capsys: pytest.CaptureFixture[str], **options: object) -> dict:
    with patch_module_args(dict(options)), pytest.raises(SystemExit):
        media_gateway.main()
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def gateway(tmp_path: Path) -> dict:
    (tmp_path / "dispatcher.list").write_text(LIST)
    options = {"rpc_url": NOBODY, "list_file": str(tmp_path / "dispatcher.list"), "reload_deadline": 0.1}
    return {"driver_options": options, "state_dir": str(tmp_path), "sites": SITES}


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize(("door", "site"), [("take_over", "site2"), ("release", "site1")])
def test_a_changing_door_that_fails_says_what_to_do_by_hand(
    capsys: pytest.CaptureFixture[str], gateway: dict, door: str, site: str, check_mode: bool
) -> None:
    found = call(capsys, door=door, site=site, _ansible_check_mode=check_mode, **gateway)
    assert found["failed"]
    assert "  duid=site2: flags 0, priority 10 (columns 3 and 4)" in found["by_hand"]


def test_a_restore_that_fails_says_what_stood_before(capsys: pytest.CaptureFixture[str], gateway: dict) -> None:
    record = Path(gateway["state_dir"]) / "media_gateway.east.json"
    record.write_text('{"1 sip:10.71.1.100:5060": [0, 7]}')
    found = call(capsys, door="restore", name="east", **gateway)
    assert found["failed"] and found["by_hand"] == ["put back 1 sip:10.71.1.100:5060: [0, 7]"]


def test_a_record_that_cannot_be_read_does_not_hide_the_failure(
    capsys: pytest.CaptureFixture[str], gateway: dict
) -> None:
    (Path(gateway["state_dir"]) / "media_gateway.json").write_text("{")
    found = call(capsys, door="restore", **gateway)
    assert found["failed"] and found["by_hand"][0].startswith("not known")


def test_a_run_that_was_overtaken_says_it_too(capsys: pytest.CaptureFixture[str], gateway: dict) -> None:
    token = {"token": 7, "run": "run-7", "at": "2026-01-31T03:14:15Z"}
    (Path(gateway["state_dir"]) / "token").write_text(json.dumps(token))
    run = {"id": "run-6", "token": 6, "step": "a_step"}
    found = call(capsys, door="take_over", site="site2", run=run, **gateway)
    assert found["refused"] and found["by_hand"]


def test_check_mode_says_it_beside_the_difference(capsys: pytest.CaptureFixture[str], gateway: dict) -> None:
    with running() as (options, _):
        asked = {**gateway, "driver_options": options, "door": "take_over", "site": "site2"}
        found = call(capsys, _ansible_check_mode=True, **asked)
        assert found["changed"] and "\t10  duid=site2" in found["diff"]["after"]
        assert found["by_hand"][-2] == "kamcmd dispatcher.reload"
        assert "by_hand" not in call(capsys, **asked)


@pytest.mark.parametrize("door", ["observe", "verify"])
def test_a_door_that_only_looks_says_nothing_of_it(
    capsys: pytest.CaptureFixture[str], gateway: dict, door: str
) -> None:
    found = call(capsys, door=door, site="site2", **gateway)
    assert found["failed"] and "by_hand" not in found


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"driver": "cisco_cube", "driver_options": {"colour": "red"}}, "no option colour"),
        ({"name": "../x"}, "name"),
        ({"driver": "oracle"}, "no option list_file"),
        ({"driver": "audicodes"}, "audicodes"),
    ],
)
def test_a_driver_name_or_option_that_does_not_exist_is_named(
    capsys: pytest.CaptureFixture[str], gateway: dict, options: dict, named: str
) -> None:
    found = call(capsys, door="take_over", site="site2", **{**gateway, **options})
    assert found["failed"] and named in found["msg"]


def documented(text: str, names: set[str], form: str) -> set[str]:
    return {name for name in names if re.search(form.replace("NAME", name), text)}


@pytest.mark.parametrize("name", sorted(DRIVERS))
def test_every_option_of_a_driver_is_documented(name: str) -> None:
    options = set(DRIVERS[name].DEFAULTS) - INTERNAL
    documentation = yaml.safe_load(media_gateway.DOCUMENTATION)["options"]
    (about,) = [line for line in documentation["driver_options"]["description"] if line.startswith(f"V({name})")]
    assert documented(about, options, r"C\(NAME\)") == options == set(re.findall(r"C\((\w+)\)", about))
    readme = (ROOT / "roles/media_gateway/README.md").read_text()
    (section,) = re.findall(rf"^### {name}\n(.*?)(?=^##)", readme, re.MULTILINE | re.DOTALL)
    rows = " ".join(row.split("|")[1] for row in section.splitlines() if row.startswith("| `"))
    assert set(re.findall(r"`(\w+)`", rows)) == options


def test_every_driver_can_be_chosen() -> None:
    choices = yaml.safe_load(media_gateway.DOCUMENTATION)["options"]["driver"]["choices"]
    assert choices == sorted(DRIVERS) == media_gateway.ARGUMENTS["driver"]["choices"]
    specs = yaml.safe_load((ROOT / "roles/media_gateway/meta/argument_specs.yml").read_text())["argument_specs"]
    for spec in specs.values():
        assert SimpleNamespace(**spec["options"]["media_gateway_driver"]).choices == choices
