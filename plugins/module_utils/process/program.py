# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running the program of a process driver: bounded in time, with what it said."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import IO, Any, Callable, Dict, Mapping, Optional, Sequence, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process import ProcessError

LOOK = 0.02
"""Seconds between two looks at a program that runs."""


def said(
    words: Sequence[str],
    deadline: float,
    given: Optional[IO[Any]] = None,
    watch: Optional[Callable[[int], None]] = None,
    merged: bool = False,
) -> str:
    """Run a program and return its standard output. Raises ProcessError: not there, too slow, or an exit code.

    given: its standard input, none by default. watch: called with its session again and again; what it raises ends it.
    merged: what it says on standard error counts as well.
    """
    try:
        # A module's run_command knows no time-out: a program that hangs would hold a failover for ever.
        program = subprocess.Popen(  # pylint: disable=ansible-bad-function
            list(words),
            stdin=given or subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merged else subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise ProcessError(f"{words[0]} cannot be run: {error.strerror}") from error
    with program:
        try:
            out, complaint = _finished(program, deadline, watch)
        except subprocess.TimeoutExpired as error:
            os.killpg(program.pid, signal.SIGKILL)
            raise ProcessError(f"{words[0]} gave no answer within {deadline:.0f} s") from error
        except BaseException:
            os.killpg(program.pid, signal.SIGKILL)
            raise
    if program.returncode:
        raise ProcessError(
            f"{words[0]} ended with {program.returncode}: {complaint.strip() or out.strip() or 'silent'}"
        )
    return out


def _finished(
    program: subprocess.Popen[str], deadline: float, watch: Optional[Callable[[int], None]]
) -> Tuple[str, str]:
    end = time.monotonic() + deadline
    while True:
        if watch is not None:
            watch(program.pid)
        left = end - time.monotonic()
        try:
            out, complaint = program.communicate(timeout=min(LOOK, left) if watch else left)
            return out, complaint or ""
        except subprocess.TimeoutExpired:
            if left <= LOOK:
                raise


def options_of(driver: str, known: Mapping[str, Any], given: Mapping[str, Any]) -> Dict[str, Any]:
    """Return a driver's options with its defaults. Raises ProcessError for a name that is none, or another type."""
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ProcessError(f"{driver}: unknown option {', '.join(unknown)}; expected: {', '.join(known)}")
    strange = sorted(name for name, value in given.items() if not isinstance(value, type(known[name])))
    if strange:
        words = ", ".join(f"{name}: {type(known[name]).__name__} expected" for name in strange)
        raise ProcessError(f"{driver}: {words}")
    return {**known, **given}
