# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guards, each with the world in which leaving it out is seen; docs/model.md is written from this table.

A guard either gives a counterexample when it alone is left out, or names the ones that cover it there: then leaving
them out with it gives one.
"""

from __future__ import annotations

from typing import NamedTuple

from model_setting import Setting
from model_settings import BACK, FAILOVER, MOVE


class Left(NamedTuple):
    """A guard to be left out: its name, what it says, where it is seen, and which others cover it there."""

    guard: str
    says: str
    seen: Setting
    covered_by: tuple[str, ...] = ()


_CUT_OFF = Setting("site1 cut off from everything", (FAILOVER,), faults=("isolated",), many=1)
_POWER = Setting("power fails and returns", (FAILOVER,), faults=("power",), many=1)
_OVERTAKEN = Setting(
    "a controller taken for dead, another one takes it back",
    (MOVE, BACK),
    starts=2,
    together=True,
    overtaking=True,
    orphans=True,
    uneven=True,
)
_DISARMED = Setting("disarmed, then cut off", (FAILOVER,), faults=("disarm", "isolated"), many=2)
_NO_STORE = Setting("cut off, and the survivor loses the store", (FAILOVER,), faults=("isolated", "store"), many=2)
_PROOFS = (
    "fence asked for before",
    "fence asked for at the commit",
    "lease asked for before",
    "lease asked for at the commit",
)
_ASYNC = Setting("power fails, asynchronous", (FAILOVER,), "async", faults=("power",), many=1)
_LEFT_BEHIND = Setting(
    "moved, and moved back before it is resynchronised", (MOVE, BACK), faults=("link",), many=1, starts=2
)

LEFT_OUT = (
    Left(
        "dead-man",
        "the guard kills the writers before its lease ends",
        _CUT_OFF,
        covered_by=("killed again without a lease",),
    ),
    Left(
        "killed again without a lease",
        "a guard without a lease kills whatever writes, turn after turn",
        _CUT_OFF,
        covered_by=("dead-man",),
    ),
    Left("boot means acquire", "no writer starts by a boot alone", _POWER._replace(many=2)),
    Left(
        "wrapper",
        "a Configuration Server or a database starts as a writer only with a fresh lease, whoever starts it",
        Setting("started by hand", (FAILOVER,), faults=("isolated", "start"), many=2),
    ),
    Left(
        "watchdog",
        "a guard that stands still is killed, and the writers with it",
        Setting("the guard stands still", (FAILOVER,), faults=("stuck", "isolated"), many=2),
    ),
    Left(
        "writers die with the guard",
        "the end of the guard's process kills the writers",
        Setting("the guard is killed", (FAILOVER,), faults=("guard", "isolated"), many=2),
        covered_by=("killed again without a lease",),
    ),
    Left(
        "ticket revoked before the fence",
        "the ticket is revoked before anything is concluded from it",
        Setting("site1 comes back and is cut off again", (FAILOVER,), faults=("isolated", "store"), many=2),
    ),
    Left("ticket_take waited for", "the revoked ticket must stand still for ticket_take", _CUT_OFF),
    Left(
        "armed, asked in the plan",
        "a ticket that says that its dead-man is not armed will never be a proof by running out",
        _DISARMED,
        covered_by=("armed, asked at the door",),
    ),
    Left(
        "armed, asked at the door",
        "the same, asked again when the ticket is revoked",
        _DISARMED,
        covered_by=("armed, asked in the plan",),
    ),
    Left(
        "writers seen stopped",
        "the old side's writers are seen stopped on their hosts",
        Setting("the store cut during a move", (MOVE,), faults=("store",), many=1),
        covered_by=("writes frozen first",),
    ),
    Left(
        "writes frozen first",
        "log-in and grants of the old writer are revoked before its ticket is",
        Setting("the store cut during a move", (MOVE,), faults=("store",), many=1),
        covered_by=("writers seen stopped",),
    ),
    Left(
        "each step waits for those before it",
        "a step of the move runs only after every step before it has ended well (may_go_on)",
        _NO_STORE,
        covered_by=_PROOFS,
    ),
    Left(
        "fence asked for before",
        "a promotion begins only on a good proof of the fence",
        _NO_STORE,
        covered_by=("each step waits for those before it", *_PROOFS[1:]),
    ),
    Left(
        "fence asked for at the commit",
        "the proof of the fence is asked for again just before the promotion",
        _NO_STORE,
        covered_by=("each step waits for those before it", _PROOFS[0], *_PROOFS[2:]),
    ),
    Left(
        "lease asked for before",
        "a promotion begins only with a fresh lease on the host",
        _NO_STORE,
        covered_by=("each step waits for those before it", *_PROOFS[:2], _PROOFS[3]),
    ),
    Left(
        "lease asked for at the commit",
        "the lease is asked for again just before the promotion",
        _NO_STORE,
        covered_by=("each step waits for those before it", *_PROOFS[:3]),
    ),
    Left(
        "lag, asked in the plan",
        "no plan promotes with a lag that is unknown or over the limit",
        _ASYNC,
        covered_by=("lag, asked at the door",),
    ),
    Left(
        "lag, asked at the door",
        "the lag is asked for again after the replication has stopped",
        _ASYNC,
        covered_by=("lag, asked in the plan",),
    ),
    Left(
        "sync of the revoked ticket",
        "a lag that is known from the ticket's sync counts only if the ticket said so when it was revoked",
        Setting("degraded meanwhile", (FAILOVER,), faults=("link", "power"), many=2, degrades=True),
    ),
    Left(
        "sync recorded before degrading",
        "the ticket says async before commits stop waiting for the standby",
        Setting("degraded", (FAILOVER,), faults=("link", "power"), many=2, degrades=True),
    ),
    Left(
        "token in the store",
        "the store refuses a ticket's write of a run that was overtaken",
        _OVERTAKEN,
        covered_by=("token on the host",),
    ),
    Left("token on the host", "a host refuses a run that was overtaken", _OVERTAKEN),
    Left(
        "undo refused beside a primary",
        "a ticket is not given back once its holder promoted",
        _OVERTAKEN,
    ),
    Left(
        "history",
        "a database that was left behind is never promoted",
        _LEFT_BEHIND,
        covered_by=("pre-flight",),
    ),
    Left("pre-flight", "nothing is begun with a survivor that is not fit", _LEFT_BEHIND, covered_by=("history",)),
)
