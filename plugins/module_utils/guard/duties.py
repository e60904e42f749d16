# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a guard does beside its watch, and may take its time for: starting the writers, keeping the standby in sync.

The database comes first. The rest of the list waits until it accepts writes, for what a fence took may come back late.
Where the database is a standby nothing is started: whoever promotes it starts the rest.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import sync
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.config import Config, Writer
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.host import ERROR, INFO
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.killing import is_standby
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.processes import Processes
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process import ProcessDriver, ProcessError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import DatabaseError, Replication
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.registry import (
    DATABASE_OPTION,
    database_of,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.view import is_open

START_LIMIT = 60.0
"""Seconds for one unit to come up: a server that was killed recovers first."""
STATEMENT_LIMIT = 5.0
INTERVAL = 0.2
AGAIN = 60.0
"""Seconds before a unit that did not come up is started again: nobody else does it."""
SOON, LATER = 1.0, 3.0
"""Seconds between two turns: while something is to be started or the standby is not in step, and otherwise."""

State = Optional[Mapping[str, Any]]


class Duties:
    """One turn after the other, during one lease after the other."""

    def __init__(
        self,
        config: Config,
        processes: ProcessDriver,
        database: Optional[Replication],
        say: Callable[[str, int], None],
    ) -> None:
        """`say` takes words and a level for the journal."""
        self._config = config
        self._processes = processes
        self._database = database
        self._say = say
        self._said = ""
        self._writers = {writer.unit: writer for writer in config.writers}
        self._epoch = 0
        self._pending: List[str] = []
        self._failed: List[str] = []
        self._again_at: Optional[float] = None
        self._steady = True
        self._sync = sync.Sync(config.sync_degrade)

    def turn(self, epoch: int, now: float, settled: Optional[bool]) -> Optional[bool]:
        """Do what is due and return what the ticket should say about `sync`; None: leave it.

        `epoch` tells one lease from the next, 0 is none; `settled` is `Guard.sync_settled`.
        """
        if epoch != self._epoch:
            self._begin(epoch)
        if not epoch:
            return None
        self._come_back_to_failed(now)
        state = self._state() if self._pending or self._keeps_in_step else None
        while self._pending and self._start_next(state):
            state = self._state()
        return self._synchronise(now, state, settled)

    @property
    def _keeps_in_step(self) -> bool:
        return self._config.replication == "sync" and self._speaks_for_the_database

    @property
    def _speaks_for_the_database(self) -> bool:
        # One host of a site has a wish: the one that the database runs on.
        return self._config.database is not None and not self._config.database.get("address")

    @property
    def pause(self) -> float:
        """Seconds until the next turn is due."""
        return SOON if self._pending or self._failed or not self._steady else LATER

    def _begin(self, epoch: int) -> None:
        self._epoch = epoch
        self._pending = list(self._config.start) if epoch else []
        self._failed, self._again_at = [], None
        self._sync = sync.Sync(self._config.sync_degrade)
        self._steady = False

    def _come_back_to_failed(self, now: float) -> None:
        if self._failed and self._again_at is None:
            # From the turn after: a failed start may itself have taken its time.
            self._again_at = now + AGAIN
        elif self._again_at is not None and now >= self._again_at:
            self._pending, self._failed, self._again_at = self._failed + self._pending, [], None

    def _state(self) -> State:
        if self._database is None:
            return None
        try:
            state = self._database.state()
        except (DatabaseError, OSError) as error:
            self._once(f"database: {error}")
            return None
        return state

    def _start_next(self, state: State) -> bool:
        """Start the next unit of the list, if it may be; return whether the one after it is next."""
        writer = self._writers.get(self._pending[0], Writer(""))
        if writer.standby_signal and is_standby(writer, Processes()):
            self._say(f"{writer.unit} is a standby: nothing is started before it is promoted", INFO)
            self._pending = []
            return False
        if not writer.standby_signal and not self._accepts_writes(state):
            return False
        return self._start(self._pending.pop(0))

    def _accepts_writes(self, state: State) -> bool:
        if self._database is None:
            return True
        if state is not None and state["running"] and state["role"] == "primary" and is_open(state):
            return True
        self._once(f"{', '.join(self._pending)}: waiting until the database accepts writes")
        return False

    def _start(self, unit: str) -> bool:
        try:
            self._processes.start(unit)
        except ProcessError as error:
            self._say(f"not started: {error}", ERROR)
            self._failed.append(unit)
            return False
        self._say(f"started {unit}", INFO)
        return True

    def _synchronise(self, now: float, state: State, settled: Optional[bool]) -> Optional[bool]:
        if self._database is None or not self._keeps_in_step:
            self._steady = True
            return False if self._speaks_for_the_database else None
        look = sync.look_of(state) if state is not None else None
        order = self._sync.decide(now, look, settled)
        self._steady = bool(order.wish and look is not None and look.streams)
        if order.act != sync.NOTHING:
            self._change(self._database, order.act)
        return order.wish

    def _change(self, database: Replication, act: str) -> None:
        try:
            if act == sync.STAND_ALONE:
                database.stand_alone()
                self._say("commits no longer wait for a standby: unprotected", ERROR)
            else:
                database.synchronise(self._config.sync_names)
                self._say("commits wait for the standby", INFO)
        except DatabaseError as error:
            self._once(f"{act}: {error}")

    def _once(self, words: str) -> None:
        if words != self._said:
            self._said = words
            self._say(words, INFO)


def database_for(options: Optional[Mapping[str, Any]]) -> Optional[Replication]:
    """Return the driver for the configured database, with the module's own defaults; None without one."""
    if options is None:
        return None
    defaults: Dict[str, Any] = {
        name: one.get("default") for name, one in DATABASE_OPTION["database"]["options"].items()
    }
    return database_of({**defaults, **options}, STATEMENT_LIMIT, INTERVAL)
