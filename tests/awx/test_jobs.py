# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job templates run as AWX runs them, on the lab: ``lab/enter .venv/bin/python -m pytest tests/awx -m lab``.

One story, told by fixtures: two health checks, site 1 dies, health check, gate, failover (refused, then with what the
refusal asked for), report, and the gate once more. Each job gets a private data directory of its own, as containers
do; what one knows of the other comes from the coordination store or by artifacts. The lab must be fresh
(lab/lab reset).
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from awx_data import injected, one
from private_data_dir import EVENT_LEVELS, ROOT, Job, inventory_of, make, run
from two_site_lab.lab import Lab

LAB = Lab(os.environ.get("SIP_DR_LAB", "dr"))
FAILED, SURVIVOR, STORE = "site1", "site2", "s2-cfg"
CREDENTIAL = {"config_server_layer_user": "gax_user", "config_server_layer_password": "gax_password"}
"""What the lab's inventory holds and AWX's does not: the credential's variables, and its fields."""
STORY = (
    "first_check",
    "second_check",
    "check_after_the_failure",
    "gate",
    "refused",
    "failed_over",
    "report",
    "gate_afterwards",
)

Launch = Callable[..., Job]


def _in_control() -> bool:
    namespace = Path(f"/run/netns/{LAB.state.id}-control")
    return namespace.exists() and namespace.samefile("/proc/self/ns/net")


pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(not _in_control(), reason="not in the lab's control namespace (lab/enter)"),
]


@pytest.fixture(scope="module")
def launch(tmp_path_factory: pytest.TempPathFactory) -> Launch:
    """Launches a job template as AWX does, with extra variables; a survey's unanswered questions are empty."""
    inventory = inventory_of(LAB.inventory_directory)
    held = {field: inventory["all"]["vars"].pop(variable) for variable, field in CREDENTIAL.items()}
    kind = one("controller_credential_types", "sip-dr")
    fields = {field["id"]: "" for field in kind["inputs"]["fields"]}

    def launched(name: str, extra_vars: dict[str, Any] | None = None) -> Job:
        template = one("controller_templates", name)
        survey = {each["variable"]: each["default"] for each in template.get("survey_spec", {}).get("spec", ())}
        given = survey | (extra_vars or {})
        directory = make(tmp_path_factory.mktemp("job"), inventory, given, injected(kind, fields | held))
        return run(directory, template["playbook"])

    return launched


@pytest.fixture(scope="module")
def first_check(launch: Launch) -> tuple[Job, dict[str, Any]]:
    """A health check, and what the store remembers after it."""
    return launch("sip-dr health check"), remembered()


@pytest.fixture(scope="module")
def second_check(launch: Launch, first_check: tuple[Job, dict[str, Any]]) -> tuple[Job, dict[str, Any]]:
    """The next one."""
    return launch("sip-dr health check"), remembered()


@pytest.fixture(scope="module")
def check_after_the_failure(launch: Launch, second_check: tuple[Job, dict[str, Any]]) -> Job:
    """Site 1 has lost its power."""
    subprocess.run([ROOT / "lab/lab", "--id", LAB.state.id, "kill", FAILED], check=True, capture_output=True)
    return launch("sip-dr health check")


@pytest.fixture(scope="module")
def gate(launch: Launch, check_after_the_failure: Job) -> Job:
    """The workflow's first node, launched by the notification: nobody has said anything."""
    return launch("sip-dr gate")


@pytest.fixture(scope="module")
def refused(launch: Launch, gate: Job) -> Job:
    """The workflow's third node: all that it is given are the gate's artifacts."""
    return launch("sip-dr failover", gate.artifacts)


@pytest.fixture(scope="module")
def failed_over(launch: Launch, refused: Job) -> Job:
    """A person answers the survey with what the refusal asked for."""
    answers = {
        "continuity_failed_site": FAILED,
        "continuity_first_attester": "alice",
        "continuity_second_attester": "bob",
        "continuity_allow_data_loss": refused.artifacts["continuity_run_id"],
    }
    return launch("sip-dr failover", answers)


@pytest.fixture(scope="module")
def report(launch: Launch, failed_over: Job) -> Job:
    """The workflow's last node."""
    return launch("sip-dr report", failed_over.artifacts)


@pytest.fixture(scope="module")
def gate_afterwards(launch: Launch, failed_over: Job) -> Job:
    """The next workflow in line: the health check before the failover had launched it, too."""
    return launch("sip-dr gate")


@pytest.fixture(params=STORY)
def job(request: pytest.FixtureRequest) -> Job:
    """Each job of the story in turn."""
    told = request.getfixturevalue(request.param)
    return told if isinstance(told, Job) else told[0]


def remembered() -> dict[str, Any]:
    """What the coordination store of the surviving site holds of the decision's state."""
    read: dict[str, Any] = json.loads(LAB.run(STORE, ["cat", "/var/lib/sip-dr/store/track.json"]).stdout)
    return read


def test_health_checks_continue_each_other_through_the_store(
    first_check: tuple[Job, dict[str, Any]], second_check: tuple[Job, dict[str, Any]]
) -> None:
    for checked, _ in (first_check, second_check):
        assert checked.ended == ("successful", 0), checked.stdout
        assert checked.artifacts["continuity_verdict"]["verdict"] == "NORMAL"
    before, after = first_check[1], second_check[1]
    assert after["version"] == before["version"] + 1
    assert after["value"]["taken_at"] > before["value"]["taken_at"]
    assert after["value"]["raw"]["since"] == before["value"]["raw"]["since"], "the second one began anew"


def test_a_dead_site_fails_the_health_check_and_its_artifacts_say_why(check_after_the_failure: Job) -> None:
    verdict = check_after_the_failure.artifacts["continuity_verdict"]
    assert (verdict["verdict"], verdict["site"]) == ("SITE_DOWN", FAILED), check_after_the_failure.stdout
    assert check_after_the_failure.ended == ("failed", 2)


def test_the_gate_hands_over_site_run_and_plan(gate: Job) -> None:
    assert gate.ended == ("successful", 0), gate.stdout
    assert set(gate.artifacts) == {
        "continuity_verdict",
        "continuity_failed_site",
        "continuity_run_id",
        "continuity_plan_text",
    }
    assert gate.artifacts["continuity_failed_site"] == FAILED
    assert gate.artifacts["continuity_verdict"]["verdict"] == "SITE_DOWN"
    heading, *steps = gate.artifacts["continuity_plan_text"]
    assert heading.startswith(f"Run {gate.artifacts['continuity_run_id']}, failover of {FAILED} to {SURVIVOR}: ")
    assert any("prefer_survivor" in step for step in steps)
    assert changed(gate) == {}


def test_the_failover_saves_the_calls_and_refuses_the_rest_under_the_gates_run_id(gate: Job, refused: Job) -> None:
    assert refused.ended == ("failed", 2), refused.stdout
    assert refused.artifacts["continuity_run_id"] == gate.artifacts["continuity_run_id"]
    assert f"continuity_allow_data_loss={gate.artifacts['continuity_run_id']}" in "".join(said(refused))
    assert changed(refused), "the calls were not saved"


def test_the_surveys_answers_finish_it(gate: Job, failed_over: Job) -> None:
    assert failed_over.ended == ("successful", 0), failed_over.stdout
    assert failed_over.artifacts["continuity_run_id"] == gate.artifacts["continuity_run_id"]


def test_the_report_is_printed_from_the_survivors_copy(report: Job, failed_over: Job) -> None:
    assert report.ended == ("successful", 0), report.stdout
    text = "\n".join(said(report))
    assert failed_over.artifacts["continuity_run_id"] in text
    assert "start_config_server" in text, "the copy of the refused start was printed"
    assert changed(report) == {}


def test_the_gate_stays_shut_when_nothing_is_left_to_do(gate_afterwards: Job) -> None:
    assert gate_afterwards.ended == ("failed", 2), gate_afterwards.stdout
    assert set(gate_afterwards.artifacts) == {"continuity_verdict"}
    assert "Not passed: " in gate_afterwards.stdout


def test_events_are_those_of_awx_without_a_gap(job: Job) -> None:
    assert {event["event"] for event in job.events} <= set(EVENT_LEVELS)
    assert [event["counter"] for event in job.events] == list(range(1, len(job.events) + 1))


def test_each_event_hangs_below_an_earlier_one(job: Job) -> None:
    earlier: dict[str, int] = {}
    for event in job.events:
        level, parent = EVENT_LEVELS[event["event"]], str(event.get("parent_uuid") or "")
        # An included file hangs below the task that includes it, and both are of level 2.
        assert earlier[parent] <= level if level else not parent, event
        earlier[event["uuid"]] = level


def test_no_secret_is_in_an_event(job: Job) -> None:
    secrets = json.loads((LAB.state.root / "secrets.json").read_text())
    assert {"gax", "confserv", "sipdr_monitor"} <= set(secrets)
    for event in job.events:
        text = json.dumps(event)
        assert [name for name, secret in secrets.items() if secret in text] == []


def changed(job: Job) -> dict[str, int]:
    """Tasks that changed something, by host."""
    last = job.events[-1]
    counts: dict[str, int] = last["event_data"]["changed"]
    return counts


def said(job: Job) -> list[str]:
    """What debug tasks printed, as it was given."""
    results = [event["event_data"].get("res", {}) for event in job.events if event["event"] == "runner_on_ok"]
    texts = [result["msg"] for result in results if isinstance(result.get("msg"), list)]
    return [str(line) for text in texts for line in text]
