# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a decision is no stronger one, in words."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.contactcenter.sip_dr.plugins.module_utils import why
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import decide
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.why import WAYS, why_text
from verdict_world import fold, samples, world


def test_a_normal_verdict_holds_nothing_back():
    """The sentence, the evidence, and what may be done."""
    lines = why_text(decide(world()))
    assert lines[0] == "NORMAL: site1 SERVING, site2 SERVING."
    assert lines[1].startswith("  site1 is SERVING: ")
    assert lines[3:] == ["Yours to order: switchover"]


def test_a_verdict_that_waits_for_its_confirmation():
    """What the rules say is named, with the time that is left."""
    lines = why_text(fold(samples(0, 5, site1="silent"))[1])
    assert lines[3:] == [
        "Automatic now: notify, reprobe",
        "Yours to order: prefer_survivor, attest_down (two people)",
        "Forbidden now: fence, promote_config",
        "Held back, and by which guards:",
        "  SITE_DOWN site1: confirm",
        "Each guard, what was seen of it, and what makes it hold:",
        "  confirm: SITE_DOWN site1 must last 15 s to be confirmed: 5 s so far",
        "      -> the same verdict must last 10 s more; a sample that says otherwise starts its time anew",
    ]


def test_each_action_names_its_guards_and_each_guard_is_said_once():
    """The guards that fence and promotion share are one sentence each."""
    lines = why_text(fold(samples(0, 60, site1="silent"))[1])
    held = lines[lines.index("Held back, and by which guards:") + 1 :]
    assert held[:2] == [
        "  fence (yours to order): promotion, hold",
        "  promote_config (yours to order): promotion, hold, fence",
    ]
    guards = [text for text in held[3:] if not text.startswith("      -> ")]
    assert [text.split(":")[0].strip() for text in guards] == ["promotion", "hold", "fence"]
    assert "      -> the verdict must stand 255 s more, or a person orders it and does not wait" in held


def test_without_memory_no_clock_runs():
    """No time is named where none is known, and no verdict where the rules name none."""
    lines = why_text(decide(world(site1="unknown")))
    assert "  another verdict: unanimity" in lines
    lines = why_text(decide(world(site1="silent")))
    assert "      -> the verdict must stand, or a person orders it and does not wait" in lines


def test_a_verdict_about_no_site_that_waits():
    """Named without a site."""
    cut = {"peer": "down", "trunk": "down"}
    assert "  PARTITION: confirm" in why_text(fold(samples(0, 5, site1=cut, site2=cut))[1])


def test_an_action_that_is_forbidden_says_so():
    """A guard fails, and the verdict forbids it besides."""
    decision = dict(decide(world()), forbidden=["fence"], unmet=[{"guard": "hold", "text": "…", "actions": ["fence"]}])
    assert "  fence (forbidden now): hold" in why_text(decision)


def test_an_action_that_waits_for_its_conditions():
    """Neither with the operator nor forbidden: its line has the guards alone."""
    lines = why_text(fold(samples(0, 30, site1={"is": "gray", "capacity": "up"}, site2={"capacity": "unknown"}))[1])
    assert "  drain_gateways: capacity" in lines


def test_every_guard_of_the_decision_has_its_way():
    """And no way is without its guard."""
    sources = Path(why.__file__).parent.glob("_verdict_*.py")
    named = {guard for source in sources for guard in re.findall(r'Unmet\(\s*"(\w+)"', source.read_text())}
    assert named == set(WAYS)
