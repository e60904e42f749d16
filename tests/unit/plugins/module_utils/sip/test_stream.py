"""TCP: framing, and ends of every kind."""

from __future__ import annotations

import socket
import time

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.client import SipClient
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.message import MAX_BYTES, parse
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.requests import grade, options
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.stream import Framer
from sip_doubles import reply, tcp_peer

FAST = SipClient(deadline=1.0)
WITH_BODY = b"SIP/2.0 200 OK\r\nVia: x;branch=z9hG4bK1\r\nContent-Length: 4\r\n\r\n\r\n\r\n"
COMPACT = b"SIP/2.0 180 Ringing\nv: x;branch=z9hG4bK2\nl : 0\n\n"


def over_tcp(talk, client=FAST, address="127.0.0.1"):
    with tcp_peer(talk, address) as port:
        return client.request(options(address, port, "tcp"))


def until_closed(connection):
    while connection.recv(4096):
        pass


def until_we_hang_up(talk):
    def quietly(connection):
        try:
            talk(connection)
        except OSError:
            return

    return quietly


def test_answer_in_pieces_after_provisional_and_strangers():
    def talk(connection):
        request = connection.recv(4096)
        stream = b"\r\n\r\n" + reply(request, "100 Trying") + reply(request, branch="z9hG4bKno") + reply(request)
        for start in range(0, len(stream), 50):
            connection.sendall(stream[start : start + 50])

    outcome = over_tcp(talk)
    assert (outcome.status, outcome.provisional, outcome.sent) == (200, 100, 1)


def test_what_is_sent_over_ipv6():
    seen = []

    def talk(connection):
        seen.append(connection.recv(4096))
        connection.sendall(reply(seen[0]))

    assert over_tcp(talk, address="::1").status == 200
    sent = parse(seen[0])
    assert sent.uri.endswith(";transport=tcp")
    assert sent.first("via").startswith("SIP/2.0/TCP [::1]:")


def test_the_round_trip_begins_when_the_request_is_sent():
    def talk(connection):
        request = connection.recv(4096)
        time.sleep(0.2)
        connection.sendall(reply(request))

    outcome = over_tcp(talk)
    assert outcome.rtt == pytest.approx(0.2, abs=0.1)


def test_silence_of_one_that_accepted_is_down_but_answered():
    assert grade(over_tcp(until_closed, SipClient(deadline=0.2))) == ("down", True)


def test_closed_without_answer():
    outcome = over_tcp(lambda connection: connection.recv(4096))
    assert grade(outcome) == ("down", True)
    assert outcome.error == "connection closed before a final response"


def test_refused_is_down_but_answered():
    with tcp_peer(lambda connection: None) as port:
        pass
    outcome = FAST.request(options("127.0.0.1", port, "tcp"))
    assert (grade(outcome), outcome.sent) == (("down", True), 1)
    assert "refused" in outcome.error


def test_no_such_local_address():
    outcome = SipClient(local_address="192.0.2.1", deadline=0.2).request(options("127.0.0.1", 5060, "tcp"))
    assert grade(outcome) == ("unknown", False)


def test_no_such_name():
    assert grade(FAST.request(options("no-such-host.invalid", 5060, "tcp"))) == ("unknown", False)


def test_a_black_hole():
    """A listener whose queue is full drops further connections silently, as a dead host does."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        place = full.getsockname()
        fillers = []
        for _turn in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(place)
            fillers.append(filler)
        started = time.monotonic()
        outcome = SipClient(deadline=0.3).request(options("127.0.0.1", place[1], "tcp"))
        took = time.monotonic() - started
        for filler in fillers:
            filler.close()
    assert (grade(outcome), outcome.sent) == (("down", False), 1)
    assert took < 3


def test_drops_that_never_become_a_message_do_not_hold_the_deadline():
    def drip(connection):
        connection.recv(4096)
        connection.sendall(b"SIP/2.0 200 OK\r\n")
        for letter in b"X: " + b"y" * 1000:
            connection.sendall(bytes([letter]))
            time.sleep(0.01)

    started = time.monotonic()
    assert grade(over_tcp(until_we_hang_up(drip), SipClient(deadline=0.3))) == ("down", True)
    assert time.monotonic() - started < 3


def test_a_flood_does_not_hold_the_deadline():
    def flood(connection):
        connection.recv(4096)
        while True:
            connection.sendall(b"z" * 65536)

    started = time.monotonic()
    assert grade(over_tcp(until_we_hang_up(flood), SipClient(deadline=0.3))) == ("down", True)
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_messages_are_cut_alike_however_the_stream_comes(size):
    stream = b"\r\n" + WITH_BODY + b"\r\n\r\n" + COMPACT + b"nonsense\r\n\r\n" + WITH_BODY
    framer = Framer()
    messages = [one for start in range(0, len(stream), size) for one in framer.feed(stream[start : start + size])]
    assert [(one.status, one.body) for one in messages] == [(200, b"\r\n\r\n"), (180, b""), (200, b"\r\n\r\n")]


def test_a_message_that_is_too_long_is_skipped_and_the_next_one_read():
    huge = (
        WITH_BODY.replace(b"Content-Length: 4", f"Content-Length: {MAX_BYTES * 3}".encode())[:-4] + b"z" * MAX_BYTES * 3
    )
    framer = Framer()
    stream = huge + COMPACT
    messages = [one for start in range(0, len(stream), 8192) for one in framer.feed(stream[start : start + 8192])]
    assert [one.status for one in messages] == [180]


def test_a_head_that_never_ends_takes_no_memory():
    framer = Framer()
    for _turn in range(100):
        assert framer.feed(b"X: y\r\n" * 1000) == []
    assert len(framer._buffer) <= MAX_BYTES


def test_many_streams_at_once():
    with tcp_peer(lambda connection: connection.sendall(reply(connection.recv(4096)))) as port:
        outcomes = SipClient(deadline=5, window=20).request_many([options("127.0.0.1", port, "tcp")] * 60)
    assert {outcome.status for outcome in outcomes} == {200}


def test_pace_of_streams():
    with tcp_peer(lambda connection: connection.sendall(reply(connection.recv(4096)))) as port:
        started = time.monotonic()
        SipClient(deadline=5, rate=50).request_many([options("127.0.0.1", port, "tcp")] * 15)
    assert 0.2 < time.monotonic() - started < 3
