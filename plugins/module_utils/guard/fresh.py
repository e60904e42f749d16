# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`sip-dr-fresh`: ends with 0 only when a writer may start on this host now. Units have it as their ExecCondition.

    sip-dr-fresh [--or-standby FILE]

With `--or-standby` a database that would start as a standby, because FILE is there, may always start.
"""

from __future__ import annotations

import os
import sys
from typing import List

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import lease


def main(arguments: List[str]) -> int:
    """Return the exit status and say why."""
    if len(arguments) == 2 and arguments[0] == "--or-standby" and os.path.exists(arguments[1]):
        print("starts as a standby: no lease is asked for")
        return 0
    left = lease.left_now()
    if left <= 0:
        print("refused: this host has no lease of its site's ticket", file=sys.stderr)
        return 1
    print(f"lease good for {left:.2f} s")
    return 0
