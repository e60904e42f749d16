# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger in words: object by object, and a digest that stands for exactly these writes."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import ledger


def write(statement, at="2026-01-31T03:00:00Z", **more):
    return {"at": at, "statement": statement, "session": "a.1", "user": "confserv", **more}


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("UPDATE cfg_application SET a = 1 WHERE dbid = 101", "cfg_application where dbid = 101"),
        ("update only public.cfg_dn\n set b=2\n where dbid=7;", "public.cfg_dn where dbid=7"),
        ("INSERT INTO cfg_dn VALUES (7)", "cfg_dn"),
        (
            "\ninsert into cfg_object (type, dbid, name, object)"
            " values ('CfgApplication', 102, 'it''s', '{\"a\": \"b, c\"}')",
            "cfg_object where type 'CfgApplication', dbid 102, name 'it''s'",
        ),
        ('DELETE FROM "cfg_dn" WHERE dbid = 7', "cfg_dn where dbid = 7"),
        ("TRUNCATE TABLE cfg_flags", "cfg_flags"),
        ("ALTER TABLE cfg_dn ADD COLUMN x int", "other statements"),
        ("", "other statements"),
    ],
)
def test_an_object_is_a_table_and_its_rows(statement, name):
    assert [one["object"] for one in ledger.objects([write(statement)])] == [name]


def test_writes_to_one_object_stand_together_in_their_order():
    first, other, second = (
        write("UPDATE t SET a=1 WHERE id=1", "03:00"),
        write("UPDATE t SET a=1 WHERE id=2", "03:01"),
        write("UPDATE t SET a=2 WHERE id=1", "03:02"),
    )
    assert ledger.told([first, other, second]) == [
        "t where id=1: 03:00 UPDATE t SET a=1 WHERE id=1; 03:02 UPDATE t SET a=2 WHERE id=1",
        "t where id=2: 03:01 UPDATE t SET a=1 WHERE id=2",
    ]


def test_values_are_not_shown_and_rows_are():
    secret = write("UPDATE cfg_option SET value = 'it''s secret', n = 1 WHERE name = 'password' AND dbid = 7")
    assert ledger.told([secret]) == [
        "cfg_option where name = 'password' AND dbid = 7:"
        " 2026-01-31T03:00:00Z UPDATE cfg_option SET value = '…', n = 1 WHERE name = 'password' AND dbid = 7"
    ]
    assert "secret" not in ledger.told([write("INSERT INTO cfg_option VALUES (7, 'secret')")])[0]


def test_parameters_tell_which_row_it_was_and_count():
    one = write("UPDATE t SET a = $1 WHERE id = $2", parameters="$1 = 'secret', $2 = '7'")
    other = write("UPDATE t SET a = $1 WHERE id = $2", parameters="$1 = 'secret', $2 = '8'")
    assert [found["object"] for found in ledger.objects([one, other])] == ["t where id = '7'", "t where id = '8'"]
    assert "secret" not in str(ledger.told([one, other]))
    assert ledger.digest([one]) != ledger.digest([other])


def test_a_long_statement_is_shortened_and_still_counts_whole():
    long, longer = write("UPDATE t SET a=" + "1" * 500), write("UPDATE t SET a=" + "1" * 501)
    assert len(ledger.told([long])[0]) < 220
    assert ledger.digest([long]) != ledger.digest([longer])


def test_the_digest_knows_order_time_and_number():
    one, other = write("INSERT INTO t VALUES (1)"), write("INSERT INTO t VALUES (2)")
    later = write("INSERT INTO t VALUES (1)", "2026-01-31T03:00:01Z")
    found = {ledger.digest(each) for each in ([], [one], [one, other], [other, one], [one, one], [later])}
    assert len(found) == 6
    assert ledger.digest([one]) == ledger.digest([dict(one)])


def test_what_the_server_refused_is_not_kept():
    stayed, failed = (
        write("INSERT INTO t VALUES (1)"),
        write("INSERT INTO t VALUES (1)", outcome="error: permission denied"),
    )
    assert ledger.kept([stayed, failed]) == [stayed]


TABLE = {"rows": 3, "hash": "a"}


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        ({"t": TABLE}, {"t": TABLE}, []),
        ({"t": TABLE}, {"t": {"rows": 4, "hash": "b"}}, ["t: 3 rows at fra, 4 rows at ams"]),
        ({"t": TABLE}, {"t": {"rows": 3, "hash": "b"}}, ["t: 3 rows at fra, 3 rows at ams, with different content"]),
        ({"t": TABLE}, {}, ["t: 3 rows at fra, no such table at ams"]),
        ({"t": TABLE}, None, ["The tables of ams could not be read."]),
    ],
)
def test_differences_name_the_tables(ours, theirs, said):
    assert ledger.differences({"fra": ours, "ams": theirs}) == said


def test_what_the_databases_said_is_gathered_by_site():
    sites = {name: {"configuration": {"database": {"host": f"{name}-db"}}} for name in ("fra", "ams")}
    streaming = [{"state": "streaming"}, {"state": "catchup"}]
    said = {
        "__continuity_role": {"database": {"role": "primary", "replicas": streaming}},
        "__config_database_ledger": {"ledger": [write("DELETE FROM t")], "ledger_complete": True},
        "__config_database_compare": {"tables": {"t": TABLE}},
    }
    failed = {"__config_database_ledger": {"failed": True, "msg": "no log"}}
    seen = ledger.databases_seen(sites, {"fra-db": said, "ams-db": failed})
    assert seen["fra"] == {
        "role": "primary",
        "streams": 1,
        "tables": {"t": TABLE},
        "writes": [write("DELETE FROM t")],
        "complete": True,
    }
    assert seen["ams"] == {"role": "unknown", "streams": 0, "tables": None, "writes": None, "complete": False}
    assert ledger.databases_seen(sites, {})["fra"]["role"] == "unknown", "a host that was never asked"


def test_the_writes_of_a_split_are_listed_from_what_the_standby_has_and_not_from_the_verdict():
    divergence, hosts = {"since": "2026-01-31T03:01:00Z"}, ["s1-cfg", "s2-cfg"]
    hostvars = {
        "s1-cfg": {"__config_database_ledger": {"applied_until": None}},
        "s2-cfg": {"__config_database_ledger": {"applied_until": "2026-01-31T03:00:40.500Z"}},
    }
    assert ledger.split_since(divergence, hostvars, hosts, 30) == "2026-01-31T03:00:10.500000Z"
    hostvars["s2-cfg"]["__config_database_ledger"]["applied_until"] = "2026-01-31T04:00:00.000Z"
    assert ledger.split_since(divergence, hostvars, hosts, 30) == "2026-01-31T03:01:00Z"
    assert ledger.split_since(divergence, {}, hosts, 30) == "2026-01-31T03:01:00Z"
