# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens in a chaos run, from its seed alone: the same seed tells the same story."""

from __future__ import annotations

import random
from dataclasses import dataclass

SITES = ("site1", "site2")
STEPS = ("freeze_writes", "revoke_ticket", "take_ticket", "promote_database", "start_config_server", "repoint_names")
"""Steps of a move whose begin a controller's death, or the return of a site, may wait for."""


@dataclass(frozen=True)
class Event:
    """Something that is done: when (seconds after the playbook began, or at the begin of one of its steps), and what.

    ``do``: words of ``lab/lab``; or ``kill-controller``, ``second-controller``.
    """

    after: float
    step: str
    do: tuple[str, ...]

    def __str__(self) -> str:
        when = f"at {self.step}" if self.step else f"after {self.after:.0f} s"
        return f"{when}: {' '.join(self.do)}"


@dataclass(frozen=True)
class Story:
    """One run: how the lab begins, what breaks first, which playbook a person starts, what else happens meanwhile."""

    seed: int
    replication: str
    master: str
    scenario: str
    first: tuple[tuple[str, ...], ...]
    playbook: tuple[str, ...]
    events: tuple[Event, ...]

    @property
    def words(self) -> str:
        """The story in a line."""
        first = "; ".join(" ".join(words) for words in self.first) or "nothing breaks"
        return f"{self.scenario} of {self.master}: {first}"


def story(seed: int) -> Story:
    """The story of a seed."""
    dice = random.Random(seed)
    master = dice.choice(SITES)
    other = SITES[1 - SITES.index(master)]
    scenario = dice.choice(("failover", "failover", "move", "partition"))
    first, playbook = {
        "failover": (_site_lost(dice, master), ("failover", "-e", f"continuity_failed_site={master}")),
        "move": ((), ("move_master", "-e", f"continuity_to_site={other}")),
        "partition": ((("cut", "site1", "site2"),), ("network_failure",)),
    }[scenario]
    events = tuple(_event(dice, master, other, scenario) for _ in range(dice.randint(1, 3)))
    return Story(
        seed=seed,
        replication=dice.choices(("sync", "async"), (4, 1))[0],
        master=master,
        scenario=scenario,
        first=first,
        playbook=playbook,
        events=tuple(sorted(events, key=lambda event: event.after)),
    )


def _site_lost(dice: random.Random, site: str) -> tuple[tuple[str, ...], ...]:
    """How a site is lost: its power, every way to it, or every way but the one between the sites."""
    everything = (("cut", site, "all"),)
    all_but_the_link = tuple(("cut", site, zone) for zone in ("carrier", "centre", "witness", "control"))
    return dice.choice(((("kill", site),), (("kill", site),), everything, all_but_the_link))


def _event(dice: random.Random, master: str, other: str, scenario: str) -> Event:
    old, new = _host(master), _host(other)
    seconds = str(dice.randint(8, 40))
    what = dice.choice(
        (
            ("kill-controller",),
            ("kill-controller",),
            ("second-controller",),
            ("freeze", dice.choice((old, new)), "--for", seconds),
            ("freeze", dice.choice((old, new)), "--for", seconds),
            ("revive", master) if scenario == "failover" else ("reboot", old, "--after", seconds),
            ("cut", dice.choice((old, new)), "witness", "--for", seconds),
            ("cut", "site1", "site2", "--for", seconds),
            ("cut", dice.choice((old, new)), "control", "--for", seconds),
            ("kill", dice.choice((old, new)), "postgresql@15-main.service"),
            ("kill", dice.choice((old, new)), "sip-dr-guard.service"),
            ("freeze", dice.choice((old, new)), "sip-dr-guard.service", "--for", seconds),
        )
    )
    at_a_step = scenario != "partition" and dice.random() < 0.5
    return Event(dice.uniform(1, 45), dice.choice(STEPS) if at_a_step else "", what)


def _host(site: str) -> str:
    return f"s{site[-1]}-cfg"
