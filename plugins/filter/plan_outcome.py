# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that put the steps' results beside the plan."""

from __future__ import annotations

from typing import Any, Callable

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_outcome import (
    may_go_on,
    must_undo,
    plan_outcome,
)


class FilterModule:
    """The filters of a plan's outcome."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"plan_outcome": plan_outcome, "may_go_on": may_go_on, "must_undo": must_undo}
