# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of one SIP request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.message import Message
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.requests import Request


@dataclass(frozen=True)
class Outcome:
    """What became of one request.

    status, reason, response: of the final response; None and empty without one.
    rtt: seconds from the first sending to that response; of the repetition, where credentials were asked for. On a
    stream, the time to connect is not in it.
    sent: how often the request was sent, repetitions with credentials among them; a connection that was tried counts.
    provisional: the last 1xx. error: why it could not be sent, what the connection met, why credentials were not used.
    answered: whether anything came back, be it a provisional response or a connection that was accepted or refused.
    """

    request: Request
    status: Optional[int] = None
    reason: str = ""
    response: Optional[Message] = None
    rtt: Optional[float] = None
    sent: int = 0
    provisional: Optional[int] = None
    error: str = ""
    answered: bool = False


def words(error: Exception) -> str:
    """An error for a person: the system's own text where it has one."""
    return str(getattr(error, "strerror", None) or error or type(error).__name__)
