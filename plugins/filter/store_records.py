# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that make one truth of the coordination hosts' answers, and judge the run lock."""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, Optional

from ansible.errors import AnsibleFilterError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.records import judge_lock, merge


def store_records(results: object) -> Dict[str, Any]:
    """Merge the registered results of the coordination hosts; see `records.merge`."""
    if isinstance(results, (str, bytes, Mapping)) or not hasattr(results, "__iter__"):
        raise AnsibleFilterError(
            "store_records: expected a list, one registered result of continuity_store for each host"
        )
    return merge(results)


def lock_judgement(
    lock: Optional[Mapping[str, Any]], me: Mapping[str, Any], now: float, stale_after: float
) -> Dict[str, Any]:
    """Judge a merged lock: free, mine, dead or live; see `records.judge_lock`."""
    return judge_lock(lock, me, now, stale_after)


class FilterModule:
    """The filters of the coordination store."""

    def filters(self) -> Dict[str, Callable[..., Dict[str, Any]]]:
        """Return the filters by name."""
        return {"store_records": store_records, "lock_judgement": lock_judgement}
