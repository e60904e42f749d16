# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind `tcp`: does a port accept a connection?

Parameters: address, port, banner (what the other end must begin with).
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import (
    Answer,
    Settings,
    answer,
    no_connection,
)


def look(check: Mapping[str, Any], settings: Settings) -> Answer:
    """up: connected, and the banner came if one is asked for; else down, within connect_timeout."""
    started = time.monotonic()
    banner = str(check.get("banner", "")).encode()
    try:
        with connect(check, settings) as sock:
            came = _read(sock, len(banner), started + settings.connect_timeout)
    except OSError as error:
        return no_connection(error, check["address"])
    if came != banner:
        # The kernel accepts for a process that is frozen: a port without its greeting is no service.
        return answer("down", True, f"connected, but the banner is {came!r}")
    return answer("up", True, "connected", rtt=time.monotonic() - started)


def connect(check: Mapping[str, Any], settings: Settings) -> socket.socket:
    """A connection to the check's address and port. Raises OSError."""
    return socket.create_connection((check["address"], int(check["port"])), timeout=settings.connect_timeout)


def _read(sock: socket.socket, size: int, ends_at: float) -> bytes:
    data = b""
    while len(data) < size and time.monotonic() < ends_at:
        sock.settimeout(max(0.001, ends_at - time.monotonic()))
        try:
            more = sock.recv(size - len(data))
        except OSError:
            break
        if not more:
            break
        data += more
    return data
