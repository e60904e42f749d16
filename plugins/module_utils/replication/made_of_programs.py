# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What drivers share whose verbs are programs that the inventory names: how one is run, what its answer must hold, and
what such a make does not offer.
"""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, List, Mapping, NoReturn, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import (
    Access,
    DatabaseError,
    Server,
    Source,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.program import (
    first_line,
    run_program,
)

WRITER = {"can_login": False, "sessions": 0, "tables": 0, "writable": 0, "fenced": None}
"""The writer of a state with the types of its values; `fenced` may be left out."""


class MadeOfPrograms:
    """A driver whose verbs are command lines in `access.commands`, run as `access.os_user`.

    Secrets belong in files of that user: a command line is seen by everybody on the host.
    """

    def __init__(self, access: Access) -> None:
        """Keep how the programs are called; none is run yet."""
        self._access = access

    def run(self, verb: str, text: str = "") -> str:
        """Run the program of a verb with `text` on standard input and return what it prints. Raises DatabaseError."""
        command = list(self._access.commands.get(verb) or [])
        if not command:
            raise DatabaseError(f"no command is given for {verb!r} (database.commands)")
        done = run_program([str(word) for word in command], 2 * self._access.deadline, text, user=self._access.os_user)
        if done.code != 0:
            raise DatabaseError(f"{verb}: {first_line(done.errors or done.output)}")
        return done.output

    def ask(self, verb: str, **words: Any) -> Any:  # noqa: ANN401  the JSON that the program prints
        """Run the program of a verb with a JSON object on standard input; return the JSON that it prints last."""
        printed = self.run(verb, json.dumps(dict(words, verb=verb), sort_keys=True) + "\n").strip()
        if not printed:
            return None
        try:
            return json.loads(printed.splitlines()[-1])
        except ValueError as error:
            raise DatabaseError(f"{verb} printed no JSON but {first_line(printed)[:80]!r}") from error

    def left_behind(self, state: Mapping[str, Any], fence: Mapping[str, Any]) -> Optional[str]:
        """Return what the database's name tells; such a make knows no history of its own."""
        wanted, here = fence.get("system_identifier"), state.get("system_identifier")
        return f"the fenced database is another one ({wanted}, here {here})" if wanted and here != wanted else None

    def stand_alone(self) -> None:
        """Do nothing: no commit of such a make waits for the other side."""

    def synchronise(self, names: str) -> None:
        """Refuse: such a make replicates asynchronously."""
        self._refuse("synchronous replication", f"commits cannot wait for {names}")

    def start_as_primary(self) -> None:
        """Do nothing: what may write here is told by privileges, not by how the server starts."""

    def receives(self) -> bool:
        """Return true: no program tells whether more may come."""
        return True

    def ledger(self, since: str, recording: Mapping[str, Any]) -> Dict[str, Any]:
        """Refuse: what was written since a time is for the database's own tools."""
        self._refuse("ledger", f"nothing recorded here tells the writes since {since}")

    def compare(self) -> Dict[str, Any]:
        """Refuse likewise."""
        self._refuse("comparison", "tables are compared by the database's own tools")

    def resync(
        self, source: Source, server: Server, begin: Optional[Callable[[str], None]], unfinished: bool
    ) -> Dict[str, Any]:
        """Refuse: the other side is instantiated by the database's own tools."""
        self._refuse("resynchronisation", f"nothing here makes {server.unit} follow {source.address}")

    @staticmethod
    def _refuse(what: str, evidence: str) -> NoReturn:
        raise RefusedError(
            f"{what}: only what the driver can show counts",
            f"{evidence} with this driver",
            "do it by the make's own procedure, and let two people attest the result",
        )


def state_of(found: Any, verb: str) -> Dict[str, Any]:  # noqa: ANN401  what a program printed
    """Return a state as every driver gives it, from what a program said. Raises DatabaseError when something lacks."""
    if not isinstance(found, dict):
        raise DatabaseError(f"{verb} must print a JSON object, not {found!r}")
    if not found.get("running", True):
        return {"running": False, "role": "unknown", "starts_as": str(found.get("starts_as", "primary"))}
    if found.get("role") not in ("primary", "standby", "unknown"):
        raise DatabaseError(f"{verb} must say role primary, standby or unknown, not {found.get('role')!r}")
    known = {"running": True, "lsn": None, "timeline": None, "system_identifier": None, "replay_lag": None}
    return dict(known, **dict(found, writer=writer_of(found.get("writer"), verb)))


def writer_of(found: Any, verb: str) -> Dict[str, Any]:  # noqa: ANN401  what a program printed
    """Return what the writer may do, checked."""
    if not isinstance(found, dict):
        raise DatabaseError(f"{verb} must say what the writer may do: writer {', '.join(sorted(WRITER))}")
    bad = [word for word, like in WRITER.items() if like is not None and not isinstance(found.get(word), type(like))]
    if bad:
        raise DatabaseError(f"{verb}: writer.{bad[0]} is {found.get(bad[0])!r}, not {type(WRITER[bad[0]]).__name__}")
    return dict({"fenced": None}, **found)


def item(name: str, met: bool, evidence: str, way: str) -> Dict[str, Any]:
    """Return one item of readiness."""
    return {"item": name, "met": met, "evidence": evidence, "way": "" if met else way}


def command_items(access: Access, verbs: List[str]) -> List[Dict[str, Any]]:
    """Return whether every program that a promotion runs is named."""
    missing = [verb for verb in verbs if not access.commands.get(verb)]
    words = f"missing: {', '.join(missing)}" if missing else f"{', '.join(verbs)} are given"
    return [item("programs of the promotion", not missing, words, "name them in database.commands")]
