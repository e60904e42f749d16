"""What proves that the other side is fenced, and what does not."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.fence import SAID, SEEN, fence_problem

NOW = datetime(2026, 1, 31, 3, 14, 15, tzinfo=timezone.utc)
ATTESTED = {"kind": "attested", "by": ["ann", "bob"], "until": "2026-01-31T04:00:00Z"}


def seen(kind: str, age: float) -> dict[str, Any]:
    return {"kind": kind, "seen_at": (NOW - timedelta(seconds=age)).isoformat(), "by": ["x"], "host": "s1-cfg"}


def problem(fence: Any, run_id: str | None = "r-1") -> str | None:
    return fence_problem(fence, NOW, 60, "s2-cfg", run_id)


@pytest.mark.parametrize("kind", sorted(SEEN))
def test_what_was_seen_holds_for_a_while(kind: str) -> None:
    assert problem(seen(kind, 0)) is None
    assert problem(seen(kind, 60)) is None
    assert "limit 60 s" in str(problem(seen(kind, 61)))
    assert "limit 60 s" in str(problem(seen(kind, -61)))


@pytest.mark.parametrize("kind", sorted(SAID))
def test_what_people_state_holds_until_then(kind: str) -> None:
    stated = {**ATTESTED, "kind": kind, "run_id": "r-1"}
    assert problem(stated) is None
    assert "has run out" in str(problem({**stated, "until": "2026-01-31T03:14:15Z"}))
    assert "has run out" in str(problem({**stated, "until": "soon"}))
    for people in ([], ["ann"], ["ann", " ANN "], ["ann", ""]):
        assert "two different people" in str(problem({**stated, "by": people}))


@pytest.mark.parametrize("run_id", [None, "r-2"])
def test_without_fence_is_for_one_run(run_id: str | None) -> None:
    assert "was given for run r-1" in str(problem({**ATTESTED, "kind": "without_fence", "run_id": "r-1"}, run_id))


@pytest.mark.parametrize(
    "fence",
    [
        None,
        {},
        {"kind": "masked", "seen_at": NOW.isoformat()},
        {"kind": "power_off"},
        {"kind": "power_off", "seen_at": "x"},
    ],
)
def test_anything_else_is_no_proof(fence: Any) -> None:
    assert problem(fence)


def test_a_fence_of_this_very_host_is_no_proof_about_the_other() -> None:
    assert "this very host" in str(problem({**seen("stopped_and_revoked", 1), "host": "s2-cfg"}))


def test_a_time_without_a_zone_is_universal_time() -> None:
    assert problem({"kind": "power_off", "seen_at": "2026-01-31T03:14:00"}) is None
