# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One command, without a shell, that cannot hang and whose secrets do not show."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from typing import Dict, List, Mapping

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import GatewayError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.http import password_of

SAID = 300
"""Characters of what a command complained of that a message repeats."""


def output(words: List[str], secrets: Mapping[str, str], timeout: float) -> str:
    """Return what the command printed; `secrets`: {environment variable: file of mode 0600}; `timeout` in seconds.

    Raises GatewayError that names the command: it cannot be run, it failed, or it did not end in time, in which case
    it is killed with everything that it has started.
    """
    hidden = {name: password_of(path) for name, path in secrets.items()}
    where = shlex.join(words)
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C", **hidden},
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise GatewayError(f"{where}: it cannot be run ({error})") from None
    with process:
        try:
            printed, complaint = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise GatewayError(f"{where}: no end within {timeout:g} s; it was killed") from None
    if process.returncode != 0:
        said = _without(hidden, complaint.decode("utf-8", "replace")).strip()[-SAID:]
        raise GatewayError(f"{where}: exit code 0 expected, {process.returncode} met ({said or 'it says nothing'})")
    return printed.decode("utf-8", "replace")


def _without(hidden: Dict[str, str], words: str) -> str:
    for secret in hidden.values():
        words = words.replace(secret, "********")
    return words
