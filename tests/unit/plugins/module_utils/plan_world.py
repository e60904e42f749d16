# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What plans are made from, for both kinds of coordination store: the example's sites fra and ams, fra the writer."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import deployment
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_steps import (
    CALLS,
    DESKTOPS,
    LOOKING,
    RESYNC,
    configuration_steps,
    has_ticket,
    undo_steps,
)

DRIVERS = ("files", "etcd")
NOW = "2026-01-31T03:14:15Z"
RUN = "20260131-031415"
PEOPLE = ["alice", "bob"]
DEAD_FRA = ("fra-dr-1", "fra-dr-2", "fra-cfg", "fra-db", "fra-gw-1", "fra-gw-2")
SAVING = [kind.name for kind in CALLS]
LAST = [kind.name for kind in DESKTOPS]
CALL_NAMES = [*SAVING, *LAST]
SEEN, RUN_OUT, ATTESTED = "stopped_and_revoked", "ticket_run_out", "attested"


def coordinated(continuity, driver):
    """The deployment with this kind of coordination store, whatever the example has."""
    stores = {"files": ["fra-cfg", "ams-cfg"], "etcd": ["fra-cfg", "ams-cfg", "par-witness"]}
    settings = {"settings": "/etc/sip-dr/etcd.json"} if driver == "etcd" else {}
    continuity["continuity_coordination"] = {
        "driver": driver,
        "hosts": stores[driver],
        "directory": "/var/lib/sip-dr",
        **settings,
    }
    return continuity


def ticket(holder="fra", **more):
    return {"holder": holder, "revoked_from": None, "armed": True, "sync": False, **more}


def revoked(**more):
    """The ticket that a run took from fra, and that nobody took since."""
    return ticket(None, revoked_from="fra", **more)


def decision(verdict="SITE_DOWN", site="fra", **more):
    return {"verdict": verdict, "site": site, "evidence": ["peer 0/2, witness 0/1"], "forbidden": [], **more}


def planned(**more):
    """The decision of a day on which nothing has failed."""
    return decision("NORMAL", None, operator=["switchover"], **more)


def state(last_master="fra", **more):
    return {"last_master": last_master, "failed_over": {}, **more}


def roles(fra="primary", ams="standby"):
    return {"fra": {"role": fra, "lag": None}, "ams": {"role": ams, "lag": None}}


def request(continuity, silent=(), **more):
    return {
        "run_id": RUN,
        "failed_site": "fra",
        "to_site": "ams",
        "ticket": ticket() if has_ticket(continuity) else None,
        "databases": roles("unknown" if "fra-db" in silent else "primary"),
        "attested_by": [],
        "allow_data_loss": "",
        "reachable": [host for host in deployment.plan_hosts(continuity) if host not in silent],
        "master": None,
        "done": {},
        "failed_over": False,
        **more,
    }


def done(*steps, at=NOW):
    return dict.fromkeys(steps, at)


def kinds(continuity, undo=False):
    """Every step that can move the configuration, or take it back, by its name."""
    found = undo_steps(continuity) if undo else (*configuration_steps(continuity), *RESYNC)
    return {kind.name: kind for kind in found}


def moves(continuity, begun=False):
    """The names of the steps that move the configuration; once begun, without those that look before."""
    return [kind.name for kind in configuration_steps(continuity) if not begun or kind.door != "readiness"]


def changing(continuity):
    return [kind.name for kind in configuration_steps(continuity) if kind.door not in LOOKING]


def undoing(continuity):
    return [kind.name for kind in undo_steps(continuity)]


def names(plan, part="steps"):
    return [step["name"] for step in plan[part]]


def guards(plan):
    return [refusal["guard"] for refusal in plan["refused"]]


def step_of(plan, name, part="steps"):
    return next(step for step in plan[part] if step["name"] == name)


def of_drivers(*drivers):
    """A test of the fixture `continuity` with these kinds of coordination store only."""
    return pytest.mark.parametrize("continuity", drivers, indirect=True)


with_ticket, without_ticket = of_drivers("etcd"), of_drivers("files")


def dead(continuity, **more):
    """The request for fra, all of which is silent; nobody has said anything of it."""
    return request(continuity, silent=more.pop("silent", DEAD_FRA), **more)


def unarmed(continuity):
    return ticket(armed=False) if has_ticket(continuity) else None


def allowed(continuity, **more):
    """As dead, and two people stand for the fence and for what may be lost."""
    said = {"attested_by": PEOPLE, "allow_data_loss": RUN, "ticket": unarmed(continuity)}
    return dead(continuity, **{**said, **more})


def order(continuity, begun=False):
    return [*SAVING, *moves(continuity, begun), *LAST]


def after(continuity, step):
    """What stands when a run was killed just after this step: what it has journalled, the ticket, the databases."""
    ended = [name for name in order(continuity)[: order(continuity).index(step) + 1] if "preflight" not in name]
    held = unarmed(continuity)
    if has_ticket(continuity) and "revoke_ticket" in ended:
        held = revoked(armed=False)
    if has_ticket(continuity) and "take_ticket" in ended:
        held = ticket("ams", armed=False)
    database = roles("unknown", "primary" if "promote_database" in ended else "standby")
    return {"done": done(*ended), "ticket": held, "databases": database}


def every_step(continuity):
    return [name for name in order(continuity) if "preflight" not in name]
