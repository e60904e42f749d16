# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that look at what was saved, and at no host: replay, why, backtest.

A run is its directory, its id in the folder of runs, or the file itself. All that is judged is judged by
the collection's own modules (verdict, replay, why, backtest); here are only files, cores and exit codes.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.backtest import Backtest, backtest, together
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replay import replay
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.series import FILE_NAME, SeriesError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import VerdictInputError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.why import why_text

from sip_dr.backtest_text import backtest_text

SERIES = f"{Path(FILE_NAME).stem}*{Path(FILE_NAME).suffix}"
"""The names of series: those that were rotated keep the beginning of theirs."""

VERDICT = "verdict.json"
"""The name of a run's last decision."""

SAME, UNUSABLE, DIFFERS = 0, 1, 40
"""Exit codes: as wished, nothing that could be judged, a saved decision comes out differently."""


class NothingSavedError(Exception):
    """There is no series where one was looked for."""


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to the parser; each sets `judge`, a function of the options that returns the exit code."""
    text = "judge a saved run again; exit code 0 when every decision is the same, bit for bit"
    command = _command(commands, "replay", text, judge=_replay)
    command.add_argument("run", help="a run's id or directory, or a file of observations")
    text = "why the last decision of a run is no stronger one, guard by guard"
    command = _command(commands, "why", text, judge=_why)
    command.add_argument("run", nargs="?", default="", help="its id or directory; without it, what was decided last")
    text = "judge a folder of saved observations under another policy: what would have fired, and when"
    command = _command(commands, "backtest", text, judge=_backtest)
    command.add_argument("folder", help="a folder with files of observations in it, however deep")
    command.add_argument("--policy", type=Path, metavar="FILE", help="YAML: the keys of the policy that change")
    command.add_argument("--all", action="store_true", help="print every line of every list")


def judged(options: argparse.Namespace) -> int:
    """Run one of the commands and return its exit code."""
    try:
        code: int = options.judge(options)
    except (NothingSavedError, ValueError, OSError, yaml.YAMLError) as error:
        print(f"sip-dr {options.command}: {' '.join(str(error).split())}", file=sys.stderr)
        return UNUSABLE
    return code


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str, **defaults: object
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text)
    command.add_argument("--runs", type=Path, default=Path("runs"), help="the folder of all runs; by default ./runs")
    command.set_defaults(**defaults)
    return command


def _replay(options: argparse.Namespace) -> int:
    differing = 0
    for path in _files_of(options.run, options.runs, SERIES):
        with path.open(encoding="utf-8") as lines:
            found = replay(lines)
        differing += found.difference is not None
        same = f"same: {found.compared} of {found.judged} observations have a saved decision"
        print(f"{path}: {found.difference or same}")
    return DIFFERS if differing else SAME


def _why(options: argparse.Namespace) -> int:
    paths = _files_of(options.run or str(options.runs), options.runs, VERDICT)
    newest = max(paths, key=lambda path: path.stat().st_mtime_ns)
    decision = json.loads(newest.read_text(encoding="utf-8"))
    if not isinstance(decision, dict) or "evidence" not in decision:
        raise NothingSavedError(f"{newest}: expected a decision")
    print("\n".join([f"{newest}:", *why_text(decision)]))
    return SAME


def _backtest(options: argparse.Namespace) -> int:
    changes = _policy(options.policy)
    paths = _files_of(options.folder, options.runs, SERIES)
    found = spread(paths, changes, len(os.sched_getaffinity(0)))
    print("\n".join(backtest_text(together(found), len(paths), changes, None if options.all else 20)))
    return SAME


def _policy(path: Path | None) -> dict[str, Any]:
    read = yaml.safe_load(path.read_text(encoding="utf-8")) if path else {}
    if not isinstance(read, dict):
        raise VerdictInputError("policy", "a mapping", read)
    # As in an inventory, so that its file can be given as it is.
    return dict(read.get("continuity_policy", read))


def _files_of(name: str, runs: Path, pattern: str) -> list[Path]:
    """The file of a path, or those in a directory or in a run in the folder of runs."""
    places = [Path(name), runs / name]
    place = next((place for place in places if place.exists()), None)
    if place is None:
        raise NothingSavedError(f"{name}: no such file, directory or run in {runs}")
    found = [place] if place.is_file() else sorted(place.rglob(pattern))
    if not found:
        raise NothingSavedError(f"{place}: no {pattern} in it")
    return found


def spread(paths: Iterable[Path], changes: Mapping[str, Any], cores: int) -> list[Backtest]:
    """Judge each series under its policy with `changes`: one series is one fold, and no fold knows of another."""
    # The longest first, so that none is begun when the others are done.
    ordered = sorted(paths, key=lambda path: -path.stat().st_size)
    if min(cores, len(ordered)) == 1:
        return [_one(path, changes) for path in ordered]
    with ProcessPoolExecutor(min(cores, len(ordered))) as pool:
        return list(pool.map(_one, ordered, [changes] * len(ordered)))


def _one(path: Path, changes: Mapping[str, Any]) -> Backtest:
    try:
        with path.open(encoding="utf-8") as lines:
            return backtest(lines, changes)
    except (SeriesError, VerdictInputError) as error:
        raise NothingSavedError(f"{path}: {error}") from error
