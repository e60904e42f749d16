# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind `database`: is a Configuration Database primary or standby, and how far behind is its standby.

Parameters: database_address, database_port.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Answer, Settings, answer
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.postgresql import look_at


def look(check: Mapping[str, Any], settings: Settings) -> Answer:
    """up: it answered, with `role` (primary, standby) and `lag` (bytes, None when unknown); down: nobody there."""
    view = look_at(check, settings.database, settings.connect_timeout, settings.probe_deadline)
    known = "up" if view.role != "unknown" else "unknown"
    return answer("down" if view.nobody else known, view.answered, view.detail, role=view.role, lag=view.lag)
