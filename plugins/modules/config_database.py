#!/usr/bin/python
# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which side's Configuration Database is written to."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: config_database
short_description: Freeze, fence, promote, resynchronise and verify the Configuration Database on this host
version_added: 0.1.0
author: The sip-dr founders (@sip-dr)
description:
  - One database is written to, ever. This module takes that right from the database on this host, or gives it.
  - Runs on the database's host as root, or as the database's own system user.
  - A promotion needs a proof that the other side is fenced, and a replication lag that is known and within the limit.
options:
  door:
    description:
      - V(observe) reads the role, the timeline, the replication and what the Configuration Server's role may do.
      - V(readiness) lists what a promotion will need.
      - V(freeze) does at a writer that lives what V(release) does, before its ticket is taken away, and waits until
        every standby has applied all that was written. RV(frozen) is where its log ended. V(restore) undoes it.
      - V(release) fences this side. The log-in and the write privileges of the Configuration Server's role are revoked
        and its
        sessions ended; a server that is down may start as a standby only. RV(fence) is the proof.
      - V(take_over) applies all that was received, stops the replication, looks at the lag, the fence and the lease
        once more, promotes this side, writes a checkpoint, and gives the role back what the fence took.
      - V(restore) gives back what V(release) or V(freeze) took on this host; a standby whose replication was stopped
        follows again.
      - V(resync) makes this side a standby of O(source). It follows, is rewound, or is copied anew, and counts as done
        once it streams. What only this side has is lost by that, so V(ledger) comes first.
      - V(ledger) lists what the role wrote since O(since), from the server's own log. While the server runs it notes in
        O(state_dir) whether the role's writes are logged, so that the list can be complete when the server is down.
      - V(compare) counts and hashes the rows of every table, so that two sides can be compared.
      - V(verify) fails unless a transaction of the Configuration Server's role is committed.
    type: str
    choices: [observe, readiness, freeze, release, take_over, restore, resync, ledger, compare, verify]
    default: observe
  writer_units:
    description: Units of programs on this host that write to the database; a fence is proven only when all of them have
      stopped.
    type: list
    elements: str
    default: []
  process_driver:
    description: How O(writer_units) are looked at.
    type: str
    choices: [systemd]
    default: systemd
  fence:
    description:
      - The proof that the other side is fenced, with C(kind), C(seen_at) and C(by); RV(fence) of the other side's
        V(release) is one.
      - Kinds that are seen are V(stopped_and_revoked), V(power_off) and V(ticket_run_out). They age, see
        O(fence_max_age).
      - Kinds that people state are V(attested) and V(without_fence); C(by) names two people, C(until) is when it runs
        out, and
        V(without_fence) is for the one run that C(run_id) names.
      - With C(lsn), the end of the fenced side's log, the lag is measured against it.
    type: dict
    default: {}
  fence_max_age:
    description: Seconds that may pass between seeing a fence and promoting on it.
    type: float
    default: 60
  frozen:
    description: RV(frozen) of the other side's V(freeze). Where O(fence) names no position, the lag is measured up to
      it. Where this side has the same C(content), nothing is lacking, however far that log went on.
    type: dict
    default: {}
  lease:
    description: Path of the lease that this host's guard keeps. Given, a promotion needs a fresh one; empty, there is
      no guard.
    type: str
    default: ""
  lag:
    description: What this side lacked of the log when the primary last answered, in the driver's unit (PostgreSQL -
      bytes). Left out, it is unknown, and unknown refuses. Not asked where O(fence) or O(frozen) says where the log
      ended.
    type: float
  lag_limit:
    description: Bytes of the log that may be lost.
    type: float
    default: 0
  allow_data_loss:
    description: Promote with a lag that is unknown or over the limit. Two people decide this, for one run.
    type: bool
    default: false
  peer_role:
    description: Role of the other side's database as just seen; V(restore) needs V(standby).
    type: str
    choices: [primary, standby, unknown]
    default: unknown
  source_gone:
    description: The primary is known to be dead, so V(readiness) does not ask whether this standby streams from it.
    type: bool
    default: false
  since:
    description: Time from which on V(ledger) lists writes, RFC 3339.
    type: str
    default: ""
  readiness_lag:
    description: Bytes received and not yet applied up to which a standby counts as keeping up.
    type: int
    default: 16777216
  free_space:
    description: Bytes that must be free in the data directory.
    type: int
    default: 268435456
  deadline:
    description: Seconds for each statement, and for each thing that is waited for.
    type: float
    default: 30
  interval:
    description: Seconds between two looks while waiting.
    type: float
    default: 0.2
extends_documentation_fragment:
  - contactcenter.sip_dr.attributes
  - contactcenter.sip_dr.database
  - contactcenter.sip_dr.resync
  - contactcenter.sip_dr.run
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
"""

EXAMPLES = r"""
- name: Fence the failed site's database
  contactcenter.sip_dr.config_database:
    door: release
    writer_units: [genesys-confserv.service]
    run: {id: 20260131-031415, token: 7, step: fence}
  register: fenced

- name: Promote the survivor's database
  contactcenter.sip_dr.config_database:
    door: take_over
    fence: "{{ hostvars['s1-cfg'].fenced.fence }}"
    run: {id: 20260131-031415, token: 7, step: promote_database}

- name: Make the old side a standby of the new one
  contactcenter.sip_dr.config_database:
    door: resync
    source: {address: 10.71.2.20}
    run: {id: 20260131-044210, token: 8, step: resync_database}
"""

RETURN = r"""
frozen:
  description:
    - Where the writer's log ended (C(lsn), C(timeline), C(system_identifier)), on which C(host), C(at) what time, and
      whether every standby has applied it (C(standby_caught_up)); where none has, a hash of every row (C(content)).
    - None where there was nothing to freeze and nothing is recorded.
  type: dict
  returned: O(door=freeze)
resync:
  description: The C(way) it went (V(none), V(follow), V(rewind), V(copy)), what was C(tried) with which failure,
    C(seconds), and whether it C(streams).
  type: dict
  returned: O(door=resync)
  sample: {way: rewind, tried: [{way: rewind, failure: ""}], seconds: 4.1, streams: true}
ledger:
  description:
    - Every write of the role since O(since), oldest first, with C(at), C(session), C(user), C(statement), C(outcome)
      and, where it had some, C(parameters).
    - It holds what was written, so it may hold secrets.
  type: list
  elements: dict
  returned: O(door=ledger)
ledger_complete:
  description: Whether the log reaches back to O(since) and the role's writes are logged, or were when the server, down
    now, was last looked at after O(since).
  type: bool
  returned: O(door=ledger)
applied_until:
  description: Of a standby, when the last transaction that it has was committed at its primary; of any other none.
  type: str
  returned: O(door=ledger)
tables:
  description: Of every table its C(rows) and the C(hash) of its content, in which the order of rows does not count.
  type: dict
  returned: O(door=compare)
digest:
  description: One hash of RV(tables).
  type: str
  returned: O(door=compare)
journal:
  description: What was written to the run journal about this step - its begin and its end.
  returned: a changing door, with O(run)
  type: list
  elements: dict
detail:
  description: How it ended, in a sentence.
  type: str
  returned: always
database:
  description:
    - C(role) (V(primary), V(standby) or V(unknown)), C(running), C(timeline), C(lsn), C(receiver), C(replicas) with
      their lags in
      bytes, and C(writer) (C(can_login), C(sessions), C(tables), C(writable), and C(fenced), the timeline on which it
        was fenced).
    - Of a server that is down, C(starts_as).
  type: dict
  returned: success
fence:
  description: The proof that this side is fenced, or the one that the promotion rests on; none in check mode.
  type: dict
  returned: O(door=release) or O(door=take_over)
  sample:
    {kind: stopped_and_revoked, seen_at: "2026-01-31T03:14:15.926Z", by: [config_database on s1-cfg], host: s1-cfg, lsn:
      0/3000B50}
lag:
  description: Bytes of the log that were not here at the promotion; none when it is unknown.
  type: float
  returned: O(door=take_over) and changed
readiness:
  description: What a promotion will need, each with C(item), C(met), C(evidence) and C(way). With C(needed) false it is
    advice and does not count.
  type: list
  elements: dict
  returned: O(door=readiness)
ready:
  description: Whether all of it is met.
  type: bool
  returned: O(door=readiness)
written:
  description: The transaction that was committed, as whom and seen from where.
  type: dict
  returned: O(door=verify)
unmet:
  description: In check mode, why the promotion would be refused as things stand; none when it would not.
  type: str
  returned: O(door=take_over) in check mode
refused:
  description: The guard that refused, its evidence, and the way round.
  type: dict
  returned: refused
"""

from typing import Any, Callable, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.config_database import Doors, Promotion
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import Recorded
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process import ProcessError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process.registry import processes_of
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import (
    DatabaseError,
    Server,
    Source,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.registry import (
    DATABASE_OPTION,
    RESYNC_OPTION,
    database_of,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import (
    RUN_OPTION,
    JournalError,
    StaleTokenError,
    Step,
    run_step,
)

ARGUMENTS: Dict[str, Any] = {
    "door": {
        "type": "str",
        "choices": [
            "observe",
            "readiness",
            "freeze",
            "release",
            "take_over",
            "restore",
            "resync",
            "ledger",
            "compare",
            "verify",
        ],
        "default": "observe",
    },
    "writer_units": {"type": "list", "elements": "str", "default": []},
    "process_driver": {"type": "str", "choices": ["systemd"], "default": "systemd"},
    "fence": {"type": "dict", "default": {}},
    "fence_max_age": {"type": "float", "default": 60},
    "frozen": {"type": "dict", "default": {}},
    "lease": {"type": "str", "default": ""},
    "lag": {"type": "float"},
    "lag_limit": {"type": "float", "default": 0},
    "allow_data_loss": {"type": "bool", "default": False},
    "peer_role": {"type": "str", "choices": ["primary", "standby", "unknown"], "default": "unknown"},
    "source_gone": {"type": "bool", "default": False},
    "since": {"type": "str", "default": ""},
    "readiness_lag": {"type": "int", "default": 16 * 2**20},
    "free_space": {"type": "int", "default": 256 * 2**20},
    "deadline": {"type": "float", "default": 30},
    "interval": {"type": "float", "default": 0.2},
}


def pass_door(doors: Doors, params: Dict[str, Any], check_mode: bool) -> Dict[str, Any]:
    """Go through the door that was asked for and return the result."""
    door, run = params["door"], params["run"]
    limits = {word: params[word] for word in ("free_space", "source_gone")}
    looking: Dict[str, Callable[[], Dict[str, Any]]] = {
        "observe": doors.observe,
        "readiness": lambda: doors.readiness(dict(limits, lag=params["readiness_lag"])),
        "ledger": lambda: doors.ledger(params["since"], Recorded(params["state_dir"], "config_database_ledger")),
        "compare": doors.compare,
        "verify": lambda: doors.verify(f"verify {run['id'] if run else 'without a run'}"),
    }
    if door in looking:
        return looking[door]()
    with run_step(run, params["state_dir"], check_mode) as step:
        result = changed_by(doors, params, step)
        step.end(changed=result["changed"], detail=result.get("detail", ""))
    return dict(result, journal=step.journal)


def changed_by(doors: Doors, params: Dict[str, Any], step: Step) -> Dict[str, Any]:
    """Go through a door that may change something."""
    changing: Dict[str, Callable[[], Dict[str, Any]]] = {
        "freeze": lambda: doors.freeze(step),
        "release": lambda: doors.release(step, params["writer_units"]),
        "take_over": lambda: doors.take_over(step, promotion_of(params)),
        "restore": lambda: doors.restore(step, params["peer_role"]),
        "resync": lambda: doors.resync(step, Source(**params["source"]), server_of(params)),
    }
    return changing[params["door"]]()


def server_of(params: Dict[str, Any]) -> Server:
    """Return how the server on this host is stopped and started."""
    processes = processes_of(params["process_driver"], params["deadline"], params["interval"])
    return Server(params["unit"], processes, params["copy_deadline"])


def promotion_of(params: Dict[str, Any]) -> Promotion:
    """Return on what the promotion rests."""
    return Promotion(
        fence=params["fence"],
        fence_max_age=params["fence_max_age"],
        lag=params["lag"],
        lag_limit=params["lag_limit"],
        allow_data_loss=params["allow_data_loss"],
        run_id=params["run"]["id"] if params["run"] else None,
        frozen=params["frozen"],
        lease=params["lease"],
    )


def main() -> None:
    """Parse, act, exit."""
    module = AnsibleModule(
        dict(ARGUMENTS, **DATABASE_OPTION, **RESYNC_OPTION, **RUN_OPTION),
        required_if=[("door", "resync", ["source"]), ("door", "ledger", ["since"])],
        supports_check_mode=True,
    )
    params = module.params
    deadline, interval = params["deadline"], params["interval"]
    doors = Doors(
        database_of(params["database"], deadline, interval),
        processes_of(params["process_driver"], deadline, interval),
        Recorded(params["state_dir"], "config_database"),
        deadline,
        interval,
        module.check_mode,
    )
    try:
        result = pass_door(doors, params, module.check_mode)
    except (RefusedError, StaleTokenError) as refused:
        module.fail_json(msg=str(refused), refused=refused.refusal)
    except (DatabaseError, ProcessError, JournalError, OSError) as error:
        module.fail_json(msg=f"Configuration Database: {error}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
