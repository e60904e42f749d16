# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of site_watch: three processes for each host that looks, and one that decides.

A round of Ansible's own costs a fork, a task's templates and a wait for the slowest host each time, and a loop of
included tasks grows. Here processes of each host's worker call site_probe again and again over its open connection;
each call looks for some seconds and comes back at once with what is new; and the worker of the host that decides folds
what they find. The worker itself only attends to its processes: a call that never returns holds up nobody else, and all
of it ends with the play, or when the play is killed.
"""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import replace_file
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.observer import may_be_remembered
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import DEFAULT_POLICY
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.watch import (
    OFTEN,
    PACE,
    SELDOM,
    Judged,
    Mail,
    Mailbox,
    SeriesFile,
    Watch,
    paces,
    worth_keeping,
)

PROBE = "contactcenter.sip_dr.site_probe"
STORE = "contactcenter.sip_dr.continuity_store"
PROBE_TIMERS = (
    "sip_t1",
    "sip_tries",
    "probe_deadline",
    "connect_timeout",
    "call_tries",
    "call_quorum",
    "call_deadline",
)
READ_INTERVAL = 0.05
"""Seconds between two looks into the mailbox."""
ENDING = 30.0
"""Seconds that a looking process waits for the deciding one to end, and is waited for then: longer than any look."""
RELIEF = "relief"
"""Who looks while the look before is still waiting for silence; its word is as good."""
SENDERS = {OFTEN: OFTEN, RELIEF: OFTEN, SELDOM: SELDOM}
"""Who posts for a host, and which kind of look it is."""
LOOKED = "looked"
"""What the process that looks often posts at its end: how often it did."""
MEMORY, OVER = "memory", "over"
"""What the deciding process posts: the state to keep in the store, and that it has ended."""

ARGUMENTS: dict[str, dict[str, Any]] = {
    "continuity": {"type": "dict", "required": True},
    "policy": {"type": "dict", "default": {}},
    "probe": {"type": "dict", "default": {}},
    "attestations": {"type": "dict", "default": {}},
    "decide": {"type": "bool", "default": False},
    "seconds": {"type": "float", "required": True},
    "interval": {"type": "float", "default": 1.0},
    "directory": {"type": "path"},
}
display = Display()


class ActionModule(ActionBase):
    """Looks from a host, or decides from what all hosts of the play see."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _VALID_ARGS = frozenset(ARGUMENTS)

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return, where it decides, the last decision; elsewhere how often it looked and had an answer."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        self._options = self.validate_argument_spec(ARGUMENTS)[1]
        self._variables = task_vars or {}
        self._warned: set[str] = set()
        # Ansible's own folder for this run: the same in all workers, and gone with the run.
        self._mailbox = Mailbox(Path(constants.DEFAULT_LOCAL_TMP) / "site_watch")  # type: ignore[attr-defined]
        self._end = time.monotonic() + self._options["seconds"]
        hosts = list(self._variables["ansible_play_hosts_all"])
        if int(self._variables["ansible_forks"]) < len(hosts):
            raise AnsibleActionFail(f"site_watch looks from {len(hosts)} hosts at once: forks must be as many or more")
        if self._options["decide"]:
            return {**result, "changed": False, **self._decide(set(hosts) - {self._variables["inventory_hostname"]})}
        return {**result, "changed": False, **self._look()}

    def _look(self) -> dict[str, Any]:
        """Look until the deciding process has ended: often, seldom and in between, in processes beside this one."""
        probe = self._options["probe"]
        checks = paces(probe["checks"])
        looks = {pace: {**self._timers(pace), **probe, "checks": checks[pace]} for pace in PACE}
        me = os.getpid()
        self._attend(
            lambda: self._mailbox.post(f"{self._host} {LOOKED}", self._look_again(OFTEN, looks[OFTEN], me)),
            lambda: self._look_again(SELDOM, looks[SELDOM], me),
            lambda: self._relieve({**looks[OFTEN], "seconds": 0.0}, me),
        )
        return self._mailbox.read(f"{self._host} {LOOKED}") or {"calls": 0, "answered": 0}

    def _attend(self, *works: Callable[[], object]) -> None:
        """Do all of it, each in a process beside this one, until all have ended.

        One that ends before its time is begun anew. Who goes on after the end is killed after `ENDING` seconds, and at
        once when the play is gone.
        """
        parent, latest = os.getppid(), self._end + 2 * ENDING
        beside = {self._beside(work): work for work in works}
        try:
            while beside and os.getppid() == parent and time.monotonic() < latest:
                self._renew(beside, parent)
                if self._mailbox.holds(OVER):
                    latest = min(latest, time.monotonic() + ENDING)
                _wait(time.monotonic() + READ_INTERVAL)
        finally:
            for child in beside:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)

    def _renew(self, beside: dict[int, Callable[[], object]], parent: int) -> None:
        """Forget the processes that have ended; begin those anew that ended before their time."""
        for child in [child for child in beside if os.waitpid(child, os.WNOHANG)[0]]:
            work = beside.pop(child)
            if self._goes_on(parent):
                self._warn("a process that looks has ended before its time; it is begun anew")
                beside[self._beside(work)] = work

    def _beside(self, work: Callable[[], object]) -> int:
        """Do something in a process beside this one; return its number."""
        child = os.fork()
        if child:
            return child
        try:
            work()
        finally:
            os._exit(0)

    def _attempt(self, work: Callable[[], Any], otherwise: object = None) -> Any:  # noqa: ANN401  what the work returns
        """Do something; return `otherwise` when that fails, which is told and must not end the looking or deciding."""
        try:
            return work()
        except Exception as error:
            self._warn(f"{type(error).__name__}: {error}")
            return otherwise

    def _warn(self, words: str) -> None:
        """Warn, once for each kind of words: numbers and what is quoted make no difference."""
        kind = re.sub(r"'[^']*'|\d+", "", words)
        if kind not in self._warned:
            self._warned.add(kind)
            display.warning(f"{self._host}: {words}")

    def _relieve(self, probe: dict[str, Any], parent: int) -> None:
        """Look from the middle of each look that waits for silence, or else one would be two looks old before the next.

        Answers are as old as the look's begin; near `fresh`, a busy machine would turn what is down into unknown.
        """
        half = probe["probe_deadline"] / 2
        while self._goes_on(parent):
            mail = self._attempt(lambda: self._mailbox.read(f"{self._host} {OFTEN}"))
            if mail is not None and (mail["probe"] or {}).get("elapsed", 0) > half:
                self._wait(time.monotonic() + half)
                self._attempt(lambda: self._post(RELIEF, probe))
            _wait(time.monotonic() + READ_INTERVAL)

    def _goes_on(self, parent: int) -> bool:
        return os.getppid() == parent and time.monotonic() < self._end + ENDING and not self._mailbox.holds(OVER)

    def _post(self, sender: str, probe: dict[str, Any]) -> dict[str, Any]:
        """Look once and post what was found."""
        begun = time.monotonic()
        if not probe["checks"]:
            self._mailbox.post(f"{self._host} {sender}", {"started_at": begun, "probe": None})
            return {}
        found = self._module(PROBE, probe)
        words = {key: value for key, value in found.items() if key != "said"}
        # The host's own span of time, from a moment that was no later there: its clock need not be trusted.
        started = begun + found.get("waited", 0.0)
        self._mailbox.post(f"{self._host} {sender}", {"started_at": started, "probe": words})
        return found

    def _look_again(self, pace: str, probe: dict[str, Any], parent: int) -> dict[str, Any]:
        """Look until the deciding process has ended, or the parent is gone; who cannot be reached is tried again."""
        calls = answered = 0
        memory: Mapping[str, Any] | None = None
        goes_on = True
        while goes_on:
            begun = time.monotonic()
            if not calls or (probe["checks"] and begun < self._end):
                found = self._attempt(lambda: self._post(pace, probe), {})
                probe["known"] = found.get("said")
                calls, answered = calls + 1, answered + bool(found)
            goes_on = self._goes_on(parent)
            if pace == SELDOM:
                memory = self._hand_over(memory)
            self._wait(begun + probe["interval"])
        return {"calls": calls, "answered": answered}

    def _hand_over(self, memory: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """Keep the newest state; return what has still to be kept."""
        newest = self._attempt(lambda: self._mailbox.read(MEMORY)) or memory
        still: Mapping[str, Any] | None = self._attempt(lambda: self._keep(newest), newest)
        return still

    def _wait(self, until: float) -> None:
        """Wait for the next look, or for the end."""
        while time.monotonic() < until and not self._mailbox.holds(OVER):
            _wait(min(until, time.monotonic() + READ_INTERVAL))

    def _timers(self, pace: str) -> dict[str, Any]:
        policy = {**DEFAULT_POLICY, **self._options["policy"]}
        # What a call found last must still be fresh when the next one has been waiting for silence.
        spare = policy["fresh"] - policy["probe_deadline"] - policy["connect_timeout"]
        interval = self._options["interval"] * PACE[pace]
        return {**{name: policy[name] for name in PROBE_TIMERS}, "interval": interval, "seconds": spare / 2}

    def _module(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Run a module; `{}` when the host cannot be reached, or the module could not do its work there."""
        try:
            result: dict[str, Any] = self._execute_module(
                module_name=name, module_args=arguments, task_vars=self._variables
            )
        except AnsibleError as error:
            display.vv(f"{self._host}: {error}")
            return {}
        if result.get("failed") or result.get("unreachable"):
            self._warn(f"{name}: {result.get('msg')}")
            return {}
        return result

    def _keep(self, memory: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """Keep the state of the decision on a host of the coordination store; return what has still to be kept."""
        store = self._options["continuity"]["continuity_coordination"]
        if memory is None or self._host not in store["hosts"]:
            return None
        where = {key: store[key] for key in ("driver", "directory", "settings") if key in store}
        arguments = {**where, "operation": "put", "key": "track"}
        return None if self._module(STORE, {**arguments, **memory}) else memory

    @property
    def _host(self) -> str:
        return str(self._variables["inventory_hostname"])

    def _decide(self, hosts: set[str]) -> dict[str, Any]:
        """Fold what the hosts see until the time is over; say each change of the verdict when it happens."""
        options = self._options
        watch = Watch(options["continuity"], options["policy"], options["attestations"], time.monotonic())
        record = _Record(options, self._mailbox, self._attempt)
        parent = os.getppid()
        try:
            while time.monotonic() < self._end and os.getppid() == parent:
                read = time.monotonic()
                self._collect(watch, hosts)
                judged = None if watch.waits_for(hosts, read) else watch.judge(time.monotonic(), time.time())
                if judged is not None:
                    record.add(judged, watch.store["versions"].get("track", 0) if watch.store_read else None)
                _wait(read + READ_INTERVAL)
            return record.end()
        finally:
            self._attempt(lambda: self._mailbox.post(OVER, True))

    def _collect(self, watch: Watch, hosts: set[str]) -> None:
        for host, sender in product(hosts, SENDERS):
            mail = self._mailbox.read(f"{host} {sender}")
            if mail is not None:
                watch.take(host, SENDERS[sender], Mail(**mail))


class _Record:
    """Says, writes down and hands on what was decided; a disk that is full ends none of it."""

    def __init__(
        self, options: Mapping[str, Any], mailbox: Mailbox, attempt: Callable[[Callable[[], object]], object]
    ) -> None:
        """Use the module's options; `attempt` does something that may fail, and tells so."""
        policy = options["policy"]
        self._directory = Path(options["directory"]) if options["directory"] else None
        self._series = SeriesFile(self._directory, policy) if self._directory else None
        self._mailbox = mailbox
        self._attempt = attempt
        self._spared = float(policy.get("schedule_gap", DEFAULT_POLICY["schedule_gap"])) / 2
        self._last: Judged | None = None
        self._kept: tuple[float, Mapping[str, Any]] = (0.0, {})
        self._version: int | None = None
        self._verdicts: list[dict[str, Any]] = []

    def add(self, judged: Judged, version: int | None) -> None:
        """Take the next decision; `version` is that of the state that lies in the store, None while it is not known."""
        self._last = judged
        if version is not None:
            self._version = max(self._version or 0, version)
        self._say(judged.decision, judged.observation["taken_at"])
        self._attempt(lambda: self._write(judged))
        worth = worth_keeping(judged)
        if worth != self._kept[1] or time.monotonic() - self._kept[0] >= self._spared:
            self._attempt(lambda: self._hand_on(judged, worth))

    def _write(self, judged: Judged) -> None:
        if self._directory and self._series:
            text = json.dumps(judged.decision, indent=4, sort_keys=True) + "\n"
            replace_file(self._directory / "verdict.json", text, mode=0o644)
            self._series.add(judged)

    def _say(self, decision: Mapping[str, Any], at: str) -> None:
        shown = {"verdict": decision["verdict"], "site": decision["site"]}
        if self._verdicts and shown.items() <= self._verdicts[-1].items():
            return
        self._verdicts.append({"at": at, **shown, "sentence": decision["evidence"][0]})
        display.display(f"{at} {decision['evidence'][0]}")

    def _hand_on(self, judged: Judged, worth: Mapping[str, Any]) -> None:
        """Hand on a state, unless the store is unread: what it remembers must not be overwritten by less.

        Nor is it dated by a controller whose clock is wrong: it would bar all others with its times.
        """
        if self._version is not None and may_be_remembered(judged.observation):
            self._version += 1
            self._mailbox.post(MEMORY, {"version": self._version, "value": judged.state})
            self._kept = (time.monotonic(), worth)

    def end(self) -> dict[str, Any]:
        """Hand on the last state; return the last decision and every change of the verdict."""
        last = self._last
        if last is not None:
            self._attempt(lambda: self._hand_on(last, {}))
        return {"decision": last and last.decision, "state": last and last.state, "verdicts": self._verdicts}


def _wait(until: float) -> None:
    threading.Event().wait(max(0.0, until - time.monotonic()))
