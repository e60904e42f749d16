# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``lab/lab status`` says: hosts with their power and units, and faults with the time they have left."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from two_site_lab import daemon
from two_site_lab.model import Host

if TYPE_CHECKING:
    from two_site_lab.lab import Lab


def status_data(lab: Lab) -> dict[str, Any]:
    """The lab's status as plain data; times left are seconds, None for what comes back by command only."""
    now = time.time()
    with ThreadPoolExecutor(4) as pool:
        hosts = list(pool.map(lambda host: _host(lab, host), lab.topology.hosts.values()))
    return {
        "id": lab.state.id,
        "up": lab.is_up(),
        "started_with_master": lab.topology.master,
        "protection": asdict(lab.topology.protection),
        "supervisor": daemon.pid(lab.state),
        "hosts": hosts,
        "faults": [
            {"what": fault.words(), "kind": fault.kind, "seconds_left": fault.until and round(fault.until - now, 1)}
            for fault in lab.faults.all()
        ],
    }


def _host(lab: Lab, host: Host) -> dict[str, Any]:
    on = lab.machine(host.name).leader() is not None
    power = "off" if not on else "held" if lab.is_paused(host.name) else "on"
    return {"name": host.name, "address": host.address, "power": power, "units": lab.unit_states(host.name)}


def status_text(data: dict[str, Any]) -> str:
    """The status as a person reads it."""
    supervisor = data["supervisor"]
    lines = [
        f"lab {data['id']} is {'up' if data['up'] else 'not up'}, "
        + (f"supervisor {supervisor}" if supervisor else "no supervisor")
        + f"; started with the master at {data['started_with_master']}, {_protected(data['protection'])}"
    ]
    for host in data["hosts"]:
        units = ", ".join(
            unit.removesuffix(".service") + ("" if state == "active" else f" ({state})")
            for unit, state in host["units"].items()
        )
        lines.append(f"  {host['name']:<10} {host['address']:<12} {host['power']:<4} {units}".rstrip())
    lines += [f"  fault: {fault['what']}, {_left(fault['seconds_left'])}" for fault in data["faults"]]
    return "\n".join(lines if data["faults"] else [*lines, "  no faults"])


def _protected(protection: dict[str, Any]) -> str:
    guard = "guarded" if protection["guarded"] else "no guard"
    return f"coordination by {protection['coordination']}, {guard}, replication {protection['replication']}"


def _left(seconds: float | None) -> str:
    return "until revived" if seconds is None else f"ends by itself in {max(seconds, 0):.0f} s"
