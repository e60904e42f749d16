# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pair of databases in one file, and the programs by which the drivers `command` and `oracle_goldengate` reach it.

    database_stand_in.py FILE SIDE VERB       verbs of the driver `command`, and look, grant, triggers, revoke, write
    database_stand_in.py FILE SIDE ggsci      GoldenGate's words on standard input, its answers on standard output

FILE is `{side: {open, end, applied, runs, sends, log: [what was called]}}`: `end` counts what was written there,
`applied` what of the other side's was applied.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

SIDES = ("old", "new")


def first() -> dict[str, Any]:
    """The pair as it begins: old is written to and sends, new applies."""
    old = {"open": True, "end": 7, "applied": 0, "runs": False, "sends": True, "log": []}
    return {"old": old, "new": {"open": False, "end": 0, "applied": 7, "runs": True, "sends": False, "log": []}}


def main(file: str, side: str, verb: str) -> int:
    path = Path(file)
    pair = json.loads(path.read_text())
    asked = sys.stdin.read()
    here, there = pair[side], pair[SIDES[side == "old"]]
    here["log"].append(verb)
    print("a line that a login script prints")
    if verb == "ggsci":
        print(*(answer(words, here, there) for words in asked.splitlines()), sep="\n")
    else:
        print(json.dumps(answered(verb, json.loads(asked or "{}"), here, there)))
    path.write_text(json.dumps(pair))
    return 0


def answered(verb: str, asked: dict[str, Any], here: dict[str, Any], there: dict[str, Any]) -> Any:
    """Carry out a verb, and return what its program prints."""
    if verb in ("close", "revoke"):
        here["open"] = False
    elif verb in ("open", "grant"):
        here["open"] = True
    elif verb in ("detach", "promote"):
        here["runs"] = False
    elif verb == "attach":
        here["runs"] = True
    if verb in ("promote", "grant"):
        here["sends"] = True
    looks = {
        "state": lambda: state(here),
        "look": lambda: writer(here),
        "lag_to": lambda: max(0, int(asked["lsn"] or there["end"]) - here["applied"]),
        "followed": lambda: there["applied"] >= int(asked["end"]["lsn"]),
        "write": lambda: {"committed": here["open"], "lsn": str(here["end"])},
    }
    return looks[verb]() if verb in looks else {}


def writer(here: dict[str, Any]) -> dict[str, Any]:
    tables = 3
    return {"can_login": here["open"], "sessions": 0, "tables": tables, "writable": tables if here["open"] else 0}


def state(here: dict[str, Any]) -> dict[str, Any]:
    primary = here["sends"] and not here["runs"]
    known = {"running": True, "role": "primary" if primary else "standby", "detached": not primary and not here["runs"]}
    place = {"lsn": str(here["end"] if primary else here["applied"]), "unit": "changes"}
    return {**known, **place, "writer": {**writer(here), "fenced": (primary and not here["open"]) or None}}


def answer(words: str, here: dict[str, Any], there: dict[str, Any]) -> str:
    """GGSCI's answer to one command, in its words."""
    command, kind, group = [*words.split(), "", ""][:3]
    key = "runs" if kind == "REPLICAT" else "sends"
    if command == "INFO":
        status = "RUNNING" if here[key] else "STOPPED"
        return f"{kind:<10} {group:<9} Last Started 2026-01-31 03:14   Status {status}\nCheckpoint Lag       00:00:00\n"
    if command == "LAG" and not here[key]:
        return f"ERROR: {kind} {group} not currently running.\n"
    if command == "LAG":
        left = there["end"] - here["applied"] if kind == "REPLICAT" else 0
        end = (
            f"Last record lag {left} seconds."
            if left
            else "Last record lag 2 seconds.\nAt EOF, no more records to process."
        )
        return f"Sending GETLAG request to {kind} {group} ...\n{end}\n"
    if command in ("STOP", "START"):
        here[key] = command == "START"
        return f"Sending {command} request to {kind} {group} ...\nRequest processed.\n"
    return ""


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
