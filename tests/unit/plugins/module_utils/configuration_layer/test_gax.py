"""The GAX driver over real HTTP and HTTPS, against a server that speaks as public code expects it to."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.config_server import Probe, verify_writes
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer import (
    LayerError,
    Login,
    option_of,
    with_option,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer.gax import Gax
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

PASSWORD = "s3cret-of-gax"
PROBE = Probe("sip-dr", "sip-dr", "last-write", "run-1 now")


class Gateway(ThreadingHTTPServer):
    """A GAX with one Application; `read_only` and `forgets` are ways of not taking a change."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects: list[dict[str, Any]] = [
            {"type": "CfgApplication", "dbid": "105", "name": "sip-dr", "version": "8.5", "options": {"property": []}}
        ]
        self.read_only = self.forgets = self.speaks_html = False

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class Handler(BaseHTTPRequestHandler):
    """Session by cookie, objects whole."""

    server: Gateway

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        right = {"username": "sip-dr", "password": PASSWORD, "isPasswordEncrypted": False}
        if self.path == "/gax/api/session/login" and body == right:
            self.reply(200, {}, "JSESSIONID=abc; Path=/gax; HttpOnly")
        else:
            self.reply(401, {"message": "wrong user or password"})

    def do_GET(self) -> None:
        if self.headers.get("Cookie") != "JSESSIONID=abc":
            self.reply(401, {"message": "log in first"})
        elif self.path == "/gax/api/cfg/objects?brief=false&type=CfgApplication&name=sip-dr":
            self.reply(200, self.server.objects)
        else:
            self.reply(200, [])

    def do_PUT(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.read_only:
            self.reply(400, {"message": "read-only"})
        elif self.path == "/gax/api/cfg/objects/CfgApplication/105" and set(body) == set(self.server.objects[0]):
            if not self.server.forgets:
                self.server.objects = [body]
            self.reply(200, body)
        else:
            self.reply(400, {"message": "the whole object is expected"})

    def reply(self, status: int, answer: Any, cookie: str = "") -> None:
        text = b"<html>" if self.server.speaks_html else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        if cookie:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def run(server: Gateway) -> Iterator[Gateway]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def gax() -> Iterator[Gateway]:
    yield from run(Gateway())


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that only itself vouches for, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gax")])
    now = datetime.now(timezone.utc)
    builder = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.KeyUsage(True, False, False, False, False, True, False, False, False), critical=True)
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    path = tmp_path / "gax.pem"
    path.write_bytes(
        builder.sign(key, hashes.SHA256()).public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    )
    return path


@pytest.fixture
def secure_gax(certificate: Path) -> Iterator[Gateway]:
    server = Gateway()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    yield from run(server)


def layer(port: int, scheme: str = "http", ca_file: str | None = None, password: str = PASSWORD) -> Gax:
    return Gax(Login(f"{scheme}://127.0.0.1:{port}/gax/api", "sip-dr", password, ca_file, 5))


def test_a_change_is_written_and_read_again(gax: Gateway) -> None:
    gax.objects[0]["options"]["property"] = [{"section": "log", "key": "verbose", "value": "all"}]
    assert "reads 'run-1 now'" in verify_writes(layer(gax.port), PROBE, dry=False)
    assert option_of(gax.objects[0], "log", "verbose") == "all"
    assert option_of(gax.objects[0], "sip-dr", "last-write") == "run-1 now"
    verify_writes(layer(gax.port), PROBE._replace(marker="run-2"), dry=False)
    assert len(gax.objects[0]["options"]["property"]) == 2


def test_check_mode_reads_and_writes_nothing(gax: Gateway) -> None:
    assert "writes nothing" in verify_writes(layer(gax.port), PROBE, dry=True)
    assert gax.objects[0]["options"]["property"] == []


def test_a_change_that_is_refused_or_lost_is_no_proof(gax: Gateway) -> None:
    gax.read_only = True
    with pytest.raises(LayerError, match=r"PUT cfg/objects/CfgApplication/105 was answered 400 \(read-only\)"):
        verify_writes(layer(gax.port), PROBE, dry=False)
    gax.read_only, gax.forgets = False, True
    with pytest.raises(LayerError, match="was written as 'run-1 now' and reads None"):
        verify_writes(layer(gax.port), PROBE, dry=False)


def test_a_wrong_password_is_an_error_that_does_not_tell_it(gax: Gateway) -> None:
    with pytest.raises(LayerError, match="401") as caught:
        layer(gax.port, password="not-" + PASSWORD).log_in()
    assert PASSWORD not in str(caught.value)


def test_exactly_one_application_is_expected(gax: Gateway) -> None:
    session = layer(gax.port)
    session.log_in()
    with pytest.raises(LayerError, match="0 Applications are named 'other'"):
        session.application("other")


def test_what_is_not_json_and_what_does_not_answer(gax: Gateway) -> None:
    gax.speaks_html = True
    with pytest.raises(LayerError, match="not JSON"):
        layer(gax.port).log_in()
    with pytest.raises(LayerError, match="refused"):
        layer(1).log_in()
    with pytest.raises(LayerError, match="no http or https"):
        Gax(Login("file:///etc/passwd", "u", "p", None, 5))


def test_an_https_certificate_is_verified(secure_gax: Gateway, certificate: Path) -> None:
    with pytest.raises(LayerError, match="CERTIFICATE_VERIFY_FAILED"):
        layer(secure_gax.port, "https").log_in()
    assert verify_writes(layer(secure_gax.port, "https", str(certificate)), PROBE, dry=False)


def test_an_application_without_options_gets_its_first() -> None:
    changed = with_option({"dbid": "1", "options": None}, "a", "b", "c")
    assert changed == {"dbid": "1", "options": {"property": [{"section": "a", "key": "b", "value": "c"}]}}
    assert option_of({"dbid": "1"}, "a", "b") is None
