# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIP client for many requests at once, over UDP, TCP and TLS, IPv4 and IPv6.

UDP goes over one socket for each address family, TCP and TLS over one connection for each request. Nothing here raises
because the other end is dead, slow, rude or unknown: that is in the Outcome.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Callable, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.digest import Credentials
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.outcome import Outcome
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.pacer import Pacer
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.requests import Request
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.stream import Tls, over_stream
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.transaction import (
    Transaction,
    new_branch,
    new_tag,
    new_tokens,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.udp import T2, Timing, over_udp

__all__ = ["T2", "Credentials", "Outcome", "SipClient", "Tls", "new_branch"]

TRANSPORTS = ("udp", "tcp", "tls")
STREAMS_AT_ONCE = 200  # each is a thread


@dataclass(frozen=True)
class SipClient:
    """Sends requests and waits for their final responses.

    local_address: the address to send from (default: the system's choice). t1: seconds to the first retransmission,
    doubled up to T2. tries: the most sendings of one request. deadline: seconds until a request is given up.
    window: requests under way at once, TCP and TLS at most 200 of them; n requests to dead phones therefore take up to
    ceil(n / window) * deadline. rate: beginnings a second, None for as fast as answers come; retransmissions and
    repetitions with credentials come on top. credentials: answer 401 and 407 with these. tls: certificates.
    A name instead of an address is resolved by the system in its own time.
    """

    local_address: Optional[str] = None
    t1: float = 0.2
    tries: int = 6
    deadline: float = 8.0
    window: int = 100
    rate: Optional[float] = None
    credentials: Optional[Credentials] = None
    tls: Tls = Tls()

    def request_many(
        self, requests: Sequence[Request], finished: Callable[[Outcome], None] = lambda outcome: None
    ) -> list[Outcome]:
        """One outcome per request, in the same order. Blocks until each has its final response or its deadline.

        finished: called with each outcome as soon as it is known, from several threads where there are streams.
        Raises ValueError for an unknown transport, OSError when a file of `tls` cannot be used.
        """
        if not all(request.transport in TRANSPORTS for request in requests):
            raise ValueError(f"the transport of a SIP request is one of {', '.join(TRANSPORTS)}")
        context = self.tls.context() if any(request.transport == "tls" for request in requests) else None
        pacer = Pacer(self.rate)
        streams = [(index, request) for index, request in enumerate(requests) if request.transport != "udp"]
        with ThreadPoolExecutor(max_workers=max(1, min(self.window, STREAMS_AT_ONCE, len(streams)))) as pool:
            tag, tokens = new_tag(), new_tokens(len(streams))
            asked: dict[int, Future[Outcome]] = {}
            for (index, request), token in zip(streams, tokens):
                transaction = Transaction(request, token, tag, credentials=self.credentials)
                asked[index] = pool.submit(self._over_stream, transaction, context, pacer, finished)
            outcomes = self._over_udp(requests, pacer, finished)
            outcomes.update({index: future.result() for index, future in asked.items()})
        return [outcomes[index] for index in range(len(requests))]

    def request(self, request: Request) -> Outcome:
        """The outcome of a single request."""
        return self.request_many([request])[0]

    def _over_udp(
        self, requests: Sequence[Request], pacer: Pacer, finished: Callable[[Outcome], None]
    ) -> dict[int, Outcome]:
        chosen = [(index, request) for index, request in enumerate(requests) if request.transport == "udp"]
        timing = Timing(self.t1, self.tries, self.deadline, self.window)
        return over_udp(chosen, timing, pacer, self.local_address, self.credentials, finished) if chosen else {}

    def _over_stream(
        self,
        transaction: Transaction,
        context: Optional[ssl.SSLContext],
        pacer: Pacer,
        finished: Callable[[Outcome], None],
    ) -> Outcome:
        threading.Event().wait(pacer.take(time.monotonic()))
        secured = context if transaction.request.transport == "tls" else None
        outcome = over_stream(transaction, self.local_address, self.tls, secured, self.deadline)
        finished(outcome)
        return outcome
