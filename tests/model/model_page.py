# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes docs/model.md: looks at every exploration and leaves out every guard once more, for the figures.

python tests/model/model_page.py
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "collections")]

from model_explorer import Explored, explore  # noqa: E402  the paths come first
from model_faults import first, successors  # noqa: E402
from model_guard import HOLD, MARGIN, TAKE, WATCHDOG  # noqa: E402
from model_mutations import LEFT_OUT, Left  # noqa: E402
from model_setting import Setting  # noqa: E402
from model_settings import SETTINGS  # noqa: E402
from model_world import wrong  # noqa: E402

PAGE = HERE.parents[1] / "docs/model.md"
WORDS = HERE / "model.md.in"
LIMIT = 200_000


def looked(setting: Setting, limit: int = 2_000_000) -> Explored:
    """What an exploration comes to."""
    return explore(first(setting), successors(setting), wrong, limit=limit)


def explorations() -> tuple[str, str]:
    """The table of what is explored, and the sum in words."""
    rows, states, steps = [], 0, 0
    for setting in SETTINGS:
        found = looked(setting)
        assert found.found is None and found.whole, setting.name
        states, steps = states + found.states, steps + found.steps
        faults = ", ".join(setting.faults) or "none"
        often = f"{setting.many} of: {faults}" if setting.many else faults
        rows.append(f"| {setting.name} | {_runs(setting)} | {often} | {found.states:,} | {found.depth} |\n")
    return "".join(rows), f"{states:,} states, {steps:,} steps between them"


def _runs(setting: Setting) -> str:
    names = " / ".join(f"{playbook} away from site{old + 1}" for playbook, old in setting.playbooks)
    more = [
        f"{setting.starts} starts" if setting.starts > 1 else "",
        "killed at any moment" if setting.kills else "",
        "two at once" if setting.together else "",
        setting.replication if setting.replication != "sync" else "",
    ]
    return ", ".join([names, *filter(None, more)])


def guards() -> str:
    """The table of the guards: what is found without each, or which others cover it."""
    return "".join(_guard(left) for left in LEFT_OUT)


def _guard(left: Left) -> str:
    alone = looked(left.seen._replace(without=frozenset([left.guard])), LIMIT) if not left.covered_by else None
    both = looked(left.seen._replace(without=frozenset((left.guard, *left.covered_by))), LIMIT)
    found = (alone or both).found
    assert found, left.guard
    cover = f"covered by: {', '.join(left.covered_by)}; without them too: " if left.covered_by else ""
    return f"| {left.guard} | {left.says} | {left.seen.name} | {cover}{found.what}, after {len(found.happened)} |\n"


def main() -> None:
    """Write the page."""
    table, total = explorations()
    words = WORDS.read_text(encoding="utf-8")
    times = f"hold {HOLD:.0f}, margin {MARGIN:.0f}, watchdog {WATCHDOG:.0f}, take {TAKE}"
    PAGE.write_text(words.format(explorations=table, total=total, guards=guards(), times=times), encoding="utf-8")


if __name__ == "__main__":
    main()
