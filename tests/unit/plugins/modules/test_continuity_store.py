# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module with driver etcd, as Ansible starts it: a process of its own, JSON in, JSON out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from etcd_double import PASSWORD, Etcd
from tls_doubles import make_papers

ROOT = Path(__file__).parents[4]
OWNER = {"hostname": "h", "boot_id": "b", "pid_namespace": "n", "pid": 1, "started": 5, "run": "run-1"}
PROGRAM = """
import json, sys
from ansible.module_utils.testing import patch_module_args
from ansible_collections.contactcenter.sip_dr.plugins.modules import continuity_store
with patch_module_args(json.loads(sys.argv[1])):
    continuity_store.main()
"""


@pytest.fixture
def etcd(tmp_path: Path) -> Iterator[Etcd]:
    with Etcd(make_papers(tmp_path)) as members:
        members.settings_file(tmp_path / "etcd.json")
        yield members


@pytest.fixture
def run(etcd: Etcd, tmp_path: Path) -> Any:
    def one(**options: Any) -> dict[str, Any]:
        words = {"driver": "etcd", "settings": str(tmp_path / "etcd.json"), "state_dir": str(tmp_path), **options}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, json.dumps(words)],
            env={**os.environ, "PYTHONPATH": str(ROOT / "collections")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert PASSWORD not in done.stdout + done.stderr
        return dict(json.loads(done.stdout))

    return one


def test_what_one_host_wrote_is_not_changed_by_the_next(run, etcd):
    first, second = (run(operation="put", key="track", value={"a": 1}, version=4) for _ in range(2))
    assert (first["changed"], first["stored"]) == (True, True)
    assert (second["changed"], second["stored"]) == (False, True)
    assert run(operation="read")["store"]["records"] == {"track": {"version": 4, "value": {"a": 1}}}


def test_who_comes_second_is_told_who_holds_the_lock_and_since_when(run, etcd):
    assert run(operation="acquire", owner=OWNER, token=1)["changed"]
    told = run(operation="acquire", owner={**OWNER, "pid": 2, "run": "run-2"}, token=1)
    assert told["failed"]
    assert "held in etcd by run run-1 (token 1, process 1 on h) since 20" in told["refused"]["evidence"]


def test_a_dry_run_writes_nothing(run, etcd):
    assert run(operation="put", key="track", value=1, version=1, _ansible_check_mode=True)["changed"]
    assert etcd.value("records/track") is None


def test_settings_that_are_not_there_are_named(run, etcd):
    told = run(operation="read", settings="/nowhere/etcd.json")
    assert told["failed"] and "coordination store: /nowhere/etcd.json: " in told["msg"]
