# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The router's command line on a Unix socket: each connection is a log-in, with echo and prompt as on a terminal."""

from __future__ import annotations

import socketserver
import threading
from pathlib import Path

from standins.cisco_cube.ios import Router, Session

LEAVING = ("exit", "quit", "logout")
ERASE = "\b\x7f"


class Console(socketserver.ThreadingUnixStreamServer):
    """Serves log-ins on a router; whoever touches the router beside them holds ``lock``."""

    daemon_threads = True

    def __init__(self, path: Path, router: Router) -> None:
        """Listen where every user of the host may connect: sshd has asked for the password before."""
        path.unlink(missing_ok=True)
        super().__init__(str(path), _LogIn)
        path.chmod(0o666)
        self.router = router
        self.lock = threading.Lock()


class _LogIn(socketserver.BaseRequestHandler):
    server: Console

    def setup(self) -> None:
        self._session = Session(self.server.router)
        self._line = ""

    def handle(self) -> None:
        """One log-in, until it leaves or hangs up."""
        self._print(f"\n{self._session.prompt}")
        try:
            while typed := self.request.recv(4096):
                if self._leaves(typed.decode(errors="replace")):
                    return
        except OSError:
            return  # it hung up

    def _leaves(self, typed: str) -> bool:
        for letter in typed.replace("\r\n", "\r"):
            if letter not in "\r\n":
                self._edit(letter)
            elif self._line.strip() in LEAVING and not (self._session.mode or self._session.asks):
                return True
            else:
                self._enter()
        return False

    def _edit(self, letter: str) -> None:
        if letter in ERASE:
            self._echo("\b \b" if self._line else "")
            self._line = self._line[:-1]
        elif letter.isprintable():
            self._echo(letter)
            self._line += letter

    def _echo(self, text: str) -> None:
        if not self._session.asks.startswith("Password"):
            self._print(text)

    def _enter(self) -> None:
        line, self._line = self._line, ""
        with self.server.lock:
            printed = self._session.enter(line)
        self._print(f"\n{printed}{self._session.prompt}")

    def _print(self, text: str) -> None:
        self.request.sendall(text.replace("\n", "\r\n").encode())
