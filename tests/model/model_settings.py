# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is explored with every guard in force: each a story that decision.md or the issue of one writer names."""

from __future__ import annotations

from model_setting import Setting

MOVE, FAILOVER, BACK = ("move", 0), ("failover", 0), ("move", 1)

SETTINGS = (
    Setting(
        "planned move, one fault of any kind",
        (MOVE,),
        many=1,
        starts=1,
        faults=("power", "freeze", "store", "answer", "link", "isolated", "managed", "stuck", "guard", "database"),
    ),
    Setting("planned move, killed at every step and started again", (MOVE,), kills=1, starts=2, orphans=True),
    Setting(
        "site1 cut off, killed at every step",
        (FAILOVER,),
        faults=("isolated",),
        many=1,
        kills=1,
        starts=2,
        standing=True,
    ),
    Setting(
        "what a dead controller left lives on", (FAILOVER,), faults=("power",), many=1, kills=1, starts=2, orphans=True
    ),
    Setting("power fails and returns at the worst moment, twice", (FAILOVER,), faults=("power",), many=2, starts=2),
    Setting(
        "the store cut while the link is up", (FAILOVER,), faults=("store", "answer", "managed"), many=2, standing=True
    ),
    Setting("whole hosts frozen and thawed", (FAILOVER,), faults=("freeze", "managed"), many=2),
    Setting(
        "the door of a frozen survivor wakes up",
        (MOVE,),
        faults=("freeze",),
        many=1,
        struck=(1,),
        starts=2,
        orphans=True,
    ),
    Setting("disarmed, and cut off meanwhile", (FAILOVER,), faults=("disarm", "gone"), many=2, struck=(0,)),
    Setting("two controllers, one taken for dead", (MOVE,), starts=2, together=True, overtaking=True, orphans=True),
    Setting("one moves away, one moves back", (MOVE, BACK), starts=2, together=True, overtaking=True),
    Setting(
        "guards killed and standing still, databases that crash",
        (FAILOVER,),
        faults=("stuck", "guard", "database", "store", "managed"),
        many=2,
    ),
    Setting("a missing standby is no longer waited for", (FAILOVER,), faults=("link", "power"), many=2, degrades=True),
    Setting("started by hand", (FAILOVER,), faults=("start", "isolated"), many=2, struck=(0,)),
    Setting("asynchronous, the loss is allowed", (FAILOVER,), "async", faults=("power", "link"), many=2, people=True),
    Setting("asynchronous, no loss is allowed", (MOVE, FAILOVER), "async", faults=("power", "link"), many=2),
)

DEEPER = (
    Setting(
        "frozen while it is moved away, and moved back", (MOVE, BACK), faults=("freeze", "managed"), many=1, starts=2
    ),
    Setting("a door of a frozen host wakes up", (MOVE,), faults=("freeze",), many=1, starts=2, orphans=True),
    Setting("disarmed, armed again, cut off meanwhile", (FAILOVER,), faults=("disarm", "gone"), many=3, struck=(0,)),
    Setting("started by hand at either site", (FAILOVER,), faults=("start", "isolated"), many=2),
    Setting(
        "planned move, two faults of any kind",
        (MOVE,),
        many=2,
        faults=("power", "freeze", "store", "answer", "link", "managed", "stuck", "guard", "database"),
    ),
    Setting(
        "cut off, frozen or without power, killed at every step, what is left lives on",
        (FAILOVER,),
        faults=("isolated", "freeze", "power"),
        many=2,
        kills=1,
        starts=2,
        orphans=True,
    ),
    Setting("disarmed, cut off, frozen", (FAILOVER,), faults=("disarm", "answer", "freeze", "managed"), many=4),
    Setting(
        "two controllers, killed, one taken for dead, answers that come late",
        (MOVE, BACK),
        kills=1,
        starts=2,
        together=True,
        overtaking=True,
        orphans=True,
        uneven=True,
    ),
)
"""Bounds for the long run."""
