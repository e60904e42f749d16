# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The divergence ledger for a person: what a database wrote while the other one could not see it, object by object.

Two databases that both wrote are never merged by this software: the configuration has rules that only the Configuration
Server knows. A person reads the ledger of the side that is given up, writes what is still wanted into the other one,
and confirms exactly the ledger that was shown, by its digest: a ledger that has grown since needs another look.

A statement's values are not shown, only which rows it was about: an option may hold a password. They stand in the log
of the database that wrote.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import timedelta
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.statements import moment

Write = Mapping[str, Any]
"""`{at, session, user, statement, outcome}`, and `parameters` where there are any, as door `ledger` returns it."""

_TABLE = re.compile(
    r'^\s*(insert\s+into|update|delete\s+from|merge\s+into|truncate(?:\s+table)?)\s+(?:only\s+)?"?([\w.]+)', re.I
)
_KEY = re.compile(r"\bwhere\b(.*)$", re.I | re.S)
_LITERAL = re.compile(r"'(?:[^']|'')*'")
_PLACE = re.compile(r"\$(\d+)")
_PARAMETER = re.compile(r"\$(\d+) = ('(?:[^']|'')*'|NULL)")
_INSERT = re.compile(r"\(([^()]*)\)\s*values\s*\((.*)", re.I | re.S)
_VALUE = re.compile(r"\s*('(?:[^']|'')*'|[^',()]+)\s*(?:,|\)|$)")
_NAMES_A_ROW = re.compile(r"(?:^|_)(?:dbid|id|name|number|type)$", re.I)
_LONGEST = 160


def digest(writes: Sequence[Write]) -> str:
    """Return twelve hexadecimal digits that stand for exactly these writes in this order."""
    told = [[write.get("at"), write.get("statement"), write.get("parameters")] for write in writes]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:12]


def kept(writes: Sequence[Write]) -> List[Write]:
    """Return the writes that may have stayed: all but those that the server itself says it has refused."""
    return [write for write in writes if not str(write.get("outcome", "")).startswith("error")]


def databases_seen(
    sites: Mapping[str, Mapping[str, Any]], hostvars: Mapping[str, Mapping[str, Any]]
) -> Dict[str, Dict[str, Any]]:
    """Return `{site: {role, streams, tables, writes, complete}}` of what each site's database host said.

    hostvars: what playbooks/heal.yml registered there; what is missing was not said, and stands as unknown or None.
    """
    return {name: _seen(_said(hostvars, site["configuration"]["database"]["host"])) for name, site in sites.items()}


def split_since(
    divergence: Mapping[str, Any], hostvars: Mapping[str, Mapping[str, Any]], hosts: Sequence[str], longest: float
) -> str:
    """Return from when on a divergence's writes are listed (RFC 3339).

    A verdict comes later than the split. So it is when the last transaction that a standby has was committed, as step
    start_ledger read it, less `longest` seconds: a statement is logged before its transaction is committed.
    """
    said = [(_said(hostvars, host).get("__config_database_ledger") or {}).get("applied_until") for host in hosts]
    applied = [moment(text) - timedelta(seconds=longest) for text in said if text]
    return min([moment(str(divergence["since"])), *applied]).isoformat().replace("+00:00", "Z")


def pinned_now(sites: Mapping[str, Mapping[str, Any]], hostvars: Mapping[str, Mapping[str, Any]]) -> List[str]:
    """Return the sites whose SIP Server says that it has no peer trunk, by what playbooks/heal.yml read there."""
    told = {
        name: [
            (_said(hostvars, host).get("__continuity_peering") or {}).get("peering") or {} for host in site["vantage"]
        ]
        for name, site in sites.items()
    }
    return [name for name, found in told.items() if any(one.get("peer_trunk") == "" for one in found)]


def _said(hostvars: Mapping[str, Mapping[str, Any]], host: str) -> Mapping[str, Any]:
    return hostvars.get(host, {})


def _seen(said: Mapping[str, Any]) -> Dict[str, Any]:
    """One database. A door that failed has left its failure, which is no answer."""
    names = ("__continuity_role", "__config_database_ledger", "__config_database_compare")
    role, written, held = (dict(said.get(name) or {}) for name in names)
    database = role.get("database") or {}
    replicas = database.get("replicas") or []
    return {
        "role": database.get("role") or "unknown",
        "streams": len([one for one in replicas if one.get("state") == "streaming"]),
        "tables": held.get("tables"),
        "writes": written.get("ledger"),
        "complete": bool(written.get("ledger_complete")),
    }


def objects(writes: Sequence[Write]) -> List[Dict[str, Any]]:
    """Return `{object, writes: [{at, statement}]}`, an object being a table and which of its rows, in order of time."""
    found: Dict[str, List[Dict[str, Any]]] = {}
    for write in writes:
        text = _whole(write)
        found.setdefault(_object(text), []).append({"at": write.get("at"), "statement": _masked(text)})
    return [{"object": name, "writes": lines} for name, lines in found.items()]


def told(writes: Sequence[Write]) -> List[str]:
    """Return one sentence for each object: when it was written, and the statements."""
    return [
        f"{one['object']}: " + "; ".join(f"{line['at']} {line['statement']}" for line in one["writes"])
        for one in objects(writes)
    ]


def differences(tables: Mapping[str, Optional[Mapping[str, Any]]]) -> List[str]:
    """Return what two databases do not have in common, a sentence for each table; empty when they are equal.

    `tables`: `{site: {table: {rows, hash}}}`, for exactly two sites; None for one that could not be read.
    """
    unread = [site for site, found in tables.items() if found is None]
    if unread:
        return [f"The tables of {' and '.join(unread)} could not be read."]
    (one, ours), (other, theirs) = ((site, found or {}) for site, found in tables.items())
    return [
        f"{name}: {_rows(ours.get(name))} at {one}, {_rows(theirs.get(name))} at {other}" + _hint(ours, theirs, name)
        for name in sorted({*ours, *theirs})
        if ours.get(name) != theirs.get(name)
    ]


def _rows(table: Optional[Mapping[str, Any]]) -> str:
    return "no such table" if table is None else f"{table['rows']} rows"


def _hint(ours: Mapping[str, Any], theirs: Mapping[str, Any], name: str) -> str:
    pair: Tuple[Any, Any] = (ours.get(name), theirs.get(name))
    same = all(pair) and pair[0]["rows"] == pair[1]["rows"]
    return ", with different content" if same else ""


def _object(statement: str) -> str:
    table, key = _TABLE.match(statement), _KEY.search(statement)
    if table is None:
        return "other statements"
    rows = _short(key[1].strip().rstrip(";")) if key else _inserted(statement)
    return f"{table[2]} where {rows}" if rows else table[2]


def _inserted(statement: str) -> str:
    """Return which row an insert made: the columns that name one, where the statement names its columns."""
    found = _INSERT.search(statement)
    if found is None:
        return ""
    columns = [name.strip().strip('"') for name in found[1].split(",")]
    values = [value.strip() for value in _VALUE.findall(found[2])]
    return _short(", ".join(f"{name} {value}" for name, value in zip(columns, values) if _NAMES_A_ROW.search(name)))


def _whole(write: Write) -> str:
    """Return the statement with its parameters in their places: without them every row would look the same."""
    given = dict(_PARAMETER.findall(str(write.get("parameters") or "")))
    return _PLACE.sub(lambda place: given.get(place[1], place[0]), str(write.get("statement", "")))


def _masked(text: str) -> str:
    key = _KEY.search(text)
    end = key.start() if key else len(text)
    return _short(_LITERAL.sub("'…'", text[:end]) + text[end:])


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"
