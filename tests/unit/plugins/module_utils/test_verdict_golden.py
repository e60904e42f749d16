# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The golden cases of tests/golden: each one observation, or stages of them, and the decision that must come out.

A case has `about` (a sentence), `policy`, and either `observation` (for `decide`) or `stages` (for `track`). Both are
changes to a healthy pair of sites, see verdict_world; a stage is `{from, to, every, …changes}` in seconds. A bundle of
an incident is given whole as `bundle`. `expect` names parts of the decision: `unmet` the guards that must be among the
unmet ones, `met` those that must not, `says` words that must be in the evidence; all else must be equal.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Mapping

import pytest
import yaml
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import decide
from verdict_world import fold, guards, samples, world

CASES = sorted((Path(__file__).parents[3] / "golden").glob("*.yml"))


def decision_of(case: Mapping[str, Any]) -> Dict[str, Any]:
    policy = case.get("policy")
    if "bundle" in case:
        return decide(case["bundle"], policy)
    if "stages" not in case:
        return decide(world(**case["observation"]), policy)
    stages = [dict(stage) for stage in case["stages"]]
    bundles = [each for stage in stages for each in samples(stage.pop("from"), stage.pop("to"), **stage)]
    return fold(bundles, policy)[1]


def test_there_are_enough() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_golden(path: Path) -> None:
    case = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert case["about"]
    decision, expect = decision_of(case), dict(case["expect"])
    assert set(expect.pop("unmet", [])) <= set(guards(decision))
    assert not set(expect.pop("met", [])) & set(guards(decision))
    evidence = " ".join(decision["evidence"])
    assert [words for words in expect.pop("says", []) if words not in evidence] == []
    assert {key: decision[key] for key in expect} == expect
