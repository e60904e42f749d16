# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a decision to the plan that pins sites to single-site mode, or unpins them: pure, no I/O.

The mode comes by itself while the inter-site trunk is out of service; pinning is for a link that comes and goes and for
a peer that returns too early. It is written through the one master Configuration Server, so it is a step of the
configuration plane: it holds the run lock. In the plan `survivor` is the site with the master, `failed` the other one.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils import deployment
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.network_steps import LinkStep, link_step
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_case import Case, made
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_refusals import (
    Refusal,
    coordination_refusal,
    refusal,
    said,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_steps import CONFIGURATION

PIN, UNPIN = "pin", "unpin"
BLIND = ("OBSERVER_BLIND", "BOTH_DOWN", "DUAL_MASTER")
"""Verdicts in which nothing is written to the configuration."""
BY_ITSELF = (
    "the mode comes by itself while the inter-site trunk is out of service, and is verified with"
    " playbooks/network_failure.yml; to pin it, bring one writable master back (playbooks/move_master.yml), then run"
    " this again"
)
STEPS = {
    PIN: LinkStep(
        "pin_single_site",
        "sip_server",
        PIN,
        CONFIGURATION,
        "the SIP Server of {sites} stays alone, whatever its trunk does, until it is unpinned",
        "__sip_server_pinned",
    ),
    UNPIN: LinkStep(
        "unpin_single_site",
        "sip_server",
        UNPIN,
        CONFIGURATION,
        "the SIP Server of {sites} gets back exactly the options that it had",
        "__sip_server_pinned",
    ),
}


def pin_plan(
    continuity: Mapping[str, Any],
    decision: Mapping[str, Any],
    track_state: Optional[Mapping[str, Any]],
    request: Mapping[str, Any],
) -> Dict[str, Any]:
    """Return the plan, in the shape of plan.failover_plan with `heading` and `notes`.

    `request` as there, without `failed_site`, and: `pin` (pin or unpin), `pin_sites` (names), `pin_by` (who asks),
    `pinned` (the stored record: `{site: {host, by, at, run_id, saved}}`), `masters` (sites whose master was seen up),
    `divergence` (the stored record of one, or None). Raises KeyError for a site that is none.
    """
    sites = [name for name in deployment.site_names(continuity) if name in request["pin_sites"]]
    masters = [str(name) for name in request["masters"]]
    standing = deployment.peer(continuity, masters[0]) if masters else deployment.site_names(continuity)[1]
    case = Case(continuity, decision, track_state or {}, request, standing)
    kind, words = STEPS[request["pin"]], " and ".join(sites)
    refused = [{**one, "blocks": kind.door} for one in _refused(case, sites, masters)]
    heading = {"heading": f"{request['pin']} {words}", "notes": [f"Asked for by {request['pin_by']}."]}
    if refused:
        return {**made(case, f"the options of {words} stay as they are: a guard refuses", refused=refused), **heading}
    step = link_step(kind, _hosts(case, sites), request["reachable"], {"sites": words})
    plan = made(case, f"the configuration at {masters[0]} takes writes")
    asked = {"by": request["pin_by"], "at": request["at"]}
    return {**plan, "steps": [step] if step else [], "config_plane": True, "changes": True, **asked, **heading}


def pins_kept(
    plan: Mapping[str, Any],
    known: Mapping[str, Any],
    hostvars: Mapping[str, Mapping[str, Any]],
    continuity: Mapping[str, Any],
) -> Dict[str, Any]:
    """Return the record `pinned` after a run of such a plan: `{site: {host, by, at, run_id, saved}}`.

    known: the record before it. hostvars: with what the steps registered; a step that failed changes nothing here.
    """
    kept = dict(known)
    for name in deployment.site_names(continuity):
        for step, host, result in _results(plan, hostvars, deployment.vantage_hosts(continuity, name)):
            if step["door"] == UNPIN:
                kept.pop(name, None)
            elif result["saved"]:
                words = {key: plan[key] for key in ("by", "at", "run_id")}
                kept[name] = {"host": host, **words, "saved": result["saved"]}
    return kept


def _results(
    plan: Mapping[str, Any], hostvars: Mapping[str, Mapping[str, Any]], hosts: List[str]
) -> Iterator[Tuple[Mapping[str, Any], str, Mapping[str, Any]]]:
    for step in plan["steps"]:
        for host in [one for one in step["hosts"] if one in hosts]:
            result = hostvars[host].get(step["result"]) or {}
            if "saved" in result and not result.get("failed"):
                yield step, host, result


def _hosts(case: Case, sites: List[str]) -> List[str]:
    """One vantage host of each site keeps what stood before; where nobody knows which, all that answer are asked."""
    asked = [_vantage(case, name)[: 1 if case.request["pin"] == PIN or _keeper(case, name) else None] for name in sites]
    return list(dict.fromkeys(host for hosts in asked for host in hosts))


def _keeper(case: Case, site: str) -> Optional[str]:
    """The host that keeps what stood before the site was pinned, as far as the coordination store knows."""
    return ((case.request.get("pinned") or {}).get(site) or {}).get("host")


def _vantage(case: Case, site: str) -> List[str]:
    """The vantage hosts that can do it: only the keeper can put back what it keeps, and it goes on pinning."""
    named = deployment.vantage_hosts(case.continuity, site)
    keeper = _keeper(case, site)
    return [host for host in ([keeper] if keeper else named) if host in named and case.is_reachable(host)]


def _refused(case: Case, sites: List[str], masters: List[str]) -> List[Refusal]:
    unreached = [name for name in sites if not _vantage(case, name)]
    return [
        *_verdict(case),
        *_writable(masters),
        *_divergence(case),
        *(_unreached(case, name) for name in unreached),
        *coordination_refusal(case.request, deployment.coordination_hosts(case.continuity)),
    ]


def _verdict(case: Case) -> List[Refusal]:
    """A pin must be offered by the verdict; what it took is put back unless nobody knows what is true."""
    verdict, site = case.decision["verdict"], case.decision.get("site")
    about = f"{verdict} {site}" if site else str(verdict)
    evidence = list(map(said, case.decision["evidence"]))
    if case.request["pin"] == PIN and "pin_single_site" not in (case.decision.get("operator") or []):
        way = "where the sites see each other well there is nothing to pin; run this again when the verdict offers it"
        return [
            refusal("verdict", CONFIGURATION, [f"The verdict {about} does not offer pin_single_site.", *evidence], way)
        ]
    if verdict in BLIND:
        way = "mend what the evidence names, then run this again"
        return [refusal("verdict", CONFIGURATION, [f"The verdict {about} forbids any write.", *evidence], way)]
    return []


def _writable(masters: List[str]) -> List[Refusal]:
    if len(masters) == 1:
        return []
    seen = f"A writable master is seen at {' and '.join(masters)}." if masters else "No writable master is seen."
    return [refusal("writable_master", CONFIGURATION, [seen], BY_ITSELF)]


def _divergence(case: Case) -> List[Refusal]:
    """Sites whose databases parted are not peered again before they are one (decision.md, invariant 1)."""
    divergence = case.request.get("divergence") or {}
    if case.request["pin"] == PIN or divergence.get("status") != "open":
        return []
    evidence = [f"The divergence that run {divergence['run_id']} accepted is not reconciled."]
    return [refusal("divergence", CONFIGURATION, evidence, "run playbooks/heal.yml: it unpins both sites at its end")]


def _unreached(case: Case, site: str) -> Refusal:
    keeper = _keeper(case, site)
    if keeper:
        saved = "; ".join(map(str, case.request["pinned"][site].get("saved", {}).items()))
        evidence = [
            f"{site} was pinned by {keeper}, which keeps what stood before ({saved}) and cannot be asked for it."
        ]
        way = (
            f"bring {keeper} back; after an accepted divergence playbooks/heal.yml asks it; or set the options by hand"
        )
        return refusal("vantage", CONFIGURATION, evidence, way)
    vantage = ", ".join(deployment.vantage_hosts(case.continuity, site))
    evidence = [
        f"No host inside {site} can be reached ({vantage}): nobody could keep what stood before, or see the mode."
    ]
    return refusal("vantage", CONFIGURATION, evidence, "bring one of them back, or name the other site alone")
