"""The module as Ansible starts it: a process of its own, JSON in, JSON out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.message import parse
from ansible_collections.contactcenter.sip_dr.plugins.modules import sip_options
from sip_doubles import mute, ok, reply, udp_peer

ROOT = Path(__file__).parents[4]
QUICK = {"sip_t1": 0.02, "sip_tries": 2, "probe_deadline": 0.3}


def process(**options):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "collections")}
    program = (
        "import json, sys\n"
        "from ansible.module_utils.testing import patch_module_args\n"
        "from ansible_collections.contactcenter.sip_dr.plugins.modules import sip_options\n"
        "with patch_module_args(json.loads(sys.argv[1])):\n"
        "    sip_options.main()\n"
    )
    return subprocess.run(
        [sys.executable, "-c", program, json.dumps(options)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def run(**options):
    """The module's reply."""
    return json.loads(process(**options).stdout)


def test_what_is_down_does_not_fail_the_module():
    with udp_peer(ok) as good, udp_peer(mute) as dead:
        targets = [
            {"name": "good", "address": "127.0.0.1", "port": good.port},
            {"name": "dead", "address": "127.0.0.1", "port": dead.port},
            {"name": "nowhere", "address": "no-such-host.invalid"},
        ]
        result = run(targets=targets, **QUICK)
    assert result["changed"] is False and "failed" not in result
    assert result["counts"] == {"total": 3, "up": 1, "down": 1, "unknown": 1, "answered": 1}
    assert (result["down"], result["unknown"]) == (["dead"], ["nowhere"])
    assert [answer["name"] for answer in result["answers"]] == ["dead", "nowhere"]
    assert [slow["name"] for slow in result["slowest"]] == ["good"]
    assert result["progress"]["done"] == 3


def test_check_mode_is_the_same():
    with udp_peer(ok) as peer:
        targets = [{"address": "127.0.0.1", "port": peer.port}]
        result = run(targets=targets, _ansible_check_mode=True, **QUICK)
    assert (result["changed"], result["counts"]["up"], len(peer.received)) == (False, 1, 1)


@pytest.mark.parametrize(("wanted", "names"), [("all", ["a", "b"]), ("problems", ["b"]), ("none", [])])
def test_which_answers_are_returned(wanted, names):
    with udp_peer(ok) as good, udp_peer(mute) as dead:
        targets = [
            {"name": "a", "address": "127.0.0.1", "port": good.port},
            {"name": "b", "address": "127.0.0.1", "port": dead.port},
        ]
        result = run(targets=targets, answers=wanted, **QUICK)
    assert [answer["name"] for answer in result["answers"]] == names


def test_targets_of_the_inventory_and_of_a_file_and_progress(tmp_path):
    with udp_peer(ok) as peer:
        (tmp_path / "more.csv").write_text(f"name,address,port\nc,127.0.0.1,{peer.port}\nd,127.0.0.1,{peer.port}\n")
        result = run(
            targets=[{"name": "b", "address": "127.0.0.1", "port": peer.port}],
            targets_file=str(tmp_path / "more.csv"),
            progress_file=str(tmp_path / "progress.json"),
            answers="all",
            rate=1000,
            window=1,
            **QUICK,
        )
    assert [answer["name"] for answer in result["answers"]] == ["b", "c", "d"]
    assert json.loads((tmp_path / "progress.json").read_text())["up"] == 3


@pytest.mark.parametrize("given", ["option", "file"])
def test_credentials_reach_neither_argv_nor_the_reply(tmp_path, given):
    secret = "open-sesame"
    (tmp_path / "password").write_text(f"{secret}\n")
    password = {"password": secret} if given == "option" else {"password_file": str(tmp_path / "password")}
    challenge = 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256'

    def guarded(request, _count):
        if "username" in parse(request).first("authorization"):
            return [(0, reply(request))]
        return [(0, reply(request, "401 Unauthorized", more=challenge))]

    with udp_peer(guarded) as peer:
        targets = [{"address": "127.0.0.1", "port": peer.port}]
        done = process(targets=targets, username="sip-dr", realm="r", answers="all", **password, **QUICK)
    result = json.loads(done.stdout)
    assert result["statuses"] == {"200": 1}
    assert secret not in json.dumps({key: value for key, value in result.items() if key != "invocation"})
    assert secret not in done.stderr + json.dumps(result.get("invocation", {}))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "one of the following is required: targets, targets_file"),
        ({"targets": [{"address": "a b"}]}, "targets[0]: address"),
        ({"targets": [{"port": 1}]}, "address"),
        ({"targets": [], "window": 0}, "window is at least 1"),
        ({"targets": [], "rate": 0}, "rate is more than 0"),
        ({"targets": [], "sip_tries": 0}, "sip_tries is at least 1"),
        ({"targets": [], "username": "a"}, "username needs password"),
        ({"targets": [], "password": "0123"}, "username"),
        ({"targets": [], "username": "a", "password_file": "/nowhere"}, "/nowhere"),
        ({"targets_file": "/nowhere.csv"}, "/nowhere.csv"),
        ({"targets": [{"address": "127.0.0.1", "transport": "tls"}], "tls": {"ca_file": "/nowhere"}}, "No such file"),
        ({"targets": [], "progress_file": "/nowhere/progress.json"}, "/nowhere"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(options, words):
    result = run(**options)
    assert result["failed"]
    assert words in result["msg"]


def test_no_targets():
    assert run(targets=[])["counts"]["total"] == 0


def test_the_options_are_documented_as_they_are():
    documented = yaml.safe_load(sip_options.DOCUMENTATION)["options"]
    own = {name: spec for name, spec in sip_options.ARGUMENTS.items() if name not in sip_options.SIP_TIMERS}
    assert set(documented) == set(own)
    for name, spec in own.items():
        assert (documented[name]["type"], documented[name].get("default")) == (spec["type"], spec.get("default")), name
        assert set(documented[name].get("suboptions", {})) == set(spec.get("options", {})), name
