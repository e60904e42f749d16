# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for Message Server (port 7120): opens its port once it has read its own Application object.

``{"op": "status"}`` is answered by its ``application``. Like the real one it needs a Configuration Server to start, on
this host or another, and none to go on.
"""

from __future__ import annotations

import argparse
import sys
import time

from standins.config_server.line_server import LineServer
from standins.config_server.wire import Client, Message, RefusedError, notify_ready

ANSWER_LIMIT = 2.0
RETRY = 0.5


class MessageServer:
    """Knows its own object."""

    def __init__(self, application: Message) -> None:
        """``application``: the object as the Configuration Server has it."""
        self._application = application

    def answer(self, request: Message) -> Message:
        """The answer to ``status``."""
        if request.get("op") != "status":
            raise RefusedError("status is all this server knows")
        return {"application": self._application["name"], "in_service": True}


def configured(name: str, port: int) -> Message:
    """The Application object, as soon as the Configuration Server on this host and port has it for us."""
    while True:
        try:
            with Client("127.0.0.1", port, ANSWER_LIMIT) as client:
                return client.ask(op="read", type="CfgApplication", name=name)["object"]
        except (OSError, RefusedError) as error:
            print(f"no configuration yet: {error}", file=sys.stderr, flush=True)
        time.sleep(RETRY)


def main() -> None:
    """Run as a service."""
    parser = argparse.ArgumentParser(description="Stand-in for Message Server")
    parser.add_argument("--port", type=int, default=7120)
    parser.add_argument("--confserv-port", type=int, default=2020)
    parser.add_argument("--application", required=True)
    options = parser.parse_args()
    server = MessageServer(configured(options.application, options.confserv_port))
    desk = LineServer(options.port, server.answer)
    notify_ready()
    desk.serve_forever()


if __name__ == "__main__":
    main()
