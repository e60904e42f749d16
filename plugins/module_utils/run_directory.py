# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run's directory: its evidence, its report, and the proof that neither was changed afterwards.

    <directory>/<run id>/observations.jsonl  verdict.json  plan.json    what it was decided from (series.py: replayable)
                         journal.jsonl                                  what happened, hash-chained
                         report.json  report.txt                        what it says, to a program and to a person
                         evidence.sha256                                once sealed, for `sha256sum -c`

The journal only ever grows: a record that is there stays, byte for byte, and new ones are chained to it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import read_text, replace_file
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.report import build_report
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.report_text import report_text
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.series import FILE_NAME
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.series import line as series_line

RUN_ID = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")
JOURNAL = "journal.jsonl"
SEAL = "evidence.sha256"
EVIDENCE = (FILE_NAME, "verdict.json", "plan.json")
DOCUMENTS = (*EVIDENCE, JOURNAL, "report.json", "report.txt")
"""In the order in which they are written: a report is never there before its evidence."""
FIRST = "0" * 64
"""What the first line of a journal names as the hash of the line before it."""
ROOM = 16 * 1024 * 1024
"""Free bytes that readiness asks for: a run's directory has a few hundred kilobytes."""


class EvidenceError(Exception):
    """The run directory cannot be used; `problems` has a sentence for each reason."""

    def __init__(self, problems: List[str]) -> None:
        """Keep the sentences; the message is all of them."""
        self.problems = problems
        super().__init__("; ".join(problems))


class RunDirectory:
    """The directory of one run. With `dry`, nothing is written, and what would change is returned all the same."""

    def __init__(self, directory: Path, run_id: str) -> None:
        """Use `<directory>/<run_id>`; nothing is created yet. Raises EvidenceError for an id that is no file name."""
        if not RUN_ID.match(run_id):
            raise EvidenceError([f"run id {run_id!r}: expected letters, digits, dot, dash and underscore"])
        self.path = directory / run_id

    def read(self) -> Optional[Dict[str, Any]]:
        """Return the report as data, or None where there is none."""
        text = self._text("report.json")
        return dict(json.loads(text)) if text else None

    def text(self) -> str:
        """Return the report for a person; empty where there is none."""
        return self._text("report.txt")

    def write(self, run: Mapping[str, Any], dry: bool) -> List[Dict[str, str]]:
        """Write evidence and report of a run (`report.build_report`, and the entries of its `series`).

        Returns one `{path, before, after}` for each file whose content differs. Raises EvidenceError when the journal
        that lies there is broken, RefusedError when the run is sealed.
        """
        recorded, broken = read_chain(self._text(JOURNAL))
        if broken:
            raise EvidenceError([f"{self.path / JOURNAL}: {sentence}" for sentence in broken])
        journal = merge_records(recorded, run["journal"])
        texts = {
            FILE_NAME: "".join(map(series_line, run["series"])),
            "verdict.json": _json(run["decision"]),
            "plan.json": _json(run["plan"]),
            JOURNAL: write_chain(journal),
        }
        report = dict(build_report(dict(run, journal=journal)), evidence_files=_hashes(texts))
        return self._replace(dict(texts, **{"report.json": _json(report), "report.txt": report_text(report)}), dry)

    def render(self, dry: bool) -> List[Dict[str, str]]:
        """Write report.txt again from report.json; returns as `write`. Raises EvidenceError without a report.json."""
        report = self.read()
        if report is None:
            raise EvidenceError([f"{self.path / 'report.json'} is not there: nothing to write the report from"])
        return self._replace({"report.txt": report_text(report)}, dry)

    def seal(self, dry: bool) -> List[Dict[str, str]]:
        """Write the hashes of all files and close the run; returns as `write`. Raises EvidenceError when unsound."""
        problems = self.problems()
        if problems:
            raise EvidenceError(problems)
        sums = "".join(f"{_hash(self._text(name))}  {name}\n" for name in DOCUMENTS)
        return self._replace({SEAL: sums}, dry)

    def problems(self) -> List[str]:
        """Return everything that speaks against the evidence: what is missing, a broken chain, a changed file."""
        missing = [f"{self.path / name} is not there" for name in DOCUMENTS if not (self.path / name).exists()]
        if missing:
            return missing
        broken = read_chain(self._text(JOURNAL))[1]
        recorded = (self.read() or {}).get("evidence_files", {})
        sums = {line[66:]: line[:64] for line in self._text(SEAL).splitlines()}
        return [
            *(f"{JOURNAL}: {sentence}" for sentence in broken),
            *self._changed(recorded, "report.json was written"),
            *self._changed(sums, "the run was sealed"),
        ]

    def _changed(self, hashes: Mapping[str, str], since: str) -> List[str]:
        return [
            f"{name} has changed since {since}" for name, known in hashes.items() if _hash(self._text(name)) != known
        ]

    def _replace(self, texts: Mapping[str, str], dry: bool) -> List[Dict[str, str]]:
        changes = [
            {"path": str(self.path / name), "before": self._text(name), "after": text}
            for name, text in texts.items()
            # An empty file is a document too: a journal in which nothing happened yet.
            if self._text(name) != text or not (self.path / name).exists()
        ]
        if changes and (self.path / SEAL).exists():
            names = ", ".join(Path(change["path"]).name for change in changes)
            raise RefusedError("sealed", f"{self.path} is sealed, and {names} would change", "use a new run id")
        if changes and not dry:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o750)
            for change in changes:
                replace_file(Path(change["path"]), change["after"], mode=0o640)
        return changes

    def _text(self, name: str) -> str:
        path = self.path / name
        return read_text(path) if path.exists() else ""


def newest_run(directory: Path) -> Optional[str]:
    """Return the id of the run whose report was written last, or None."""
    reports = [path for path in directory.glob("*/report.json") if RUN_ID.match(path.parent.name)]
    newest = max(reports, key=lambda path: (path.stat().st_mtime_ns, path.parent.name), default=None)
    return newest.parent.name if newest else None


def readiness(directory: Path) -> List[Dict[str, Any]]:
    """Return one `{item, met, evidence, way}` for each thing that writing a report will need; writes nothing."""
    stands = next(path for path in (directory, *directory.absolute().parents) if path.exists())
    writable = stands.is_dir() and os.access(str(stands), os.W_OK | os.X_OK)
    usage = os.statvfs(str(stands))
    free = usage.f_bavail * usage.f_frsize
    return [
        {
            "item": "the run directory can be written",
            "met": writable,
            "evidence": f"{stands} {'is' if writable else 'is not'} writable for this user",
            "way": f"make {directory} writable for the user that runs the playbooks, or name another directory",
        },
        {
            "item": "there is room for a run's evidence",
            "met": free >= ROOM,
            "evidence": f"{free // 1024} KiB are free at {stands}",
            "way": f"free {ROOM // 1024} KiB or more",
        },
    ]


def merge_records(recorded: List[Any], given: Iterable[Any]) -> List[Any]:
    """Return what is recorded, followed by what is given and not recorded yet."""
    known = {_line(record) for record in recorded}
    merged = list(recorded)
    for record in given:
        if _line(record) not in known:
            known.add(_line(record))
            merged.append(record)
    return merged


def write_chain(records: Iterable[Any]) -> str:
    """Return the journal's text: one line for each record, with the SHA-256 of the line before it."""
    lines: List[str] = []
    previous = FIRST
    for number, record in enumerate(records, 1):
        lines.append(_line({"seq": number, "prev": previous, "record": record}))
        previous = _hash(lines[-1])
    return "".join(line + "\n" for line in lines)


def read_chain(text: str) -> Tuple[List[Any], List[str]]:
    """Return a journal's records, and a sentence for the first line that does not continue the chain."""
    records: List[Any] = []
    previous = FIRST
    for number, line in enumerate(text.splitlines(), 1):
        try:
            entry = json.loads(line)
            sound = entry["seq"] == number and entry["prev"] == previous
            records.append(entry["record"])
        except (ValueError, KeyError, TypeError):
            sound = False
        if not sound:
            return records, [f"line {number} does not continue the chain"]
        previous = _hash(line)
    return records, []


def _hashes(texts: Mapping[str, str]) -> Dict[str, str]:
    return {name: _hash(text) for name, text in texts.items()}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _line(record: object) -> str:
    return json.dumps(record, sort_keys=True, separators=(",", ":"))


def _json(data: object) -> str:
    return json.dumps(data, indent=1, sort_keys=True) + "\n"
