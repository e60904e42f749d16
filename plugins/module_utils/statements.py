# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people tell the observer and what holds until an end: attestations, declared downtimes, overrides.

The coordination store keeps both as lists that only grow, so that two hosts that were apart are merged by union. Of
several statements about one site or gateway the newest counts; one whose `until` is over says nothing any more, and
that is how a person takes it back. Times are RFC 3339 texts with a zone; a statement with another one counts for
nothing and is told about, so that one line in a store stops no decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_observation import OVERRIDES

Statement = Mapping[str, Any]


def attestations(said: Iterable[Statement], now: str) -> dict[str, dict[str, Any]]:
    """`{site: {by, until}}` in force at `now`, of the store's record `attestations`: `[{at, site, by: […], until}]`."""
    newest = _newest(said, "site")
    return {
        site: {"by": list(one["by"]), "until": one["until"]}
        for site, one in newest.items()
        if moment(one["until"]) > moment(now)
    }


def downtimes(planned: Iterable[Statement], said: Iterable[Statement], now: str) -> frozenset[str]:
    """The sites and gateways in a declared downtime at `now`.

    planned: the inventory's `continuity_downtimes`, `[{name, from, until}]`. said: the store's record `downtime`,
    `[{at, name, by, why, until}]`, each from `at` on; it outweighs a planned window that had begun by then, or else
    nobody could end one early.
    """
    newest, at = _newest(said, "name"), moment(now)
    windows = [one for one in planned if moment(one["from"]) <= at < moment(one["until"])]
    in_plan = {one["name"] for one in windows if not _spoken_since(newest.get(one["name"]), one["from"])}
    return frozenset(in_plan | {name for name, one in newest.items() if moment(one["at"]) <= at < moment(one["until"])})


def overrides(said: Iterable[Statement], now: str) -> list[dict[str, Any]]:
    """Those in force at `now`, of the store's record `overrides`: `[{at, name, run_id, by: […], until}]`.

    Of several for the same thing and the same run the newest counts, so that one can be taken back.
    """
    in_order = sorted((one for one in said if _is_override(one)), key=lambda one: moment(one["at"]))
    last = {(one["name"], one["run_id"]): one for one in in_order}
    known = ("name", "run_id", "by", "until")
    return [{key: one[key] for key in known} for one in last.values() if moment(one["until"]) > moment(now)]


def unreadable_overrides(said: Iterable[Statement]) -> list[str]:
    """A sentence for each override that counts for nothing."""
    return [
        f"The override {one.get('name')} of {one.get('by', 'somebody')} for run {one.get('run_id')} counts for nothing,"
        f" at {one.get('at')}, until {one.get('until')}: expected one of {', '.join(OVERRIDES)}, a run, people, and two"
        " times with their zone."
        for one in said
        if not _is_override(one)
    ]


def unreadable(said: Iterable[Statement], key: str) -> list[str]:
    """A sentence for each statement that counts for nothing. key: `site` of attestations, `name` of downtimes."""
    return [
        f"What {one.get('by', 'somebody')} said of {one.get(key, 'nobody')} counts for nothing: at {one.get('at')}, "
        f"until {one.get('until')}; expected a {key} and two times with their zone."
        for one in said
        if not _is_readable(one, key)
    ]


def moment(text: str) -> datetime:
    """A time as a value that can be compared. Raises ValueError for a text that is none, or has no zone."""
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if found.tzinfo is None:
        raise ValueError(f"{text}: a time without its zone")
    return found


def _is_readable(statement: Statement, key: str) -> bool:
    try:
        return isinstance(statement[key], str) and bool(moment(statement["at"]) and moment(statement["until"]))
    except (KeyError, TypeError, AttributeError, ValueError):
        return False


def _is_override(one: Statement) -> bool:
    try:
        people = isinstance(one["by"], list) and all(isinstance(name, str) for name in one["by"])
        known = one["name"] in OVERRIDES and isinstance(one["run_id"], str) and one["run_id"]
        return bool(people and known and moment(one["at"]) and moment(one["until"]))
    except (KeyError, TypeError, AttributeError, ValueError):
        return False


def _spoken_since(statement: Optional[Statement], begin: str) -> bool:
    return statement is not None and moment(statement["at"]) >= moment(begin)


def _newest(said: Iterable[Statement], key: str) -> dict[str, Statement]:
    found: dict[str, Statement] = {}
    for one in (one for one in said if _is_readable(one, key)):
        known = found.get(one[key])
        if known is None or moment(one["at"]) >= moment(known["at"]):
            found[one[key]] = one
    return found
