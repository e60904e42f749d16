# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One change of the ticket: read, judged by a rule, written over what was read, and again when somebody was faster."""

from __future__ import annotations

from typing import Any, Callable, Mapping, NamedTuple, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.etcd import TicketStore
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.etcd_client import (
    Conflict,
    Unavailable,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.ticket import Ticket
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.sight import GuardError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import Step

Rule = Callable[[Ticket], Optional[Ticket]]
"""Of the ticket that lies there: the one to write, or None when nothing is to be written."""


class Moved(NamedTuple):
    """The ticket before and after a door; `changed` says whether they differ.

    `replaced`: the revision that the write took the place of, or that of the ticket where nothing was to be written.
    """

    before: Optional[Ticket]
    after: Ticket
    revision: int
    replaced: int
    changed: bool


class Change:
    """One change of the ticket, tried until it is settled."""

    def __init__(self, store: TicketStore, rule: Rule, run: Optional[Mapping[str, Any]], step: Step, dry: bool) -> None:
        """`run`: the run that acts, None outside one. `trouble` is what to raise when it was never settled."""
        self.trouble: Exception = GuardError("the ticket changed all the time")
        self._store, self._rule, self._run, self._step, self._dry = store, rule, run, step, dry
        self._unknown: Optional[Ticket] = None

    def settled(self) -> Optional[Moved]:
        """Return the move; None when it has to be tried again."""
        try:
            lying = self._store.read()
            if lying.ticket is None:
                raise GuardError("there is no ticket yet: install the guards, and say which site holds it first")
            wanted = self._rule(lying.ticket)
            if wanted is None or self._dry:
                # What lies there may be what was written when the answer was lost.
                changed = wanted is not None or self._unknown is not None
                return Moved(lying.ticket, wanted or lying.ticket, lying.revision, lying.revision, changed)
            self._step.assert_newest()
            self._unknown = wanted
            answer = self._store.write(wanted, lying.revision, self._run)
        except Unavailable as error:
            self.trouble = error
            return None
        if isinstance(answer, Conflict):
            self._unknown = None
            return None
        return Moved(lying.ticket, wanted, answer.revision, lying.revision, True)
