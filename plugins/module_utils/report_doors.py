# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The doors of the report, each as a function from the module's options to its result."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_directory import (
    EvidenceError,
    RunDirectory,
    newest_run,
    readiness,
)

Door = Callable[[Path, Any, Mapping[str, Any], bool], Dict[str, Any]]
"""(directory of all runs, run id, options, dry) -> the result. Raises EvidenceError, RefusedError, OSError."""


def observe(directory: Path, run_id: Optional[str], options: Mapping[str, Any], dry: bool) -> Dict[str, Any]:
    """Read the report of a run, or the one written last; no report is an answer, not an error."""
    found = run_id or newest_run(directory)
    if found is None:
        return {"changed": False, "report": None, "text": []}
    run = RunDirectory(directory, found)
    return {"changed": False, "path": str(run.path), "report": run.read(), "text": run.text().splitlines()}


def ready(directory: Path, run_id: Optional[str], options: Mapping[str, Any], dry: bool) -> Dict[str, Any]:
    """List what writing will need."""
    items = readiness(directory)
    return {"changed": False, "readiness": items, "ready": all(item["met"] for item in items)}


def take_over(directory: Path, run_id: str, options: Mapping[str, Any], dry: bool) -> Dict[str, Any]:
    """Write the evidence and the report."""
    run = RunDirectory(directory, run_id)
    changes = run.write(options, dry)
    return _changed(run, changes, _text_after(run, changes))


def restore(directory: Path, run_id: str, options: Mapping[str, Any], dry: bool) -> Dict[str, Any]:
    """Write the text again from the data."""
    run = RunDirectory(directory, run_id)
    changes = run.render(dry)
    return _changed(run, changes, _text_after(run, changes))


def release(directory: Path, run_id: str, options: Mapping[str, Any], dry: bool) -> Dict[str, Any]:
    """Seal the run."""
    run = RunDirectory(directory, run_id)
    return _changed(run, run.seal(dry))


def verify(directory: Path, run_id: str, options: Mapping[str, Any], dry: bool) -> Dict[str, Any]:
    """Raise EvidenceError unless the chain holds and no file was changed."""
    run = RunDirectory(directory, run_id)
    problems = run.problems()
    if problems:
        raise EvidenceError(problems)
    return {"changed": False, "path": str(run.path)}


def _changed(run: RunDirectory, changes: List[Dict[str, str]], text: Optional[List[str]] = None) -> Dict[str, Any]:
    diff = [
        {
            "before_header": change["path"],
            "after_header": change["path"],
            "before": change["before"],
            "after": change["after"],
        }
        for change in changes
    ]
    result: Dict[str, Any] = {"changed": bool(changes), "path": str(run.path), "diff": diff}
    return result if text is None else dict(result, text=text)


def _text_after(run: RunDirectory, changes: List[Dict[str, str]]) -> List[str]:
    """Return the text as it stands after the changes, whether they were made or only would be."""
    new = [change["after"] for change in changes if change["path"].endswith("report.txt")]
    return (new[0] if new else run.text()).splitlines()


DOORS: Dict[str, Door] = {
    "observe": observe,
    "readiness": ready,
    "release": release,
    "take_over": take_over,
    "restore": restore,
    "verify": verify,
}
