# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the coordination store on this host says; read in the observing call, it costs no task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import StoreError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.registry import open_store
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Answer, Settings, answer


def look(check: Mapping[str, Any], settings: Settings) -> Answer:
    """Read the records and the lock. Parameters of the check: driver, directory; settings with driver etcd."""
    try:
        with open_store(check, check["directory"]) as store:
            found = store.read()
    except StoreError as error:
        return answer("unknown", False, str(error))
    return answer("up", True, f"{len(found['records'])} records", store=found)
