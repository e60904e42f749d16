# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The golden cases of tests/golden: each one observation, or stages of them, and the decision that must come out.

A case has `about` (a sentence), `policy`, and either `observation` (for `decide`) or `stages` (for `track`). Both are
changes to a healthy pair of sites, see verdict_world; a stage is `{from, to, every, …changes}` or `{times, …changes}`
in seconds, and all stages together are put into the order of time. A bundle of an incident is given whole as `bundle`.

`expect` is what must come out at the end; a stage's own `expect` is what must come out after its last observation:
- `unmet`: guards that must be among the unmet ones; as a mapping, with the actions that each keeps back, exactly;
- `guards`: all the unmet guards, no matter in which order or how often; `met`: guards that must not be among them;
- `says`: words that must be in the evidence or in what is unmet; `why`: the sentences of what is unmet, exactly;
- all else must be equal to that part of the decision.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Tuple

import pytest
import yaml
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import Tracker, decide
from verdict_world import guards, world

FILES = sorted((Path(__file__).parents[3] / "golden").glob("*.yml"))
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in FILES}
CASES = {name: yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)) for name, text in TEXTS.items()}

Seen = Tuple[float, Dict[str, Any], Dict[str, Any]]
"""A second, the observation (or the changes that make it), and what is expected of its decision."""


def seen_in(case: Mapping[str, Any]) -> List[Seen]:
    """Return a case's observations in the order of time, each with what is expected of its decision."""
    if "stages" not in case:
        return [(0, case["bundle"] if "bundle" in case else world(**case["observation"]), {})]
    seen = sorted((each for stage in case["stages"] for each in staged(stage)), key=lambda each: each[0])
    return [(second, world(second, **changes), expect) for second, changes, expect in seen]


def staged(stage: Mapping[str, Any]) -> List[Seen]:
    """Return a stage's seconds, each with the changes and what is expected."""
    changes = dict(stage)
    expect = changes.pop("expect", {})
    times = changes.pop("times", None) or steps(changes.pop("from"), changes.pop("to"), changes.pop("every", 5))
    return [(second, changes, expect if second == times[-1] else {}) for second in times]


def steps(first: float, last: float, every: float) -> List[float]:
    """Return the seconds from one to another, both included."""
    return [first + every * step for step in range(int((last - first) / every) + 1)]


SEEN = {name: seen_in(case) for name, case in CASES.items()}


def decisions_of(name: str) -> Iterator[Tuple[Dict[str, Any], Dict[str, Any]]]:
    """Yield each decision with what is expected of it, the last one last."""
    case = CASES[name]
    if "stages" not in case:
        yield decide(SEEN[name][0][1], case.get("policy")), case["expect"]
        return
    tracker = Tracker(None, case.get("policy"))
    for _, bundle, expect in SEEN[name]:
        judgement = tracker.judge(bundle)
        if expect:
            yield judgement.decision(), expect
    yield judgement.decision(), case["expect"]


def check(decision: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """Compare a decision with what is expected of it."""
    expect = dict(expected)
    unmet = expect.pop("unmet", [])
    assert set(unmet) <= set(guards(decision))
    if isinstance(unmet, Mapping):
        assert {guard: kept_back(decision, guard) for guard in unmet} == unmet
    assert set(expect.pop("guards", guards(decision))) == set(guards(decision))
    assert not set(expect.pop("met", [])) & set(guards(decision))
    texts = [each["text"] for each in decision["unmet"]]
    assert expect.pop("why", texts) == texts
    said = " ".join([*decision["evidence"], *texts])
    assert [words for words in expect.pop("says", []) if words not in said] == []
    assert {key: decision[key] for key in expect} == expect
    assert (decision["scope"] is None) == (decision["verdict"] != "RETURNING")


def kept_back(decision: Mapping[str, Any], guard: str) -> List[str]:
    """Return the actions that a guard keeps back."""
    actions = [action for each in decision["unmet"] if each["guard"] == guard for action in each["actions"]]
    return list(dict.fromkeys(actions))


def test_there_are_enough() -> None:
    assert len(CASES) >= 300


def test_each_says_something_of_its_own() -> None:
    lines = [[line for line in text.splitlines() if not line.startswith(("#", "about:"))] for text in TEXTS.values()]
    assert len({tuple(each) for each in lines}) == len(CASES)
    assert len({case["about"] for case in CASES.values()}) == len(CASES)


@pytest.mark.parametrize("name", CASES)
def test_golden(name: str) -> None:
    case = CASES[name]
    assert case["about"] and case["expect"]
    assert set(case) <= {"about", "policy", "observation", "stages", "bundle", "expect"}
    for decision, expect in decisions_of(name):
        check(decision, expect)
