# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for a database: for the end of the other side's log, and for a server that somebody else starts."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import DatabaseError, Replication
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.view import describe
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for

STILL = 10
"""Looks in a row at which nothing was applied: a record that was cut off half-way never is, a long one is in time."""


def drained(database: Replication, end: Optional[str], begins: bool = False) -> Callable[[], bool]:
    """Return what says at each look whether waiting for the log up to `end` is over; None: for what is here already.

    It is over when all of it is applied. It is over without that when nothing is received any more and everything that
    was is applied, or nothing has been applied for STILL looks: across a cut link, or from a server that was killed,
    no end of a log comes. What is lacking then is for the lag to say. `begins`: the receiver has only just been told to
    begin, so that its absence says nothing before it was seen once.
    """
    begun = [not begins]
    lefts: List[Optional[int]] = []

    def is_over() -> bool:
        # Asked first: what is received at the end of receiving is all that there will be.
        receives = database.receives()
        begun[0] = begun[0] or receives
        lefts.append(database.lag_to(None))
        return database.lag_to(end) == 0 or (begun[0] and not receives and _stands_still(lefts))

    return is_over


def _stands_still(lefts: List[Optional[int]]) -> bool:
    return lefts[-1] == 0 or (len(lefts) >= STILL and len(set(lefts[-STILL:])) == 1)


def running_again(database: Replication, deadline: float, interval: float) -> Dict[str, Any]:
    """Return the state of a server that its guard had killed, once it runs again.

    The guard starts it when its ticket is back; while it recovers it does not answer. Raises DatabaseError
    when it does not run within `deadline` seconds.
    """

    def runs() -> bool:
        try:
            return bool(database.state()["running"])
        except DatabaseError:
            return False

    wait_for(runs, deadline, interval)
    state = database.state()
    if not state["running"]:
        raise DatabaseError(f"frozen, and after {deadline:.0f} s {describe(state)}: start it, then again")
    return state
