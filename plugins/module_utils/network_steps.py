# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a network failure between the sites, and of what follows when the link is back, in their order.

No site has failed: each step looks at both sites, or at the one that is named for it. Gateways are never re-pointed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils import deployment
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_steps import (
    CALL,
    CONFIGURATION,
    StepKind,
    has_ticket,
)


@dataclass(frozen=True)
class LinkStep(StepKind):
    """A step whose result is left under a name of its own where the name of its role would be another step's."""

    result: str = ""


RECORD = LinkStep(
    "record_divergence",
    "continuity_store",
    "take_over",
    CONFIGURATION,
    "who accepted that the databases part, until when, is kept where every verdict reads it",
    "__continuity_divergence",
)
VERIFY_SINGLE_SITE = LinkStep(
    "verify_single_site",
    "sip_server",
    "verify",
    CALL,
    "each site's SIP Server is seen to work alone, by its own monitoring page",
)
TEST_CALLS = LinkStep(
    "test_calls",
    "site_observer",
    "verify_calls",
    CALL,
    "test calls are completed at each site through its own gateways",
    "__site_observer_called",
)
VERIFY_GATEWAYS = LinkStep(
    "verify_gateways",
    "media_gateway",
    "verify",
    CALL,
    "each gateway reaches the site that it prefers; no gateway is re-pointed",
)
STOP_CONFIG = LinkStep(
    "freeze_config",
    "config_server",
    "release",
    CONFIGURATION,
    "the Configuration Server of {frozen} stays stopped: one writer is enough",
)
REFUSE_START = LinkStep(
    "freeze_config",
    "continuity_guard",
    "verify",
    CONFIGURATION,
    "{frozen} does not hold the ticket, and a start of its Configuration Server is refused",
)
VERIFY_FROZEN = LinkStep(
    "verify_frozen",
    "config_database",
    "observe",
    CONFIGURATION,
    "the database of {frozen} takes no writes: a standby, or closed",
    "__continuity_frozen",
)
VERIFY_PROXY = LinkStep(
    "verify_proxy",
    "config_server",
    "verify_proxy",
    CONFIGURATION,
    "the Configuration Server Proxy of {frozen} serves its clients, who only read",
    "__config_server_proxied",
)
LEDGER = LinkStep(
    "start_ledger",
    "config_database",
    "ledger",
    CONFIGURATION,
    "both databases write down every change from now on",
    "__config_database_ledger",
)
PIN = LinkStep(
    "pin_single_site",
    "sip_server",
    "pin",
    CONFIGURATION,
    "the SIP Server of {survivor} stays alone when the link comes back, until the two databases are one again",
    "__sip_server_pinned",
)

VERIFY_STREAMING = LinkStep(
    "verify_streaming",
    "config_database",
    "observe",
    CONFIGURATION,
    "a standby is seen to stream from {survivor}",
    "__continuity_streaming",
)
UNPIN = LinkStep(
    "unpin_single_site",
    "sip_server",
    "unpin",
    CONFIGURATION,
    "each pinned SIP Server gets back exactly the options that it had",
    "__sip_server_pinned",
)
PEER_AGAIN = LinkStep(
    "peer_again",
    "sip_server",
    "restore",
    CALL,
    "both sites are seen to be peered again: single-site mode has ended",
)

NETWORK_FAILURE: Tuple[LinkStep, ...] = (
    LEDGER,
    VERIFY_SINGLE_SITE,
    TEST_CALLS,
    VERIFY_GATEWAYS,
    STOP_CONFIG,
    REFUSE_START,
    VERIFY_FROZEN,
    VERIFY_PROXY,
)
"""Before what a choice moves, which is a plan of its own; after that comes `PIN`. `RECORD` stands within: after what
only looks whether the move can be, for where it cannot nothing parts, and before all that it changes."""

HEAL: Tuple[LinkStep, ...] = (VERIFY_STREAMING, UNPIN, PEER_AGAIN, TEST_CALLS, VERIFY_GATEWAYS)
"""After one database follows the other, by the steps of a move; peering comes back last."""


def link_hosts(
    continuity: Mapping[str, Any], failed: str, frozen: Iterable[str] = (), pinned: Iterable[str] = ()
) -> Dict[str, List[str]]:
    """Return the hosts on which each step acts, reachable or not.

    `failed`: the site that loses. `frozen` and `pinned`: the sites whose configuration is frozen, whose SIP Servers are
    pinned. A pin is kept on one vantage host, so a site is unpinned on all of them: one that keeps none does nothing.
    """
    survivor, sites = deployment.peer(continuity, failed), deployment.site_names(continuity)
    server = {name: deployment.site(continuity, name)["configuration"]["host"] for name in sites}
    database = {name: deployment.database_host(continuity, name) for name in sites}
    cold = list(frozen)
    freezing = {name: deployment.configuration_hosts(continuity, name) for name in cold}
    return {
        "verify_single_site": [host for name in sites for host in deployment.vantage_hosts(continuity, name)],
        "test_calls": [host for host in deployment.gateways(continuity) if _has_test_number(continuity, host)],
        "verify_gateways": deployment.gateways(continuity),
        "freeze_config": [host for name in cold for host in _freezing(continuity, freezing[name], server[name])],
        "verify_frozen": [database[name] for name in cold],
        "verify_proxy": [server[name] for name in cold],
        "start_ledger": list(database.values()),
        "record_divergence": deployment.coordination_hosts(continuity),
        "pin_single_site": deployment.vantage_hosts(continuity, survivor)[:1],
        "verify_streaming": [database[survivor]],
        "unpin_single_site": [host for name in pinned for host in deployment.vantage_hosts(continuity, name)],
        "peer_again": [host for name in sites for host in deployment.vantage_hosts(continuity, name)],
    }


def link_step(
    kind: LinkStep, hosts: List[str], reachable: Iterable[str], words: Mapping[str, str]
) -> Optional[Dict[str, Any]]:
    """Return the step as a plan has it, or None where this deployment has no host for it.

    No site has failed, so a host that is silent is lost: it should have been reached. `words`: what `why` names.
    """
    if not hosts:
        return None
    answered = set(reachable)
    silent = [host for host in hosts if host not in answered]
    return {
        "name": kind.name,
        "role": kind.role,
        "door": kind.door,
        "plane": kind.plane,
        "hosts": [host for host in hosts if host in answered],
        "skipped_hosts": silent,
        "lost_hosts": silent,
        "why": kind.why.format(**words),
        **({"result": kind.result} if kind.result else {}),
    }


def freezing_step(continuity: Mapping[str, Any]) -> LinkStep:
    """Return how the configuration is frozen here: by the ticket where there is one, else by stopping its server."""
    return REFUSE_START if has_ticket(continuity) else STOP_CONFIG


def _freezing(continuity: Mapping[str, Any], guarded: List[str], server: str) -> List[str]:
    return guarded if has_ticket(continuity) else [server]


def _has_test_number(continuity: Mapping[str, Any], gateway: str) -> bool:
    data, asked = continuity["continuity_gateways"][gateway], continuity["continuity_policy"].get("synthetic_calls")
    # Over TLS no test call can be placed.
    return (
        bool(asked)
        and data["transport"] != "tls"
        and "test_dn" in deployment.site(continuity, data["site"])["sip_server"]
    )
