# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard's way to the coordination store: one request at a time, and whatever happens is an outcome."""

from __future__ import annotations

from typing import Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import StoreError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.etcd import TicketStore, ticket_of
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.etcd_client import (
    Committed,
    EtcdClient,
    read_settings,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import core

TRIES = 4
"""How many answers must fit between a renewal and the kill: a member that hangs must not use up the time."""


class TicketWay:
    """Sends what the guard asks for. The settings are read again until they can be used."""

    def __init__(self, settings: str, time: float) -> None:
        """`settings`: path of the client's settings; `time`: seconds between a renewal and the kill."""
        self._path = settings
        self._timeout = time / TRIES
        self._tickets: Optional[TicketStore] = None

    def ask(self, request: core.Request) -> core.Outcome:
        """Send a request and return its outcome; what went wrong is Failed, with the reason."""
        try:
            return self._asked(self._opened(), request)
        except (StoreError, OSError) as error:
            return core.Failed(str(error))

    def _opened(self) -> TicketStore:
        if self._tickets is None:
            settings = read_settings(self._path)
            patience = min(settings.timeout, self._timeout)
            self._tickets = TicketStore(EtcdClient(settings._replace(timeout=patience)))
        return self._tickets

    @staticmethod
    def _asked(tickets: TicketStore, request: core.Request) -> core.Outcome:
        if isinstance(request, core.Read):
            found = tickets.read()
            return core.Found(found.revision, found.ticket)
        answer = tickets.write(request.ticket, request.expected_revision)
        if isinstance(answer, Committed):
            return core.Committed(answer.revision)
        lying = ticket_of(answer)
        return core.Conflict(lying.revision, lying.ticket)
