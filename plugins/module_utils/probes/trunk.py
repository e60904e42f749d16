# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind `trunk`: our own look along an inter-site trunk, by the `oos-force` of its DN, from a host inside the site.

Parameters: address, port, transport, server_name (of the peer's SIP Server), oos_force (seconds, 0: not set). What the
two options mean on a SIP Server's DN is in no document that we could read; taken here is: `oos-check`, seconds between
two OPTIONS; `oos-force`, seconds without any answer until the DN is out of service. One look is one of those OPTIONS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Answer, Settings
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.sip_options import ask

AS_OFTEN_AS_FITS = 64  # sendings: the longest oos-force, 32 s, has room for fewer


def look(check: Mapping[str, Any], settings: Settings) -> Answer:
    """up: any final response but 503 and 505 within oos_force. down: those two, or nothing for the whole of it.

    Where the policy's `probe_deadline` ends before oos_force does, silence until then is unknown: not yet out of
    service. It is sent again as SIP does it, for a lost packet is no lost trunk: with `sip_t1` 0.2 s four times in 2 s,
    which at 5 % loss each way errs once in 11,000 looks.
    """
    oos_force = float(check.get("oos_force") or settings.probe_deadline)
    span = min(oos_force, settings.probe_deadline)
    client = replace(settings.sip_client(), deadline=span, tries=AS_OFTEN_AS_FITS)
    found = ask([check], client)[0]
    if found["value"] == "down" and not found["answered"]:
        silence = f"{found['detail']} in {span:g} s"
        if span < oos_force:
            return {**found, "value": "unknown", "detail": f"{silence}, of oos-force {oos_force:g} s"}
        return {**found, "detail": silence}
    return found
