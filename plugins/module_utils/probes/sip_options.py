# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind `sip_options`: SIP OPTIONS to one address. Parameters: address, port, transport."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Answer, Settings, answer
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.client import Outcome
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.requests import detail, grade, options


def look(check: Mapping[str, Any], settings: Settings) -> Answer:
    """up: any final response but 503 and 505; down: those two (answered) or none within probe_deadline."""
    request = options(check["address"], int(check.get("port", 5060)), check.get("transport", "udp"))
    return graded(settings.sip_client().request(request))


def graded(outcome: Outcome) -> Answer:
    """The outcome of an OPTIONS as an answer, with its round-trip time in seconds and the number of sendings."""
    value, answered = grade(outcome)
    return answer(value, answered, detail(outcome), rtt=outcome.rtt, sent=outcome.sent)
