# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running the machine's own commands: errors are one line, output is text."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from two_site_lab.errors import LabError


def sh(*argv: object, stdin: str | None = None, check: bool = True) -> str:
    """Run a command and return its standard output; with ``check`` a failure is a LabError with what it said."""
    words = [str(word) for word in argv]
    done = subprocess.run(words, input=stdin, capture_output=True, text=True, check=False)
    if check and done.returncode:
        said = "; ".join((done.stderr or done.stdout).split("\n")).strip("; ") or f"exit {done.returncode}"
        raise LabError(f"{' '.join(words)}: {said}")
    return done.stdout


def in_namespace(namespace: str, argv: Sequence[object]) -> list[object]:
    """The words that run a command in a network namespace; nsenter keeps /sys as it is, ``ip netns exec`` does not."""
    return ["nsenter", f"--net=/run/netns/{namespace}", "--", *argv]
