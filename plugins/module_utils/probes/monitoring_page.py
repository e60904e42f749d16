# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind `monitoring_page`: SIP Server's HTTP monitoring page.

Parameters: address, port, path, dn (to ask for a trunk).
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import (
    Answer,
    Settings,
    answer,
    no_connection,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.page import (
    MAX_PAGE_BYTES,
    peer_trunk,
    run_mode,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.trunk_page import trunk_state


def look(check: Mapping[str, Any], settings: Settings) -> Answer:
    """With dn: is that trunk in service? Without: does the page come, its `run_mode` and `peer_trunk`.

    run_mode: primary, backup or unknown. peer_trunk: the option dr-peer-trunk, only where the page tells it.
    """
    started = time.monotonic()
    try:
        status, page = fetch(check, settings)
    except http.client.HTTPException as error:
        return answer("unknown", True, f"no HTTP answer: {type(error).__name__}")
    except OSError as error:
        return _no_page(check, no_connection(error, check["address"]))
    if status != 200:
        return _no_page(check, answer("down", True, f"HTTP {status}"))
    rtt = time.monotonic() - started
    return {**(_trunk(check, page, settings) if "dn" in check else _mode(page, settings)), "rtt": rtt}


def fetch(check: Mapping[str, Any], settings: Settings) -> tuple[int, str]:
    """HTTP status and text of a page. Raises OSError and http.client.HTTPException."""
    connection = http.client.HTTPConnection(check["address"], int(check["port"]), timeout=settings.connect_timeout)
    try:
        connection.request("GET", check["path"])
        response = connection.getresponse()
        return response.status, response.read(MAX_PAGE_BYTES).decode("utf-8", errors="replace")
    finally:
        connection.close()


def _mode(page: str, settings: Settings) -> Answer:
    mode = run_mode(page, settings.page_names)
    peer = peer_trunk(page, settings.page_names)
    told = {} if peer is None else {"peer_trunk": peer}
    return answer("up", True, f"run mode {mode}", run_mode=mode, **told)


def _trunk(check: Mapping[str, Any], page: str, settings: Settings) -> Answer:
    state = trunk_state(page, check["dn"], settings.page_names)
    if state is None:
        return answer("unknown", True, f"the page does not tell about {check['dn']}")
    return answer("up" if state else "down", True, f"{check['dn']} {'in' if state else 'out of'} service")


def _no_page(check: Mapping[str, Any], failure: Answer) -> Answer:
    """Without its page a trunk's state is not known: only the server's own word can say that it is out of service."""
    return {**failure, "value": "unknown", "answered": False} if "dn" in check else failure
