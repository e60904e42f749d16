# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Line-at-a-time services (see config_server/wire.py) that only answer questions: what SCS and LCA are here."""

from __future__ import annotations

import socketserver
from collections.abc import Callable

from standins.config_server.wire import LINE_LIMIT, Message, RefusedError, WireError, decode, encode


class LineServer(socketserver.ThreadingTCPServer):
    """Answers every request with ``answer(request)``; RefusedError becomes ``{"ok": false, "error": …}``."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int, answer: Callable[[Message], Message]) -> None:
        """Listen on every address of the host."""
        self.answer = answer
        super().__init__(("0.0.0.0", port), _Conversation)


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        """One client, until it hangs up."""
        try:
            while line := self.rfile.readline(LINE_LIMIT):
                self.wfile.write(encode(self._answered(decode(line))))
        except (WireError, OSError):
            return

    def _answered(self, request: Message) -> Message:
        server: LineServer = self.server  # type: ignore[assignment]
        try:
            return {"ok": True, **server.answer(request)}
        except RefusedError as refused:
            return {"ok": False, "error": str(refused)}
