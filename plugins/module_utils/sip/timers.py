# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The timers that every module takes that sends SIP requests; documented in doc_fragments/sip_timers.py."""

from __future__ import annotations

from typing import Any, Dict, Mapping

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.certificates import tls_of
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.client import SipClient

SIP_TIMERS: Dict[str, Any] = {
    "sip_t1": {"type": "float", "default": 0.2},
    "sip_tries": {"type": "int", "default": 6},
    "probe_deadline": {"type": "float", "default": 8.0},
}
"""The argument specification."""


def sip_client(params: Mapping[str, Any]) -> SipClient:
    """Return a client with the timers of a module's parameters, in seconds, and its `sip_tls` where it has that."""
    timers = {"t1": params["sip_t1"], "tries": params["sip_tries"], "deadline": params["probe_deadline"]}
    return SipClient(**timers, tls=tls_of(params.get("sip_tls")))
