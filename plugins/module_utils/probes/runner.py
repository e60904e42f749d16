# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs all checks of one vantage host at once, each with a deadline; whatever happens, each check has an answer."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, Callable

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes import (
    call,
    coordination,
    database,
    gateway,
    master,
    monitoring_page,
    running_calls,
    sip_options,
    tcp,
    trunk,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Answer, Settings, answer
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.call import HANG_UP

Look = Callable[[Mapping[str, Any], Settings], Answer]

KINDS: dict[str, Look] = {
    "call": call.look,
    "coordination": coordination.look,
    "database": database.look,
    "gateway": gateway.look,
    "master": master.look,
    "monitoring_page": monitoring_page.look,
    "running_calls": running_calls.look,
    "sip_options": sip_options.look,
    "tcp": tcp.look,
    "trunk": trunk.look,
}
"""Every kind of check; a new one is one file and one line here."""

PARAMETERS: dict[str, tuple[str, ...]] = {
    "call": ("address", "dn"),
    "coordination": ("driver", "directory"),
    "database": ("database_address",),
    "gateway": ("driver", "sites"),
    "master": ("address", "port"),
    "monitoring_page": ("address", "port", "path"),
    "running_calls": ("address", "port", "path"),
    "sip_options": ("address",),
    "tcp": ("address", "port"),
    "trunk": ("address",),
}
"""What a check of each kind cannot do without."""

RENEWED = frozenset({"monitoring_page"})
LONG_LOOK = 1.0  # seconds after which what was read at its begin is read again
GRACE = 0.5  # seconds beyond its deadline in which a check may still hand over what it found


def deadline(kind: str, settings: Settings) -> float:
    """Seconds that a check of this kind may take."""
    one_connection = settings.connect_timeout
    return {
        "call": settings.call_deadline + HANG_UP,
        "tcp": one_connection,
        "monitoring_page": 2 * one_connection,  # connecting and reading, each within the time of a connection
        "running_calls": 2 * one_connection,
        "gateway": settings.probe_deadline + one_connection,  # the OPTIONS, then the gateway's own state
        "master": settings.probe_deadline + one_connection,  # the port, then the database
    }.get(kind, settings.probe_deadline)


def missing_parameters(check: Mapping[str, Any]) -> list[str]:
    """What is wrong with a check as it was given; empty when it can be run."""
    name = check.get("id", "a check without id")
    wanted = PARAMETERS.get(str(check.get("kind")))
    if wanted is None:
        return [f"{name}: kind is one of {', '.join(PARAMETERS)}, not {check.get('kind')}"]
    return [f"{name}: {key} is missing" for key in ("id", *wanted) if key not in check]


def run_checks(checks: Iterable[Mapping[str, Any]], settings: Settings) -> list[Answer]:
    """One answer for each check, `id` and `kind` with it, in the checks' order, within the longest deadline.

    Where a look lasted because something was silent, the pages are read once more: what a server says of its trunk
    changes meanwhile, and an old answer beside a new silence would speak for a site that is dead by now.
    """
    started = time.monotonic()
    asked = list(checks)
    answers = _ask(dict(enumerate(asked)), settings)
    if time.monotonic() - started > LONG_LOOK:
        read = {i: one for i, one in enumerate(asked) if one["kind"] in RENEWED and answers[i]["answered"]}
        answers.update(_ask(read, settings))
    return [{"id": check["id"], "kind": check["kind"], **answers[index]} for index, check in enumerate(asked)]


def _ask(asked: Mapping[int, Mapping[str, Any]], settings: Settings) -> dict[int, Answer]:
    """Ask all at once. Threads are daemons: one that hangs in a device or a resolver must not hold the module."""
    started = time.monotonic()
    answers: dict[int, Answer] = {}
    done: queue.Queue[tuple[int, Answer]] = queue.Queue()
    for index, check in asked.items():
        threading.Thread(target=_run, args=(index, check, settings, done), daemon=True).start()
    ends = {index: started + deadline(check["kind"], settings) + GRACE for index, check in asked.items()}
    while ends:
        try:
            index, found = done.get(timeout=max(0.0, min(ends.values()) - time.monotonic()))
        except queue.Empty:
            index = min(ends, key=lambda one: ends[one])
            found = answer("unknown", False, "no result within the check's deadline")
        if ends.pop(index, None) is not None:
            answers[index] = found
    return answers


def _run(index: int, check: Mapping[str, Any], settings: Settings, done: queue.Queue[tuple[int, Answer]]) -> None:
    try:
        found = KINDS[check["kind"]](check, settings)
    except Exception as error:  # a fault of ours must never look like a fault of the site
        found = answer("unknown", False, f"the check itself failed: {type(error).__name__}: {error}")
    done.put((index, found))
