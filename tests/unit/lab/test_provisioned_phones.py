# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Provisioned phones: message, provisioning file, and a line against a registrar on the loopback."""

from __future__ import annotations

import asyncio

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import Phone, Server
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.registry import DRIVERS
from standins.phones.line import Line
from standins.phones.message import parse, response
from standins.phones.provisioning import Account, read_account

FILE = "#!version:1.0.0.1\naccount.1.user_name = 1021\naccount.1.sip_server.1.address = {server}\n"
INVITE = (
    "INVITE sip:1021@127.0.0.1 SIP/2.0\r\nv: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK1\r\nVia: SIP/2.0/UDP b\r\n"
    "Record-Route: <sip:p;lr>\r\nf: <sip:a@b>;tag=1\r\nTo: <sip:1021@b>\r\ni: call1\r\nCSeq: 1 INVITE\r\n\r\nv=0"
)


class Registrar(asyncio.DatagramProtocol):
    """A SIP Server that answers 200 to everything and keeps what it was sent; ``mute`` makes it silent."""

    def __init__(self, mute=False):
        self.mute = mute
        self.got = asyncio.Queue()

    def connection_made(self, transport):
        self.transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data, addr):
        message = parse(data)
        self.got.put_nowait((message, addr))
        if not self.mute and not message.is_response:
            self.transport.sendto(response(message, "200 OK", "r"), addr)

    async def next(self):
        return await asyncio.wait_for(self.got.get(), 3)


OPEN = []


def play(scenario):
    """Run a scenario to its end and close every socket that it opened."""

    async def whole():
        try:
            await asyncio.wait_for(scenario(), 10)
        finally:
            for transport in OPEN:
                transport.close()
            OPEN.clear()

    asyncio.run(whole())


async def registrar(mute=False):
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Registrar(mute), local_addr=("127.0.0.1", 0)
    )
    OPEN.append(transport)
    return protocol


def provision(path, port):
    path.write_text(FILE.format(server="127.0.0.1") + f"account.1.sip_server.1.port = {port}\n")


async def phone(path):
    line = Line(path, "127.0.0.1", 0)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: line, local_addr=("127.0.0.1", 0))
    OPEN.append(transport)
    return asyncio.create_task(line.run())


async def at_the_first_of_two(tmp_path):
    first, second = await registrar(), await registrar()
    path = tmp_path / "mac.cfg"
    provision(path, first.port)
    return first, second, path, await phone(path)


def test_a_message_with_compact_names_is_read():
    message = parse(INVITE.format(port=1).encode())
    assert (message.method, message.header("call-id"), message.body) == ("INVITE", "call1", "v=0")
    assert not message.is_response


def test_a_response_echoes_what_it_must_and_tags_to():
    text = response(parse(INVITE.format(port=1).encode()), "200 OK", "t1").decode()
    assert text.count("Via: ") == 2
    assert "Record-Route: <sip:p;lr>" in text
    assert "To: <sip:1021@b>;tag=t1" in text
    assert parse(text.encode()).status == 200


@pytest.mark.parametrize(
    "datagram", [b"\r\n\r\n", b"\x00", b"HELLO\r\n\r\n", b"OPTIONS sip:x SIP/2.0\r\nTo: y\r\n\r\n"]
)
def test_rubbish_is_no_message(datagram):
    with pytest.raises(ValueError):
        parse(datagram)


def test_an_account_has_defaults(tmp_path):
    path = tmp_path / "mac.cfg"
    path.write_text(FILE.format(server="10.71.1.100"))
    assert read_account(path) == Account("1021", "10.71.1.100", 5060, 30)
    path.write_text("account.1.enable = 1\n")
    with pytest.raises(KeyError):
        read_account(path)


def test_a_file_of_poly_is_read_too(tmp_path):
    poly, path = DRIVERS["poly"], tmp_path / "reg-mac.cfg"
    text = poly.new_text(Phone("a", "1041", "single", "10.71.4.10"), None)
    sites = [Server("10.71.1.100"), Server("10.71.2.100")]
    path.write_text(poly.with_values(text, poly.day_one(poly.values(text), sites, "single", 60)))
    assert read_account(path) == Account("1041", "10.71.1.100", 5060, 60)
    path.write_text("<c>")
    with pytest.raises(ValueError, match="not well-formed"):
        read_account(path)


def test_a_call_goes_on_while_its_phone_moves_by_check_sync(tmp_path):
    async def scenario():
        first, second, path, task = await at_the_first_of_two(tmp_path)
        _, address = await first.next()
        first.transport.sendto(INVITE.format(port=first.port).encode(), address)
        answer, _ = await first.next()
        assert (answer.status, answer.method) == (200, "INVITE")
        first.transport.sendto(INVITE.format(port=first.port).replace("INVITE", "ACK").encode(), address)
        provision(path, second.port)
        notify = "NOTIFY sip:1021@x SIP/2.0\r\nVia: a\r\nFrom: b\r\nTo: c\r\nCall-ID: d\r\nCSeq: 1 NOTIFY\r\n"
        first.transport.sendto((notify + "Event: check-sync\r\n\r\n").encode(), address)
        asked, _ = await second.next()
        assert asked.method == "REGISTER"
        first.transport.sendto(INVITE.format(port=first.port).replace("INVITE", "BYE").encode(), address)
        heard = [(await first.next())[0] for _one in range(2)]
        assert [(one.status, one.method) for one in heard] == [(200, "NOTIFY"), (200, "BYE")]
        task.cancel()

    play(scenario)


def test_it_registers_and_moves_by_check_sync(tmp_path):
    async def scenario():
        first, second, path, task = await at_the_first_of_two(tmp_path)
        asked, address = await first.next()
        assert (asked.method, asked.header("expires")) == ("REGISTER", "30")
        provision(path, second.port)
        notify = "NOTIFY sip:1021@x SIP/2.0\r\nVia: a\r\nFrom: b\r\nTo: c\r\nCall-ID: d\r\nCSeq: 1 NOTIFY\r\n"
        first.transport.sendto((notify + "Event: check-sync;reboot=false\r\n\r\n").encode(), address)
        answer, _ = await first.next()
        assert answer.status == 200
        asked, _ = await second.next()
        assert asked.method == "REGISTER"
        task.cancel()

    play(scenario)


def test_a_silent_server_is_asked_again(tmp_path):
    async def scenario():
        mute = await registrar(mute=True)
        path = tmp_path / "mac.cfg"
        provision(path, mute.port)
        task = await phone(path)
        one, _ = await mute.next()
        again, _ = await mute.next()
        assert one == again
        task.cancel()

    play(scenario)


def test_it_answers_a_call_and_its_end(tmp_path):
    async def scenario():
        server = await registrar()
        path = tmp_path / "mac.cfg"
        provision(path, server.port)
        task = await phone(path)
        _, address = await server.next()
        invite = INVITE.format(port=server.port)
        server.transport.sendto(invite.encode(), address)
        answer, _ = await server.next()
        assert (answer.status, answer.method) == (200, "INVITE")
        assert "m=audio" in answer.body
        server.transport.sendto(invite.replace("INVITE", "BYE").encode(), address)
        end, _ = await server.next()
        assert (end.status, end.method) == (200, "BYE")
        task.cancel()

    play(scenario)
