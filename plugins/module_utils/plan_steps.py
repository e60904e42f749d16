# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that a plan may order, in their order: calls before configuration, the fence before the promotion.

With a coordination store that has a ticket the fence is the ticket's: revoked, and its writers seen killed or run out.
Without one the old side is stopped and closed, or two people attest that it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Tuple

CALL = "call"
CONFIGURATION = "configuration"
NO_TICKET = "files"
"""The coordination driver without a ticket."""


@dataclass(frozen=True)
class StepKind:
    """A step that a plan may order: which role's door does it, on which plane, and why (with the sites' names)."""

    name: str
    role: str
    door: str
    plane: str
    why: str
    result: str = ""
    """The host variable in which its play leaves what happened, where it is not the door's usual one."""


CALLS: Tuple[StepKind, ...] = (
    StepKind(
        "prefer_survivor",
        "media_gateway",
        "take_over",
        CALL,
        "new calls go to {survivor} first; {failed} stays second, so that no call is cut off if this is wrong",
    ),
    StepKind(
        "move_phones",
        "sip_phone",
        "take_over",
        CALL,
        "phones with a single registration are sent to {survivor}",
    ),
    StepKind(
        "single_site",
        "sip_server",
        "take_over",
        CALL,
        "the SIP Server of {survivor} works without its peer: no forwarding to {failed}, no forced logout",
    ),
    StepKind(
        "verify_call_plane",
        "media_gateway",
        "verify",
        CALL,
        "seen from outside: {survivor} takes the calls",
    ),
)

DESKTOPS: Tuple[StepKind, ...] = (
    StepKind(
        "verify_desktops",
        "agent_desktop",
        "verify",
        CALL,
        "agents' desktops have moved by themselves: they work at {survivor}, and who was logged in before is there",
    ),
)
"""After everything else: nothing waits for desktops, which may need longer than all of it."""

_PREFLIGHT = (
    StepKind(
        "preflight_database",
        "config_database",
        "readiness",
        CONFIGURATION,
        "the database of {survivor} can be promoted: replay runs, disk, role and tables are there",
    ),
    StepKind(
        "preflight_server",
        "config_server",
        "readiness",
        CONFIGURATION,
        "the Configuration Server of {survivor} can start: units, settings and licence are there",
    ),
)

_PROMOTION = (
    StepKind(
        "promote_database",
        "config_database",
        "take_over",
        CONFIGURATION,
        "the Configuration Database of {survivor} becomes the primary; the fence is checked again just before",
    ),
    StepKind(
        "start_config_server",
        "config_server",
        "take_over",
        CONFIGURATION,
        "the Configuration Server of {survivor} becomes the master",
    ),
    StepKind(
        "repoint_names",
        "service_name",
        "take_over",
        CONFIGURATION,
        "Configuration Server Proxies find the new master by its name",
    ),
    StepKind(
        "verify_configuration",
        "config_server",
        "verify",
        CONFIGURATION,
        "seen from outside: exactly one master, at {survivor}, and it takes writes",
    ),
)

WITH_TICKET: Tuple[StepKind, ...] = (
    *_PREFLIGHT,
    StepKind(
        "freeze_writes",
        "config_database",
        "freeze",
        CONFIGURATION,
        "nobody writes at {failed} any more, and what was written has reached {survivor}, where it can be reached",
    ),
    StepKind(
        "revoke_ticket",
        "continuity_guard",
        "release",
        CONFIGURATION,
        "the ticket is taken from {failed}; its writers are seen killed, or the ticket has run out",
        "__continuity_guard_released",
    ),
    StepKind(
        "take_ticket",
        "continuity_guard",
        "take_over",
        CONFIGURATION,
        "{survivor} holds the ticket: without it neither a writer nor a Configuration Server starts",
    ),
    *_PROMOTION,
)

WITHOUT_TICKET: Tuple[StepKind, ...] = (
    *_PREFLIGHT,
    StepKind(
        "stop_old_master",
        "config_server",
        "release",
        CONFIGURATION,
        "the Configuration Server of {failed} is stopped, where it can be reached",
    ),
    StepKind(
        "fence",
        "config_database",
        "release",
        CONFIGURATION,
        "the writer's log-in at {failed} is revoked and its sessions ended before anybody else writes",
    ),
    *_PROMOTION,
)

REOPEN = StepKind(
    "reopen_writes",
    "config_database",
    "restore",
    CONFIGURATION,
    "the writer of {survivor} gets back what an earlier move took and did not come to giving back",
)
"""Only where the other database is seen as the standby: it was not promoted since."""

RESYNC: Tuple[StepKind, ...] = (
    StepKind(
        "resync_old",
        "config_database",
        "resync",
        CONFIGURATION,
        "the database of {failed} follows {survivor}: until then the configuration has no second copy",
    ),
)
"""After a planned move the old side is there to be made the standby at once."""

_VERIFY_UNDONE = StepKind(
    "verify_undone",
    "config_server",
    "verify",
    CONFIGURATION,
    "seen from outside: {failed} takes writes again",
)

UNDO_WITH_TICKET: Tuple[StepKind, ...] = (
    StepKind(
        "return_ticket",
        "continuity_guard",
        "restore",
        CONFIGURATION,
        "{failed} gets its ticket back: nothing was promoted",
    ),
    StepKind(
        "unfreeze",
        "config_database",
        "restore",
        CONFIGURATION,
        "the writer of {failed} gets its log-in and privileges back",
    ),
    _VERIFY_UNDONE,
)

UNDO_WITHOUT_TICKET: Tuple[StepKind, ...] = (
    StepKind(
        "unfence",
        "config_database",
        "restore",
        CONFIGURATION,
        "the writer of {failed} gets its log-in and privileges back: nothing was promoted",
    ),
    StepKind(
        "restart_old_master",
        "config_server",
        "restore",
        CONFIGURATION,
        "what was stopped at {failed} runs again",
    ),
    _VERIFY_UNDONE,
)

LOOKING = ("verify", "readiness", "observe", "verify_proxy", "verify_calls", "ledger", "compare")
"""Doors that change nothing."""


def has_ticket(continuity: Mapping[str, Any]) -> bool:
    """Return whether this deployment's coordination store has a ticket."""
    return bool(continuity["continuity_coordination"]["driver"] != NO_TICKET)


def configuration_steps(continuity: Mapping[str, Any]) -> Tuple[StepKind, ...]:
    """Return the steps that move the configuration in this deployment."""
    return WITH_TICKET if has_ticket(continuity) else WITHOUT_TICKET


def undo_steps(continuity: Mapping[str, Any]) -> Tuple[StepKind, ...]:
    """Return the steps that take a move back for as long as nothing was promoted (decision.md, invariant 11)."""
    return UNDO_WITH_TICKET if has_ticket(continuity) else UNDO_WITHOUT_TICKET
