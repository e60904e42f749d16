# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab as new and seen to be well, for each test that breaks it."""

from __future__ import annotations

import os

import pytest
from road import Road
from two_site_lab.lab import Lab


def pytest_configure(config):
    """Register the mark of the tests that ``scripts/test`` leaves to the long run."""
    config.addinivalue_line(
        "markers", "soak: breaks the lab for minutes; pytest tests/faults -m 'not soak' leaves it out"
    )


@pytest.fixture(scope="module")
def lab():
    """Return the lab of SIP_DR_LAB; it is as new again for whoever comes after the module."""
    chosen = Lab(os.environ.get("SIP_DR_LAB", "dr"))
    yield chosen
    Road(chosen, chosen.state.root).begin()


@pytest.fixture
def road(lab, tmp_path):
    """Return the road on a lab that was reset, after a health check that saw it NORMAL and so knows the master."""
    road = Road(lab, tmp_path)
    road.begin()
    assert road.health_check() == ("NORMAL", None, 0)
    yield road
    road.end()
