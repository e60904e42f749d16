# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a database's state says, in the words that every replication driver shares. Pure.

A state is `{running, role, starts_as, lsn, timeline, system_identifier, writer: {can_login, sessions, tables, writable,
fenced}, …}`: `role` is primary, standby or unknown, `starts_as` belongs to a server that is down, and the positions are
opaque words of the driver, None where it knows none.
"""

from __future__ import annotations

import socket
from datetime import datetime, timezone
from typing import Any, Dict, List, Mapping, Optional

POSITION = ("lsn", "timeline", "system_identifier")
"""Where a database stands, and in whose history."""


def is_closed(state: Mapping[str, Any]) -> bool:
    """Return whether nobody can write here: a standby, or down and to start as one, or log-in and privileges gone."""
    if not state["running"]:
        return bool(state["starts_as"] == "standby")
    writer = state["writer"]
    return state["role"] == "standby" or not (writer["can_login"] or writer["sessions"] or writer["writable"])


def is_open(state: Mapping[str, Any]) -> bool:
    """Return whether the Configuration Server's role may log in and write, with nothing of a fence left."""
    writer = state["writer"]
    return bool(writer["can_login"] and writer["writable"] and not writer["fenced"])


def position(state: Mapping[str, Any]) -> Dict[str, Any]:
    """Return where a primary stands and in whose history; a standby's place says nothing of what was written here."""
    where = {word: state.get(word) for word in POSITION}
    return where if state["role"] == "primary" else dict(where, lsn=None, timeline=None)


def proof(state: Mapping[str, Any], writer_units: List[str]) -> Dict[str, Any]:
    """Return the fence's proof as decision.md wants it, with what was seen and the end of this side's log."""
    host = socket.gethostname()
    seen = {"database": describe(state), "stopped_units": list(writer_units)}
    fence = {"kind": "stopped_and_revoked", "seen_at": now(), "by": [f"config_database on {host}"], "host": host}
    return dict(fence, seen=seen, **position(state))


def now() -> str:
    """Return this moment, RFC 3339, in UTC, with milliseconds."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def describe(state: Mapping[str, Any]) -> str:
    """Say a state in a sentence."""
    if not state["running"]:
        return f"the database server is down and would start as a {state['starts_as']}"
    writer = state["writer"]
    log_in = "may log in" if writer["can_login"] else "may not log in"
    tables = f"{writer['writable']} of {writer['tables']} tables writable"
    return f"{_place(state)}; writer {log_in}, {writer['sessions']} sessions, {tables}"


def _place(state: Mapping[str, Any]) -> str:
    words = str(state["role"])
    if state.get("timeline") is not None:
        words += f" on timeline {state['timeline']}"
    if state.get("lsn") is not None:
        words += f" at {state['lsn']}"
    if state["role"] != "standby":
        return words
    lag = state.get("replay_lag")
    return f"{words}, {_source(state)}, {'unknown' if lag is None else lag} {state.get('unit', 'bytes')} to apply"


def _source(state: Mapping[str, Any]) -> str:
    if state.get("detached"):
        return "replication stopped"
    return (state.get("receiver") or {}).get("status") or "no receiver"


def closed_view(state: Mapping[str, Any]) -> Dict[str, Any]:
    """Return how this state would be once fenced."""
    if not state["running"]:
        return dict(state, starts_as="standby")
    return dict(state, writer=dict(state["writer"], can_login=False, sessions=0, writable=0))


def opened_view(state: Mapping[str, Any]) -> Dict[str, Any]:
    """Return how this state would be as the writer."""
    if not state["running"]:
        return dict(state, starts_as="primary")
    writer = dict(state["writer"], can_login=True, writable=state["writer"]["tables"])
    return dict(state, role="primary", writer=writer)


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> Dict[str, Any]:
    """Return `{before, after}` as Ansible's diff wants it."""
    return {"before": _shown(before), "after": _shown(after)}


def _shown(state: Mapping[str, Any]) -> Dict[str, Any]:
    shown = {key: state[key] for key in ("role", "starts_as", "timeline") if key in state}
    writer: Optional[Mapping[str, Any]] = state.get("writer")
    if writer:
        shown["writer"] = {key: writer[key] for key in ("can_login", "sessions", "writable")}
    return shown
