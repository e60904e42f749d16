# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for Local Control Agent (port 4999): what runs on this host, and starting it by its command line.

======  ============  =================================================================================================
op      request       answer
======  ============  =================================================================================================
status                applications: name, status, runmode; ran_before: true for one that ran and that nobody stopped
                      through this agent, as far back as before the host's last boot
ping                  started: when this agent started; another moment is another start
start   application   executes the Application's command line as this agent's user, and returns: status says the rest
stop    application   ends what was started so; what runs otherwise is not this agent's to end
======  ============  =================================================================================================

``/etc/genesys/lca.conf`` has a section for each Application on the host: ``unit=`` its systemd unit; ``command=`` its
command line, where it has one; for a Configuration Server ``management-port=``, where it is asked whether it is really
in service; for one of an HA pair ``address=``, the virtual address that makes it the primary.

Words as in the vendor's SDK: status Running, Stopped, StartPending, ServiceUnavailable; runmode Primary, Backup, or
Unknown for what does not run. That programs are started by their command line, and inherit the agent's environment:
Framework 8.5.1 Management Layer User's Guide, "Starting and Stopping".
"""

from __future__ import annotations

import argparse
import configparser
import json
import shlex
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

from standins.config_server.line_server import LineServer
from standins.config_server.wire import Client, Message, RefusedError

ANSWER_LIMIT = 1.0
STOP_LIMIT = 5.0
LOOK_INTERVAL = 1.0
UNIT_STATES = {"active": "Running", "activating": "StartPending", "deactivating": "StopPending"}


class Agent:
    """Knows the host's Applications by their units and by what it started itself."""

    def __init__(self, applications: dict[str, dict[str, str]], memory: Path | None = None) -> None:
        """``applications``: name to its options, as in the file; ``memory``: where it keeps who ran, over boots."""
        self._applications = applications
        self._memory = memory
        self._ran = set(json.loads(memory.read_text())) if memory and memory.exists() else set()
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._turn = threading.Lock()
        self._started = time.time()
        self._operations = {"status": self._status, "ping": self._ping, "start": self._start, "stop": self._stop}

    def answer(self, request: Message) -> Message:
        """The answer to a request; RefusedError for what it does not know."""
        operation = self._operations.get(str(request.get("op")))
        if operation is None:
            raise RefusedError("status, ping, start and stop are all this agent knows")
        return operation(request)

    def look(self) -> None:
        """Note who runs now, of those that it could start again."""
        startable = [name for name, options in self._applications.items() if "command" in options]
        running = {name for name in startable if self._run_state(name) == "Running"}
        if not running <= self._ran:
            self._remember(self._ran | running)

    def _status(self, _request: Message) -> Message:
        return {"applications": [self._state(name) for name in self._applications]}

    def _ping(self, _request: Message) -> Message:
        return {"started": self._started}

    def _start(self, request: Message) -> Message:
        name, options = self._named(request)
        if "command" not in options:
            raise RefusedError(f"{name} has no command line")
        with self._turn:
            if self._run_state(name) != "Stopped":
                raise RefusedError(f"{name} runs already")
            self._children[name] = subprocess.Popen(shlex.split(options["command"]), stdin=subprocess.DEVNULL)
        return {"pid": self._children[name].pid}

    def _stop(self, request: Message) -> Message:
        name, _ = self._named(request)
        self._remember(self._ran - {name})
        with self._turn:
            child = self._children.pop(name, None)
            if child is None or child.poll() is not None:
                raise RefusedError(f"{name} was not started by this agent")
            child.terminate()
            try:
                child.wait(STOP_LIMIT)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        return {}

    def _named(self, request: Message) -> tuple[str, dict[str, str]]:
        name = str(request.get("application"))
        if name not in self._applications:
            raise RefusedError(f"no Application {name} on this host")
        return name, self._applications[name]

    def _remember(self, ran: set[str]) -> None:
        self._ran = ran
        if self._memory:
            unfinished = self._memory.with_suffix(".new")
            unfinished.write_text(json.dumps(sorted(ran)))
            unfinished.rename(self._memory)

    def _run_state(self, name: str) -> str:
        child = self._children.get(name)
        if child is not None and child.poll() is None:
            return "Running"
        return UNIT_STATES.get(_unit_state(self._applications[name]["unit"]), "Stopped")

    def _state(self, name: str) -> Message:
        options = self._applications[name]
        status = self._run_state(name)
        if status == "Running" and "management-port" in options:
            status = _served_state(int(options["management-port"]))
        mode = _run_mode(status, options.get("address"))
        return {"name": name, "status": status, "runmode": mode, "ran_before": name in self._ran}


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


def _look_for_ever(agent: Agent) -> None:
    pause = threading.Event()
    while not pause.wait(LOOK_INTERVAL):
        with suppress(OSError):  # a full disk: it is noted at a later look
            agent.look()


def main() -> None:
    """Run as a service."""
    parser = argparse.ArgumentParser(description="Stand-in for Local Control Agent")
    parser.add_argument("--port", type=int, default=4999)
    parser.add_argument("--applications", type=Path, default=Path("/etc/genesys/lca.conf"))
    parser.add_argument("--memory", type=Path, default=Path("/var/lib/genesys/lca.json"))
    options = parser.parse_args()
    listed = configparser.ConfigParser(interpolation=None)
    with options.applications.open(encoding="utf-8") as stream:
        listed.read_file(stream)
    agent = Agent({name: dict(listed[name]) for name in listed.sections()}, options.memory)
    if any("command" in listed[name] for name in listed.sections()):
        threading.Thread(target=_look_for_ever, args=(agent,), daemon=True).start()
    LineServer(options.port, agent.answer).serve_forever()


if __name__ == "__main__":
    main()
