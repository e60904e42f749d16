# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for Solution Control Server (port 7070): the status of every Application, asked of each host's LCA.

Which Applications there are, and on which hosts, it reads from the Configuration Server of its own host:
``serverinfo.hostdbid`` of the CfgApplication, ``ipaddress`` and ``lcaport`` of the CfgHost.

It starts Applications unasked when it starts itself and when a host's agent comes back, those that ran there before:
"SCS automatically starts the application only at the application's host restart, given that the application has been
running prior to the host restart" (Framework 8.5.1 Management Layer User's Guide, "Starting and Stopping").
"""

from __future__ import annotations

import argparse
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from standins.config_server.line_server import LineServer
from standins.config_server.wire import Client, Message, RefusedError

ANSWER_LIMIT = 2.0
LOOK_INTERVAL = 2.0
UNKNOWN = {"status": "Unknown", "runmode": "Unknown"}


class SolutionControl:
    """Answers ``{"op": "application_status"}`` with ``applications``: name, dbid, status, runmode."""

    def __init__(self, confserv_port: int = 2020) -> None:
        """Use the Configuration Server on this host and port."""
        self._port = confserv_port
        self._hosts: list[Message] = []
        self._started: dict[str, object] = {}

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

    def look(self) -> None:
        """Start what ran before on every host whose agent has started since the last look; at first on all of them."""
        self._read_hosts()
        with ThreadPoolExecutor(max_workers=max(len(self._hosts), 1)) as pool:
            beats = list(pool.map(lambda host: last_start(host["ipaddress"], int(host["lcaport"])), self._hosts))
        for host, started in zip(self._hosts, beats, strict=True):
            if started is not None and self._started.get(host["dbid"]) != started:
                self._started[host["dbid"]] = started
                start_again(host["ipaddress"], int(host["lcaport"]))

    def _read_hosts(self) -> None:
        """The hosts, as they were read first: a server goes on without its Configuration Server."""
        if self._hosts:
            return
        try:
            with Client("127.0.0.1", self._port, ANSWER_LIMIT) as client:
                self._hosts = client.ask(op="list", type="CfgHost")["objects"]
        except (OSError, RefusedError):
            return

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


def last_start(address: str, port: int) -> object | None:
    """When the host's LCA was started; None if it is silent."""
    try:
        with Client(address, port, ANSWER_LIMIT) as client:
            return client.ask(op="ping")["started"]
    except (OSError, RefusedError, KeyError):
        return None


def start_again(address: str, port: int) -> None:
    """Have the host's LCA start what ran before and is stopped; a refusal of one is no word about the others."""
    for name, state in ask_agent(address, port).items():
        if not state.get("ran_before") or state["status"] != "Stopped":
            continue
        try:
            with Client(address, port, ANSWER_LIMIT) as client:
                client.ask(op="start", application=name)
            print(f"started {name} at {address}: it ran before", file=sys.stderr, flush=True)
        except (OSError, RefusedError) as error:
            print(f"{name} at {address} was not started: {error}", file=sys.stderr, flush=True)


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


def _look_for_ever(control: SolutionControl) -> None:
    pause = threading.Event()
    while True:
        control.look()
        pause.wait(LOOK_INTERVAL)


def main() -> None:
    """Run as a service."""
    parser = argparse.ArgumentParser(description="Stand-in for Solution Control Server")
    parser.add_argument("--port", type=int, default=7070)
    parser.add_argument("--confserv-port", type=int, default=2020)
    options = parser.parse_args()
    control = SolutionControl(options.confserv_port)
    threading.Thread(target=_look_for_ever, args=(control,), daemon=True).start()
    LineServer(options.port, control.answer).serve_forever()


if __name__ == "__main__":
    main()
