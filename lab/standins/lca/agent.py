# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for Local Control Agent (port 4999): what runs on this host, as Solution Control Server wants to know it.

``{"op": "status"}`` is answered by ``applications``, a list of ``{name, status, runmode}``. ``/etc/genesys/lca.conf``
has a section for each Application on the host: ``unit=`` its systemd unit; for a Configuration Server
``management-port=``, where it is asked whether it is really in service; for one of an HA pair ``address=``, the virtual
address that makes it the primary.

Words as in the vendor's SDK: status Running, Stopped, StartPending, ServiceUnavailable; runmode Primary, Backup, or
Unknown for what does not run.
"""

from __future__ import annotations

import argparse
import configparser
import subprocess
from pathlib import Path

from standins.config_server.line_server import LineServer
from standins.config_server.wire import Client, Message, RefusedError

ANSWER_LIMIT = 1.0
UNIT_STATES = {"active": "Running", "activating": "StartPending", "deactivating": "StopPending"}


class Agent:
    """Knows the host's Applications by their units."""

    def __init__(self, applications: dict[str, dict[str, str]]) -> None:
        """``applications``: name to its options, as in the file."""
        self._applications = applications

    def answer(self, request: Message) -> Message:
        """The answer to ``status``."""
        if request.get("op") != "status":
            raise RefusedError("status is all this agent knows")
        return {"applications": [self._state(name) for name in self._applications]}

    def _state(self, name: str) -> Message:
        options = self._applications[name]
        status = UNIT_STATES.get(_unit_state(options["unit"]), "Stopped")
        if status == "Running" and "management-port" in options:
            status = _served_state(int(options["management-port"]))
        return {"name": name, "status": status, "runmode": _run_mode(status, options.get("address"))}


def _unit_state(unit: str) -> str:
    done = subprocess.run(["systemctl", "is-active", unit], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _run_mode(status: str, address: str | None) -> str:
    if status != "Running":
        return "Unknown"
    if address is None:
        return "Primary"
    held = subprocess.run(["ip", "-4", "-oneline", "address"], capture_output=True, text=True, check=False).stdout
    return "Primary" if f" {address}/" in held else "Backup"


def _served_state(port: int) -> str:
    try:
        with Client("127.0.0.1", port, ANSWER_LIMIT) as client:
            in_service = client.ask(op="status")["in_service"]
    except OSError:
        in_service = False
    return "Running" if in_service else "ServiceUnavailable"


def main() -> None:
    """Run as a service."""
    parser = argparse.ArgumentParser(description="Stand-in for Local Control Agent")
    parser.add_argument("--port", type=int, default=4999)
    parser.add_argument("--applications", type=Path, default=Path("/etc/genesys/lca.conf"))
    options = parser.parse_args()
    listed = configparser.ConfigParser(interpolation=None)
    with options.applications.open(encoding="utf-8") as stream:
        listed.read_file(stream)
    agent = Agent({name: dict(listed[name]) for name in listed.sections()})
    LineServer(options.port, agent.answer).serve_forever()


if __name__ == "__main__":
    main()
