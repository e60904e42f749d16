# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a state when nothing else goes wrong: all is mended, runs go on, a person starts them again."""

from __future__ import annotations

from collections.abc import Callable

from model_faults import successors, time_passes
from model_guard import fresh, observed
from model_run import start
from model_setting import Setting
from model_site import booted, with_database
from model_world import NAMES, World, acknowledges, put, settled

Person = Callable[[World, Setting], tuple[str, int]]
"""Names the playbook that is started next, and the site that the configuration is to leave."""
AGAIN = 4
"""How often a person starts the playbook again before giving up."""
MOMENTS = 200
NOT_NOW = ("not reached", "dies", "started", "killed", "FAULT", "grow", "replays", "time passes")
LATE = "deadline is over"


def mended(world: World, setting: Setting) -> World:
    """The world with power, links, hosts, servers and clocks as they should be, and no faults to come."""
    for index, site in enumerate(world.sites):
        site = site if site.on else booted(site, setting)
        site = site._replace(frozen=False, store=True, managed=True, stuck=0)
        if site.database.recovery or fresh(site.guard, world.late_clock):
            site = with_database(site, up=True)
        world = put(world, index, site)
    return world._replace(link=True, faults=0, kills=0, starts=0)


def at_rest(world: World, setting: Setting) -> World:
    """The world once its runs have ended and nothing moves any more. AssertionError if that never happens."""
    following = successors(setting._replace(faults=()))
    still = 0
    for _ in range(MOMENTS):
        steps = [(words, after) for words, after in following(world) if not any(word in words for word in NOT_NOW)]
        well = [after for words, after in steps if LATE not in words]
        # A deadline ends only what does not come by itself.
        if well or (steps and still > 1):
            world, still = (well or [after for _words, after in steps])[0], 0
            continue
        later = settled(time_passes(world, setting))
        still = still + 1 if later == world else 0
        if still > 1 and not [run for run in world.runs if not run.orphan]:
            return world
        world = later
    raise AssertionError(f"no rest after {MOMENTS} moments: {world}")


def in_the_end(world: World, setting: Setting, choose: Person | None = None) -> tuple[World, int]:
    """The world after a person has started playbooks as often as it takes, and how often that was."""
    choose = choose or goes_on
    world = at_rest(mended(world, setting), setting)
    for again in range(AGAIN):
        if world.last == "done" and any(acknowledges(world, index) for index in (0, 1)):
            return world, again
        world = at_rest(start(world, *choose(world, setting), setting), setting)
    return world, AGAIN


def goes_on(world: World, setting: Setting) -> tuple[str, int]:
    """A person who plays the same again; where it refuses, the configuration goes back to where it was."""
    return setting.playbooks[0] if world.last != "refused" else ("move", 1 - setting.old)


def stays(world: World, setting: Setting) -> tuple[str, int]:
    """A person who wants the configuration at the site that has the ticket, or had it last."""
    ticket = observed(world.ticket)
    return "move", 1 - NAMES.index(ticket["holder"] or ticket["revoked_from"] or NAMES[setting.old])


def kept(world: World) -> tuple[object, ...]:
    """What counts of an end: who is written to, who follows, where the names point; without tokens and clocks."""
    sites = tuple(site._replace(guard=0, token=0) for site in world.sites)
    return sites, world.named
