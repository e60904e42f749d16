# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observations for tests: a healthy pair of sites, and short names for what can be wrong with one of them."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.series import beginning, judged, line
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import track

START = datetime(2026, 1, 31, 3, 0, 0, tzinfo=timezone.utc)

SIGNALS = ("inside", "redundancy", "peer", "witness", "gateways", "calls", "trunk", "mgmt", "master", "capacity")
VIEWS = ("inside", "redundancy", "peer", "witness", "gateways", "calls", "trunk", "mgmt")

NOTHING = dict.fromkeys(SIGNALS, "unknown")
THREE_DOWN = {"peer": "down", "witness": "down", "gateways": "down", "mgmt": "down", "master": "down"}

SITE_LOOKS: Dict[str, Dict[str, Any]] = {
    "healthy": {},
    "silent": {**NOTHING, **THREE_DOWN},
    "reached": {**NOTHING, **THREE_DOWN, "inside": {"value": "unknown", "answered": True}},
    "unknown": dict(NOTHING),
    "gray": {"calls": "down"},
    "degraded": {"redundancy": "down"},
    "stack_down": {**NOTHING, **THREE_DOWN, "inside": "down", "mgmt": "up"},
    "gw_cut": {"gateways": "down", "calls": "unknown"},
    "alive": {**NOTHING, "mgmt": "up"},
}
"""What a site looks like, as changes to a healthy one."""


def at(second: float) -> str:
    """Return the time so many seconds after the start, as an observation writes it."""
    return (START + timedelta(seconds=second)).isoformat().replace("+00:00", "Z")


def healthy(second: float = 0) -> Dict[str, Any]:
    """Return an observation in which nothing is wrong: site1 holds the ticket, the master and the primary."""
    seen = dict.fromkeys(VIEWS, "up")
    common = {"downtime": False, "isolated": None, "capacity": "up", "fence": None, "attested_down": None}
    return {
        "taken_at": at(second),
        "observer": {"healthy": True},
        "ticket": {"holder": "site1", "revoked_from": None, "armed": True, "sync": True},
        "sites": {
            "site1": {**seen, **common, "master": "up", "database": {"role": "primary", "lag": None}},
            "site2": {**seen, **common, "master": "down", "database": {"role": "standby", "lag": 0}},
        },
        "events": [],
        "overrides": [],
    }


def world(second: float = 0, **changes: Any) -> Dict[str, Any]:
    """Return a healthy observation with changes.

    A site is a look ("silent") or a mapping of changes, whose `is` names a look. What stops being reached at a site is
    no longer seen by the other one's trunk either. Times in `{seconds: n}` stand for n seconds after the start, in
    `{ago: n}` for n seconds before this observation.
    """
    bundle = healthy(second)
    changes = deepcopy(changes)
    for name in ("site1", "site2"):
        _change_site(bundle, name, changes.pop(name, {}))
    bundle.update(changes)
    written = _times(bundle, second)
    assert isinstance(written, dict)
    return written


def _change_site(bundle: Dict[str, Any], name: str, change: Any) -> None:
    change = {"is": change} if isinstance(change, str) else dict(change)
    look = change.pop("is", "healthy")
    if look in ("silent", "reached", "stack_down", "unknown"):
        other = "site2" if name == "site1" else "site1"
        bundle["sites"][other]["trunk"] = "down" if look != "unknown" else "unknown"
    bundle["sites"][name].update({**SITE_LOOKS[look], **change})


def _times(value: Any, second: float) -> Any:
    if isinstance(value, Mapping):
        if set(value) == {"seconds"}:
            return at(value["seconds"])
        if set(value) == {"ago"}:
            return at(second - value["ago"])
        return {key: _times(member, second) for key, member in value.items()}
    return [_times(member, second) for member in value] if isinstance(value, list) else value


def samples(first: float, last: float, every: float = 5, **changes: Any) -> List[Dict[str, Any]]:
    """Return observations from one second to another, both included."""
    count = int((last - first) / every)
    return [world(first + every * step, **changes) for step in range(count + 1)]


def fold(
    observations: Iterable[Mapping[str, Any]],
    policy: Optional[Mapping[str, Any]] = None,
    state: Optional[Mapping[str, Any]] = None,
) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """Return the state and the decision after the last of the observations."""
    decision: Dict[str, Any] = {}
    kept = state
    for observation in observations:
        kept, decision = track(kept, observation, policy)
    return dict(kept or {}), decision


def saved(
    observations: Iterable[Mapping[str, Any]],
    policy: Optional[Mapping[str, Any]] = None,
    state: Optional[Mapping[str, Any]] = None,
) -> List[str]:
    """Return the lines of a series: its beginning, then each observation with its decision."""
    lines = [line(beginning(policy, state))]
    kept = state
    for observation in observations:
        kept, decision = track(kept, observation, policy)
        lines.append(line(judged(observation, decision)))
    return lines


def guards(decision: Mapping[str, Any]) -> List[str]:
    """Return the names of the unmet guards."""
    return [each["guard"] for each in decision["unmet"]]
