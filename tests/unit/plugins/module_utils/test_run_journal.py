"""The run's journal and fencing token on a changed host."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import (
    JournalError,
    StaleTokenError,
    last_run,
    newest_token,
    read_journal,
    run_step,
)


def run(token: int, step: str = "prefer_survivor") -> dict:
    return {"id": f"run-{token}", "token": token, "step": step}


def test_a_step_writes_begin_and_end_and_its_token(tmp_path: Path) -> None:
    state = str(tmp_path / "sip-dr")
    with run_step(run(7), state, check_mode=False) as step:
        assert [record["event"] for record in read_journal(state)] == ["begin"]
        step.end(changed=True, detail="site2 preferred")
    begin, end = read_journal(state)
    assert (begin["id"], begin["token"], begin["step"]) == ("run-7", 7, "prefer_survivor")
    assert (end["event"], end["outcome"], end["changed"], end["detail"]) == ("end", "ok", True, "site2 preferred")
    newest = newest_token(state)
    assert newest is not None
    assert (newest["token"], newest["run"]) == (7, "run-7")


def test_an_older_token_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    state = str(tmp_path)
    with run_step(run(7), state, check_mode=False):
        pass
    before = (tmp_path / "journal.jsonl").read_bytes()
    with pytest.raises(StaleTokenError) as caught, run_step(run(6), state, check_mode=False):
        pytest.fail("the block of a stale run must not be entered")
    assert set(caught.value.refusal) == {"guard", "evidence", "way"}
    assert "token 6" in caught.value.refusal["evidence"] and "token 7" in caught.value.refusal["evidence"]
    assert (tmp_path / "journal.jsonl").read_bytes() == before


def test_the_same_run_may_come_back_with_its_token(tmp_path: Path) -> None:
    for _ in range(2):
        with run_step(run(7), str(tmp_path), check_mode=False) as step:
            step.end(changed=False)
    assert len(read_journal(str(tmp_path))) == 4


@pytest.mark.parametrize("check_mode", [False, True])
def test_an_equal_token_of_another_run_is_refused(tmp_path: Path, check_mode: bool) -> None:
    """Two controllers that could not see each other may both have taken the newest token plus one."""
    with run_step(run(7), str(tmp_path), check_mode=False):
        pass
    before = (tmp_path / "journal.jsonl").read_bytes()
    other = dict(run(7), id="run-of-the-other-controller")
    with pytest.raises(StaleTokenError) as caught, run_step(other, str(tmp_path), check_mode=check_mode):
        pytest.fail("the block of the second run must not be entered")
    assert "run run-of-the-other-controller brings token 7" in caught.value.refusal["evidence"]
    assert "run run-7 acted here with token 7" in caught.value.refusal["evidence"]
    assert (tmp_path / "journal.jsonl").read_bytes() == before


def test_the_last_run_is_its_records_and_the_newest_token(tmp_path: Path) -> None:
    for each in (run(6), run(7, "prefer_survivor"), run(7, "single_site")):
        with run_step(each, str(tmp_path), check_mode=False):
            pass
    found = last_run(str(tmp_path))
    assert found["token"] == 7
    assert [(record["id"], record["step"], record["event"]) for record in found["journal"]] == [
        ("run-7", step, event) for step in ("prefer_survivor", "single_site") for event in ("begin", "end")
    ]


def test_where_nothing_ran_the_last_run_is_none(tmp_path: Path) -> None:
    assert last_run(str(tmp_path / "missing")) == {"token": 0, "journal": []}


def test_a_spoiled_token_hides_no_journal(tmp_path: Path) -> None:
    with run_step(run(7), str(tmp_path), check_mode=False):
        pass
    (tmp_path / "token").write_text("seven")
    found = last_run(str(tmp_path))
    assert (found["token"], [record["event"] for record in found["journal"]]) == (0, ["begin", "end"])


def test_a_newer_run_in_the_middle_stops_the_older_before_its_write(tmp_path: Path) -> None:
    state = str(tmp_path)
    with pytest.raises(StaleTokenError), run_step(run(7), state, check_mode=False) as step:
        step.assert_newest()
        with run_step(run(8), state, check_mode=False):
            pass
        step.assert_newest()
    last = read_journal(state)[-1]
    assert (last["token"], last["outcome"]) == (7, "failed")
    assert newest_token(state)["token"] == 8  # type: ignore[index]


def test_check_mode_and_a_call_outside_any_run_write_nothing(tmp_path: Path) -> None:
    with run_step(run(7), str(tmp_path / "a"), check_mode=True) as step:
        step.assert_newest()
    with run_step(None, str(tmp_path / "b"), check_mode=False) as step:
        step.assert_newest()
        step.end(changed=True)
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_kept_the_journal_is_only_handed_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with run_step(run(7), None, check_mode=False) as step:
        step.assert_newest()
        step.end(changed=True, detail="site2 preferred")
    assert [(one["event"], one["token"]) for one in step.journal] == [("begin", 7), ("end", 7)]
    with run_step(run(7), None, check_mode=True) as shown:
        pass
    assert (shown.journal, list(tmp_path.iterdir())) == ([], [])


def test_check_mode_refuses_an_older_token_too(tmp_path: Path) -> None:
    with run_step(run(7), str(tmp_path), check_mode=False):
        pass
    with pytest.raises(StaleTokenError), run_step(run(1), str(tmp_path), check_mode=True):
        pass


@pytest.mark.parametrize(
    ("leave", "outcome"), [(SystemExit(0), "ok"), (SystemExit(1), "failed"), (OSError("no"), "failed")]
)
def test_the_end_is_written_however_the_block_is_left(tmp_path: Path, leave: BaseException, outcome: str) -> None:
    with pytest.raises(type(leave)), run_step(run(7), str(tmp_path), check_mode=False):
        raise leave
    assert read_journal(str(tmp_path))[-1]["outcome"] == outcome


def test_a_torn_last_line_spoils_neither_reading_nor_the_next_record(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    journal.write_bytes(json.dumps({"event": "begin"}).encode() + b'\n{"event": "en')
    with run_step(run(7), str(tmp_path), check_mode=False):
        pass
    assert [record["event"] for record in read_journal(str(tmp_path))] == ["begin", "begin", "end"]


def test_a_spoiled_token_is_an_error_and_never_a_guess(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("seven")
    with pytest.raises(JournalError, match="token"), run_step(run(7), str(tmp_path), check_mode=False):
        pytest.fail("no step without a readable token")
