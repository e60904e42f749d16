"""The driver of a gateway that has a command line, against a program that keeps its configuration in files."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways import command
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import GatewayError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for

from .command_double import Device, running

Bench = tuple[dict[str, Any], Device]


@pytest.fixture
def bench() -> Iterator[Bench]:
    with running() as made:
        yield made


def prefer(params: dict[str, Any], site: str) -> dict[str, Any]:
    return command.apply(params, command.plan(params, site), site)


@pytest.mark.parametrize(
    ("word", "admin", "oper"),
    [
        ("UP", "in_service", "up"),
        ("BUSY", "in_service", "up"),
        ("DEAD", "in_service", "down"),
        ("LOCKED", "out_of_service", "unknown"),
        ("UPPER", "in_service", "unknown"),
    ],
)
def test_states_are_whole_words_of_the_device(bench: Bench, word: str, admin: str, oper: str) -> None:
    params, device = bench
    device.state(2, word)
    assert command.read(params)["targets"]["site2"] == {
        "state": word,
        "admin": admin,
        "oper": oper,
        "priority": 2,
        "uri": "trunk-2",
    }


def test_what_is_right_but_not_saved_is_saved(bench: Bench) -> None:
    params, device = bench
    saved = device.text
    prefer({**params, "save_command": [], "saved_pattern": ""}, "site2")
    assert device.text == saved
    change = command.plan(params, "site2")
    assert (change.needed, change.before) == (True, "preferred: site2\nsaved: no\n")
    command.apply(params, change, "site2")
    assert "trunk-2" in device.text
    assert not command.plan(params, "site2").needed


def test_a_device_that_takes_the_command_and_does_nothing_is_found_out(bench: Bench) -> None:
    params, device = bench
    change = command.plan(params, "site2")
    device.manner("deaf")
    with pytest.raises(GatewayError, match="site2 is not preferred after 0.3 s"):
        command.apply({**params, "apply_deadline": 0.3}, change, "site2")


def test_a_save_that_does_not_save_is_found_out(bench: Bench) -> None:
    params, _ = bench
    deaf = {**params, "save_command": params["read_command"], "apply_deadline": 0.3}
    with pytest.raises(GatewayError, match="not saved after"):
        prefer(deaf, "site2")


def test_a_site_out_of_service_is_not_preferred(bench: Bench) -> None:
    params, device = bench
    device.state(2, "LOCKED")
    with pytest.raises(RefusedError, match="site2 is LOCKED"):
        command.plan(params, "site2")
    assert command.plan({**params, "prefer_enables": True}, "site2").needed


def test_restore_has_its_own_command_where_there_is_one(bench: Bench) -> None:
    params, _ = bench
    prefer(params, "site2")
    own = {**params, "restore_command": [*params["prefer_command"][:-1], "trunk-1"], "prefer_command": ["/no/such"]}
    restored = command.apply(own, command.plan_restore(own, {"prefers": "site1"}), None)
    assert restored["prefers"] == "site1"


def test_without_a_site_before_only_a_command_of_its_own_can_restore(bench: Bench) -> None:
    params, _ = bench
    with pytest.raises(GatewayError, match="by hand"):
        command.plan_restore(params, {"prefers": None})
    with pytest.raises(GatewayError, match="by hand"):
        command.plan_restore({**params, "restore_command": ["x", "{target}"]}, {"prefers": None})
    assert command.plan_restore({**params, "restore_command": ["undo"]}, {"prefers": None}).needed


def test_no_shell_reads_the_words(bench: Bench, tmp_path: Path) -> None:
    params, _ = bench
    witness = tmp_path / "witness"
    params["targets"]["site2"] = f"trunk-2; touch {witness}"
    params["target_pattern"] = r"^trunk \S+\s+state (?P<state>\S+)"
    with pytest.raises(GatewayError, match=r"(?s)exit code 0 expected, 1 met .*unknown"):
        prefer(params, "site2")
    assert not witness.exists()


def test_secrets_come_from_closed_files_and_are_never_told(bench: Bench, tmp_path: Path) -> None:
    params, _ = bench
    password = tmp_path / "password"
    password.touch(mode=0o600)
    password.write_text("hunter2\n")
    wrong = {**params, "secrets": {"GATEWAY_PASSWORD": str(password)}}
    with pytest.raises(GatewayError, match=r"login with \*+ refused") as caught:
        command.read(wrong)
    assert "hunter2" not in str(caught.value)
    password.chmod(0o640)
    with pytest.raises(GatewayError, match="mode 0600"):
        command.read(wrong)
    assert command.explain(wrong, "site2")[0] == f"# GATEWAY_PASSWORD: what is in {password}"


def test_a_command_that_hangs_is_killed_with_its_children(bench: Bench, tmp_path: Path) -> None:
    params, _ = bench
    pid = tmp_path / "pid"
    child = f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    program = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-ISc', {child!r}]); time.sleep(60)"
    hangs = {**params, "read_command": [sys.executable, "-ISc", program], "command_timeout": 3.0}
    begin = time.monotonic()
    with pytest.raises(GatewayError, match="no end within 3 s"):
        command.read(hangs)
    assert time.monotonic() - begin < 8
    stat = Path(f"/proc/{pid.read_text()}/stat")

    def gone() -> bool:
        try:
            return stat.read_text().split()[2] == "Z"
        except OSError:
            return True

    assert wait_for(gone, 5, 0.02)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"read_command": []}, "read_command"),
        ({"targets": {}}, "targets"),
        ({"read_command": "show all"}, "read_command: list expected"),
        ({"read_command": ["/no/such/program"]}, "/no/such/program: it cannot be run"),
        ({"target_pattern": "("}, "target_pattern: a regular expression expected"),
        ({"target_pattern": "trunk {target}"}, "target_pattern with a state expected for site1"),
        ({"up": "["}, "option up: a regular expression"),
    ],
)
def test_wrong_options_are_named(bench: Bench, wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(GatewayError) as caught:
        command.read({**bench[0], **wrong})
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("options", "word", "met"),
    [
        ({}, "pings", True),
        ({"keepalive_max": 9}, "pings", False),
        ({"keepalive_pattern": ""}, "pings", True),
        ({"keepalive_pattern": "", "keepalive_required": True}, "pings", False),
        ({"keepalive_pattern": "^nothing (?P<seconds>)$"}, "pings", True),
        ({"keepalive_pattern": "^keepalive every"}, "pings", False),
        ({"save_command": []}, "reboot", False),
    ],
)
def test_readiness_judges_keepalive_and_saving(bench: Bench, options: dict[str, Any], word: str, met: bool) -> None:
    items = command.readiness({**bench[0], **options}, ["site1", "site2"])
    assert next(item for item in items if word in item["item"])["met"] is met
