"""The driver against two real PostgreSQL servers of our own: a primary and a streaming standby on unix sockets.

Runs as root where PostgreSQL 15 or newer is installed (Debian: apt-get install postgresql); elsewhere it is skipped and
says so. Each test moves the pair one step on, in the order of a failover: they stand in one story.
"""

from __future__ import annotations

import pwd
import socket
import subprocess
from pathlib import Path
from typing import Iterator

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import DatabaseError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.postgresql import PostgreSQL
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.view import is_closed
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for
from postgresql_servers import (
    DEADLINE,
    INTERVAL,
    Server,
    a_pair,
    doors,
    fence_of_another_host,
    needs_postgresql,
    promotion,
    step,
)

pytestmark = needs_postgresql


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Server, Server]]:
    with a_pair("pg", (5433, 5434)) as servers:
        yield servers


def privileges(server: Server) -> dict[str, str]:
    """What the writer may do with each table, as the server itself judges it."""
    rows = server.sql(
        "select format('%I.%I', schemaname, name), array(select p from"
        " unnest('{INSERT,UPDATE,DELETE,TRUNCATE}'::text[]) p"
        " where has_table_privilege('confserv', format('%I.%I', schemaname, name), p))"
        " from (select schemaname, tablename"
        " as name from pg_tables union select schemaname, viewname from pg_views) t where schemaname = 'public'"
    )
    return dict(row.split("|") for row in rows.splitlines())


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


def test_a_pair_is_seen_as_primary_and_streaming_standby(pair: tuple[Server, Server], state_dir: Path) -> None:
    primary, standby = pair
    assert wait_for(
        lambda: (standby.driver().state()["receiver"] or {}).get("status") == "streaming", DEADLINE, INTERVAL
    )
    seen = doors(primary, state_dir).observe()["database"]
    assert (seen["role"], seen["timeline"], seen["replicas"][0]["state"]) == ("primary", 1, "streaming")
    assert (seen["writer"]["can_login"], seen["writer"]["tables"], seen["writer"]["writable"]) == (True, 3, 3)
    follows = doors(standby, state_dir).observe()["database"]
    assert (follows["role"], follows["timeline"], follows["system_identifier"]) == (
        "standby",
        1,
        seen["system_identifier"],
    )


def test_both_are_ready_and_a_full_disk_is_not(pair: tuple[Server, Server], state_dir: Path) -> None:
    for server in pair:
        shown = doors(server, state_dir).readiness({"lag": 2**24, "free_space": 2**20})
        assert shown["ready"], [item for item in shown["readiness"] if not item["met"]]
    shown = doors(pair[1], state_dir).readiness({"lag": 2**24, "free_space": 2**60})
    unmet = {item["item"]: item.get("needed", True) for item in shown["readiness"] if not item["met"]}
    assert unmet == {"disk space": True, "writes are in the server's log": False}
    assert all(item["way"] for item in shown["readiness"] if not item["met"])
    known = doors(pair[1], state_dir).readiness({"lag": 2**24, "free_space": 2**20, "source_gone": True})
    assert "standby streams" not in [item["item"] for item in known["readiness"]]


def test_the_writer_s_own_synchronous_commit_is_seen_the_nearest_first(pair: tuple[Server, Server]) -> None:
    primary = pair[0]
    found = [primary.driver().state()["writer"]["synchronous_commit"]]
    places = ("role all", "database config", "role confserv", "role confserv in database config")
    for place, value in zip(places, ("on", "remote_write", "local", "off"), strict=True):
        primary.sql(f"alter {place} set synchronous_commit = '{value}'")
        found.append(primary.driver().state()["writer"]["synchronous_commit"])
    primary.sql("alter role postgres set synchronous_commit = 'off'")
    for place in reversed(places):
        primary.sql(f"alter {place} reset synchronous_commit")
        found.append(primary.driver().state()["writer"]["synchronous_commit"])
    primary.sql("alter role postgres reset synchronous_commit")
    assert found == [None, "on", "remote_write", "local", "off", "local", "remote_write", "on", None]


def test_verify_writes_at_the_primary_and_refuses_a_standby(pair: tuple[Server, Server], state_dir: Path) -> None:
    primary, standby = pair
    written = doors(primary, state_dir).verify("verify")["written"]
    assert (written["committed"], written["as"]) == (True, "confserv")
    with pytest.raises(DatabaseError, match="not writable"):
        doors(standby, state_dir).verify("verify")


def test_a_standby_is_not_promoted_without_a_fence(pair: tuple[Server, Server], state_dir: Path) -> None:
    standby = pair[1]
    own = fence_of_another_host(host=socket.gethostname())
    for fence in (
        {},
        {"kind": "masked", "seen_at": "2026-01-01T00:00:00Z"},
        own,
        fence_of_another_host(seen_at="2026-01-01"),
    ):
        with pytest.raises(RefusedError, match="^fence:"):
            doors(standby, state_dir).take_over(step(state_dir), promotion(fence, lag=0))
    assert standby.driver().state()["role"] == "standby"


def test_an_unknown_lag_and_one_over_the_limit_refuse(pair: tuple[Server, Server], state_dir: Path) -> None:
    standby = pair[1]
    for lag in (None, 1.0):
        with pytest.raises(RefusedError, match="^replication lag:"):
            doors(standby, state_dir).take_over(step(state_dir), promotion(fence_of_another_host(), lag=lag))
    assert standby.driver().state()["role"] == "standby"


def test_check_mode_tells_both_ways_and_changes_nothing(pair: tuple[Server, Server], state_dir: Path) -> None:
    primary, standby = pair
    would = doors(standby, state_dir, dry=True).take_over(step(state_dir), promotion({}))
    assert would["changed"]
    assert (would["diff"]["before"]["role"], would["diff"]["after"]["role"]) == ("standby", "primary")
    assert "nobody has shown" in would["unmet"]
    fenced = doors(primary, state_dir, dry=True).release(step(state_dir), [])
    assert fenced["changed"]
    assert fenced["fence"] is None
    assert fenced["diff"]["after"]["writer"] == {"can_login": False, "sessions": 0, "writable": 0}
    assert standby.driver().state()["role"] == "standby"
    assert primary.driver().state()["writer"]["can_login"]


def test_release_gives_no_proof_while_the_writer_runs(pair: tuple[Server, Server], state_dir: Path) -> None:
    running = frozenset({"genesys-confserv.service"})
    with pytest.raises(RefusedError, match="still running: genesys-confserv.service"):
        doors(pair[0], state_dir, running=running).release(step(state_dir), ["genesys-confserv.service"])


def test_restore_takes_the_fence_back_exactly(pair: tuple[Server, Server], state_dir: Path) -> None:
    primary = pair[0]
    assert is_closed(primary.driver().state())
    assert set(privileges(primary).values()) == {"{}"}
    before = dict.fromkeys(("public.cfg_names", "public.cfg_object"), "{INSERT,UPDATE,DELETE,TRUNCATE}")
    before["public.history"] = "{INSERT}"
    with pytest.raises(RefusedError, match="one writer"):
        doors(primary, state_dir).restore(step(state_dir), "unknown")
    assert doors(primary, state_dir).restore(step(state_dir), "standby")["changed"]
    assert privileges(primary) == before
    assert primary.driver().state()["writer"]["can_login"]
    assert not doors(primary, state_dir).restore(step(state_dir), "standby")["changed"]


def test_release_ends_sessions_and_what_is_seen_is_the_proof(pair: tuple[Server, Server], state_dir: Path) -> None:
    primary = pair[0]
    words = ["psql", "-XAtq", "-h", str(primary.directory), "-p", str(primary.port), "-U", "confserv", "-d", "config"]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, cwd="/") as session:
        assert session.stdin and session.stdout
        session.stdin.write("select 'in';\n")
        session.stdin.flush()
        assert session.stdout.readline() == "in\n"
        assert primary.driver().state()["writer"]["sessions"] == 1
        fenced = doors(primary, state_dir).release(step(state_dir), ["genesys-confserv.service"])
    assert (fenced["changed"], fenced["fence"]["kind"]) == (True, "stopped_and_revoked")
    assert fenced["fence"]["lsn"] == fenced["database"]["lsn"]
    assert fenced["database"]["writer"]["sessions"] == 0
    again = doors(primary, state_dir).release(step(state_dir), ["genesys-confserv.service"])
    assert (again["changed"], again["fence"]["kind"]) == (False, "stopped_and_revoked")
    with pytest.raises(AssertionError, match="permission denied"):
        primary.sql("set role confserv; insert into cfg_object values (1, 'split brain');")


def test_promotion_waits_for_the_fenced_sides_log_and_opens_the_writer(
    pair: tuple[Server, Server], state_dir: Path
) -> None:
    primary, standby = pair
    lsn = primary.driver().state()["lsn"]
    done = doors(standby, state_dir).take_over(step(state_dir), promotion(fence_of_another_host(lsn=lsn)))
    assert (done["changed"], done["lag"], done["database"]["role"], done["database"]["timeline"]) == (
        True,
        0,
        "primary",
        2,
    )
    assert (done["diff"]["before"]["role"], done["diff"]["after"]["role"]) == ("standby", "primary")
    assert doors(standby, state_dir).verify("verify")["written"]["committed"]
    standby.sql("set role confserv; insert into cfg_object values (102, 'after the failover');")


def test_the_fenced_side_is_never_the_writer_again_by_itself(pair: tuple[Server, Server], state_dir: Path) -> None:
    primary, standby = pair
    with pytest.raises(RefusedError, match="history: .*it was fenced itself, on timeline 1"):
        doors(primary, state_dir).take_over(step(state_dir), promotion(fence_of_another_host(), lag=0))
    newer = fence_of_another_host(timeline=2)
    with pytest.raises(RefusedError, match="history: .*wrote on timeline 2"):
        doors(standby, state_dir).take_over(step(state_dir), promotion(newer, lag=0))
    other = fence_of_another_host(system_identifier="1")
    with pytest.raises(RefusedError, match="history: .*another one"):
        doors(standby, state_dir).take_over(step(state_dir), promotion(other, lag=0))
    with pytest.raises(RefusedError, match="one writer"):
        doors(primary, state_dir).restore(step(state_dir), "primary")


def test_promoting_again_changes_nothing(pair: tuple[Server, Server], state_dir: Path) -> None:
    again = doors(pair[1], state_dir).take_over(step(state_dir), promotion({}))
    assert not again["changed"]
    assert "already the writer" in again["detail"]


def test_a_primary_that_waits_for_a_lost_standby_is_let_alone(pair: tuple[Server, Server], state_dir: Path) -> None:
    server = pair[1]
    server.sql("alter system set synchronous_standby_names = 'gone'")
    server.sql("select pg_reload_conf()")
    hasty = PostgreSQL(server.access()._replace(deadline=0.5))
    with pytest.raises(DatabaseError, match="did not finish within 1 s"):
        hasty.write("hangs")
    waiting = "select not exists (select from pg_stat_activity where wait_event = 'SyncRep')"
    assert wait_for(lambda: server.sql(waiting) == "t", DEADLINE, INTERVAL)
    done = doors(server, state_dir).take_over(step(state_dir), promotion(fence_of_another_host(), lag=0))
    assert done["changed"]
    assert doors(server, state_dir).verify("verify")["written"]["committed"]


def test_a_server_that_is_down_is_fenced_by_what_it_starts_as(pair: tuple[Server, Server], state_dir: Path) -> None:
    old = pair[0]
    old.stop("immediate")
    assert old.driver().state() == {"running": False, "role": "unknown", "starts_as": "primary"}
    fenced = doors(old, state_dir).release(step(state_dir), [])
    assert (fenced["changed"], fenced["fence"]["kind"], fenced["fence"]["lsn"]) == (True, "stopped_and_revoked", None)
    signal = old.data / "standby.signal"
    assert signal.stat().st_uid == pwd.getpwnam("postgres").pw_uid
    assert not doors(old, state_dir).release(step(state_dir), [])["changed"]
    with pytest.raises(DatabaseError, match="down"):
        doors(old, state_dir).take_over(step(state_dir), promotion(fence_of_another_host(), lag=0))
    shown = doors(old, state_dir).readiness({"lag": 0, "free_space": 0})
    assert (shown["ready"], shown["readiness"][0]["item"]) == (False, "server answers")
