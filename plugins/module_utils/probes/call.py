# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind `call`: test calls to a number, through a gateway or straight to a SIP Server. Parameters: address, port,
transport, dn. Calls go over UDP and TCP; over TLS none is placed, and the answer is unknown.

A call is completed when it is answered and its media comes back. A call that is refused for load (busy), or because
nobody may call without a password, proves neither a dead site nor a living one:

- 486 and 600 are a busy callee, 603 one that declines: each was reached (RFC 3261 21.4.24, 21.6.1, 21.6.2).
- 503 is overload or maintenance (21.5.4), and what a gateway says itself when it reaches no site; the two cannot be
  told apart.
- 401 and 407 want credentials (21.4.2, 21.4.8), which a test call does not have.

- 500 with Retry-After is a condition that passes (21.5.1).

Everything else that is no answer is a call that failed: 500 above all, which SIP gives no meaning but an unexpected
condition, 404 and 480 because the number is there to be always reachable, and silence. A proxy hands a 503 on as 500
(16.7, step 6): a gateway that does so must be asked over a way without it, or its overload is taken for a defect.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Answer, Settings, answer
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.call import Callee, CallOutcome, place_calls

BUSY = (486, 503, 600, 603)
CHALLENGED = (401, 407)


def look(check: Mapping[str, Any], settings: Settings) -> Answer:
    """Place call_tries calls at once, and judge them by call_quorum; seconds: call_deadline and the hanging up."""
    callee = Callee(check["address"], str(check["dn"]), int(check.get("port", 5060)), check.get("transport", "udp"))
    outcomes = place_calls([callee] * settings.call_tries, settings.call_settings())
    return judge(outcomes, settings.call_quorum)


def judge(outcomes: Sequence[CallOutcome], quorum: int) -> Answer:
    """up: `quorum` calls were completed. down: so many failed that it could not be met, if the rest had been completed.

    Else unknown, as with a quorum that could never be met. answered: a call was accepted; any other response may be the
    gateway's own word. made, completed, busy: numbers of calls. statuses: {final status: calls}, `none` for no final
    response. rtt: median seconds until the answer, None without one.
    """
    completed = sum(one.completed for one in outcomes)
    excused = sum(_is_excused(one) for one in outcomes)
    value = "up" if completed >= quorum else "down" if completed + excused < quorum <= len(outcomes) else "unknown"
    counts = Counter(str(one.status) for one in outcomes if one.status is not None)
    return answer(
        value,
        any(one.answered for one in outcomes),
        _detail(outcomes, completed),
        made=len(outcomes),
        completed=completed,
        busy=sum(_is_busy(one) for one in outcomes),
        statuses={**counts, "none": sum(one.status is None for one in outcomes)},
        rtt=_median([one.rtt for one in outcomes if one.answered]),
    )


def _is_excused(outcome: CallOutcome) -> bool:
    """No word about the other end: refused for load, for want of a password, or never sent."""
    unsent = outcome.status is None and outcome.invites == 0
    return _is_busy(outcome) or outcome.status in CHALLENGED or unsent


def _is_busy(outcome: CallOutcome) -> bool:
    return outcome.status in BUSY or (outcome.status == 500 and outcome.retry_after)


def _detail(outcomes: Sequence[CallOutcome], completed: int) -> str:
    troubles = Counter(_trouble(one) for one in outcomes if not one.completed)
    troubles += Counter("BYE was not answered" for one in outcomes if one.completed and not one.ended)
    parts = [f"{count} x {words}" for words, count in troubles.most_common()]
    return ", ".join([f"{completed} of {len(outcomes)} calls completed", *parts])


def _trouble(outcome: CallOutcome) -> str:
    if outcome.answered:
        return outcome.error or f"no media ({outcome.received} packets came back, {outcome.sent} were sent)"
    if outcome.status is not None:
        return f"{outcome.status} {outcome.reason}".rstrip()
    heard = f"no answer after {outcome.provisional}" if outcome.provisional else "silence"
    said = heard if outcome.invites else "could not be sent"
    return f"{said}: {outcome.error}" if outcome.error else said


def _median(times: Sequence[Optional[float]]) -> Optional[float]:
    known = [time for time in times if time is not None]
    return median(known) if known else None
