# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gateway drivers' HTTP client, against peers on the loopback that answer word by word what a test wants."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways import http
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import GatewayError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.http import (
    HttpClient,
    StatusError,
    file_body,
    json_body,
    password_of,
    text_body,
)
from sip_doubles import tcp_peer
from tls_doubles import tls_peer

SECRET = "Sesam, öffne dich"


class Peer:
    """Answers one request on each connection; `request` is the last that came."""

    def __init__(self, *answer: bytes, pause: float = 0.0) -> None:
        self.answer = answer or (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK",)
        self.pause = pause
        self.request = b""

    def __call__(self, connection: socket.socket) -> None:
        self.request = self._whole(connection)
        try:
            for piece in self.answer:
                connection.sendall(piece)
                time.sleep(self.pause)
        except OSError:
            return  # the client hung up on us, as some of these tests want

    @staticmethod
    def _whole(connection: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data and (more := connection.recv(4096)):
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"Content-Len")), 0)
        while len(body) < length:
            body += connection.recv(4096)
        return head + b"\r\n\r\n" + body


def answered(status: str, body: str = "", *more: str) -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body.encode())}", *more])
    return f"{head}\r\n\r\n{body}".encode()


@pytest.fixture
def password_file(tmp_path: Path) -> str:
    path = tmp_path / "password"
    path.touch(mode=0o600)
    path.write_text(SECRET + "\n", encoding="utf-8")
    return str(path)


def asked(peer: Callable[[socket.socket], object], *words: object, timeout: float = 2.0, **options: object) -> object:
    with tcp_peer(peer) as port:
        return HttpClient(f"http://127.0.0.1:{port}/base/", timeout, **options).ask(*words)


def test_it_asks_below_its_base_and_returns_what_was_answered():
    peer = Peer(answered("200 OK", '{"a": "ü"}', "X-Word: yes"))
    answer = asked(peer, "GET", "/v1/status?q=1", headers={"Accept": "application/json"})
    assert peer.request.startswith(b"GET /base/v1/status?q=1 HTTP/1.1\r\n")
    assert b"Accept: application/json\r\n" in peer.request
    assert peer.request.count(b"Host: 127.0.0.1:") == peer.request.count(b"Host:") == 1
    assert (answer.status, answer.headers["x-word"], answer.json()) == (200, "yes", {"a": "ü"})


def test_a_password_goes_as_basic_and_never_into_a_message(password_file: str):
    import base64

    peer = Peer()
    asked(peer, "GET", "/x", username="admin", password_file=password_file)
    basic = base64.b64encode(f"admin:{SECRET}".encode())
    assert b"Authorization: Basic " + basic + b"\r\n" in peer.request
    chatty = Peer(answered("403 Forbidden", f"no: {SECRET} / Basic {basic.decode()}"))
    with pytest.raises(StatusError) as error:
        asked(chatty, "GET", "/x?token=hidden", username="admin", password_file=password_file)
    assert "127.0.0.1: GET /base/x: status 200 expected, 403 met" in str(error.value)
    for secret in (SECRET, basic.decode(), "hidden"):
        assert secret not in str(error.value) + error.value.said


def test_a_session_token_does_not_show_either():
    chatty = Peer(answered("401 Unauthorized", "expired: abc.def.ghi"))
    with pytest.raises(StatusError) as error:
        asked(chatty, "GET", "/x", headers={"Authorization": "Bearer abc.def.ghi"})
    assert "abc.def" not in str(error.value)
    assert error.value.status == 401


def test_bodies():
    peer = Peer()
    with tcp_peer(peer) as port:
        client = HttpClient(f"http://127.0.0.1:{port}", 2.0)
        client.ask("POST", "/save")
        assert b"Content-Length: 0\r\n" in peer.request
        client.ask("PUT", "/json", json_body({"a": [1]}))
        assert b"Content-Type: application/json\r\n" in peer.request and peer.request.endswith(b'{"a": [1]}')
        client.ask("PUT", "/xml", text_body("<a>\udcff</a>", "application/xml"))
        assert peer.request.endswith(b"<a>\xff</a>")  # bytes that are no UTF-8 come through as they were read
        body = file_body("file", "a.ini", "x\r\n")
        client.ask("PUT", "/file", body)
        boundary = body.content_type.partition("boundary=")[2].encode()
        head = (
            b'Content-Disposition: form-data; name="file"; filename="a.ini"\r\nContent-Type: application/octet-stream'
        )
        assert peer.request.endswith(b"--" + boundary + b"\r\n" + head + b"\r\n\r\nx\r\n\r\n--" + boundary + b"--\r\n")


def test_an_address_may_be_ipv6():
    peer = Peer()
    with tcp_peer(peer, "::1") as port:
        assert HttpClient(f"http://[::1]:{port}", 2.0).ask("GET", "/x").where == "::1: GET /x"
    assert f"Host: [::1]:{port}\r\n".encode() in peer.request


def test_another_status_can_be_expected():
    with tcp_peer(Peer(answered("202 Accepted"))) as port:
        assert HttpClient(f"http://127.0.0.1:{port}", 2.0).ask("POST", "/x", expect=(200, 202)).status == 202


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"description": "Invalid table"}', "Invalid table"),
        ('{"error": {"code": 7}}', "code"),
        ("<html><h1>Bad\r\nRequest</h1></html>", "Bad Request"),
        ("[1]", "[1]"),
        ("", "nothing"),
    ],
)
def test_what_the_device_says_is_told(body: str, said: str):
    with pytest.raises(StatusError, match="400 met") as error:
        asked(Peer(answered("400 Bad Request", body)), "GET", "/x")
    assert said in error.value.said


def test_a_redirection_is_not_followed():
    with pytest.raises(StatusError, match="302 met"):
        asked(Peer(answered("302 Found", "", "Location: http://192.0.2.1/")), "GET", "/x")


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("http_proxy", "http://192.0.2.1:3128")
    monkeypatch.setenv("no_proxy", "")
    assert asked(Peer(), "GET", "/x").text == "OK"


@pytest.mark.parametrize(
    ("pieces", "met"),
    [
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf"], "ended in the middle"),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf"], "ended in the middle"),
        ([b"HTTP/1.1 200 OK\r\nContent-Le"], "an HTTP answer expected|ended in the middle|JSON"),
        ([b"SSH-2.0-dropbear\r\n"], "an HTTP answer expected"),
        ([b"\xff\xfe" * 40000], "an HTTP answer expected"),
        ([b""], "an HTTP answer expected"),
    ],
)
def test_half_an_answer_and_garbage(pieces: list[bytes], met: str):
    with pytest.raises(GatewayError, match=met):
        asked(Peer(*pieces), "GET", "/x").json()


def test_json_is_expected_where_it_is_asked_for():
    with pytest.raises(GatewayError, match="127.0.0.1: GET /base/x: JSON expected, '<html>' met"):
        asked(Peer(answered("200 OK", "<html>")), "GET", "/x").json()


def test_an_answer_has_an_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(http, "MAX_ANSWER", 1 << 20)
    with pytest.raises(GatewayError, match="more than 1 MiB met"):
        asked(Peer(answered("200 OK", "x" * ((1 << 20) + 1))), "GET", "/x")


def test_silence_ends_at_the_deadline():
    begin = time.monotonic()
    with pytest.raises(GatewayError, match="no whole answer within 0.2 s"):
        asked(Peer(b"", pause=0.6), "GET", "/x", timeout=0.2)
    assert time.monotonic() - begin < 2


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"])
def test_a_peer_that_trickles_is_as_good_as_silent(head: bytes):
    begin = time.monotonic()
    drops = [head or b"HTTP/1.1 200 OK\r\nX: ", *[b"x"] * 20]
    with pytest.raises(GatewayError, match="no whole answer within 0.3 s"), tcp_peer(Peer(*drops, pause=0.05)) as port:
        try:
            HttpClient(f"http://127.0.0.1:{port}", 0.3).ask("GET", "/x")
        finally:
            assert time.monotonic() - begin < 0.8


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(GatewayError, match="an HTTP answer expected, .*refused met"):
        HttpClient(f"http://127.0.0.1:{port}", 1.0).ask("GET", "/x")


def test_a_path_that_cannot_be_written_is_told_without_its_query():
    with pytest.raises(GatewayError, match="cannot be written: a path") as error:
        asked(Peer(), "GET", "/x?token=hidden\r\nEvil: yes")
    assert "hidden" not in str(error.value)
    with pytest.raises(GatewayError, match="cannot be written") as error:
        asked(Peer(), "GET", "/x", headers={"Authorization": "Bearer a\r\nb-secret"})
    assert "b-secret" not in str(error.value)


class TestTls:
    def asked(self, papers: Path, certificate: str = "server", host: str = "127.0.0.1", **options: object) -> str:
        options.setdefault("ca_file", str(papers / "ca.pem"))
        with tls_peer(papers, Peer(), certificate) as port:
            return HttpClient(f"https://{host}:{port}", 2.0, **options).ask("GET", "/x").text

    def test_a_certificate_of_the_given_authority_is_taken(self, papers: Path, password_file: str):
        assert self.asked(papers, username="admin", password_file=password_file) == "OK"

    def test_the_name_may_be_another_than_the_address(self, papers: Path):
        assert self.asked(papers, server_name="sip.example.net") == "OK"

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"certificate": "expired"}, "expired"),
            ({"server_name": "other.example.net"}, "mismatch"),
            ({"ca_file": ""}, "verify failed"),
        ],
    )
    def test_any_other_is_not(self, papers: Path, options: dict, words: str):
        with pytest.raises(GatewayError, match=f"127.0.0.1: GET /x: an HTTP answer expected, .*{words}"):
            self.asked(papers, **options)

    def test_a_strange_authority(self, papers: Path):
        with pytest.raises(GatewayError, match="verify failed"):
            self.asked(papers, ca_file=str(papers / "stranger.pem"))

    def test_a_ca_file_that_is_none(self, papers: Path, tmp_path: Path):
        (tmp_path / "none.pem").write_text("no certificate")
        for name in ("none.pem", "missing.pem"):
            with pytest.raises(GatewayError, match=f"ca_file .*{name}: certificates in PEM expected"):
                self.asked(papers, ca_file=str(tmp_path / name))

    def test_a_handshake_that_never_comes(self):
        begin = time.monotonic()
        with pytest.raises(GatewayError, match="0.2 s"), socket.create_server(("127.0.0.1", 0)) as deaf:
            HttpClient(f"https://127.0.0.1:{deaf.getsockname()[1]}", 0.2).ask("GET", "/x")
        assert time.monotonic() - begin < 2


@pytest.mark.parametrize(
    "address",
    [
        "ftp://h/",
        "h",
        "https://",
        "https://user:hidden@h/",
        "https://h:port/",
        "https://h:99999/",
        "https://h/?a=hidden",
    ],
)
def test_an_address_that_is_none_is_not_repeated(address: str):
    with pytest.raises(GatewayError, match="the address") as error:
        HttpClient(address, 1.0)
    assert "hidden" not in str(error.value)


def test_a_password_is_not_sent_in_the_clear(password_file: str):
    with pytest.raises(GatewayError, match="192.0.2.1: username over plain http"):
        HttpClient("http://192.0.2.1", 1.0, username="admin", password_file=password_file)
    with pytest.raises(GatewayError, match="gw.example.net: username over plain http"):
        HttpClient("http://gw.example.net", 1.0, username="admin", password_file=password_file)
    HttpClient("http://localhost", 1.0, username="admin", password_file=password_file)


def test_a_user_name_with_a_colon_cannot_go(password_file: str):
    with pytest.raises(GatewayError, match="colon"):
        HttpClient("https://127.0.0.1", 1.0, username="a:b", password_file=password_file)


def test_the_password_file_is_its_owners_alone(tmp_path: Path):
    path = tmp_path / "password"
    path.touch(mode=0o600)
    with pytest.raises(GatewayError, match="it is empty"):
        password_of(str(path))
    path.write_bytes(b"geheim\r\n")
    assert password_of(str(path)) == "geheim"
    path.chmod(0o640)
    with pytest.raises(GatewayError, match="mode 0600 is expected") as error:
        password_of(str(path))
    assert "geheim" not in str(error.value)
    with pytest.raises(GatewayError, match="No such file"):
        password_of(str(tmp_path / "missing"))
