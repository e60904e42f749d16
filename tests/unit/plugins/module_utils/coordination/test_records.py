"""Merging the coordination hosts' answers, and judging the run lock."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.records import (
    appended,
    judge_lock,
    merge,
)

OWNER = {"hostname": "awx-1", "boot_id": "b", "pid_namespace": "pid:[1]", "pid": 42, "started": 1000, "run": "r"}


def answer(host: str, **more: Any) -> dict[str, Any]:
    empty = {"host": host, "now": 100.0, "records": {}, "lock": None, "token": 0, "unreadable": {}}
    return {"changed": False, "store": {**empty, **more}}


def lock(token: int = 7, renewed_at: float = 90.0, **owner: Any) -> dict[str, Any]:
    return {
        "owner": {**OWNER, **owner},
        "token": token,
        "acquired_at": 10.0,
        "renewed_at": renewed_at,
        "run": "r",
    }


def test_the_newest_version_wins_whichever_host_has_it() -> None:
    old = answer("a", records={"track": {"version": 3, "value": "old"}})
    new = answer("b", records={"track": {"version": 4, "value": "new"}, "run": {"version": 1, "value": {}}})
    for results in ([old, new], [new, old]):
        merged = merge(results)
        assert merged["records"] == {"track": "new", "run": {}}
        assert merged["versions"] == {"track": 4, "run": 1}


@pytest.mark.parametrize("key", ["events", "attestations", "downtime", "overrides"])
def test_what_only_grows_is_united_from_both_hosts_in_its_order(key: str) -> None:
    first, second, third = ({"at": f"2026-01-0{day}", "type": "acknowledged"} for day in (1, 2, 3))
    here = answer("a", records={key: {"version": 2, "value": [first, third]}})
    there = answer("b", records={key: {"version": 2, "value": [second, third]}})
    assert merge([here, there])["records"][key] == [first, second, third]
    assert merge([there, here])["records"][key] == [first, second, third]


def test_an_item_with_an_id_is_the_same_item_whatever_else_it_says() -> None:
    assert appended([{"id": 1, "by": "a"}], [{"id": 1, "by": "b"}, {"id": 2}]) == [{"id": 1, "by": "a"}, {"id": 2}]


def test_the_ticket_is_the_newest_that_any_host_read() -> None:
    older = answer("a", ticket={"n": 3}, revision=41)
    newer = answer("b", ticket={"n": 4}, revision=42)
    for results in ([older, newer], [newer, older, {}]):
        assert merge(results)["ticket"] == {"n": 4}
    assert merge([answer("a", ticket=None, revision=0), {}])["ticket"] is None
    assert "ticket" not in merge([answer("a"), {}])


@pytest.mark.parametrize("silent", [{}, {"unreachable": True}, {"failed": True, "msg": "no"}, None])
def test_a_host_without_an_answer_is_silent(silent: Any) -> None:
    merged = merge([answer("a", token=5), silent])
    assert (merged["answered"], merged["silent"], merged["token"]) == (["a"], 1, 5)


def test_no_answer_at_all_is_an_empty_store() -> None:
    merged = merge([{}, {}])
    assert (merged["records"], merged["lock"], merged["token"], merged["silent"]) == ({}, None, 0, 2)


def test_the_lock_with_the_newest_token_counts_and_its_youngest_renewal() -> None:
    merged = merge(
        [
            answer("a", lock=lock(7, renewed_at=40.0), now=100.0),
            answer("b", lock=lock(7, renewed_at=1060.0), now=1100.0),
            answer("c", lock=lock(6), now=100.0),
        ]
    )
    assert merged["lock"]["token"] == 7
    assert merged["lock"]["hosts"] == ["a", "b"]
    assert merged["lock"]["now"] - merged["lock"]["renewed_at"] == 40.0


def judged(state: str, **owner: Any) -> dict[str, Any]:
    return {"me": {**OWNER, "pid": 1}, "holder": {"state": state, "words": "seen", "owner": {**OWNER, **owner}}}


@pytest.mark.parametrize(
    ("held", "me", "now", "state", "over"),
    [
        (None, judged("unknown"), 0, "free", None),
        (lock(), {"me": OWNER}, 1e9, "mine", None),
        (lock(), judged("dead"), 91, "dead", 7),
        (lock(), judged("alive"), 1e9, "live", None),
        (lock(), judged("unknown"), 150, "live", None),
        (lock(), judged("unknown"), 150.5, "dead", 7),
        (lock(), {"me": {}}, 91, "live", None),
        (lock(pid=43), judged("dead"), 91, "live", None),
        (lock(pid=None), judged("dead", pid=None), 91, "live", None),
    ],
    ids=["free", "mine", "gone", "silent-but-alive", "fresh", "stale", "no-judgement", "judged-another", "no-pid"],
)
def test_lock_judgement(held: Any, me: Any, now: float, state: str, over: Any) -> None:
    found = judge_lock(held, me, now, 60)
    assert (found["state"], found["take_over_from"]) == (state, over)
    assert found["words"]
