# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PRIVATE to the collection. The state of each site: decision.md, "Site state", the first rule that fits."""

from __future__ import annotations

from typing import Callable, Dict, List, NamedTuple, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_observation import Observation, Site
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_policy import Policy

HEARING = ("peer", "witness", "gateways", "calls", "mgmt", "master")
"""The signals by which a site is heard when they are up, or when something answered; `inside` also when it is down."""

OUTSIDE = ("peer", "witness", "gateways")
"""The three views from outside that must agree before a site is dead."""

DEAD = ("DOWN", "STACK_DOWN")


class View(NamedTuple):
    """One site, the other one, and the time."""

    site: Site
    other: Site
    observation: Observation

    @property
    def attested(self) -> bool:
        """Whether two people's word that the site is down is in force."""
        return self.site.attested is not None and self.site.attested.in_force(self.observation.now)

    @property
    def unanimous(self) -> bool:
        """Whether all three views from outside are down."""
        return all(self.site.down(signal) for signal in OUTSIDE)


def heard_by(view: View) -> List[str]:
    """Return what the site is heard by; an empty list is silence."""
    signals = view.site.signals
    heard = [name for name in HEARING if signals[name].value == "up" or signals[name].answered]
    inside = ["inside"] if signals["inside"].value != "unknown" or signals["inside"].answered else []
    trunk = [f"trunk of {view.other.name}"] if view.other.up("trunk") else []
    return inside + heard + trunk


def _down(view: View) -> bool:
    one_down = any(view.site.down(signal) for signal in OUTSIDE)
    return not heard_by(view) and (view.unanimous or (view.attested and one_down))


def _serves(view: View) -> bool:
    return view.site.up("gateways") or view.site.up("calls")


def _stack_down(view: View) -> bool:
    site = view.site
    bad = site.down("inside") and site.down("gateways") and (site.down("peer") or site.down("witness"))
    alive = any(site.up(signal) for signal in ("peer", "witness", "calls")) or view.other.up("trunk")
    return bad and not alive


STATES: Tuple[Tuple[str, Callable[[View], bool]], ...] = (
    ("DOWN", _down),
    ("UNKNOWN", lambda view: not heard_by(view)),
    ("GRAY", lambda view: view.site.up("gateways") and view.site.down("calls")),
    ("DEGRADED", lambda view: _serves(view) and (view.site.down("inside") or view.site.down("redundancy"))),
    ("SERVING", _serves),
    ("STACK_DOWN", _stack_down),
    ("GW_CUT", lambda view: view.site.down("gateways") and view.site.up("inside")),
    ("ALIVE", lambda view: True),
)
"""The table of decision.md in its order."""


class Picture(NamedTuple):
    """An observation with the state of each site."""

    observation: Observation
    policy: Policy
    states: Dict[str, str]

    def site(self, name: str) -> Site:
        """Return a site."""
        return self.observation.sites[name]

    def view(self, name: str) -> View:
        """Return a site together with the other one."""
        return View(self.site(name), self.observation.other(name), self.observation)

    def other(self, name: str) -> str:
        """Return the other site's name."""
        return self.observation.other(name).name

    def unfit(self, name: str) -> List[str]:
        """Return why the site cannot carry the calls; an empty list is fit."""
        site, state = self.site(name), self.states[name]
        asked = ("gateways", "calls") if self.policy.synthetic_calls else ("gateways",)
        lacks = [f"{signal} {site.value(signal)}" for signal in asked if not site.up(signal)]
        if site.isolated:
            lacks.append(f"isolated for {site.isolated}")
        return lacks + ([state] if state in (*DEAD, "UNKNOWN", "GRAY", "GW_CUT") else [])

    def fit(self, name: str) -> bool:
        """Whether the site can carry the calls."""
        return not self.unfit(name)

    def in_state(self, *states: str) -> List[str]:
        """Return the sites that are in one of the states."""
        return [name for name in self.observation.names if self.states[name] in states]

    def values(self, signal: str) -> Tuple[str, str]:
        """Return a signal's values at both sites, in alphabetical order of the values."""
        first, second = sorted(self.site(name).value(signal) for name in self.observation.names)
        return first, second

    def masters(self) -> List[str]:
        """Return the sites whose master is up."""
        return [name for name in self.observation.names if self.site(name).up("master")]


def draw(observation: Observation, policy: Policy) -> Picture:
    """Return the observation with the state of each site."""
    views = {name: View(observation.sites[name], observation.other(name), observation) for name in observation.names}
    states = {name: next(state for state, fits in STATES if fits(views[name])) for name in observation.names}
    return Picture(observation, policy, states)
