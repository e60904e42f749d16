# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps after the network between the sites is back: one truth in both databases, then peering. Pure.

Nothing is merged by software. Where both databases wrote, two different people name the one that survives, and confirm
by its digest the ledger of the other one, which is listed object by object before it is overwritten. While a divergence
is open the sites are not peered again (decision.md, invariant 1).
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils import deployment, ledger
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.network_plan import LINK_VERDICTS
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.network_steps import (
    HEAL,
    link_hosts,
    link_step,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_case import Case, made
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_refusals import (
    WAYS,
    Refusal,
    attesters,
    coordination_refusal,
    refusal,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_steps import (
    CONFIGURATION,
    LOOKING,
    RESYNC,
    WITHOUT_TICKET,
    StepKind,
)

HEALED = ("NORMAL", "BLIND_SPOT", "DEGRADED", "RETURNING", "DUAL_MASTER")
"""Verdicts under which the link is back and one database can be made to follow the other."""

SIDES = "-e continuity_survivor={sites} -e continuity_first_attester=alice -e continuity_second_attester=bob"

AGENTS_UNKNOWN = (
    "Agents logged in at both sites: no open interface of SIP Server lists its agents. Ask for it before the sites are"
    " peered: Stat Server's agent status names the switch of each log-in (current state of each agent; through Genesys"
    " Mobile Services: POST /genesys/1/statistic); or give the lists, -e '{continuity_agents: {SITE: [login, …], …}}'."
    " In peered mode SIP Server logs the older of two log-ins out by force."
)


def heal_plan(
    continuity: Mapping[str, Any],
    decision: Mapping[str, Any],
    track_state: Optional[Mapping[str, Any]],
    request: Mapping[str, Any],
) -> Dict[str, Any]:
    """Return the plan, in the shape of network_plan.network_plan.

    `request` as there, and: `seen` (`{site: {role, streams, tables, writes, complete}}`, of each site's database just
    now: primary, standby or unknown; how many standbys stream from it; content as ledger.differences takes it, or None;
    every write since the split, None when unknown; whether the log reaches back that far), `divergence` (the stored
    record of an accepted one, or None), `survivor_choice` (a site, or empty), `reconciled` (the digest that a person
    confirms, or empty), `pinned` (the sites whose SIP Server has no peer trunk), `agents` (`{site: [log-ins]}`, empty
    when nobody gave them). A plan that ends a divergence has it as `divergence`, with `status: reconciled`.
    """
    state = track_state or {}
    survivor, diverged = _survivor(continuity, state, request)
    losing = deployment.peer(continuity, survivor)
    case = Case(continuity, decision, state, request, losing)
    refused = _refused(case, diverged)
    notes = [*_compared(request, diverged), *_agents(request)]
    if refused:
        plan = made(case, f"refused: {', '.join(one['guard'] for one in refused)}", refused=refused)
        return {**plan, "heading": "healing", "notes": notes}
    follows = diverged or _is_behind(case)
    notes += _given_up(case) if follows else []
    why = f"{losing} follows {survivor} again" if follows else f"{losing} follows {survivor}: only peering is left"
    base = made(case, why, _kinds(case, diverged, follows))
    steps = [*base["steps"], *_link_steps(case)]
    changing = [step for step in steps if step["door"] not in LOOKING]
    moves = any(step["plane"] == CONFIGURATION for step in changing)
    told = {"heading": "healing", "notes": [*notes, *_let_in(case)], "report": True, **_reconciled(request)}
    return {**base, "steps": steps, "changes": bool(changing), "config_plane": moves, **told}


def _survivor(continuity: Mapping[str, Any], state: Mapping[str, Any], request: Mapping[str, Any]) -> Tuple[str, bool]:
    """Return the site whose database survives, as far as anything says so, and whether the two have parted."""
    primaries = _primaries(request)
    open_one = _open_divergence(request)
    diverged = len(primaries) > 1 or bool(open_one)
    chosen = request.get("survivor_choice") or ""
    if chosen in deployment.site_names(continuity):
        return chosen, diverged
    wrote = [site for site, seen in request["seen"].items() if ledger.kept(seen.get("writes") or [])]
    found = primaries if len(primaries) == 1 else wrote if len(wrote) == 1 else []
    guess = [open_one.get("survivor"), request.get("master"), state.get("last_master")]
    known = [site for site in (*found, *guess) if site in deployment.site_names(continuity)]
    return (known or deployment.site_names(continuity))[0], diverged


def _primaries(request: Mapping[str, Any]) -> List[str]:
    return [site for site, seen in request["seen"].items() if seen.get("role") == "primary"]


def _open_divergence(request: Mapping[str, Any]) -> Mapping[str, Any]:
    found = request.get("divergence") or {}
    return found if found.get("status") == "open" else {}


def _refused(case: Case, diverged: bool) -> List[Refusal]:
    link = _link_refusal(case.decision)
    if link:
        return [link]
    reading = _unread(case, diverged)
    if reading:
        return reading
    stores = deployment.coordination_hosts(case.continuity)
    return [*coordination_refusal(case.request, stores), *(_losing_writes(case) if diverged else [])]


def _link_refusal(decision: Mapping[str, Any]) -> Optional[Refusal]:
    """Refuse while the network is not whole; under RETURNING and FLAPPING what the rules say of this look counts."""
    verdict, raw = str(decision["verdict"]), str(decision.get("raw") or decision["verdict"])
    if raw in LINK_VERDICTS:
        way = "mend the link; until then playbooks/network_failure.yml"
        return refusal("link", "all", [f"The network between the sites is not whole: {raw}."], way)
    if verdict in HEALED:
        return None
    way = WAYS.get(verdict, "run playbooks/failover.yml for a site that is down")
    site = decision.get("site") or "it"
    return refusal("verdict", "all", [f"The verdict is {verdict}."], way.format(failed=site, site=site))


def _unread(case: Case, diverged: bool) -> List[Refusal]:
    """Refuse while the surviving database is no primary, or nobody can say what the other side would lose.

    The other database may be stopped: a guard starts no writer without a ticket, and a resync needs none running.
    """
    seen, host = case.request["seen"], deployment.database_host(case.continuity, case.failed)
    if not _primaries(case.request):
        return [refusal("databases", "all", ["No database is seen as the primary."], WAYS["NO_MASTER"].format(site=""))]
    if _role(seen, case.survivor) != "primary":
        words = f"The database of {case.survivor} is no primary: what the other side wrote would be lost."
        return [refusal("survivor", "all", [words], f"-e continuity_survivor={case.failed}")]
    if not case.is_reachable(host):
        return [refusal("reachable", "all", [f"{host} of {case.failed} cannot be reached."], "mend the way to it")]
    lost = seen.get(case.failed) or {}
    if diverged and (lost.get("writes") is None or not lost.get("complete")):
        words = f"The log of {case.failed}'s database does not tell every write since the split."
        way = "find the log (log_statement=mod for the Configuration Server's role), run this again"
        return [refusal("ledger", "all", [words], way)]
    return []


def _role(seen: Mapping[str, Any], site: str) -> str:
    return str((seen.get(site) or {}).get("role") or "unknown")


def _losing_writes(case: Case) -> List[Refusal]:
    """Refuse to overwrite what was written, before two people chose and somebody has read all of it."""
    writes = {site: ledger.kept(seen.get("writes") or []) for site, seen in case.request["seen"].items()}
    lost = writes[case.failed]
    if not lost:
        return []
    sites = "|".join(deployment.site_names(case.continuity))
    shown = [f"{case.failed} wrote {len(lost)} times since the split:", *(f"{line}." for line in ledger.told(lost))]
    if not case.request.get("survivor_choice") or len(attesters(case.request)) < 2:
        both = [f"{site}: {len(found)} writes" for site, found in writes.items()]
        evidence = [f"Both databases wrote ({', '.join(both)}); nothing is merged by itself.", *shown]
        way = f"two different people name the side that survives: {SIDES.format(sites=sites)}"
        return [refusal("choose_survivor", "all", evidence, way)]
    wanted = ledger.digest(lost)
    if case.request.get("reconciled") == wanted:
        return []
    way = (
        f"write what is still wanted of it into {case.survivor}, as configuration changes, then confirm exactly this"
        f" ledger: -e continuity_reconciled={wanted}, with the words of the choice"
    )
    return [refusal("reconcile", "all", shown, way)]


def _is_behind(case: Case) -> bool:
    """Return whether the other side has to be made to follow: it returns after a move, or nothing streams to it."""
    streams = (case.request["seen"].get(case.survivor) or {}).get("streams")
    return case.decision.get("scope") == "config" or not streams


def _kinds(case: Case, diverged: bool, follows: bool) -> List[StepKind]:
    steps = {kind.name: kind for kind in (*WITHOUT_TICKET, *RESYNC)}
    closing = ["stop_old_master", "fence"] if _role(case.request["seen"], case.failed) == "primary" else []
    names = [*closing, "repoint_names", "verify_configuration", "resync_old"] if follows or diverged else []
    return [steps[name] for name in names or ["verify_configuration"]]


def _link_steps(case: Case) -> List[Dict[str, Any]]:
    pinned = list(case.request.get("pinned") or [])
    hosts = link_hosts(case.continuity, case.failed, pinned=pinned)
    words = {"failed": case.failed, "survivor": case.survivor}
    found = [link_step(kind, hosts[kind.name], case.request["reachable"], words) for kind in HEAL]
    return [step for step in found if step]


def _compared(request: Mapping[str, Any], diverged: bool) -> List[str]:
    tables = {site: seen.get("tables") for site, seen in request["seen"].items()}
    if len(tables) != 2:
        return ["The two databases were not compared: one of them cannot be asked."]
    found = ledger.differences(tables)
    if not found:
        return ["The two databases hold the same."]
    words = "have parted" if diverged else "differ, read at two moments: what was on its way counts"
    return [f"The two databases {words}:", *found]


def _agents(request: Mapping[str, Any]) -> List[str]:
    agents = request.get("agents") or {}
    if len(agents) < 2:
        return [AGENTS_UNKNOWN]
    one, other = (set(map(str, found)) for found in agents.values())
    twice = sorted(one & other)
    if not twice:
        return ["No agent is logged in at both sites."]
    return [f"Logged in at both sites, and logged out at one of them by force when they peer: {', '.join(twice)}."]


def _given_up(case: Case) -> List[str]:
    """Return what the losing side wrote since the split, for the report of the run that overwrites it."""
    lost = ledger.kept((case.request["seen"].get(case.failed) or {}).get("writes") or [])
    return [f"Written at {case.failed} since the split, and given up there:", *ledger.told(lost)] if lost else []


def _let_in(case: Case) -> List[str]:
    if case.decision["verdict"] != "RETURNING":
        return []
    return [
        f"{case.failed} stays without ticket and without a master until it is let in:"
        f" playbooks/let_in.yml -e continuity_returning_site={case.failed} -e continuity_let_in_by=NAME"
    ]


def _reconciled(request: Mapping[str, Any]) -> Dict[str, Any]:
    found = _open_divergence(request)
    if not found:
        return {}
    by = attesters(request) or found["by"]
    return {"divergence": {**found, "status": "reconciled", "reconciled_at": request["at"], "reconciled_by": by}}
