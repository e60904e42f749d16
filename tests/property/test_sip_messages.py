"""Whatever comes in: no exception but the parser's own, no hang, and the same reading as another library's."""

from __future__ import annotations

import re
import string
import time

import sipmessage
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.digest import (
    Credentials,
    authorization,
    challenge,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.message import (
    MAX_BYTES,
    MalformedMessageError,
    parse,
    split_list,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.requests import options, render, reply_matches
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.stream import Framer
from hypothesis import example, given, settings
from hypothesis import strategies as st

LIMIT = 0.5  # seconds of processor time for one message, far more than any takes
PLAIN = (
    b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKours;rport=5060\r\n"
    b'From: "A, B" <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n'
    b'WWW-Authenticate: Digest realm="r", nonce="n"\r\nContact: <sip:e@f>, <sip:g@h>;expires=5\r\n'
    b"Content-Length: 0\r\n\r\n"
)
PIECES = [
    b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b";", b",", b'"', b"\\", b"<", b">", b"=", b"\0", b"\xff", b"SIP/2.0",
    b"Via", b"v", b"CSeq", b"branch", b"OPTIONS", b"200", b"Digest ", b"realm", b"nonce", b"Content-Length: 5",
]  # fmt: skip

STREAM = [PLAIN, b"\r\n\r\n", b"X", b"x: y\r\n\r\n", PLAIN.replace(b"Length: 0", b"Length: 7") + b"1234567"]
HEADERS = ["Server: x", "Allow: INVITE, ACK", "Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKother"]

piece = st.sampled_from(PIECES)
word = st.text(string.ascii_letters + string.digits, min_size=1, max_size=12)
noise = st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=60).map(b"".join)


def read_everything(message):
    """All that is ever asked of a message; returns it, so that it is not optimised away."""
    asked = challenge(message, Credentials("a", "b")) if message.status else None
    answered = authorization(asked, Credentials("a", "b"), "OPTIONS", "sip:a") if asked else ()
    return message.branch, message.cseq_method, message.values("contact"), message.values("via"), answered


@st.composite
def damaged(draw):
    """A response with pieces cut out, put in and doubled."""
    data = PLAIN
    for _turn in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 30))
        data = data[:at] + draw(noise) * draw(st.integers(0, 3)) + data[at + length :]
    return data


@settings(max_examples=400, deadline=None)
@given(noise | damaged() | noise.map(lambda data: b"SIP/2.0 401 No\r\n" + data))
@example(b"")
@example(b"SIP/2.0 200 \xc3")
def test_no_exception_but_its_own_and_no_hang(data):
    started = time.process_time()
    try:
        read_everything(parse(data))
    except MalformedMessageError as error:
        assert str(error)
    assert time.process_time() - started < LIMIT


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(PIECES), st.sampled_from(PIECES), st.binary(max_size=3), st.sampled_from([b"", b"Via: ", b"v:;"])
)
def test_no_hang_on_repetitions_as_long_as_a_datagram(first, second, third, name):
    unit = first + second + third
    data = b"SIP/2.0 401 No\r\n" + name + unit * ((MAX_BYTES - 100) // len(unit))
    started = time.process_time()
    try:
        read_everything(parse(data))
    except MalformedMessageError as error:
        assert str(error)
    assert time.process_time() - started < LIMIT


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(STREAM)), st.lists(st.integers(1, 400), min_size=1))
def test_a_stream_reads_alike_however_it_is_cut(parts, sizes):
    stream = b"".join(parts)
    whole = Framer().feed(stream)
    framer, pieces, at, turn = Framer(), [], 0, 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        pieces += framer.feed(stream[at : at + size])
        at, turn = at + size, turn + 1
    assert pieces == whole


@settings(max_examples=200, deadline=None)
@given(noise)
def test_a_stream_of_noise_raises_nothing(data):
    framer = Framer()
    for start in range(0, len(data), 50):
        framer.feed(data[start : start + 50])


@settings(deadline=None)
@given(st.lists(st.text(string.ascii_letters + ";=\\'", min_size=1, max_size=10)))
def test_a_list_has_the_members_that_it_was_made_of(members):
    assert split_list(" , ".join(members)) == members


def as_they_read_it(data):
    """The same fields as another library reads them."""
    message = sipmessage.Message.parse(data)
    via = message.via[0]
    return message.code, message.phrase, via.parameters["branch"], message.cseq.method, message.call_id


def as_we_read_it(data):
    message = parse(data)
    return message.status, message.reason, message.branch, message.cseq_method, message.first("call-id")


@settings(max_examples=300, deadline=None)
@given(
    status=st.integers(100, 699),
    reason=st.sampled_from(["OK", "Not Found", "Service Unavailable", "x y z"]),
    branch=word.map(lambda end: "z9hG4bK" + end),
    method=st.sampled_from(["OPTIONS", "INVITE", "REGISTER"]),
    number=st.integers(0, 2**31 - 1),
    call_id=word,
    more=st.lists(
        st.sampled_from(["Server: x", "Allow: INVITE, ACK", "Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKother"])
    ),
    via=st.sampled_from(["Via", "v", "VIA"]),
)
def test_another_library_reads_the_same(status, reason, branch, method, number, call_id, more, via):
    lines = [
        f"SIP/2.0 {status} {reason}",
        f"{via}: SIP/2.0/UDP 10.0.0.1:5060;branch={branch};rport",
        *more,
        "From: <sip:a@b>;tag=1",
        "To: <sip:c@d>;tag=2",
        f"Call-ID: {call_id}",
        f"CSeq: {number} {method}",
        "Content-Length: 0",
    ]
    data = ("\r\n".join(lines) + "\r\n\r\n").encode()
    assert as_we_read_it(data) == as_they_read_it(data)


@given(damaged())
@settings(max_examples=300, deadline=None)
def test_where_another_library_finds_our_answer_so_do_we(data):
    """Of a damaged response: we may be more tolerant than the other one, never blind to what it sees."""
    try:
        theirs = as_they_read_it(data)
    except Exception:  # it has no error of its own
        return
    a_status = b"\0" not in data and re.match(rb"\s*SIP/2.0\s+[1-6][0-9]{2}\s", data)  # it also takes 00, +20 and 2000
    if a_status and theirs[2:4] == ("z9hG4bKours", "OPTIONS"):
        assert reply_matches(parse(data), "z9hG4bKours", "OPTIONS")


@settings(deadline=None)
@given(
    address=st.sampled_from(["10.0.0.1", "2001:db8::1", "sip.example.net"]),
    port=st.integers(1, 65535),
    transport=st.sampled_from(["udp", "tcp", "tls"]),
    branch=word,
)
def test_another_library_reads_our_request_as_we_mean_it(address, port, transport, branch):
    data = render(options(address, port, transport), "10.0.0.9:5060", "z9hG4bK" + branch, "id", "tag")
    read = sipmessage.Message.parse(data)
    assert (read.method, str(read.uri)) == ("OPTIONS", parse(data).uri)
    assert (read.uri.port, read.via[0].transport) == (port, transport.upper())
    assert read.via[0].parameters["branch"] == "z9hG4bK" + branch
    assert (read.cseq.sequence, read.cseq.method) == (1, "OPTIONS")
    assert read.contact[0].uri.host == "10.0.0.9"
