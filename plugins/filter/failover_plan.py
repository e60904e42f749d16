# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that make the plan of a site failover and write it out for a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import plan


def failover_plan(
    continuity: Mapping[str, Any],
    decision: Mapping[str, Any],
    track_state: Mapping[str, Any] | None,
    request: Mapping[str, Any],
) -> dict[str, Any]:
    """Make the plan; see `plan.failover_plan`. A missing key of any argument is an error that names it."""
    try:
        return plan.failover_plan(continuity, decision, track_state, request)
    except KeyError as error:
        raise AnsibleFilterError(f"failover_plan: {error} is missing, or no site has this name") from error


def done_steps(journal: list[Mapping[str, Any]], run_id: str) -> dict[str, str]:
    """Say which steps a run has ended well; see `plan.done_steps`. A record without a key is an error that names it."""
    try:
        return plan.done_steps(journal, run_id)
    except KeyError as error:
        raise AnsibleFilterError(f"done_steps: a record of the journal has no {error}") from error


def plan_text(made: Mapping[str, Any]) -> list[str]:
    """Write a plan out; see `plan.plan_text`."""
    return plan.plan_text(made)


class FilterModule:
    """The filters of the plan."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"failover_plan": failover_plan, "done_steps": done_steps, "plan_text": plan_text}
