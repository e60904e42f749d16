# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The road as a person goes it: the playbooks on a lab, and what they left behind, seen by the lab's own eyes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.etcd_client import (
    EtcdClient,
    read_settings,
)
from two_site_lab import truth, truth_configuration
from two_site_lab.calls import figures
from two_site_lab.errors import LabError
from two_site_lab.lab import TREE, Lab
from two_site_lab.machine import wait_until
from two_site_lab.setup.cfg import MASTER_NAME, psql

STATE_DIRECTORY = "var/lib/sip-dr"
STORE_HOST = "witness"  # it stands in no site, so it answers whichever fails
SETTINGS = "etc/sip-dr/etcd.json"
CALL_TIMEOUT = 16  # seconds until SIPp gives a call up: until then it is neither answered nor failed
PLAYBOOK_DEADLINE = 240
RUN_ID = re.compile(r"continuity_allow_data_loss=(\S+)")
TARGET = re.compile(r"^1 \S+ \d+ (\d+) duid=(\S+)", re.MULTILINE)
PHONE_SERVER = re.compile(r"^account\.1\.sip_server\.1\.address = (\S+)", re.MULTILINE)
START_WRITES = """
import sys
from two_site_lab import lab, truth_configuration
truth_configuration.start_writes(lab.Lab(sys.argv[1]))
"""
WRITER_UNITS = ("genesys-confserv.service", "genesys-scs.service", "genesys-message-server.service")


def in_control(lab: Lab) -> bool:
    """Whether this process stands in the lab's control namespace."""
    with suppress(FileNotFoundError):
        here, control = os.stat("/proc/self/ns/net"), os.stat(f"/run/netns/{lab.state.id}-control")
        return (here.st_dev, here.st_ino) == (control.st_dev, control.st_ino)
    return False


@dataclass(frozen=True)
class Done:
    """A playbook that has ended: its exit code, and everything that it said on one line without needless blanks."""

    code: int
    said: str

    @property
    def run_id(self) -> str:
        """The run for which a refusal says that data loss can be allowed."""
        found = RUN_ID.search(self.said)
        assert found, self.said
        return found[1]


LOOKED = ("records/track", "records/desktops")
"""What the health check remembers of its looking."""


class Road:
    """One lab and one folder of run directories."""

    def __init__(self, lab: Lab, runs: Path) -> None:
        self.lab = lab
        self.runs = runs

    def do(self, *words: str) -> None:
        """Run ``lab/lab`` with these words."""
        command = [TREE / "lab/lab", "--id", self.lab.state.id, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def begin(self, master: str = "site1", replication: str = "sync") -> None:
        """The lab as new, guarded, and with nothing left of how it began before."""
        self.do("reset", "--master", master, "--coordination", "etcd", "--replication", replication)

    def command(self, playbook: str, *words: str) -> list[str]:
        """The command line of a playbook on this lab."""
        program = Path(sys.executable).with_name("ansible-playbook")
        options = ["-i", self.lab.inventory_directory, "-e", f"continuity_runs={self.runs}"]
        return [str(word) for word in (program, *options, f"playbooks/{playbook}.yml", *words)]

    def play(self, playbook: str, *words: str) -> Done:
        """Run a playbook to its end."""
        command = self.command(playbook, *words)
        done = subprocess.run(command, cwd=TREE, capture_output=True, text=True, timeout=PLAYBOOK_DEADLINE, check=False)
        with (self.runs / "output.txt").open("a") as output:
            output.write(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}\n")
        return Done(done.returncode, " ".join((done.stdout + done.stderr).split()))

    def health_check(self) -> tuple[str, str | None, int]:
        """Verdict, the site it is about, and the exit code."""
        done = self.play("health_check")
        decision = json.loads((self.runs / "verdict.json").read_text())
        return decision["verdict"], decision["site"], done.code

    def interrupt(self, words: list[str], host: str, step: str, with_module: bool) -> None:
        """Start a failover and kill it with everything it started here, as soon as a step has begun on a host.

        ``with_module`` also kills what it runs on the host, as if that had crashed too.
        """
        started = subprocess.Popen(
            words, cwd=TREE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            wait_until(lambda: step in self.last_events(host), f"{step} begun on {host}", 120, 0.003)
            kill(self._modules(host) if with_module else [])
        finally:
            kill([started.pid, *descendants(started.pid)])
            started.wait()

    def _modules(self, host: str) -> list[int]:
        """What Ansible runs on a host, as this machine numbers it: a Python that was given its program by SSH."""
        running = self.lab.machine(host).processes()
        modules = [pid for pid in running if words_of(pid)[:2] in (["/usr/bin/python3"], ["/usr/bin/python3", ""])]
        return [pid for module in modules for pid in (module, *descendants(module))]

    def file(self, host: str, path: str) -> Path:
        """A file or folder on a host's disk, whatever the host does."""
        return self.lab.state.disk(host) / "root" / path

    def last_events(self, host: str) -> dict[str, str]:
        """The last thing that a host's journal says of each step: ``begin``, ``ok`` or ``failed``."""
        path = self.file(host, f"{STATE_DIRECTORY}/journal.jsonl")
        records = [json.loads(line) for line in (path.read_text() if path.exists() else "").splitlines() if line]
        return {record["step"]: record.get("outcome", record["event"]) for record in records}

    def store(self) -> dict[str, object]:
        """Everything that the coordination store holds, by key; without what changes all the time."""
        settings = read_settings(str(self.file(STORE_HOST, SETTINGS)))
        ca_file = str(self.file(STORE_HOST, settings.ca_file.lstrip("/")))
        client = EtcdClient(settings._replace(ca_file=ca_file))
        try:
            held = {key: found.value for key, found in client.range("").items()}
        finally:
            client.close()
        held["ticket"] = {key: value for key, value in held["ticket"].items() if key not in ("n", "by")}
        return {key: value for key, value in held.items() if key not in LOOKED}

    def alive(self, kind: str) -> list[str]:
        """The hosts of a kind that have power."""
        return [host.name for host in self.lab.topology.of_kind(kind) if not self.lab.machine(host.name).is_off()]

    def untouched(self) -> dict[str, object]:
        """Everything that a failover may change, word for word; equal before and after means that nothing was touched.

        What the health check remembers of its looking is left out.
        """
        lists = {host: self.file(host, "etc/kamailio/dispatcher.list").read_text() for host in self.alive("gw")}
        states = {host: self._state_files(host) for kind in ("cfg", "gw", "phones") for host in self.alive(kind)}
        kept = {"store": self.store(), "lists": lists, "files": states}
        return {**kept, **self.configuration(), "phones": self._provisioning()}

    def _state_files(self, host: str) -> dict[str, str]:
        root = self.file(host, STATE_DIRECTORY)
        found = sorted(path for path in root.rglob("*") if path.is_file() and path.name not in ("track.json", ".alone"))
        return {str(path.relative_to(root)): path.read_text() for path in found}

    def _provisioning(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in sorted(self.file("phones", "srv/provisioning").iterdir())}

    def configuration(self) -> dict[str, object]:
        """The configuration plane of the sites that have power."""
        hosts = self.alive("cfg")
        names = {host: self.file(host, "etc/hosts").read_text() for host in hosts}
        in_recovery = {host: psql(self.lab, host, "select pg_is_in_recovery()").strip() for host in hosts}
        units = {host: self.lab.run(host, ["systemctl", "is-active", *WRITER_UNITS], check=False) for host in hosts}
        return {
            "names": names,
            "in_recovery": in_recovery,
            "writers": {host: done.stdout.split() for host, done in units.items()},
        }

    def canonical(self) -> dict[str, object]:
        """What a failover leaves behind, without times and run ids."""
        plane = self.configuration()
        masters = {host: self._master(text) for host, text in plane.pop("names").items()}
        return {
            "gateways": {host: self._preference(host) for host in self.alive("gw")},
            "phones": sorted({PHONE_SERVER.search(text)[1] for text in self._provisioning().values()}),
            "masters": masters,
            **plane,
            **self._run_left(),
            "journal": {host: self.last_events(host) for kind in ("cfg", "gw", "phones") for host in self.alive(kind)},
        }

    def _master(self, hosts_file: str) -> str:
        return next(words[0] for words in map(str.split, hosts_file.splitlines()) if MASTER_NAME in words)

    def _preference(self, gateway: str) -> list[str]:
        targets = TARGET.findall(self.file(gateway, "etc/kamailio/dispatcher.list").read_text())
        return [site for _, site in sorted(targets, key=lambda target: -int(target[0]))]

    def _run_left(self) -> dict[str, object]:
        store = self.store()
        run = store.get("records/run", {}).get("value", {})
        events = store.get("records/events", {}).get("value", [])
        ticket = store["ticket"]
        return {
            "run": (run.get("failed"), run.get("status")),
            "lock": store.get("lock"),
            "events": [(event["type"], event["site"], event["scope"]) for event in events],
            "ticket": (ticket["holder"], ticket["for"], ticket["revoked_from"]),
        }

    def people(self, site: str) -> tuple[int, int]:
        """How many phones are registered and how many agents logged in at a site."""
        now = truth.snapshot(self.lab)["sites"][site]
        return len(now["registered"]), len(now["agents"])

    def calls(self, since: float, seconds: float) -> dict[str, object]:
        """The carrier's own figures of the calls offered in a span of time, once each of them is over."""
        until = since + seconds
        wait_until(lambda: time.time() > until + CALL_TIMEOUT, "the last counted call is over", 120, 0.2)
        return figures(truth.read_calls(self.lab, since, until))

    def accepted_after(self, moment: float) -> set[str]:
        """The sites at which the lab's writer had a write accepted after a moment."""
        rows = truth_configuration.outcomes(self.lab)
        return {row["site"] for row in rows if row["outcome"] == "accepted" and row["begun"] > moment}

    def settle_people(self, site: str, phones: int = 40) -> None:
        """Wait until phones and agents are at a site; LabError with what is missing."""
        wait_until(lambda: self.people(site) == (phones, phones), f"{phones} phones and agents at {site}", 60, 0.5)

    def start_writes(self) -> None:
        """Start the lab's writer, as a process that is nobody's child here."""
        command = [sys.executable, "-c", START_WRITES, self.lab.state.id]
        subprocess.run(command, env={**os.environ, "PYTHONPATH": str(TREE / "lab")}, check=True)

    def end(self) -> None:
        """Stop what a test may have started."""
        with suppress(LabError):
            truth.stop_calls(self.lab)
        truth_configuration.stop_writes(self.lab)


def words_of(pid: int) -> list[str]:
    """A process's command line; nothing for one that is gone."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
    return []


def descendants(pid: int) -> list[int]:
    """Every process below a process, the whole tree: Ansible's workers have sessions of their own."""
    below = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
            below += [child, *descendants(child)]
    return below


def kill(pids: list[int]) -> None:
    """Kill processes with no goodbye; those that are gone are gone."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
