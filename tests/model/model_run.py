# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of a playbook in the model: its steps in the plan's order, each let go on by the plan's own code.

What a door does on its host stands in model_doors. When a controller dies, or loses the way to a host, the door that it
was in lives on there as an orphan: it goes on or dies by itself, whatever later runs do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_steps import LOOKING
from model_doors import DOORS, Door
from model_plan import goes, hosts_of, lag, look, moving, ordered, plan_of, reachable
from model_setting import Setting
from model_world import HOSTS, Run, World, active, runs_on, with_run, without_run

Following = Iterator[tuple[str, World]]
AT_THE_DOOR = {"host": 0, "phase": 0, "age": 0, "same": False}


def following(world: World, at: int, setting: Setting) -> Following:
    """Everything that a run may do next, each in words with the world after it."""
    if world.runs[at].step:
        yield from _in_step(world, at, setting)
    else:
        yield from _lock(world, at, setting)


def start(world: World, playbook: str, old: int, setting: Setting) -> World:
    """A run looks and makes its plan; with one that moves nothing it is over."""
    seen = [index for index in (0, 1) if reachable(world, index) and active(world.sites[index])]
    world = world._replace(master=seen[0]) if seen else world
    plan = look(world, playbook, old, setting)
    world = world._replace(starts=world.starts - 1, last="")
    if not plan_of(plan)["config_plane"]:
        return world._replace(last="refused" if plan_of(plan)["refused"] else "done")
    run = Run(number=world.token + 1, plan=plan, lag=lag(world, 1 - old))
    return world._replace(runs=(*world.runs, run))


def kill(world: World, at: int, setting: Setting) -> World:
    """The controller dies; the door that its run is in lives on."""
    return without_run(_orphaned(world, at, setting), at, "killed")._replace(kills=world.kills - 1)


def _orphaned(world: World, at: int, setting: Setting) -> World:
    run = world.runs[at]
    # One orphan at a time: a second one would only do what the first one may do.
    if not setting.orphans or not run.step or _looks_only(run) or any(each.orphan for each in world.runs):
        return world
    host = run.host if run.phase or not run.left else run.left[-1]
    return world._replace(runs=(*world.runs, run._replace(orphan=True, results=(), said=(), left=(), host=host)))


def _lock(world: World, at: int, setting: Setting) -> Following:
    """Take the lock and the token in one transaction over what was read (coordination/changes.py, `taken`)."""
    run = world.runs[at]
    alive = [each.number for each in world.runs if not each.orphan and each.step]
    if run.number <= world.token:
        words = "asks for the lock with a token that is not new: refused"
        yield f"{_who(run)} {words}", without_run(world, at, "refused")
    elif world.lock in alive and not setting.overtaking:
        yield f"{_who(run)} is told that token {world.lock} holds the lock", without_run(world, at, "refused")
    else:
        taken = world._replace(lock=run.number, token=run.number)
        words = ", taken over from one judged dead" if world.lock else ""
        yield f"{_who(run)} takes the lock{words}", _go_to(taken, at, 1, setting)


def _go_to(world: World, at: int, number: int, setting: Setting) -> World:
    """Enter the next step that may run, or end."""
    waits = setting.has("each step waits for those before it")
    run = world.runs[at]
    results = run.results
    while number <= len(ordered(run.plan)):
        step, goes_on, hosts = (
            ordered(run.plan)[number - 1],
            goes(run.plan, results, number, waits),
            hosts_of(run.plan, number),
        )
        if goes_on and hosts:
            return with_run(world, at, step=number, left=hosts, said=(), results=results, **AT_THE_DOOR)
        nobody = "lost" if step["lost_hosts"] else "ok"
        results = (*results, (f":{nobody if goes_on else 'skipped'}",))
        number += 1
    return _end(with_run(world, at, results=results), at)


def _end(world: World, at: int) -> World:
    """A run gives the lock back and says how it ended."""
    run = world.runs[at]
    forward = len(moving(run.plan))
    if all(map(_well, run.results[:forward])):
        ended = "done"
    else:
        undone = run.results[forward:]
        ended = "undone" if undone and all(map(_well, undone)) else "waiting"
    freed = world._replace(lock=0) if world.lock == run.number else world
    return without_run(freed, at, ended)


def _well(result: tuple[str, ...]) -> bool:
    return all(each.endswith(":ok") for each in result)


def _in_step(world: World, at: int, setting: Setting) -> Following:
    run = world.runs[at]
    if run.phase or run.orphan:
        yield from _on_host(world, at, setting)
        return
    for host in run.left:
        left = tuple(other for other in run.left if other != host)
        yield from _on_host(with_run(world, at, host=host, left=left), at, setting)


def _on_host(world: World, at: int, setting: Setting) -> Following:
    run = world.runs[at]
    step = ordered(run.plan)[run.step - 1]
    site, door = world.sites[run.host], DOORS[(step["role"], step["door"])]
    who = f"{_who(run)}: {step['name']} on {HOSTS[run.host]}"
    if run.orphan:
        yield f"{who}: what was left of it dies", without_run(world, at, world.last)
    elif not runs_on(site) or not site.managed:
        left = _orphaned(world, at, setting) if site.on else world
        yield f"{who}: the host is not reached", _result(left, at, "failed", setting)
    if runs_on(site) and (run.orphan or run.phase or site.managed):
        yield from _in_door(world, at, run.host, setting, door, who, step)


def _in_door(
    world: World, at: int, host: int, setting: Setting, door: Door, who: str, step: Mapping[str, Any]
) -> Following:
    for words, after, outcome in door[world.runs[at].phase](world, at, host, setting):
        if outcome == "next" and after.runs[at].phase + 1 < len(door):
            yield f"{who}: {words}", with_run(after, at, phase=after.runs[at].phase + 1, age=0, same=False)
        elif outcome == "stay":
            yield f"{who}: {words}", after
        else:
            result = "ok" if outcome == "next" else outcome
            yield f"{who}: {words}", _result(_journalled(after, step, result), at, result, setting)


def _journalled(world: World, step: Mapping[str, Any], result: str) -> World:
    promotion = step["name"] == "promote_database"
    if step["door"] in LOOKING or result != "ok":
        return world._replace(promoted=world.promoted and not promotion)
    return world._replace(begun=2 if step["door"] == "restore" else 1, promoted=world.promoted or promotion)


def _result(world: World, at: int, result: str, setting: Setting) -> World:
    run = world.runs[at]
    if run.orphan:
        return without_run(world, at, world.last)
    said = (*run.said, f"{run.host}:{result}")
    if run.left:
        return with_run(world, at, said=tuple(sorted(said)), **AT_THE_DOOR)
    return _go_to(with_run(world, at, results=(*run.results, tuple(sorted(said)))), at, run.step + 1, setting)


def _looks_only(run: Run) -> bool:
    return ordered(run.plan)[run.step - 1]["door"] in LOOKING


def asks_for_the_fence(run: Run) -> bool:
    """Whether a run is where the proof of its fence counts."""
    return bool(run.step and run.proof) and ordered(run.plan)[run.step - 1]["name"] == "promote_database"


def _who(run: Run) -> str:
    return f"{'orphan of ' if run.orphan else ''}run {run.number}"
