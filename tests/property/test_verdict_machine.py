# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`track` against a model of time: signals change, time moves with and without gaps, runs and people do things.

The model (verdict_model) keeps every sample there ever was; `track` has its state alone, which goes through JSON
between any two samples. What the rules say of one sample is taken from `decide`, which other tests hold.
SIP_DR_EXAMPLES scales the number of runs. A run that fails is not made smaller: that takes minutes, and the steps are
printed.
"""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List, Optional, Set, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import Judgement, Tracker, decide, track
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from verdict_model import CALM, HOLD, NAMES, RECOVER, Happening, Model, Sample
from verdict_world import at, world

OTHER = {"site1": "site2", "site2": "site1"}
LINKS = ("PARTITION", "PARTITION_ASYM", "MGMT_PARTITION", "TRUNK_OOS", "TRUNK_OOS_ASYM")
FAILOVER = {"prefer_survivor", "fence", "promote_config"}
CALL_PLANE = {"prefer_survivor", "drain_gateways", "restore_gateways", "unpin_gateways", "apply_pending_preferences"}
OFTEN = ("healthy", "healthy", "silent", "silent")
LOOKS = (*OFTEN, "reached", "unknown", "gray", "degraded", "stack_down", "gw_cut", "alive")
ILL = ("silent", "silent", "silent", "stack_down", "gray", "gw_cut")
WITHOUT_MASTER = ("silent", "reached", "unknown", "stack_down", "alive")
names = st.sampled_from(NAMES)
scopes = st.sampled_from(("call", "config"))


class Tracked(RuleBasedStateMachine):
    """Two sites, a clock, people, and a state that goes through JSON."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.now = 0.0
        self.state: Optional[Dict[str, Any]] = None
        self.decision: Dict[str, Any] = {}
        self.judgement: Optional[Judgement] = None
        self.events: List[Dict[str, Any]] = []
        self.sites: Dict[str, Dict[str, Any]] = {name: {"is": "healthy"} for name in NAMES}
        self.master: Tuple[str, ...] = ("site1",)
        self.cut = False
        self.beside: Dict[str, Any] = {}
        self.policy: Dict[str, Any] = {}
        self.tracker = Tracker(None)

    @initialize(call_plane=st.sampled_from(("observe", "operator", "auto", "auto")), auto=st.booleans())
    def begin(self, call_plane: str, auto: bool) -> None:
        self.policy = {"call_plane": call_plane, "promotion": "auto" if auto else "operator"}
        self.tracker = Tracker(None, self.policy)
        self.look()

    @rule(gap=st.sampled_from((0, 1, 5, 15, 30, 30.5, 60, 119.5, 120, 300, 3600)))
    def wait(self, gap: float) -> None:
        self.now += gap
        self.look()

    @rule(count=st.integers(2, 24), every=st.sampled_from((5, 15, 15, 30)))
    def stay(self, count: int, every: float) -> None:
        for _ in range(count):
            self.now += every
            self.look()

    @rule(name=names, look=st.sampled_from(LOOKS))
    def turn(self, name: str, look: str) -> None:
        kept = {key: self.sites[name][key] for key in ("isolated", "downtime") if key in self.sites[name]}
        self.sites[name] = {**kept, "is": look}
        self.wait(5)

    @rule(cut=st.booleans())
    def link(self, cut: bool) -> None:
        self.cut = cut
        self.wait(5)

    @rule(count=st.integers(1, 3))
    def blink(self, count: int) -> None:
        """Let a site fall ill and be well again, a few times within seconds."""
        for look in ("gray", "healthy") * count:
            self.turn("site1", look)

    @rule(name=names, isolated=st.sampled_from((None, "drain", "failover")))
    def isolate(self, name: str, isolated: Optional[str]) -> None:
        self.sites[name]["isolated"] = isolated
        self.wait(5)

    @rule(name=names, downtime=st.booleans())
    def announce(self, name: str, downtime: bool) -> None:
        self.sites[name]["downtime"] = downtime
        self.wait(5)

    @rule(name=names)
    def power_off(self, name: str) -> None:
        self.sites[name]["fence"] = {"kind": "power_off", "seen_at": {"ago": 1}}
        self.wait(5)

    @rule(master=st.sampled_from((("site1",), ("site2",), (), NAMES)))
    def move(self, master: Tuple[str, ...]) -> None:
        self.master = master
        self.wait(5)

    @rule(healthy=st.sampled_from((True, True, False)))
    def observe(self, healthy: bool) -> None:
        self.beside["observer"] = {"healthy": healthy}
        self.wait(5)

    @rule(holder=st.sampled_from((None, "site1", "site2", "unknown")), revoked=st.sampled_from((None, *NAMES)))
    def ticket(self, holder: Optional[str], revoked: Optional[str]) -> None:
        self.beside["ticket"] = {"holder": holder, "revoked_from": revoked, "armed": True, "sync": True}
        self.wait(5)

    @rule(call_plane=st.sampled_from(("observe", "operator", "auto")), promotion=st.sampled_from(("operator", "auto")))
    def order(self, call_plane: str, promotion: str) -> None:
        self.policy = {"call_plane": call_plane, "promotion": promotion}
        self.tracker = Tracker(self.state, self.policy)
        self.wait(5)

    @rule(kind=st.sampled_from(("failover_done", "run_aborted", "let_in", "acknowledged")), name=names, scope=scopes)
    def report(self, kind: str, name: str, scope: str) -> None:
        self.happens(kind, None if kind == "acknowledged" and scope == "call" else name, scope)

    @rule(name=names, look=st.sampled_from(ILL), count=st.integers(2, 26), fenced=st.booleans())
    def lose(self, name: str, look: str, count: int, fenced: bool) -> None:
        """Let one site fall ill for a while, and nothing else."""
        self.well()
        self.sites[name] = {"is": look, "fence": {"kind": "power_off", "seen_at": {"ago": 1}} if fenced else None}
        self.master = (name,)
        self.beside["ticket"] = {"holder": name, "armed": True, "sync": True}
        self.stay(count, 15)

    @rule(name=names, isolated=st.sampled_from(("drain", "drain", "failover")), count=st.integers(2, 8))
    def drained(self, name: str, isolated: str, count: int) -> None:
        """Let nothing be wrong but that a site is isolated, for a while."""
        self.well()
        self.sites[name]["isolated"] = isolated
        self.stay(count, 15)

    @rule(rest=st.sampled_from((5, 600, 4000)))
    def heal(self, rest: float) -> None:
        """Let everything be well, and people have done what they have to do."""
        self.well()
        for name in NAMES:
            self.happens("let_in", name)
            self.happens("acknowledged", name)
        self.wait(rest)

    def well(self) -> None:
        self.sites = {name: {"is": "healthy"} for name in NAMES}
        self.cut, self.master, self.beside = False, ("site1",), {}

    def happens(self, kind: str, name: Optional[str], scope: str = "call") -> None:
        """Let something happen now, and be seen two seconds later."""
        self.now += 1
        self.events.append({"at": at(self.now), "type": kind, "site": name, "scope": scope})
        self.model.events.append(Happening(self.now, kind, name, scope, len(self.model.samples)))
        self.wait(2)

    def look(self) -> None:
        """Take an observation, and tell the model."""
        bundle = world(self.now, events=self.events[-3:], **self.beside, **self.seen())
        raw = decide(bundle, self.policy)
        heard = tuple(name for name in NAMES if self.sites[name]["is"] not in ("silent", "unknown"))
        stack_down = "STACK_DOWN" in raw["states"].values()
        healthy = bundle["observer"]["healthy"]
        self.model.samples.append(Sample(self.now, bundle, raw["verdict"], raw["site"], stack_down, heard, healthy))
        self.state, self.decision = track(json.loads(json.dumps(self.state)), bundle, self.policy)
        self.judgement = self.tracker.judge(bundle)

    def seen(self) -> Dict[str, Dict[str, Any]]:
        """Return the changes to each site of a healthy pair."""
        changes = {}
        for name, site in self.sites.items():
            change = dict(site)
            if site["is"] not in WITHOUT_MASTER:
                change["master"] = "up" if name in self.master else "down"
            if self.cut and "silent" not in (site["is"], self.sites[OTHER[name]]["is"]):
                change.update(peer="down", trunk="down")
            changes[name] = change
        return changes

    @invariant()
    def the_verdict_is_the_models(self) -> None:
        if self.decision:
            assert self.decision["verdict"] == self.model.shown()
            assert self.decision["raw"] == self.model.samples[-1].raw
            assert self.decision["since"] == at(self.model.runs()[-1][0].at)
            replaced = self.decision["verdict"] in ("RETURNING", "FLAPPING")
            assert self.decision["settled"] == (replaced or self.model.left_to_confirm() <= 0)

    @invariant()
    def a_tracker_says_the_same(self) -> None:
        """Invariant 13: what is remembered in one process is what a state carries from one to the next."""
        if self.judgement:
            assert json.dumps(self.judgement.decision()) == json.dumps(self.decision)
            assert self.judgement.automatic() == self.decision["automatic"]
            assert json.dumps(self.tracker.state()) == json.dumps(self.state)

    @invariant()
    def the_clocks_are_the_models(self) -> None:
        if self.decision:
            drained = [name for name in NAMES if self.sites[name].get("isolated") == "drain"]
            assert self.decision["remaining"] == self.model.remaining(drained)

    @invariant()
    def the_state_says_who_was_failed_over(self) -> None:
        if self.state:
            scopes = {name: self.model.scope(name) for name in NAMES}
            assert self.state["failed_over"] == {name: scope for name, scope in scopes.items() if scope}

    @invariant()
    def no_second_automatic_failover(self) -> None:
        """Invariant 10: not before it is acknowledged and cooled down; and then it is automatic again."""
        automatic = self.automatic()
        if not self.decision or self.decision["verdict"] != "SITE_DOWN":
            assert not FAILOVER & automatic
            return
        free = not self.model.unacknowledged() and not self.model.cooling()
        assert not FAILOVER & automatic or free
        assert ("prefer_survivor" in automatic) == (free and self.policy["call_plane"] == "auto")

    @invariant()
    def the_configuration_waits(self) -> None:
        automatic = self.automatic() & {"fence", "promote_config"}
        if automatic:
            since = self.model.settled_since()
            assert since is not None and self.now - since >= HOLD and self.policy["promotion"] == "auto"
            assert not self.model.flapping()
            assert "promote_config" not in automatic or self.sites[self.decision["site"]].get("fence")

    @invariant()
    def what_was_drained_comes_back_when_it_is_clean(self) -> None:
        if "restore_gateways" in self.automatic():
            assert self.policy["call_plane"] == "auto" and self.decision["verdict"] in CALM
            for name in self.decision["targets"]["restore_gateways"]:
                since = self.model.clean_since(name)
                assert self.sites[name]["isolated"] == "drain" and since is not None and self.now - since >= RECOVER

    @invariant()
    def a_site_stays_in_service(self) -> None:
        """Invariant 7, in the decision's part."""
        if {"drain_gateways", "prefer_survivor"} & self.automatic():
            other = self.model.samples[-1].bundle["sites"][OTHER[self.decision["site"]]]
            assert (other["gateways"], other["calls"], other["isolated"]) == ("up", "up", None)
        if self.decision.get("verdict") == "SITE_DOWN_PEER_UNFIT" and self.policy["call_plane"] != "observe":
            other = self.model.samples[-1].bundle["sites"][OTHER[self.decision["site"]]]
            reached = "up" in (other["peer"], other["witness"], other["gateways"])
            assert ("unpin_gateways" in self.automatic()) == bool(other["isolated"] and reached)

    @invariant()
    def links_move_nothing(self) -> None:
        """Invariant 6."""
        if self.decision.get("verdict") in LINKS:
            assert not (FAILOVER | CALL_PLANE) & self.automatic()

    @invariant()
    def nothing_unsettled_acts(self) -> None:
        if self.decision and not self.decision["settled"]:
            assert self.automatic() <= {"notify", "reprobe", "page"}

    @invariant()
    def the_columns_agree(self) -> None:
        if self.decision:
            assert not self.automatic() & set(self.decision["forbidden"])
            free = {"observe": set(), "operator": {"unpin_gateways", "apply_pending_preferences"}, "auto": CALL_PLANE}
            assert self.automatic() & CALL_PLANE <= free[self.policy["call_plane"]]

    def automatic(self) -> Set[str]:
        return set(self.decision.get("automatic", ()))


TestTracked = Tracked.TestCase
TestTracked.settings = settings(
    max_examples=max(5, int(os.environ.get("SIP_DR_EXAMPLES", 150)) // 5),
    stateful_step_count=40,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
