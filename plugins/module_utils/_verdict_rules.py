# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PRIVATE to the collection. Which verdict: decision.md, sixteen rules, the first that fits."""

from __future__ import annotations

from typing import Callable, List, NamedTuple, Optional, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_states import DEAD, Picture

CALM = ("NORMAL", "BLIND_SPOT", "DEGRADED")
"""Verdicts that need no confirmation; leaving them for another one is a departure."""

STANDING = (
    "OBSERVER_BLIND",
    "DUAL_MASTER",
    "BOTH_DOWN",
    "SITE_DOWNTIME",
    "SITE_DOWN",
    "SITE_DOWN_PEER_UNFIT",
)
"""Verdicts of the rules 1 to 5, which neither FLAPPING nor RETURNING replaces."""


class Finding(NamedTuple):
    """A verdict and the site it is about, None when it is about no site or about both."""

    verdict: str
    site: Optional[str] = None

    def __str__(self) -> str:
        return f"{self.verdict} {self.site}" if self.site else self.verdict


def _observer(picture: Picture) -> Optional[Finding]:
    return None if picture.observation.healthy else Finding("OBSERVER_BLIND")


def _dual_master(picture: Picture) -> Optional[Finding]:
    accepted = picture.observation.override("accept_divergence") is not None
    return Finding("DUAL_MASTER") if len(picture.masters()) == 2 and not accepted else None


def _both_down(picture: Picture) -> Optional[Finding]:
    return Finding("BOTH_DOWN") if len(picture.in_state(*DEAD)) == 2 else None


def _both_unknown(picture: Picture) -> Optional[Finding]:
    return Finding("OBSERVER_BLIND") if len(picture.in_state("UNKNOWN")) == 2 else None


def _site_down(picture: Picture) -> Optional[Finding]:
    dead = picture.in_state(*DEAD)
    if not dead:
        return None
    if picture.site(dead[0]).downtime:
        return Finding("SITE_DOWNTIME", dead[0])
    fit = picture.fit(picture.other(dead[0]))
    return Finding("SITE_DOWN" if fit else "SITE_DOWN_PEER_UNFIT", dead[0])


def _one_unknown(picture: Picture) -> Optional[Finding]:
    return _about("SUSPECT", picture.in_state("UNKNOWN"))


def _peers_down(picture: Picture) -> Optional[Finding]:
    if picture.values("peer") != ("down", "down"):
        return None
    return Finding("MGMT_PARTITION" if "up" in picture.values("trunk") else "PARTITION")


def _peers_differ(picture: Picture) -> Optional[Finding]:
    values = picture.values("peer")
    if values == ("down", "unknown"):
        return Finding("SUSPECT")
    cut = any(picture.site(name).down("peer") for name in picture.in_state("GW_CUT"))
    return Finding("PARTITION_ASYM") if values == ("down", "up") and not cut else None


def _gray_or_cut(picture: Picture) -> Optional[Finding]:
    ill = picture.in_state("GRAY", "GW_CUT")
    if not ill:
        return None
    fit = picture.fit(picture.other(ill[0]))
    return Finding(picture.states[ill[0]], ill[0]) if fit else Finding("NO_HEALTHY_SITE")


def _trunks(picture: Picture) -> Optional[Finding]:
    found = {("down", "down"): "TRUNK_OOS", ("down", "up"): "TRUNK_OOS_ASYM", ("down", "unknown"): "SUSPECT"}
    verdict = found.get(picture.values("trunk"))
    return Finding(verdict) if verdict else None


def _alive(picture: Picture) -> Optional[Finding]:
    return _about("SUSPECT", picture.in_state("ALIVE"))


def _management(picture: Picture) -> Optional[Finding]:
    return Finding("MGMT_PARTITION") if picture.values("mgmt") == ("down", "down") else None


def _no_master(picture: Picture) -> Optional[Finding]:
    return Finding("NO_MASTER") if picture.values("master") == ("down", "down") else None


def _degraded(picture: Picture) -> Optional[Finding]:
    return _about("DEGRADED", picture.in_state("DEGRADED"))


def _blind_spot(picture: Picture) -> Optional[Finding]:
    return Finding("BLIND_SPOT") if blind_spots(picture) else None


RULES: Tuple[Callable[[Picture], Optional[Finding]], ...] = (
    _observer,
    _dual_master,
    _both_down,
    _both_unknown,
    _site_down,
    _one_unknown,
    _peers_down,
    _peers_differ,
    _gray_or_cut,
    _trunks,
    _alive,
    _management,
    _no_master,
    _degraded,
    _blind_spot,
    lambda picture: Finding("NORMAL"),
)
"""The rules of decision.md by their numbers, 1 first."""


def find(picture: Picture) -> Finding:
    """Return the verdict of one picture, without memory."""
    found = (rule(picture) for rule in RULES)
    return next(finding for finding in found if finding is not None)


def asked_signals(picture: Picture) -> List[str]:
    """Return the signals that a NORMAL asks for at each site, `master` apart."""
    asked = ["inside", "redundancy", "peer", "witness", "gateways", "calls", "trunk", "mgmt"]
    unasked = {"calls": not picture.policy.synthetic_calls, "witness": not picture.policy.witness}
    return [signal for signal in asked if not unasked.get(signal, False)]


def blind_spots(picture: Picture) -> List[Tuple[str, str]]:
    """Return what keeps a picture from being NORMAL: pairs of a signal and what is seen of it."""
    names, asked = picture.observation.names, asked_signals(picture)
    spots = [(name, signal) for name in names for signal in asked if not picture.site(name).up(signal)]
    found = [(signal, f"{name} {signal} {picture.site(name).value(signal)}") for name, signal in spots]
    if picture.values("master") != ("down", "up"):
        seen = ", ".join(f"{name} {picture.site(name).value('master')}" for name in names)
        found.append(("master", f"master {seen}"))
    return found


def _about(verdict: str, sites: List[str]) -> Optional[Finding]:
    if not sites:
        return None
    return Finding(verdict, sites[0] if len(sites) == 1 else None)
