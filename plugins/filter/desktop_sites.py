# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter between the deployment's data and the desktops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops.deployed import desktop_sites


class FilterModule:
    """The filter of the desktops."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"desktop_sites": desktop_sites}
