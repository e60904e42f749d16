# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of SIP's wire form as a desk phone needs (RFC 3261 section 7): text in, text out."""

from __future__ import annotations

from dataclasses import dataclass

COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length", "o": "event"}
ECHOED = ("via", "record-route", "from", "to", "call-id", "cseq")
NAMES = {"call-id": "Call-ID", "cseq": "CSeq"}


@dataclass(frozen=True)
class Message:
    """A request or a response: its first line split in three, and its headers in order, names in lower case."""

    start: tuple[str, str, str]
    headers: tuple[tuple[str, str], ...]
    body: str = ""

    @property
    def is_response(self) -> bool:
        """Is the first line a status line?"""
        return self.start[0].startswith("SIP/")

    @property
    def method(self) -> str:
        """The method: of the request, or that in CSeq of a response."""
        return self.header("cseq").split()[-1]

    @property
    def status(self) -> int:
        """The status code of a response."""
        return int(self.start[1])

    def header(self, name: str) -> str:
        """The first value of a header, or an empty string."""
        return next((value for key, value in self.headers if key == name), "")


def parse(datagram: bytes) -> Message:
    """The message in a datagram; ValueError if it is none."""
    head, _, body = datagram.decode("utf-8", "replace").partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    start = first.split(" ", 2)
    headers = tuple(_header(line) for line in lines)
    if len(start) != 3 or not dict(headers).get("cseq"):
        raise ValueError(f"not a SIP message: {first[:80]!r}")
    return Message((start[0], start[1], start[2]), headers, body)


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    key = name.strip().lower()
    return COMPACT.get(key, key), value.strip()


def _text(first: str, headers: list[tuple[str, str]], body: str) -> bytes:
    lines = [first, *(f"{NAMES.get(name, name.title())}: {value}" for name, value in headers)]
    lines.append(f"Content-Length: {len(body.encode())}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def request(method: str, uri: str, headers: list[tuple[str, str]]) -> bytes:
    """A request without a body."""
    return _text(f"{method} {uri} SIP/2.0", headers, "")


def response(asked: Message, status: str, tag: str, extra: tuple[tuple[str, str], ...] = (), body: str = "") -> bytes:
    """The response to a request: ``status`` is code and reason, ``tag`` is added to a To that has none (8.2.6.2)."""
    headers = [
        (name, _tagged(value, tag) if name == "to" else value) for name, value in asked.headers if name in ECHOED
    ]
    return _text(f"SIP/2.0 {status}", [*headers, *extra], body)


def _tagged(value: str, tag: str) -> str:
    return value if ";tag=" in value else f"{value};tag={tag}"
