# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""20,000 phones: their table read, their files rendered, one paced round of NOTIFYs. See README.md.

    .venv/bin/python benchmarks/phones/phones_fleet.py [--phones 20000] [--rate 200] [--silent 5]

Each measurement is a process of its own, so that its processor time and its largest memory are its alone.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.actions import Fleet, Timing
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import Server
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.notify import NotifyRound
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.provisioning import DayOne, Provisioning
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.registry import DRIVERS, Drivers
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.table import read_phones
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import run_step
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.client import SipClient

SITES = {"site1": Server("10.71.1.100"), "site2": Server("10.71.2.100")}
TABLES = ("phones.csv", "phones.yml")
MAKES = sorted(set(DRIVERS) - {"genesys_softphone"})  # no NOTIFY is sent to a softphone
COLUMNS = ("name", "dn", "registration", "driver", "mac", "address", "port", "servers")


def main() -> None:
    """Measure everything, or the one thing that a child of this process was started for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("phones", 20_000), ("rate", 200), ("silent", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        what, folder, port = options.child
        print(json.dumps(measured(what, Path(folder), int(port), options.rate)))
        return
    with tempfile.TemporaryDirectory(prefix="sip-dr-phones-") as folder, Phones(options.silent) as phones:
        make_tables(Path(folder), options.phones, phones.port)
        for what in WORK:
            say(what, child(what, folder, phones.port, options.rate))
        print(f"{'':24} NOTIFYs in each second: {phones.seconds()}; load {os.getloadavg()[0]:.1f}")


def make_tables(folder: Path, count: int, port: int) -> None:
    """Write the same phones as CSV and as YAML; all of them live at 127.0.0.1."""
    rows = []
    for n in range(count):
        mode, make, order = ("single", "dual")[n % 2], MAKES[n % len(MAKES)], "site1 site2" if n % 3 else "site2 site1"
        rows.append((f"agent-{n:05}", f"{100000 + n}", mode, make, f"001565{n:06x}", "127.0.0.1", str(port), order))
    lines = [",".join(row) for row in (COLUMNS, *rows)]
    (folder / TABLES[0]).write_text("\n".join(lines) + "\n", encoding="utf-8")
    phones = ("- " + "\n  ".join(f"{key}: {value}" for key, value in zip(COLUMNS, row)) for row in rows)
    (folder / TABLES[1]).write_text("\n".join(phones) + "\n", encoding="utf-8")


def measured(what: str, folder: Path, port: int, rate: int) -> dict[str, Any]:
    """Seconds of the clock and of a core, largest memory in MB, and what came of it."""
    idle = memory()
    wall, core = time.perf_counter(), sum(os.times()[:4])
    came = WORK[what](folder, rate)
    seconds = {"wall": time.perf_counter() - wall, "core": sum(os.times()[:4]) - core}
    return {**seconds, "memory": memory(), "idle": idle, "came": came}


def memory() -> float:
    """The largest resident memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def child(what: str, folder: str, port: int, rate: int) -> dict[str, Any]:
    """Measure in a process of its own."""
    command = [sys.executable, __file__, "--rate", str(rate), "--child", what, folder, str(port)]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def say(what: str, found: dict[str, Any]) -> None:
    """One line for one measurement."""
    numbers = "{wall:8.2f} s {core:8.2f} s of a core {memory:6.0f} MB (idle {idle:.0f})  {came}".format(**found)
    print(f"{what:24} {numbers}", flush=True)


def fleet_of(folder: Path, rate: int, check_mode: bool = False) -> Fleet:
    """All phones, with a provisioning directory beside the table."""
    directory = folder / "provisioning"
    directory.mkdir(exist_ok=True)
    timing = Timing(notify_rate=rate)
    phones = read_phones(folder / TABLES[0])
    return Fleet(
        phones, SITES, Provisioning(directory), SipClient(), timing, str(folder / "state"), check_mode=check_mode
    )


def provision(folder: Path, rate: int, check_mode: bool = False) -> str:
    """The door, without the module around it."""
    fleet = fleet_of(folder, rate, check_mode)
    with run_step(None, fleet.state_dir, fleet.check_mode) as step:
        return fleet.provision(DayOne(fleet.servers_of, 120, 300), step).detail


def move(folder: Path, _rate: int) -> str:
    """What a failover reads and writes, without its NOTIFYs."""
    fleet = fleet_of(folder, 1)
    rewrites, _problems = fleet.provisioning.toward([one for one in fleet.phones if one.is_single], SITES["site2"])
    fleet.provisioning.write(rewrites, lambda: None)
    return f"{len(rewrites)} files changed"


def notify(folder: Path, rate: int) -> str:
    """One round, to all phones of the table."""
    notifying = NotifyRound(read_phones(folder / TABLES[0]), Drivers(), SipClient(), rate)
    notifying.run()
    return str(notifying.answers)


WORK: dict[str, Callable[[Path, int], str]] = {
    "table, CSV": lambda folder, rate: f"{len(read_phones(folder / TABLES[0]))} phones",
    "table, YAML": lambda folder, rate: f"{len(read_phones(folder / TABLES[1]))} phones",
    "provision, check mode": lambda folder, rate: provision(folder, rate, check_mode=True),
    "provision, new files": provision,
    "provision, again": provision,
    "move, files alone": move,
    "NOTIFY round": notify,
}


class Phones:
    """One socket that stands for all phones: it answers 200, but not to every n-th phone of `silent` in a hundred."""

    def __init__(self, silent: int) -> None:
        """silent: of a hundred phones."""
        self._silent = silent
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._socket.bind(("127.0.0.1", 0))
        self._first: dict[bytes, float] = {}
        self.port = self._socket.getsockname()[1]

    def __enter__(self) -> Phones:
        """Answer from now on."""
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Fall silent."""
        self._socket.close()

    def seconds(self) -> str:
        """How many phones were asked for the first time in each second: the extremes, without first and last."""
        began = min(self._first.values(), default=0.0)
        counts = Counter(int(at - began) for at in self._first.values())
        whole = [counts[second] for second in range(1, max(counts, default=0))]
        return f"{min(whole, default=0)} to {max(whole, default=0)} over {len(whole)} s"

    def _serve(self) -> None:
        while True:
            try:
                data, source = self._socket.recvfrom(65535)
            except OSError:
                return
            number = data.split(b"@", 1)[0].rsplit(b":", 1)[1]
            self._first.setdefault(number, time.monotonic())
            if int(number) % 100 >= self._silent:
                self._socket.sendto(_answer(data), source)


def _answer(data: bytes) -> bytes:
    names = (b"Via", b"From", b"To", b"Call-ID", b"CSeq")
    kept = [line for line in data.split(b"\r\n") if line.split(b":")[0] in names]
    return b"\r\n".join([b"SIP/2.0 200 OK", *kept, b"Content-Length: 0", b"", b""])


if __name__ == "__main__":
    main()
