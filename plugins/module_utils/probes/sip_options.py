# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind `sip_options`: SIP OPTIONS to one address. Parameters: address, port, transport, server_name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Answer, Settings, answer
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.client import Outcome, SipClient
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.requests import detail, grade, options_to


def look(check: Mapping[str, Any], settings: Settings) -> Answer:
    """up: any final response but 503 and 505; down: those two (answered) or none within probe_deadline."""
    return ask([check], settings.sip_client())[0]


def ask(endpoints: Iterable[Mapping[str, Any]], client: SipClient) -> list[Answer]:
    """An answer for each endpoint, in their order; unknown, with the reason, when a certificate of ours is unusable."""
    requests = [options_to(one) for one in endpoints]
    try:
        return [graded(outcome) for outcome in client.request_many(requests)]
    except OSError as error:
        return [answer("unknown", False, f"could not be asked: {error}", rtt=None, sent=0) for _ in requests]


def graded(outcome: Outcome) -> Answer:
    """The outcome of an OPTIONS as an answer, with its round-trip time in seconds and the number of sendings."""
    value, answered = grade(outcome)
    return answer(value, answered, detail(outcome), rtt=outcome.rtt, sent=outcome.sent)
