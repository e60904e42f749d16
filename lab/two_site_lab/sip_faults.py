# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of what a Kamailio says: whose, and the words that begin and end them. Pure.

``standins/kamailio/faults.cfg`` brings them about. They live in the process: a Kamailio that is restarted meanwhile has
forgotten its fault.
"""

from __future__ import annotations

from two_site_lab.errors import LabError
from two_site_lab.faults import Fault
from two_site_lab.model import Topology

UNIT = "kamailio.service"
SPEAKERS = ("sip", "gw", "pstn")
FINAL_CODES = range(300, 700)
COMMAND_DEADLINE = "3"  # seconds
LONGEST_DELAY = 30_000  # milliseconds; TM would forget a request after a minute


def speakers(topology: Topology, name: str) -> list[str]:
    """The hosts whose SIP a word means: both legs of a site's SIP Server, or one leg, gateway or the carrier."""
    if name in topology.sites:
        return [host.name for host in topology.of_kind("sip", name)]
    host = topology.hosts.get(name)
    if host is None or host.kind not in SPEAKERS:
        known = [*topology.sites, *(each.name for kind in SPEAKERS for each in topology.of_kind(kind))]
        raise LabError(f"speaks no SIP that could be spoiled: {name} ({' '.join(known)})")
    return [host.name]


def checked_code(code: int) -> int:
    """A final SIP status other than 2xx; LabError if it is none."""
    if code not in FINAL_CODES:
        raise LabError(f"a call is refused with a status from 300 to 699, not {code}")
    return code


def checked_delay(milliseconds: int) -> int:
    """A delay that the stand-ins can keep; LabError if not."""
    if not 0 < milliseconds <= LONGEST_DELAY:
        raise LabError(f"a reply is late by 1 to {LONGEST_DELAY} ms, not {milliseconds}")
    return milliseconds


def begin(fault: Fault) -> list[str]:
    """The words that begin a fault, run on its host."""
    return _put(
        *{"refuse": ("refuse", fault.code), "overload": ("overload", 1), "slow": ("delay", fault.delay)}[fault.kind]
    )


def end(fault: Fault) -> list[str]:
    """The words that end it."""
    return _put({"slow": "delay"}.get(fault.kind, fault.kind), 0)


def _put(key: str, value: int | None) -> list[str]:
    # A frozen Kamailio reads no command, and kamcmd would wait for it for ever.
    return ["timeout", COMMAND_DEADLINE, "kamcmd", "htable.seti", "fault", key, str(value)]
