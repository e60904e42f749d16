# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Can the observer be believed (decision.md, verdict rule 1), and what must every verdict say of its view.

Pure. Healthy is an observer that reached a vantage host or the witness, whose clock agrees with the hosts', and whose
round of looking ended while its answers were fresh. What the controller can write, its disk or its run directory, is no
matter of seeing and is not asked.

A host's clock is compared with the window in which the controller had it look: so neither the connection's time nor the
wait for slower hosts counts as an offset. Answers are as old as the controller's clock says, whatever the host's clock
shows: one host that is off is only told about. When most of the hosts are off, it is the controller that is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from ansible_collections.contactcenter.sip_dr.plugins.module_utils import deployment
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_observation import CLOCK_SKEW
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_policy import Policy
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.statements import moment
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.vantage_paths import shared

Probes = Mapping[str, Mapping[str, Any]]


def observer(continuity: Mapping[str, Any], probes: Probes, meta: Mapping[str, Any]) -> dict[str, Any]:
    """`{healthy}`; where there are any, `why` it is not and the `notes` that every verdict repeats: lists of sentences.

    meta: `started_at` and `taken_at` as the controller's own clock gave them, not moved to the last observation's;
    `store_read`, false while no coordination store could be read: then `store: unread`. Where it is this controller's
    clock that is to blame, `clock: wrong`.
    """
    looked = {host: probe for host, probe in probes.items() if probe.get("reached")}
    off = {host: offset for host, probe in looked.items() if abs(offset := clock_offset(probe, meta)) > CLOCK_SKEW}
    asked = sum("clock" in probe for probe in looked.values())
    most = 2 * len(off) > asked
    why = [*_nobody(continuity, looked), *(_wrong_clock(off, asked) if most else []), *_too_long(continuity, meta)]
    notes = [*view_notes(continuity), *([] if most else _other_clocks(off))]
    clock, store = "wrong" if most else "", "" if meta.get("store_read", True) else "unread"
    told = {"why": why, "notes": notes, "clock": clock, "store": store}
    return {"healthy": not why, **{name: said for name, said in told.items() if said}}


def may_be_remembered(observation: Mapping[str, Any]) -> bool:
    """Whether what was decided of an observation may go to the store, and what people say be dated by it.

    Times of a clock that is wrong stay there: one that is ahead would bar all others until true time has caught up.
    """
    return bool(observation["observer"].get("clock") != "wrong")


def clock_offset(probe: Mapping[str, Any], meta: Mapping[str, Any]) -> float:
    """Seconds by which a host's clock is ahead (behind: negative) of what can be true; 0 within the round.

    probe: `clock`, the host's clock when it began to look (seconds since 1970), and `elapsed`, how long it looked.
    """
    if "clock" not in probe:
        return 0.0
    earliest = moment(meta["started_at"]).timestamp()
    latest = max(earliest, moment(meta["taken_at"]).timestamp() - float(probe.get("elapsed", 0)))
    clock = float(probe["clock"])
    return min(clock - earliest, 0.0) + max(clock - latest, 0.0)


def view_notes(continuity: Mapping[str, Any]) -> list[str]:
    """What the inventory says of the view itself: shared paths, gateways at one site only."""
    found = [f"{one} and {other} share {name}: they are one view, not two." for name, one, other in shared(continuity)]
    sites = sorted({data["site"] for data in continuity["continuity_gateways"].values()})
    if len(sites) == 1:
        only = f"All media gateways stand at {sites[0]}: none outside can tell that {sites[0]} is out of reach, and so "
        found.append(f"{only}{sites[0]} is never found dead.")
    return found


def _nobody(continuity: Mapping[str, Any], looked: Probes) -> Iterator[str]:
    sites = deployment.site_names(continuity)
    watching = {host for name in sites for host in deployment.vantage_hosts(continuity, name)}
    watching.add(deployment.witness(continuity) or "")
    if not watching & set(looked):
        yield "no vantage host and no witness was reached"


def _wrong_clock(off: Mapping[str, float], asked: int) -> Iterator[str]:
    hosts = ", ".join(f"{host} {offset:+.0f} s" for host, offset in sorted(off.items()))
    yield f"this controller's clock disagrees with {len(off)} of {asked} hosts ({hosts})"


def _other_clocks(off: Mapping[str, float]) -> list[str]:
    return [f"The clock of {host} is {offset:+.0f} s off." for host, offset in sorted(off.items())]


def _too_long(continuity: Mapping[str, Any], meta: Mapping[str, Any]) -> Iterator[str]:
    fresh = float(continuity["continuity_policy"].get("fresh", Policy().fresh))
    took = moment(meta["taken_at"]) - moment(meta["started_at"])
    if took > timedelta(seconds=fresh):
        yield f"the looking took {took.total_seconds():.0f} s, longer than an answer is fresh ({fresh:g} s)"
