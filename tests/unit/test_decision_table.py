# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/decision_table.md says what the code reads, and what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import _verdict_guards, _verdict_unlocked
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_policy import read_policy
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_unlocks import ACTIONS, ROWS
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import VerdictInputError, decide

from sip_dr.decision_table import CONDITIONS, GUARDS, page

PAGE = Path(__file__).parents[2] / "docs" / "decision_table.md"
NOW = "2026-01-31T03:14:15Z"
DEAD = {"peer": "down", "witness": "down", "gateways": "down"}


def test_the_page_is_what_the_generator_writes():
    """python -m sip_dr.decision_table > docs/decision_table.md"""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_verdict_action_and_key_is_on_it():
    """Nothing that the code knows is left out."""
    text = page()
    assert [name for name in (*ROWS, *ACTIONS, *read_policy({})._fields) if name not in text] == []


def test_conditions_and_guards_are_those_of_the_code():
    """Every condition has its words, every guarded action its guards."""
    assert set(CONDITIONS) == set(_verdict_unlocked.CONDITIONS)
    assert set(GUARDS) == set(_verdict_guards.GUARDS)


@pytest.mark.parametrize("action", GUARDS)
def test_the_guards_of_an_action_are_those_that_fail(action):
    """All but flapping, which needs a memory, fail in the worst case, in the order of the page."""
    dead = {"gateways": "down", "attested_down": {"by": ["a", "b"], "until": "2026-01-31T03:20:00Z"}}
    gray = {"gateways": "up", "calls": "down", "peer": "up"}
    site1 = gray if action == "drain_gateways" else dead
    site2 = {"gateways": "up", "calls": "up", "master": "up", "peer": "up", "capacity": "up"}
    observer = {"healthy": True, "store": "unread"}
    observation = {"taken_at": NOW, "observer": observer, "sites": {"site1": site1, "site2": site2}}
    unmet = [guard["guard"] for guard in decide(observation)["unmet"] if action in guard["actions"]]
    assert set(unmet) == set(GUARDS[action]) - {"flapping"}


@pytest.mark.parametrize(
    "policy",
    [
        {"fresh": 15.9},
        {"ticket_take": 11.2},
        {"ticket_hold": 2},
        {"call_quorum": 4},
        {"call_deadline": 8.1},
    ],
)
def test_keys_that_go_together_are_refused_apart(policy):
    """The page's last sentence."""
    with pytest.raises(VerdictInputError):
        read_policy(policy)
    assert re.search(f"`{next(iter(policy))}` (at|more than) ", page())
