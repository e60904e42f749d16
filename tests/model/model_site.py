# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One site's host and its guard: what the real guard says is done to the writers, turn after turn."""

from __future__ import annotations

from functools import lru_cache

from model_guard import exchanged, fresh, new_guard, outdated, passed, ticked
from model_setting import Setting
from model_world import Site, World, runs_on, with_site, writable

PASSES, LOOKS, WAITS = "passes", "looks", "waits"


def with_database(site: Site, **change: object) -> Site:
    """The site with its database changed."""
    return site._replace(database=site.database._replace(**change))


def killed(site: Site) -> Site:
    """Every writer on the host is killed; a standby goes on."""
    site = site._replace(server=False, starting=False)
    return site if site.database.recovery else with_database(site, up=False)


def restarted(site: Site, index: int, setting: Setting) -> Site:
    """The guard's process ends: its unit kills the writers and starts it anew."""
    site = killed(site) if setting.has("writers die with the guard") else site
    return site._replace(guard=new_guard(index, setting.replication, setting.standing), stuck=0)


@lru_cache(maxsize=1_000_000)
def turned(site: Site, lying: int, late_clock: bool, index: int, setting: Setting, why: str) -> tuple[Site, int]:
    """The site after its guard's turn, and the ticket that it wrote over the one that lies there (0: none).

    why: time `passes` by one renewal; time passes, and the store's answer is still `waits`-ed for; the guard `looks`
    now, because its host was thawed or the answer is there.
    """
    if why != LOOKS and site.guard:
        site = site._replace(guard=passed(site.guard))
    if not runs_on(site) or not site.guard:
        return site, 0
    if site.stuck:
        site = restarted(site, index, setting) if setting.has("watchdog") else site
        return site._replace(late=False, due=False), 0
    site = _looked(site, late_clock, setting)
    if why == WAITS:
        return site._replace(late=False, due=True), 0
    site, wrote = asked(site, lying, "heard" if site.store else "none")
    site = _looked(site, late_clock, setting)._replace(late=False, due=False)
    if not fresh(site.guard, late_clock) and setting.has("killed again without a lease"):
        site = killed(site)
    return site, wrote


def asked(site: Site, lying: int, answer: str) -> tuple[Site, int]:
    """The site after its guard asked the store, and what it wrote there."""
    done = exchanged(site.guard, lying, answer)
    return site._replace(guard=done.guard), done.wrote


def _looked(site: Site, late_clock: bool, setting: Setting) -> Site:
    guard, actions = ticked(site.guard, late_clock)
    site = site._replace(guard=guard)
    for action in actions:
        if action == "kill" and setting.has("dead-man"):
            site = killed(site)
        if action == "start" and not site.database.recovery:
            site = site._replace(starting=True)
    return _started(site) if site.starting and fresh(site.guard, late_clock) else site


def _started(site: Site) -> Site:
    """The database first; the Configuration Server once it accepts writes."""
    site = with_database(site, up=True)
    return site._replace(server=True, starting=False) if writable(site) else site


def booted(site: Site, setting: Setting) -> Site:
    """The power is back: a standby starts by itself; a writer is started by nobody but the guard."""
    by_itself = site.database.recovery or not setting.has("boot means acquire")
    site = with_database(site._replace(on=True), up=by_itself)
    return site._replace(server=not setting.has("boot means acquire") and not site.database.recovery)


def off(site: Site, index: int, setting: Setting) -> Site:
    """The power is gone, and with it all that ran."""
    site = with_database(site, up=False)._replace(on=False, frozen=False, late=False, due=False, stuck=0)
    return site._replace(guard=new_guard(index, setting.replication, setting.standing), server=False, starting=False)


def committed(world: World, number: int) -> World:
    """The world after a write of the ticket: whoever has seen another revision has seen an older one."""
    for index, site in enumerate(world.sites):
        if site.guard:
            world = with_site(world, index, guard=outdated(site.guard))
    runs = tuple(run._replace(same=False, age=0) if run.same else run for run in world.runs)
    return world._replace(ticket=number, runs=runs)


def writers_stopped(site: Site) -> bool:
    """Whether nothing on the host can write: no Configuration Server, and no database but a standby."""
    return not site.server and (site.database.recovery or not site.database.up)
