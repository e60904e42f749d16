# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter that writes a decision for a person."""

from __future__ import annotations

from typing import Any, Callable

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict_text import verdict_text


class FilterModule:
    """The filter of a decision's text."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"verdict_text": verdict_text}
