# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of a database's own program: input by standard input, a deadline, and nothing left behind."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
from typing import Dict, List, Mapping, NamedTuple, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import DatabaseError


class Finished(NamedTuple):
    """How a program ended: its exit status and what it printed."""

    code: int
    output: str
    errors: str


def run_program(
    command: List[str],
    deadline: float,
    text: str = "",
    environment: Optional[Mapping[str, str]] = None,
    user: str = "",
) -> Finished:
    """Run a program to its end as `user` (empty: as we are), `deadline` seconds at most, `text` on standard input.

    A secret may stand in `text` or in `environment`, never in `command`. Raises DatabaseError when the program is not
    installed or does not finish; then its whole process group is killed.
    """
    account = _account(user)
    try:
        # A module's run_command knows no time-out: a client that hangs would hold a failover for ever.
        with subprocess.Popen(  # pylint: disable=ansible-bad-function
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(environment, account),
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=os.getgrouplist(account.pw_name, account.pw_gid) if account else None,
            cwd="/",
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process:
            try:
                output, errors = process.communicate(text, timeout=deadline)
            except subprocess.TimeoutExpired as error:
                # What it started goes with it.
                os.killpg(process.pid, signal.SIGKILL)
                raise DatabaseError(f"the database did not finish within {deadline:.0f} s") from error
    except (FileNotFoundError, PermissionError) as error:
        raise DatabaseError(f"{error.filename} cannot be run on this host: {error.strerror}") from error
    return Finished(process.returncode, output, errors)


def _account(user: str) -> Optional[pwd.struct_passwd]:
    """Return whom to become; None when we are that user already. Not by runuser, which logs each call through PAM."""
    if not user or pwd.getpwuid(os.geteuid()).pw_name == user:
        return None
    try:
        return pwd.getpwnam(user)
    except KeyError as error:
        raise DatabaseError(f"there is no system user {user!r} on this host") from error


def _environment(wanted: Optional[Mapping[str, str]], account: Optional[pwd.struct_passwd]) -> Dict[str, str]:
    known = dict(os.environ if wanted is None else wanted)
    if account:
        known.update(HOME=account.pw_dir, USER=account.pw_name, LOGNAME=account.pw_name)
    return known


def clean_environment(wanted: Mapping[str, str]) -> Dict[str, str]:
    """Return our environment without libpq's variables, and with those `wanted` that say something."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return dict(inherited, **{name: value for name, value in wanted.items() if value})


def first_line(text: str) -> str:
    """Return the first line that says something."""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[0].strip() if lines else "it failed without a word"
