# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard's daemon, `sip-dr-guard`: the core of `core.py` with a clock, a network and a way to kill.

Three loops that never wait for each other: the watch (the main thread: deadline, kills, the lease's file, the
manager's watchdog), the renewals (all of the network), and the duties (starts, synchronous replication). If the watch
stands still, systemd's watchdog kills the process, and whatever ends it, ExecStopPost kills the writers.
"""

from __future__ import annotations

import threading
import time
from typing import List

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import ticket as tickets
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import config as configuration
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard import core, lease, standing
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.config import Config, outlives
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.duties import (
    INTERVAL,
    START_LIMIT,
    Duties,
    database_for,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.host import (
    ERROR,
    INFO,
    WARNING,
    Journal,
    Manager,
    harden,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.killing import Killer
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.renewing import TicketWay
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process.systemd import Systemd

BEAT = 0.1
"""Seconds between two looks at the deadline, unless something happens."""
KILL_LIMIT = 0.5
"""Seconds for one round of killing; what is left then is killed on by the next beats."""
SWEEP = 1.0
"""Seconds between two looks for writers that run without a lease."""


class Daemon:
    """The guard of this host."""

    def __init__(
        self, config: Config, way: TicketWay, killer: Killer, file: lease.LeaseFile, stands: standing.StandingFile
    ) -> None:
        """Nothing is asked or killed yet."""
        self._config = config
        self._way = way
        self._killer = killer
        self._file = file
        self._standing = stands
        self._journal = Journal()
        self._manager = Manager()
        self._guard = core.Guard(_settings(config))
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._served = threading.Event()
        self._epoch = 0
        self._sweep_at = 0.0
        self._trouble = ""

    def run(self) -> None:
        """Watch until the process is ended from outside."""
        harden(self._journal)
        self._sweep_at = lease.boottime() + self._config.watchdog
        for name, loop in (("renewals", self._renew), ("duties", self._serve)):
            threading.Thread(target=loop, name=name, daemon=True).start()
        self._manager.tell("READY=1")
        while True:
            self._beat()
            self._wake.wait(BEAT)
            self._wake.clear()

    def _beat(self) -> None:
        now, wall = lease.boottime(), time.time()
        with self._lock:
            actions = self._guard.tick(now, wall)
            held, until = self._guard.lease, self._guard.good_until(now, wall)
        for action in actions:
            if isinstance(action, core.Kill):
                self._kill(action.why)
        if held is None or until is None:
            self._without(now)
        else:
            self._show(until + self._config.margin, held.revision)
        if any(isinstance(action, core.Start) for action in actions):
            self._acquired()
        self._manager.tell("WATCHDOG=1")

    def _kill(self, why: str) -> None:
        # First nobody may start any more, then what runs is killed.
        self._forget()
        killed = self._killer.kill(KILL_LIMIT)
        self._sweep_at = 0.0 if killed.left else lease.boottime() + SWEEP
        self._journal.say(f"KILLED THE WRITERS: {why}. {killed}", ERROR)

    def _without(self, now: float) -> None:
        """Without a lease nothing may write here, whoever started it."""
        self._forget()
        if now < self._sweep_at and not self._killer.server_came_up():
            return
        killed = self._killer.kill(KILL_LIMIT)
        self._sweep_at = 0.0 if killed.left else now + SWEEP
        if killed.victims:
            self._journal.say(f"KILLED WRITERS THAT RAN WITHOUT A LEASE: {killed}", ERROR)

    def _forget(self) -> None:
        self._epoch = 0
        try:
            self._file.forget()
        except OSError as error:
            self._say_once(f"lease file: {error}")

    def _show(self, deadline: float, revision: int) -> None:
        try:
            self._file.keep(deadline, revision)
        except OSError as error:
            self._say_once(f"lease file: {error}")

    def _acquired(self) -> None:
        with self._lock:
            held = self._guard.lease
        if held is not None:
            self._journal.say(f"acquired the ticket for {self._config.site}, revision {held.revision}", INFO)
            self._epoch = held.revision
            self._served.set()

    def _renew(self) -> None:
        pause = threading.Event()
        while True:
            sent, again = lease.boottime(), False
            try:
                again = self._ask(sent)
            # The renewals must never end silently: without them the writers are killed in a few seconds.
            except Exception as error:  # pylint: disable=broad-except
                self._say_once(f"DEFECT in the renewals: {error!r}")
            if not again:
                pause.wait(max(0.0, sent + self._config.renew - lease.boottime()))

    def _ask(self, sent: float) -> bool:
        """Send one request; return whether the next one should go at once."""
        with self._lock:
            request = self._guard.request(sent)
        outcome = self._way.ask(request)
        with self._lock:
            self._guard.reply(request, sent, lease.boottime(), outcome)
            held = self._guard.lease
            lying, stands = self._guard.ticket, self._guard.standing
        self._wake.set()
        if held is None and stands is not None:
            self._show_standing(stands)
        if isinstance(outcome, core.Failed):
            left = f"{held.deadline - lease.boottime():.2f} s left of the lease" if held else "no lease"
            self._say_once(f"{left}; {outcome.words}")
            return False
        self._trouble = ""
        # What was refused or could not be sent yet is sent on what was just found.
        found = isinstance(outcome, (core.Found, core.Conflict))
        return found and lying is not None and tickets.may_acquire(lying, self._config.site)

    def _show_standing(self, stands: core.Standing) -> None:
        try:
            self._standing.keep(stands)
        except OSError as error:
            self._say_once(f"file of the ticket's standing: {error}")

    def _serve(self) -> None:
        config = self._config
        duties = Duties(config, Systemd(START_LIMIT, INTERVAL), database_for(config.database), self._journal.say)
        while True:
            try:
                self._turn(duties)
            # As above: a defect here must not end what keeps the standby in step.
            except Exception as error:  # pylint: disable=broad-except
                self._say_once(f"DEFECT in the duties: {error!r}")
            self._served.wait(duties.pause)
            self._served.clear()

    def _turn(self, duties: Duties) -> None:
        with self._lock:
            settled = self._guard.sync_settled
        wish = duties.turn(self._epoch, lease.boottime(), settled)
        if wish is not None:
            with self._lock:
                self._guard.sync_wanted(wish)

    def _say_once(self, words: str) -> None:
        kind = words.split(";")[-1]
        if kind != self._trouble:
            self._trouble = kind
            self._journal.say(words, WARNING)


def _settings(config: Config) -> core.GuardSettings:
    times = (config.hold, config.margin, config.renew)
    return core.GuardSettings(
        config.site, config.host, config.hosts, *times, replication=config.replication, kills_within=outlives(config)
    )


def main(_arguments: List[str]) -> int:
    """Guard this host. Raises ConfigError, OSError when the configuration cannot be used."""
    # Held until the process ends.
    _alone = lease.alone()
    config = configuration.begin()
    killer = Killer(config.writers, config.marker)
    file = lease.LeaseFile(lease.PATH, config.site, config.margin)
    way, stands = TicketWay(config.settings, config.hold - config.margin), standing.StandingFile(standing.PATH)
    Daemon(config, way, killer, file, stands).run()
    return 0
