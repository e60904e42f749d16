# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that gather what both sites said before they part, and before they are healed."""

from __future__ import annotations

from typing import Any, Callable

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.ledger import (
    databases_seen,
    pinned_now,
    split_since,
)


class FilterModule:
    """The filters of healing."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"databases_seen": databases_seen, "pinned_now": pinned_now, "split_since": split_since}
