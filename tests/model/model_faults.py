# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to the two sites by itself: time, guards, faults and their end, people."""

from __future__ import annotations

from collections.abc import Iterator

import model_guard
import model_run
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import ticket as tickets
from model_doors import STALE
from model_guard import TAKE, UNTIL, changed, fresh, new_guard, settled_sync, wished
from model_setting import Setting
from model_site import LOOKS, PASSES, WAITS, asked, booted, committed, off, restarted, turned
from model_world import (
    NAMES,
    Database,
    Site,
    World,
    follows,
    put,
    runs_on,
    settled,
    with_database,
    with_run,
    with_site,
)

Following = Iterator[tuple[str, World]]


def first(setting: Setting) -> World:
    """The world at its best: the old site holds the ticket and is written to, the other one follows."""
    old, sync = setting.old, setting.replication == "sync"
    writer = Site(Database(waits=sync), server=True, guard=new_guard(old, setting.replication, setting.standing))
    standby = Site(Database(recovery=True), guard=new_guard(1 - old, setting.replication, setting.standing))
    lying = model_guard.ticket_number(tickets.first(NAMES[old], [model_guard.HOSTS[old]]))
    sites = (writer, standby) if old == 0 else (standby, writer)
    world = World(sites, lying, named=old)
    world = with_site(world, old, guard=wished(writer.guard, sync))
    for _ in range(6):
        world = time_passes(world, setting)
    return settled(world)._replace(faults=setting.many, kills=setting.kills, starts=setting.starts)


def successors(setting: Setting):
    """Everything that may follow a state of the world, each in words."""

    def following(world: World) -> Following:
        for words, after in _everything(world, setting):
            if after != world:
                yield words, settled(after)

    return following


def _everything(world: World, setting: Setting) -> Following:
    if not any(site.late or (site.due and runs_on(site)) for site in world.sites):
        yield "time passes", time_passes(world, setting)
        if setting.uneven:
            for index in (0, 1):
                yield f"time passes, {NAMES[index]} waits for its answer", time_passes(world, setting, index)
    for index in (0, 1):
        yield from _by_itself(world, index, setting)
        yield from _ends(world, index, setting)
    yield from _runs(world, setting)
    if world.faults:
        for name in setting.faults:
            for words, after in FAULTS[name](world, setting):
                yield f"FAULT: {words}", after._replace(faults=world.faults - 1)
    if not world.link:
        yield "the link between the sites is mended", world._replace(link=True)


def _runs(world: World, setting: Setting) -> Following:
    for at, run in enumerate(world.runs):
        yield from model_run.following(world, at, setting)
        if world.kills and not run.orphan:
            yield f"FAULT: the controller of run {run.number} is killed", model_run.kill(world, at, setting)
        if STALE not in run.proof and model_run.asks_for_the_fence(run):
            old = with_run(world, at, proof=(*run.proof, STALE))
            yield f"run {run.number}: the proof of its fence grows old", old
    if world.starts and (setting.together or all(run.orphan for run in world.runs)):
        for playbook, old in setting.playbooks:
            yield f"{playbook} away from {NAMES[old]} is started", model_run.start(world, playbook, old, setting)


def time_passes(world: World, setting: Setting, waiting: int | None = None) -> World:
    """One renewal later: every clock goes on, every guard that is awake looks at it and asks the store."""
    if any(run.same for run in world.runs):
        runs = tuple(run._replace(age=min(TAKE, run.age + 1)) if run.same else run for run in world.runs)
        world = world._replace(runs=runs)
    # The survivor first: the old side hears of a change as late as it can.
    for index in (1 - setting.old, setting.old):
        world = _turn(world, index, setting, WAITS if index == waiting else PASSES)
    return world


def _turn(world: World, index: int, setting: Setting, why: str) -> World:
    site, wrote = turned(world.sites[index], world.ticket, world.late_clock, index, setting, why)
    return _after_asking(world, index, site, wrote)


def _after_asking(world: World, index: int, site: Site, wrote: int) -> World:
    """The guard that wrote knows the new revision; all others have seen an older one."""
    return put(committed(world, wrote) if wrote else world, index, site)


def _by_itself(world: World, index: int, setting: Setting) -> Following:
    site, name = world.sites[index], NAMES[index]
    database = site.database
    if (site.late or site.due) and runs_on(site):
        yield f"{name}: the guard looks at the clock and asks the store", _turn(world, index, setting, LOOKS)
    if follows(world, index) and database.lacks:
        yield f"{name}: the standby replays what it lacks", with_database(world, index, lacks=False)
    if not runs_on(site) or not database.up or database.recovery or not setting.degrades:
        return
    other = follows(world, 1 - index)
    if database.waits and not other and fresh(site.guard, world.late_clock):
        yield from _degrades(world, index, setting)
    if not other or not fresh(site.guard, world.late_clock) or site.stuck:
        return
    if not database.waits:
        yield f"{name}: commits wait for the standby again", with_database(world, index, waits=True)
    elif not world.sites[1 - index].database.lacks:
        wish = with_site(world, index, guard=wished(site.guard, True))
        yield f"{name}: the guard wishes that the ticket says sync", wish


def _degrades(world: World, index: int, setting: Setting) -> Following:
    site, name = world.sites[index], NAMES[index]
    alone = with_database(world, index, waits=False)
    if not setting.has("sync recorded before degrading") or settled_sync(site.guard) is False:
        yield f"{name}: the standby is missing too long, commits no longer wait for it", alone
    elif not site.stuck:
        wish = with_site(world, index, guard=wished(site.guard, False))
        yield f"{name}: the standby is missing too long, the guard wishes that the ticket says async", wish


def _ends(world: World, index: int, setting: Setting) -> Following:
    """What a person or time mends: it costs no fault."""
    site, name = world.sites[index], NAMES[index]
    if site.on and site.frozen:
        yield f"{name}: the host is thawed", with_site(world, index, frozen=False, late=True)
    if not site.on:
        yield f"{name}: the power is back", put(world, index, booted(site, setting))
    if not site.store:
        yield f"{name}: the way to the store is mended", with_site(world, index, store=True)
    if not site.managed:
        yield f"{name}: the controllers' way is mended", with_site(world, index, managed=True)


def _each(what, when, words):
    """A fault that may strike either site."""

    def fault(world: World, setting: Setting) -> Following:
        for index in setting.struck:
            if when(world.sites[index]):
                yield f"{NAMES[index]}: {words}", what(world, index, setting)

    return fault


def _cut_link(world: World, setting: Setting) -> Following:
    if world.link:
        yield "the link between the sites is cut", world._replace(link=False)


def _isolated(world: World, setting: Setting) -> Following:
    for index, site in enumerate(world.sites):
        if site.on and site.store and world.link:
            alone = with_site(world, index, store=False, managed=False)._replace(link=False)
            yield f"{NAMES[index]}: is cut off from everything", alone


def _disarm(world: World, setting: Setting) -> Following:
    """A person declares a downtime on any host that reaches the store, or ends it, or it ends by the clock."""
    if world.late_clock:
        return
    if model_guard.ticket(world.ticket)["disarmed_until"] is None:
        yield "the dead-man is disarmed for a while", committed(world, changed(world.ticket, tickets.disarmed, UNTIL))
    else:
        yield "the downtime ends by the clock", world._replace(late_clock=True)
        yield "the downtime is ended by a person", committed(world, changed(world.ticket, tickets.disarmed, None))


def _start_by_hand(world: World, setting: Setting) -> Following:
    """The Solution Control Server, or a person, starts database and Configuration Server by their command line."""
    for index, site in enumerate(world.sites):
        if not runs_on(site) or (setting.has("wrapper") and not fresh(site.guard, world.late_clock)):
            continue
        up = with_database(world, index, up=True)
        yield f"{NAMES[index]}: what stands still is started by hand", with_site(up, index, server=True)


def _lost_answer(world: World, index: int, setting: Setting) -> World:
    site, wrote = asked(world.sites[index], world.ticket, "lost")
    return _after_asking(world, index, site._replace(store=False), wrote)


FAULTS = {
    "power": _each(
        lambda world, index, setting: put(world, index, off(world.sites[index], index, setting)),
        lambda site: site.on,
        "the power fails",
    ),
    "freeze": _each(lambda world, index, _: with_site(world, index, frozen=True), runs_on, "the whole host is frozen"),
    "store": _each(
        lambda world, index, _: with_site(world, index, store=False),
        lambda site: site.on and site.store,
        "the way to the store is cut",
    ),
    "answer": _each(
        _lost_answer,
        lambda site: runs_on(site) and site.store and bool(site.guard) and not site.stuck,
        "the way to the store is cut while an answer is under way",
    ),
    "gone": _each(
        lambda world, index, setting: with_site(_lost_answer(world, index, setting), index, managed=False),
        lambda site: runs_on(site) and site.store and not site.stuck,
        "is cut off from everything but the other site, and an answer to it is lost",
    ),
    "link": _cut_link,
    "isolated": _isolated,
    "managed": _each(
        lambda world, index, _: with_site(world, index, managed=False),
        lambda site: site.on and site.managed,
        "the controllers' way to it is cut",
    ),
    "stuck": _each(
        lambda world, index, _: with_site(world, index, stuck=1),
        lambda site: runs_on(site) and not site.stuck,
        "the guard's process stands still",
    ),
    "guard": _each(
        lambda world, index, setting: put(world, index, restarted(world.sites[index], index, setting)),
        runs_on,
        "the guard's process is killed",
    ),
    "database": _each(
        lambda world, index, _: with_database(world, index, up=False),
        lambda site: runs_on(site) and site.database.up,
        "the database crashes",
    ),
    "disarm": _disarm,
    "start": _start_by_hand,
}
