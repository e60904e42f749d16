# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS peers for tests, and the certificates that they show."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sip_doubles import reply, tcp_peer

NAMES = "subjectAltName=IP:127.0.0.1,DNS:sip.example.net"
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout")


def make_papers(directory: Path) -> Path:
    """An authority, a server certificate, one that ran out, a client certificate, and somebody else's authority.

    Without the `openssl` command the test is skipped.
    """
    if not shutil.which("openssl"):
        pytest.skip("no openssl command here, and the standard library makes no certificates")
    _authority(directory, "ca")
    _authority(directory, "stranger")
    _leaf(directory, "server", "2", NAMES)
    _leaf(directory, "expired", "-1", NAMES)
    _leaf(directory, "client", "2", "extendedKeyUsage=clientAuth")
    return directory


def tls_peer(
    papers: Path, talk: Callable[[socket.socket], object], certificate: str = "server", wants_client: bool = False
) -> AbstractContextManager[int]:
    """A TLS peer for the length of a block; gives its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(papers / f"{certificate}.pem", papers / f"{certificate}.key")
    if wants_client:
        context.load_verify_locations(papers / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED

    def secured(connection: socket.socket) -> None:
        try:
            with context.wrap_socket(connection, server_side=True) as secure:
                talk(secure)
        except OSError:
            return  # the client hung up on us, as some of these tests want

    return tcp_peer(secured)


def answer(connection: socket.socket) -> bytes:
    """Answer one request with 200; return the request."""
    request = connection.recv(4096)
    connection.sendall(reply(request))
    return request


def _openssl(directory: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=directory, check=True, capture_output=True)


def _authority(directory: Path, name: str) -> None:
    usage = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
    subject = ("-subj", f"/CN={name}", *usage, "-days", "2", "-out", f"{name}.pem")
    _openssl(directory, "req", "-x509", *KEY, f"{name}.key", *subject)


def _leaf(directory: Path, name: str, days: str, more: str) -> None:
    _openssl(directory, "req", "-new", *KEY, f"{name}.key", "-subj", f"/CN={name}", "-out", f"{name}.csr")
    (directory / f"{name}.ext").write_text(f"authorityKeyIdentifier=keyid\n{more}\n")
    signed_by = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", f"{name}.ext")
    _openssl(directory, "x509", "-req", "-in", f"{name}.csr", *signed_by, "-days", days, "-out", f"{name}.pem")
