# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole lab: up, down, reset, and what the stand-ins' hooks need of it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

from two_site_lab import (
    beginning,
    daemon,
    disks,
    gateways,
    image,
    inventory,
    network,
    pki,
    requirements,
    setups,
    yaml_text,
)
from two_site_lab.commands import in_namespace, sh
from two_site_lab.errors import LabError
from two_site_lab.faults import FaultStore
from two_site_lab.machine import Machine, power_off, wait_until
from two_site_lab.model import Host, Protection, Topology
from two_site_lab.progress import say, step
from two_site_lab.state import State
from two_site_lab.topology import GATEWAYS, topology

TREE = Path(__file__).resolve().parents[2]
DEFAULT_ID = "dr"
BOOT_DEADLINE = 40
READY_DEADLINE = 40
READY_POLL = 0.2


class Lab:
    """One lab by its id: the handle that commands and setup hooks work with."""

    def __init__(self, lab_id: str = DEFAULT_ID) -> None:
        """Stand for the lab ``lab_id``, whether it runs or not."""
        self.state = State(lab_id)
        self.topology: Topology = beginning.load(self.state.beginning, lab_id)
        self.faults = FaultStore(self.state.faults)

    @cached_property
    def machines(self) -> dict[str, Machine]:
        """Every host's machine by the host's name."""
        return {name: Machine(self.state, self.topology, host) for name, host in self.topology.hosts.items()}

    @property
    def inventory_directory(self) -> Path:
        """Where the running lab's inventory lies: in the tree for the default lab, beside its state for others."""
        return TREE / "inventories/lab" if self.state.id == DEFAULT_ID else self.state.root / "inventory"

    def run(
        self, host: str, argv: Sequence[str], input: str | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as root inside a host, past its network; with ``check`` a failure is a LabError."""
        return self.machine(host).run(argv, stdin=input, check=check)

    def in_control(self, argv: Sequence[object]) -> list[object]:
        """The words that run a command in the control namespace."""
        return in_namespace(network.namespace(self.topology, "control"), argv)

    def machine(self, host: str) -> Machine:
        """A host's machine; LabError if there is no such host."""
        try:
            return self.machines[host]
        except KeyError:
            raise LabError(f"no host {host}: {' '.join(self.machines)}") from None

    def secret(self, name: str) -> str:
        """A password of this lab, made up at first use; setup modules and inventory get the same one by name."""
        path = self.state.root / "secrets.json"
        known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        if name not in known:
            known[name] = secrets.token_urlsafe(18)
            _write_private(path, json.dumps(known))
        return known[name]

    def stands(self) -> bool:
        """Whether the lab is recorded as up and its namespaces are there, whatever its hosts do."""
        return self.state.record.exists() and len(network.existing(self.topology)) == len(self.topology.hosts) + 2

    def is_up(self) -> bool:
        """Whether the lab runs: it stands, and every host is on, or off by a fault."""
        if not self.stands():
            return False
        off = {fault.a for fault in self.faults.all() if fault.kind == "power"}
        return all(name in off or machine.leader() for name, machine in self.machines.items())

    def need_up(self) -> None:
        """LabError unless the lab stands; its supervisor is started again if it has died."""
        if not self.stands():
            raise LabError("the lab is not up: lab/lab up")
        daemon.ensure(self.state)

    def up(self, master: str | None = None, protection: Protection | None = None, makes: str | None = None) -> None:
        """Build, boot and start everything; says so when it is up already, cleans up first after a crash.

        ``master`` is the site that starts as primary and master, the first one when not given; ``makes`` says which
        gateways there are (Topology.gateways).
        """
        requirements.provide_commands()
        begun = beginning.begin_at(self.topology, master, protection)
        if self.is_up():
            if makes not in (None, self.topology.gateways):
                raise LabError("the lab is up already, with other gateways: lab/lab down first")
            if begun != self.topology:
                raise LabError("the lab is up already, and began otherwise: lab/lab reset with the same options")
            daemon.ensure(self.state)
            say(f"the lab is up already (id {self.state.id})")
            return
        requirements.allow_many_systemds()
        root = image.image_root()
        if self._traces():
            with step("what was left of the lab before cleaned up"):
                self._remove_all()
        plain = topology(self.state.id, gateways=makes or next(iter(GATEWAYS)))
        self.topology = beginning.begin_at(plain, master, protection)
        vars(self).pop("machines", None)  # there may have been others
        self.state.make()
        self._make_key()
        with step("networks"):
            network.make(self.topology)
        self._start(root)
        daemon.ensure(self.state)

    def down(self) -> None:
        """Remove everything that carries the lab's id, and nothing else."""
        if not self._traces():
            say(f"the lab is down already (id {self.state.id})")
            return
        with step("lab down"):
            self._remove_all()

    def reset(self, master: str | None = None, protection: Protection | None = None) -> None:
        """Empty disks, no faults, everything started anew; networks and image stay, and how it began unless given."""
        self.need_up()
        self.topology = beginning.begin_at(self.topology, master, protection)
        root = image.image_root(build=False)
        with step("all hosts off, disks and faults forgotten"):
            self.state.record.unlink()
            daemon.stop(self.state)
            power_off(self.topology, self.machines.values())
            disks.unmount_all(self.state)
            self.faults.remove_where(lambda fault: True)
            network.apply_faults(self.topology, ())
        self._start(root)
        daemon.ensure(self.state)

    def _start(self, root: Path) -> None:
        beginning.save(self.state.beginning, self.topology)
        pki.make(self.state.pki, [host for host in self.topology.hosts.values() if setups.speaks_tls(host)])
        with step("disks"):
            units = {host.name: self._make_disk(host, root) for host in self.topology.hosts.values()}
            self.state.units.write_text(json.dumps(units))
        with step("hosts answer SSH", announce=True):
            self.power_on(self.topology.hosts)
        with step("services started", announce=True):
            setups.start_all(self)
        with step("services ready", announce=True):
            self._wait_ready()
        self._write_inventory()
        self.state.record.write_text(json.dumps({"id": self.state.id, "since": time.time(), "image": root.name}))
        self.state.event("up", image=root.name)

    def _make_disk(self, host: Host, image_root: Path) -> list[str]:
        disk = disks.mount(self.state, host.name, image_root)
        public_key = self.state.key.with_suffix(".pub").read_text()
        disks.write(disk, disks.base_setup(host, self.topology, public_key))
        setup = setups.host_setup(host, self.topology)
        disks.write(disk, setup)
        return setup.enable

    def power_on(self, names: Sequence[str] | dict[str, Host]) -> None:
        """Start hosts and wait until each greets by SSH; LabError naming those that do not within the deadline."""
        for name in names:
            self.machine(name).power_on()
        addresses = {self.topology.host(name).address: name for name in names}
        words = self.in_control([sys.executable, "-m", "two_site_lab.banner", BOOT_DEADLINE, *addresses])
        done = subprocess.run(
            [str(word) for word in words],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)},
            capture_output=True,
            text=True,
            check=False,
        )
        silent = [addresses[address] for address, waited in json.loads(done.stdout or "{}").items() if waited is None]
        if done.returncode:
            who = " ".join(silent) or done.stderr
            raise LabError(f"no SSH after {BOOT_DEADLINE} s: {who} (see {self.state.root}/console)")

    def _wait_ready(self) -> None:
        try:
            wait_until(lambda: not self.not_ready(), "services ready", READY_DEADLINE, READY_POLL)
        except LabError as error:
            raise LabError(f"{error}: {'; '.join(self.not_ready())}") from None

    def not_ready(self) -> list[str]:
        """What keeps the lab from being ready, in words: units that are not active, and what the kinds' hooks say."""
        with ThreadPoolExecutor(4) as pool:
            inactive: list[str] = sum(pool.map(self._inactive_units, self.topology.hosts), start=[])
        return inactive or setups.waiting_for(self)

    def _inactive_units(self, host: str) -> list[str]:
        return [f"{host}: {unit} {state}" for unit, state in self.unit_states(host).items() if state != "active"]

    def is_paused(self, host: str) -> bool:
        """Whether the whole host is frozen: nothing inside it answers until it is thawed."""
        return any(fault.kind == "pause" and fault.a == host for fault in self.faults.all())

    def unit_states(self, host: str) -> dict[str, str]:
        """What systemd says of each unit that starts at the host's boot; nothing while the host is off."""
        units = json.loads(self.state.units.read_text())[host] if self.state.units.exists() else []
        if not units or self.is_paused(host) or self.machine(host).leader() is None:
            return {}
        return dict(zip(units, self.run(host, ["systemctl", "is-active", *units], check=False).stdout.split()))

    def _make_key(self) -> None:
        if not self.state.key.exists():
            sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"lab {self.state.id}", "-f", self.state.key)

    def _write_inventory(self) -> None:
        variables = self.inventory_directory / "group_vars/all"
        variables.mkdir(parents=True, exist_ok=True)
        (self.inventory_directory / "hosts.yml").write_text(yaml_text.dump(inventory.hosts(self.topology, self.state)))
        (variables / "continuity.yml").write_text(yaml_text.dump(inventory.continuity(self.topology)))
        _write_private(variables / "stand_ins.yml", yaml_text.dump(setups.inventory_variables(self.topology)))

        for gateway in filter(gateways.is_closed, self.topology.of_kind("gw")):
            _write_private(self.state.password(gateway.name), self.secret(gateway.name))

    def _remove_inventory(self) -> None:
        (self.inventory_directory / "hosts.yml").unlink(missing_ok=True)
        shutil.rmtree(self.inventory_directory / "group_vars", ignore_errors=True)

    def _traces(self) -> bool:
        """Whether anything of this lab is left on the machine."""
        return self.state.root.exists() or bool(network.existing(self.topology))

    def _remove_all(self) -> None:
        self.state.record.unlink(missing_ok=True)
        daemon.stop(self.state)
        for machine in self.machines.values():
            machine.clear_cgroups()
        disks.unmount_all(self.state)
        network.remove(self.topology)
        self._remove_inventory()
        shutil.rmtree(self.state.root, ignore_errors=True)


def _write_private(path: Path, text: str) -> None:
    """Write a file that only root may read, in one step: a reader beside us sees the old or the new one."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.touch(mode=0o600)
    unfinished.write_text(text)
    unfinished.rename(path)
