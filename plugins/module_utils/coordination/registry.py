# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which coordination drivers there are; static imports, for AnsiballZ ships nothing that is imported by name."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import Store
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.files import FilesStore

DRIVERS = {"files": FilesStore}


def open_store(driver: str, directory: str, state_dir: str) -> Store:
    """Return the driver's store on this host. `state_dir` is where the run journal keeps the newest token."""
    return DRIVERS[driver](Path(directory), state_dir)
