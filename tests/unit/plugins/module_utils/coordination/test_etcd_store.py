# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store that all hosts share: versions, lock and token, races, lost answers, and the ticket of a run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import StoreError, etcd, ticket
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.etcd import (
    EtcdStore,
    TicketStore,
    ticket_of,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.etcd_client import (
    Committed,
    Conflict,
    EtcdClient,
    EtcdError,
    Unavailable,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.registry import open_store
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import run_step
from etcd_double import Etcd


def owner(pid: int = 1) -> dict[str, Any]:
    return {"hostname": "h", "boot_id": "b", "pid_namespace": "n", "pid": pid, "started": 5, "run": f"run-{pid}"}


@pytest.fixture
def members(papers: Path) -> Iterator[Etcd]:
    with Etcd(papers) as found:
        yield found


@pytest.fixture
def client(members: Etcd) -> Iterator[EtcdClient]:
    one = EtcdClient(members.settings())
    yield one
    one.close()


@pytest.fixture
def store(client: EtcdClient, tmp_path: Path) -> EtcdStore:
    return EtcdStore(client, str(tmp_path))


def test_an_empty_store_reads_as_empty(store):
    found = store.read()
    assert (found["records"], found["lock"], found["token"], found["unreadable"]) == ({}, None, 0, {})
    assert (found["ticket"], found["revision"]) == (None, 0)


def test_a_value_is_kept_only_when_it_is_newer(store):
    assert store.put("track", {"a": 1}, 4, dry=False)["changed"]
    for version, value, stored in ((4, {"a": 1}, True), (4, {"a": 2}, False), (3, {"a": 1}, False)):
        found = store.put("track", value, version, dry=False)
        assert (found["changed"], found["stored"]) == (False, stored)
    assert store.put("track", {"a": 2}, 5, dry=False)["changed"]
    assert store.read()["records"] == {"track": {"version": 5, "value": {"a": 2}}}


def test_events_are_appended_once(store):
    event = {"at": "2026-01-31T03:14:15Z", "type": "acknowledged", "site": "site1"}
    assert [store.append("events", [event], dry=False)["changed"] for _ in range(2)] == [True, False]
    assert store.append("events", [dict(event, site="site2")], dry=False)["after"]["version"] == 2


@pytest.mark.parametrize("key", ["lock", "token", "../ticket", "Track", "", "a.b"])
def test_a_name_that_is_no_record_is_refused(store, key):
    with pytest.raises(StoreError, match="no record name"):
        store.put(key, 1, 1, dry=False)


def test_a_record_that_is_none_is_named_and_not_written_over(store, members):
    members.truth.keys["/sip-dr/records/track"] = ('"what"', 1, 1)
    assert store.read()["unreadable"] == {"track": "is no record"}
    with pytest.raises(StoreError, match="records/track of etcd"):
        store.put("track", 1, 1, dry=False)


def test_the_lock_is_taken_renewed_and_given_back(store):
    assert store.acquire(owner(), 3, None, dry=False)["changed"]
    assert not store.acquire(owner(), 3, None, dry=False)["changed"]
    assert store.renew(3, dry=False)["changed"]
    with pytest.raises(RefusedError, match="only its own token"):
        store.release(4, dry=False)
    assert [store.release(3, dry=False)["changed"] for _ in range(2)] == [True, False]
    with pytest.raises(RefusedError, match="has seen 3"):
        store.acquire(owner(2), 3, None, dry=False)
    assert store.acquire(owner(2), 4, None, dry=False)["after"]["run"] == "run-2"


def test_a_lock_judged_dead_is_taken_over_once(store):
    store.acquire(owner(), 3, None, dry=False)
    assert store.acquire(owner(2), 4, 3, dry=False)["changed"]
    with pytest.raises(RefusedError, match=r"held in etcd by run run-2 \(token 4, process 2 on h\) since 20"):
        store.acquire(owner(3), 5, 3, dry=False)


def test_a_token_that_acted_on_this_host_counts(store, tmp_path):
    with run_step({"id": "r", "token": 9, "step": "fence"}, str(tmp_path), False) as step:
        step.end(changed=True)
    with pytest.raises(RefusedError, match="has seen 9"):
        store.acquire(owner(), 9, None, dry=False)


def test_a_dry_run_writes_nothing(store, members):
    for act in (
        lambda: store.put("track", 1, 1, dry=True),
        lambda: store.append("events", [1], dry=True),
        lambda: store.acquire(owner(), 1, None, dry=True),
    ):
        assert act()["changed"]
    assert members.truth.keys == {}


def at_once(count: int, act: Callable[[int], Any]) -> list[Any]:
    """Call `act` in so many threads that begin together; a result or the error of each."""
    begin, results = threading.Barrier(count), [None] * count

    def one(number: int) -> None:
        begin.wait()
        try:
            results[number] = act(number)
        except (RefusedError, StoreError) as error:
            results[number] = error

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_of_two_controllers_exactly_one_wins_and_the_other_is_told_who(members, tmp_path):
    """Fifty rounds; in each both saw a free lock and the same newest token."""
    clients = [EtcdClient(members.settings(timeout=5.0)) for _ in range(2)]
    stores = [EtcdStore(one, str(tmp_path)) for one in clients]
    for token in range(1, 51):
        results = at_once(2, lambda number, token=token: stores[number].acquire(owner(number + 1), token, None, False))
        (lost,) = [number for number, result in enumerate(results) if isinstance(result, RefusedError)]
        won = results[1 - lost]
        assert won["changed"] and members.value("lock")["owner"] == owner(2 - lost)
        since = results[lost].refusal["evidence"]
        assert f"held in etcd by run run-{2 - lost} (token {token}, process {2 - lost} on h) since 20" in since
        assert stores[1 - lost].release(token, False)["changed"]
    for one in clients:
        one.close()


def test_what_many_append_at_once_is_all_there(members, tmp_path):
    def append(number: int) -> Any:
        client = EtcdClient(members.settings(timeout=5.0))
        try:
            return EtcdStore(client, str(tmp_path)).append("events", [{"id": number}], False)
        finally:
            client.close()

    results = at_once(5, append)
    assert [result["changed"] for result in results] == [True] * 5
    assert {item["id"] for item in members.value("records/events")["value"]} == set(range(5))
    assert members.value("records/events")["version"] == 5


def test_a_change_whose_answer_was_lost_is_said_to_be_ours(store, members):
    """The member that applies it hangs up; the next one is read, and the lock is found."""
    store.read()
    members.members[0].fault = "lost_reply"
    won = store.acquire(owner(), 1, None, dry=False)
    assert won["changed"] and won["before"] is None
    assert members.value("lock") == won["after"]
    members.members[1].fault = "lost_reply"
    assert store.release(1, dry=False)["changed"]
    assert members.value("lock") is None


def test_without_a_majority_nothing_is_said_to_be_done(store, members, monkeypatch):
    monkeypatch.setattr(etcd, "UNSETTLED_LIMIT", 0.3)
    members.lose_majority()
    with pytest.raises(Unavailable, match="no majority"):
        store.put("track", 1, 1, dry=False)
    with pytest.raises(Unavailable, match="no majority"):
        store.read()


def test_the_registry_opens_it_by_its_settings(members, tmp_path):
    path = members.settings_file(tmp_path / "etcd.json")
    with open_store({"driver": "etcd", "directory": "/nowhere", "settings": str(path)}, str(tmp_path)) as store:
        assert store.put("track", 1, 1, dry=False)["stored"]
    nowhere = open_store({"driver": "etcd", "settings": "/nowhere/etcd.json"}, str(tmp_path))
    with pytest.raises(EtcdError, match="/nowhere/etcd.json"), nowhere:
        pass


# the ticket

SEED = ticket.first("site1", ["s1-cfg"])


def run(token: int) -> dict[str, Any]:
    return {"id": f"run-{token}", "token": token}


def test_a_ticket_is_written_over_the_revision_that_was_read(client, store):
    tickets = TicketStore(client)
    assert tickets.read() == (None, 0)
    written = tickets.write(SEED, 0)
    assert tickets.read() == (SEED, written.revision)
    conflict = tickets.write(ticket.acquired(SEED, "site1", "s1-cfg", ["s1-cfg"], True), 0)
    assert isinstance(conflict, Conflict) and ticket_of(conflict) == (SEED, written.revision)
    assert (store.read()["ticket"], store.read()["revision"]) == (SEED, written.revision)


def test_a_run_moves_the_ticket_only_with_the_newest_token(client, store):
    tickets = TicketStore(client)
    tickets.write(SEED, 0)
    store.acquire(owner(), 3, None, dry=False)
    taken = ticket.revoked(SEED, "site1", run(3))
    assert isinstance(tickets.write(taken, tickets.read().revision, run(3)), Committed)
    store.acquire(owner(2), 4, 3, dry=False)
    with pytest.raises(RefusedError, match="run run-3 brings token 3, and the newest in etcd is 4"):
        tickets.write(ticket.granted(taken, "site2", run(3)), tickets.read().revision, run(3))
    assert tickets.read().ticket == taken


def test_a_run_that_was_overtaken_between_reading_and_writing_is_refused_by_the_store(client, store, monkeypatch):
    tickets = TicketStore(client)
    tickets.write(SEED, 0)
    store.acquire(owner(), 3, None, dry=False)
    revision = tickets.read().revision
    looked = tickets._still_newest(run(3))
    store.acquire(owner(2), 4, 3, dry=False)
    monkeypatch.setattr(tickets, "_still_newest", lambda _run: looked)
    with pytest.raises(RefusedError, match="the newest in etcd is 4"):
        tickets.write(ticket.revoked(SEED, "site1", run(3)), revision, run(3))
    assert tickets.read() == (SEED, revision)


@pytest.mark.parametrize("value", ['"what"', '{"holder": "site1"}'])
def test_what_is_no_ticket_is_named(client, members, value):
    members.truth.keys["/sip-dr/ticket"] = (value, 1, 1)
    with pytest.raises(EtcdError, match="key ticket of etcd does not hold a ticket"):
        TicketStore(client).read()
