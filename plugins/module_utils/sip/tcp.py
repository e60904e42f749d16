# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One SIP request over one TCP connection; messages come back framed by Content-Length (RFC 3261 18.3)."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from typing import Callable, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.message import (
    MAX_BYTES,
    MalformedMessageError,
    Message,
    parse,
    split_head,
)

CHUNK = 8192

_CONTENT_LENGTH = re.compile(rb"^(?:content-length|l)[ \t]*:[ \t]*([0-9]{1,9})", re.IGNORECASE | re.MULTILINE)


def exchange(
    address: str, port: int, local_address: Optional[str], wire: Callable[[str], bytes], ends_at: float
) -> Iterator[Optional[Message]]:
    """Sends what wire(local host:port) makes; yields None when it is sent, then each message received.

    Ends when the other end closes. Raises OSError, TimeoutError at `ends_at` (monotonic clock) among them.
    """
    source = (local_address, 0) if local_address else None
    with socket.create_connection((address, port), timeout=_left(ends_at), source_address=source) as sock:
        host, own_port = sock.getsockname()[:2]
        sock.sendall(wire(f"[{host}]:{own_port}" if ":" in host else f"{host}:{own_port}"))
        yield None
        buffer = b""
        while True:
            sock.settimeout(_left(ends_at))
            data = sock.recv(CHUNK)
            if not data:
                return
            messages, buffer = take_messages(buffer + data)
            yield from messages


def take_messages(buffer: bytes) -> tuple[list[Message], bytes]:
    """The complete messages at the front of a stream, and the rest. What cannot be read is skipped up to its end."""
    messages: list[Message] = []
    while True:
        buffer = buffer.lstrip(b"\r\n")
        head, rest = split_head(buffer)
        complete = len(head) < len(buffer)
        if not complete:
            # A head that never ends is no SIP: without this bound a chatty stranger could fill the memory.
            return messages, buffer if len(buffer) <= MAX_BYTES else b""
        length = _CONTENT_LENGTH.search(head)
        size = int(length.group(1)) if length else 0
        if len(rest) < size:
            return messages, buffer if size <= MAX_BYTES else b""
        messages += _readable(buffer[: len(buffer) - len(rest) + size])
        buffer = rest[size:]


def _readable(data: bytes) -> list[Message]:
    try:
        return [parse(data)]
    except MalformedMessageError:
        return []


def _left(ends_at: float) -> float:
    left = ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError("deadline passed")
    return left
