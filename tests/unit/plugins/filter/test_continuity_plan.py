# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan's filters as Ansible offers them."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.contactcenter.sip_dr.plugins.filter.failover_plan import FilterModule

FILTERS = FilterModule().filters()
REQUEST = {"run_id": "r1", "failed_site": "fra", "reachable": []}


def test_plan_and_its_text(continuity):
    made = FILTERS["failover_plan"](continuity, {"verdict": "SITE_DOWN", "site": "fra"}, None, REQUEST)
    assert made["survivor"] == "ams"
    assert FILTERS["plan_text"](made)[0].startswith("Run r1, failover of fra to ams")


@pytest.mark.parametrize(
    ("drop", "named"), [("run_id", "run_id"), ("failed_site", "failed_site"), ("reachable", "reachable")]
)
def test_missing_key_is_named(continuity, drop, named):
    request = {key: value for key, value in REQUEST.items() if key != drop}
    with pytest.raises(AnsibleFilterError, match=named):
        FILTERS["failover_plan"](continuity, {"verdict": "SITE_DOWN", "site": "fra"}, None, request)


def test_site_that_is_none_is_named(continuity):
    with pytest.raises(AnsibleFilterError, match="mars"):
        FILTERS["failover_plan"](
            continuity, {"verdict": "SITE_DOWN", "site": "mars"}, None, dict(REQUEST, failed_site="mars")
        )


def test_record_without_a_key_is_named():
    with pytest.raises(AnsibleFilterError, match="host"):
        FILTERS["done_steps"]([{"id": "r1", "step": "fence", "at": "2026-01-31T03:14:15Z"}], "r1")
