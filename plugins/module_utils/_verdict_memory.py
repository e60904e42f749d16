# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PRIVATE to the collection. What `track` remembers from one observation to the next, and its form as plain data.

Events are kept as the latest time of each kind for each site. The latest of two times is the same in whichever order
they arrive and however often, so an event that comes late, or is handed in again with every bundle, counts once.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_fields import Field, time_text
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_observation import NO_NAMES
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_rules import Finding
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_unlocks import ROWS

VERSION = 1

Times = Dict[str, datetime]
"""A time for each site that has one."""


class Run(NamedTuple):
    """The raw verdict without interruption: since when, and whether a STACK_DOWN was part of it."""

    finding: Finding
    since: datetime
    stack_down: bool


class Lasting(NamedTuple):
    """A settled verdict's own clock, for `hold` and `long_partition`; `resuming` while it settles again after a gap."""

    finding: Finding
    since: datetime
    resuming: bool


class Memory(NamedTuple):
    """Everything that `track` remembers."""

    taken_at: datetime
    names: Tuple[str, str]
    run: Run
    lasting: Optional[Lasting]
    clean_since: Times
    departures: Tuple[datetime, ...]
    flapping_since: Optional[datetime]
    last_master: Optional[str]
    last_master_at: Optional[datetime]
    failed_over_call: Times
    failed_over_config: Times
    heard_since: Times
    let_in: Times
    acknowledged: Times

    def failed_over_at(self, name: str) -> Optional[datetime]:
        """Return when the site was last failed over, of any scope."""
        times = [times[name] for times in (self.failed_over_call, self.failed_over_config) if name in times]
        return max(times) if times else None

    def scope(self, name: str) -> Optional[str]:
        """Return how far the site has been failed over and not let in since: config, call, or None."""
        for scope, times in (("config", self.failed_over_config), ("call", self.failed_over_call)):
            if name in times and not _at_or_after(self.let_in.get(name), times[name]):
                return scope
        return None

    def heard_again(self, name: str) -> bool:
        """Whether the site was heard after its last failover."""
        failed = self.failed_over_at(name)
        return failed is not None and _at_or_after(self.heard_since.get(name), failed)

    def returning(self) -> List[str]:
        """Return the sites that were heard again after a failover and have not been let in."""
        return [name for name in self.names if self.scope(name) is not None and self.heard_again(name)]

    def unacknowledged(self) -> List[str]:
        """Return the sites with a failover that nobody has acknowledged."""
        failed = {name: self.failed_over_at(name) for name in self.names}
        return [n for n, at in failed.items() if at is not None and not _at_or_after(self.acknowledged.get(n), at)]

    def last_failover(self) -> Optional[datetime]:
        """Return when the last failover of any site was done."""
        times = [at for at in map(self.failed_over_at, self.names) if at is not None]
        return max(times) if times else None

    def last_acknowledged(self) -> Optional[datetime]:
        """Return when a person last acknowledged anything."""
        return max(self.acknowledged.values()) if self.acknowledged else None


TIMES = ("clean_since", "failed_over_call", "failed_over_config", "heard_since", "let_in", "acknowledged")
"""The fields of Memory that hold a time for each site."""


def dump(memory: Memory) -> Dict[str, Any]:
    """Return the memory as plain data. `failed_over` is for readers: what a site is, until it is let in."""
    scopes = {name: memory.scope(name) for name in memory.names}
    return {
        "version": VERSION,
        "taken_at": time_text(memory.taken_at),
        "sites": list(memory.names),
        "raw": {**_finding(memory.run.finding, memory.run.since), "stack_down": memory.run.stack_down},
        "lasting": _dump_lasting(memory.lasting),
        "departures": [time_text(at) for at in memory.departures],
        "flapping_since": _text_or_null(memory.flapping_since),
        "last_master": memory.last_master,
        "last_master_at": _text_or_null(memory.last_master_at),
        "failed_over": {name: scope for name, scope in scopes.items() if scope},
        **{key: _dump_times(getattr(memory, key)) for key in TIMES},
    }


def load(state: Optional[Mapping[str, Any]]) -> Optional[Memory]:
    """Return what a state holds; None for a state that is null or empty. Raises VerdictInputError."""
    field = Field("state", {} if state is None else state)
    if not field.mapping():
        return None
    if field.get("version").value != VERSION:
        raise field.get("version").refused(f"{VERSION}")
    names = _names(field.get("sites"))
    return Memory(
        taken_at=field.get("taken_at").time(),
        names=names,
        run=_load_run(field.get("raw"), names),
        lasting=_load_lasting(field.get("lasting"), names),
        departures=tuple(each.time() for each in field.get("departures").items()),
        flapping_since=field.get("flapping_since").optional_time(),
        last_master=_site(field.get("last_master"), names),
        last_master_at=field.get("last_master_at").optional_time(),
        **{key: _load_times(field.get(key), names) for key in TIMES},
    )


def _at_or_after(moment: Optional[datetime], other: datetime) -> bool:
    return moment is not None and moment >= other


def _text_or_null(moment: Optional[datetime]) -> Optional[str]:
    return None if moment is None else time_text(moment)


def _finding(finding: Finding, since: datetime) -> Dict[str, Any]:
    return {"verdict": finding.verdict, "site": finding.site, "since": time_text(since)}


def _dump_lasting(lasting: Optional[Lasting]) -> Optional[Dict[str, Any]]:
    return None if lasting is None else {**_finding(lasting.finding, lasting.since), "resuming": lasting.resuming}


def _dump_times(times: Times) -> Dict[str, str]:
    return {name: time_text(times[name]) for name in sorted(times)}


def _names(field: Field) -> Tuple[str, str]:
    names = [each.text() for each in field.items()]
    if len(set(names)) != 2 or len(names) != 2 or set(names) & set(NO_NAMES):
        raise field.refused("the names of two sites")
    first, second = sorted(names)
    return first, second


def _site(field: Field, names: Tuple[str, str]) -> Optional[str]:
    return None if field.absent else field.choice(names)


def _load_finding(field: Field, names: Tuple[str, str]) -> Finding:
    return Finding(field.get("verdict").choice(tuple(ROWS)), _site(field.get("site"), names))


def _load_run(field: Field, names: Tuple[str, str]) -> Run:
    return Run(_load_finding(field, names), field.get("since").time(), field.get("stack_down").flag(False))


def _load_lasting(field: Field, names: Tuple[str, str]) -> Optional[Lasting]:
    if field.absent:
        return None
    return Lasting(_load_finding(field, names), field.get("since").time(), field.get("resuming").flag(False))


def _load_times(field: Field, names: Tuple[str, str]) -> Times:
    if field.absent:
        return {}
    unknown = sorted(set(field.mapping()) - set(names))
    if unknown:
        raise field.get(unknown[0]).refused(f"no such site (the sites are {names[0]} and {names[1]})")
    return {name: field.get(name).time() for name in sorted(field.mapping())}
