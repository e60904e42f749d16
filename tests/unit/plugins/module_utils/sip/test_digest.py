"""Digest answers: the RFCs' own examples, which challenge is answered, and both over the wire."""

from __future__ import annotations

import hashlib
import re
import time

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.client import Credentials, SipClient
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.digest import authorization, challenge
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.message import parse
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.requests import grade, options
from sip_doubles import reply, tcp_peer, udp_peer
from sipmessage import AuthCredentials

BOB = Credentials("bob", "zanzibar")
MUFASA = Credentials("Mufasa", "Circle of Life")
CLIENT = SipClient(t1=0.05, deadline=1.0, credentials=BOB)
MD5 = 'WWW-Authenticate: Digest realm="biloxi.com", qop="auth,auth-int", nonce="dcd98b", opaque="5ccc", algorithm=MD5'
SHA256 = MD5.replace("=MD5", "=SHA-256")


def response(*headers, status=401):
    return parse("\r\n".join([f"SIP/2.0 {status} No", *headers, "", ""]).encode())


def answer_to(header, credentials=BOB, status=401, method="OPTIONS", uri="sip:b", cnonce="0a4f113b"):
    asked = challenge(response(header, status=status), credentials)
    return authorization(asked, credentials, method, uri, cnonce) if asked else None


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc7616(algorithm, expected):
    """RFC 7616 3.9.1."""
    header = (
        f'WWW-Authenticate: Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    name, value = answer_to(header, MUFASA, method="GET", uri="/dir/index.html", cnonce=cnonce)
    assert name == "Authorization"
    assert f'response="{expected}"' in value
    assert f"algorithm={algorithm}" in value and "qop=auth, nc=00000001" in value


def test_a_server_that_knows_no_qop():
    """RFC 2069 as RFC 3261 22.4 (item 8) asks for: neither cnonce nor nc."""
    _name, value = answer_to('WWW-Authenticate: Digest realm="r", nonce="n"')
    secret = hashlib.md5(b"bob:r:zanzibar").hexdigest()
    request = hashlib.md5(b"OPTIONS:sip:b").hexdigest()
    assert f'response="{hashlib.md5(f"{secret}:n:{request}".encode()).hexdigest()}"' in value
    assert not {"cnonce", "nc", "qop", "algorithm", "opaque"} & set(re.findall(r"(\w+)=", value))


def test_an_independent_reader_understands_the_answer():
    _name, value = answer_to(MD5, Credentials('b"o\\b', "x"))
    read = AuthCredentials.parse(value)
    assert read.scheme == "Digest"
    assert (read.parameters["realm"], read.parameters["uri"]) == ("biloxi.com", "sip:b")
    assert (read.parameters["qop"], read.parameters["nc"]) == ("auth", "00000001")


def test_each_answer_has_a_nonce_of_its_own():
    asked = challenge(response(MD5), BOB)
    assert authorization(asked, BOB, "OPTIONS", "sip:b") != authorization(asked, BOB, "OPTIONS", "sip:b")


def test_a_proxy_is_answered_in_its_own_header():
    header = MD5.replace("WWW-", "Proxy-")
    assert answer_to(header, status=407)[0] == "Proxy-Authorization"
    assert answer_to(header, status=401) is None


def test_the_servers_order_is_its_preference():
    """RFC 8760 2.4: the topmost one that we can answer."""
    strange = MD5.replace("=MD5", "=SHA-512-256")
    assert challenge(response(strange, SHA256, MD5), BOB).algorithm == "SHA-256"
    assert challenge(response(MD5, SHA256), BOB).algorithm == "MD5"


def test_only_the_realm_that_the_password_is_for():
    assert challenge(response(MD5), Credentials("bob", "x", "elsewhere")) is None
    assert challenge(response(MD5), Credentials("bob", "x", "biloxi.com")) is not None


@pytest.mark.parametrize(
    "header",
    [
        'WWW-Authenticate: Basic realm="r"',
        "WWW-Authenticate: Digest",
        "WWW-Authenticate:",
        'WWW-Authenticate: Digest realm="r"',
        'WWW-Authenticate: Digest nonce="n"',
        'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth-int"',
        'WWW-Authenticate: Digest realm="r", nonce="n", qop=""',
        'WWW-Authenticate: Digest realm="r", nonce="n", algorithm=MD5-sess',
        'WWW-Authenticate: Digest realm="r", nonce="open',
        'WWW-Authenticate: Digest realm="r\rX: y", nonce="n"',
        "X: y",
    ],
)
def test_what_cannot_be_answered_is_left_alone(header):
    assert answer_to(header) is None


def test_the_password_shows_nowhere():
    assert "zanzibar" not in repr(BOB) + repr(CLIENT) + str(answer_to(MD5))


@pytest.mark.parametrize(
    "value", ["a" * 60000, "a " * 30000, 'a="' * 20000, 'a="\\' * 15000, "a" + " " * 60000, ", " * 30000]
)
def test_the_time_is_bounded_whatever_the_challenge_is(value):
    started = time.process_time()
    answer_to(f"WWW-Authenticate: Digest {value}")
    assert time.process_time() - started < 1


def correct(request, challenged=SHA256):
    """Whether a request carries the right answer to the challenge; by the formula, not by the code under test."""
    given = dict(re.findall(r'(\w+)="?([^",]+)"?', parse(request).first("authorization")))
    digest = hashlib.sha256 if challenged == SHA256 else hashlib.md5
    secret = digest(b"bob:biloxi.com:zanzibar").hexdigest()
    asked = digest(f"OPTIONS:{given.get('uri')}".encode()).hexdigest()
    middle = f"{given.get('nonce')}:{given.get('nc')}:{given.get('cnonce')}:{given.get('qop')}"
    return given.get("response") == digest(f"{secret}:{middle}:{asked}".encode()).hexdigest()


def guarded(request, _count, challenged=SHA256):
    if correct(request, challenged):
        return [(0, reply(request))]
    return [(0, reply(request, "401 Unauthorized", more=challenged))]


@pytest.mark.parametrize("challenged", [MD5, SHA256])
def test_over_udp(challenged):
    with udp_peer(lambda request, count: guarded(request, count, challenged)) as peer:
        outcome = CLIENT.request(options("127.0.0.1", peer.port))
    assert (outcome.status, outcome.sent, outcome.error) == (200, 2, "")
    first, second = (parse(data) for data in peer.received)
    assert first.first("authorization") == ""
    assert first.first("call-id") == second.first("call-id") and first.branch != second.branch
    assert (first.first("cseq"), second.first("cseq")) == ("1 OPTIONS", "2 OPTIONS")


def test_over_tcp_on_the_same_connection():
    def talk(connection):
        for _turn in range(2):
            request = connection.recv(4096)
            connection.sendall(guarded(request, 0)[0][1])

    with tcp_peer(talk) as port:
        outcome = CLIENT.request(options("127.0.0.1", port, "tcp"))
    assert (outcome.status, outcome.sent) == (200, 2)


def test_without_credentials_a_challenge_is_final():
    with udp_peer(guarded) as peer:
        outcome = SipClient(deadline=1).request(options("127.0.0.1", peer.port))
    assert (outcome.status, outcome.sent, grade(outcome)) == (401, 1, ("up", True))


def test_the_wrong_password_is_tried_once():
    with udp_peer(guarded) as peer:
        wrong = SipClient(deadline=1, credentials=Credentials("bob", "guess"))
        outcome = wrong.request(options("127.0.0.1", peer.port))
    assert (outcome.status, outcome.sent, grade(outcome)) == (401, 2, ("up", True))
    assert outcome.error == "the credentials were refused"


def test_a_nonce_that_ran_out_is_answered_anew_but_not_for_ever():
    stale = SHA256 + ", stale=TRUE"
    with udp_peer(lambda request, _count: [(0, reply(request, "401 Unauthorized", more=stale))]) as peer:
        outcome = CLIENT.request(options("127.0.0.1", peer.port))
    assert (outcome.status, outcome.sent) == (401, 3)


def test_a_challenge_that_nobody_understands_is_final():
    strange = MD5.replace("=MD5", "=token")
    with udp_peer(lambda request, _count: [(0, reply(request, "401 Unauthorized", more=strange))]) as peer:
        outcome = CLIENT.request(options("127.0.0.1", peer.port))
    assert (outcome.status, outcome.error) == (401, "no challenge that these credentials can answer")


def test_silence_after_the_challenge_leaves_the_challenge_standing():
    with udp_peer(lambda request, count: guarded(request, count) if count == 1 else []) as peer:
        outcome = SipClient(t1=0.02, tries=2, deadline=0.2, credentials=BOB).request(options("127.0.0.1", peer.port))
    assert (outcome.status, outcome.sent, grade(outcome)) == (401, 3, ("up", True))
    assert outcome.error == "no final response to the request with credentials"


def test_a_repeated_request_is_retransmitted_and_a_late_challenge_ignored():
    def lossy(request, count):
        if count == 2:
            return [(0, reply(peer.received[0], "401 Unauthorized", more=SHA256))]
        return guarded(request, count) if count != 3 else []

    with udp_peer(lossy) as peer:
        outcome = CLIENT.request(options("127.0.0.1", peer.port))
    assert (outcome.status, outcome.sent) == (200, 4)
