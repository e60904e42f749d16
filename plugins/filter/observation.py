# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters between the deployment's data, the vantage hosts' answers, and the observation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import observation, observer, state_clock
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_fields import person_key


def probe_checks(continuity: Mapping[str, Any], host: str) -> list[dict[str, Any]]:
    """What `host` has to look at; see `observation.probe_checks`. A missing key is an error that names it."""
    try:
        return observation.probe_checks(continuity, host)
    except KeyError as error:
        raise AnsibleFilterError(f"probe_checks: {error} is missing in the checked deployment data") from error


def to_observation(
    continuity: Mapping[str, Any], probes: Mapping[str, Mapping[str, Any]], meta: Mapping[str, Any]
) -> dict[str, Any]:
    """The observation made of the answers; see `observation.to_observation`. A missing key is a named error."""
    try:
        return observation.to_observation(continuity, probes, meta)
    except KeyError as error:
        raise AnsibleFilterError(f"to_observation: {error} is missing in continuity, probes or meta") from error


def different_people(names: Iterable[str]) -> list[str]:
    """The different people among some names, each as first written; a name of nothing is nobody."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(person_key(name), name.strip())
    return [name for key, name in found.items() if key]


class FilterModule:
    """The filters of the observation."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {
            "probe_checks": probe_checks,
            "to_observation": to_observation,
            "probed_runs": observation.runs_of,
            "probed_prefers": observation.prefers_of,
            "probed_stores": observation.stores_of,
            "pulled_state": state_clock.pulled,
            "different_people": different_people,
            "may_be_remembered": observer.may_be_remembered,
        }
