# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client of etcd's JSON gateway against three members in memory, well and unwell."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.etcd_client import (
    Committed,
    Conflict,
    EtcdClient,
    EtcdError,
    EtcdSettings,
    KeyValue,
    Unavailable,
    read_settings,
)
from etcd_double import PASSWORD, Etcd

TXN, RANGE, LOG_IN = "/v3/kv/txn", "/v3/kv/range", "/v3/auth/authenticate"


@pytest.fixture
def etcd(papers: Path) -> Iterator[Etcd]:
    with Etcd(papers) as members:
        yield members


@pytest.fixture
def client(etcd: Etcd) -> Iterator[EtcdClient]:
    one = EtcdClient(etcd.settings())
    yield one
    one.close()


def asked(etcd: Etcd, path: str) -> list[int]:
    return [member.requests.count(path) for member in etcd.members]


def test_what_is_written_is_read_with_its_revision(client):
    assert client.get("ticket") is None
    written = client.transact({"ticket": 0}, {"ticket": {"holder": None, "n": 0, "words": "ü"}})
    assert client.get("ticket") == KeyValue({"holder": None, "n": 0, "words": "ü"}, written.revision)


def test_a_range_holds_what_begins_with_the_prefix(client):
    client.transact({}, {"records/a": 1, "records/b": 2, "recordsz": 3, "lock": 4})
    assert {key: one.value for key, one in client.range("records/").items()} == {"records/a": 1, "records/b": 2}
    assert sorted(client.range("")) == ["lock", "records/a", "records/b", "recordsz"]


def test_several_keys_are_read_at_one_moment(client):
    client.transact({}, {"lock": 1, "token": 2})
    revision = client.get("lock").revision
    found = client.get_all(["lock", "token", "ticket"])
    assert found == {"lock": KeyValue(1, revision), "token": KeyValue(2, revision), "ticket": None}


def test_a_transaction_is_applied_whole_or_not_at_all(client):
    client.transact({}, {"lock": 1, "token": 1})
    lock = client.get("lock")
    conflict = client.transact({"lock": lock.revision, "token": 0}, {"token": 2}, ["lock"])
    assert conflict == Conflict({"lock": lock, "token": client.get("token")})
    assert isinstance(client.transact({"lock": lock.revision}, {"token": 2}, ["lock"]), Committed)
    assert (client.get("lock"), client.get("token").value) == (None, 2)
    assert client.transact({"lock": lock.revision}, {}) == Conflict({"lock": None})


@pytest.mark.parametrize("fault", ["no_majority", "silent", "hangs_up"])
def test_a_read_goes_to_the_next_member(etcd, client, fault):
    client.transact({}, {"lock": 1})
    etcd.members[0].fault = fault
    assert client.get("lock").value == 1
    # What answered last is asked first the next time.
    assert [client.get("lock").value for _ in range(3)] == [1, 1, 1]
    assert asked(etcd, RANGE)[1:] == [4, 0]


def test_a_write_passes_over_a_member_that_nobody_listens_at(papers, etcd):
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        closed = f"127.0.0.1:{reserved.getsockname()[1]}"
    settings = etcd.settings()
    client = EtcdClient(settings._replace(endpoints=(closed, settings.endpoints[1])))
    assert isinstance(client.transact({"lock": 0}, {"lock": 1}), Committed)
    client.close()


@pytest.mark.parametrize("fault", ["no_majority", "silent", "lost_reply"])
def test_a_write_that_may_have_been_applied_is_sent_once(etcd, client, fault):
    client.get("lock")
    etcd.members[0].fault = fault
    with pytest.raises(Unavailable, match=etcd.members[0].endpoint):
        client.transact({"lock": 0}, {"lock": 1})
    assert asked(etcd, TXN) == [1, 0, 0]
    # Whether it was applied is read, at another member.
    assert (client.get("lock") is not None) == (fault == "lost_reply")


def test_without_a_majority_every_member_is_named(etcd, client):
    etcd.lose_majority()
    with pytest.raises(Unavailable) as caught:
        client.get("lock")
    assert all(f"{member.endpoint}: " in str(caught.value) for member in etcd.members)
    etcd.recover()
    assert client.get("lock") is None


def test_a_token_that_ran_out_is_renewed_even_for_a_write(etcd, client):
    client.get("lock")
    etcd.log_everybody_out()
    assert isinstance(client.transact({"lock": 0}, {"lock": 1}), Committed)
    assert etcd.truth.log_ins == 2


def test_one_connection_and_one_log_in_serve_many_requests(etcd, client):
    for _ in range(5):
        client.get("lock")
    assert (sum(asked(etcd, LOG_IN)), sum(asked(etcd, RANGE))) == (1, 5)


def test_a_connection_that_the_member_closed_is_opened_again_before_a_write(etcd, client):
    client.get("lock")
    etcd.members[0]._server.hang_up()
    assert isinstance(client.transact({"lock": 0}, {"lock": 1}), Committed)
    assert asked(etcd, TXN) == [1, 0, 0]


def test_a_wrong_password_is_no_missing_majority(etcd):
    client = EtcdClient(etcd.settings(password="wrong-one"))
    with pytest.raises(EtcdError, match="authentication failed") as caught:
        client.get("lock")
    assert "wrong-one" not in str(caught.value)
    assert asked(etcd, LOG_IN) == [1, 0, 0]
    client.close()


def test_a_member_with_a_certificate_of_somebody_else_is_told_nothing(etcd, papers):
    client = EtcdClient(etcd.settings()._replace(ca_file=str(papers / "stranger.pem")))
    with pytest.raises(Unavailable, match="certificate verify failed"):
        client.get("lock")
    client.close()
    assert asked(etcd, LOG_IN) == [0, 0, 0]


def test_what_is_no_json_is_named(etcd, client):
    with etcd.truth.lock:
        etcd.truth.keys["/sip-dr/lock"] = ("{", 1, 1)
    with pytest.raises(EtcdError, match="key /sip-dr/lock does not hold JSON"):
        client.get("lock")


GIVEN = {"endpoints": ["10.71.1.20:2379", "[fd00::1]:2379"], "user": "site1", "password": PASSWORD}


def test_settings_have_defaults(tmp_path):
    path = tmp_path / "etcd.json"
    path.write_text(json.dumps(GIVEN))
    assert read_settings(str(path)) == EtcdSettings(tuple(GIVEN["endpoints"]), "site1", PASSWORD, "", "/sip-dr", 2.0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"password": ""}, "without password"),
        ({"endpoints": []}, "without endpoints"),
        ({"endpoints": "10.71.1.20:2379"}, "a list of texts host:port"),
        ({"endpoints": ["10.71.1.20"]}, "a list of texts host:port"),
        ({"secret": "x"}, "expected a mapping with the keys endpoints, user"),
    ],
)
def test_settings_that_cannot_be_used_are_named_without_the_secret(tmp_path: Path, change: dict[str, Any], said: str):
    path = tmp_path / "etcd.json"
    path.write_text(json.dumps({**GIVEN, **change}))
    with pytest.raises(EtcdError, match=said) as caught:
        read_settings(str(path))
    assert str(path) in str(caught.value) and PASSWORD not in str(caught.value)


@pytest.mark.parametrize("content", [None, '{"password": "a-secret-of-tests"', "[]"])
def test_a_settings_file_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "etcd.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(EtcdError, match=str(path)) as caught:
        read_settings(str(path))
    assert PASSWORD not in str(caught.value)


def test_an_authority_that_is_not_there_is_named(etcd):
    with pytest.raises(EtcdError, match="/nowhere/ca.pem"):
        EtcdClient(etcd.settings()._replace(ca_file="/nowhere/ca.pem"))
