# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Breaking things for real and mending them: what each fault does, and how each one ends."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from two_site_lab import disks, network
from two_site_lab.errors import LabError
from two_site_lab.faults import LINK_KINDS, PROCESS_KINDS, Fault
from two_site_lab.machine import power_off

if TYPE_CHECKING:
    from two_site_lab.lab import Lab

# The supervisor strikes a process fault out a little after the timer on the target has ended it.
TIMER_SLACK = 1.0


def hosts_named(lab: Lab, name: str) -> list[str]:
    """The hosts that a word names: those of a site, or the one host; LabError if it names none."""
    if name in lab.topology.sites:
        return [host.name for host in lab.topology.of_site(name)]
    return [lab.machine(name).host.name]


def inject_power(lab: Lab, names: Iterable[str]) -> None:
    """Take the power from hosts, all at once; their process faults end with it."""
    chosen = [lab.machine(name) for name in names if not lab.machine(name).is_off()]
    if not chosen:
        raise LabError("off already")
    gone = {machine.host.name for machine in chosen}
    power_off(lab.topology, chosen)
    now = time.time()
    lab.faults.remove_where(lambda fault: fault.kind in PROCESS_KINDS and fault.a in gone)
    for name in gone:
        lab.faults.add(Fault("power", name, now))
    lab.state.event("power_off", hosts=sorted(gone))


def revive(lab: Lab, names: Iterable[str]) -> list[str]:
    """Give hosts their power back and wait for their SSH; the ones that were off are returned."""
    off = [name for name in names if lab.machine(name).is_off()]
    if off:
        lab.power_on(off)
        lab.faults.remove_where(lambda fault: fault.kind == "power" and fault.a in off)
        lab.state.event("power_on", hosts=off)
    return off


def inject_link(lab: Lab, fault: Fault) -> Fault:
    """Cut or spoil a link; LabError if its ends are not two different LANs of the lab."""
    zones = [_zone(lab, end) for end in (fault.a, fault.b)]
    if zones[0] == zones[1]:
        raise LabError(f"{fault.a} and {fault.b} are in one LAN: the lab spoils links between LANs")
    added = lab.faults.add(fault)
    network.apply_faults(lab.topology, lab.faults.all())
    lab.state.event("link", fault=added.words())
    return added


def _zone(lab: Lab, end: str) -> str:
    if end in lab.topology.zones:
        return end
    if end in lab.topology.hosts:
        return lab.topology.host(end).zone
    raise LabError(f"no zone or host {end}: {' '.join([*lab.topology.zones, *lab.topology.hosts])}")


def inject_process(lab: Lab, fault: Fault) -> Fault:
    """Kill or freeze a unit. The timer that ends it is set first, on the target itself."""
    if lab.run(fault.a, ["systemctl", "is-active", fault.unit], check=False).returncode:
        raise LabError(f"{fault.unit} does not run on {fault.a}")
    added = lab.faults.add(fault)
    if added.until is not None:
        seconds = max(added.until - time.time(), 0.1)
        timer = [f"--unit={_timer(added)}", f"--on-active={seconds:.3f}", "--timer-property=AccuracySec=100ms"]
        lab.run(added.a, ["systemd-run", "--quiet", "--collect", *timer, *_mend(added)])
    for argv in _break(added):
        lab.run(added.a, argv)
    lab.state.event(added.kind, fault=added.words())
    return added


def inject_fill(lab: Lab, fault: Fault) -> Fault:
    """Fill a host's disk."""
    disks.fill(lab.state, fault.a)
    added = lab.faults.add(fault)
    lab.state.event("fill", fault=added.words())
    return added


def _timer(fault: Fault) -> str:
    return f"lab-heal-{fault.number}"


def _break(fault: Fault) -> list[list[str]]:
    if fault.kind == "freeze":
        return [["systemctl", "kill", "--signal=STOP", fault.unit]]
    # Killed first, then stopped: a service that systemd restarts would not be dead.
    return [["systemctl", "kill", "--signal=KILL", fault.unit], ["systemctl", "stop", fault.unit]]


def _mend(fault: Fault) -> list[str]:
    if fault.kind == "freeze":
        return ["systemctl", "kill", "--signal=CONT", fault.unit]
    return ["systemctl", "start", fault.unit]


def heal(lab: Lab, faults: Iterable[Fault]) -> list[Fault]:
    """End these faults now; power comes back by ``revive`` only."""
    healed = [fault for fault in faults if fault.kind != "power"]
    for fault in healed:
        if fault.kind in PROCESS_KINDS:
            lab.run(fault.a, ["systemctl", "stop", f"{_timer(fault)}.timer"], check=False)
            lab.run(fault.a, _mend(fault))
        if fault.kind == "fill":
            disks.unfill(lab.state, fault.a)
        lab.faults.remove(fault)
    if any(fault.kind in LINK_KINDS for fault in healed):
        network.apply_faults(lab.topology, lab.faults.all())
    for fault in healed:
        lab.state.event("healed", fault=fault.words())
    return healed


def heal_expired(lab: Lab, now: float) -> None:
    """End what has run out at ``now``: links and disks here; process faults were ended by the timer on their host."""
    faults = lab.faults.all()
    heal(lab, [fault for fault in faults if fault.kind not in PROCESS_KINDS and fault.expired(now)])
    for fault in faults:
        if fault.kind in PROCESS_KINDS and fault.expired(now - TIMER_SLACK):
            lab.faults.remove(fault)
            lab.state.event("healed", fault=fault.words())
