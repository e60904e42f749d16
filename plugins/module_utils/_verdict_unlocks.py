# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PRIVATE to the collection. Decision.md's table "What a verdict unlocks", as data.

An offer is an action and, where the table names one, the condition under which it stands in the row; conditions are
functions of `_verdict_offers`. The table's prose actions got names: "promote without fence proof" is
`promote_without_fence`, "promote with lag" `promote_with_lag`, "apply pending gateway preferences"
`apply_pending_preferences`. "All of SITE_DOWN" under SITE_DOWN_PEER_UNFIT includes `prefer_survivor`.
"""

from __future__ import annotations

from typing import Dict, NamedTuple, Tuple


class Offer(NamedTuple):
    """An action and the name of the condition under which it is offered, empty for always."""

    action: str
    when: str = ""


class Row(NamedTuple):
    """What one verdict unlocks."""

    automatic: Tuple[Offer, ...]
    operator: Tuple[Offer, ...]
    forbidden: Tuple[str, ...]


CALL_PLANE = (
    "prefer_survivor",
    "drain_gateways",
    "restore_gateways",
    "unpin_gateways",
    "apply_pending_preferences",
)
"""Actions that stand where the policy `call_plane` says; the last one finishes preferences that were ordered before."""

ALWAYS_FREE = ("unpin_gateways", "apply_pending_preferences")
"""Call-plane actions that `call_plane: operator` leaves automatic."""

HARMLESS = (
    "notify",
    "page",
    "reprobe",
    "freeze_automation",
    "verify_call_plane",
    "verify_single_site",
    "verify_proxy",
)
"""Actions that change nothing: all that `decide` may put under `automatic`."""

TWO_PEOPLE = (
    "attest_down",
    "accept_divergence",
    "promote_without_fence",
    "promote_with_lag",
    "choose_survivor",
    "cold_start",
)
"""Actions of the operator column that the table marks with a star: two different people."""

CONFIG_MOVES = ("fence", "promote_config", "promote_without_fence", "promote_with_lag")
"""Actions that take the configuration away from the failed site."""

EVERYTHING_ELSE = "everything else"

_NOTIFY = Offer("notify")
_PAGE = Offer("page")
_REPROBE = Offer("reprobe")
_FREEZE = Offer("freeze_config")
_RESTORE = Offer("restore_gateways", "drained")
_PIN = Offer("pin_single_site")
_PREFER = Offer("prefer_survivor")
_SWITCHOVER = Offer("switchover")
_NO_MOVE = ("fence", "promote_config")

_MOVES = tuple(Offer(action, "configuration_moves") for action in CONFIG_MOVES)
_LINK = (_PIN,)
_ONE_SITE_ILL = Row((_NOTIFY, Offer("drain_gateways", "room")), (_PREFER, _SWITCHOVER), _NO_MOVE)

ROWS: Dict[str, Row] = {
    "NORMAL": Row((_RESTORE,), (_SWITCHOVER,), ()),
    "BLIND_SPOT": Row((_NOTIFY, _RESTORE), (_SWITCHOVER,), _NO_MOVE),
    "SUSPECT": Row((_NOTIFY, _REPROBE), (_PREFER, Offer("attest_down")), _NO_MOVE),
    "DEGRADED": Row((_NOTIFY, _RESTORE), (Offer("local_repair"),), _NO_MOVE),
    "GRAY": _ONE_SITE_ILL,
    "GW_CUT": _ONE_SITE_ILL,
    "NO_HEALTHY_SITE": Row((_PAGE,), (_PREFER,), ("drain_gateways", *_NO_MOVE)),
    "TRUNK_OOS": Row((_NOTIFY, Offer("verify_single_site")), _LINK, _NO_MOVE),
    "TRUNK_OOS_ASYM": Row((_NOTIFY, _REPROBE), _LINK, _NO_MOVE),
    "PARTITION": Row(
        (_NOTIFY, Offer("verify_single_site"), _FREEZE, Offer("verify_proxy")),
        (
            _PIN,
            Offer("stay", "long_partition"),
            Offer("move_master", "long_partition"),
            Offer("accept_divergence", "long_partition"),
        ),
        ("promote_config",),
    ),
    "PARTITION_ASYM": Row((_NOTIFY, _REPROBE, _FREEZE), _LINK, _NO_MOVE),
    "MGMT_PARTITION": Row((_NOTIFY, _FREEZE), (), ("verify_single_site", *_NO_MOVE)),
    "SITE_DOWN": Row(
        (
            Offer("verify_call_plane"),
            _PREFER,
            _NOTIFY,
            Offer("fence"),
            Offer("promote_config"),
        ),
        (*_MOVES, _PIN),
        (),
    ),
    "SITE_DOWN_PEER_UNFIT": Row((_PAGE, Offer("unpin_gateways", "other_pinned")), (_PREFER, *_MOVES, _PIN), ()),
    "SITE_DOWNTIME": Row((_NOTIFY, Offer("page", "other_unfit")), (Offer("end_downtime"),), _NO_MOVE),
    "NO_MASTER": Row((_NOTIFY,), (Offer("restart_master"), Offer("move_master")), ()),
    "DUAL_MASTER": Row((_PAGE, _FREEZE), (Offer("choose_survivor"), Offer("reconcile")), ("promote_config",)),
    "OBSERVER_BLIND": Row((_NOTIFY, Offer("freeze_automation")), (), (EVERYTHING_ELSE,)),
    "BOTH_DOWN": Row((_PAGE,), (Offer("cold_start"),), ()),
    "RETURNING": Row(
        (Offer("apply_pending_preferences"), _NOTIFY, Offer("keep_fenced", "scope_config")),
        (Offer("resync_database"), Offer("failback"), Offer("let_in"), _PIN),
        ("promote_config",),
    ),
    "FLAPPING": Row((_NOTIFY,), (Offer("acknowledge"), _PIN), _NO_MOVE),
}
"""The table, row by row."""


def _all_actions() -> Tuple[str, ...]:
    named = [offer.action for row in ROWS.values() for offer in (*row.automatic, *row.operator)]
    return tuple(dict.fromkeys(named))


ACTIONS = _all_actions()
"""Every action that the table names, in the table's order."""
