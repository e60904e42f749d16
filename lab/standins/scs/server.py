# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for Solution Control Server (port 7070): the status of every Application, asked of each host's LCA.

Which Applications there are, and on which hosts, it reads from the Configuration Server of its own host:
``serverinfo.hostdbid`` of the CfgApplication, ``ipaddress`` and ``lcaport`` of the CfgHost.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor

from standins.config_server.line_server import LineServer
from standins.config_server.wire import Client, Message, RefusedError

ANSWER_LIMIT = 2.0
UNKNOWN = {"status": "Unknown", "runmode": "Unknown"}


class SolutionControl:
    """Answers ``{"op": "application_status"}`` with ``applications``: name, dbid, status, runmode."""

    def __init__(self, confserv_port: int = 2020) -> None:
        """Use the Configuration Server on this host and port."""
        self._port = confserv_port

    def answer(self, request: Message) -> Message:
        """The answer to a request; RefusedError without a Configuration Server."""
        if request.get("op") != "application_status":
            raise RefusedError("application_status is all this server knows")
        try:
            with Client("127.0.0.1", self._port, ANSWER_LIMIT) as client:
                applications = client.ask(op="list", type="CfgApplication")["objects"]
                hosts = client.ask(op="list", type="CfgHost")["objects"]
        except OSError as lost:
            raise RefusedError(f"no Configuration Server: {lost}") from lost
        return {"applications": combined(applications, self._seen(hosts))}

    @staticmethod
    def _seen(hosts: list[Message]) -> dict[str, dict[str, Message]]:
        """What each host's agent says, all asked at once: {host dbid: {application: state}}."""
        with ThreadPoolExecutor(max_workers=max(len(hosts), 1)) as pool:
            states = pool.map(lambda host: ask_agent(host["ipaddress"], int(host["lcaport"])), hosts)
            return {host["dbid"]: state for host, state in zip(hosts, states, strict=True)}


def ask_agent(address: str, port: int) -> dict[str, Message]:
    """{application: {status, runmode}} as the host's LCA has it; empty if it is silent."""
    try:
        with Client(address, port, ANSWER_LIMIT) as client:
            return {item["name"]: item for item in client.ask(op="status")["applications"]}
    except (OSError, RefusedError, KeyError):
        return {}


def combined(applications: list[Message], seen: dict[str, dict[str, Message]]) -> list[Message]:
    """One state for each Application that runs on a host; Unknown where its agent says nothing of it."""
    states = []
    for application in applications:
        host = (application.get("serverinfo") or {}).get("hostdbid")
        if host is None:
            continue
        state = seen.get(host, {}).get(application["name"], UNKNOWN)
        states.append(
            {
                "name": application["name"],
                "dbid": application["dbid"],
                "status": state.get("status", "Unknown"),
                "runmode": state.get("runmode", "Unknown"),
            }
        )
    return states


def main() -> None:
    """Run as a service."""
    parser = argparse.ArgumentParser(description="Stand-in for Solution Control Server")
    parser.add_argument("--port", type=int, default=7070)
    parser.add_argument("--confserv-port", type=int, default=2020)
    options = parser.parse_args()
    LineServer(options.port, SolutionControl(options.confserv_port).answer).serve_forever()


if __name__ == "__main__":
    main()
