# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own certificate authority, for whoever speaks TLS (``setups.speaks_tls``); made once, kept over resets."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from two_site_lab.commands import sh
from two_site_lab.model import Host

DAYS = 365
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", DAYS)
# No CN: etcd takes the CN of a client's certificate for a user, and refuses it over its JSON interface.
NAME = "/O=sip-dr lab"


def make(directory: Path, hosts: Iterable[Host]) -> None:
    """Make the authority and one certificate for each host, where there are none yet; OpenSSL 3 or newer."""
    directory.mkdir(mode=0o700, exist_ok=True)
    authority, key = authority_file(directory), directory / "ca.key"
    if not authority.exists():
        _request("-subj", f"{NAME} authority", "-keyout", key, "-out", authority)
    for host in hosts:
        if not certificate(directory, host.name).exists():
            names = f"subjectAltName=IP:{host.address},IP:127.0.0.1,DNS:{host.name},DNS:localhost"
            # A member dials its peers, and itself, with the certificate that it serves with.
            uses = "extendedKeyUsage=serverAuth,clientAuth"
            ends = ("-keyout", private_key(directory, host.name), "-out", certificate(directory, host.name))
            _request("-subj", NAME, "-CA", authority, "-CAkey", key, "-addext", names, "-addext", uses, *ends)


def authority_file(directory: Path) -> Path:
    """The authority's certificate."""
    return directory / "ca.pem"


def certificate(directory: Path, host: str) -> Path:
    """A host's certificate."""
    return directory / f"{host}.pem"


def private_key(directory: Path, host: str) -> Path:
    """The key of a host's certificate."""
    return directory / f"{host}.key"


def _request(*words: object) -> None:
    before = os.umask(0o077)
    try:
        sh("openssl", "req", "-x509", *KEY, "-addext", "basicConstraints=critical,CA:" + _is_authority(words), *words)
    finally:
        os.umask(before)


def _is_authority(words: Iterable[object]) -> str:
    return "FALSE" if "-CA" in words else "TRUE"
