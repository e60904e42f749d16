# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Media gateways: where new calls go, one driver per make."""

from __future__ import annotations

CLOSED = frozenset({"audiocodes", "cisco_cube", "oracle"})
"""Drivers of makes on which no module can run: it runs on the controller, or on a host that manages the gateway."""
