# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example inventory as data: what is shown to users is what the tests stand on."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.deployment_check import check_deployment

EXAMPLE = Path(__file__).parents[3] / "inventories" / "example"


@pytest.fixture(scope="session")
def _example_files():
    variables = yaml.safe_load((EXAMPLE / "group_vars" / "all" / "continuity.yml").read_text())
    hosts = {}
    for group in yaml.safe_load((EXAMPLE / "hosts.yml").read_text())["all"]["children"].values():
        hosts.update({name: data["ansible_host"] for name, data in group["hosts"].items()})
    return variables, hosts


@pytest.fixture
def example(_example_files):
    """Return the continuity_* variables of the example inventory; the test may change them."""
    return copy.deepcopy(_example_files[0])


@pytest.fixture
def example_hosts(_example_files):
    """Return ansible_host of each host of the example inventory; the test may change them."""
    return dict(_example_files[1])


@pytest.fixture
def continuity(example, example_hosts):
    """Return the example's data, checked and with its defaults filled in."""
    checked, problems = check_deployment(example, example_hosts.get)
    assert problems == []
    return checked
