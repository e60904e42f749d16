# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The doors of a move in memory: what each does on its host, cut where others may act in between.

A door is a row of phases. A phase says in words what may happen now, the world after it, and how it goes on: `stay`,
`next`, or the door's end `ok`, `failed`, `refused`. What is asked before acting is asked of the real code wherever that
is pure: the ticket's rules, the fence's proof, the history of a database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import ticket as tickets
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import doors as guard_doors
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.fence import fence_problem
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.postgresql import PostgreSQL
from model_guard import TAKE, fresh, observed, stood, ticket, ticket_number
from model_plan import plan_of
from model_setting import Setting
from model_site import committed, writers_stopped
from model_world import (
    HOSTS,
    NAMES,
    Database,
    Site,
    World,
    acknowledges,
    follows,
    with_database,
    with_run,
    with_site,
    writable,
)

Outcomes = Iterator[tuple[str, World, str]]
Phase = Callable[[World, int, int, Setting], Outcomes]
Door = tuple[Phase, ...]

THEN = datetime(2026, 1, 31, 3, 14, tzinfo=timezone.utc)
MAX_AGE = 60.0
_RULES = object.__new__(PostgreSQL)
"""The driver without a server: asked only what it concludes from a state that it is given."""
STALE = "stale"
SEEN, RUN_OUT, ATTESTED = "stopped_and_revoked", "ticket_run_out", "attested"


def _failed(world: World, at: int) -> str:
    return str(plan_of(world.runs[at].plan)["failed"])


def _begun(phase: Phase) -> Phase:
    """run_step around the first phase of a door: the newest token wins, on every host."""

    def begin(world: World, at: int, host: int, setting: Setting) -> Outcomes:
        number = world.runs[at].number
        if number < world.sites[host].token and setting.has("token on the host"):
            yield "its token is older than the newest here", world, "refused"
        else:
            begun = with_site(world, host, token=max(number, world.sites[host].token))
            yield from phase(begun, at, host, setting)

    return begin


def _is_newest(world: World, at: int, host: int, setting: Setting) -> bool:
    return world.runs[at].number >= world.sites[host].token or not setting.has("token on the host")


def _ready(world: World, at: int, host: int, setting: Setting) -> Outcomes:
    up = world.sites[host].database.up or not setting.has("pre-flight")
    yield ("is ready", world, "ok") if up else ("the database is down", world, "failed")


def _close(world: World, at: int, host: int, setting: Setting) -> Outcomes:
    database = world.sites[host].database
    if not database.up or database.recovery or not setting.has("writes frozen first"):
        yield "there is no primary to freeze", with_run(world, at, saved=database.frozen), "ok"
    elif not _is_newest(world, at, host, setting):
        yield "a newer run came by", world, "refused"
    else:
        closed = with_database(world, host, open=False, fenced=database.timeline, frozen=True)
        yield "log-in and grants are revoked", with_run(closed, at, saved=True), "next"


def _replayed(world: World, at: int, host: int, setting: Setting) -> Outcomes:
    if follows(world, 1 - host):
        old = world.sites[host].database
        caught_up = with_database(world, 1 - host, lacks=False, open=old.open, fenced=old.fenced)
        yield "the standby has replayed everything", caught_up, "ok"
    else:
        yield "no standby follows", world, "ok"


class _Sight:
    """What the real doors of the guard see on a host of the model."""

    active = "active"
    config: Any

    def __init__(self, site: Site, name: str) -> None:
        self._site = site
        self.config = type("Config", (), {"site": name})

    def database_is_standby(self) -> bool:
        """Whether the database here is one, or would start as one."""
        return self._site.database.recovery

    def writers(self) -> list[str]:
        """What could write here."""
        return [] if writers_stopped(self._site) else ["a writer"]

    def shown(self) -> dict[str, Any]:
        """Everything, for a refusal's words."""
        return {"installed": False}


def _write_ticket(world: World, at: int, host: int, setting: Setting, rule: str, site: str, words: str) -> Outcomes:
    """What a rule of the real guard's doors says of the ticket, written in one transaction over it and the token."""
    run = world.runs[at]
    if not world.sites[host].store:
        yield "the store is not reached", world, "failed"
        return
    acting, sight = {"id": "run", "token": run.number}, _Sight(world.sites[host], NAMES[host])
    doors = guard_doors.TicketDoors(None, sight, acting, guard_doors.Times(0, 0, 0), dry=False)
    try:
        wanted = getattr(doors, rule)(ticket(world.ticket), site)
    except RefusedError as refused:
        yield f"refused: {refused.refusal['guard']}", world, "refused"
        return
    if wanted is None:
        yield f"{words} already", world, "next"
    elif run.number != world.token and setting.has("token in the store"):
        yield "a newer run has taken the lock", world, "refused"
    else:
        yield words, committed(world, ticket_number(wanted)), "next"


def _revoke(world: World, at: int, host: int, setting: Setting) -> Outcomes:
    failed, lying = _failed(world, at), ticket(world.ticket)
    passed_on = bool(guard_doors._is_passed_on(lying, failed))
    if not setting.has("ticket revoked before the fence"):
        yield "goes on without revoking the ticket", world, "next"
    elif _proof(world, at, host) == RUN_OUT and not _is_armed(world, passed_on, setting):
        yield "the ticket does not say that the dead-man is armed", world, "refused"
    else:
        if setting.has("sync of the revoked ticket"):
            # vars/plan.yml: what is promised by the ticket as it was revoked, and by nothing else.
            promised = lying["took_sync" if passed_on and lying["holder"] else "sync"]
            world = with_run(world, at, lag=0.0 if promised else None)
        stands = stood(world.sites[host].guard)
        words = f"the ticket is revoked from {failed}"
        for said, after, result in _write_ticket(world, at, host, setting, "_revoked", failed, words):
            waits = result == "next" and _proof(world, at, host) == RUN_OUT
            yield said, with_run(after, at, same=True, age=stands) if waits else after, result


def _is_armed(world: World, passed_on: bool, setting: Setting) -> bool:
    lying = ticket(world.ticket)
    said = lying["took_armed"] if passed_on and lying["holder"] else observed(world.ticket)["armed"]
    return bool(said) or not setting.has("armed, asked at the door")


def _proof(world: World, at: int, host: int) -> str:
    """Which proof a host gives (playbooks/vars/plan.yml, ticket_proof)."""
    if NAMES[host] == _failed(world, at):
        return SEEN
    return RUN_OUT if plan_of(world.runs[at].plan)["fence"]["kind"] == RUN_OUT else "none"


def _prove(world: World, at: int, host: int, setting: Setting) -> Outcomes:
    site, proof = world.sites[host], _proof(world, at, host)
    if proof == RUN_OUT:
        yield from _run_out(world, at, host, setting)
    elif proof == "none":
        attested = plan_of(world.runs[at].plan)["fence"]["kind"] == ATTESTED
        yield "no proof is asked for here", with_run(world, at, proof=(ATTESTED,)) if attested else world, "ok"
    elif not setting.has("writers seen stopped") or (writers_stopped(site) and not fresh(site.guard, world.late_clock)):
        yield "the writers are seen stopped", with_run(world, at, proof=(SEEN,)), "ok"
    elif site.stuck:
        yield "the deadline is over before the writers are dead", world, "failed"


def _run_out(world: World, at: int, host: int, setting: Setting) -> Outcomes:
    run = world.runs[at]
    if not world.sites[host].store:
        yield "the deadline is over before the ticket could be read", world, "failed"
    elif guard_doors._is_passed_on(ticket(world.ticket), _failed(world, at)):
        yield "an earlier start has proven it", with_run(world, at, proof=(RUN_OUT,)), "ok"
    elif not _is_taken(world, at) and setting.has("ticket revoked before the fence"):
        yield "meanwhile the ticket is not revoked any more", world, "refused"
    elif setting.has("ticket_take waited for") and not run.same:
        yield "reads the ticket's revision", with_run(world, at, same=True, age=0), "stay"
    elif run.age >= TAKE or not setting.has("ticket_take waited for"):
        taken = with_run(world, at, proof=(RUN_OUT,))
        yield f"the same revision stood for {TAKE}: the ticket has run out", taken, "ok"


def _is_taken(world: World, at: int) -> bool:
    return bool(guard_doors._is_taken(ticket(world.ticket), _failed(world, at)))


def _grant(world: World, at: int, host: int, setting: Setting) -> Outcomes:
    if setting.has("ticket revoked before the fence"):
        yield from _write_ticket(
            world, at, host, setting, "_granted", NAMES[host], f"the ticket is granted to {NAMES[host]}"
        )
    else:
        given = dict(tickets.first(NAMES[host], [HOSTS[host]]), revoked_from=_failed(world, at))
        yield "the ticket is granted without ever having been revoked", committed(world, ticket_number(given)), "next"


def _acquired(world: World, at: int, host: int, setting: Setting) -> Outcomes:
    site = world.sites[host]
    if fresh(site.guard, world.late_clock):
        yield "the guard here has a fresh lease", world, "ok"
    elif site.stuck or not site.store or not _is_for(world, host):
        yield "the deadline is over before the guard has the ticket", world, "failed"


def _is_for(world: World, host: int) -> bool:
    """Whether the guard of a site may take the ticket."""
    return tickets.may_acquire(ticket(world.ticket), NAMES[host])


def _state(database: Database) -> dict[str, Any]:
    """What the database driver would say, for the real rules."""
    return {
        "running": database.up,
        "role": "standby" if database.recovery else "primary",
        "in_recovery": database.recovery,
        "starts_as": "standby" if database.recovery else "primary",
        "timeline": database.timeline,
        "system_identifier": "1",
        "writer": {
            "can_login": database.open,
            "sessions": 0,
            "writable": int(database.open),
            "fenced": database.fenced,
        },
    }


def _fence(world: World, at: int) -> dict[str, Any]:
    run = world.runs[at]
    if not run.proof:
        return {}
    age = timedelta(seconds=MAX_AGE + 1 if STALE in run.proof else 0)
    host = HOSTS[NAMES.index(_failed(world, at))]
    people = {"by": ["alice", "bob"], "until": (THEN + timedelta(hours=1)).isoformat()}
    return {"kind": run.proof[0], "seen_at": (THEN - age).isoformat(), "host": host, **people}


def _promotion_problem(world: World, at: int, host: int, setting: Setting, when: str) -> str | None:
    """What stands against a promotion, asked once before the wait and once at the commit (invariant 2)."""
    fence = fence_problem(_fence(world, at), THEN, MAX_AGE, HOSTS[host], "run")
    if fence and setting.has(f"fence asked for {when}"):
        return f"fence: {fence}"
    if setting.has(f"lease asked for {when}") and not fresh(world.sites[host].guard, world.late_clock):
        return "no fresh lease"
    return None


def _check(world: World, at: int, host: int, setting: Setting) -> Outcomes:
    database = world.sites[host].database
    behind = _RULES.left_behind(_state(database), _fence(world, at)) if database.up else None
    problem = _promotion_problem(world, at, host, setting, "before")
    if not database.up:
        yield "the database is down", world, "failed"
    elif behind and setting.has("history"):
        yield f"refused: {behind}", world, "refused"
    elif not database.recovery and database.open:
        yield "is the writer already", world, "ok"
    elif problem or (database.recovery and not _lag_known(world, at, host, setting)):
        yield f"refused: {problem or 'the lag is unknown or over the limit'}", world, "refused"
    else:
        yield "fence, lease and lag are good", world, "next"


def _lag_known(world: World, at: int, host: int, setting: Setting) -> bool:
    run = world.runs[at]
    allowed = "allow_data_loss" in [one["name"] for one in plan_of(run.plan)["overrides"]]
    if allowed or not setting.has("lag, asked at the door"):
        return True
    if run.saved:
        return not world.sites[host].database.lacks
    return run.lag is not None and run.lag <= 0


def _promote(world: World, at: int, host: int, setting: Setting) -> Outcomes:
    problem = _promotion_problem(world, at, host, setting, "at the commit")
    database = world.sites[host].database
    if not _is_newest(world, at, host, setting):
        yield "a newer run came by", world, "refused"
    elif problem:
        yield f"refused: {problem}", world, "refused"
    elif not database.up:
        yield "the database is down", world, "failed"
    else:
        yield "the database is promoted", _promoted(world, at, host), "ok"


def _promoted(world: World, at: int, host: int) -> World:
    database = world.sites[host].database
    allowed = "allow_data_loss" in [one["name"] for one in plan_of(world.runs[at].plan)["overrides"]]
    timeline = database.timeline + (1 if database.recovery else 0)
    return with_site(world, host, database=Database(timeline=timeline, lacks=database.lacks and not allowed))


def _start(world: World, at: int, host: int, setting: Setting) -> Outcomes:
    site = world.sites[host]
    if site.server:
        yield "runs already", world, "ok"
    elif not writable(site):
        yield "the database here is not the one that is written to", world, "refused"
    elif not fresh(site.guard, world.late_clock) and setting.has("wrapper"):
        yield "the start is refused: no fresh lease", world, "failed"
    else:
        yield "the Configuration Server starts", with_site(world, host, server=True), "ok"


def _repoint(world: World, at: int, host: int, setting: Setting) -> Outcomes:
    survivor = NAMES.index(str(plan_of(world.runs[at].plan)["survivor"]))
    yield "the name points at the new master", world._replace(named=survivor), "ok"


def _verify(world: World, at: int, host: int, setting: Setting) -> Outcomes:
    if acknowledges(world, host):
        yield "a write is verified", world, "ok"
    elif not (world.sites[host].starting and world.sites[host].database.open):
        yield "no write is accepted", world, "failed"


def _resync(world: World, at: int, host: int, setting: Setting) -> Outcomes:
    source = world.sites[1 - host]
    mine = world.sites[host].database
    newer = source.database.timeline > mine.timeline
    proven = world.link and writable(source) and (newer or mine.recovery)
    if follows(world, host):
        yield "follows already", world, "ok"
    elif not proven:
        yield "the other side is not seen to be the primary", world, "failed"
    elif not _is_newest(world, at, host, setting):
        yield "a newer run came by", world, "refused"
    else:
        copied = Database(recovery=True, timeline=source.database.timeline)
        yield (
            "is copied from the other side and follows it",
            with_site(world, host, database=copied, server=False),
            "ok",
        )


def _give_back(world: World, at: int, host: int, setting: Setting) -> Outcomes:
    failed = _failed(world, at)
    words = f"the ticket is given back to {failed}"
    if setting.has("undo refused beside a primary") or ticket(world.ticket)["holder"] is None:
        yield from _write_ticket(world, at, host, setting, "_returned", failed, words)
    else:
        given = tickets.first(failed, [HOSTS[NAMES.index(failed)]])
        yield words, committed(world, ticket_number(given)), "next"


def _unfreeze(world: World, at: int, host: int, setting: Setting) -> Outcomes:
    database = world.sites[host].database
    if not database.frozen and not database.fenced:
        yield "nothing was taken, nothing is given back", world, "ok"
        return
    if database.recovery:
        yield "privileges can only be given back at a primary", world, "failed"
    elif not _is_newest(world, at, host, setting):
        yield "a newer run came by", world, "refused"
    elif database.up:
        opened = with_database(world, host, open=True, fenced=0, frozen=False)
        yield "log-in and grants are given back", opened, "ok"
    elif world.sites[host].stuck or not world.sites[host].store or not _is_for(world, host):
        yield "the deadline is over before the database runs", world, "failed"


DOORS: dict[tuple[str, str], Door] = {
    ("config_database", "readiness"): (_ready,),
    ("config_server", "readiness"): (_ready,),
    ("config_database", "freeze"): (_begun(_close), _replayed),
    ("continuity_guard", "release"): (_begun(_revoke), _prove),
    ("continuity_guard", "take_over"): (_begun(_grant), _acquired),
    ("config_database", "take_over"): (_begun(_check), _promote),
    ("config_server", "take_over"): (_begun(_start),),
    ("service_name", "take_over"): (_begun(_repoint),),
    ("config_server", "verify"): (_verify,),
    ("config_database", "resync"): (_begun(_resync),),
    ("continuity_guard", "restore"): (_begun(_give_back),),
    ("config_database", "restore"): (_begun(_unfreeze),),
}
