# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Process driver `windows_service`: services of a Windows host, by PowerShell.

A module of this collection cannot run on Windows, which has no Python. So this driver runs on a Linux vantage host, and
`through` says how one encoded PowerShell command gets to the Windows host and its output back, for example by OpenSSH:
`[ssh, -o, BatchMode=yes, sip-dr@win-cfg, powershell.exe, -NoProfile, -NonInteractive, -EncodedCommand]`. It is held to
the contract of the process drivers by tests with a stand-in; it was never tried on Windows. It sees the service's own
process alone, and nothing of the Windows host's ports.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any, Dict, Mapping, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process import ProcessError, UnitState
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process.program import options_of, said
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for

COMMANDS: Dict[str, str] = {
    "state": (
        "Get-CimInstance Win32_Service | Where-Object Name -EQ '{name}' |"
        " Select-Object Name, State, ProcessId, ExitCode | ConvertTo-Json -Compress"
    ),
    "start": "Start-Service -Name '{name}' -ErrorAction Stop",
    "stop": "Stop-Service -Name '{name}' -Force -NoWait -ErrorAction Stop",
    "kill": "Stop-Process -Id {pid} -Force -ErrorAction SilentlyContinue",
}
"""What PowerShell is told; Get-CimInstance because Get-Service does not tell the process id."""
STATES = {
    "Running": "active",
    "Stopped": "inactive",
    "Start Pending": "activating",
    "Continue Pending": "activating",
    "Stop Pending": "deactivating",
    "Pause Pending": "deactivating",
    "Paused": "deactivating",
}
"""Win32_Service.State (Microsoft, Win32_Service class) by what it means; `Unknown` is none of them."""
OPTIONS: Dict[str, Any] = {"through": [], "commands": {}}
NAME = re.compile(r"[\w .$()-]+\Z")


class WindowsService:
    """The services of one Windows host."""

    def __init__(self, options: Mapping[str, Any], deadline: float, interval: float) -> None:
        """`deadline` seconds for one start or stop, `interval` between two looks. Raises ProcessError for options."""
        given = options_of("windows_service", OPTIONS, options)
        self._through = [str(word) for word in given["through"]]
        self._commands = options_of("windows_service commands", COMMANDS, given["commands"])
        self._deadline, self._interval = deadline, interval
        if not self._through:
            raise ProcessError("windows_service: through is missing: how a PowerShell command gets to the Windows host")

    def state(self, name: str) -> UnitState:
        """Return how a service stands. Raises ProcessError when the host does not tell, or a state is not known."""
        told = self._tell("state", name=name).strip()
        if not told:
            return UnitState(name, False, "inactive", (), False, "no such service")
        try:
            found = json.loads(told)
            words, pid = str(found["State"]), int(found["ProcessId"] or 0)
        except (ValueError, KeyError, TypeError) as error:
            raise ProcessError(f"{name}: what PowerShell told is no service: {told[:200]}") from error
        if words not in STATES:
            raise ProcessError(f"{name}: state {words!r} is not known")
        why = f"{words}, exit code {found.get('ExitCode')}"
        return UnitState(name, True, STATES[words], (pid,) if pid else (), words.endswith("Pending"), why)

    def start(self, name: str) -> UnitState:
        """Start a service and wait until it runs. Raises ProcessError with what is seen instead."""
        if not self.state(name).running:
            self._tell("start", name=name)
        found = wait_for(lambda: self._if_settled(name), self._deadline, self._interval)
        if found is None or not found.running:
            seen = found or self.state(name)
            raise ProcessError(f"{name} did not come up (deadline {self._deadline:.0f} s): {seen.why}")
        return found

    def stop(self, name: str) -> UnitState:
        """Stop a service, kill it when its time is over, and see that it does not run. Raises ProcessError."""
        if not self.state(name).stopped:
            self._tell("stop", name=name)
        found = wait_for(lambda: self._if_stopped(name), self._deadline, self._interval)
        if found is None:
            for pid in self.state(name).pids:
                self._tell("kill", pid=str(pid))
            found = wait_for(lambda: self._if_stopped(name), self._deadline, self._interval)
        if found is None:
            raise ProcessError(f"{name} still runs {2 * self._deadline:.0f} s after the stop: {self.state(name).why}")
        return found

    def _if_settled(self, name: str) -> Optional[UnitState]:
        state = self.state(name)
        return state if state.running or state.stopped else None

    def _if_stopped(self, name: str) -> Optional[UnitState]:
        state = self.state(name)
        return state if state.stopped else None

    def _tell(self, command: str, **words: str) -> str:
        for word in words.values():
            # Names go between quotes: one that could end them is none.
            if not NAME.match(word):
                raise ProcessError(f"{word!r} is no name of a service")
        text = str(self._commands[command]).format(**words)
        return said([*self._through, base64.b64encode(text.encode("utf-16-le")).decode("ascii")], self._deadline)
