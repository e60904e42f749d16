# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A story on the lab: what is broken and when, and a person who brings it to an end afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field

from chaos_story import Event, Story
from road import PLAYBOOK_DEADLINE, Road, descendants, kill
from two_site_lab import truth, truth_configuration, truth_writers
from two_site_lab.errors import LabError
from two_site_lab.lab import TREE
from two_site_lab.machine import wait_until

FAST = ("-i", str(TREE / "lab/policy_fast"))
CALLS_A_SECOND = 1
ROUNDS = 8
"""How often a person looks and acts before giving up."""
ENDED = {0: "done", 2: "refused"}
CALM = ("NORMAL", "BLIND_SPOT", "DEGRADED", "RETURNING", "FLAPPING", "TRUNK_OOS", "GRAY", "GW_CUT")
"""Verdicts under which somebody may be the master, as far as a person is concerned."""
BY = "carol"


@dataclass
class Ended:
    """How a run ended: each playbook with its end, what the lab saw, and how long it all took in seconds."""

    playbooks: list[str] = field(default_factory=list)
    noted: list[str] = field(default_factory=list)
    end: str = "waiting for a person"
    announced: bool = False
    seconds: float = 0.0


class Controller:
    """A playbook in a process of its own."""

    def __init__(self, road: Road, words: tuple[str, ...], number: int) -> None:
        self.name = words[0]
        self.path = road.runs / f"{number:02}-{words[0]}.txt"
        self._output = self.path.open("w")
        self.killed = False
        self.process = subprocess.Popen(
            road.command(words[0], *FAST, *words[1:]),
            cwd=TREE,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def kill(self) -> None:
        """Kill it and everything that it started here, with no goodbye."""
        self.killed = self.runs
        kill([self.process.pid, *descendants(self.process.pid)])
        self.process.wait()

    def end(self) -> str:
        """Wait until it has ended; how it did, in a word."""
        try:
            self.process.wait(PLAYBOOK_DEADLINE)
        except subprocess.TimeoutExpired:
            self.kill()
            return "hangs"
        finally:
            self._output.close()
        return "killed" if self.killed else ENDED.get(self.process.returncode, "failed")

    def said(self) -> str:
        """Everything that it said, on one line."""
        return " ".join(self.path.read_text().split())


class Stage:
    """One run."""

    def __init__(self, road: Road, story: Story) -> None:
        self.road = road
        self.story = story
        self.ended = Ended()
        self._controllers: list[Controller] = []

    def play(self) -> Ended:
        """Prepare, break, act, mend, and act again until it is over."""
        begun = time.time()
        self._prepare()
        for words in self.story.first:
            self._do(words)
        self._run_into(self._start(self.story.playbook))
        self._do(("heal", "--all"))
        wait_until(self._everybody_answers, "every host answers again", 120, 1)
        self._person()
        self._finish()
        self.ended.seconds = round(time.time() - begun, 1)
        return self.ended

    def _prepare(self) -> None:
        self.road.begin(self.story.master, self.story.replication)
        done = self.road.play("health_check", *FAST)
        assert done.code == 0, done.said
        self.road.start_writes()
        truth.start_calls(self.road.lab, CALLS_A_SECOND)
        wait_until(lambda: truth_configuration.has_written(self.road.lab), "a write is accepted", 30, 0.2)

    def _start(self, words: tuple[str, ...]) -> Controller:
        started = Controller(self.road, words, len(self._controllers))
        self._controllers.append(started)
        return started

    def _run_into(self, first: Controller) -> None:
        """Let the events happen, each at its moment, or when the playbook has ended without it."""
        began = time.time()
        for event in self.story.events:
            wait_until(lambda one=event: self._is_due(one, began, first), str(event), PLAYBOOK_DEADLINE + 60, 0.05)
            self._happen(event, first)
        for controller in list(self._controllers):
            self._note(controller)

    def _is_due(self, event: Event, began: float, first: Controller) -> bool:
        if not first.runs:
            return True
        if event.step:
            return any(event.step in self.road.last_events(host) for host in ("s1-cfg", "s2-cfg"))
        return time.time() - began >= event.after

    def _happen(self, event: Event, first: Controller) -> None:
        if event.do == ("kill-controller",):
            first.kill()
        elif event.do == ("second-controller",):
            self._start(self.story.playbook)
        else:
            self._do(event.do)

    def _do(self, words: tuple[str, ...]) -> None:
        """A command of the lab; what cannot be done as things stand (a dead host cannot be frozen) is noted."""
        try:
            self.road.do(*words)
        except AssertionError as error:
            self.ended.noted.append(f"{' '.join(words)}: {str(error).strip().splitlines()[0][:120]}")

    def _note(self, controller: Controller) -> str:
        end = controller.end()
        said = controller.said()
        self.ended.playbooks.append(f"{controller.name}: {end}")
        self.ended.announced |= "eplication is asynchronous" in said or "unprotected" in said
        return end

    def _everybody_answers(self) -> bool:
        lab = self.road.lab
        return not any(
            lab.machine(host.name).is_off() or lab.is_paused(host.name) for host in lab.topology.of_kind("cfg")
        )

    def _person(self) -> None:
        """Look and act, until the configuration is written to again or the playbooks say whom they wait for."""
        for _ in range(ROUNDS):
            self._note(self._start(("health_check",)))
            verdict = json.loads((self.road.runs / "verdict.json").read_text())
            self.ended.playbooks[-1] = f"health_check: {verdict['verdict']} {verdict['site'] or ''}".strip()
            words = self._next(verdict)
            if words is None:
                self.ended.end = "done"
                return
            if words:
                self.ended.end = self._note(self._start(words))

    def _next(self, verdict: dict[str, object]) -> tuple[str, ...] | None:
        """The playbook that a person would start now; empty to look again, None when there is nothing to do."""
        name, site = str(verdict["verdict"]), str(verdict["site"])
        if name in CALM and self._is_written_to():
            return None
        if name in ("SITE_DOWN", "SITE_DOWN_PEER_UNFIT"):
            return ("failover", "-e", f"continuity_failed_site={site}")
        if name == "FLAPPING":
            return ("acknowledge", "-e", f"continuity_acknowledged_by={BY}")
        if name == "NO_MASTER" or name in CALM:
            ticket = self.road.store()["ticket"]
            return (
                "move_master",
                "-e",
                f"continuity_to_site={ticket['holder'] or ticket['revoked_from'] or ticket['for']}",
            )
        return ()

    def _is_written_to(self) -> bool:
        since = time.time()
        with suppress(LabError):
            wait_until(lambda: len(self.road.accepted_after(since)) == 1, "a write is accepted", 15, 0.2)
        return len(self.road.accepted_after(since)) == 1

    def _finish(self) -> None:
        for controller in self._controllers:
            if controller.runs:
                controller.kill()
        truth_configuration.stop_writes(self.road.lab)


def seen(road: Road) -> dict[str, object]:
    """What the lab's own eyes say of the run: one writer, and which acknowledged writes are gone."""
    return truth_writers.data(road.lab, truth_writers.verdict(road.lab))
