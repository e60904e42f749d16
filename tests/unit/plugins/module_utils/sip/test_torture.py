"""Responses in the style of RFC 4475 ("SIP Torture Test Messages"), and worse: what still counts, and what does not.

Where RFC 4475 gives a message for a server to refuse, a prober asks less of a response: whose is it, and what status?
"""

from __future__ import annotations

import time

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.message import MalformedMessageError, parse

OURS = "z9hG4bKours"


def fields(data):
    message = parse(data)
    return message.status, message.branch, message.cseq_method


TOLERATED = {
    "3.1.1.1 a short tortuous message: folds, blanks, compact names, empty parameters": (
        b"SIP/2.0   200    = 2**3 * 5**2 \xd0\xbd\xd0\xbe\r\n"
        b"TO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n"
        b'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\n'
        b"MaX-fOrWaRdS: 0068\r\nCall-ID: 98asjd8.0ha0@192.0.2.1\r\nContent-Length   : 150\r\n"
        b"cseq: 0009\r\n  OPTIONS\r\n"
        b"v  : SIP  / 2.0  / UDP\r\n 192.0.2.2;branch = z9hG4bKours\r\n"
        b"NewFangledHeader:   newfangled value\r\n continued newfangled value\r\n\r\n"
    ),
    "3.1.1.2 a wide range of characters": (
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP host1.example.com;branch=z9hG4bKours\r\n"
        b"To: \"BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f\" "
        b"<sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com>\r\n"
        b"Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{\r\nCSeq: 139122385 OPTIONS\r\n\r\n"
    ),
    "3.1.1.4 NUL in an escaped part": (
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKours\r\nTo: sip:null-%00-null@example.com\r\n"
        b"CSeq: 1 OPTIONS\r\n\r\n"
    ),
    "3.1.1.6 no blank between a display name and the bracket": (
        b"SIP/2.0 200 OK\r\nFrom: caller<sip:caller@example.com>;tag=323\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKours\r\n"
        b"CSeq: 60 OPTIONS\r\n\r\n"
    ),
    "3.1.1.7 long values": (
        b"SIP/2.0 200 OK\r\nTo: \"I have a user name of " + b"extreme" * 300 + b" proportion\" <sip:a@b>\r\n"
        b"Via: SIP/2.0/TCP h;branch=z9hG4bKours\r\nCSeq: 3882340 OPTIONS\r\n"
        + b"".join(b"Via: SIP/2.0/TCP h%d;branch=z9hG4bK%d\r\n" % (n, n) for n in range(60))
        + b"\r\n"
    ),
    "3.1.1.8 extra bytes behind the message": (
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKours\r\nCSeq: 8 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        b"SIP/2.0 503 Not this one\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKours\r\nCSeq: 8 OPTIONS\r\n\r\n"
    ),
    "3.1.1.12 an unusual reason phrase": (
        b"SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe \xd1\x81\xd1\x82\xd0\xbe\r\n"
        b"Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bKours\r\nCSeq: 35 OPTIONS\r\n\r\n"
    ),
    "3.1.1.13 an empty reason phrase": (
        b"SIP/2.0 100 \r\nVia: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bKours\r\nCSeq: 33 OPTIONS\r\n\r\n"
    ),
    "3.1.2.3 a negative Content-Length": (
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKours\r\nContent-Length: -999\r\nCSeq: 1 OPTIONS\r\n\r\n"
    ),
    "3.1.2.18 Content-Length larger than the datagram (cut short)": (
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKours\r\nCSeq: 1 OPTIONS\r\nContent-Length: 9999\r\n\r\nv=0"
    ),
    "3.3.8 a header that may come once comes twice: the first counts": (
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKours\r\nCSeq: 5 OPTIONS\r\nCSeq: 59 INVITE\r\n\r\n"
    ),
    "the head is cut short behind CSeq": (
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKours\r\nCSeq: 5 OPTIONS\r\nContent-Le"
    ),
    "quotes that never close": (
        b'SIP/2.0 200 OK\r\nContact: "open <sip:a@b>\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKours\r\n'
        b"CSeq: 5 OPTIONS\r\n\r\n"
    ),
    "line ends of both kinds": (
        b"SIP/2.0 200 OK\nVia: SIP/2.0/UDP h;branch=z9hG4bKours\r\nCSeq: 5 OPTIONS\n\r\n"
    ),
    "lines that are no headers": (
        b"SIP/2.0 200 OK\r\nnonsense\r\n: empty name\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKours\r\n"
        b"CSeq: 5 OPTIONS\r\n\r\n"
    ),
}  # fmt: skip


@pytest.mark.parametrize("data", TOLERATED.values(), ids=TOLERATED)
def test_tolerated(data):
    status, branch, method = fields(data)
    assert status in (100, 200)
    assert (branch, method) == (OURS, "OPTIONS")


NOT_OURS = {
    "the head is cut short before CSeq": b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKours\r\nCSe",
    "the branch is in another Via": (
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKours\r\n"
        b"CSeq: 5 OPTIONS\r\n\r\n"
    ),
    "the branch is in the second member of Via": (
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx, SIP/2.0/UDP h;branch=z9hG4bKours\r\n"
        b"CSeq: 5 OPTIONS\r\n\r\n"
    ),
    "the branch is in the body": (
        b"SIP/2.0 200 OK\r\nCSeq: 5 OPTIONS\r\n\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKours\r\n"
    ),
    "CSeq is no number": b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKours\r\nCSeq: x OPTIONS\r\n\r\n",
    "3.1.2.5 CSeq beyond all bounds": (
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKours\r\nCSeq: 36893488147419103232 OPTIONS\r\n\r\n"
    ),
    "3.1.2.17 CSeq of another method": (
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKours\r\nCSeq: 8 INVITE\r\n\r\n"
    ),
}  # fmt: skip


@pytest.mark.parametrize("data", NOT_OURS.values(), ids=NOT_OURS)
def test_somebody_elses(data):
    assert fields(data)[1:] != (OURS, "OPTIONS")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(
            b"SIP/2.0 4294967301 better not break the receiver\r\n\r\n", id="3.1.2.19 a status beyond all bounds"
        ),
        pytest.param(b"SIP/7.0 200 OK\r\n\r\n", id="3.1.2.16 an unknown version"),
        pytest.param(b"SIP/2.0 099 Low\r\n\r\n", id="a status below 100"),
        pytest.param(b"OPTIONS sip:user@example.com\r\n\r\n", id="no version"),
        pytest.param(b" \r\n \r\n", id="blanks"),
        pytest.param(b"SIP/2.0 200 OK\r\n" + b"A: b\r\n" * 20000, id="too long"),
    ],
)
def test_refused(data):
    with pytest.raises(MalformedMessageError):
        parse(data)


FULL = 65000
SLOW = {
    "nothing but folds": b"SIP/2.0 200 OK\r\nVia: x\r\n" + b" y\r\n" * (FULL // 4),
    "one long word": b"SIP/2.0 200 OK\r\n" + b"x" * FULL,
    "one long line of blanks": b"SIP/2.0 200 OK\r\nVia: " + b" " * FULL + b"x",
    "branch without a value": b"SIP/2.0 200 OK\r\nVia: " + b";branch " * (FULL // 8),
    "semicolons and blanks": b"SIP/2.0 200 OK\r\nVia: " + b";    " * (FULL // 5),
    "commas": b"SIP/2.0 200 OK\r\nVia: " + b"," * FULL,
    "open quotes": b'SIP/2.0 200 OK\r\nVia: ' + b'"\\' * (FULL // 2),
    "a request line of blanks": b"OPTIONS " + b" " * FULL + b"x",
    "a status line of blanks": b"SIP/2.0" + b" " * FULL + b"x",
    "CSeq of blanks": b"SIP/2.0 200 OK\r\nCSeq: 1" + b" " * FULL + b"=",
    "line ends": b"SIP/2.0 200 OK" + b"\r" * FULL,
    "empty headers": b"SIP/2.0 200 OK\r\n" + b":\r\n" * 255,
}  # fmt: skip


@pytest.mark.parametrize("data", SLOW.values(), ids=SLOW)
def test_the_time_is_bounded_whatever_the_bytes_are(data):
    started = time.process_time()
    try:
        message = parse(data)
    except MalformedMessageError:
        pass
    else:
        assert isinstance(message.branch + message.cseq_method, str)
        message.values("via")
    assert time.process_time() - started < 0.5
