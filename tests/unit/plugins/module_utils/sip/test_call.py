"""Test calls against real callees on the loopback, well-behaved and not."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip import call
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.call import (
    PACKETS,
    Callee,
    CallSettings,
    place_call,
    place_calls,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.message import parse
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.stream import Framer
from call_doubles import ANSWERS, SDP, callee
from sip_doubles import mute, tcp_peer, udp_peer

FAST = CallSettings(t1=0.02, tries=4, deadline=0.7)


@pytest.fixture(autouse=True)
def quick_farewell(monkeypatch):
    monkeypatch.setattr(call, "HANG_UP", 0.3)


def place(uas, settings=FAST):
    return place_call(Callee("127.0.0.1", "8001", uas.sip.port), settings)


def closed_port(kind):
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def test_a_call_is_answered_heard_and_hung_up():
    with callee() as uas:
        outcome = place(uas)
    assert outcome.completed and outcome.ended and not outcome.error
    assert (outcome.status, outcome.reason, outcome.provisional, outcome.invites) == (200, "OK", 180, 1)
    assert outcome.sent >= PACKETS == outcome.received
    assert 0 < outcome.rtt < 0.3
    assert uas.methods == ["INVITE", "ACK", "BYE"]


def test_the_dialog_is_one():
    with callee() as uas:
        place(uas)
    invite, ack, bye = uas.messages
    assert {invite.first("call-id"), ack.first("call-id"), bye.first("call-id")} == {invite.first("call-id")}
    assert [message.first("cseq") for message in uas.messages] == ["1 INVITE", "1 ACK", "2 BYE"]
    assert len({message.branch for message in uas.messages}) == 3
    assert [message.first("to").endswith(";tag=callee") for message in uas.messages] == [False, True, True]
    assert ack.uri == bye.uri == f"sip:callee@127.0.0.1:{uas.sip.port}"
    assert invite.uri == f"sip:8001@127.0.0.1:{uas.sip.port}"


def test_the_offer_is_g711_both_ways_and_the_packets_are_20_ms_of_it():
    with callee() as uas:
        place(uas)
    offer = uas.messages[0].body.decode()
    assert "m=audio " in offer and " RTP/AVP 0 8\r\n" in offer and "a=sendrecv" in offer
    assert uas.messages[0].first("content-length") == str(len(offer))
    packets = uas.rtp.received
    assert {len(packet) for packet in packets} == {172}
    assert packets[0][:2] == b"\x80\x80" and {packet[:2] for packet in packets[1:]} == {b"\x80\x00"}
    numbers = [int.from_bytes(packet[2:4], "big") for packet in packets]
    stamps = [int.from_bytes(packet[4:8], "big") for packet in packets]
    assert {(later - earlier) % 65536 for earlier, later in zip(numbers, numbers[1:])} == {1}
    assert {(later - earlier) % 2**32 for earlier, later in zip(stamps, stamps[1:])} == {160}


def test_a_callee_that_has_only_pcma_gets_pcma():
    with callee(format=8) as uas:
        assert place(uas).completed
    assert {packet[1] & 0x7F for packet in uas.rtp.received} == {8}
    assert {packet[12] for packet in uas.rtp.received} == {0xD5}


def test_without_media_a_call_is_not_completed():
    with callee(media=mute) as uas:
        outcome = place(uas)
    assert (outcome.status, outcome.received, outcome.completed, outcome.ended) == (200, 0, False, True)
    assert outcome.sent > PACKETS
    assert uas.methods == ["INVITE", "ACK", "BYE"]


def test_what_comes_in_is_no_media_unless_it_is_rtp():
    with callee(media=lambda packet, count: [(0, b"hello, I am a stranger")]) as uas:
        assert place(uas).received == 0


def test_lost_packets_are_made_up_for():
    with callee(media=lambda packet, count: [(0, packet)] if count % 3 else []) as uas:
        outcome = place(uas)
    assert outcome.completed and outcome.sent > PACKETS


@pytest.mark.parametrize("status", ["302 Moved", "404 Not Found", "486 Busy Here", "500 Oops", "503 Full", "603 No"])
def test_a_refusal_is_acknowledged_within_its_transaction(status):
    with callee({"INVITE": [(0, "100 Trying"), (0, status)]}) as uas:
        outcome = place(uas)
        assert wait_for(lambda: len(uas.methods) == 2)
    assert (outcome.status, outcome.reason) == (int(status[:3]), status[4:])
    assert not outcome.answered and not outcome.completed and outcome.sent == 0
    invite, ack = uas.messages
    assert ack.method == "ACK" and ack.branch == invite.branch and ack.uri == invite.uri
    assert ack.first("to").endswith(";tag=callee") and ack.first("cseq") == "1 ACK"


def test_a_refusal_may_say_when_to_try_again():
    with callee({"INVITE": [(0, "500 Not Now")]}) as uas:
        assert not place(uas).retry_after
        uas.routes = ["<sip:127.0.0.1;lr>\r\nRetry-After: 10"]
        assert place(uas).retry_after


def wait_for(condition):
    ends_at = time.monotonic() + 2
    while not condition() and time.monotonic() < ends_at:
        time.sleep(0.005)
    return condition()


def test_silence_is_asked_again_and_given_up_without_cancel():
    with callee({}) as uas:
        started = time.monotonic()
        outcome = place(uas)
        elapsed = time.monotonic() - started
    assert (outcome.status, outcome.provisional, outcome.rtt, outcome.invites) == (None, None, None, 4)
    assert uas.methods == ["INVITE"] * 4
    assert len(set(uas.sip.received)) == 1
    assert elapsed < FAST.deadline + 0.3 + 0.2


def test_a_lost_invite_is_sent_again():
    with callee(lost=2) as uas:
        outcome = place(uas)
    assert outcome.completed and outcome.invites == 3


def test_an_invite_that_is_heard_is_not_sent_again():
    with callee({**ANSWERS, "INVITE": [(0, "100 Trying"), (0.3, "200 OK")]}) as uas:
        outcome = place(uas)
    assert outcome.completed and uas.methods.count("INVITE") == 1
    assert outcome.rtt > 0.29


def test_what_only_rings_is_cancelled():
    script = {"INVITE": [(0, "180 Ringing")], "CANCEL": [(0, "200 OK"), (0.02, "INVITE:487 Request Terminated")]}
    with callee(script) as uas:
        outcome = place(uas)
        assert wait_for(lambda: uas.methods == ["INVITE", "CANCEL", "ACK"])
    assert (outcome.status, outcome.provisional, outcome.completed) == (None, 180, False)
    invite, cancel, ack = uas.messages
    assert cancel.branch == invite.branch == ack.branch
    assert (cancel.uri, cancel.first("to"), cancel.first("cseq")) == (invite.uri, invite.first("to"), "1 CANCEL")


def test_a_cancel_that_nobody_answers_ends_in_time():
    with callee({"INVITE": [(0, "180 Ringing")]}) as uas:
        started = time.monotonic()
        assert place(uas).status is None
    assert time.monotonic() - started < FAST.deadline + 0.3 + 0.2
    assert uas.methods.count("CANCEL") == 4


def test_an_answer_that_crosses_the_cancel_is_hung_up():
    script = {"INVITE": [(0, "180 Ringing")], "CANCEL": [(0, "200 OK"), (0, "INVITE:200 OK")], "BYE": [(0, "200 OK")]}
    with callee(script) as uas:
        outcome = place(uas)
    assert (outcome.status, outcome.completed, outcome.ended) == (None, False, True)
    assert uas.methods == ["INVITE", "CANCEL", "ACK", "BYE"]


def test_an_answer_behind_the_deadline_is_hung_up_too():
    with callee({"INVITE": [(0.8, "200 OK")], "BYE": [(0, "200 OK")]}) as uas:
        outcome = place(uas)
    assert (outcome.status, outcome.answered, outcome.ended) == (None, False, True)
    assert uas.methods[-2:] == ["ACK", "BYE"] and "CANCEL" not in uas.methods


def test_a_first_ringing_behind_the_deadline_is_cancelled():
    with callee({"INVITE": [(0.8, "180 Ringing")], "CANCEL": [(0, "200 OK"), (0, "INVITE:487 Gone")]}) as uas:
        assert place(uas).status is None
        assert wait_for(lambda: uas.methods[-2:] == ["CANCEL", "ACK"])


def test_early_media_is_no_media():
    with callee({**ANSWERS, "INVITE": [(0, "183 Session Progress"), (0.1, "200 OK")]}, media=mute) as uas:
        uas.before = lambda request: announce(uas, request) if request.method == "INVITE" else []
        outcome = place(uas)
    assert (outcome.status, outcome.provisional, outcome.received, outcome.completed) == (200, 183, 0, False)


def announce(uas, invite):
    """Send an announcement to where the offer wants it, before the answer."""
    port = int(invite.body.decode().split("m=audio ")[1].split()[0])
    packet = b"\x80\x00" + bytes(10) + b"\xff" * 160
    for _turn in range(PACKETS):
        uas.rtp.socket.sendto(packet, ("127.0.0.1", port))
    return []


def test_an_answer_that_comes_again_is_acknowledged_again():
    with callee({**ANSWERS, "INVITE": [(0, "200 OK"), (0.04, "200 OK"), (0.08, "200 OK")]}) as uas:
        assert place(uas).completed
    assert uas.methods == ["INVITE", "ACK", "ACK", "ACK", "BYE"]


@pytest.mark.parametrize(
    "sdp",
    ["", "garbage \xff\x00", SDP.replace("{port}", "0"), SDP.replace("{format}", "18"), SDP.replace("c=IN IP4 ", "c=")],
)
def test_an_answer_without_a_stream_that_we_could_send_to_is_hung_up_at_once(sdp):
    with callee(sdp=sdp) as uas:
        started = time.monotonic()
        outcome = place(uas)
    assert time.monotonic() - started < 0.4
    assert (outcome.status, outcome.completed, outcome.sent) == (200, False, 0)
    assert "SDP" in outcome.error
    assert uas.methods == ["INVITE", "ACK", "BYE"]


def test_a_bye_that_nobody_answers_spoils_nothing_and_ends_in_time():
    with callee({"INVITE": ANSWERS["INVITE"]}) as uas:
        started = time.monotonic()
        outcome = place(uas)
    assert outcome.completed and not outcome.ended
    assert uas.methods == ["INVITE", "ACK", *["BYE"] * 4]
    assert time.monotonic() - started < 1.0


def test_a_callee_that_hangs_up_first_is_answered():
    with callee(media=mute) as uas:
        uas.before = lambda request: [bye_of(uas, request)] if request.method == "ACK" else []
        uas.script = {**ANSWERS, "ACK": []}
        outcome = place(uas)
        assert wait_for(lambda: len(uas.methods) == 3)
    assert outcome.ended and not outcome.completed
    assert uas.methods == ["INVITE", "ACK", "200"]
    assert uas.messages[2].first("cseq") == "7 BYE"


def bye_of(uas, ack):
    lines = ["BYE sip:sip-dr@127.0.0.1 SIP/2.0", f"Via: SIP/2.0/UDP 127.0.0.1:{uas.sip.port};branch=z9hG4bKtheirs"]
    lines += [f"From: {ack.first('to')}", f"To: {ack.first('from')}", f"Call-ID: {ack.first('call-id')}"]
    return "\r\n".join([*lines, "CSeq: 7 BYE", "Content-Length: 0", "", ""]).encode()


def test_strangers_are_not_heard():
    def strangers(request):
        real = uas.reply(request, "200 OK")
        branch = request.branch.encode()
        return [b"\x00\xff", b"SIP/2.0 200\r\n\r\n", real.replace(branch, branch + b"x"), bye_of(uas, request)[:-40]]

    with callee({"INVITE": [(0, "486 Busy Here")]}) as uas:
        uas.before = strangers
        assert place(uas).status == 486


def test_requests_within_the_call_follow_the_route_from_behind():
    with callee() as uas, udp_peer(lambda data, count: uas.manners(data, count)) as proxy:
        uas.routes = ["<sip:10.255.255.1;lr>", f"<sip:127.0.0.1:{proxy.port};lr>"]
        outcome = place(uas)
    assert outcome.completed and outcome.ended
    assert uas.methods == ["INVITE"]
    ack, bye = (parse(data) for data in proxy.received)
    assert (ack.method, bye.method) == ("ACK", "BYE")
    assert bye.values("route") == [f"<sip:127.0.0.1:{proxy.port};lr>", "<sip:10.255.255.1;lr>"]
    assert bye.uri == f"sip:callee@127.0.0.1:{uas.sip.port}"


@pytest.mark.parametrize(
    "route", ["<sip:gateway.invalid;lr>", "<sip:[::1]:5060;lr>", "nonsense", "<sip:1.2.3.4:99999>"]
)
def test_a_hop_that_cannot_be_used_leaves_the_way_as_it_is(route):
    with callee(routes=[route]) as uas:
        assert place(uas).ended
    assert uas.methods == ["INVITE", "ACK", "BYE"]


def test_over_tcp():
    talked = []

    def talk(connection):
        framer = Framer()
        while "BYE" not in [message.method for message in talked]:
            messages = framer.feed(connection.recv(4096))
            talked.extend(messages)
            for message in messages:
                for _delay, status in ANSWERS.get(message.method, []):
                    connection.sendall(uas.reply(message, status))

    with callee() as uas, tcp_peer(talk) as port:
        outcome = place_call(Callee("127.0.0.1", "8001", port, "tcp"), FAST)
    assert outcome.completed and outcome.ended
    assert [message.method for message in talked] == ["INVITE", "ACK", "BYE"]
    assert talked[0].first("via").startswith("SIP/2.0/TCP ")
    assert talked[0].uri.endswith(";transport=tcp") and ";transport=tcp" in talked[0].first("contact")


def test_a_tcp_connection_that_closes_ends_the_call_at_once():
    with tcp_peer(lambda connection: connection.recv(4096)) as port:
        started = time.monotonic()
        outcome = place_call(Callee("127.0.0.1", "8001", port, "tcp"), FAST)
    assert (outcome.status, outcome.invites) == (None, 1)
    assert outcome.error
    assert time.monotonic() - started < 0.5


def test_a_refused_connection_was_tried_and_a_refused_datagram_is_silence():
    refused = place_call(Callee("127.0.0.1", "8001", closed_port(socket.SOCK_STREAM), "tcp"), FAST)
    assert (refused.status, refused.invites) == (None, 1) and "refused" in refused.error
    unheard = place_call(Callee("127.0.0.1", "8001", closed_port(socket.SOCK_DGRAM)), FAST)
    assert (unheard.status, unheard.error) == (None, "") and unheard.invites == 4


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_call_that_cannot_even_be_placed_says_why(transport):
    outcome = place_call(Callee("no.such.host.invalid", "8001", transport=transport), FAST)
    assert (outcome.status, outcome.invites) == (None, 0) and outcome.error


def test_an_address_that_is_not_ours_says_why():
    outcome = place_call(Callee("127.0.0.1", "8001"), CallSettings(local_address="192.0.2.1", deadline=0.1))
    assert outcome.invites == 0 and outcome.error


@pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="this machine has no IPv6")
def test_over_ipv6():
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.bind(("::1", 0))
        sock.settimeout(2)
        outcome = place_call(Callee("::1", "8001", sock.getsockname()[1]), CallSettings(t1=0.02, deadline=0.05))
        invite = parse(sock.recv(4096))
    assert outcome.invites and invite.uri.startswith("sip:8001@[::1]:")
    assert "c=IN IP6 ::1" in invite.body.decode()
    assert "@[::1]:" in invite.first("contact")


def test_many_calls_at_once_leave_nothing_open():
    open_before = len(os.listdir("/proc/self/fd"))
    with callee() as uas:
        started = time.monotonic()
        outcomes = place_calls([Callee("127.0.0.1", "8001", uas.sip.port)] * 30, FAST)
        elapsed = time.monotonic() - started
    assert [outcome.completed for outcome in outcomes] == [True] * 30
    assert elapsed < 3
    assert len({message.first("call-id") for message in uas.messages}) == 30
    assert len(os.listdir("/proc/self/fd")) == open_before


def test_no_calls_are_no_work_and_an_unknown_transport_is_our_own_fault():
    assert place_calls([], FAST) == []
    with pytest.raises(ValueError, match="udp or tcp"):
        place_calls([Callee("127.0.0.1", "8001", transport="sctp")], FAST)
