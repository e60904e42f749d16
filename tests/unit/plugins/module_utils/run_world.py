# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of a plan in which everything went well, to be spoilt by a test."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import deployment
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.move_plan import move_plan
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan import failover_plan
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_outcome import (
    LOCK_RESULTS,
    RESULTS,
    may_go_on,
    must_undo,
    plan_outcome,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_steps import CALLS, LOOKING
from plan_world import NOW, PEOPLE, decision, planned, request, state, step_of

STORES = ["fra-cfg", "ams-cfg"]
CALL_STEPS = [kind.name for kind in CALLS if kind.door not in LOOKING]
ENDINGS = {
    "failed": {"failed": True, "msg": "no such database"},
    "refused": {"failed": True, "msg": "a guard says no", "refused": {"guard": "fence"}},
    "unreachable": {"unreachable": True, "msg": "timed out"},
    "skipped": {"skipped": True},
    "never asked": {},
}
bad_ending = pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
# Only check mode skips the renewal.
LOCK_ENDINGS = [
    pytest.param(what, ending, id=f"{what}-{name}")
    for what in LOCK_RESULTS
    for name, ending in ENDINGS.items()
    if (what, name) != ("__continuity_renewed", "skipped")
]


def not_ready(*items):
    """What a door readiness leaves where these are not met."""
    unmet = [{"item": one, "met": False, "evidence": "it is not", "way": "make it so"} for one in items]
    return {"changed": False, "ready": False, "readiness": [{"item": "fine", "met": True}, *unmet]}


class Run:
    """A run of a plan in which everything went well, to be spoilt by a test."""

    def __init__(self, continuity, silent=(), **asked):
        """Plan the failover of fra, or its move to ams; its hosts answer but for the silent ones."""
        self.continuity = continuity
        self.check = False
        self.forward = None
        moving = asked.get("scenario") == "move_master"
        drawn = request(continuity, silent, **{"attested_by": PEOPLE, "lag": 0, **asked})
        stored = state(asked.get("last_master", "fra"), failed_over=asked.get("stored", {}))
        made = (move_plan if moving else failover_plan)(continuity, planned() if moving else decision(), stored, drawn)
        self.plan = dict(made, attested_by=drawn["attested_by"])
        self.hostvars = {host: {} for host in (*deployment.plan_hosts(continuity), *STORES)}
        for host in STORES:
            self.hostvars[host].update(__continuity_lock={"changed": True}, __continuity_renewed={"changed": False})
        for step in self.plan["steps"]:
            self.said(step["name"], {"changed": step["door"] not in LOOKING, "detail": f"{step['name']} done"})

    def said(self, name, result, host=None):
        """Leave `result` on the hosts of a step, or on one of them."""
        part = "steps" if name in [step["name"] for step in self.plan["steps"]] else "undo"
        step = step_of(self.plan, name, part)
        variable = step.get("result") or f"__{step['role']}_{RESULTS.get(step['door'], 'result')}"
        for each in [host] if host else step["hosts"]:
            self.hostvars[each][variable] = result
        return self

    def stopped_at(self, name, ending):
        """As the plays leave it: a step ended so, and every later one of the configuration was passed over."""
        own = [step["name"] for step in self.plan["steps"] if step["plane"] == "configuration"]
        self.said(name, ending)
        for later in own[own.index(name) + 1 :]:
            self.said(later, {"skipped": True})
        return self

    def nobody_has_the_lock(self):
        for host in STORES:
            self.hostvars[host].update(__continuity_lock={"failed": True}, __continuity_renewed={})
        return self

    @property
    def outcome(self):
        return plan_outcome(self.plan, self.hostvars, NOW, STORES, self.check, self.forward)

    def given_up(self):
        """As configuration.yml keeps how far it came, before the undo and what comes last."""
        self.forward = plan_outcome(self.plan, self.hostvars, NOW, STORES, last=False)

    @property
    def undoes(self):
        return must_undo(self.plan, self.hostvars, STORES)

    def may(self, step):
        return may_go_on(self.plan, step, self.hostvars, STORES)

    @property
    def scopes(self):
        return [event["scope"] for event in self.outcome["events"]]
