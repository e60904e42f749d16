# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One round of NOTIFYs: phones are asked to read their file again, at a jittered pace, and their answers are counted.

An answer proves nothing and none is a failure: 481 is what a phone must say that takes no NOTIFY outside of a
subscription (RFC 6665 4.1.3), 401 that it wants a digest and there are no credentials, or that it refused them, silence
that it drops what does not come from its server. The phone reads its file at its next interval then, and what counts is
the registrar's list.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import replace
from typing import Dict, List, Optional, Set

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import Phone
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.registry import Drivers
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.client import Outcome, SipClient
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.pacer import slot_of
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.requests import Request, check_sync

SILENT, NOT_ASKED = "silent", "not_asked"


class NotifyRound:
    """The phones of one round; `run` blocks until each has answered or was given up, others may look meanwhile."""

    def __init__(self, phones: List[Phone], drivers: Drivers, client: SipClient, rate: int) -> None:
        """rate: NOTIFYs in any second, at most. client: its timers are taken, and its credentials for those who ask."""
        events = {phone.name: drivers.of(phone).check_sync for phone in phones}
        asked = [phone for phone in phones if events[phone.name]]
        # In random order, for phones that stand beside each other in the inventory share a switch and a building.
        random.shuffle(asked)
        self.not_asked = sorted(name for name, event in events.items() if not event)
        self.seconds = len(asked) * slot_of(rate)
        """How long it takes until the last phone has been asked."""
        # Silent phones must not hold up the pace: there is room for all that are asked within the deadline.
        self._client = replace(client, rate=rate, window=client.window + math.ceil(rate * client.deadline))
        self._requests = [_request(phone, events[phone.name]) for phone in asked]
        self._names = {id(request): phone.name for request, phone in zip(self._requests, asked)}
        self._open: Set[str] = set(self._names.values())
        self._notified: Dict[str, Optional[int]] = {}

    def run(self) -> None:
        """Ask all of them."""
        self._client.request_many(self._requests, self._note)

    @property
    def of(self) -> int:
        """How many are asked."""
        return len(self._requests)

    @property
    def done(self) -> int:
        """How many have answered or were given up."""
        return len(self._notified)

    def is_open(self, name: str) -> bool:
        """Whether the phone is still to be asked, or to answer: no use to look for it yet."""
        return name in self._open

    @property
    def notified(self) -> Dict[str, Optional[int]]:
        """The status of each answer by phone, None for silence; complete after `run`."""
        return dict(sorted(self._notified.items()))

    @property
    def answers(self) -> Dict[str, int]:
        """How many gave each answer: by status, `silent`, and `not_asked`."""
        found = Counter(str(status or SILENT) for status in self._notified.values())
        if self.not_asked:
            found[NOT_ASKED] = len(self.not_asked)
        return dict(sorted(found.items()))

    def _note(self, outcome: Outcome) -> None:
        name = self._names[id(outcome.request)]
        self._notified[name] = outcome.status
        self._open.discard(name)


def _request(phone: Phone, event: str) -> Request:
    return check_sync(phone.address, phone.dn, phone.port, phone.transport, event=event)
