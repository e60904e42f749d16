"""TLS: which certificates pass, what those that do not are called, and ends in mid-handshake.

The certificates are made for the tests (fixture `papers`); where that cannot be done, the tests are skipped.
"""

from __future__ import annotations

import socket
import subprocess
import time

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.client import SipClient, Tls
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.message import parse
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.requests import grade, options
from sip_doubles import tcp_peer
from tls_doubles import answer, tls_peer


def ask(papers, tls, talk=answer, server_name="", **manners):
    with tls_peer(papers, talk, **manners) as port:
        return SipClient(deadline=1.0, tls=tls).request(options("127.0.0.1", port, "tls", server_name))


@pytest.fixture
def trusting(papers):
    return Tls(ca_file=str(papers / "ca.pem"))


def test_answer(papers, trusting):
    seen = []

    def talk(connection):
        seen.append(answer(connection))

    assert ask(papers, trusting, talk).status == 200
    sent = parse(seen[0])
    assert sent.first("via").startswith("SIP/2.0/TLS 127.0.0.1:")
    assert sent.uri.endswith(";transport=tls")


@pytest.mark.parametrize("name", ["sip.example.net", "127.0.0.1"])
def test_the_name_that_the_certificate_must_hold(papers, trusting, name):
    assert ask(papers, trusting, server_name=name).status == 200
    assert ask(papers, Tls(ca_file=trusting.ca_file, server_name=name)).status == 200


def test_the_targets_name_comes_before_the_clients(papers):
    tls = Tls(ca_file=str(papers / "ca.pem"), server_name="elsewhere.example.net")
    assert ask(papers, tls, server_name="sip.example.net").status == 200


@pytest.mark.parametrize(
    ("tls", "certificate", "words"),
    [
        ({}, "server", "unable to get local issuer certificate"),
        ({"ca_file": "stranger.pem"}, "server", "unable to get local issuer certificate"),
        ({"ca_file": "ca.pem"}, "expired", "certificate has expired"),
        ({"ca_file": "ca.pem", "server_name": "sip.example.org"}, "server", "Hostname mismatch"),
    ],
    ids=["the system's authorities", "another authority", "expired", "another name"],
)
def test_a_certificate_that_does_not_pass_is_unknown_but_answered(papers, tls, certificate, words):
    known = {**tls, "ca_file": str(papers / tls["ca_file"])} if "ca_file" in tls else tls
    outcome = ask(papers, Tls(**known), certificate=certificate)
    assert (grade(outcome), outcome.sent) == (("unknown", True), 0)
    assert words in outcome.error


def test_without_the_check_any_certificate_passes(papers):
    assert ask(papers, Tls(verify=False), certificate="expired").status == 200


def test_our_own_certificate(papers):
    own = {"certificate": str(papers / "client.pem"), "key": str(papers / "client.key")}
    assert ask(papers, Tls(ca_file=str(papers / "ca.pem"), **own), wants_client=True).status == 200


def test_a_server_that_wants_a_certificate_of_ours_has_answered(papers, trusting):
    value, answered = grade(ask(papers, trusting, wants_client=True))
    # Its refusal arrives as an alert, or is lost with the connection that it resets.
    assert value in ("unknown", "down")
    assert answered


def test_a_port_that_speaks_no_tls_has_answered(trusting):
    def talk(connection):
        connection.recv(4096)
        connection.sendall(b"SIP/2.0 400 Bad Request\r\n\r\n")

    with tcp_peer(talk) as port:
        outcome = SipClient(deadline=1.0, tls=trusting).request(options("127.0.0.1", port, "tls"))
    assert grade(outcome) == ("unknown", True)


def test_a_handshake_that_never_ends_does_not_hold_the_deadline(trusting):
    def talk(connection):
        while connection.recv(4096):
            pass

    with tcp_peer(talk) as port:
        started = time.monotonic()
        outcome = SipClient(deadline=0.3, tls=trusting).request(options("127.0.0.1", port, "tls"))
    assert (grade(outcome), outcome.sent) == (("down", True), 1)
    assert time.monotonic() - started < 3


def test_a_handshake_in_drops_does_not_hold_the_deadline(trusting):
    def talk(connection):
        try:
            connection.sendall(b"\x16\x03\x03\x40\x00")
            for _turn in range(1000):
                connection.sendall(b"\x00")
                time.sleep(0.01)
        except OSError:
            return

    with tcp_peer(talk) as port:
        started = time.monotonic()
        outcome = SipClient(deadline=0.3, tls=trusting).request(options("127.0.0.1", port, "tls"))
    assert grade(outcome)[0] != "up" and outcome.answered
    assert time.monotonic() - started < 3


def test_closed_in_the_handshake(trusting):
    with tcp_peer(lambda connection: connection.recv(4096)) as port:
        outcome = SipClient(deadline=1.0, tls=trusting).request(options("127.0.0.1", port, "tls"))
    assert grade(outcome) == ("down", True)


def test_refused():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert grade(SipClient(deadline=1.0).request(options("127.0.0.1", port, "tls"))) == ("down", True)


@pytest.mark.parametrize("tls", [{"ca_file": "/nowhere"}, {"certificate": "/nowhere"}])
def test_files_of_ours_that_cannot_be_used_are_our_fault_and_named(tls):
    with pytest.raises(OSError, match="/nowhere"):
        SipClient(tls=Tls(**tls)).request(options("127.0.0.1", 5061, "tls"))


def test_a_key_with_a_passphrase_is_refused_and_not_asked_for(papers):
    subprocess.run(
        ["openssl", "ec", "-in", "client.key", "-aes128", "-passout", "pass:secret", "-out", "locked.key"],
        cwd=papers,
        check=True,
        capture_output=True,
    )
    with pytest.raises(OSError):
        Tls(certificate=str(papers / "client.pem"), key=str(papers / "locked.key")).context()


def test_no_name_to_check(trusting):
    wrong = Tls(ca_file=trusting.ca_file, server_name="a..b")
    with tcp_peer(lambda connection: connection.recv(4096)) as port:
        outcome = SipClient(deadline=1.0, tls=wrong).request(options("127.0.0.1", port, "tls"))
    assert grade(outcome) == ("unknown", True)
