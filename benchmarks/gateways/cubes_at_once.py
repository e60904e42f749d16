# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""25 CUBEs in one play, each with a network_cli connection of its own. See README.md.

    SIP_DR_LAB=ID lab/enter .venv/bin/python benchmarks/gateways/cubes_at_once.py [--cubes 25] [--rounds 3]

On a lab with `--gateways mixed`, and after `scripts/network-collections`. All names lead to the lab's one CUBE.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "lab"))
from two_site_lab import gateways, inventory  # noqa: E402
from two_site_lab.lab import Lab  # noqa: E402
from two_site_lab.state import State  # noqa: E402

PLAY = [
    {
        "name": "Read the table of every CUBE",
        "hosts": "cubes",
        "gather_facts": False,
        "tasks": [
            {
                "name": "Read where new calls go",
                "ansible.builtin.import_role": {"name": "contactcenter.sip_dr.media_gateway", "tasks_from": "observe"},
            }
        ],
    }
]


def main() -> None:
    """Measure some rounds, each with new connections."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("cubes", 25), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    walls = [one_round(options.cubes) for _ in range(options.rounds)]
    print(f"median {statistics.median(walls):.1f} s for {options.cubes} CUBEs")


def one_round(count: int) -> float:
    """One run of the play; seconds of the clock. AssertionError where one of them told nothing."""
    with tempfile.TemporaryDirectory(prefix="sip-dr-cubes-") as folder:
        write(Path(folder), count)
        environment = {**os.environ, "ANSIBLE_PERSISTENT_CONTROL_PATH_DIR": f"{folder}/pc"}
        command = [
            Path(sys.executable).with_name("ansible-playbook"),
            "-i",
            f"{folder}/hosts.yml",
            f"{folder}/play.yml",
        ]
        before, began = cores(), time.perf_counter()
        done = subprocess.run(
            list(map(str, command)), cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        wall = time.perf_counter() - began
    assert done.returncode == 0, done.stdout[-2000:]
    assert done.stdout.count("ok=1 ") == count, done.stdout[-2000:]
    print(f"{wall:6.1f} s  {cores() - before:6.1f} s of a core before the connections  load {os.getloadavg()[0]:.1f}")
    return wall


def write(folder: Path, count: int) -> None:
    """An inventory of `count` names for the lab's one CUBE, and the play."""
    lab = Lab(os.environ.get("SIP_DR_LAB", "dr"))
    cube = next(host for host in lab.topology.of_kind("gw") if host.make == "cisco_cube")
    entry = gateways.entry(cube, lab.topology)
    told = {
        "ansible_host": cube.address,
        "media_gateway_driver": entry["driver"],
        "media_gateway_driver_options": entry["driver_options"],
        **gateways.connection(cube, State(lab.topology.id)),
    }
    hosts = {f"cube-{number:02}": {**told, "ansible_ssh_common_args": inventory.SSH} for number in range(count)}
    (folder / "hosts.yml").write_text(yaml.safe_dump({"cubes": {"hosts": hosts}}))
    (folder / "play.yml").write_text(yaml.safe_dump(PLAY))


def cores() -> float:
    """Seconds of processor time of the children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
