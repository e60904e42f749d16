# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mlcmd: what it prints, what of it is not verified, and a password that is never on a command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process import ProcessError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process.mlcmd import Mlcmd, parse_status
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process.program import said
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process.registry import processes_of
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process.windows_service import WindowsService
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError

FIXTURES = Path(__file__).parent / "fixtures"
PASSWORD = "s3cret-of-mlcmd"
# Writes down what it was given; then as mlcmd does.
WRAPPER = """#!{python}
import json, pathlib, sys
given = {{"words": sys.argv[1:], "input": sys.stdin.read()}}
pathlib.Path({seen!r}).write_text(json.dumps(given))
print(pathlib.Path({told!r}).read_text())
"""


@pytest.fixture
def wrapper(tmp_path: Path) -> Path:
    program = tmp_path / "mlcmd-wrapper"
    told = str(FIXTURES / "mlcmd_status.txt")
    program.write_text(WRAPPER.format(python=sys.executable, seen=str(tmp_path / "seen"), told=told))
    program.chmod(0o755)
    return program


def driver(wrapper: Path, **more: object) -> Mlcmd:
    options = {"program": str(wrapper), "wrapper": [str(wrapper)], "cs_host": "confserv-master", "cs_user": "sip-dr"}
    return Mlcmd({**options, **more}, deadline=5.0, interval=0.01, first="confserv_site1")


def test_groups_are_read_with_names_that_have_blanks() -> None:
    found = parse_status((FIXTURES / "mlcmd_status.txt").read_text())
    assert list(found) == ["confserv_site1", "Message Server (site 1)", "Stat Server: Frankfurt", "SIP_Server_1"]
    assert found["Message Server (site 1)"] == {"DBID": "107", "Status": "Stopped", "Runmode": ""}
    assert found["SIP_Server_1"]["Runmode"] == "Primary"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Application: a\nDBID: 1\nApplication: b\nStatus: Running\n", "no status of a"),
        ("Application: a\nStatus: Running\nApplication: a\nStatus: Stopped\n", "twice of a"),
    ],
)
def test_a_group_that_cannot_be_true_is_an_error(text: str, said: str) -> None:
    with pytest.raises(ProcessError, match=said):
        parse_status(text)


def test_lines_of_no_group_tell_nothing() -> None:
    assert parse_status("connected\nStatus: Running\n") == {}


def test_an_unknown_status_is_a_failure_until_somebody_says_what_it_means(wrapper: Path) -> None:
    with pytest.raises(ProcessError, match="status 'Half Awake' is not known; say in statuses"):
        driver(wrapper).state("Stat Server: Frankfurt")
    taught = driver(wrapper, statuses={"activating": ["half_awake"]})
    assert taught.state("Stat Server: Frankfurt").active == "activating"


def test_the_password_file_is_the_wrappers_input_and_on_no_command_line(wrapper: Path, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD)
    file.chmod(0o600)
    assert driver(wrapper, password_file=str(file)).state("SIP_Server_1").running
    seen = json.loads((tmp_path / "seen").read_text())
    assert seen["input"] == PASSWORD
    assert PASSWORD not in " ".join(seen["words"]) and "-cspassword" not in seen["words"]
    assert seen["words"][:6] == ["-cshost", "confserv-master", "-csport", "2020", "-csuser", "sip-dr"]
    assert seen["words"][6:] == ["-csappname", "default", "-getallappstatus"]


def test_a_password_file_that_others_may_read_is_none(wrapper: Path, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD)
    file.chmod(0o640)
    with pytest.raises(ProcessError, match="others may read it"):
        driver(wrapper, password_file=str(file)).state("SIP_Server_1")
    with pytest.raises(ProcessError, match="No such file"):
        driver(wrapper, password_file=str(tmp_path / "none")).state("SIP_Server_1")


def test_without_a_wrapper_it_is_refused() -> None:
    with pytest.raises(RefusedError) as caught:
        processes_of("mlcmd", 5.0, 0.01, {"cs_user": "sip-dr"})
    assert caught.value.refusal["guard"] == "a password is never visible in ps"
    assert "-cspassword" in caught.value.refusal["evidence"]


def test_a_wrapper_that_shows_the_password_is_ended(wrapper: Path) -> None:
    wrapper.write_text(f"#!/bin/sh\nread password\n{sys.executable} -c 'import time; time.sleep(60)' -cspassword x\n")
    with pytest.raises(RefusedError, match="shows -cspassword on a command line"):
        driver(wrapper).state("SIP_Server_1")


def test_no_table_brings_the_password_back(wrapper: Path) -> None:
    with pytest.raises(ProcessError, match="-cspassword is never given"):
        driver(wrapper, flags={"cs_user": "-cspassword"})


@pytest.mark.parametrize("order", ["start", "stop"])
def test_the_first_configuration_server_is_refused(wrapper: Path, order: str) -> None:
    with pytest.raises(RefusedError, match="the first Configuration Server is never started or stopped through mlcmd"):
        getattr(driver(wrapper), order)("confserv_site1")


def test_what_comes_before_mlcmd_is_systemds(wrapper: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"wrapper": [str(wrapper)], "systemd": ["genesys-confserv.service"]}
    processes = processes_of("mlcmd", 5.0, 0.01, options, first="genesys-confserv.service")
    assert processes.state("SIP_Server_1").running
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProcessError, match="systemctl is not installed"):
        processes.start("genesys-confserv.service")


def test_an_operation_that_the_help_does_not_name_is_not_tried(wrapper: Path, tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match="-help knows no -startapp: say in flags.start"):
        driver(wrapper).start("SIP_Server_1")
    assert json.loads((tmp_path / "seen").read_text())["words"] == ["-help"]


@pytest.mark.parametrize(
    ("more", "said"), [({"colour": "red"}, "unknown option colour"), ({"wrapper": "sh"}, "wrapper: list expected")]
)
def test_options_that_are_none_are_named(wrapper: Path, more: dict[str, object], said: str) -> None:
    with pytest.raises(ProcessError, match=said):
        Mlcmd({"wrapper": [str(wrapper)], **more}, 5.0, 0.01)


def test_a_windows_service_needs_a_way_to_its_host() -> None:
    with pytest.raises(ProcessError, match="through is missing"):
        WindowsService({}, 5.0, 0.01)


@pytest.mark.parametrize("name", ["x'; Stop-Computer; '", "", "a\nb"])
def test_what_is_no_name_is_never_put_into_powershell(name: str) -> None:
    with pytest.raises(ProcessError, match="is no name of a service"):
        WindowsService({"through": ["false"]}, 5.0, 0.01).state(name)


@pytest.mark.parametrize("told", ["{", '{"State": "Running"}', '{"State": "Dreaming", "ProcessId": 1}'])
def test_what_powershell_tells_must_be_a_service(told: str) -> None:
    with pytest.raises(ProcessError, match=r"is no service|is not known"):
        WindowsService({"through": ["sh", "-c", f"echo '{told}'"]}, 5.0, 0.01).state("x")


def test_a_program_is_ended_with_what_it_started(tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match="gave no answer"):
        said(["sh", "-c", f"(sleep 0.5; touch {tmp_path}/late) & sleep 60"], 0.1)
    said(["sleep", "0.7"], 5.0)
    assert not (tmp_path / "late").exists()
