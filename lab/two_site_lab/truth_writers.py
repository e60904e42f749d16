# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gathers what the checker judges (``single_writer``) from the running lab, and says what it found."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from two_site_lab import truth_configuration
from two_site_lab.errors import LabError
from two_site_lab.setup.cfg import psql
from two_site_lab.single_writer import Database, Evidence, Verdict, judge

if TYPE_CHECKING:
    from two_site_lab.lab import Lab
    from two_site_lab.truth_configuration import Term

WRITABLE = """
select not pg_is_in_recovery() and rolcanlogin and has_table_privilege('confserv', 'cfg_write', 'insert')
from pg_roles where rolname = 'confserv'"""
ROWS = "select term, seq from cfg_write"


def gather(lab: Lab) -> Evidence:
    """Everything that is noted since the lab began; exact once nobody writes any more."""
    since = json.loads(lab.state.record.read_text())["since"]
    # The logs first: what they name, a database that is read after them must have.
    records = truth_configuration.server_records(lab)
    noted = truth_configuration.outcomes(lab) if truth_configuration.has_written(lab) else []
    hosts = {site: lab.topology.of_kind("cfg", site)[0].name for site in lab.topology.sites}
    found = {site: _database(lab, host) for site, host in hosts.items()}
    return Evidence(
        records=records,
        outcomes=[outcome for outcome in noted if outcome["begun"] > since],
        databases={site: database for site, database in found.items() if database is not None},
    )


def _database(lab: Lab, host: str) -> Database | None:
    if lab.machine(host).is_off() or lab.is_paused(host):
        return None
    try:
        writable = psql(lab, host, WRITABLE).strip() == "t"
        rows = [line.rpartition("|") for line in psql(lab, host, ROWS).splitlines()]
        values = truth_configuration.values_of(lab, host) if truth_configuration.has_written(lab) else []
    except LabError:  # no database runs there
        return None
    return Database(frozenset((term, int(seq)) for term, _, seq in rows), tuple(values), writable)


def verdict(lab: Lab) -> Verdict:
    """What the lab's evidence proves now."""
    return judge(gather(lab))


def show(lab: Lab, as_json: bool) -> int:
    """Print the verdict; exit status 1 where two masters were in service at one time."""
    found = verdict(lab)
    print(json.dumps(data(lab, found), indent=2) if as_json else text(found))
    return 0 if found.single_writer else 1


def data(lab: Lab, found: Verdict) -> dict[str, Any]:
    """The verdict as plain data."""
    return {
        "single_writer": found.single_writer,
        "terms": [_term(term) for term in found.terms],
        "overlaps": [[_term(one), _term(other)] for one, other in found.overlaps],
        "primary": found.primary,
        "acknowledged": found.acknowledged,
        "lost": None if found.lost is None else list(found.lost),
        "accepted_lost": found.accepted_lost,
        "diverged": found.diverged,
        "outage": found.outage and asdict(found.outage),
        "protection": asdict(lab.topology.protection),
    }


def _term(term: Term) -> dict[str, Any]:
    moments = {"first": term.first.timestamp(), "last": term.last.timestamp()}
    return {"site": term.site, "term": term.term, "writes": term.writes, **moments}


def text(found: Verdict) -> str:
    """The verdict for people."""
    lines = [f"{_span(term)}  {term.writes} writes accepted" for term in found.terms]
    lines += [f"TWO WRITERS: {_span(one)} and {_span(other)}" for one, other in found.overlaps]
    lines.append("one writer, always" if found.single_writer else "NOT one writer")
    if found.lost is None:
        lines.append(f"{found.acknowledged} writes acknowledged; no database is written to now: losses cannot be told")
    else:
        kept = found.acknowledged - len(found.lost)
        lines.append(
            f"{found.acknowledged} writes acknowledged, {kept} kept at {found.primary}, {len(found.lost)} lost"
        )
        lines.append(f"accepted and not there: {found.accepted_lost}; in the other database only: {found.diverged}")
    if found.outage:
        lines.append(f"longest time without an acknowledged write: {found.outage.seconds:.2f} s")
    return "\n".join(lines)


def _span(term: Term) -> str:
    first, last = (_clock(moment.timestamp()) for moment in (term.first, term.last))
    return f"{term.site} {term.term[:8]} {first} to {last}"


def _clock(moment: float) -> str:
    return time.strftime("%H:%M:%S", time.gmtime(moment)) + f"{moment % 1:.2f}"[1:]
