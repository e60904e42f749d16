# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host's processes that look, and what is kept of the decisions, when something fails; the host is a function."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.action import site_watch
from ansible_collections.contactcenter.sip_dr.plugins.action.site_watch import MEMORY, OVER
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.watch import Judged, Mailbox

CHECKS = [{"id": "x", "kind": "tcp"}, {"id": "y", "kind": "call"}]
LIMIT = 20.0


class Looking(site_watch.ActionModule):
    """A host that looks: `host(kind, how many looks of it there were before)` stands for its module calls."""

    def __init__(self, box, host):
        super().__init__(*[None] * 6)
        store = {"hosts": [], "driver": "files", "directory": "/nowhere"}
        self._options = {
            "probe": {"checks": CHECKS},
            "policy": {},
            "interval": 0.05,
            "continuity": {"continuity_coordination": store},
        }
        self._variables = {"inventory_hostname": "here"}
        self._warned = set()
        self._mailbox = Mailbox(box)
        self._end = time.monotonic() + LIMIT
        self._answer, self._looks = host, box / "looks"

    def _module(self, name, arguments):
        kind = arguments["checks"][0]["kind"]
        before = sum(line.endswith(kind) for line in self.looks())
        with self._looks.open("a") as file:
            file.write(f"{os.getpid()} {kind}\n")
        self._answer(self, kind, before)
        return {"answers": [], "reached": True, "elapsed": 0}

    def looks(self):
        return self._looks.read_text().splitlines() if self._looks.exists() else []

    def over(self):
        self._mailbox.post(OVER, True)


def hang():
    threading.Event().wait(LIMIT)


@pytest.fixture
def box(tmp_path):
    return tmp_path / "box"


def test_a_look_that_fails_is_told_and_the_next_one_taken(box, capfd):
    def host(me, kind, before):
        if kind == "call" and before in (1, 2):
            raise OSError(28, f"No space left on device {before}")
        if kind == "call" and before == 4:
            me.over()

    assert Looking(box, host)._look()["answered"] > 0
    warned = capfd.readouterr().err
    assert warned.count("OSError") == 1
    assert "No space left" in warned


def test_a_process_that_was_killed_is_begun_anew(box, capfd):
    def host(me, kind, before):
        if kind == "call" and not before:
            os.kill(os.getpid(), signal.SIGKILL)
        if kind == "call" and before:
            me.over()

    Looking(box, host)._look()
    assert "begun anew" in capfd.readouterr().err


@pytest.mark.parametrize("stuck", ["call", "tcp"])
def test_a_call_that_never_returns_does_not_outlast_the_watch(box, stuck, monkeypatch):
    monkeypatch.setattr(site_watch, "ENDING", 0.3)

    def host(me, kind, before):
        if kind == stuck:
            hang()
        if before == 2:
            me.over()

    begun = time.monotonic()
    looked = Looking(box, host)._look()
    assert time.monotonic() - begun < LIMIT / 2
    assert (looked["calls"] == 0) == (stuck == "tcp")


def runs(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for(condition):
    ends = time.monotonic() + LIMIT / 2
    while not condition() and time.monotonic() < ends:
        threading.Event().wait(0.02)
    return condition()


def test_nobody_goes_on_looking_when_the_play_is_killed(box):
    """The deciding process is gone as well, so nobody says that it is over; one look hangs."""

    def host(_, kind, before):
        if kind == "call" and before:
            hang()

    looking = Looking(box, host)
    play = os.fork()
    if not play:
        if not os.fork():
            looking._look()
            os._exit(0)
        hang()
        os._exit(0)
    assert wait_for(lambda: sum(line.endswith("call") for line in looking.looks()) == 2)
    os.kill(play, signal.SIGKILL)
    os.waitpid(play, 0)
    assert wait_for(lambda: not any(runs(int(line.split()[0])) for line in looking.looks()))


def judged(before, n):
    decision = {"verdict": "NORMAL", "site": None, "evidence": ["All is well."], "settled": True}
    kept = ("raw", "departures", "flapping_since", "last_master", "failed_over", "lasting")
    return Judged(
        before, {"taken_at": str(n), "observer": {"healthy": True}}, decision, {**dict.fromkeys(kept), "n": n}
    )


def record(box, directory):
    looking = Looking(box, None)
    options = {"policy": {}, "directory": str(directory)}
    return site_watch._Record(options, looking._mailbox, looking._attempt), looking._mailbox


def test_what_cannot_be_written_does_not_end_the_deciding(box, tmp_path, capfd):
    directory = tmp_path / "later"
    keeps, _ = record(box, directory)
    first = judged({}, 1)
    keeps.add(first, 0)
    second = judged(first.state, 2)
    keeps.add(second, 0)
    assert capfd.readouterr().err.count("FileNotFoundError") == 1
    directory.mkdir()
    third = judged(second.state, 3)
    keeps.add(third, 0)
    lines = [json.loads(line) for line in (directory / "observations.jsonl").read_text().splitlines()]
    assert [line.get("state") or line["observation"] for line in lines] == [second.state, third.observation]
    assert keeps.end()["decision"] == third.decision


def test_a_state_is_handed_on_when_it_is_known_what_lies_in_the_store(box, tmp_path):
    keeps, mailbox = record(box, tmp_path)
    first = judged({}, 1)
    keeps.add(first, None)
    assert not mailbox.holds(MEMORY)
    second = judged(first.state, 2)
    keeps.add(second, 7)
    assert mailbox.read(MEMORY) == {"version": 8, "value": second.state}
    wrong = judged(second.state, 3)
    wrong.observation["observer"]["clock"] = "wrong"
    wrong.state["raw"] = "another"
    keeps.add(wrong, 7)
    assert mailbox.read(MEMORY) is None, "nothing is dated by a wrong clock"
    keeps.add(second, 7)
    keeps.end()
    assert mailbox.read(MEMORY) == {"version": 9, "value": second.state}
