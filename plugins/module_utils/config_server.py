# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The doors of the Configuration Server and what goes with it: one site runs them, the other keeps them stopped."""

from __future__ import annotations

import socket
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer import LayerError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import Recorded
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process import ProcessDriver, ProcessError, UnitState
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process.sockets import (
    ESTABLISHED,
    LISTEN,
    socket_inodes,
    tcp_sockets,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import DatabaseError, Replication
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.view import describe, is_open
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import Step
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for


class Site(NamedTuple):
    """What runs at this site. The first of `units` is the Configuration Server itself; they start in this order."""

    units: Tuple[str, ...]
    address: str
    """Where this host reaches its own Configuration Server."""
    port: int
    files: Tuple[str, ...]
    deadline: float
    interval: float


class ProxySession(NamedTuple):
    """Which session a Configuration Server Proxy of this host must have."""

    unit: str
    master_address: str
    master_port: int


class Doors:
    """The doors of the Configuration Server on this host. With `dry`, nothing is changed."""

    def __init__(
        self, site: Site, processes: ProcessDriver, database: Optional[Replication], recorded: Recorded, dry: bool
    ) -> None:
        """Take what runs here, the drivers, and the record of what stood before."""
        self._site = site
        self._processes = processes
        self._database = database
        self._recorded = recorded
        self._dry = dry

    def observe(self) -> Dict[str, Any]:
        """Return which units run and whether the port is open. An open port proves no master: a proxy listens too."""
        states = self._states()
        return {"changed": False, "config_server": self._view(states), "detail": self._words(states)}

    def readiness(self) -> Dict[str, Any]:
        """Return what a start will need, met or not."""
        states = self._states()
        items = [_installed_item(state) for state in states]
        items += [_file_item(path) for path in self._site.files]
        if self._database is not None:
            items.append(self._writer_item(states[0]))
        ready = all(item["met"] for item in items)
        shown = {"changed": False, "config_server": self._view(states), "readiness": items, "ready": ready}
        return dict(shown, detail=self._words(states))

    def release(self, step: Step) -> Dict[str, Any]:
        """Stop every unit, the last first, and see that nothing of them runs and nobody listens any more."""
        before = self._states()
        if all(state.stopped for state in before) and not self._listens():
            return self._result(before, before)
        if self._dry:
            return self._result(before, [state._replace(active="inactive", pids=()) for state in before])
        step.assert_newest()
        self._keep_running(before)
        for state in reversed(before):
            if not state.stopped:
                self._processes.stop(state.name)
        # LCA starts programs by their command line, outside any unit: the port tells.
        if not wait_for(lambda: not self._listens(), self._site.deadline, self._site.interval):
            raise ProcessError(f"every unit is stopped, but something still listens on port {self._site.port}")
        return self._result(before, self._states())

    def take_over(self, step: Step) -> Dict[str, Any]:
        """Start the units in their order. Refuses while the database on this host is not the one that is written to."""
        before = self._states()
        if all(state.running for state in before) and self._listens():
            return self._result(before, before)
        if self._dry:
            would = [state._replace(active="active") for state in before]
            return dict(self._result(before, would), unmet=self._database_problem())
        self._refuse_without_database()
        step.assert_newest()
        self._keep(before)
        self._start(before)
        return self._result(before, self._states())

    def restore(self, step: Step) -> Dict[str, Any]:
        """Put each unit back to how it was recorded; a start is guarded as in take_over."""
        kept = (self._recorded.read() or {}).get("units", {})
        before = self._states()
        start = [state for state in before if kept.get(state.name) is True and not state.running]
        stop = [state for state in before if kept.get(state.name) is False and not state.stopped]
        if self._dry:
            would = [state._replace(active="active") if state in start else state for state in before]
            would = [state._replace(active="inactive", pids=()) if state in stop else state for state in would]
            return self._result(before, would)
        if start:
            self._refuse_without_database()
        if start or stop:
            step.assert_newest()
        for state in reversed(stop):
            self._processes.stop(state.name)
        self._start(start)
        self._recorded.forget()
        return self._result(before, self._states())

    def _start(self, states: Sequence[UnitState]) -> None:
        for state in states:
            if not state.running:
                self._processes.start(state.name)
            # Solution Control Server and the others need a Configuration Server that answers.
            if state.name == self._site.units[0] and not self._wait_for_port():
                raise ProcessError(
                    f"{state.name} runs, but port {self._site.port} does not answer after {self._site.deadline:.0f} s"
                )

    def _refuse_without_database(self) -> None:
        problem = self._database_problem()
        if problem:
            raise RefusedError(
                "one writer: a Configuration Server starts only where its database is the one that is written to",
                problem,
                "promote the database here first (config_database, door take_over)",
            )

    def _database_problem(self) -> Optional[str]:
        if self._database is None:
            return None
        try:
            state = self._database.state()
        except DatabaseError as error:
            return f"the database does not answer: {error}"
        return None if state["role"] == "primary" and is_open(state) else describe(state)

    def _wait_for_port(self) -> bool:
        return bool(wait_for(self._answers, self._site.deadline, self._site.interval))

    def _answers(self) -> bool:
        try:
            with socket.create_connection((self._site.address, self._site.port), timeout=self._site.interval + 1):
                return True
        except OSError:
            return False

    def _listens(self) -> bool:
        return any(found.state == LISTEN and found.local_port == self._site.port for found in tcp_sockets())

    def _states(self) -> List[UnitState]:
        return [self._processes.state(name) for name in self._site.units]

    def _keep(self, states: Sequence[UnitState]) -> None:
        self._recorded.keep({"units": {state.name: state.running for state in states}})

    def _keep_running(self, states: Sequence[UnitState]) -> None:
        """Keep what runs now as what is to run again; of an older move's record only what says the same stays."""
        kept = (self._recorded.read() or {}).get("units", {})
        wanted = {state.name: state.running or kept.get(state.name) is True for state in states}
        if wanted != kept:
            self._recorded.forget()
            self._recorded.keep({"units": wanted})

    def _result(self, before: Sequence[UnitState], after: Sequence[UnitState]) -> Dict[str, Any]:
        changed = _shown(before) != _shown(after)
        words = f"would be changed: {self._words(before)}" if changed and self._dry else self._words(after)
        result = {"changed": changed, "config_server": self._view(after), "detail": words}
        return dict(result, diff={"before": _shown(before), "after": _shown(after)}) if changed else result

    def _view(self, states: Sequence[UnitState]) -> Dict[str, Any]:
        units = {state.name: {"active": state.active, "running": state.running, "why": state.why} for state in states}
        return {"units": units, "port": self._site.port, "listening": self._listens()}

    def _words(self, states: Sequence[UnitState]) -> str:
        units = ", ".join(f"{state.name} {state.active}" for state in states)
        return f"{units}; port {self._site.port} {'is' if self._listens() else 'is not'} listened on"

    def _writer_item(self, server: UnitState) -> Dict[str, Any]:
        problem = self._database_problem()
        fits = (problem is None) == server.running
        words = f"{server.name} {server.active}, database: {problem or 'written to here'}"
        way = "stop the Configuration Server where the database is not written to, start it where it is"
        return _item("in service where the database is written to, and only there", fits, words, way)


def proxy_session(processes: ProcessDriver, wanted: ProxySession) -> Optional[str]:
    """Return in words the proxy's established session with the master, or None.

    A session is seen by standard means: a TCP connection in state ESTABLISHED in /proc/net/tcp of the proxy's own host,
    to the master's address and port, whose socket a process of the proxy's unit holds.
    """
    inodes = socket_inodes(processes.state(wanted.unit).pids)
    for found in tcp_sockets():
        peer = (found.remote, found.remote_port)
        if found.state == ESTABLISHED and peer == (wanted.master_address, wanted.master_port) and found.inode in inodes:
            return f"{wanted.unit} is connected to {found.remote}:{found.remote_port} from port {found.local_port}"
    return None


def proxy_serves(processes: ProcessDriver, unit: str, port: int) -> Optional[str]:
    """Return in words that a process of the proxy's unit listens on its port, and for how many clients; or None.

    Seen as in `proxy_session`. What it answers its clients is not seen: its protocol is not open.
    """
    inodes = socket_inodes(processes.state(unit).pids)
    mine = [found for found in tcp_sockets() if found.local_port == port and found.inode in inodes]
    if not any(found.state == LISTEN for found in mine):
        return None
    return f"{unit} listens on port {port}, {sum(found.state == ESTABLISHED for found in mine)} clients are connected"


def verified(what: Callable[[], Optional[str]], site: Site, otherwise: str) -> str:
    """Repeat a look until it shows something or the deadline is over. Raises LayerError with the last reason."""
    problems: List[str] = [otherwise]

    def look() -> Optional[str]:
        try:
            return what()
        except LayerError as error:
            problems.append(str(error))
            return None

    seen = wait_for(look, site.deadline, site.interval)
    if seen is None:
        raise LayerError(f"not within {site.deadline:.0f} s: {problems[-1]}")
    return seen


def _shown(states: Sequence[UnitState]) -> Dict[str, str]:
    return {
        state.name: "running" if state.running else "stopped" if state.stopped else state.active for state in states
    }


def _installed_item(state: UnitState) -> Dict[str, Any]:
    return _item(
        f"{state.name} is installed", state.installed, state.why, "install the unit or correct config_server_units"
    )


def _file_item(path: str) -> Dict[str, Any]:
    try:
        with open(path, "rb") as file:
            problem = None if file.read(1) else "is empty"
    except OSError as error:
        problem = error.strerror or str(error)
    return _item(f"{path} can be read", problem is None, problem or "has content", "install the configuration file")


def _item(item: str, met: bool, evidence: str, way: str) -> Dict[str, Any]:
    return {"item": item, "met": met, "evidence": evidence, "way": "" if met else way}
