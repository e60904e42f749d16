# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SIP Server's side-car and the agents' desktops, over real sockets; only Kamailio itself is played."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops import logins
from standins.agent_desktop.desktop import Desktop, Site, Timers
from standins.config_server.wire import decode, encode
from standins.sip_server import monitoring_page
from standins.sip_server.config_link import ConfigLink
from standins.sip_server.kamailio_rpc import Kamailio
from standins.sip_server.leg import Leg, holds_address, is_peer_trunk
from standins.sip_server.login_desk import LoginDesk
from standins.sip_server.settings import Settings

HERE, ELSEWHERE = "127.0.0.1", "192.0.2.1"
OPEN = []


class PlayedKamailio:
    """Answers the side-car's JSON-RPC from plain dictionaries; htables hold numbers."""

    def __init__(self, registered=(), in_service=1):
        self.tables = {"agents": {}, "option": {}, "trunk": {"in_service": in_service, "oos_count": 2}}
        self.registered = set(registered)

    async def __call__(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.lower().partition("content-length:")[2].split()[0])
        asked = json.loads(await reader.readexactly(length))
        body = json.dumps({"jsonrpc": "2.0", "id": 1, **self._answer(asked["method"], asked["params"])}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        writer.close()

    def _answer(self, method, params):
        if method == "ul.lookup" and params[1] not in self.registered:
            return {"error": {"code": 500, "message": "AOR not found"}}
        if method == "htable.seti":
            self.tables[params[0]][params[1]] = params[2]
        if method == "dlg.stats_active":
            return {"result": {"starting": 0, "connecting": 1, "answering": 0, "ongoing": 3, "all": 4}}
        if method == "htable.dump":
            return {"result": [{"slot": [{"name": n, "value": v}]} for n, v in self.tables[params[0]].items()]}
        return {"result": {}}


def port_of(server):
    OPEN.append(server)
    return server.sockets[0].getsockname()[1]


async def started(kamailio, site="site1", shared=HERE, peer_port=1, **changed):
    """A leg with its desk, on ports of their own."""
    rpc = port_of(await asyncio.start_server(kamailio, HERE, 0))
    peer = {"site1": "site2", "site2": "site1"}[site]
    settings = Settings(
        host=f"{site}-leg",
        site=site,
        peer_site=peer,
        application="SIP_Server_1",
        shared_address=shared,
        peer_address=HERE,
        trunk=f"trunk_{peer}",
        oos_check=1,
        oos_force=2,
        dr_peer_trunk=f"trunk_{peer}",
        dr_forward="oos",
        config_servers=changed.pop("config_servers", ()),
        login_port=peer_port,
        rpc_port=rpc,
        **changed,
    )
    leg = Leg(settings, Kamailio(rpc, settings.answer_timeout))
    desk = LoginDesk(leg)
    return SimpleNamespace(leg=leg, desk=desk, kamailio=kamailio, port=port_of(await desk.serve(0)))


class Client:
    """A hand-driven desktop."""

    def __init__(self, port):
        self.port = port

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_connection(HERE, self.port)
        return self

    async def __aexit__(self, *_):
        self.writer.close()
        await self.writer.wait_closed()

    async def ask(self, **request):
        self.writer.write(encode(request))
        return await self.hear()

    async def hear(self):
        return decode(await asyncio.wait_for(self.reader.readline(), 3))


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


def play(scenario):
    async def whole():
        try:
            await asyncio.wait_for(scenario(), 10)
        finally:
            for server in OPEN:
                server.close()
            OPEN.clear()

    asyncio.run(whole())


@pytest.mark.parametrize(
    ("value", "names"), [("trunk_site2", True), ("", False), (None, False), ("NULL", False), ("null", False)]
)
def test_what_names_a_peer_trunk(value, names):
    assert is_peer_trunk(value) is names


def test_an_address_is_held_only_as_a_host_route_of_this_host():
    text = "  |-- 10.71.1.11\n     /32 host LOCAL\n  |-- 10.71.1.1\n     /32 universe UNICAST\n"
    assert holds_address("10.71.1.11", text)
    assert not holds_address("10.71.1.1", text)
    assert not holds_address("10.71.1.100", text)


def test_peered_a_log_in_needs_the_phone_here_and_forces_the_log_out_there():
    async def scenario():
        first = await started(PlayedKamailio(registered=["1001"]))
        second = await started(PlayedKamailio(registered=["1001"]), site="site2", peer_port=first.port)
        async with Client(first.port) as one, Client(second.port) as two:
            assert (await one.ask(op="login", agent="a", dn="1009"))["error"] == "DN 1009 is not registered here"
            assert (await one.ask(op="login", agent="a", dn="1001"))["mode"] == "peered"
            assert (await two.ask(op="login", agent="a", dn="1001"))["ok"]
            assert (await one.hear())["event"] == "forced-logout"
            assert (await one.ask(op="agents"))["agents"] == []
            assert (await two.ask(op="agents"))["agents"] == ["1001"]

    play(scenario)


def test_single_site_mode_asks_for_no_phone_and_forces_nobody_out():
    async def scenario():
        first = await started(PlayedKamailio(registered=["1001"]))
        second = await started(PlayedKamailio(in_service=0), site="site2", peer_port=first.port)
        async with Client(first.port) as one, Client(second.port) as two:
            await one.ask(op="login", agent="a", dn="1001")
            assert (await two.ask(op="login", agent="a", dn="1001"))["mode"] == "single-site"
            assert (await two.ask(op="peer-login", dn="1001", site="site1"))["error"] == "single-site mode"
            assert (await one.ask(op="agents"))["agents"] == ["1001"]

    play(scenario)


def test_a_backup_leg_logs_nobody_in():
    async def scenario():
        leg = await started(PlayedKamailio(), shared=ELSEWHERE)
        async with Client(leg.port) as client:
            assert (await client.ask(op="ping"))["ok"]
            assert (await client.ask(op="login", agent="a", dn="1001"))["error"] == "backup"

    play(scenario)


def test_a_dead_kamailio_is_out_of_service():
    async def scenario():
        leg = await started(PlayedKamailio())
        OPEN[0].close()
        async with Client(leg.port) as client:
            assert (await client.ask(op="login", agent="a", dn="1001"))["error"] == "out of service"

    play(scenario)


def test_an_agent_without_a_session_is_logged_out_after_the_grace_and_one_with_a_session_is_put_back():
    async def scenario():
        leg = await started(PlayedKamailio(in_service=0), session_grace=0.0)
        async with Client(leg.port) as client:
            await client.ask(op="login", agent="a", dn="1001")
            leg.kamailio.tables["agents"] = {"1002": 1}
            await leg.desk.upkeep()
            await leg.desk.upkeep()
            assert leg.kamailio.tables["agents"] == {"1001": 1, "1002": 0}
            await client.ask(op="logout")
            assert leg.kamailio.tables["agents"]["1001"] == 0

    play(scenario)


def test_the_page_tells_run_mode_options_and_trunk():
    async def scenario():
        leg = (await started(PlayedKamailio(in_service=0), shared=ELSEWHERE)).leg
        port = port_of(await monitoring_page.serve(leg, 0))
        server, trunk = await get(port, "/server?sipServer"), await get(port, "/server?sipTrunkStatistics")
        assert "<runMode>backup</runMode><readiness>1</readiness><drPeerTrunk>trunk_site2</drPeerTrunk>" in server
        assert "<businessContinuity>single-site</businessContinuity>" in server
        assert '<trunk name="trunk_site2"><inService>0</inService>' in trunk
        assert "<oosDetectionCount>2</oosDetectionCount>" in trunk
        assert "<clients>0</clients>" in await get(port, "/server?tLibClientsStatistics")
        assert "<currentCalls>3</currentCalls>" in await get(port, "/server?sipCallManager")
        assert "404" in await get(port, "/")
        OPEN[0].close()
        assert "503" in await get(port, "/server?sipServer")

    play(scenario)


def test_the_page_tells_the_agents_as_the_collection_reads_them():
    async def scenario():
        one = await started(PlayedKamailio())
        port = port_of(await monitoring_page.serve(one.leg, 0))
        assert logins.read(await page(port), logins.LoginNames()) == logins.LogIns((), 0)
        one.kamailio.tables["agents"] = {"1002": 1, "1001": 1, "1003": 0}
        assert logins.read(await page(port), logins.LoginNames()) == logins.LogIns(("1001", "1002"), 2)

    async def page(port):
        return (await get(port, logins.LOGIN_PAGE)).partition("\r\n\r\n")[2]

    play(scenario)


async def get(port, target):
    reader, writer = await asyncio.open_connection(HERE, port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    text = (await reader.read()).decode()
    writer.close()
    return text


def application(**options):
    listed = [{"section": "TServer", "key": key.replace("_", "-"), "value": value} for key, value in options.items()]
    return {"type": "CfgApplication", "name": "SIP_Server_1", "options": {"property": listed}}


def test_options_follow_the_configuration_and_survive_its_loss():
    async def scenario():
        clients = []

        async def config_server(reader, writer):
            await reader.readline()
            writer.write(encode({"ok": True, "objects": [application(dr_peer_trunk="trunk_x", dr_forward="no-agent")]}))
            clients.append(writer)

        port = port_of(await asyncio.start_server(config_server, HERE, 0))
        one = await started(PlayedKamailio(), config_servers=((HERE, port),))
        task = asyncio.create_task(ConfigLink(one.leg).run())
        await until(lambda: one.leg.dr_peer_trunk == "trunk_x")
        assert one.leg.dr_forward == "no-agent"
        clients[0].write(encode({"event": "changed", "object": application(dr_forward="oos")}))
        await until(lambda: one.leg.dr_peer_trunk is None)
        await until(lambda: one.kamailio.tables["option"].get("forward") == 0)
        OPEN[0].close()
        clients[0].close()
        await asyncio.sleep(0)
        assert (one.leg.dr_peer_trunk, one.leg.dr_forward) == (None, "oos")
        task.cancel()

    play(scenario)


def test_a_desktop_moves_when_its_site_is_lost_for_long_enough_and_stays():
    async def scenario():
        first = await started(PlayedKamailio(registered=["1001"]))
        second = await started(PlayedKamailio(registered=["1001"]), site="site2")
        sites = [Site("site1", HERE, first.port), Site("site2", HERE, second.port)]
        task = asyncio.create_task(Desktop("a", "1001", sites, Timers(0.3, ping=0.05, answer=0.2, retry=0.05)).run())
        await until(lambda: first.kamailio.tables["agents"].get("1001"))
        for server in OPEN[:2]:  # the first site's Kamailio and desk
            server.close()
        for session in first.desk._sessions.values():
            session.writer.transport.abort()
        await until(lambda: second.kamailio.tables["agents"].get("1001"))
        task.cancel()

    play(scenario)
