# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person does at the gateways that a plan does not reach. Pure: it asks nobody."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import GatewayError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.registry import driver

STEP = "prefer_survivor"


def with_by_hand(continuity: Mapping[str, Any], plan: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the plan; where its step does not reach gateways, it says `by_hand` what to do: `{gateway: lines}`."""
    return {**plan, "steps": [_with(continuity, plan["survivor"], step) for step in plan["steps"]]}


def _with(continuity: Mapping[str, Any], site: str, step: Mapping[str, Any]) -> Dict[str, Any]:
    if step["name"] != STEP or not step["skipped_hosts"]:
        return dict(step)
    gateways = continuity["continuity_gateways"]
    return {**step, "by_hand": {name: _lines(gateways[name], site) for name in step["skipped_hosts"]}}


def _lines(gateway: Mapping[str, Any], site: str) -> List[str]:
    try:
        return driver(gateway["driver"]).explain(gateway.get("driver_options") or {}, site)
    except GatewayError as error:
        return [f"not known: {error}"]
