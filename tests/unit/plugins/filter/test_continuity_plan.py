# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan's filters as Ansible offers them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.contactcenter.sip_dr.plugins.filter import continuity_plan, plan_outcome

FILTERS = {**continuity_plan.FilterModule().filters(), **plan_outcome.FilterModule().filters()}
FOLDER = Path(continuity_plan.__file__).parent
REQUEST = {"scenario": "site_failure", "run_id": "r1", "failed_site": "fra", "to_site": "ams", "reachable": []}
DECISION = {"verdict": "SITE_DOWN", "site": "fra", "evidence": []}


def planned(continuity, **more):
    return FILTERS["continuity_plan"](continuity, DECISION, None, {**REQUEST, **more})


def test_plan_and_its_text(continuity):
    made = planned(continuity)
    assert made["survivor"] == "ams"
    assert FILTERS["plan_text"](made)[0].startswith("Run r1, failover of fra to ams")


@pytest.mark.parametrize("scenario", ["site_failure", "move_master"])
def test_the_scenario_says_which_plan_is_made(continuity, scenario):
    made = planned(continuity, scenario=scenario)
    assert (made["scenario"], made["survivor"]) == (scenario, "ams")


@pytest.mark.parametrize("drop", ["scenario", "run_id", "failed_site", "reachable"])
def test_missing_key_is_named(continuity, drop):
    request = {key: value for key, value in REQUEST.items() if key != drop}
    with pytest.raises(AnsibleFilterError, match=drop):
        FILTERS["continuity_plan"](continuity, DECISION, None, request)


def test_a_move_to_nowhere_is_named(continuity):
    with pytest.raises(AnsibleFilterError, match="to_site"):
        FILTERS["continuity_plan"](continuity, DECISION, None, {"scenario": "move_master", "run_id": "r1"})


@pytest.mark.parametrize("wrong", [{"failed_site": "mars"}, {"scenario": "mars"}])
def test_site_or_scenario_that_is_none_is_named(continuity, wrong):
    with pytest.raises(AnsibleFilterError, match="mars"):
        FILTERS["continuity_plan"](
            continuity, {"verdict": "SITE_DOWN", "site": "mars", "evidence": []}, None, {**REQUEST, **wrong}
        )


def test_record_without_a_key_is_named():
    with pytest.raises(AnsibleFilterError, match="host"):
        FILTERS["done_steps"]([{"id": "r1", "step": "fence", "at": "2026-01-31T03:14:15Z"}], "r1")


def test_what_became_of_it(continuity):
    made = planned(continuity)
    outcome = FILTERS["plan_outcome"](made, {}, "2026-01-31T03:14:15Z", [])
    assert (outcome["ok"], outcome["status"]) == (False, "open")
    assert FILTERS["must_undo"](made, {}, []) is False


@pytest.mark.parametrize("name", sorted(FILTERS))
def test_every_filter_is_documented_under_its_name(name):
    documented = yaml.safe_load((FOLDER / f"{name}.yml").read_text())
    assert documented["DOCUMENTATION"]["name"] == name
    assert {"EXAMPLES", "RETURN"} <= set(documented)
