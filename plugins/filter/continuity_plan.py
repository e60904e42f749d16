# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that make a plan and write it out for a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import (
    heal_plan,
    move_plan,
    network_plan,
    pin_plan,
    plan,
    resync_plan,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.by_hand import with_by_hand
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_text import plan_text

SCENARIOS: dict[str, Callable[..., dict[str, Any]]] = {
    "site_failure": plan.failover_plan,
    "move_master": move_plan.move_plan,
    "resync": resync_plan.resync_plan,
    "network_failure": network_plan.network_plan,
    "heal": heal_plan.heal_plan,
    "pin": pin_plan.pin_plan,
}


def continuity_plan(
    continuity: Mapping[str, Any],
    decision: Mapping[str, Any],
    track_state: Mapping[str, Any] | None,
    request: Mapping[str, Any],
) -> dict[str, Any]:
    """Make the plan of `request.scenario`; see `plan.failover_plan`. A missing key is an error that names it."""
    try:
        made = SCENARIOS[request["scenario"]](continuity, decision, track_state, request)
        return with_by_hand(continuity, made)
    except KeyError as error:
        raise AnsibleFilterError(
            f"continuity_plan: {error} is missing, or no site or scenario has this name"
        ) from error


def done_steps(journal: list[Mapping[str, Any]], run_id: str) -> dict[str, str]:
    """Say which steps a run has ended well; see `plan.done_steps`. A record without a key is an error that names it."""
    try:
        return plan.done_steps(journal, run_id)
    except KeyError as error:
        raise AnsibleFilterError(f"done_steps: a record of the journal has no {error}") from error


class FilterModule:
    """The filters of the plan."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {
            "continuity_plan": continuity_plan,
            "done_steps": done_steps,
            "pins_kept": pin_plan.pins_kept,
            "plan_text": plan_text,
        }
