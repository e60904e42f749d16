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
from functools import lru_cache
from typing import Optional

MAX_BYTES = 65535
MAX_HEADERS = 256

_COMPACT = {
    "a": "accept-contact", "b": "referred-by", "c": "content-type", "d": "request-disposition", "e": "content-encoding",
    "f": "from", "i": "call-id", "j": "reject-contact", "k": "supported", "l": "content-length", "m": "contact",
    "n": "identity-info", "o": "event", "r": "refer-to", "s": "subject", "t": "to", "u": "allow-events", "v": "via",
    "x": "session-expires", "y": "identity",
}  # fmt: skip

_FOLD = re.compile(r"\r?\n[ \t]+")
_STATUS_LINE = re.compile(r"SIP/2\.0[ \t]+([1-6][0-9][0-9])(?:[ \t]+(.*))?\Z", re.IGNORECASE)
_REQUEST_LINE = re.compile(r"([A-Za-z0-9.!%*_+`'~-]+)[ \t]+(\S+)[ \t]+SIP/2\.0[ \t]*\Z", re.IGNORECASE)
HEAD_END = re.compile(rb"\n\r?\n")
_CSEQ = re.compile(r"\s*([0-9]{1,10})\s+([A-Za-z0-9.!%*_+`'~-]+)\s*\Z")
_BRANCH = re.compile(r";\s*branch\s*=\s*\"?([^;,\s\"]+)", re.IGNORECASE)


class MalformedMessageError(ValueError):
    """The bytes are no SIP message that could be used; the text says which part is missing."""


@dataclass(frozen=True)
class Message:
    """One SIP message.

    status and reason are set in a response, method and uri in a request.
    head: the lines of the headers, unfolded, each with a line feed in front. Headers are looked up when they are asked
    for: most of them never are, and a sweep reads thousands of messages.
    """

    status: Optional[int]
    reason: str
    method: str
    uri: str
    head: str
    body: bytes

    def first(self, name: str) -> str:
        """The first value of a header (long name, lower case), or an empty string."""
        found = _header(name).search(self.head)
        return found.group(1).strip() if found else ""

    def all(self, name: str) -> list[str]:
        """All values of a header, each as it stands in its line, in order."""
        return [value.strip() for value in _header(name).findall(self.head)]

    def values(self, name: str) -> list[str]:
        """All values of a header that may hold a list (RFC 3261 7.3.1), in order."""
        return [part for value in self.all(name) for part in split_list(value)]

    @property
    def branch(self) -> str:
        """The branch of the topmost Via: the key of the transaction (RFC 3261 17.1.3), or an empty string."""
        top = self.first("via")
        if "," in top:
            top = next(iter(split_list(top)), "")
        match = _BRANCH.search(top)
        return match.group(1) if match else ""

    @property
    def cseq_method(self) -> str:
        """The method in CSeq, the other half of the transaction's key (RFC 3261 17.1.3), or an empty string."""
        match = _CSEQ.match(self.first("cseq"))
        return match.group(2).upper() if match else ""


def parse(data: bytes) -> Message:
    """The message in one datagram, or one framed message of a stream. Raises MalformedMessageError, nothing else.

    The time is linear in the length, whatever the bytes are. A datagram cut short still counts as far as it goes: what
    its head says is a sign of life, though RFC 3261 18.3 would throw it away for its Content-Length.
    """
    if len(data) > MAX_BYTES:
        raise MalformedMessageError(f"longer than {MAX_BYTES} bytes")
    head, body = split_head(data.lstrip(b"\r\n"))
    text = _unfolded(head.decode("utf-8", errors="replace"))
    if text.count("\n") > MAX_HEADERS:
        raise MalformedMessageError(f"more than {MAX_HEADERS} headers")
    start = text.partition("\n")[0]
    return _with_start_line(start.strip(), text[len(start) :], body)


def split_head(data: bytes) -> tuple[bytes, bytes]:
    """Head and body, parted by the first empty line; without an empty line all is head."""
    match = HEAD_END.search(data)
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


@lru_cache(maxsize=64)
def _header(name: str) -> re.Pattern[str]:
    names = "|".join([name, *(short for short, long in _COMPACT.items() if long == name)])
    return re.compile(rf"\n(?:{names})[ \t]*:(.*)", re.IGNORECASE | re.ASCII)


def _unfolded(head: str) -> str:
    """A head whose folded lines are joined by one blank (RFC 3261 7.3.1)."""
    if "\n " not in head and "\n\t" not in head:
        return head
    return _FOLD.sub(" ", head)


def _with_start_line(line: str, head: str, body: bytes) -> Message:
    status = _STATUS_LINE.match(line)
    if status:
        return Message(int(status.group(1)), (status.group(2) or "").strip(), "", "", head, body)
    request = _REQUEST_LINE.match(line)
    if request:
        return Message(None, "", request.group(1).upper(), request.group(2), head, body)
    raise MalformedMessageError(f"neither a status line nor a request line: {line[:60]!r}")
