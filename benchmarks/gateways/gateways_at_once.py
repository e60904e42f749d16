# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""200 gateways in one play: all are preferred to site2, two of them are ill. See README.md.

    .venv/bin/python benchmarks/gateways/gateways_at_once.py [--gateways 200] [--forks 50] [--rounds 3]

Each gateway is a JSON-RPC server of this process with a dispatcher list of its own.
"""

from __future__ import annotations

import argparse
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/unit/plugins/module_utils"))
from gateways.dispatcher import LIST, Dispatcher, serve  # noqa: E402  the path to it comes first

DEAD, SILENT = "gw-000", "gw-001"
TIMEOUT = 5.0
"""Seconds that the driver waits for an answer; the one that is silent takes them all."""
PLAY = [
    {
        "name": "Prefer site2 everywhere",
        "hosts": "all",
        "gather_facts": False,
        "tasks": [
            {
                "name": "Prefer site2",
                "ansible.builtin.import_role": {
                    "name": "contactcenter.sip_dr.media_gateway",
                    "tasks_from": "take_over",
                },
                "vars": {
                    "media_gateway_site": "site2",
                    "media_gateway_name": "{{ inventory_hostname }}",
                    "media_gateway_run": {"id": "benchmark", "token": 7, "step": "prefer_survivor"},
                },
            }
        ],
    }
]


def main() -> None:
    """Measure some rounds, each with new gateways."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("gateways", 200), ("forks", 50), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    walls = []
    for _ in range(options.rounds):
        with (
            tempfile.TemporaryDirectory(prefix="sip-dr-gateways-") as folder,
            running(Path(folder), options.gateways) as gateways,
        ):
            walls.append(one_round(Path(folder), gateways, options.forks))
    print(f"median {statistics.median(walls):.1f} s for {options.gateways} gateways, {options.forks} forks")


@contextmanager
def running(folder: Path, count: int) -> Iterator[dict[str, Dispatcher]]:
    """The gateways, and an inventory of them in `folder`; the first is nobody, the second never answers."""
    hosts, gateways = {}, {}
    with ExitStack() as stack:
        nobody = stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
        for number in range(count):
            name = f"gw-{number:03}"
            list_file = folder / f"{name}.list"
            list_file.write_text(LIST)
            gateways[name] = Dispatcher(list_file)
            url = stack.enter_context(serve(gateways[name]))
            if name == SILENT:
                stack.enter_context(gateways[name].silent())
            hosts[name] = _host(folder, name, url, list_file)
        hosts[DEAD]["media_gateway_driver_options"]["rpc_url"] = f"http://127.0.0.1:{nobody}/RPC"
        (folder / "inventory.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
        (folder / "play.yml").write_text(yaml.safe_dump(PLAY))
        yield gateways


def _host(folder: Path, name: str, url: str, list_file: Path) -> dict[str, object]:
    return {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "media_gateway_state_dir": str(folder / f"{name}.state"),
        "media_gateway_driver_options": {"rpc_url": url, "list_file": str(list_file), "rpc_timeout": TIMEOUT},
    }


def one_round(folder: Path, gateways: dict[str, Dispatcher], forks: int) -> float:
    """One run of the play; seconds of the clock. AssertionError where a well gateway did not move."""
    before, began = cores(), time.perf_counter()
    command = [Path(sys.executable).with_name("ansible-playbook"), "-i", folder / "inventory.yml", folder / "play.yml"]
    done = subprocess.run(
        [*map(str, command), "--forks", str(forks)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    wall = time.perf_counter() - began
    moved = {name for name, one in gateways.items() if "0\t10  duid=site2" in one.text}
    assert moved == set(gateways) - {DEAD, SILENT}, done.stdout[-2000:]
    assert all(f"{name} " in done.stdout.partition("PLAY RECAP")[2] for name in (DEAD, SILENT))
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(
        f"{wall:6.1f} s  {cores() - before:6.1f} s of a core  {memory:.0f} MB the largest process"
        f"  {len(moved)} moved, 2 ill ones listed  load {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    return wall


def cores() -> float:
    """Seconds of processor time of the children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
