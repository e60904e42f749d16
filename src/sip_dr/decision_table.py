# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes docs/decision_table.md from the data that the decision reads, so that the page cannot say anything else.

python -m sip_dr.decision_table > docs/decision_table.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_fields import Field, VerdictInputError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_policy import (
    DRIFT,
    KILLING,
    READERS,
    READING_SLACK,
    Policy,
    Reader,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_unlocks import (
    ALWAYS_FREE,
    CALL_PLANE,
    HARMLESS,
    ROWS,
    TWO_PEOPLE,
    Offer,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.why import WAYS

CONDITIONS = {
    "drained": "a site is isolated for a drain and has been clean for `recover`",
    "room": "both `peer` are up, and the other site's `capacity` is up",
    "other_pinned": "the other site is isolated, and its peer, witness or gateways is up",
    "other_unfit": "the other site is not fit",
    "long_partition": "the partition has lasted `long_partition` since it settled",
    "scope_config": "the site's configuration was failed over, and it has not been let in",
    "configuration_moves": "the ticket is not known to be the other site's, and no master is up",
}
"""The conditions of the table in words, by their names there."""

_MOVING = ("memory", "promotion", "ticket", "master", "hold", "acknowledgement", "cooldown")
_FENCE = (*_MOVING, "flapping", "unanimity", "sync", "lag")

GUARDS = {
    "drain_gateways": ("memory",),
    "prefer_survivor": ("memory", "unanimity", "acknowledgement", "cooldown"),
    "fence": _FENCE,
    "promote_config": (*_FENCE, "fence"),
}
"""What must hold before an action is automatic, in the order in which it is looked at."""

TOGETHER = (
    f"`fresh` at least `probe_deadline` + `connect_timeout` + {READING_SLACK:g}",
    f"`ticket_take` at least `ticket_hold` - `ticket_margin` + `guard_watchdog` + {KILLING:g} s"
    f" + {DRIFT:.0%} of `ticket_hold`",
    "`ticket_hold` more than `ticket_margin` + 2 `ticket_renew`",
    "`call_quorum` at most `call_tries`",
    "`call_deadline` at most `probe_deadline`",
)
"""What the keys of a policy must be to each other."""

HEAD = """# What a verdict unlocks

Generated from the data that the decision reads, not written: `python -m sip_dr.decision_table > docs/decision_table.md`
"""


def page() -> str:
    """The page as Markdown."""
    return "\n".join([HEAD, *_actions(), *_conditions(), *_guards(), *_policy()])


def _actions() -> list[str]:
    rows = [
        [verdict, _offers(row.automatic), _offers(row.operator), ", ".join(row.forbidden)]
        for verdict, row in ROWS.items()
    ]
    return [
        *_table(["verdict", "automatic", "operator (* two people)", "forbidden"], rows),
        f"Whatever the policy says, {_code(HARMLESS)} change nothing; they are all that one observation without memory "
        "makes automatic.",
        "",
        f"Where {_code(CALL_PLANE)} stand is `call_plane`'s to say: under `auto` in the automatic column; under "
        f"`operator` there only {_code(ALWAYS_FREE)}, the others with the operator; under `observe` all with the "
        "operator, and `page` is automatic instead.",
        "",
        "Under FLAPPING the operator is offered what the raw verdict offers too. A RETURNING that flaps offers "
        "`acknowledge` and forbids `fence`. A DUAL_MASTER pages while it is still a SUSPECT.",
        "",
    ]


def _offers(offers: Iterable[Offer]) -> str:
    return ", ".join(_offer(offer) for offer in offers)


def _offer(offer: Offer) -> str:
    star = "\\*" if offer.action in TWO_PEOPLE else ""
    return f"{star}{offer.action}" + (f" ({offer.when})" if offer.when else "")


def _conditions() -> list[str]:
    return ["## Conditions", "", *_table(["condition", "holds when"], CONDITIONS.items())]


def _guards() -> list[str]:
    actions = [[action, ", ".join(names)] for action, names in GUARDS.items()]
    ways = [[name, text.format(left=", as long as its clock says")] for name, text in WAYS.items()]
    return [
        "## Guards",
        "",
        "While one of them fails, the action waits for a person. `unmet` of a decision names each with what was seen.",
        "",
        *_table(["automatic action", "guards"], actions),
        "All guards that a decision may name, those of the verdict itself among them, and what makes each hold:",
        "",
        *_table(["guard", "holds when"], ways),
    ]


def _policy() -> list[str]:
    rows = [[f"`{key}`", _value(default), _range(READERS[key])] for key, default in Policy()._asdict().items()]
    return [
        "## Policy",
        "",
        "Times in seconds; `lag_limit` in the unit of the database's driver. Another key, or a value out of range, is "
        "refused with its path.",
        "",
        *_table(["key", "default", "what belongs there"], rows),
        f"And together: {'; '.join(TOGETHER)}.",
        "",
    ]


def _range(reader: Reader) -> str:
    """What a reader expects, in its own words: it says so when it is handed what belongs nowhere."""
    try:
        reader(Field("", object()))
    except VerdictInputError as error:
        return error.expected
    raise AssertionError("a reader took an object for a value")


def _value(default: object) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default)


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows)] + [""]


if __name__ == "__main__":
    sys.stdout.write(page())
