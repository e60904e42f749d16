"""The command line: what it hands to the playbooks, what it prints, and its exit codes."""

from __future__ import annotations

import io

import pytest

from sip_dr.cli import EXIT_CODES, command_line, exit_code, parser, variables
from sip_dr.progress import Progress


def test_a_failover_hands_on_what_the_person_said():
    words = ["failover", "-i", "x", "--site", "a", "--attest", "Alice", "--attest", "Bob", "--allow-data-loss", "r1"]
    assert variables(parser().parse_args(words)) == {
        "continuity_failed_site": "a",
        "continuity_first_attester": "Alice",
        "continuity_second_attester": "Bob",
        "continuity_allow_data_loss": "r1",
    }


def test_a_move_names_where_to():
    assert variables(parser().parse_args(["move", "-i", "x", "--to", "b"])) == {"continuity_to_site": "b"}


def test_a_plan_touches_nothing():
    options = parser().parse_args(["plan", "-i", "x", "--site", "a", "-e", "b=c d"])
    assert command_line(options) == "--check --diff -e 'b=c d'"


@pytest.mark.parametrize(
    ("command", "rc", "artifacts", "code"),
    [
        ("status", 0, {}, 0),
        ("status", 2, {"continuity_verdict": {"verdict": "SUSPECT"}}, 10),
        ("status", 2, {"continuity_verdict": {"verdict": "SITE_DOWN"}}, 20),
        ("failover", 2, {"continuity_refused": ["fence"], "continuity_status": "open"}, 30),
        ("failover", 2, {"continuity_refused": [], "continuity_status": "open"}, 31),
        ("failover", 4, {}, 4),
        ("failover", 2, {}, 1),
    ],
)
def test_exit_codes_are_distinct(command, rc, artifacts, code):
    assert exit_code(command, rc, artifacts) == code
    assert code in EXIT_CODES.values()


def test_progress_says_each_play_that_did_something_and_what_was_printed():
    out = io.StringIO()
    progress = Progress(out)
    for event, data in [
        ("playbook_on_play_start", {"play": "Step one"}),
        ("runner_on_ok", {"task_action": "ansible.builtin.debug", "res": {"msg": ["1. first", "2. second"]}}),
        ("playbook_on_play_start", {"play": "Step without hosts"}),
        ("playbook_on_play_start", {"play": "Step two"}),
        ("runner_on_failed", {"host": "h", "res": {"msg": "refused"}}),
        ("playbook_on_stats", {"artifact_data": {"continuity_status": "open"}}),
    ]:
        assert progress({"event": event, "event_data": data})
    progress.finish()
    lines = out.getvalue().splitlines()
    assert lines[:2] == ["1. first", "2. second"] and lines[2].endswith("s  Step one")
    assert lines[3] == "FAILED   h: refused" and lines[4].endswith("s  Step two")
    assert "without hosts" not in out.getvalue()
    assert progress.artifacts == {"continuity_status": "open"}
