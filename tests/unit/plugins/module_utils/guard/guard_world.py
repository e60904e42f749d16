# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One guard, the store, and everything that may happen between them: one event after the other."""

from __future__ import annotations

from datetime import datetime, timezone

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import ticket as tickets
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import core

HOLD, MARGIN, TAKE = 4.0, 1.0, 4.0
RUN = {"id": "run", "token": 1}
EVENTS = ("asked", "lost", "unheard", "slow", "kept", "delivered", "revoked", "granted", "disarmed", "armed", "renewed")


def at(wall):
    """Return seconds since 1970 as the ticket writes them."""
    return datetime.fromtimestamp(wall, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class World:
    """The store holds `(revision, ticket)`; `under_way` is a write that left the guard and has not arrived."""

    def __init__(self, hosts=("s1-cfg",), ticket=None, pace=1.0, kills_within=4.0):
        self.pace = pace
        self.now = 100.0
        times = (HOLD, MARGIN, 0.5)
        self.guard = core.Guard(core.GuardSettings("site1", "s1-cfg", tuple(hosts), *times, kills_within=kills_within))
        self.revision = 1
        self.ticket = ticket or tickets.first("site1", hosts)
        self.under_way = None
        self.stands_since = self.now
        self.actions = []

    @property
    def runs(self):
        """Whether writers may run on the guard's host: started, and not killed since."""
        return self.guard.lease is not None

    @property
    def proven(self):
        """Whether a taker may conclude by now that the ticket has run out: it saw every revision at once."""
        taken = self.ticket["holder"] is None and self.ticket["revoked_from"] == "site1"
        waited = self.now - self.stands_since >= TAKE
        return taken and waited and tickets.observed(self.ticket)["armed"]

    def happens(self, event):
        """Let one event happen, and `pace` seconds pass."""
        getattr(self, event)()
        self.tick()
        self.now += self.pace
        self.tick()

    def tick(self):
        self.actions += self.guard.tick(self.now, self.now)

    def asked(self):
        request = self.guard.request(self.now)
        self.guard.reply(request, self.now, self.now, self._answer(request))

    def lost(self):
        request = self.guard.request(self.now)
        self.guard.reply(request, self.now, self.now, core.Failed("no answer"))

    def unheard(self):
        request = self.guard.request(self.now)
        self._answer(request)
        self.guard.reply(request, self.now, self.now, core.Failed("no answer"))

    def slow(self, later=2):
        """The request is applied at once, its answer comes `later` seconds after; ticks go on meanwhile."""
        request, sent = self.guard.request(self.now), self.now
        outcome = self._answer(request)
        for _second in range(later):
            self.now += 1
            self.tick()
        self.guard.reply(request, sent, self.now, outcome)
        self.tick()

    def kept(self):
        """The network keeps a write for later, and the guard hears nothing."""
        request = self.guard.request(self.now)
        if isinstance(request, core.Write):
            self.under_way = request
        self.guard.reply(request, self.now, self.now, core.Failed("no answer"))

    def delivered(self):
        if self.under_way is not None:
            self._apply(self.under_way)
            self.under_way = None

    def revoked(self):
        if tickets.may_acquire(self.ticket, "site1"):
            stands_since = self.stands_since
            self._store(tickets.revoked(self.ticket, "site1", RUN))
            self.stands_since = stands_since

    def granted(self):
        if self.ticket["holder"] is None:
            self._store(tickets.granted(self.ticket, "site1", RUN))

    def disarmed(self):
        if self.ticket["holder"] == "site1":
            self._store(tickets.disarmed(self.ticket, at(self.now + 20)))

    def armed(self):
        if self.ticket["holder"] == "site1":
            self._store(tickets.disarmed(self.ticket, None))

    def renewed(self):
        """Another host of the site renews."""
        if self.ticket["holder"] == "site1":
            self._store(tickets.renewed(self.ticket, "s1-cfg", "s1-cfg" in self.ticket["armed"], self.ticket["sync"]))

    def _answer(self, request):
        if isinstance(request, core.Read):
            return core.Found(self.revision, self.ticket)
        return self._apply(request)

    def _apply(self, write):
        if write.expected_revision != self.revision:
            return core.Conflict(self.revision, self.ticket)
        self._store(write.ticket)
        return core.Committed(self.revision)

    def _store(self, ticket):
        self.revision, self.ticket, self.stands_since = self.revision + 1, ticket, self.now
