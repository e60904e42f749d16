# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The daemon's loops, each turned by hand, and its way to the store."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import ticket as tickets
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.etcd import TicketStore
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.etcd_client import EtcdClient
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import config as configuration
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import core, daemon, lease, placing, standing
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.host import Journal, Manager
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.killing import Killed
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.renewing import TicketWay
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from etcd_double import Etcd

CONFIG = configuration.parse({"site": "site1", "host": "h", "hosts": ["h"], "writers": [{"unit": "a.service"}]})


class Killer:
    """Counts the rounds; `victims` is what it finds in the next one."""

    def __init__(self):
        self.rounds, self.victims, self.left, self.came_up = 0, {}, {}, False

    def kill(self, limit):
        self.rounds += 1
        victims, self.victims = self.victims, {}
        return Killed(victims, self.left, 0.01)

    def server_came_up(self):
        return self.came_up


class Way:
    """A store of one ticket; `silent` answers nothing."""

    def __init__(self):
        self.lying, self.silent = core.Found(1, tickets.first("site1", ["h"])), False

    def ask(self, request):
        if self.silent:
            return core.Failed("nobody answers")
        if isinstance(request, core.Read):
            return self.lying
        if request.expected_revision != self.lying.revision:
            return core.Conflict(self.lying.revision, self.lying.ticket)
        self.put(request.ticket)
        return core.Committed(self.lying.revision)

    def put(self, ticket):
        self.lying = core.Found(self.lying.revision + 1, ticket)


class World:
    def __init__(self, root, monkeypatch):
        self.path, self.way, self.killer, self.said = str(root / "lease.json"), Way(), Killer(), []
        monkeypatch.setattr(Journal, "say", lambda journal, words, level=6: self.said.append(words))
        self.now = lease.boottime()
        monkeypatch.setattr(lease, "boottime", lambda: self.now)
        self.file = lease.LeaseFile(self.path, "site1", CONFIG.margin)
        self.stands = str(Path(self.path).with_name("standing.json"))
        files = (self.file, standing.StandingFile(self.stands))
        self.daemon = daemon.Daemon(CONFIG, self.way, self.killer, *files)
        self.daemon._sweep_at = self.now + CONFIG.watchdog

    def ask(self):
        return self.daemon._ask(self.now)

    def beat(self, passed=0.0):
        self.now += passed
        self.daemon._beat()

    def acquire(self):
        while self.ask():
            pass
        self.beat()


@pytest.fixture
def world(tmp_path, monkeypatch):
    return World(tmp_path, monkeypatch)


def test_what_was_just_found_is_answered_at_once(world):
    assert world.ask()
    assert not world.ask()
    world.beat()
    assert lease.read(world.path)["revision"] == 2
    assert world.daemon._epoch == 2
    assert world.said == ["acquired the ticket for site1, revision 2"]


def test_a_renewal_moves_the_file(world):
    world.acquire()
    before = lease.read(world.path)["deadline"]
    world.now += 1
    world.ask()
    world.beat()
    assert lease.read(world.path)["deadline"] == pytest.approx(before + 1)
    assert world.killer.rounds == 0


def test_without_a_lease_the_file_says_since_when_the_ticket_stands(world):
    world.acquire()
    assert standing.read(world.stands).revision != world.way.lying.revision, "its own renewals are no standing"
    world.way.put(tickets.revoked(world.way.lying.ticket, "site1", None))
    world.ask()
    world.beat()
    heard = world.now
    world.now += 5
    world.ask()
    assert standing.read(world.stands) == core.Standing(3, heard)
    world.way.put(dict(world.way.lying.ticket, n=9))
    world.now += 1
    world.ask()
    assert standing.read(world.stands) == core.Standing(4, heard + 6)


def test_first_the_lease_goes_then_the_writers(world, monkeypatch):
    world.acquire()
    world.way.silent = True
    world.ask()
    there = []
    monkeypatch.setattr(
        world.killer, "kill", lambda limit: there.append(os.path.exists(world.path)) or Killed({}, {}, 0)
    )
    world.beat(CONFIG.hold - CONFIG.margin - 0.01)
    assert there == []
    world.beat(0.01)
    assert there == [False]
    assert "nobody answers" in world.said[-1]
    assert world.daemon._epoch == 0


def test_what_survives_is_killed_on_and_on(world):
    world.acquire()
    world.way.put(tickets.revoked(world.way.lying.ticket, "site1", None))
    world.ask()
    world.killer.left = {5: "a.service"}
    for _beat in range(3):
        world.beat(0.1)
    assert world.killer.rounds == 3 + 1
    assert "taken away" in " ".join(world.said)


def test_without_a_lease_it_looks_every_second(world):
    world.way.lying = core.Found(9, tickets.first("site2", ["x"]))
    world.ask()
    world.beat(CONFIG.watchdog - 0.1)
    assert world.killer.rounds == 0
    world.beat(0.1)
    world.beat(0.5)
    assert world.killer.rounds == 1
    world.killer.victims = {7: "a.service"}
    world.beat(0.5)
    assert "WITHOUT A LEASE" in world.said[-1]


def test_a_server_that_came_up_is_not_waited_for(world):
    world.way.lying = core.Found(9, tickets.first("site2", ["x"]))
    world.ask()
    world.killer.came_up = True
    world.beat()
    assert world.killer.rounds == 1


def test_a_file_that_cannot_be_written_is_said_and_the_guard_goes_on(world, monkeypatch):
    def fails(*words):
        raise OSError("no space")

    monkeypatch.setattr(world.file, "keep", fails)
    world.acquire()
    monkeypatch.setattr(world.file, "forget", fails)
    world.way.put(None)
    world.ask()
    world.beat()
    assert world.killer.rounds == 1
    assert any("no space" in words for words in world.said)


def test_a_store_that_stays_silent_is_said_once(world):
    world.acquire()
    world.way.silent = True
    for _time in range(5):
        world.ask()
    assert len([words for words in world.said if "nobody answers" in words]) == 1


def test_the_wish_of_the_duties_reaches_the_ticket(world):
    class Duties:
        def turn(self, epoch, now, settled):
            self.seen = (epoch, settled)
            return True

    duties = Duties()
    world.acquire()
    world.daemon._turn(duties)
    assert duties.seen == (2, None)
    world.ask()
    assert world.way.lying.ticket["sync"] is True


def test_the_manager_s_socket_is_not_left_to_others(monkeypatch):
    monkeypatch.setenv("NOTIFY_SOCKET", "@nobody-listens-here")
    Manager().tell("READY=1")
    assert "NOTIFY_SOCKET" not in os.environ


@pytest.fixture
def members(papers):
    with Etcd(papers) as found:
        yield found


def test_the_way_asks_and_answers_as_the_core_wants(members, tmp_path):
    way = TicketWay(str(members.settings_file(tmp_path / "etcd.json")), 4)
    assert way.ask(core.Read()) == core.Found(0, None)
    first = tickets.first("site1", ["h"])
    done = way.ask(core.Write(0, first))
    assert isinstance(done, core.Committed)
    assert way.ask(core.Write(0, first)) == core.Conflict(done.revision, first)
    members.lose_majority()
    assert isinstance(way.ask(core.Write(done.revision, first)), core.Failed)
    way.close()


def test_settings_that_are_not_there_yet_are_asked_for_again(members, tmp_path):
    path = tmp_path / "etcd.json"
    way = TicketWay(str(path), 4)
    assert "etcd.json" in way.ask(core.Read()).words
    members.settings_file(path)
    assert way.ask(core.Read()) == core.Found(0, None)
    way.close()


def test_a_new_password_is_taken_at_the_first_failure(members, tmp_path, monkeypatch):
    path = members.settings_file(tmp_path / "etcd.json")
    way = TicketWay(str(path), 4)
    assert way.ask(core.Read()) == core.Found(0, None)
    monkeypatch.setattr("etcd_double.PASSWORD", "another-secret-of-tests")
    members.log_everybody_out()
    assert "authentication failed" in way.ask(core.Read()).words
    path.write_text("{", encoding="utf-8")
    assert "authentication failed" in way.ask(core.Read()).words
    members.settings_file(path, password="another-secret-of-tests")
    assert isinstance(way.ask(core.Read()), core.Failed)
    assert way.ask(core.Read()) == core.Found(0, None)
    way.close()


class Quiet:
    """A host on which the guard runs, and all that it guards is installed; `orders` are the manager's."""

    def __init__(self, store, monkeypatch, library=None):
        self.active, self.installed, self.orders = "active", True, []
        self.left, self.running = 8.0, {10: "a.service", 11: "a.service"}
        monkeypatch.setattr(placing, "files", lambda config: library or {})
        monkeypatch.setattr(placing, "_stale", lambda config, lying: [])
        monkeypatch.setattr(placing.Placing, "_systemctl", lambda placing, *words: self.orders.append(words[0]))
        self.placing = self.placed(store)

    def placed(self, store, dry=False):
        return placing.Placing(self, self, lambda: store, 1, 0.01, dry)

    def state(self, name):
        return self

    def writers(self):
        return self.running


def test_a_new_password_is_laid_and_the_guard_lives_on(members, tmp_path, monkeypatch):
    etcd = dict(members.settings(password="old")._asdict(), ca_file=None)
    words = {"site": "site1", "host": "h", "hosts": ["h"], "writers": [{"unit": "a.service"}]}
    config = {**words, "settings": str(tmp_path / "etcd.json")}
    client = EtcdClient(members.settings())
    host = Quiet(TicketStore(client), monkeypatch)
    host.placing.install(placing.Wanted(config, etcd, "site1", ["h"]))
    host.orders.clear()
    done = host.placing.install(placing.Wanted(config, dict(etcd, password="new"), "", []))
    assert (done["changed"], done["restarted"], host.orders) == (True, False, [])
    assert not host.placing.install(placing.Wanted(config, dict(etcd, password="new"), "", []))["changed"]
    client.close()


@pytest.fixture
def newer(members, tmp_path, monkeypatch):
    """A host for which another version of the guard's library is to be laid: host, store, what is wanted, the file."""
    library = tmp_path / "library.py"
    words = {"site": "site1", "host": "h", "hosts": ["h"], "writers": [{"unit": "a.service"}]}
    config = {**words, "settings": str(members.settings_file(tmp_path / "etcd.json"))}
    client = EtcdClient(members.settings())
    store = TicketStore(client)
    host = Quiet(store, monkeypatch, {str(library): placing.HostFile("newer", 0o644)})
    yield host, store, placing.Wanted(config, None, "site1", ["h"]), library
    client.close()


@pytest.mark.parametrize("dry", [True, False])
def test_a_guard_is_not_started_anew_under_its_writers_without_leave(newer, dry):
    host, store, wanted, library = newer
    with pytest.raises(RefusedError) as error:
        host.placed(store, dry).install(wanted)
    refused = error.value.refusal
    assert refused["guard"].startswith("guard: ")
    assert refused["evidence"].startswith("lease good for 8.0 s, and here runs a.service: ")
    assert "continuity_guard_interrupt=true" in refused["way"]
    assert (host.orders, library.exists(), store.read().ticket) == ([], False, None)


def test_with_leave_it_is_started_anew(newer):
    host, store, wanted, library = newer
    assert host.placed(store).install(wanted._replace(interrupt=True))["restarted"]
    assert ("restart" in host.orders, library.read_text()) == (True, "newer")
    assert not host.placed(store).install(wanted)["changed"], "what lies there interrupts nobody"


@pytest.mark.parametrize(("left", "running"), [(0.0, {10: "a.service"}), (8.0, {})])
def test_where_nothing_runs_on_a_lease_no_leave_is_asked(newer, left, running):
    host, store, wanted, _library = newer
    host.left, host.running = left, running
    assert host.placed(store, dry=True).install(wanted)["restarted"]
