# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The small world of the model: two sites, the link between them, the ticket's store, controllers; and what may not be.

Everything is a value. Time goes in steps of one renewal; what counts seconds is kept as how long ago, so that the
number of states is finite. `guard`, `ticket` and `plan` are numbers of values that lie in a table (model_guard,
model_ticket, model_run).
"""

from __future__ import annotations

from typing import NamedTuple

NAMES = ("site1", "site2")
HOSTS = ("s1-cfg", "s2-cfg")


class Database(NamedTuple):
    """A site's Configuration Database. `fenced`: the timeline on which its writer was revoked, 0 for never."""

    up: bool = True
    recovery: bool = False
    open: bool = True
    fenced: int = 0
    timeline: int = 1
    waits: bool = False
    """Commits wait for the standby (synchronous_standby_names with remote_apply)."""
    lacks: bool = False
    """It lacks a write that was acknowledged to somebody."""
    frozen: bool = False
    """What a door recorded, so that `restore` knows what to give back."""


class Site(NamedTuple):
    """A site's one configuration host, with its guard (0: none runs) and what the host remembers of runs."""

    database: Database
    on: bool = True
    frozen: bool = False
    late: bool = False
    """Thawed, and the guard has not looked at the clock yet."""
    due: bool = False
    """Its guard has looked at the clock, but its answer from the store is still to come."""
    store: bool = True
    """Its way to the majority of the store."""
    managed: bool = True
    """The controllers' way to it."""
    guard: int = 0
    stuck: int = 0
    """For how long its guard has done nothing, 0 while it works."""
    server: bool = False
    """Its Configuration Server runs."""
    starting: bool = False
    """Its guard has acquired the ticket and has not started everything yet."""
    token: int = 0
    """The newest token that acted on the host."""


class Run(NamedTuple):
    """One run of a playbook that has not ended: where it is in its plan and what it has in hand."""

    number: int = 0
    plan: int = 0
    step: int = 0
    host: int = 0
    """The site on whose host the door is gone through."""
    left: tuple[int, ...] = ()
    """The hosts that the step still has to go to; Ansible asks them at once, so any of them may be next."""
    said: tuple[str, ...] = ()
    """How the step ended on the hosts that it was at, as `site:result`."""
    phase: int = 0
    results: tuple[tuple[str, ...], ...] = ()
    age: int = 0
    """How long it has seen the ticket's revision unchanged."""
    same: bool = False
    """Whether the revision it saw is still the one in the store."""
    proof: tuple[str, ...] = ()
    """The fence: its kind, and `stale` once it was seen too long ago."""
    lag: float | None = None
    """What was observed when the plan was made."""
    saved: bool = False
    """The frozen primary named the end of its log."""
    orphan: bool = False
    """Its controller is gone, or has given it up: only the door that it was in goes on."""


class World(NamedTuple):
    """Everything there is at one instant."""

    sites: tuple[Site, Site]
    ticket: int
    runs: tuple[Run, ...] = ()
    link: bool = True
    """The sites reach each other: replication."""
    token: int = 0
    lock: int = 0
    """The number of the run that has the lock, 0 for nobody."""
    begun: int = 0
    """What the hosts' journals say was done last: 0 nothing, 1 a step of the move, 2 one of its undo."""
    promoted: bool = False
    """They say that the promotion was."""
    last: str = ""
    """How the last run that ended did: done, refused, undone, waiting (for a person), killed."""
    late_clock: bool = False
    """The time until which the dead-man was disarmed is over."""
    faults: int = 0
    """How many faults may still happen."""
    kills: int = 0
    """How many controllers may still be killed."""
    starts: int = 0
    """How many runs may still be started."""
    named: int = 0
    """The site that the proxies' name of the master points at."""
    master: int = 0
    """The site at which a run saw the master last."""


def put(world: World, index: int, site: Site) -> World:
    """The world with this site."""
    if world.sites[index] == site:
        return world
    return world._replace(sites=(site, world.sites[1]) if index == 0 else (world.sites[0], site))


def with_site(world: World, index: int, **change: object) -> World:
    """The world with one site changed."""
    return put(world, index, world.sites[index]._replace(**change))


def with_database(world: World, index: int, **change: object) -> World:
    """The world with one site's database changed."""
    return with_site(world, index, database=world.sites[index].database._replace(**change))


def with_run(world: World, at: int, **change: object) -> World:
    """The world with one run changed."""
    runs = world.runs
    return world._replace(runs=(*runs[:at], runs[at]._replace(**change), *runs[at + 1 :]))


def without_run(world: World, at: int, last: str) -> World:
    """The world without a run that has ended."""
    return world._replace(runs=world.runs[:at] + world.runs[at + 1 :], last=last)


def runs_on(site: Site) -> bool:
    """Whether anything moves on the site's host."""
    return site.on and not site.frozen


def writable(site: Site) -> bool:
    """Whether the site's database is a primary that runs and that the Configuration Server may write to."""
    database = site.database
    return runs_on(site) and database.up and not database.recovery and database.open


def follows(world: World, index: int) -> bool:
    """Whether the database of a site streams from the other one's."""
    mine, theirs = world.sites[index], world.sites[1 - index]
    return (
        world.link
        and runs_on(mine)
        and runs_on(theirs)
        and mine.database.up
        and mine.database.recovery
        and theirs.database.up
        and not theirs.database.recovery
        and mine.database.timeline == theirs.database.timeline
    )


def acknowledges(world: World, index: int) -> bool:
    """Whether a write at this site would be acknowledged in this instant."""
    site = world.sites[index]
    return site.server and writable(site) and (not site.database.waits or follows(world, 1 - index))


def active(site: Site) -> bool:
    """Whether this site has an active master: its Configuration Server runs on a database that it can write to."""
    return site.server and writable(site)


def wrong(world: World) -> str | None:
    """What may never be, in words; None where all is well (decision.md, invariants 1 and 5)."""
    if acknowledges(world, 0) and acknowledges(world, 1):
        return "a write would be acknowledged at both sites in this instant"
    # For the tenth of a second between a thaw and the guard's next look no local dead-man can help (decision.md).
    if all(active(site) and not site.late for site in world.sites):
        return "two master Configuration Servers are active, each on a database that it can write to"
    if any(_without_all(world, index) for index in (0, 1)):
        return "a database is written to that lacks an acknowledged write, and nobody allowed that"
    return None


def _without_all(world: World, index: int) -> bool:
    site = world.sites[index]
    return site.database.lacks and (acknowledges(world, index) or (writable(site) and not site.late))


def settled(world: World) -> World:
    """The world after what happens by itself at once: writes are acknowledged, and replayed where somebody follows."""
    for index, site in enumerate(world.sites):
        lacking = world.sites[1 - index].database
        if acknowledges(world, index) and not site.database.waits and not lacking.lacks:
            world = with_database(world, 1 - index, lacks=True)
    return world


def about(world: World) -> str:
    """The world in a line."""
    sites = "; ".join(_about_site(name, site) for name, site in zip(NAMES, world.sites, strict=True))
    return sites + ("" if world.link else "; link cut")


def _about_site(name: str, site: Site) -> str:
    if not site.on:
        return f"{name} off"
    database = site.database
    role = "standby" if database.recovery else "primary"
    words = [
        f"{role} {'up' if database.up else 'down'}" + ("" if database.open or database.recovery else ", revoked"),
        "server runs" if site.server else "no server",
        *(["frozen"] if site.frozen else []),
        *(["guard stuck"] if site.stuck else []),
        *([] if site.store else ["store cut"]),
        *([] if site.managed else ["not managed"]),
    ]
    return f"{name} {', '.join(words)}"
