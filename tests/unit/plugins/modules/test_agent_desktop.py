# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module agent_desktop: options in, what the module says out; the doors are tested with module_utils."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import read_journal
from ansible_collections.contactcenter.sip_dr.plugins.modules import agent_desktop

NOBODY = 9  # the discard port: nobody listens there
RUN = {"id": "run-6", "token": 6, "step": "a_step"}
PORT = {"address": "127.0.0.1", "port": NOBODY}
SITE = {"legs": {"a": {"address": "127.0.0.1"}}, "monitoring_port": NOBODY, "stat_server": PORT, "proxy": PORT}
SITES = {"site1": SITE, "site2": SITE}
LAYER = {"url": f"http://127.0.0.1:{NOBODY}/gax/api/", "user": "sip-dr", "password": "s3cret-of-the-layer"}
QUICK = {"connect_timeout": 0.2, "deadline": 0.1, "interval": 0.05}


def call(capsys: pytest.CaptureFixture[str], **options: object) -> dict:
    with patch_module_args({"sites": SITES, **QUICK, **options}), pytest.raises(SystemExit):
        agent_desktop.main()
    return json.loads(capsys.readouterr().out)


def test_dead_sites_are_observed(capsys: pytest.CaptureFixture[str]) -> None:
    found = call(capsys, applications=["Workspace"], layer=LAYER)
    assert (found["changed"], found["before"]) == (False, None)
    assert found["sites"]["site1"]["proxy"]["answers"] is False
    assert found["applications"]["Workspace"]["read"] is False
    assert "s3cret" not in json.dumps({**found, "invocation": None})


def test_readiness_is_not_ready_and_fails_not(capsys: pytest.CaptureFixture[str]) -> None:
    found = call(capsys, door="readiness")
    assert (found["ready"], "failed" in found) == (False, False)
    assert all(set(one) == {"item", "met", "evidence", "way"} for one in found["readiness"])


@pytest.mark.parametrize("door", ["release", "take_over", "restore"])
def test_a_door_that_changes_nothing_is_a_step_of_the_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, door: str
) -> None:
    found = call(capsys, door=door, site="site2", run=RUN, state_dir=str(tmp_path))
    assert found["changed"] is False
    assert [(one["event"], one.get("changed")) for one in read_journal(str(tmp_path))] == [
        ("begin", None),
        ("end", False),
    ]
    assert found["journal"][-1]["detail"] == found["detail"]


def test_a_run_that_was_overtaken_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "token").write_text(json.dumps({"token": 7, "run": "run-7", "at": "2026-01-31T03:14:15Z"}))
    found = call(capsys, door="take_over", site="site2", run=RUN, state_dir=str(tmp_path))
    assert found["failed"] and found["refused"]["guard"].startswith("fencing token")


@pytest.mark.parametrize("before", [["1001", "1002"], 2, "2"])
def test_verify_fails_and_names_who_is_missing(capsys: pytest.CaptureFixture[str], before: object) -> None:
    found = call(capsys, door="verify", site="site2", before=before)
    named = ["1001", "1002"] if isinstance(before, list) else []
    assert (found["failed"], found["share"], found["missing"]) == (True, 0.0, named)
    assert ("missing: 1001, 1002" if named else "names are not told") in found["msg"]
    assert "the Statistic Server does not answer" in found["msg"]


def test_verify_does_not_wait_in_check_mode(capsys: pytest.CaptureFixture[str]) -> None:
    found = call(capsys, door="verify", site="site2", before=2, deadline=3600.0, _ansible_check_mode=True)
    assert found["failed"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"door": "verify"}, "site"),
        ({"sites": {"site1": {"proxy": {"port": 1}}}}, "sites.site1: "),
        ({"option_names": {"colour": "red"}}, "option_names: colour unknown"),
        ({"door": "verify", "site": "site1", "before": "many"}, "before: a list of agents or their number"),
        ({"door": "verify", "site": "site1", "min_logged_in": 95}, "min_logged_in: a share from 0 to 1"),
        ({"layer": {**LAYER, "url": "file:///etc/passwd"}}, "no http or https"),
        ({"layer": {**LAYER, "shape": {"colour": "red"}}}, "shape: colour unknown"),
        ({"door": "take_over", "site": "site9"}, "sites has no site9"),
    ],
)
def test_an_option_that_is_wrong_is_named(
    capsys: pytest.CaptureFixture[str], options: dict[str, object], message: str
) -> None:
    found = call(capsys, **options)
    assert found["failed"] and message in found["msg"]
