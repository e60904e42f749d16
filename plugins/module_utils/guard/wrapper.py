# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`sip-dr-guarded COMMAND…`: an Application's command line that starts nothing without a lease, and dies with it.

Local Control Agent and Solution Control Server start programs by executing their command line, past every unit. So the
command line itself is wrapped. The wrapper stays the parent: it passes signals on, ends as the program ends, and kills
the program when the lease is over, even if the guard is no longer there to do it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from typing import Iterable, List

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import lease

LOOK = 0.2
"""Seconds between two looks at the lease."""
REFUSED, NOT_FOUND = 75, 127
"""Exit status: EX_TEMPFAIL of sysexits.h for no lease, and the shell's for no such program."""
PASSED_ON = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGCONT,
    signal.SIGWINCH,
)
PR_SET_PDEATHSIG = 1


def main(arguments: List[str], marker: str, path: str = lease.PATH) -> int:
    """Run the command and return its exit status; 128 and the signal's number when one ended it."""
    if not arguments:
        print("usage: sip-dr-guarded COMMAND [ARGUMENT]…", file=sys.stderr)
        return 64
    if lease.left_now(path) <= 0:
        print(f"sip-dr-guarded: refused {arguments[0]}: this host has no lease of its site's ticket", file=sys.stderr)
        return REFUSED
    # A signal that comes while the program is being started waits until it can be passed on.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)
    try:
        child = _started(arguments, marker, before)
    except OSError as error:
        print(f"sip-dr-guarded: {arguments[0]}: {error.strerror}", file=sys.stderr)
        return NOT_FOUND
    for number in PASSED_ON:
        signal.signal(number, lambda number, _frame: _pass_on(child, number))
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    status = _ended(child, path)
    return status if status >= 0 else 128 - status


def _started(arguments: List[str], marker: str, mask: Iterable[int]) -> subprocess.Popen[bytes]:
    # Loaded before the fork: the child may do nothing but call it.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def die_with_parent() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if os.getppid() != parent:
            os._exit(REFUSED)

    # One thread here, so nothing can be held locked across the fork.
    return subprocess.Popen(  # noqa: S603  # pylint: disable=ansible-bad-function,consider-using-with
        arguments,
        env=dict(os.environ, **{marker: str(parent)}),
        preexec_fn=die_with_parent,  # noqa: PLW1509
        close_fds=False,
    )


def _ended(child: subprocess.Popen[bytes], path: str) -> int:
    while True:
        try:
            return child.wait(timeout=LOOK)
        except subprocess.TimeoutExpired:
            if lease.left_now(path) <= 0:
                print(f"sip-dr-guarded: killed {child.pid}: the lease is over", file=sys.stderr)
                child.kill()
                return child.wait()


def _pass_on(child: subprocess.Popen[bytes], number: int) -> None:
    if child.poll() is None:
        child.send_signal(number)
