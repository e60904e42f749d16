# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Breaking things for real and mending them: what each fault does, and how each one ends."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from two_site_lab import disks, network, sip_faults
from two_site_lab.errors import LabError
from two_site_lab.faults import LINK_KINDS, PROCESS_KINDS, SIP_KINDS, Fault
from two_site_lab.machine import power_off
from two_site_lab.rules import check_ends

if TYPE_CHECKING:
    from two_site_lab.lab import Lab

# The supervisor strikes a process fault out a little after the timer on the target has ended it.
TIMER_SLACK = 1.0


def hosts_named(lab: Lab, name: str) -> list[str]:
    """The hosts that a word names: those of a site, or the one host; LabError if it names none."""
    if name in lab.topology.sites:
        return [host.name for host in lab.topology.of_site(name)]
    return [lab.machine(name).host.name]


def inject_power(lab: Lab, names: Iterable[str], seconds: float | None = None) -> None:
    """Take the power from hosts, all at once; their process faults end with it. It comes back after ``seconds``."""
    chosen = [lab.machine(name) for name in names if not lab.machine(name).is_off()]
    if not chosen:
        raise LabError("off already")
    gone = {machine.host.name for machine in chosen}
    power_off(lab.topology, chosen)
    now = time.time()
    lab.faults.remove_where(lambda fault: fault.kind in (*PROCESS_KINDS, "pause") and fault.a in gone)
    for name in gone:
        lab.faults.add(Fault("power", name, now, None if seconds is None else now + seconds))
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
    """Cut or spoil a link; LabError if its ends cannot be parted."""
    check_ends(lab.topology, fault)
    added = lab.faults.add(fault)
    apply_links(lab, time.time())
    lab.state.event("link", fault=added.words())
    return added


def apply_links(lab: Lab, now: float) -> None:
    """Make the network as the link faults want it at ``now`` (seconds since the epoch)."""
    network.apply_faults(lab.topology, [fault for fault in lab.faults.all() if fault.bites(now)])


def turns(faults: Iterable[Fault], now: float) -> dict[int, bool]:
    """Whether each flapping link is cut at ``now``, by the fault's number."""
    return {fault.number: fault.bites(now) for fault in faults if fault.kind == "flap"}


def turn(lab: Lab, before: dict[int, bool], now: float) -> None:
    """Cut and heal the flapping links whose turn has come since ``before``; each turn is an event of the lab's log."""
    apply_links(lab, now)
    for fault in lab.faults.all():
        if fault.kind == "flap" and before.get(fault.number, True) != fault.bites(now):
            lab.state.event("flap", fault=fault.words(), cut=fault.bites(now))


def inject_process(lab: Lab, fault: Fault) -> Fault:
    """Break a unit or what it says. The timer that ends it is set first, on the target itself."""
    if any((one.kind, one.a, one.unit) == (fault.kind, fault.a, fault.unit) for one in lab.faults.all()):
        raise LabError(f"{fault.kind} is in force there: {fault.a} {fault.unit}")
    if lab.is_paused(fault.a):
        raise LabError(f"{fault.a} is frozen: lab/lab thaw {fault.a}")
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


def inject_pause(lab: Lab, fault: Fault) -> Fault:
    """Freeze a whole host; the supervisor thaws it."""
    if lab.machine(fault.a).is_off():
        raise LabError(f"{fault.a} is off")
    if lab.is_paused(fault.a):
        raise LabError(f"{fault.a} is frozen already")
    added = lab.faults.add(fault)
    lab.machine(fault.a).freeze()
    lab.state.event("pause", fault=added.words())
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
    if fault.kind in SIP_KINDS:
        return [sip_faults.begin(fault)]
    if fault.kind == "freeze":
        return [["systemctl", "kill", "--signal=STOP", fault.unit]]
    # Killed first, then stopped: a service that systemd restarts would not be dead.
    return [["systemctl", "kill", "--signal=KILL", fault.unit], ["systemctl", "stop", fault.unit]]


def _mend(fault: Fault) -> list[str]:
    if fault.kind in SIP_KINDS:
        return sip_faults.end(fault)
    if fault.kind == "freeze":
        return ["systemctl", "kill", "--signal=CONT", fault.unit]
    return ["systemctl", "start", fault.unit]


def heal(lab: Lab, faults: Iterable[Fault]) -> list[Fault]:
    """End these faults now; power comes back by ``revive`` only."""
    healed = [fault for fault in faults if fault.kind != "power"]
    # What is frozen is thawed first, hosts before processes: it could not be told that its other faults are over.
    for fault in sorted(healed, key=lambda each: (each.kind != "pause", each.kind in SIP_KINDS)):
        if fault.kind == "pause":
            lab.machine(fault.a).thaw()
        if fault.kind in PROCESS_KINDS:
            lab.run(fault.a, ["systemctl", "stop", f"{_timer(fault)}.timer"], check=False)
            # A SIP fault ends with its Kamailio, too, and one that is dead takes no word.
            lab.run(fault.a, _mend(fault), check=fault.kind not in SIP_KINDS)
        if fault.kind == "fill":
            disks.unfill(lab.state, fault.a)
        lab.faults.remove(fault)
    if any(fault.kind in LINK_KINDS for fault in healed):
        apply_links(lab, time.time())
    for fault in healed:
        lab.state.event("healed", fault=fault.words())
    return healed


def heal_expired(lab: Lab, now: float) -> None:
    """End what has run out at ``now``: links, disks and power here; process faults were ended by a timer there."""
    faults = lab.faults.all()
    back = [fault.a for fault in faults if fault.kind == "power" and fault.expired(now)]
    if back:
        revive(lab, back)
        # Who was given power but did not greet in time is on all the same: its fault is over.
        lab.faults.remove_where(lambda fault: fault.kind == "power" and fault.a in back and fault.expired(now))
    heal(lab, [fault for fault in faults if fault.kind not in PROCESS_KINDS and fault.expired(now)])
    for fault in faults:
        if fault.kind in PROCESS_KINDS and fault.expired(now - TIMER_SLACK):
            lab.faults.remove(fault)
            lab.state.event("healed", fault=fault.words())
