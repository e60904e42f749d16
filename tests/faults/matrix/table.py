# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/fault_matrix.md from the results of the scenarios, and what a verdict allows at most."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ORDER = ("drain_gateways", "prefer_survivor", "fence", "promote_config")
"""From less to more destructive (decision.md, invariant 4); any other automatic action changes nothing."""
SITE_DOWN = ("SITE_DOWN",)
DRAINED = ("GRAY", "GW_CUT")
HEAD = """# The matrix of faults

What the continuous run (`playbooks/watch.yml`) decides of each fault on the lab, with the policy's defaults (confirm
15 s, probe_deadline 8 s, local_takeover 60 s) and `call_plane: auto`, `promotion: auto`, so that "automatic at most"
shows what the verdict alone would set going. Seconds are counted from the fault, `then` is the verdict after mending.
Written by `tests/faults/matrix` (`test_matrix.py` says how); expectations with their reasons: its `scenarios.yml`.

{conditions}

| scenario | what is done | expected | seen | automatic at most | SUSPECT after | settled after | then |
|---|---|---|---|---|---|---|---|
"""


def rank(automatic: Iterable[str]) -> int:
    """How destructive actions are: 0 for none that moves anything."""
    return max([ORDER.index(name) + 1 for name in automatic if name in ORDER] or [0])


def allowed(verdict: str) -> int:
    """The rank of the automatic column of a verdict in decision.md."""
    name = verdict.split()[0]
    return len(ORDER) if name in SITE_DOWN else 1 if name in DRAINED else 0


def named(number: int) -> str:
    """A rank in words."""
    return ORDER[number - 1] if number else "nothing"


def write(path: Path, scenarios: Sequence[Mapping[str, Any]], results: Path, conditions: str) -> None:
    """Write the table of every scenario that has a result."""
    rows = [_row(one, json.loads(_file(results, one).read_text())) for one in scenarios if _file(results, one).exists()]
    path.write_text(HEAD.format(conditions=conditions) + "".join(rows))


def _file(results: Path, scenario: Mapping[str, Any]) -> Path:
    return results / f"{scenario['id']}.json"


def _row(scenario: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    master = " (master at site2)" if scenario.get("master") == "site2" else ""
    cells = [
        scenario["id"],
        scenario["what"] + master,
        f"{scenario['expect']} ({scenario['rule']})",
        result["seen"],
        named(result["most"]),
        *(_seconds(result[key]) for key in ("suspect", "settled")),
        result["then"],
    ]
    return f"| {' | '.join(str(cell).replace('|', '/') for cell in cells)} |\n"


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} s"
