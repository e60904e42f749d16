# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind `running_calls`: how many calls run now, by SIP Server's HTTP monitoring page.

Parameters: address, port, path. That the page tells current calls is documented (SIP Server HTTP Monitoring Interface,
modules sipCallManager and sipTrunkStatistics); how the element is called is not, so its names can be replaced.
"""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from typing import Any

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Answer, Settings, answer
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.monitoring_page import fetch
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.page import running_calls


def look(check: Mapping[str, Any], settings: Settings) -> Answer:
    """`calls`: the figure, or None. up when it was read, else unknown: a page that is missing counts no calls."""
    try:
        status, page = fetch(check, settings)
    except (OSError, http.client.HTTPException) as error:
        return answer("unknown", False, f"no page: {error or type(error).__name__}", calls=None)
    if status != 200:
        return answer("unknown", True, f"HTTP {status}", calls=None)
    figure = running_calls(page, settings.page_names)
    if figure is None:
        return answer("unknown", True, "the page does not tell how many calls run", calls=None)
    return answer("up", True, f"{figure} calls", calls=figure)
