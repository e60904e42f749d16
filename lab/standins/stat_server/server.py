# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for Stat Server: a port that answers, for that is all that is asked of it here; it keeps no statistics.

``{"op": "status"}`` is answered by ``in_service``. The real one's protocol is not spoken.
"""

from __future__ import annotations

import argparse

from standins.config_server.line_server import LineServer
from standins.config_server.wire import Message, RefusedError


def answer(request: Message) -> Message:
    """The answer to ``status``."""
    if request.get("op") != "status":
        raise RefusedError("status is all this server knows")
    return {"in_service": True}


def main() -> None:
    """Run as a service."""
    parser = argparse.ArgumentParser(description="Stand-in for Stat Server")
    parser.add_argument("--port", type=int, default=2060)
    LineServer(parser.parse_args().port, answer).serve_forever()


if __name__ == "__main__":
    main()
