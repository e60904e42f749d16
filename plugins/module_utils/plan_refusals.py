# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guards of a failover plan: each names itself, the evidence it lacks, and the exact way round.

Rules: decision.md, "What a verdict unlocks", invariants 2 (fence), 5 (data loss) and the table's two-person marks.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_fields import person_key

Refusal = Dict[str, Any]
"""`{guard, blocks: all|call|configuration, evidence, way}`; evidence is one text of one or more sentences."""

FAILOVER_VERDICTS = ("SITE_DOWN", "SITE_DOWN_PEER_UNFIT")

LAST_MASTER_UNKNOWN: Refusal = {
    "guard": "last_master",
    "blocks": "configuration",
    "evidence": "No stored state says which site held the master Configuration Server last.",
    "way": (
        "find out at which site the master ran; run playbooks/health_check.yml regularly while it is up,"
        " so that the state is there when it is needed"
    ),
}

WAYS = {
    "NORMAL": "nothing has failed; the configuration alone is moved by playbooks/move_master.yml",
    "BLIND_SPOT": "nothing has failed; the evidence names what cannot be seen: mend that and look again",
    "SUSPECT": (
        "wait until the verdict is settled and run this again; if it cannot settle and two different people know that"
        " {failed} is down (attest_down): -e continuity_first_attester=alice -e continuity_second_attester=bob"
    ),
    "DEGRADED": "repair it inside the site: a lost leg is no reason to leave the site",
    "GRAY": "the site answers and completes no call: mend that, or move the calls by hand at the gateways",
    "GW_CUT": "mend the gateways' path, or move the calls by hand at the gateways",
    "NO_HEALTHY_SITE": "neither site is fit to take over: mend one, then run playbooks/health_check.yml",
    "TRUNK_OOS": "the sites live, the trunk between them does not: mend the trunk; each site serves its own calls",
    "TRUNK_OOS_ASYM": "the sites live, the trunk between them does not: mend the trunk; each site serves its own calls",
    "PARTITION": (
        "both sites live, the link between them does not: mend the link; each site serves its own calls"
        " (playbooks/network_failure.yml)"
    ),
    "PARTITION_ASYM": (
        "both sites live, the link between them does not: mend the link; each site serves its own calls"
        " (playbooks/network_failure.yml)"
    ),
    "MGMT_PARTITION": "calls are well, the management path is not: mend that path",
    "SITE_DOWNTIME": "{site} is in a declared downtime: end it first, if it is not meant to be down",
    "NO_MASTER": (
        "no site has failed, nobody is the master: playbooks/move_master.yml -e continuity_to_site=SITE, with the site"
        " where it ran last, or the other one"
    ),
    "DUAL_MASTER": "two masters are active: two people choose the survivor, the other is stopped",
    "OBSERVER_BLIND": "this observer cannot see: mend its network, or run from another controller",
    "BOTH_DOWN": "there is no site to fail over to: two people order a cold start",
    "RETURNING": "{site} is back after a failover: keep its Configuration Server and database off until it is let in",
    "FLAPPING": "the verdict changes too often: find out why and acknowledge it, then run this again",
}
"""What is meant for a verdict that is no reason for a failover."""


def attesters(request: Mapping[str, Any]) -> List[str]:
    """Return the different people named, in order; `Alice` and `alice ` are one person (person_key)."""
    people: Dict[str, str] = {}
    for name in request.get("attested_by") or []:
        if person_key(name):
            people.setdefault(person_key(name), name.strip())
    return list(people.values())


def verdict_refusal(decision: Mapping[str, Any], failed: str, survivor: str) -> Optional[Refusal]:
    """Refuse a failover that the verdict does not call for; None where it does."""
    verdict, site = decision["verdict"], decision.get("site")
    if verdict in FAILOVER_VERDICTS and site == failed:
        return None
    if verdict in FAILOVER_VERDICTS:
        way = f"{survivor} is the site that is down: -e continuity_failed_site={survivor}"
    else:
        way = WAYS.get(verdict, "run playbooks/health_check.yml").format(failed=failed, site=site or failed)
    about = f"{verdict} {site}" if site else verdict
    sentences = [f"The verdict is {about}, not SITE_DOWN {failed}.", *map(said, decision.get("evidence") or [])]
    return refusal("verdict", "all", sentences, way)


def forbidden_refusal(decision: Mapping[str, Any], action: str, plane: str) -> List[Refusal]:
    """Refuse a plane whose action the decision forbids."""
    if action not in (decision.get("forbidden") or []):
        return []
    evidence = [f"The verdict {decision['verdict']} forbids {action}."]
    return [refusal("forbidden", plane, evidence, "run playbooks/health_check.yml; it says what is missing")]


def survivor_refusal(request: Mapping[str, Any], survivor: str, hosts: List[str]) -> List[Refusal]:
    """Refuse to move the configuration to hosts that do not answer."""
    silent = [host for host in hosts if host not in request["reachable"]]
    if not silent:
        return []
    evidence = [f"{', '.join(silent)} of {survivor} cannot be reached: nobody could take over."]
    return [refusal("survivor_reachable", "configuration", evidence, "mend the way to it and run this again")]


def fence_refusal(request: Mapping[str, Any], failed: str, silent: List[str]) -> List[Refusal]:
    """Refuse to promote while the old writer may still write and nobody vouches that it does not (invariant 2).

    For a fence that can be neither seen nor waited for: `silent` are the failed site's configuration hosts that do not
    answer, and no armed dead-man stands for them.
    """
    if len(attesters(request)) >= 2:
        return []
    evidence = [
        f"{', '.join(silent)} of {failed} cannot be reached: that its database takes no writes cannot be seen.",
        *(["The ticket does not say that its dead-man is armed."] if request.get("ticket") else []),
        _attested(request),
    ]
    way = (
        f"two different people make sure that {failed}'s Configuration Server and database are off, and say so:"
        " -e continuity_first_attester=alice -e continuity_second_attester=bob"
    )
    return [refusal("fence", "configuration", evidence, way)]


def ticket_refusal(request: Mapping[str, Any], stores: List[str]) -> List[Refusal]:
    """Refuse to move the configuration while nobody knows who holds the ticket (invariant 2)."""
    ticket = request.get("ticket")
    known = isinstance(ticket, Mapping) and ticket.get("holder", "unknown") != "unknown"
    if not known:
        evidence = [f"No majority of the coordination store ({', '.join(stores)}) says who holds the ticket."]
        way = "bring a second member of the store back, then run this again"
        return [refusal("ticket", "configuration", evidence, way)]
    return []


def revoked_refusal(survivor: str) -> Refusal:
    """Refuse to leave it at that where the site that stays has lost its ticket to a move that came to no end."""
    evidence = [f"The ticket was taken from {survivor} and nobody has it: no site may be written to."]
    way = f"playbooks/move_master.yml -e continuity_to_site={survivor} gives it back: nothing was promoted since"
    return refusal("ticket", "configuration", evidence, way)


def coordination_refusal(request: Mapping[str, Any], hosts: List[str]) -> List[Refusal]:
    """Refuse to move the configuration where no host can hold the run lock (invariant 8); calls need no lock."""
    if any(host in request["reachable"] for host in hosts):
        return []
    evidence = [f"None of the coordination hosts ({', '.join(hosts)}) can be reached: nobody holds the run lock."]
    return [refusal("coordination", "configuration", evidence, "bring one of them back, then run this again")]


def data_loss_refusal(request: Mapping[str, Any], policy: Mapping[str, Any]) -> List[Refusal]:
    """Refuse to promote with a lag that is unknown or over the limit, but for this one run (invariant 5)."""
    lag, limit, run_id = request.get("lag"), policy["lag_limit"], request["run_id"]
    if lag is not None and lag <= limit:
        return []
    if request.get("allow_data_loss") == run_id and len(attesters(request)) >= 2:
        return []
    way = (
        "if what the dead primary had not yet sent may be lost, two different people say so for this run only:"
        f" -e continuity_allow_data_loss={run_id} -e continuity_first_attester=alice -e continuity_second_attester=bob"
    )
    return [refusal("data_loss", "configuration", _lag_evidence(request, limit), way)]


def _lag_evidence(request: Mapping[str, Any], limit: float) -> List[str]:
    lag, allowed, run_id = request.get("lag"), request.get("allow_data_loss"), request["run_id"]
    known = f"The standby is {lag} behind; the limit is {limit}."
    sentences = ["Replication is asynchronous: the lag of a dead primary is unknown." if lag is None else known]
    if allowed and allowed != run_id:
        sentences.append(f"Data loss was allowed for run {allowed}; this is run {run_id}.")
    elif allowed:
        sentences.append(_attested(request))
    return sentences


def _attested(request: Mapping[str, Any]) -> str:
    people = attesters(request)
    return f"Attested by {people[0]} only; two different people are needed." if people else "Nobody has attested it."


def refusal(guard: str, plane: str, evidence: List[str], way: str) -> Refusal:
    """Return a refusal, its evidence given as sentences."""
    return {"guard": guard, "blocks": plane, "evidence": " ".join(evidence), "way": way}


def said(text: str) -> str:
    """Return a text as a sentence."""
    return text if text.endswith((".", "!", "?")) else text + "."
