# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Configuration Server stand-in over its real wire: desk and proxy on real sockets, GAX over real HTTP."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
from pathlib import Path

import pytest
from standins.config_server.desk import Desk
from standins.config_server.objects import ObjectCache, hashed
from standins.config_server.proxy import Proxy
from standins.config_server.settings import Settings, read_settings
from standins.config_server.wire import Client, RefusedError, WireError, decode, properties
from standins.gax.server import Gax, GaxServer

PERSON = {
    "type": "CfgPerson",
    "dbid": "101",
    "username": "ann",
    "salted_string": "00",
    "password": hashed("secret", "00"),
}
APPLICATION = {
    "type": "CfgApplication",
    "dbid": "101",
    "name": "SIP_Server_1",
    "options": {"property": [{"section": "TServer", "key": "dr-peer-trunk", "value": "trunk_site2"}]},
}


class MemoryBackend:
    """A master whose database is its memory."""

    def __init__(self) -> None:
        self.objects = ObjectCache()
        self.objects.replace([PERSON, APPLICATION])
        self.in_service = True
        self.desk = Desk(self)

    @property
    def serves(self):
        return self.in_service

    def status(self):
        return {"mode": "master", "in_service": self.in_service, "read_only": not self.in_service}

    async def write(self, obj, username):
        if not obj["dbid"]:
            obj = {**obj, "dbid": self.objects.next_dbid(obj["type"])}
        self.objects.put(obj)
        self.desk.announce(obj)
        return {"object": obj, "seq": 1}


class Running:
    """An event loop of its own for servers, so that blocking clients can talk to them."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def do(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(5)

    def start(self, coroutine):
        asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def stop(self):
        self.do(self._cancel_all())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    async def _cancel_all(self):
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@pytest.fixture
def running():
    loop = Running()
    yield loop
    loop.stop()


@pytest.fixture
def master(running):
    backend = MemoryBackend()
    backend.port = free_port()
    servers = running.do(backend.desk.listen(backend.port))
    yield backend
    running.do(end(backend.desk, servers))


async def end(desk, servers):
    desk.hang_up()
    for server in servers:
        server.close()


def wait_for(condition):
    poll = threading.Event()
    for _ in range(300):
        if condition():
            return
        poll.wait(0.02)
    raise AssertionError("never came true")


def test_reads_are_for_everybody_and_writes_for_who_logged_in(master):
    with Client("127.0.0.1", master.port) as client:
        read = client.ask(op="read", type="CfgApplication", name="SIP_Server_1")["object"]
        assert properties(read) == {("TServer", "dr-peer-trunk"): "trunk_site2"}
        with pytest.raises(RefusedError, match="log in first"):
            client.ask(op="write", object=read)
        with pytest.raises(RefusedError, match="wrong user name"):
            client.ask(op="login", username="ann", password="guess")
        client.ask(op="login", username="ann", password="secret")
        assert client.ask(op="write", object=read)["object"] == read


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        ({"op": "dance"}, "unknown operation"),
        ({"op": "read", "type": "CfgDN", "name": "4711"}, "no such object"),
        ({"op": "write", "object": []}, "log in first"),
    ],
)
def test_refusals_leave_the_connection_alive(master, request_, why):
    with Client("127.0.0.1", master.port) as client:
        with pytest.raises(RefusedError, match=why):
            client.ask(**request_)
        assert client.ask(op="ping")["ok"]


def test_a_subscriber_hears_of_its_type_at_once(master, running):
    with Client("127.0.0.1", master.port) as client:
        assert client.ask(op="subscribe", type="CfgApplication")["objects"] == [APPLICATION]
        running.loop.call_soon_threadsafe(master.desk.announce, PERSON)
        changed = {**APPLICATION, "options": {"property": []}}
        running.loop.call_soon_threadsafe(master.desk.announce, changed)
        assert client.next_event(2) == {"event": "changed", "object": changed}
        assert client.next_event(0.05) is None


def test_out_of_service_answers_status_alone(master):
    master.in_service = False
    with Client("127.0.0.1", master.port) as client:
        assert client.ask(op="status")["in_service"] is False
        with pytest.raises(RefusedError, match="out of service"):
            client.ask(op="list")


def test_rubbish_ends_its_own_connection_only(master):
    with socket.create_connection(("127.0.0.1", master.port), 2) as rude:
        rude.sendall(b"GET / HTTP/1.0\n")
        assert rude.recv(100) == b""
    with Client("127.0.0.1", master.port) as client:
        assert client.ask(op="ping")["ok"]


@pytest.mark.parametrize("line", [b"", b'{"op": "x"}', b"[]\n", b"\xff\n"])
def test_what_is_no_whole_object_is_a_wire_error(line):
    with pytest.raises(WireError):
        decode(line)


@pytest.fixture
def proxy(running, master):
    source = {"host": "localhost", "port": str(master.port), "addp-timeout": "3"}
    made = Proxy(Settings((0, 0), source, "site2", Path("/dev/null")))
    made.port = free_port()
    servers = running.do(made.desk.listen(made.port))
    running.start(made.follow())
    wait_for(lambda: made.status()["connected"])
    yield made
    running.do(end(made.desk, servers))


def test_a_proxy_serves_reads_without_its_master_and_never_writes(running, master, proxy):
    master.in_service = False
    running.loop.call_soon_threadsafe(master.desk.hang_up)
    wait_for(lambda: not proxy.status()["connected"])
    with Client("127.0.0.1", proxy.port) as client:
        assert client.ask(op="read", type="CfgApplication", dbid="101")["object"] == APPLICATION
        client.ask(op="login", username="ann", password="secret")
        with pytest.raises(RefusedError, match="read-only"):
            client.ask(op="write", object=APPLICATION)
        assert client.ask(op="status")["read_only"] is True


def test_a_proxy_passes_on_what_changed_while_it_was_alone(running, master, proxy):
    changed = {**APPLICATION, "options": {"property": []}}
    with Client("127.0.0.1", proxy.port) as client:
        client.ask(op="subscribe")
        running.loop.call_soon_threadsafe(master.objects.put, changed)
        running.loop.call_soon_threadsafe(master.desk.hang_up)
        assert client.next_event(5) == {"event": "changed", "object": changed}


@pytest.fixture
def gax(master):
    server = GaxServer(0, Gax(master.port))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=5)
    yield connection
    connection.close()
    server.shutdown()
    thread.join()
    server.server_close()
    server.gax.close()


def ask(connection, method, path, body=None, cookie=""):
    connection.request(method, f"/gax/api/{path}", body and json.dumps(body), {"Cookie": cookie})
    reply = connection.getresponse()
    return reply.status, json.loads(reply.read()), reply.getheader("Set-Cookie")


def log_in(connection):
    status, _, cookie = ask(connection, "POST", "session/login", {"username": "ann", "password": "secret"})
    assert status == 200
    return cookie.partition(";")[0]


def test_gax_reads_and_writes_full_objects(gax, master):
    assert ask(gax, "GET", "cfg/schema")[:2] == (200, {"isEnabled": True})
    assert ask(gax, "GET", "user/info")[0] == 401
    assert ask(gax, "POST", "session/login", {"username": "ann", "password": "guess"})[0] == 401
    cookie = log_in(gax)
    assert ask(gax, "GET", "user/info", cookie=cookie)[1] == {"username": "ann"}
    found = ask(gax, "GET", "cfg/objects?brief=false&type=CfgApplication&name=SIP_Server_1", cookie=cookie)[1]
    assert found == [APPLICATION]
    changed = {**APPLICATION, "options": {"property": []}}
    assert ask(gax, "PUT", "cfg/objects/CfgApplication/101", changed, cookie)[:2] == (200, changed)
    assert ask(gax, "GET", "cfg/objects/CfgApplication/101", cookie=cookie)[1] == changed
    new = {"type": "CfgDN", "number": "4711", "switchdbid": "101"}
    assert ask(gax, "POST", "cfg/objects", new, cookie)[:2] == (200, {**new, "dbid": "101"})


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "cfg/objects/CfgApplication/999", None, 404),
        ("GET", "cfg/trees", None, 404),
        ("PUT", "cfg/objects/CfgApplication/102", APPLICATION, 400),
        ("POST", "cfg/objects/CfgApplication/101", APPLICATION, 405),
        ("POST", "cfg/objects", {"name": "typeless"}, 400),
    ],
)
def test_gax_says_what_is_wrong(gax, method, path, body, status):
    answer = ask(gax, method, path, body, log_in(gax))
    assert answer[0] == status
    assert answer[1]["message"]


def test_gax_without_a_configuration_server_answers_503(gax, master, running):
    cookie = log_in(gax)
    master.in_service = False
    assert ask(gax, "GET", "cfg/schema")[0] == 503
    assert ask(gax, "POST", "session/login", {"username": "ann", "password": "secret"})[0] == 503
    running.loop.call_soon_threadsafe(master.desk.hang_up)
    wait_for(lambda: ask(gax, "GET", "user/info", cookie=cookie)[0] == 503)
    assert ask(gax, "GET", "user/info", cookie=cookie)[0] == 401


def test_settings_are_read_from_the_documented_form(tmp_path):
    file = tmp_path / "confserv.conf"
    file.write_text(
        "[confserv]\nport=2520\nmanagement-port=2521\nserver=dbserver\n"
        "[dbserver]\ndbserver=db1:5433\ndbname=config\nusername=confserv\npassword=100%%sure\n"
        "[lab]\nsite=site1\nwrite-log=/x\n"
    )
    settings = read_settings(file)
    assert settings.ports == (2520, 2521)
    assert (settings.dsn["host"], settings.dsn["port"], settings.dsn["password"]) == ("db1", 5433, "100%%sure")
