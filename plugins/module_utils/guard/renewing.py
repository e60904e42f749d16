# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard's way to the coordination store: one request at a time, and whatever happens is an outcome."""

from __future__ import annotations

import os
from typing import Optional, Tuple

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
    """Sends what the guard asks for. The settings are read again until they can be used, and once they changed.

    That is looked for when a request fails: until then the old password, or authority, serves.
    """

    def __init__(self, settings: str, time: float) -> None:
        """`settings`: path of the client's settings; `time`: seconds between a renewal and the kill."""
        self._path = settings
        self._timeout = time / TRIES
        self._client: Optional[EtcdClient] = None
        self._files: Tuple[str, ...] = (settings,)
        self._read_as = _versions(self._files)

    def ask(self, request: core.Request) -> core.Outcome:
        """Send a request and return its outcome; what went wrong is Failed, with the reason."""
        try:
            return self._asked(TicketStore(self._opened()), request)
        except (StoreError, OSError) as error:
            self._take_changed_settings()
            return core.Failed(str(error))

    def close(self) -> None:
        """Close the connection; the next request opens one again."""
        if self._client is not None:
            self._client.close()

    def _opened(self) -> EtcdClient:
        if self._client is None:
            self._client = self._made()
        return self._client

    def _made(self) -> EtcdClient:
        # The versions first: what changes while it is read has changed.
        version = _versions((self._path,))
        settings = read_settings(self._path)
        files, read_as = (self._path, settings.ca_file), version + _versions((settings.ca_file,))
        made = EtcdClient(settings._replace(timeout=min(settings.timeout, self._timeout)))
        self._files, self._read_as = files, read_as
        return made

    def _take_changed_settings(self) -> None:
        if self._client is None or _versions(self._files) == self._read_as:
            return
        try:
            made = self._made()
        except (StoreError, OSError):
            # Not whole yet: the old ones may still do.
            return
        self._client.close()
        self._client = made

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


def _versions(files: Tuple[str, ...]) -> Tuple[Tuple[int, int, int], ...]:
    """Return what changes when a file does; zeros of one that is not there."""
    return tuple(_version(path) for path in files)


def _version(path: str) -> Tuple[int, int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return (0, 0, 0)
    return (found.st_ino, found.st_size, found.st_mtime_ns)
