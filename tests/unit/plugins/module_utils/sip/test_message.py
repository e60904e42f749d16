"""The parser takes what the field sends and refuses the rest with its own error."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.message import (
    MalformedMessageError,
    parse,
    split_list,
)
from hypothesis import given
from hypothesis import strategies as st

RESPONSE = (
    b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKabc;rport\r\n"
    b"CSeq: 1 OPTIONS\r\nCall-ID: x\r\nContent-Length: 2\r\n\r\nhi"
)


def test_response():
    message = parse(RESPONSE)
    assert (message.status, message.reason, message.branch, message.cseq_method) == (200, "OK", "z9hG4bKabc", "OPTIONS")
    assert message.body == b"hi"


def test_request():
    message = parse(b"OPTIONS sip:a@b SIP/2.0\r\nTo: <sip:a@b>\r\n\r\n")
    assert (message.status, message.method, message.uri) == (None, "OPTIONS", "sip:a@b")


@pytest.mark.parametrize(
    "data",
    [
        RESPONSE.replace(b"\r\n", b"\n"),
        b"\r\n\r\n" + RESPONSE,
        RESPONSE.replace(b"Via:", b"v:").replace(b"Call-ID", b"i"),
        RESPONSE.replace(b"Via:", b"VIA  :").replace(b"CSeq:", b"cseq\t:"),
        RESPONSE.replace(b";branch=", b"\r\n ;branch="),
        RESPONSE.replace(b";branch=", b"\r\n\t; Branch = "),
        RESPONSE.replace(b"SIP/2.0 200", b"sip/2.0  200"),
        RESPONSE.replace(b"\r\nCSeq", b", SIP/2.0/UDP 10.9.9.9;branch=z9hG4bKother\r\nCSeq"),
    ],
    ids=["LF", "keep-alive", "compact", "case and blanks", "folded", "folded, spaced", "status line", "two Vias"],
)
def test_tolerated(data):
    message = parse(data)
    assert (message.status, message.branch, message.cseq_method) == (200, "z9hG4bKabc", "OPTIONS")


def test_reason_that_is_no_utf8():
    assert parse(RESPONSE.replace(b"200 OK", b"503 Gest\xf6rt")).reason == "Gest\ufffdrt"


def test_without_reason():
    assert parse(RESPONSE.replace(b"200 OK", b"200")).reason == ""


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"hello",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"SIP/2.0 20\r\n\r\n",
        b"SIP/2.0 999 X\r\n\r\n",
        b"\0" * 70000,
        b"SIP/2.0 200 OK\r\n" + b"a: b\r\n" * 300,
    ],
)
def test_refused(data):
    with pytest.raises(MalformedMessageError):
        parse(data)


@given(st.binary(max_size=300))
def test_own_error_only(data):
    for sent in (data, b"SIP/2.0 200 OK\r\n" + data, RESPONSE[:40] + data):
        try:
            message = parse(sent)
        except MalformedMessageError:
            continue
        assert isinstance(message.branch, str)
        assert isinstance(message.cseq_method, str)
        message.values("contact")


def test_list_is_split_outside_quotes_and_brackets():
    value = '"Doe, \\"J\\"" <sip:1@a,b;x>;expires=5, <sip:2@c>, sip:3@d'
    assert split_list(value) == ['"Doe, \\"J\\"" <sip:1@a,b;x>;expires=5', "<sip:2@c>", "sip:3@d"]
