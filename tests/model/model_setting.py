# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is explored: which playbooks, which faults, how many; and which guards are left out."""

from __future__ import annotations

from typing import NamedTuple


class Setting(NamedTuple):
    """One exploration. The defaults are the quietest world."""

    name: str = "quiet"
    playbooks: tuple[tuple[str, int], ...] = (("failover", 0),)
    """Which playbooks a person may start, each with the site that the configuration is to leave."""
    replication: str = "sync"
    faults: tuple[str, ...] = ()
    """What may happen, by the names of model_faults."""
    many: int = 0
    """How many of them at most in one history."""
    struck: tuple[int, ...] = (0, 1)
    """The sites at which faults of one site strike."""
    kills: int = 0
    starts: int = 1
    overtaking: bool = False
    """A live run's lock may be judged dead (it is slow, and nobody can see it)."""
    orphans: bool = False
    """The door that a dead or cut off controller was in may live on."""
    together: bool = False
    """A second run may be started while the first one is alive."""
    uneven: bool = False
    """A guard's answer from the store may come later than the other one's, with others acting in between."""
    degrades: bool = False
    """Commits may stop waiting for a standby that is missing too long."""
    standing: bool = False
    """Guards remember since when the ticket stands, and a fence counts that (it makes many more states)."""
    people: bool = False
    """Two people attest that the old site is off, and allow data loss."""
    without: frozenset[str] = frozenset()
    """Guards that are left out, by the names of model_mutations."""

    @property
    def old(self) -> int:
        """The site that has the ticket at first."""
        return self.playbooks[0][1]

    def has(self, guard: str) -> bool:
        """Whether a guard is in force."""
        return guard not in self.without
