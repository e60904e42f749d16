# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Digest answers to a 401 or 407: MD5 and SHA-256, qop=auth (RFC 7616, RFC 3261 22, RFC 8760).

A server that knows neither qop nor algorithm (RFC 2069) is answered in its own way (RFC 3261 22.4, item 8). `auth-int`
alone, the `-sess` algorithms and SHA-512-256 are not spoken: such a challenge is left unanswered.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Callable, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.message import Message

_HEADERS = {401: ("www-authenticate", "Authorization"), 407: ("proxy-authenticate", "Proxy-Authorization")}

# Names are bounded: a long word without `=` would otherwise be tried from each of its letters to its end.
# No value holds a line's end: it goes back into a header of ours.
_PARAMETER = re.compile(r"([A-Za-z0-9_-]{1,32})\s*=\s*(?:\"((?:[^\"\\\r\n]|\\[^\r\n])*)\"|([^\s,\"]+))")


def _md5(text: str) -> str:
    # A host in FIPS mode refuses MD5 unless it is told that this is no protection of data.
    return hashlib.md5(text.encode("utf-8"), usedforsecurity=False).hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


_ALGORITHMS: dict[str, Callable[[str], str]] = {"MD5": _md5, "SHA-256": _sha256}


@dataclass(frozen=True)
class Credentials:
    """Whose answer is given. realm: only to challenges of this realm; empty for any.

    The password never shows in a representation of the object.
    """

    username: str
    password: str = field(repr=False)
    realm: str = ""


@dataclass(frozen=True)
class Challenge:
    """One Digest challenge that can be answered. Values are as on the wire, without the quotes (`unq`, RFC 7616 3.4).

    qop: whether the server wants `auth`; otherwise it speaks RFC 2069. reply_header: the header for the answer.
    """

    realm: str
    nonce: str
    algorithm: str
    named_algorithm: bool
    qop: bool
    opaque: Optional[str]
    stale: bool
    reply_header: str


def challenge(response: Message, credentials: Credentials) -> Optional[Challenge]:
    """The topmost challenge of a 401 or 407 that can be answered: the server's order is its preference (RFC 8760 2.4).

    None when there is none for these credentials.
    """
    if response.status not in _HEADERS:
        return None
    asks, answers = _HEADERS[response.status]
    offered = (_read(value, answers) for value in response.all(asks))
    return next((one for one in offered if one and credentials.realm in ("", one.realm)), None)


def authorization(
    asked: Challenge, credentials: Credentials, method: str, uri: str, cnonce: Optional[str] = None
) -> tuple[str, str]:
    """The header (name, value) that answers a challenge for this method and Request-URI (RFC 7616 3.4.1).

    cnonce: our own nonce, fresh for each answer when it is left out.
    """
    digest = _ALGORITHMS[asked.algorithm]
    cnonce = cnonce or secrets.token_hex(8)
    secret = digest(f"{credentials.username}:{asked.realm}:{credentials.password}")
    request = digest(f"{method}:{uri}")
    middle = f"{asked.nonce}:00000001:{cnonce}:auth" if asked.qop else asked.nonce
    parts = [
        f'username="{_quoted(credentials.username)}"',
        f'realm="{asked.realm}"',
        f'nonce="{asked.nonce}"',
        f'uri="{uri}"',
        f'response="{digest(f"{secret}:{middle}:{request}")}"',
        *([f"algorithm={asked.algorithm}"] if asked.named_algorithm else []),
        *([f'cnonce="{cnonce}"', "qop=auth", "nc=00000001"] if asked.qop else []),
        *([f'opaque="{asked.opaque}"'] if asked.opaque is not None else []),
    ]
    return asked.reply_header, "Digest " + ", ".join(parts)


def _read(value: str, reply_header: str) -> Optional[Challenge]:
    scheme, _blank, rest = value.partition(" ")
    found = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(rest)}
    algorithm = found.get("algorithm", "MD5").upper()
    qop = {word.strip().lower() for word in found["qop"].split(",")} if "qop" in found else set()
    usable = scheme.lower() == "digest" and {"realm", "nonce"} <= set(found) and algorithm in _ALGORITHMS
    if not usable or (qop and "auth" not in qop):
        return None
    return Challenge(
        realm=found["realm"],
        nonce=found["nonce"],
        algorithm=algorithm,
        named_algorithm="algorithm" in found,
        qop=bool(qop),
        opaque=found.get("opaque"),
        stale=found.get("stale", "").lower() == "true",
        reply_header=reply_header,
    )


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
