"""The store of one host: versions, tokens, the lock, and what a crash leaves."""

from __future__ import annotations

import json
import multiprocessing
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import StoreError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.files import FilesStore
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import run_step


def owner(pid: int = 1) -> dict[str, Any]:
    return {"hostname": "h", "boot_id": "b", "pid_namespace": "n", "pid": pid, "started": 5, "run": f"run-{pid}"}


@pytest.fixture
def store(tmp_path: Path) -> FilesStore:
    return FilesStore(tmp_path, str(tmp_path))


def test_an_empty_store_reads_as_empty_and_is_not_created(store: FilesStore, tmp_path: Path) -> None:
    found = store.read()
    assert (found["records"], found["lock"], found["token"], found["unreadable"]) == ({}, None, 0, {})
    assert list(tmp_path.iterdir()) == []


def test_a_value_is_kept_only_when_it_is_newer(store: FilesStore) -> None:
    assert store.put("track", {"a": 1}, 4, dry=False)["changed"]
    for version, value, stored in ((4, {"a": 1}, True), (4, {"a": 2}, False), (3, {"a": 1}, False)):
        found = store.put("track", value, version, dry=False)
        assert (found["changed"], found["stored"]) == (False, stored)
    assert store.put("track", {"a": 2}, 5, dry=False)["changed"]
    assert store.read()["records"] == {"track": {"version": 5, "value": {"a": 2}}}


def test_the_folder_and_its_files_are_for_their_owner_alone(store: FilesStore, tmp_path: Path) -> None:
    store.put("track", 1, 1, dry=False)
    assert stat.S_IMODE((tmp_path / "store").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "store" / "track.json").stat().st_mode) == 0o600


def test_events_are_appended_once(store: FilesStore) -> None:
    event = {"at": "2026-01-31T03:14:15Z", "type": "acknowledged", "site": "site1"}
    assert store.append("events", [event], dry=False)["changed"]
    assert not store.append("events", [event], dry=False)["changed"]
    assert store.append("events", [dict(event, site="site2")], dry=False)["changed"]
    assert store.read()["records"]["events"]["version"] == 2


@pytest.mark.parametrize("key", ["lock", "token", "../track", "Track", "", "a.b"])
def test_a_name_that_is_no_record_is_refused(store: FilesStore, key: str) -> None:
    with pytest.raises(StoreError, match="no record name"):
        store.put(key, 1, 1, dry=False)


def test_the_lock_is_held_by_one_and_says_by_whom(store: FilesStore) -> None:
    assert store.acquire(owner(1), 7, None, dry=False)["changed"]
    assert not store.acquire(owner(1), 7, None, dry=False)["changed"]
    with pytest.raises(RefusedError, match=r"by run run-1 \(token 7, process 1 on h\) since 20..-..-..T"):
        store.acquire(owner(2), 8, None, dry=False)


def test_a_lock_is_not_taken_over_where_a_newer_run_has_taken_it_since(store: FilesStore) -> None:
    store.acquire(owner(1), 7, None, dry=False)
    with pytest.raises(RefusedError, match="run lock"):
        store.acquire(owner(2), 8, 6, dry=False)
    assert store.acquire(owner(2), 8, 7, dry=False)["after"]["owner"]["pid"] == 2
    with pytest.raises(RefusedError, match="token 7 came to"):
        store.renew(7, dry=False)
    with pytest.raises(RefusedError, match="token 7 came to"):
        store.release(7, dry=False)


def test_a_lock_older_than_the_one_judged_dead_is_superseded(store: FilesStore) -> None:
    """This host missed the run that was judged dead elsewhere, and still keeps the lock of one before it."""
    store.acquire(owner(1), 5, None, dry=False)
    found = store.acquire(owner(2), 8, 7, dry=False)
    assert (found["changed"], found["before"]["token"], found["after"]["token"]) == (True, 5, 8)
    assert store.read()["lock"]["owner"]["pid"] == 2
    with pytest.raises(RefusedError, match="token 5 came to"):
        store.release(5, dry=False)


def test_superseding_needs_a_newer_token_all_the_same(store: FilesStore) -> None:
    store.acquire(owner(1), 5, None, dry=False)
    with pytest.raises(RefusedError, match="fencing token"):
        store.acquire(owner(2), 5, 7, dry=False)
    assert store.read()["lock"]["owner"]["pid"] == 1


def test_a_token_must_be_newer_than_every_one_seen_here(store: FilesStore, tmp_path: Path) -> None:
    store.acquire(owner(1), 7, None, dry=False)
    store.release(7, dry=False)
    with pytest.raises(RefusedError, match="fencing token"):
        store.acquire(owner(2), 7, None, dry=False)
    with run_step({"id": "r", "token": 9, "step": "s"}, str(tmp_path), check_mode=False):
        pass
    with pytest.raises(RefusedError, match="has seen 9"):
        store.acquire(owner(2), 9, None, dry=False)
    assert store.read()["token"] == 9
    assert store.acquire(owner(2), 10, None, dry=False)["changed"]


def test_a_crash_between_token_and_lock_lets_no_equal_token_in(store: FilesStore, tmp_path: Path) -> None:
    store.acquire(owner(1), 7, None, dry=False)
    (tmp_path / "store" / "lock.json").unlink()
    with pytest.raises(RefusedError, match="fencing token"):
        store.acquire(owner(1), 7, None, dry=False)


def test_release_and_renew(store: FilesStore) -> None:
    assert not store.release(7, dry=False)["changed"]
    before = store.acquire(owner(1), 7, None, dry=False)["after"]
    assert store.renew(7, dry=False)["after"]["renewed_at"] > before["renewed_at"]
    assert store.release(7, dry=False)["changed"]
    with pytest.raises(RefusedError, match="held by nobody"):
        store.renew(7, dry=False)


def test_check_mode_says_the_same_and_writes_nothing(store: FilesStore, tmp_path: Path) -> None:
    assert store.put("track", 1, 1, dry=True)["changed"]
    assert store.append("events", [1], dry=True)["changed"]
    assert store.acquire(owner(), 1, None, dry=True)["changed"]
    assert list(tmp_path.iterdir()) == []
    store.acquire(owner(), 1, None, dry=False)
    assert store.release(1, dry=True)["changed"]
    with pytest.raises(RefusedError):
        store.acquire(owner(2), 2, None, dry=True)
    assert store.read()["lock"]["token"] == 1


def test_a_record_that_cannot_be_read_is_named_and_the_others_are_read(store: FilesStore, tmp_path: Path) -> None:
    store.put("track", 1, 1, dry=False)
    (tmp_path / "store" / "run.json").write_text("{torn")
    found = store.read()
    assert list(found["records"]) == ["track"]
    assert "run.json" in found["unreadable"]["run"]
    (tmp_path / "store" / "lock.json").write_text("{torn")
    with pytest.raises(StoreError, match="lock.json"):
        store.acquire(owner(), 5, None, dry=False)


def acquire_at_once(directory: str, pid: int, start: Any, taken: Any) -> None:
    start.wait()
    try:
        FilesStore(Path(directory), directory).acquire(owner(pid), 100 + pid, None, dry=False)
        taken.put(pid)
    except RefusedError:
        taken.put(None)


def test_of_many_at_once_exactly_one_gets_the_lock(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    start, taken = context.Event(), context.Queue()
    workers = [context.Process(target=acquire_at_once, args=(str(tmp_path), pid, start, taken)) for pid in range(1, 5)]
    for worker in workers:
        worker.start()
    start.set()
    winners = [pid for pid in (taken.get(timeout=30) for _ in workers) if pid is not None]
    for worker in workers:
        worker.join(timeout=30)
    held = json.loads((tmp_path / "store" / "lock.json").read_text())
    assert winners == [held["owner"]["pid"]]
