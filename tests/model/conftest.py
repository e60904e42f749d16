# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mark of the deeper explorations."""

from __future__ import annotations


def pytest_configure(config):
    """Register the mark of what ``scripts/test`` leaves to the long run."""
    config.addinivalue_line("markers", "soak: deeper bounds, many minutes; SIP_DR_MODEL_SOAK=1 runs them")
