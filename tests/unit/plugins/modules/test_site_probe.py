"""The module as Ansible starts it: a process of its own, JSON in, JSON out."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import run_step

ROOT = Path(__file__).parents[4]


def run(**options):
    """The module's reply."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "collections")}
    program = (
        "import json, sys\n"
        "from ansible.module_utils.testing import patch_module_args\n"
        "from ansible_collections.contactcenter.sip_dr.plugins.modules import site_probe\n"
        "with patch_module_args(json.loads(sys.argv[1])):\n"
        "    site_probe.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(options)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return json.loads(done.stdout)


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_what_is_down_does_not_fail_the_module():
    check = {"id": "a", "kind": "tcp", "address": "127.0.0.1", "port": closed_port()}
    result = run(checks=[check], _ansible_check_mode=True)
    assert (result["changed"], result["reached"]) == (False, True)
    assert [(one["id"], one["value"]) for one in result["answers"]] == [("a", "down")]
    assert result["elapsed"] < 1
    assert 0 <= time.time() - result["clock"] < 60


def test_a_gateway_that_is_managed_from_elsewhere_is_reached_when_it_has_answered_itself():
    """The module runs on the controller, dead gateway or not: its run is no sign of life."""
    check = {
        "id": "gateways:site1:gw",
        "kind": "gateway",
        "elsewhere": True,
        "sites": {},
        "driver": "opensips",
        "options": {"mi_url": f"http://127.0.0.1:{closed_port()}/mi"},
    }
    result = run(checks=[check])
    assert "reached" not in result and not result["answers"][0]["answered"]
    assert run(checks=[dict(check, elsewhere=False)])["reached"] is True


def test_deadlines_and_names_are_taken():
    check = {"id": "a", "kind": "sip_options", "address": "127.0.0.1", "port": closed_port()}
    result = run(
        checks=[check],
        sip_t1=0.02,
        sip_tries=2,
        probe_deadline=0.2,
        page_names={"run_mode": ["x"]},
        database={"passfile": "/nowhere"},
    )
    assert result["answers"][0]["sent"] == 2
    assert result["elapsed"] < 1


def test_certificates_are_taken():
    check = {"id": "a", "kind": "sip_options", "address": "127.0.0.1", "transport": "tls"}
    found = run(checks=[check], sip_tls={"ca_file": "/nowhere/ca.pem"})["answers"][0]
    assert (found["value"], found["answered"]) == ("unknown", False)
    assert "/nowhere/ca.pem" in found["detail"]
    assert "certificate" in run(checks=[check], sip_tls={"key": "/nowhere/key.pem"})["msg"]


def test_a_check_that_cannot_be_run_is_refused_by_name():
    result = run(checks=[{"id": "a", "kind": "tcp", "address": "x"}, {"id": "b", "kind": "ping"}])
    assert result["failed"]
    assert "a: port is missing" in result["msg"] and "b: kind is one of" in result["msg"]


def test_the_last_run_on_this_host_is_read_along(tmp_path):
    with run_step({"id": "r7", "token": 7, "step": "fence"}, str(tmp_path), check_mode=False) as step:
        step.end(changed=True, detail="revoked")
    told = run(checks=[], state_dir=str(tmp_path))["run"]
    assert (told["token"], [record["event"] for record in told["journal"]]) == (7, ["begin", "end"])
    assert run(checks=[], state_dir=str(tmp_path / "missing"))["run"] == {"token": 0, "journal": []}
