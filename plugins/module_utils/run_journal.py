# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run's journal and fencing token on the host that is changed (decision.md, invariants 8 and 11).

Every changing module call does this, and it costs no task of its own::

    with run_step(module.params["run"], module.params["state_dir"], module.check_mode) as step:
        ...                                   # compare state, prepare
        step.assert_newest()                  # just before the write
        ...                                   # act by state
        step.end(changed=changed, detail="site2 preferred")

`<state_dir>/token` holds the newest token that acted here, `<state_dir>/journal.jsonl` one line per begin and end.
A *begin* without its *end* is a step that was killed: it is run again, for every step acts by state.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager, nullcontext
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, BinaryIO, Dict, Iterator, List, Mapping, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import replace_file, sync_directory
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError

DEFAULT_STATE_DIR = "/var/lib/sip-dr"

RUN_OPTION: Dict[str, Any] = {
    "run": {
        "type": "dict",
        "options": {
            "id": {"type": "str", "required": True},
            # Ansible takes any option called token for a secret; this one is a counter that a person must see.
            "token": {"type": "int", "required": True, "no_log": False},
            "step": {"type": "str", "required": True},
        },
    },
    "state_dir": {"type": "path", "default": DEFAULT_STATE_DIR},
}
"""Argument specification of every changing module; merge it with the module's own options."""


class StaleTokenError(RefusedError):
    """A newer run has acted on this host: this one is over and changes nothing any more."""

    def __init__(self, run: Mapping[str, Any], newest: Mapping[str, Any]) -> None:
        """Say which run came too late, and which one overtook it."""
        super().__init__(
            guard="fencing token: only the newest run may change this host",
            evidence=(
                f"run {run['id']} brings token {run['token']} for step {run['step']},"
                f" but run {newest['run']} acted here with token {newest['token']} at {newest['at']}"
            ),
            way="let the newer run go on, or start a new run: it gets a newer token and resumes by state",
        )


class JournalError(Exception):
    """The token file cannot be understood; the message names it. Guessing a token would undo the fencing."""


class Step:
    """One step of one run on this host, between its begin and its end."""

    def __init__(self, run: Optional[Mapping[str, Any]], state_dir: Optional[Path], writes: bool) -> None:
        """Take the run of the module's options; without a run, or in check mode, nothing is written.

        Without a directory the journal is only handed back, and there is no token to compare with.
        """
        self._run = run
        self._directory = state_dir
        self._writes = writes and run is not None
        self._result: Dict[str, Any] = {"changed": False, "detail": ""}
        self.journal: List[Dict[str, Any]] = []
        """What was written about this step, for the module to return: the report is made of it."""

    def end(self, changed: bool, detail: str = "") -> None:
        """Say how it ended; written when the step's block is left. No secrets in `detail`."""
        self._result = {"changed": changed, "detail": detail}

    def assert_newest(self) -> None:
        """Compare the token once more, just before a write. Raises StaleTokenError when a newer run came by."""
        if self._run is not None and self._directory is not None:
            _refuse_older(self._run, self._directory)

    def begin(self) -> None:
        """Take the token and write *begin*. Raises StaleTokenError, JournalError, OSError."""
        if self._run is None:
            return
        if not self._writes or self._directory is None:
            self.assert_newest()
            self._note(self._run, {"event": "begin"})
            return
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o755)
        with _locked(self._directory):
            _refuse_older(self._run, self._directory)
            _take_token(self._run, self._directory)
            self._note(self._run, {"event": "begin"})

    def finish(self, failure: Optional[str] = None) -> None:
        """Write *end*: outcome `ok`, or `failed` with the reason."""
        if self._run is None:
            return
        outcome: Dict[str, Any] = {"outcome": "ok"} if failure is None else {"outcome": "failed"}
        result = self._result if failure is None else dict(self._result, detail=failure)
        with _locked(self._directory) if self._writes and self._directory else nullcontext():
            self._note(self._run, dict({"event": "end"}, **outcome, **result))

    def _note(self, run: Mapping[str, Any], what: Mapping[str, Any]) -> None:
        if not self._writes:
            return
        record = dict(run, at=_now(), **what)
        if self._directory is not None:
            _append(self._directory, record)
        self.journal.append(record)


@contextmanager
def run_step(run: Optional[Mapping[str, Any]], state_dir: Optional[str], check_mode: bool) -> Iterator[Step]:
    """Enclose a changing step of a run. `run` has `id`, `token`, `step`; None for a call outside any run.

    `state_dir` is None for a device on which nothing can be kept: its journal is only handed back.

    Leaving by an exception, or by `fail_json`, writes the end with outcome `failed`.
    Raises StaleTokenError before anything is touched when a newer token has been seen on this host.
    """
    step = Step(run, Path(state_dir) if state_dir is not None else None, writes=not check_mode)
    step.begin()
    try:
        yield step
    except SystemExit as leaving:
        # exit_json and fail_json of Ansible leave the block this way.
        step.finish(None if leaving.code in (None, 0) else "the module failed")
        raise
    except BaseException as error:
        step.finish(f"{type(error).__name__}: {error}")
        raise
    step.finish()


def newest_token(state_dir: str) -> Optional[Dict[str, Any]]:
    """Return `{token, run, at}` of the newest run that acted on this host, or None. Raises JournalError."""
    path = Path(state_dir) / "token"
    try:
        seen = json.loads(path.read_text(encoding="utf-8"))
        return {"token": int(seen["token"]), "run": seen["run"], "at": seen["at"]}
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise JournalError(f"{path} does not hold a token: {error}") from error


def last_run(state_dir: str) -> Dict[str, Any]:
    """Return `{token, journal}`: the newest token seen on this host (0 for none), and the records of its last run.

    A token file that cannot be understood counts as none: whoever acts here is refused by it anyway.
    """
    try:
        newest = newest_token(state_dir) or {"token": 0}
    except JournalError:
        newest = {"token": 0}
    journal = read_journal(state_dir)
    last = journal[-1]["id"] if journal else None
    return {"token": newest["token"], "journal": [record for record in journal if record["id"] == last]}


def read_journal(state_dir: str) -> List[Dict[str, Any]]:
    """Return the journal's records, oldest first; a line torn by a power loss is left out."""
    path = Path(state_dir) / "journal.jsonl"
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    return [record for record in map(_record, lines) if record]


def _record(line: str) -> Dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _refuse_older(run: Mapping[str, Any], directory: Path) -> None:
    newest = newest_token(str(directory))
    if newest is None or int(run["token"]) > newest["token"]:
        return
    # Two controllers that could not see each other may have taken the same token: the second one is refused, too.
    if int(run["token"]) < newest["token"] or run["id"] != newest["run"]:
        raise StaleTokenError(run, newest)


def _take_token(run: Mapping[str, Any], directory: Path) -> None:
    newest = newest_token(str(directory))
    if newest is None or int(run["token"]) > newest["token"]:
        seen = {"token": int(run["token"]), "run": run["id"], "at": _now()}
        replace_file(directory / "token", json.dumps(seen) + "\n")


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    # Two steps of one run may act on one host at once; compare-and-write of the token must not interleave.
    with open(str(directory / "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _append(directory: Path, record: Mapping[str, Any]) -> None:
    path = directory / "journal.jsonl"
    is_new = not path.exists()
    with open(str(path), "ab+") as journal:
        line = json.dumps(record, sort_keys=True).encode() + b"\n"
        journal.write(line if _ends_well(journal) else b"\n" + line)
        journal.flush()
        os.fsync(journal.fileno())
    if is_new:
        sync_directory(directory)


def _ends_well(journal: BinaryIO) -> bool:
    # After a power loss the last line may be torn; ours must not be glued to it.
    if journal.seek(0, os.SEEK_END) == 0:
        return True
    journal.seek(-1, os.SEEK_END)
    return bool(journal.read(1) == b"\n")


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
