# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When waiting for the other side's log is over: applied, or nothing comes any more and nothing moves."""

from __future__ import annotations

from typing import Any, cast

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import Replication
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.drain import STILL, drained

END = "0/5000000"


class Standby:
    """What a standby says at each look: whether it receives, what it has still to apply, what it lacks of the end."""

    def __init__(self, *looks: tuple[bool, int | None, int | None]) -> None:
        self.looks = list(looks)

    def receives(self) -> bool:
        return self.looks[0][0]

    def lag_to(self, lsn: str | None) -> int | None:
        return self.looks[0][2 if lsn else 1]


def looks_until_over(standby: Standby, end: str | None = END, begins: bool = False) -> int | None:
    """How many looks it takes; None: it is not over at the last of them."""
    is_over = drained(cast(Replication, cast(Any, standby)), end, begins)
    for number in range(1, len(standby.looks) + 1):
        if is_over():
            return number
        standby.looks.append(standby.looks.pop(0))
    return None


@pytest.mark.parametrize(
    ("looks", "over"),
    [
        ([(True, 0, 9), (True, 0, 0)], 2),
        ([(True, 0, 9)] * 50, None),
        ([(False, 0, 9)], 1),
        ([(True, 5, 9), (False, 5, 9), (False, 2, 6), (False, 0, 4)], 4),
        ([(False, 5, 9)] * 50, STILL),
        ([(False, left, left + 9) for left in range(50, 0, -1)], None),
        ([(False, None, None)] * 50, STILL),
    ],
)
def test_it_is_over_when_it_is_here_or_cannot_come(
    looks: list[tuple[bool, int | None, int | None]], over: int | None
) -> None:
    assert looks_until_over(Standby(*looks)) == over


def test_a_receiver_that_has_only_just_been_told_to_begin_is_waited_for() -> None:
    assert looks_until_over(Standby(*[(False, 0, 9)] * 50), begins=True) is None
    assert looks_until_over(Standby((False, 0, 9), (True, 0, 9), (False, 0, 9)), begins=True) == 3


def test_what_is_here_already_is_applied_or_cut_off_half_way() -> None:
    assert looks_until_over(Standby((False, 3, None), (False, 0, None)), end=None) == 2
    assert looks_until_over(Standby(*[(False, 3, None)] * 50), end=None) == STILL
