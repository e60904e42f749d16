# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The truth about the configuration: what was acknowledged, what a site's database has of it, and who wrote.

Nothing here asks the code under test: acknowledgements are seen by a writer of the lab's own, rows by the superuser of
the database, and the writes that a Configuration Server accepted by the log on its host's disk, powered on or not.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from two_site_lab.errors import LabError
from two_site_lab.lab import Lab
from two_site_lab.machine import wait_until
from two_site_lab.setup.cfg import psql
from two_site_lab.setup.cfg_objects import TRUTH_APPLICATION

INTERVAL = 0.2
MODULE = "two_site_lab.truth_configuration_writer"
WRITE_LOG = "var/log/genesys/confserv-writes.jsonl"
KEPT = f"""
select property ->> 'value' from cfg_write, jsonb_array_elements(object -> 'options' -> 'property') property
where name = '{TRUTH_APPLICATION}' and property ->> 'section' = 'truth'"""


@dataclass(frozen=True)
class Comparison:
    """Numbers of writes: acknowledged and in the database, acknowledged and not there, there but not acknowledged."""

    kept: list[int]
    lost: list[int]
    unacknowledged: list[int]


@dataclass(frozen=True)
class Term:
    """One uninterrupted time of a master in service, as far as its accepted writes show it."""

    site: str
    term: str
    first: datetime
    last: datetime
    writes: int


def start_writes(lab: Lab, interval: float = INTERVAL) -> None:
    """Start the writer, a write each ``interval`` seconds, in the control namespace; the log starts anew."""
    stop_writes(lab)
    run = secrets.token_hex(3)
    log = _log(lab)
    log.write_text(json.dumps({"run": run}) + "\n")
    words = lab.in_control([sys.executable, "-m", MODULE, lab.state.id, run, log, interval])
    with (lab.state.root / "truth/configuration.err").open("w") as complaints:
        writer = subprocess.Popen(
            [str(word) for word in words],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
            start_new_session=True,
        )
    _pid_file(lab).write_text(str(writer.pid))
    wait_until(lambda: any(row["outcome"] == "accepted" for row in outcomes(lab)), "first write acknowledged")


def stop_writes(lab: Lab) -> None:
    """End the writer, if it runs, and wait until its last write is over."""
    pid = _pid(lab)
    if pid is None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: _pid(lab) is None, "the configuration writer has ended")


def outcomes(lab: Lab) -> list[dict[str, Any]]:
    """Every write of the present or last run: number, site, begun and ended (seconds since the epoch), outcome."""
    lines = _log(lab).read_text().splitlines(keepends=True)
    return [json.loads(line) for line in lines[1:] if line.endswith("\n")]


def has_written(lab: Lab) -> bool:
    """Whether there is a run of the writer to speak of."""
    return _log(lab).exists()


def kept_or_lost(lab: Lab, site: str) -> Comparison:
    """The writer's acknowledged writes against the rows of a site's database."""
    return compare(outcomes(lab), values_of(lab, lab.topology.of_kind("cfg", site)[0].name))


def values_of(lab: Lab, host: str) -> list[str]:
    """The values of the writer's present or last run that a host's database has."""
    run = json.loads(_log(lab).read_text().partition("\n")[0])["run"]
    return [value for value in psql(lab, host, KEPT).split() if value.startswith(f"{run}-")]


def compare(written: Iterable[Mapping[str, Any]], values: Iterable[str]) -> Comparison:
    """Outcomes of writes against the values (``run-number``) that a database has."""
    there = {int(value.rpartition("-")[2]) for value in values}
    acknowledged = {row["number"] for row in written if row["outcome"] == "accepted"}
    return Comparison(sorted(acknowledged & there), sorted(acknowledged - there), sorted(there - acknowledged))


def accepted_writes(lab: Lab) -> list[dict[str, Any]]:
    """Every write that a Configuration Server of either site accepted, from the logs on their disks."""
    return [record for record in server_records(lab) if "event" not in record]


def server_records(lab: Lab) -> list[dict[str, Any]]:
    """What the Configuration Servers noted on their disks: accepted writes, and as ``event`` when each term began."""
    records = []
    for host in lab.topology.of_kind("cfg"):
        log = lab.state.disk(host.name) / "root" / WRITE_LOG
        if log.exists():
            records += [json.loads(line) for line in log.read_text().splitlines(keepends=True) if line.endswith("\n")]
    return records


def terms(writes: Iterable[Mapping[str, Any]]) -> list[Term]:
    """What the servers noted, gathered by the term of their master, in the order in which the terms began."""
    gathered: dict[str, list[Mapping[str, Any]]] = {}
    for write in writes:
        gathered.setdefault(write["term"], []).append(write)
    return sorted((_term(name, its_writes) for name, its_writes in gathered.items()), key=lambda term: term.first)


def two_writers(writes: Iterable[Mapping[str, Any]]) -> list[tuple[Term, Term]]:
    """Pairs of terms that overlap: each proves two masters at one time. Empty: a single writer, always."""
    listed = terms(writes)
    return [
        (earlier, later)
        for number, earlier in enumerate(listed)
        for later in listed[number + 1 :]
        if later.first <= earlier.last
    ]


def _term(name: str, writes: list[Mapping[str, Any]]) -> Term:
    begun = min(datetime.fromisoformat(write["at"]) for write in writes)
    ended = max(datetime.fromisoformat(write.get("accepted", write["at"])) for write in writes)
    return Term(writes[0]["site"], name, begun, ended, sum("event" not in write for write in writes))


def _log(lab: Lab) -> Path:
    return lab.state.root / "truth/configuration.jsonl"


def _pid_file(lab: Lab) -> Path:
    return lab.state.root / "truth/configuration.pid"


def _pid(lab: Lab) -> int | None:
    try:
        pid = int(_pid_file(lab).read_text())
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return None
    except ValueError as error:
        raise LabError(f"{_pid_file(lab)} holds no process id: remove it") from error
    return pid if MODULE.encode() in words and lab.state.id.encode() in words else None
