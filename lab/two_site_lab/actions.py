# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each command of ``lab/lab`` does, given the lab and the parsed words."""

from __future__ import annotations

import importlib
import json
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable, Optional

from two_site_lab import beginning, image, injection, requirements, sip_faults, supervisor, truth_configuration
from two_site_lab.errors import LabError
from two_site_lab.faults import DEFAULT_SECONDS, PROCESS_KINDS, Fault
from two_site_lab.lab import Lab
from two_site_lab.model import Protection
from two_site_lab.progress import say, step
from two_site_lab.status import status_data, status_text

Action = Callable[[Lab, Namespace], Optional[int]]

# Commands that other modules bring: word -> "module:function"; each is called with the running lab and the words that
# follow, and returns an exit status or None.
PLUGS = {
    "calls": "two_site_lab.truth:calls",
    "truth": "two_site_lab.truth:truth",
}


@contextmanager
def _held(lab: Lab) -> Iterator[None]:
    with lab.state.exclusive():
        lab.need_up()
        yield


def up(lab: Lab, options: Namespace) -> None:
    """Build, boot and start the lab."""
    with lab.state.exclusive(), step(f"lab up (id {lab.state.id})"):
        makes = options.gateways or (lab.topology.gateways if lab.stands() else None)
        lab.up(options.master, _protection(lab, options), makes)


def down(lab: Lab, _: Namespace) -> None:
    """Remove the lab."""
    with lab.state.exclusive():
        truth_configuration.stop_writes(lab)
        lab.down()


def reset(lab: Lab, options: Namespace) -> None:
    """Start the lab anew with empty disks and no faults."""
    with lab.state.exclusive(), step("lab reset"):
        truth_configuration.stop_writes(lab)
        lab.reset(options.master, _protection(lab, options))


def _protection(lab: Lab, options: Namespace) -> Protection:
    known = lab.topology.protection if lab.stands() else Protection()
    return beginning.wanted(options, known)


def build_image(_: Lab, __: Namespace) -> None:
    """Build the image, if it is not there, and print its path."""
    requirements.provide_commands()
    print(image.image_root())


def status(lab: Lab, options: Namespace) -> None:
    """Print hosts, power, units and faults."""
    data = status_data(lab)
    print(json.dumps(data, indent=2) if options.json else status_text(data))


def kill(lab: Lab, options: Namespace) -> None:
    """Kill a site, a host or a unit of a host."""
    if options.unit:
        _break_process(lab, "kill", options)
        return
    if options.seconds is not None:
        raise LabError(
            f"who is killed comes back by command only: lab/lab revive {options.target}; or at first lab/lab reboot"
        )
    with _held(lab), step(f"{options.target} off"):
        injection.inject_power(lab, injection.hosts_named(lab, options.target))


def reboot(lab: Lab, options: Namespace) -> None:
    """Take a site's or a host's power; the supervisor gives it back."""
    if options.after <= 0:
        raise LabError("--after wants more than 0 seconds")
    with _held(lab), step(f"{options.target} off, for {options.after:g} s"):
        injection.inject_power(lab, injection.hosts_named(lab, options.target), options.after)


def revive(lab: Lab, options: Namespace) -> None:
    """Give a site or a host its power back."""
    with _held(lab), step(f"{options.target} on"):
        if not injection.revive(lab, injection.hosts_named(lab, options.target)):
            say(f"{options.target} is on already")


def freeze(lab: Lab, options: Namespace) -> None:
    """Stop every process of a unit, or of a whole host, where it stands."""
    if options.unit:
        _break_process(lab, "freeze", options)
        return
    with _held(lab):
        _tell(injection.inject_pause(lab, Fault("pause", lab.machine(options.target).host.name, *_times(options))))


def fill(lab: Lab, options: Namespace) -> None:
    """Fill a host's disk."""
    with _held(lab):
        _tell(injection.inject_fill(lab, Fault("fill", lab.machine(options.target).host.name, *_times(options))))


def _break_process(lab: Lab, kind: str, options: Namespace) -> None:
    with _held(lab):
        host = lab.machine(options.target).host.name
        _tell(injection.inject_process(lab, Fault(kind, host, *_times(options), unit=options.unit)))


def refuse(lab: Lab, options: Namespace) -> None:
    """Answer OPTIONS, and refuse every new call."""
    _break_sip(lab, "refuse", options, code=sip_faults.checked_code(options.code))


def overload(lab: Lab, options: Namespace) -> None:
    """Answer 503 to every new request, OPTIONS among them."""
    _break_sip(lab, "overload", options)


def slow(lab: Lab, options: Namespace) -> None:
    """Hold back every SIP reply."""
    _break_sip(lab, "slow", options, delay=sip_faults.checked_delay(options.milliseconds))


def _break_sip(lab: Lab, kind: str, options: Namespace, code: int | None = None, delay: int | None = None) -> None:
    with _held(lab):
        times = _times(options)
        for host in sip_faults.speakers(lab.topology, options.target):
            if lab.machine(host).is_off():
                say(f"{host} is off")
            else:
                fault = Fault(kind, host, *times, unit=sip_faults.UNIT, code=code, delay=delay)
                _tell(injection.inject_process(lab, fault))


def thaw(lab: Lab, options: Namespace) -> None:
    """End the process and SIP faults of a host, or of one unit there, before their time; or thaw all of it."""
    host = lab.machine(options.target).host.name
    with _held(lab):
        here = [fault for fault in lab.faults.all() if fault.kind in (*PROCESS_KINDS, "pause") and fault.a == host]
        if not injection.heal(lab, [fault for fault in here if options.unit in ("", fault.unit)]):
            say(f"no process fault there: {host} {options.unit}".rstrip())


def cut(lab: Lab, options: Namespace) -> None:
    """Cut a link, or a part of it."""
    with _held(lab):
        _tell(injection.inject_link(lab, Fault("cut", options.a, *_times(options), options.b, **_part(options))))


def flap(lab: Lab, options: Namespace) -> None:
    """Cut and heal a link, or a part of it, in turn; the supervisor does it."""
    if min(options.down, options.up) < supervisor.INTERVAL:
        raise LabError(f"--down and --up want {supervisor.INTERVAL:g} seconds or more")
    part = {**_part(options), "down": options.down, "up": options.up}
    with _held(lab):
        _tell(injection.inject_link(lab, Fault("flap", options.a, *_times(options), options.b, **part)))


def _part(options: Namespace) -> dict[str, Any]:
    return {"one_way": options.one_way, "new_flows": options.new_flows, "ports": tuple(options.ports)}


def loss(lab: Lab, options: Namespace) -> None:
    """Lose a share of a link's packets."""
    if not 0 < options.percent <= 100:
        raise LabError(f"loss is more than 0 and at most 100 percent, not {options.percent:g}")
    with _held(lab):
        _tell(
            injection.inject_link(lab, Fault("loss", options.a, *_times(options), options.b, percent=options.percent))
        )


def heal(lab: Lab, options: Namespace) -> None:
    """End every fault; with ``--all`` power comes back, too."""
    with _held(lab), step("healed"):
        injection.heal(lab, lab.faults.all())
        if options.all:
            injection.revive(lab, lab.topology.hosts)


def run(lab: Lab, options: Namespace) -> int:
    """Run a command inside a host and hand its exit status on."""
    return lab.machine(options.target).run(options.words, check=False, capture=False).returncode


def show_inventory(lab: Lab, _: Namespace) -> None:
    """Print where the running lab's inventory lies."""
    lab.need_up()
    print(lab.inventory_directory)


def plug(word: str) -> Action:
    """The action of a command that another module brings."""

    def call(lab: Lab, options: Namespace) -> int | None:
        lab.need_up()
        module, _, function = PLUGS[word].partition(":")
        result: int | None = getattr(importlib.import_module(module), function)(lab, options.words)
        return result

    return call


def _times(options: Namespace) -> tuple[float, float]:
    seconds = DEFAULT_SECONDS if options.seconds is None else options.seconds
    if seconds <= 0:
        raise LabError("--for wants more than 0 seconds")
    now = time.time()
    return now, now + seconds


def _tell(fault: Fault) -> None:
    if fault.until is not None:
        say(f"{fault.words()}, for {fault.until - fault.since:g} s")
