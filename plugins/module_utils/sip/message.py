# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads SIP messages as they come from the wire: bytes first, tolerant, one typed error.

Tolerated, because equipment in the field sends it: LF without CR, folded headers (RFC 3261 7.3.1), compact header
names (7.3.3), any case, white space before the colon, bytes that are no UTF-8 in a reason phrase, CRLF keep-alives
in front of the message (RFC 5626 3.5.1).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Optional

MAX_BYTES = 65535
MAX_HEADERS = 256

_COMPACT = {
    "a": "accept-contact", "b": "referred-by", "c": "content-type", "d": "request-disposition", "e": "content-encoding",
    "f": "from", "i": "call-id", "j": "reject-contact", "k": "supported", "l": "content-length", "m": "contact",
    "n": "identity-info", "o": "event", "r": "refer-to", "s": "subject", "t": "to", "u": "allow-events", "v": "via",
    "x": "session-expires", "y": "identity",
}  # fmt: skip

_STATUS_LINE = re.compile(r"SIP/2\.0[ \t]+([1-6][0-9][0-9])(?:[ \t]+(.*))?\Z", re.IGNORECASE)
_REQUEST_LINE = re.compile(r"([A-Za-z0-9.!%*_+`'~-]+)[ \t]+(\S+)[ \t]+SIP/2\.0[ \t]*\Z", re.IGNORECASE)
_CSEQ = re.compile(r"\s*([0-9]{1,10})\s+([A-Za-z0-9.!%*_+`'~-]+)\s*\Z")
_BRANCH = re.compile(r";\s*branch\s*=\s*\"?([^;,\s\"]+)", re.IGNORECASE)


class MalformedMessageError(ValueError):
    """The bytes are no SIP message that could be used; the text says which part is missing."""


@dataclass(frozen=True)
class Message:
    """One SIP message.

    status and reason are set in a response, method and uri in a request.
    headers: (long name in lower case, value) in the order of the wire.
    """

    status: Optional[int]
    reason: str
    method: str
    uri: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def first(self, name: str) -> str:
        """The first value of a header (long name, lower case), or an empty string."""
        return next((value for key, value in self.headers if key == name), "")

    def values(self, name: str) -> list[str]:
        """All values of a header that may hold a list (RFC 3261 7.3.1), in order."""
        return [part for key, value in self.headers if key == name for part in split_list(value)]

    @property
    def branch(self) -> str:
        """The branch of the topmost Via: the key of the transaction (RFC 3261 17.1.3), or an empty string."""
        top = next(iter(self.values("via")), "")
        match = _BRANCH.search(top)
        return match.group(1) if match else ""

    @property
    def cseq_method(self) -> str:
        """The method in CSeq, the other half of the transaction's key (RFC 3261 17.1.3), or an empty string."""
        match = _CSEQ.match(self.first("cseq"))
        return match.group(2).upper() if match else ""


def parse(data: bytes) -> Message:
    """The message in one datagram, or one framed message of a stream. Raises MalformedMessageError, nothing else."""
    if len(data) > MAX_BYTES:
        raise MalformedMessageError(f"longer than {MAX_BYTES} bytes")
    head, body = split_head(data.lstrip(b"\r\n"))
    lines = _unfold(head.decode("utf-8", errors="replace"))
    if not lines:
        raise MalformedMessageError("no start line")
    if len(lines) - 1 > MAX_HEADERS:
        raise MalformedMessageError(f"more than {MAX_HEADERS} headers")
    headers = tuple(header for header in (_header(line) for line in lines[1:]) if header)
    return _with_start_line(lines[0], headers, body)


def split_head(data: bytes) -> tuple[bytes, bytes]:
    """Head and body, parted by the first empty line; without an empty line all is head."""
    match = re.search(rb"\r?\n\r?\n", data)
    return (data[: match.start()], data[match.end() :]) if match else (data, b"")


def split_list(value: str) -> list[str]:
    """The members of a comma-separated header value; commas in quoted strings and angle brackets part nothing."""
    parts, start, quoted, bracketed, escaped = [], 0, False, False, False
    for index, char in enumerate(value):
        if escaped:
            escaped = False
        elif quoted:
            escaped, quoted = char == "\\", char != '"'
        elif char == '"':
            quoted = True
        elif char in "<>":
            bracketed = char == "<"
        elif char == "," and not bracketed:
            parts.append(value[start:index])
            start = index + 1
    return [part.strip() for part in [*parts, value[start:]] if part.strip()]


def _unfold(head: str) -> list[str]:
    lines: list[str] = []
    for line in re.split(r"\r?\n", head):
        if line[:1] in (" ", "\t") and lines:
            lines[-1] = f"{lines[-1].rstrip()} {line.strip()}"
        elif line.strip():
            lines.append(line)
    return lines


def _header(line: str) -> Optional[tuple[str, str]]:
    name, colon, value = line.partition(":")
    key = name.strip().lower()
    return (_COMPACT.get(key, key), value.strip()) if colon and key else None


def _with_start_line(line: str, headers: tuple[tuple[str, str], ...], body: bytes) -> Message:
    status = _STATUS_LINE.match(line.strip())
    if status:
        return Message(int(status.group(1)), (status.group(2) or "").strip(), "", "", headers, body)
    request = _REQUEST_LINE.match(line.strip())
    if request:
        return Message(None, "", request.group(1).upper(), request.group(2), headers, body)
    raise MalformedMessageError(f"neither a status line nor a request line: {line[:60]!r}")
