# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replication driver `oracle_goldengate`: the documented switchover of a Configuration Database under GoldenGate.

In its order: `LAG REPLICAT` until every group says "At EOF", `STOP REPLICAT`, the script that grants INSERT, UPDATE and
DELETE, the script that enables triggers and cascade delete constraints. The scripts are the customer's own. Programs
are named in `commands`: `ggsci` (reads commands on standard input), `look`, `grant`, `triggers`, `revoke`, `write`.
`look` and `write` print JSON: the writer as view.py says, and {committed, as}. Log-ins belong in the scripts' own
credential store, never on a command line.
Sources: Genesys, "Framework Database Replication for Disaster Recovery Using Oracle GoldenGate"; Oracle GoldenGate
reference, GGSCI: LAG REPLICAT, INFO REPLICAT, STOP REPLICAT, LAG EXTRACT.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Optional, Sequence

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import Access, DatabaseError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.made_of_programs import (
    MadeOfPrograms,
    command_items,
    item,
    writer_of,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.program import first_line
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for

SENT = "At EOF"
"""The only position that this make names: all that the closed side wrote was sent (its extracts are at the end)."""
_STATUS = re.compile(r"^(?:REPLICAT|EXTRACT)\s+(?P<group>\S+)\s.*?\bStatus\s+(?P<status>\S+)", re.MULTILINE)
_REPLY = re.compile(
    r"^(?:GGSCI .*?>\s*)?Sending \S+ request to (?:REPLICAT|EXTRACT) (?P<group>\S+) \.\.\.", re.MULTILINE
)
_SECONDS = re.compile(r"Last record lag:?\s+(?P<seconds>\d+)", re.IGNORECASE)
_ERROR = re.compile(r"\bERROR\b.*", re.MULTILINE)


class OracleGoldenGate(MadeOfPrograms):
    """The Oracle database of this host and its GoldenGate process groups. Lags are in seconds."""

    def __init__(self, access: Access) -> None:
        """Keep how the programs are called; none is run yet."""
        super().__init__(access)
        self._at_end = False
        """Whether every replicat was at the end of its trail when we stopped it: a stopped one does not say."""

    def state(self) -> Dict[str, Any]:
        """Return the state. A standby is where a replicat runs, or where nothing runs and the writer may not write."""
        writer = writer_of(self.ask("look", writer=self._access.writer), "look")
        status = self._status("REPLICAT", self._access.replicats)
        applies = any(word in ("RUNNING", "STARTING") for word in status.values())
        sends = "RUNNING" in self._status("EXTRACT", self._access.extracts).values()
        role = "primary" if not applies and (writer["writable"] or sends) else "standby"
        closed = role == "primary" and not (writer["writable"] or writer["can_login"])
        return {
            "running": True,
            "role": role,
            "lsn": None,
            "timeline": None,
            "system_identifier": None,
            "replay_lag": None,
            "unit": "seconds",
            "receiver": {"status": ", ".join(f"{group} {word}" for group, word in status.items()) or "no replicat"},
            "replicats": status,
            "detached": bool(status) and role == "standby" and not applies,
            "writer": dict(writer, fenced=closed or None),
        }

    def readiness(self, state: Mapping[str, Any], limits: Mapping[str, int]) -> List[Dict[str, Any]]:
        """Return whether the programs are named and every replicat runs."""
        status = state["replicats"]
        words = ", ".join(f"{group} {word}" for group, word in status.items()) or "no process group is given"
        runs = bool(status) and all(word == "RUNNING" for word in status.values())
        replicats = item("replicats run", runs or state["role"] == "primary", words, "START REPLICAT in GGSCI")
        return [*command_items(self._access, ["ggsci", "look", "grant", "triggers", "revoke", "write"]), replicats]

    def close(self) -> Dict[str, Any]:
        """Run the script that takes the writer's log-in and privileges, and return what is seen afterwards."""
        self.run("revoke")
        state = self.state()
        access = self._access
        if len(access.extracts) > 0 and wait_for(self._all_sent, access.deadline, access.interval) is not None:
            state["lsn"] = SENT
        return state

    def open(self, log_in: bool) -> None:
        """Run the script that grants, then the one that enables triggers and cascade delete constraints."""
        self.run("grant")
        self.run("triggers")

    def followed(self, end: Mapping[str, Any]) -> Optional[bool]:
        """Return None: what the other side has applied is only seen there."""
        return None

    def lag_to(self, lsn: Optional[str]) -> Optional[int]:
        """Return seconds of lag: 0 once every replicat is at the end of its trail, None when one does not say.

        That is the end of what was received. What a dead side had not sent yet, nobody can see here.
        """
        groups = self._access.replicats
        if self._stopped():
            return 0 if self._at_end else None
        answers = parse_lag(self._ggsci([f"LAG REPLICAT {group}" for group in groups]))
        found = [answers.get(group.upper()) for group in groups]
        known = [one for one in found if one is not None]
        return max(known, default=None) if len(known) == len(found) else None

    def detach(self) -> None:
        """STOP REPLICAT, and see every group stopped: it ends its transaction and keeps where it is."""
        running = [
            group for group, word in self._status("REPLICAT", self._access.replicats).items() if word == "RUNNING"
        ]
        if running:
            self._at_end = self.lag_to(None) == 0
            self._ggsci([f"STOP REPLICAT {group}" for group in running])
        if not wait_for(self._stopped, self._access.deadline, self._access.interval):
            raise DatabaseError(f"still not stopped: {self._status('REPLICAT', self._access.replicats)}")

    def attach(self) -> None:
        """START REPLICAT, unless this side is the writer's: then nothing may be applied any more."""
        if self.state()["detached"]:
            self._ggsci([f"START REPLICAT {group}" for group in self._access.replicats])

    def promote(self) -> None:
        """See that nothing is applied here any more; the scripts of `open` then make it the writer."""
        if not self._stopped():
            raise DatabaseError(f"a replicat still runs: {self._status('REPLICAT', self._access.replicats)}")

    def write(self, marker: str) -> Dict[str, Any]:
        """Commit a transaction as the writer by the customer's program, and return what is seen of it."""
        found = self.ask("write", writer=self._access.writer, marker=marker)
        if not isinstance(found, dict) or "committed" not in found:
            raise DatabaseError(f"write must print whether it was committed, not {found!r}")
        return dict({"as": self._access.writer, "lsn": None}, **found)

    def _stopped(self) -> bool:
        status = self._status("REPLICAT", self._access.replicats)
        return all(word in ("STOPPED", "ABENDED") for word in status.values())

    def _all_sent(self) -> bool:
        answers = parse_lag(self._ggsci([f"LAG EXTRACT {group}" for group in self._access.extracts]))
        return all(answers.get(group.upper()) == 0 for group in self._access.extracts)

    def _status(self, kind: str, groups: Sequence[str]) -> Dict[str, str]:
        if not groups:
            return {}
        found = parse_status(self._ggsci([f"INFO {kind} {group}" for group in groups]))
        missing = [group for group in groups if group.upper() not in found]
        if missing:
            raise DatabaseError(f"GGSCI says nothing of {kind} {', '.join(missing)}")
        return {group: found[group.upper()] for group in groups}

    def _ggsci(self, commands: List[str]) -> str:
        output = self.run("ggsci", "\n".join([*commands, "EXIT", ""]))
        wrong = _ERROR.search(output)
        if wrong and not _STATUS.search(output) and not _REPLY.search(output):
            raise DatabaseError(f"GGSCI: {first_line(wrong.group(0))}")
        return output


def parse_status(text: str) -> Dict[str, str]:
    """Return `{GROUP: RUNNING|STARTING|STOPPED|ABENDED}` from what INFO REPLICAT or INFO EXTRACT prints."""
    return {found["group"].upper(): found["status"].upper() for found in _STATUS.finditer(text)}


def parse_lag(text: str) -> Dict[str, Optional[int]]:
    """Return seconds of lag by group from what LAG prints: 0 at the end of the trail, else at least 1; None untold."""
    replies = list(_REPLY.finditer(text))
    ends = [reply.start() for reply in replies[1:]] + [len(text)]
    parts = {reply["group"].upper(): text[reply.end() : end] for reply, end in zip(replies, ends)}
    return {group: _lag_of(part) for group, part in parts.items()}


def _lag_of(part: str) -> Optional[int]:
    if "At EOF" in part:
        return 0
    found = _SECONDS.search(part)
    return max(1, int(found["seconds"])) if found else None
