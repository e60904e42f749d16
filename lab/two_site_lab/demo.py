# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site dies and the contact centre lives: the whole road on the lab, and every sentence that it prints is asserted.

The playbooks are run as a person runs them, in the control namespace. The figures are the lab's own (the carrier's log,
the registrars, the database), never the playbooks'.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from two_site_lab import injection, timeline, truth, truth_configuration
from two_site_lab.calls import between, figures
from two_site_lab.lab import TREE, Lab
from two_site_lab.machine import wait_until
from two_site_lab.progress import say, step

FAILED, SURVIVOR = "site1", "site2"
RATE = 5
SETTLED_AFTER = 40  # seconds after the kill from which on at least 99 % of the calls must be answered
COUNTED_FOR = 20  # seconds for which these calls are counted
ALLOWED = 0.99
WRITABLE_SECONDS = 33  # policy ticket_take (13) and 20; what the guard of site2 has seen of it meanwhile counts
CALL_TIMEOUT = 16  # seconds until SIPp gives a call up: until then it is neither answered nor failed
PEOPLE = 40  # phones, and agents
REFUSED = 2


class DemoError(Exception):
    """Something was not as the demo says; the message says what was expected and what was seen."""


def expect(what: str, is_so: bool, seen: object) -> None:
    """Say what is so, or stop. Raises DemoError."""
    if not is_so:
        raise DemoError(f"expected: {what}; seen: {seen}")
    say(f"     ok  {what}")


class Demo:
    """One run of the demo on one lab."""

    def __init__(self, lab: Lab, runs: Path) -> None:
        """Use `lab`, and keep the playbooks' run directories under `runs`."""
        self.lab = lab
        self.runs = runs
        self.watch = timeline.Watch(lab, SURVIVOR)
        self.killed_at = 0.0
        self.failover_seconds = 0.0
        self.writable_seconds = 0.0

    def playbook(self, name: str, *words: str) -> int:
        """Run a playbook in the control namespace with its output on the terminal; its exit code."""
        command = [Path(sys.executable).with_name("ansible-playbook"), "-i", self.lab.inventory_directory]
        command += [f"playbooks/{name}.yml", "-e", f"continuity_runs={self.runs}", *words]
        shown = " ".join(str(word) for word in ("ansible-playbook", "-i", "inventories/lab", *command[3:]))
        say(f"\n$ {shown}")
        return subprocess.run([str(word) for word in self.lab.in_control(command)], cwd=TREE, check=False).returncode

    def verdict(self) -> dict[str, Any]:
        """What the last health check decided."""
        found: dict[str, Any] = json.loads((self.runs / "verdict.json").read_text())
        return found

    def last_run(self) -> Path:
        """The directory of the run that was written last."""
        return max(self.runs.glob("*/report.txt"), key=lambda path: path.stat().st_mtime).parent

    def start(self) -> None:
        """Lab up and untouched, calls and configuration writes going on, and the state that knows the master."""
        if self.lab.is_up():
            truth_configuration.stop_writes(self.lab)
            self.lab.reset(FAILED)
        else:
            self.lab.up()
        truth.start_calls(self.lab, RATE)
        truth_configuration.start_writes(self.lab)
        code = self.playbook("health_check")
        expect("before the fault: NORMAL, exit code 0", code == 0, f"exit code {code}, {self.verdict()['verdict']}")

    def kill(self) -> None:
        """Every host of site 1 loses its power at once."""
        self.killed_at = time.time()
        self.watch.start()
        injection.inject_power(self.lab, injection.hosts_named(self.lab, FAILED))
        say(f"\n         every host of {FAILED} has lost its power")

    def decide(self) -> None:
        """The health check samples until its verdict is settled."""
        code = self.playbook("health_check")
        decision = self.verdict()
        seen = f"{decision['verdict']} {decision['site']}, exit code {code}"
        expect(
            f"SITE_DOWN {FAILED}, exit code 2",
            (decision["verdict"], decision["site"], code) == ("SITE_DOWN", FAILED, 2),
            seen,
        )

    def be_refused(self) -> None:
        """Nothing has failed yet: a failover is refused, and says why."""
        code = self.playbook("failover", "-e", f"continuity_failed_site={FAILED}")
        expect("a failover of a site that serves is refused: exit code 2", code == REFUSED, f"exit code {code}")
        plan = json.loads((self.last_run() / "plan.json").read_text())
        guards = [refusal["guard"] for refusal in plan["refused"]]
        expect("the refusal names its guard: verdict", guards == ["verdict"], guards)

    def fail_over(self) -> None:
        """The failover, timed: nobody has to attest anything, for the ticket and the synchronous standby do."""
        begun = time.time()
        code = self.playbook("failover", "-e", f"continuity_failed_site={FAILED}")
        self.failover_seconds = time.time() - begun
        expect("failover: exit code 0", code == 0, f"exit code {code}")
        plan = json.loads((self.last_run() / "plan.json").read_text())
        expect("fenced by its ticket, which has run out", plan["fence"]["kind"] == "ticket_run_out", plan["fence"])
        expect("no override was needed", not plan["overrides"], plan["overrides"])
        wait_until(lambda: self._accepted_at(SURVIVOR), f"a configuration write accepted at {SURVIVOR}", 20)
        self.writable_seconds = min(row["begun"] for row in self._accepted(SURVIVOR)) - begun
        expect(
            f"configuration writable after {self.writable_seconds:.1f} s of {self.failover_seconds:.1f},"
            f" at most {WRITABLE_SECONDS}",
            self.writable_seconds <= WRITABLE_SECONDS,
            f"{self.writable_seconds:.1f} s",
        )

    def verify_again(self) -> None:
        """A second run only verifies."""
        code = self.playbook("failover", "-e", f"continuity_failed_site={FAILED}")
        expect("a second run only verifies, changes nothing: exit code 0", code == 0, f"exit code {code}")

    def measure(self) -> None:
        """The lab's own figures, asserted."""
        end = self.killed_at + SETTLED_AFTER + COUNTED_FOR
        with step("calls counted", announce=True):
            wait_until(lambda: time.time() > end + CALL_TIMEOUT, "the last counted call is answered or failed", 120)
        self.watch.stop()
        self._calls(end)
        self._people()
        self._configuration()

    def _calls(self, end: float) -> None:
        calls = truth.read_calls(self.lab)
        before = figures(between(calls, self.killed_at, self.killed_at + SETTLED_AFTER))
        after = figures(between(calls, self.killed_at + SETTLED_AFTER, end))
        say("\nTimeline (the lab's own clock and counts; 0 = the power is cut)")
        for line in timeline.lines(calls, self.watch, self.lab, SURVIVOR, self.killed_at, PEOPLE):
            say(line)
        say(f"  calls offered in the first {SETTLED_AFTER} s: {_sum(before)}")
        say(f"  calls offered in the {COUNTED_FOR} s after that: {_sum(after)}\n")
        expect(
            f"calls were offered from {SETTLED_AFTER} s on",
            _number(after["offered"]) >= RATE * COUNTED_FOR * 0.9,
            after,
        )
        share = _number(after["answered"]) / _number(after["offered"])
        expect(f"{share:.1%} of them answered (at least {ALLOWED:.0%})", share >= ALLOWED, after)
        expect(f"all at {SURVIVOR}", after["by_site"] == {SURVIVOR: after["answered"]}, after["by_site"])

    def _people(self) -> None:
        site = truth.snapshot(self.lab)["sites"][SURVIVOR]
        expect(
            f"{len(site['registered'])} of 40 phones registered at {SURVIVOR}",
            len(site["registered"]) == 40,
            site["registered"],
        )
        expect(
            f"{len(site['agents'])} of 40 agents logged in there (desktop time-out 10 s; Workspace's default is 60)",
            len(site["agents"]) == 40,
            site["agents"],
        )
        expect(
            f"{SURVIVOR} runs single-site: its trunk is out of service",
            site["trunk"].get("in_service") == 0,
            site["trunk"],
        )

    def _configuration(self) -> None:
        wait_until(lambda: self._accepted_at(SURVIVOR), f"a configuration write accepted at {SURVIVOR}", 20)
        truth_configuration.stop_writes(self.lab)
        found = truth_configuration.kept_or_lost(self.lab, SURVIVOR)
        expect(
            f"the Configuration Server of {SURVIVOR} accepts writes ({self._accepted_at(SURVIVOR)} so far)",
            self._accepted_at(SURVIVOR) > 0,
            0,
        )
        expect(
            f"writes acknowledged: {len(found.kept)} kept, none lost (synchronous replication)",
            bool(found.kept) and not found.lost,
            found.lost,
        )
        both = truth_configuration.two_writers(truth_configuration.accepted_writes(self.lab))
        expect("never two masters at one time (the servers' own logs)", not both, both)

    def _accepted_at(self, site: str) -> int:
        return len(self._accepted(site))

    def _accepted(self, site: str) -> list[dict[str, Any]]:
        rows = truth_configuration.outcomes(self.lab)
        return [row for row in rows if row["outcome"] == "accepted" and row["site"] == site]

    def result(self) -> dict[str, Any]:
        """The figures for a program."""
        calls = truth.read_calls(self.lab)
        later = between(calls, self.killed_at + SETTLED_AFTER, self.killed_at + SETTLED_AFTER + COUNTED_FOR)
        return {
            "failover_seconds": round(self.failover_seconds, 1),
            "writable_seconds": round(self.writable_seconds, 1),
            "calls_before": figures(between(calls, self.killed_at, self.killed_at + SETTLED_AFTER)),
            "calls_after": figures(later),
            "sites": truth.snapshot(self.lab)["sites"],
        }


def _sum(counted: dict[str, object]) -> str:
    return f"{counted['offered']}, answered {counted['answered']} {counted['by_site']}, failed {counted['failed']}"


def _number(value: object) -> int:
    return int(str(value))


def main() -> int:
    """Run the demo; 0 when everything was as it says."""
    lab = Lab(os.environ.get("SIP_DR_LAB", "dr"))
    demo = Demo(lab, TREE / "runs")
    demo.runs.mkdir(exist_ok=True)
    begun = time.monotonic()
    try:
        demo.start()
        demo.be_refused()
        demo.kill()
        demo.decide()
        demo.fail_over()
        demo.verify_again()
        demo.measure()
    except DemoError as error:
        say(f"\nNOT AS IT SHOULD BE: {error}")
        return 1
    (demo.runs / "demo.json").write_text(json.dumps(demo.result(), indent=2) + "\n")
    truth.stop_calls(lab)
    say(f"\nDone in {time.monotonic() - begun:.0f} s. The report: {demo.last_run() / 'report.txt'}")
    say("The lab is still up. Look around:  lab/lab status · lab/lab truth · lab/lab run s2-cfg bash")
    say("Take it down:                      sudo lab/lab down")
    return 0


if __name__ == "__main__":
    sys.exit(main())
