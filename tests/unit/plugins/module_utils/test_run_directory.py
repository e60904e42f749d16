# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run directory: what is written, that it only grows, and that a change is seen."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_directory import (
    DOCUMENTS,
    FIRST,
    EvidenceError,
    RunDirectory,
    merge_records,
    newest_run,
    read_chain,
    readiness,
    write_chain,
)

RUN = "20260131-031415"
BEGIN = {"step": "fence", "event": "begin", "at": "2026-01-31T03:14:15Z", "host": "a"}
END = {"step": "fence", "event": "end", "at": "2026-01-31T03:14:16Z", "host": "a", "outcome": "ok", "changed": True}
DATA = {
    "run_id": RUN,
    "series": [{"observation": {"taken_at": "2026-01-31T03:14:15Z"}}],
    "decision": {"verdict": "NORMAL", "site": None},
    "plan": {},
    "journal": [BEGIN],
    "timeline": [],
    "checks": [],
    "measured": {},
    "targets": {},
    "unprotected": [],
}


@pytest.fixture
def run(tmp_path):
    return RunDirectory(tmp_path / "runs", RUN)


def test_everything_is_written_and_a_second_time_changes_nothing(run):
    changes = run.write(DATA, dry=False)
    assert [os.path.basename(change["path"]) for change in changes] == list(DOCUMENTS)
    assert sorted(path.name for path in run.path.iterdir()) == sorted(DOCUMENTS)
    assert run.write(DATA, dry=False) == []
    assert run.problems() == []
    assert run.read()["verdict"] == "NORMAL"
    assert "VERDICT  NORMAL" in run.text()


def test_journal_in_which_nothing_happened_is_a_file_too(run):
    run.write(dict(DATA, journal=[]), dry=False)
    assert (run.path / "journal.jsonl").read_text() == ""
    assert run.problems() == []


def test_dry_says_all_and_writes_nothing(run):
    changes = run.write(DATA, dry=True)
    assert len(changes) == len(DOCUMENTS)
    assert not run.path.exists()


def test_each_line_has_the_hash_of_the_line_before(run):
    run.write(dict(DATA, journal=[BEGIN, END]), dry=False)
    first, second = (run.path / "journal.jsonl").read_text().splitlines()
    assert json.loads(first) == {"seq": 1, "prev": FIRST, "record": BEGIN}
    assert json.loads(second)["prev"] == hashlib.sha256(first.encode()).hexdigest()


def test_journal_grows_and_never_loses_a_line(run):
    run.write(DATA, dry=False)
    before = (run.path / "journal.jsonl").read_text()
    run.write(dict(DATA, journal=[END]), dry=False)
    after = (run.path / "journal.jsonl").read_text()
    assert after.startswith(before)
    assert len(after.splitlines()) == 2
    assert run.write(dict(DATA, journal=[END, BEGIN]), dry=False) == []


def test_order_of_what_is_given_does_not_rewrite_what_lies_there():
    assert merge_records([1, 2], [3, 2, 1, 3]) == [1, 2, 3]


@pytest.mark.parametrize("line", [0, 1, 2])
def test_changed_line_breaks_the_chain_where_it_is_noticed(line):
    lines = write_chain([{"n": 0}, {"n": 1}, {"n": 2}]).splitlines()
    lines[line] = lines[line].replace('"n":', '"m":')
    _, problems = read_chain("\n".join(lines) + "\n")
    # The last line has none after it: the report's own hash of the journal holds that one.
    assert problems == ([f"line {line + 2} does not continue the chain"] if line < 2 else [])


@pytest.mark.parametrize(
    "text", ["x\n", "[]\n", '{"seq":1}\n', '{"seq":2,"prev":"' + FIRST + '","record":1}\n', write_chain([1, 2])[80:]]
)
def test_nonsense_is_a_broken_chain(text):
    assert read_chain(text)[1] == ["line 1 does not continue the chain"]


def test_line_taken_out_breaks_the_chain():
    lines = write_chain([1, 2, 3]).splitlines()
    assert read_chain("\n".join([lines[0], lines[2]]))[1] == ["line 2 does not continue the chain"]


@pytest.mark.parametrize("name", ["observations.jsonl", "verdict.json", "plan.json", "journal.jsonl"])
def test_changed_evidence_is_named(run, name):
    run.write(dict(DATA, journal=[BEGIN, END]), dry=False)
    path = run.path / name
    path.write_text(path.read_text().replace("fence", "other") + " ")
    assert any(problem.startswith(name) for problem in run.problems())


def test_journal_cut_short_is_seen(run):
    run.write(dict(DATA, journal=[BEGIN, END]), dry=False)
    path = run.path / "journal.jsonl"
    path.write_text(path.read_text().splitlines(keepends=True)[0])
    assert run.problems() == ["journal.jsonl has changed since report.json was written"]


def test_broken_journal_is_not_written_over(run):
    run.write(dict(DATA, journal=[BEGIN, END]), dry=False)
    path = run.path / "journal.jsonl"
    path.write_text(path.read_text().replace("begin", "began"))
    with pytest.raises(EvidenceError, match=r"journal\.jsonl: line 2 does not continue"):
        run.write(DATA, dry=False)


def test_sealed_run_is_proven_by_a_tool_not_ours(run):
    run.write(DATA, dry=False)
    assert len(run.seal(dry=False)) == 1
    assert run.seal(dry=False) == []
    subprocess.run(
        ["sha256sum", "--check", "--strict", "evidence.sha256"], cwd=run.path, check=True, capture_output=True
    )
    (run.path / "report.txt").write_text("all is well\n")
    assert run.problems() == ["report.txt has changed since the run was sealed"]
    failed = subprocess.run(["sha256sum", "--check", "evidence.sha256"], cwd=run.path, capture_output=True, check=False)
    assert failed.returncode == 1


def test_sealed_run_refuses_more(run):
    run.write(DATA, dry=False)
    run.seal(dry=False)
    assert run.write(DATA, dry=False) == []
    with pytest.raises(RefusedError) as refused:
        run.write(dict(DATA, journal=[BEGIN, END]), dry=False)
    assert refused.value.refusal["guard"] == "sealed"
    assert "journal.jsonl" in refused.value.refusal["evidence"]


def test_seal_needs_sound_evidence(run):
    with pytest.raises(EvidenceError, match=r"report\.txt is not there"):
        run.seal(dry=False)


def test_text_is_written_again_from_the_data(run):
    run.write(DATA, dry=False)
    text = run.text()
    (run.path / "report.txt").unlink()
    assert run.problems() == [f"{run.path / 'report.txt'} is not there"]
    assert len(run.render(dry=False)) == 1
    assert run.text() == text
    assert run.render(dry=False) == []


def test_nothing_to_write_the_text_from(run):
    with pytest.raises(EvidenceError, match=r"report\.json is not there"):
        run.render(dry=False)


@pytest.mark.parametrize("run_id", ["", "..", "a/b", "../x", "-x", "a b", "x" * 129, "a\n"])
def test_run_id_cannot_leave_the_directory(tmp_path, run_id):
    with pytest.raises(EvidenceError, match="run id"):
        RunDirectory(tmp_path, run_id)


def test_newest_run_is_the_one_written_last(tmp_path):
    assert newest_run(tmp_path / "nowhere") is None
    for number, name in enumerate(("b", "a")):
        RunDirectory(tmp_path, name).write(dict(DATA, run_id=name), dry=False)
        os.utime(tmp_path / name / "report.json", (number, number))
    assert newest_run(tmp_path) == "a"


def test_readiness_judges_the_nearest_directory_that_exists(tmp_path):
    items = readiness(tmp_path / "runs" / "deep")
    assert [item["met"] for item in items] == [True, True]
    assert str(tmp_path) in items[0]["evidence"]
    (tmp_path / "file").write_text("")
    assert readiness(tmp_path / "file" / "runs")[0]["met"] is False
    assert not (tmp_path / "runs").exists()
