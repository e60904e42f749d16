# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-ins' wire: one JSON object a line, both ways, over TCP. The real protocols are the vendor's secret.

A request is ``{"op": …}`` and gets one answer, ``{"ok": true, …}`` or ``{"ok": false, "error": "…"}``. A Configuration
Server stand-in (master 2020, proxy 2025) knows:

=========  ======================================  ================================================================
op         request                                 answer
=========  ======================================  ================================================================
status                                             mode (master, proxy), in_service, read_only, site or master, …
ping                                               nothing more
login      username, password                      username; the connection may write from now on
read       type, and name or dbid                  object
list       type (left out: all), name              objects
write      object (without dbid: a new one)        object as stored, seq
subscribe  type (left out: all)                    objects now; later ``{"event": "changed", "object": …}`` at once
=========  ======================================  ================================================================

An object is what GAX shows: ``type`` (CfgApplication, CfgDN, …), ``dbid`` (a string), ``name`` (CfgDN: ``number``),
``options.property`` and ``userproperties.property`` (the annex), each a list of ``{section, key, value}``.
"""

from __future__ import annotations

import json
import os
import socket
from typing import Any

LINE_LIMIT = 1 << 22
Message = dict[str, Any]


class WireError(ConnectionError):
    """The other side went away or spoke something else."""


class RefusedError(Exception):
    """The other side understood and said no; the text is its reason."""


def encode(message: Message) -> bytes:
    """One line, ready to be sent."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Message:
    """The message in a line; WireError if it is cut short or is no JSON object."""
    try:
        message = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        message = None
    if not isinstance(message, dict):
        raise WireError("the connection ended or carried no JSON object")
    return message


def properties(obj: Message, part: str = "options") -> dict[tuple[str, str], str]:
    """``{(section, key): value}`` of an object's ``options``, or of its annex with ``userproperties``."""
    listed = (obj.get(part) or {}).get("property") or []
    return {(item["section"], item["key"]): item["value"] for item in listed}


class Client:
    """A blocking connection to a stand-in; ``timeout`` in seconds bounds the connection and every answer."""

    def __init__(self, host: str, port: int, timeout: float = 3.0) -> None:
        """Connect; OSError if nobody answers there."""
        self._socket = socket.create_connection((host, port), timeout)
        self._timeout = timeout
        self._buffer = b""
        self._events: list[Message] = []

    def __enter__(self) -> Client:
        """The connection itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up."""
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def ask(self, **request: object) -> Message:
        """The answer to a request; RefusedError with the reason, OSError or WireError if the line is dead."""
        self._socket.settimeout(self._timeout)
        self._socket.sendall(encode(request))
        while True:
            message = self._receive()
            if "event" not in message:
                break
            self._events.append(message)
        if not message.get("ok"):
            raise RefusedError(message.get("error", "refused without a reason"))
        return message

    def next_event(self, wait: float) -> Message | None:
        """The next event of a subscription, or None after ``wait`` seconds without one."""
        if self._events:
            return self._events.pop(0)
        self._socket.settimeout(wait)
        try:
            return self._receive()
        except TimeoutError:
            return None

    def _receive(self) -> Message:
        while b"\n" not in self._buffer:
            piece = self._socket.recv(1 << 16)
            if not piece:
                raise WireError("the other side hung up")
            self._buffer += piece
        line, self._buffer = self._buffer.split(b"\n", 1)
        return decode(line + b"\n")


def notify_ready() -> None:
    """Tell systemd (``Type=notify``) that the service is in service; without systemd nothing happens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"READY=1", address)
