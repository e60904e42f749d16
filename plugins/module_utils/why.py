# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a decision is no stronger one: each guard that fails, what was seen of it, and what would make it hold. Pure."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

WAYS: Dict[str, str] = {
    "confirm": "the same verdict must last{left}; a sample that says otherwise starts its time anew",
    "silence": "nobody may hear the site: whatever answers keeps it alive, whoever says that it is dead",
    "unanimity": (
        "peer, witness and gateways must all freshly say down; two different people may attest for those that are "
        "missing, as long as one of the three says down"
    ),
    "fit": "gateways (and calls, where they are asked for) of that site must be up, and no isolation in force",
    "blind_spot": "an answer must come: look at what cannot be asked, or take it out of the policy if it never can",
    "downtime": "the declared downtime must end (end_downtime)",
    "let_in": "a person must let the site in (playbooks/let_in.yml)",
    "flapping": "a person must acknowledge the flapping",
    "recover": "the site must stay clean{left}",
    "peer": "each site must freshly reach the other one's SIP address",
    "capacity": "the other site must freshly say that it can carry both sites' calls",
    "reachable": "the other site must be reached from its peer, the witness or a gateway",
    "long_partition": "the partition must last{left}",
    "promotion": "a person orders it, or the policy says promotion: auto",
    "ticket": "the failed site must be known to hold the ticket, or to have lost it by a revocation",
    "master": "the master must be down where the guard names it; it is not taken away from a site that runs it",
    "hold": "the verdict must stand{left}, or a person orders it and does not wait",
    "acknowledgement": "a person must acknowledge the failover before",
    "cooldown": "the time after the failover before must pass{left}, or a person orders it",
    "fence": (
        "the writer must be seen stopped with its log-ins revoked, or without power, or its armed ticket run out; or "
        "two different people attest it"
    ),
    "sync": "the ticket must record synchronous replication",
    "memory": "a coordination store must be read, or a person orders it who knows what was done before",
    "lag": "the survivor's database must say a lag within the policy's limit, and the primary must vouch for it",
}
"""What makes a guard of the decision hold; `{left}` is what the clock of the guard's name still needs."""


def why_text(decision: Mapping[str, Any]) -> List[str]:
    """Return the lines for a decision of `decide` or `track`: its sentence, its evidence, what is held back and why."""
    first, *more = decision["evidence"]
    operator = [_named(action, decision["two_people"]) for action in decision["operator"]]
    return [
        first,
        *(f"  {sentence}" for sentence in more),
        *_may("Automatic now", decision["automatic"]),
        *_may("Yours to order", operator),
        *_may("Forbidden now", decision["forbidden"]),
        *_block("Held back, and by which guards:", _held_back(decision)),
        *_block("Each guard, what was seen of it, and what makes it hold:", _guards(decision)),
    ]


def _may(who: str, actions: List[str]) -> List[str]:
    return [f"{who}: {', '.join(actions)}"] if actions else []


def _named(action: str, two_people: List[str]) -> str:
    return f"{action} (two people)" if action in two_people else action


def _block(heading: str, lines: List[str]) -> List[str]:
    return [heading, *(f"  {line}" for line in lines)] if lines else []


def _held_back(decision: Mapping[str, Any]) -> List[str]:
    """Return a line for a stronger or better verdict, and one for each action that lacks a guard."""
    unmet = decision["unmet"]
    verdict = [guard["guard"] for guard in unmet if not guard["actions"]]
    lines = [f"{_other_verdict(decision)}: {_listed(verdict)}"] if verdict else []
    for action in dict.fromkeys(action for guard in unmet for action in guard["actions"]):
        guards = [guard["guard"] for guard in unmet if action in guard["actions"]]
        lines.append(f"{action}{_stands(action, decision)}: {_listed(guards)}")
    return lines


def _other_verdict(decision: Mapping[str, Any]) -> str:
    raw, site = decision.get("raw"), decision.get("raw_site")
    if raw in (None, decision["verdict"]):
        return "another verdict"
    return f"{raw} {site}" if site else str(raw)


def _stands(action: str, decision: Mapping[str, Any]) -> str:
    """Say what remains of an action that a guard holds back from being automatic, or from being done unproven."""
    if action in decision["operator"]:
        return " (yours to order)"
    return " (forbidden now)" if action in decision["forbidden"] else ""


def _listed(guards: List[str]) -> str:
    return ", ".join(dict.fromkeys(guards))


def _guards(decision: Mapping[str, Any]) -> List[str]:
    lines: List[str] = []
    for guard in decision["unmet"]:
        lines += [f"{guard['guard']}: {guard['text']}", f"    -> {_way(guard['guard'], decision)}"]
    return lines


def _way(guard: str, decision: Mapping[str, Any]) -> str:
    seconds = (decision.get("remaining") or {}).get(guard)
    return WAYS[guard].format(left="" if seconds is None else f" {seconds:.0f} s more")
