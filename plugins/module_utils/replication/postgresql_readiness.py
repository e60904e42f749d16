# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a promotion of a PostgreSQL server will need, item by item. Pure."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.postgresql_log import prefix_problem

STREAMS = "standby streams"


def items_of(state: Mapping[str, Any], limits: Mapping[str, int]) -> List[Dict[str, Any]]:
    """Return the items of a server that runs. `limits`: `lag`, in bytes; with `source_gone` streaming is not asked."""
    replication = _standby_items(state, limits) if state["in_recovery"] else [_replicas_item(state)]
    if limits.get("source_gone"):
        replication = [item for item in replication if item["item"] != STREAMS]
    return [*replication, _rewind_item(state), _writer_item(state["writer"]), _log_item(state)]


def _standby_items(state: Mapping[str, Any], limits: Mapping[str, int]) -> List[Dict[str, Any]]:
    receiver = state["receiver"] or {}
    streams = receiver.get("status") == "streaming"
    source = f"receiver {receiver.get('status') or 'absent'}, from {receiver.get('sender_host') or 'nowhere'}"
    lag = state["replay_lag"]
    return [
        item_of(STREAMS, streams, source, "resynchronise this database from the primary"),
        item_of(
            "replay runs", not state["replay_paused"], f"paused: {state['replay_paused']}", "pg_wal_replay_resume()"
        ),
        item_of(
            "replay keeps up",
            lag is not None and lag <= limits["lag"],
            f"{'unknown' if lag is None else lag} bytes received and not applied, limit {limits['lag']}",
            "end the queries that hold up the replay, or mend its disk",
        ),
    ]


def _replicas_item(state: Mapping[str, Any]) -> Dict[str, Any]:
    streaming = [replica for replica in state["replicas"] if replica["state"] == "streaming"]
    words = ", ".join(f"{replica['name']} {replica['address']} {replica['lag']} bytes behind" for replica in streaming)
    return item_of("a standby follows", bool(streaming), words or "no standby streams from here", "resynchronise it")


def _rewind_item(state: Mapping[str, Any]) -> Dict[str, Any]:
    settings = state["settings"]
    met = "on" in (settings["wal_log_hints"], settings["data_checksums"])
    words = f"wal_log_hints {settings['wal_log_hints']}, data_checksums {settings['data_checksums']}"
    return item_of(
        "can be rewound", met, words, "set wal_log_hints = on and restart, or the old side must be copied anew"
    )


def _writer_item(writer: Mapping[str, Any]) -> Dict[str, Any]:
    words = f"role {'is there' if writer['exists'] else 'is missing'}, {writer['tables']} tables in the database"
    met = writer["exists"] and writer["tables"] > 0
    return item_of(
        "Configuration Server's role and tables", met, words, "check the names of the database and of the role"
    )


def _log_item(state: Mapping[str, Any]) -> Dict[str, Any]:
    """Whether a divergence ledger could be read from the log afterwards. A promotion goes without."""
    prefix, logged = state["settings"]["log_line_prefix"], state["writer"]["log_statement"]
    problem = prefix_problem(prefix)
    words = f"log_statement of the role is {logged}, log_line_prefix {prefix!r}{'; ' + problem if problem else ''}"
    way = "as a superuser: alter role <the writer> set log_statement = 'mod'; log_line_prefix = '%m [%p] %q%u@%d '"
    item = item_of("writes are in the server's log", logged in ("mod", "all") and not problem, words, way)
    return dict(item, needed=False)


def item_of(item: str, met: bool, evidence: str, way: str) -> Dict[str, Any]:
    """Return one item of readiness; the way to meet it is only said when it is not."""
    return {"item": item, "met": bool(met), "evidence": evidence, "way": "" if met else way}
