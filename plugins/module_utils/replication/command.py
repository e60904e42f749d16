# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replication driver `command`: any make, by programs that the inventory names for the verbs.

Each gets one JSON object `{verb, …}` on standard input and prints one on standard output; exit status 0 is success, and
the first line on standard error says what went wrong. Each must change nothing when it is run again.

| verb | also on standard input | prints |
|---|---|---|
| state | writer | {running, role, lsn, timeline, system_identifier, replay_lag, detached, unit, writer: {can_login, sessions, tables, writable, fenced}}, or {running: false, starts_as} |
| close, open, detach, attach, promote | writer, and log_in with open | anything |
| lag_to | lsn (or null: to the end of what was received) | a number, or null for unknown |
| followed | end | true, false, or null when nobody follows |
| write | writer, marker | {committed, as, lsn} |
| readiness (may be left out) | limits | a list of {item, met, evidence, way} |
"""  # noqa: E501  a table

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import DatabaseError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.made_of_programs import (
    MadeOfPrograms,
    command_items,
    state_of,
)

NEEDED = ["state", "close", "open", "lag_to", "detach", "attach", "promote", "write"]


class Command(MadeOfPrograms):
    """The server that the programs of `access.commands` look after."""

    def state(self) -> Dict[str, Any]:
        """Return the server's state, checked: a program that says too little is an error, never a guess."""
        return state_of(self.ask("state", writer=self._access.writer), "state")

    def readiness(self, state: Mapping[str, Any], limits: Mapping[str, int]) -> List[Dict[str, Any]]:
        """Return whether all programs are named, and what the program `readiness` adds."""
        more = self.ask("readiness", limits=dict(limits)) if self._access.commands.get("readiness") else []
        return [*command_items(self._access, NEEDED), *(dict(found) for found in more or [])]

    def close(self) -> Dict[str, Any]:
        """Revoke and end what the writer has here, and return what is seen afterwards."""
        self.ask("close", writer=self._access.writer)
        return self.state()

    def open(self, log_in: bool) -> None:
        """Give back what `close` took."""
        self.ask("open", writer=self._access.writer, log_in=log_in)

    def followed(self, end: Mapping[str, Any]) -> Optional[bool]:
        """Return whether the other side has applied all up to `end`; None without a program that could tell."""
        if not self._access.commands.get("followed"):
            return None
        found = self.ask("followed", end=dict(end))
        return None if found is None else bool(found)

    def lag_to(self, lsn: Optional[str]) -> Optional[int]:
        """Return how much up to `lsn` is not applied here; None when the program does not know."""
        found = self.ask("lag_to", lsn=lsn)
        if found is None or (isinstance(found, (int, float)) and not isinstance(found, bool)):
            return None if found is None else max(0, int(-(-found // 1)))
        raise DatabaseError(f"lag_to must print a number or null, not {found!r}")

    def detach(self) -> None:
        """Stop receiving."""
        self.ask("detach")

    def attach(self) -> None:
        """Receive again."""
        self.ask("attach")

    def promote(self) -> None:
        """Make this server the writer and see that it is."""
        self.ask("promote")
        role = self.state()["role"]
        if role != "primary":
            raise DatabaseError(f"promote ended well, but the role is {role}")

    def write(self, marker: str) -> Dict[str, Any]:
        """Commit a transaction as the writer and return what is seen of it."""
        found = self.ask("write", writer=self._access.writer, marker=marker)
        if not isinstance(found, dict) or "committed" not in found:
            raise DatabaseError(f"write must print whether it was committed, not {found!r}")
        return dict({"as": self._access.writer, "lsn": None}, **found)
