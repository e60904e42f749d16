# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused so that there is never a second writer, and nothing is overwritten that may still grow. Pure."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import DatabaseError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.view import describe, is_closed


def refuse_unfenced_here(before: Mapping[str, Any]) -> None:
    """Raise RefusedError where the database that is to be overwritten may still be written to."""
    if before["running"] and before["role"] == "primary" and not is_closed(before):
        raise RefusedError(
            "one writer: what was written here since the split is given up only by a side that is fenced",
            describe(before),
            "fence this side first (door release or freeze), and read its ledger if it has written since",
        )


def refuse_second_writer(before: Mapping[str, Any], fenced: bool, peer_role: str) -> None:
    """Raise RefusedError where the writer would get its rights back beside another one, or at a standby."""
    if peer_role != "standby":
        raise RefusedError(
            "one writer: the other side's database must be a standby before this one may write again",
            f"the other side's role is {peer_role}",
            "look at it first; once the other side was promoted, resynchronise this one instead",
        )
    if fenced and before["role"] == "standby":
        raise DatabaseError(f"privileges can only be given back at a primary: {describe(before)}")
