#!/usr/bin/env python3
# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module sip_options beside SIPp: 10,000 OPTIONS to a Kamailio, with and without loss. See README.md.

Everything runs in a network namespace that ends with this process; it has no route out.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NETWORK = "10.99.0.0/18"  # all of it is this machine, so that 10,000 addresses answer
FIRST = ipaddress.ip_address("10.99.0.1")
ENDPOINTS = 10_000
RUN_LIMIT = 120.0  # seconds after which a run is given up
SIPP_SETTINGS = [(rate, limit) for rate in (10_000, 50_000, 100_000) for limit in (100, 150, 300, 1000)]
"""Calls a second, and calls at once: SIPp is measured with the fastest of these on this machine."""

Row = dict[str, float]


class Programs:
    """Kamailio and SIPp out of the lab's image, run where they lie with the image's own libraries."""

    def __init__(self, image: Path, scratch: Path) -> None:
        """image: the root of the lab's image; scratch: a directory for what the programs write."""
        self._image = image
        self._libraries = image / "usr/lib/x86_64-linux-gnu"
        self._scratch = scratch

    def _loaded(self, program: str) -> list[str]:
        paths = f"{self._libraries}:{self._libraries}/kamailio"
        return [f"{self._libraries}/ld-linux-x86-64.so.2", "--library-path", paths, str(self._image / program)]

    @contextmanager
    def kamailio(self) -> Iterator[None]:
        """Kamailio, answering on every address of this namespace."""
        modules = ["-L", f"{self._libraries}/kamailio/modules"]
        own = ["-Y", str(self._scratch), "-P", str(self._scratch / "pid")]
        command = [*self._loaded("usr/sbin/kamailio"), "-DD", "-f", str(HERE / "kamailio.cfg"), *modules, *own]
        with (self._scratch / "kamailio.log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
            try:
                wait_until_it_answers(str(FIRST))
                yield
            finally:
                process.terminate()
                process.wait()

    def sipp(self, rate: int, limit: int) -> Row:
        """SIPp, over one UDP socket, to one address. Seconds of the whole process, and what failed."""
        where = [f"{FIRST}:5060", "-sf", str(HERE / "options.xml"), "-i", str(FIRST), "-p", "6060", "-t", "u1"]
        how = ["-m", str(ENDPOINTS), "-r", str(rate), "-l", str(limit), "-nostdin"]
        began = time.monotonic()
        done = run([*self._loaded("usr/bin/sipp"), *where, *how], cwd=str(self._scratch), text=True)
        took = time.monotonic() - began
        failed = next(line.split("|")[2] for line in done.stdout.splitlines()[::-1] if "Failed call" in line)
        return {"seconds": took, "failed": float(failed)}


def module(addresses: list[str], scratch: Path) -> Row:
    """The module: seconds of the whole process and of the sweep in it, and how many endpoints were not up."""
    targets = scratch / "targets.csv"
    targets.write_text("address\n" + "".join(f"{address}\n" for address in addresses))
    arguments = json.dumps({"ANSIBLE_MODULE_ARGS": {"targets_file": str(targets)}}).encode()
    began = time.monotonic()
    done = run([sys.executable, str(HERE / "run_module.py")], input=arguments)
    took = time.monotonic() - began
    said = json.loads(done.stdout)
    failed = said["counts"]["total"] - said["counts"]["up"]
    return {"seconds": took, "sweep": said["progress"]["elapsed"], "failed": failed, "sent": said["sent"]}


def run(command: list[str], **options: object) -> subprocess.CompletedProcess:
    """A process that ends by itself; SIPp's exit code 1 only says that calls failed."""
    environment = {**os.environ, "TERM": "xterm"}
    done = subprocess.run(command, capture_output=True, timeout=RUN_LIMIT, env=environment, check=False, **options)  # type: ignore[call-overload]
    if done.returncode not in (0, 1):
        raise SystemExit(f"{command[0]} ended with {done.returncode}: {done.stderr!r}")
    return done


def wait_until_it_answers(address: str) -> None:
    """Until Kamailio answers anything; ends the program after 10 s."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.1)
        sock.connect((address, 5060))
        local = f"{address}:{sock.getsockname()[1]}"
        request = (
            f"OPTIONS sip:{address} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bKhere\r\nFrom: <sip:a@b>;tag=1\r\n"
            f"To: <sip:{address}>\r\nCall-ID: here\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        )
        for _turn in range(100):
            try:
                sock.send(request.encode())
                sock.recv(65535)
                return
            except ConnectionRefusedError:
                threading.Event().wait(0.1)
            except TimeoutError:
                continue
    raise SystemExit("kamailio does not answer")


def lay_out_network() -> None:
    """The loopback interface, with the endpoints' network on it."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["ip", "route", "add", "local", NETWORK, "dev", "lo"], check=True)


def lose(percent: float) -> None:
    """Drop so many of the requests, and of the responses, each at random.

    On the way in: what is dropped on the way out is told to the sender.
    """
    drop = f"numgen random mod 10000 < {round(percent * 100)} drop"
    lines = ["type filter hook input priority 0;", f"udp dport 5060 {drop}", f"udp sport 5060 {drop}"]
    text = "\n".join(["table inet loss {", "chain input {", *lines, "}", "}", ""])
    subprocess.run(["nft", "-f", "-"], input=text, text=True, check=True)


def best_setting(programs: Programs) -> tuple[int, int]:
    """The setting that makes SIPp fastest here, by the better of two runs each."""
    times = {one: min(programs.sipp(*one)["seconds"] for _turn in range(2)) for one in SIPP_SETTINGS}
    for (rate, limit), seconds in sorted(times.items(), key=lambda item: item[1]):
        print(f"  sipp -r {rate} -l {limit}: {seconds:.2f} s")
    return min(times, key=lambda one: times[one])


def compare(contenders: dict[str, Callable[[], Row]], runs: int) -> dict[str, list[Row]]:
    """All contenders in turn, again and again, so that whatever else the machine does meets each of them."""
    rows: dict[str, list[Row]] = {name: [] for name in contenders}
    for _turn in range(runs):
        for name, contender in contenders.items():
            rows[name].append(contender())
    return rows


def report(title: str, rows: dict[str, list[Row]]) -> None:
    """Medians, extremes, and the ratio to SIPp by the medians."""
    print(f"\n{title}")
    base = statistics.median(row["seconds"] for row in rows["sipp"])
    for name, found in rows.items():
        for key in ("seconds", "sweep"):
            values = [row[key] for row in found if key in row]
            if values:
                middle = statistics.median(values)
                spread = f"{min(values):.2f} - {max(values):.2f}"
                what = "whole process" if key == "seconds" else "the sweep in it"
                print(f"  {name:22} {what:16} median {middle:5.2f} s ({spread}), {middle / base:.2f} of sipp")
        failed = ", ".join(f"{row['failed']:.0f}" for row in found)
        sent = ", ".join(f"{row['sent']:.0f}" for row in found if "sent" in row)
        print(f"  {name:22} not up: {failed}" + (f"; sent: {sent}" if sent else ""))


def inside(image: Path, runs: int, loss: float) -> None:
    """The benchmark, in the namespace."""
    lay_out_network()
    one = [str(FIRST)] * ENDPOINTS
    many = [str(FIRST + index) for index in range(ENDPOINTS)]
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        programs = Programs(image, scratch)
        with programs.kamailio():
            rate, limit = best_setting(programs)
            contenders: dict[str, Callable[[], Row]] = {
                "module, one address": lambda: module(one, scratch),
                "sipp": lambda: programs.sipp(rate, limit),
                "module, 10,000": lambda: module(many, scratch),
            }
            report(f"no loss, {runs} runs in turn, sipp -r {rate} -l {limit}", compare(contenders, runs))
            lose(loss)
            report(f"{loss} % loss each way, {runs} runs in turn", compare(contenders, runs))


def main() -> None:
    """Parse, move into a namespace of our own, measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--loss", type=float, default=5.0, help="percent, each way")
    parser.add_argument("--image", type=Path, help="root of the lab's image; asked of lab/lab when left out")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        inside(options.image, options.runs, options.loss)
        return
    image = options.image or run([str(ROOT / "lab/lab"), "image"], text=True).stdout.strip()
    again = [sys.executable, __file__, "--inside", f"--runs={options.runs}", f"--loss={options.loss}"]
    os.execvp("unshare", ["unshare", "--net", *again, f"--image={image}"])


if __name__ == "__main__":
    main()
