# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one side's database holds, and what was written there: what two sides are compared by after a split."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import Recorded
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import DatabaseError, Replication


def ledger_of(database: Replication, since: str, noted: Recorded, dry: bool) -> Dict[str, Any]:
    """Return every write of the writer since a time (RFC 3339), as the server itself recorded them.

    `noted` keeps what a running server says of its recording, for the time when it is down; nothing is kept with `dry`.
    """
    found = database.ledger(since, noted.read() or {})
    if found.get("recording") and not dry:
        noted.forget()
        noted.keep(found["recording"])
    shown = {"changed": False, "ledger": found["writes"], "ledger_complete": found["complete"]}
    return dict(shown, applied_until=found.get("applied_until"), detail=found["detail"])


def comparison_of(database: Replication) -> Dict[str, Any]:
    """Return rows and content hash of every table, and one hash of all of them."""
    found = database.compare()
    rows = sum(table["rows"] for table in found["tables"].values())
    words = f"{len(found['tables'])} tables, {rows} rows, {found['digest'][:12]}"
    return {"changed": False, "tables": found["tables"], "digest": found["digest"], "detail": words}


def content_of(database: Replication) -> Optional[str]:
    """Return one hash of every row of every table; None where the make, or this server in its time, has none."""
    try:
        return str(database.compare()["digest"])
    except (RefusedError, DatabaseError):
        return None


def lag_of(
    database: Replication, end: Optional[str], told: Optional[float], frozen: Mapping[str, Any]
) -> Optional[float]:
    """Return how much of the other side's log is not here: up to its `end` where that is known, else as it was `told`.

    It is 0 where every row is as it was when the other side, whose `content` its freeze has kept, was closed. A log
    goes on without any change of a table (the freeze itself stands there), and across a cut link none of it comes.
    """
    lag = database.lag_to(end) if end else told
    if lag and frozen.get("content") and content_of(database) == frozen["content"]:
        return 0.0
    return lag
