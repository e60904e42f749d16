# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting and ending the lab's detached supervisor (two_site_lab.supervisor)."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from two_site_lab.machine import wait_until
from two_site_lab.state import State


def pid(state: State) -> int | None:
    """The supervisor's process id, if it runs: the recorded one, and its command line says so too."""
    try:
        recorded = int(state.supervisor_pid.read_text())
        words = Path(f"/proc/{recorded}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None
    return recorded if b"two_site_lab.supervisor" in words and state.id.encode() in words else None


def ensure(state: State) -> None:
    """Start the supervisor unless it runs."""
    if pid(state):
        return
    with (state.root / "supervisor.log").open("a") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", "two_site_lab.supervisor", state.id],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    state.supervisor_pid.write_text(str(started.pid))


def stop(state: State) -> None:
    """End the supervisor and wait until it is gone."""
    running = pid(state)
    if running:
        with contextlib.suppress(ProcessLookupError):
            os.kill(running, signal.SIGTERM)
        wait_until(lambda: pid(state) is None, "supervisor gone")
    state.supervisor_pid.unlink(missing_ok=True)
