# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Process driver `systemd`.

`systemctl start` of a unit whose ExecCondition says no returns 0 and starts nothing, so the unit itself is looked at
after every order. What runs is told by control group, not by the manager's word: a unit can be `inactive` and its
processes alive.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process import ProcessError, UnitState
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for

PROPERTIES = ("LoadState", "ActiveState", "SubState", "Result", "Job")


class Systemd:
    """The units of this host."""

    def __init__(self, deadline: float, interval: float, proc: Path = Path("/proc")) -> None:
        """`deadline` seconds for one start or stop, `interval` between two looks."""
        self._deadline = deadline
        self._interval = interval
        self._proc = proc

    def state(self, name: str) -> UnitState:
        """Return how a unit stands. Raises ProcessError without systemd."""
        shown = parse_properties(self._systemctl("show", "--property=" + ",".join(PROPERTIES), name))
        return UnitState(
            name=name,
            installed=shown.get("LoadState") == "loaded",
            active=shown.get("ActiveState", "unknown"),
            pids=tuple(sorted(processes_of(name, self._proc))),
            pending=shown.get("Job", "0") not in ("", "0"),
            why=f"{shown.get('ActiveState')} ({shown.get('SubState')}), result {shown.get('Result') or 'none'}",
        )

    def start(self, name: str) -> UnitState:
        """Start a unit and wait until it is active. Raises ProcessError with what is seen instead."""
        self._systemctl("reset-failed", name, allowed=(0, 1, 5))
        self._systemctl("start", "--no-block", name)
        settled = wait_for(lambda: self._if_settled(name), self._deadline, self._interval)
        if settled is None or not settled.running:
            seen = settled or self.state(name)
            # systemd forgets why it skipped a unit as soon as it forgets the unit itself.
            skipped = "; a condition of its own skipped it, or it ended at once" if seen.active == "inactive" else ""
            raise ProcessError(f"{name} did not come up (deadline {self._deadline:.0f} s): {seen.why}{skipped}")
        return settled

    def stop(self, name: str) -> UnitState:
        """Stop a unit, kill what is left when its time is over, and see that nothing runs. Raises ProcessError."""
        self._systemctl("stop", "--no-block", name)
        found = wait_for(lambda: self._if_stopped(name), self._deadline, self._interval)
        if found is None:
            self._systemctl("kill", "--signal=SIGKILL", name, allowed=(0, 1))
            found = wait_for(lambda: self._if_stopped(name), self._deadline, self._interval)
        if found is None:
            seen = self.state(name)
            raise ProcessError(f"{name} still runs {2 * self._deadline:.0f} s after the stop: {seen.why}, {seen.pids}")
        return found

    def _if_settled(self, name: str) -> Optional[UnitState]:
        # Without an order left and neither up nor on its way, it will not come: a condition said no, or it failed.
        state = self.state(name)
        return state if state.running or (not state.pending and state.active in ("inactive", "failed")) else None

    def _if_stopped(self, name: str) -> Optional[UnitState]:
        state = self.state(name)
        return state if state.stopped and not state.pending else None

    def _systemctl(self, *words: str, allowed: Tuple[int, ...] = (0,)) -> str:
        try:
            # A module's run_command knows no time-out: a systemctl that hangs would hold a failover for ever.
            done = subprocess.run(  # pylint: disable=ansible-bad-function
                ["systemctl", "--no-ask-password", *words],
                capture_output=True,
                text=True,
                timeout=self._deadline,
                check=False,
            )
        except FileNotFoundError as error:
            raise ProcessError("systemctl is not installed on this host") from error
        except subprocess.TimeoutExpired as error:
            raise ProcessError(f"systemctl {words[0]} gave no answer within {self._deadline:.0f} s") from error
        if done.returncode not in allowed:
            raise ProcessError(f"systemctl {' '.join(words)}: {done.stderr.strip() or done.returncode}")
        return done.stdout


def parse_properties(text: str) -> Dict[str, str]:
    """Return the properties that `systemctl show` prints, one `Name=value` on each line."""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def processes_of(unit: str, proc: Path) -> Iterator[int]:
    """Yield the living processes in a unit's control group, in any hierarchy (cgroups(7): `/proc/PID/cgroup`)."""
    for entry in proc.iterdir():
        if entry.name.isdigit() and unit in _groups(entry) and not _is_zombie(entry):
            yield int(entry.name)


def _groups(process: Path) -> List[str]:
    try:
        lines = (process / "cgroup").read_text(encoding="utf-8", errors="replace").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [part for line in lines for part in line.split(":", 2)[-1].split("/")]


def _is_zombie(process: Path) -> bool:
    try:
        return (process / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return True
