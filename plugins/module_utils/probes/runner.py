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
    coordination,
    database,
    gateway,
    master,
    monitoring_page,
    sip_options,
    tcp,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Answer, Settings, answer

Look = Callable[[Mapping[str, Any], Settings], Answer]

KINDS: dict[str, Look] = {
    "coordination": coordination.look,
    "database": database.look,
    "gateway": gateway.look,
    "master": master.look,
    "monitoring_page": monitoring_page.look,
    "sip_options": sip_options.look,
    "tcp": tcp.look,
}
"""Every kind of check; a new one is one file and one line here."""

PARAMETERS: dict[str, tuple[str, ...]] = {
    "coordination": ("driver", "directory"),
    "database": ("database_address",),
    "gateway": ("driver", "sites"),
    "master": ("address", "port"),
    "monitoring_page": ("address", "port", "path"),
    "sip_options": ("address",),
    "tcp": ("address", "port"),
}
"""What a check of each kind cannot do without."""

GRACE = 0.5  # seconds beyond its deadline in which a check may still hand over what it found


def deadline(kind: str, settings: Settings) -> float:
    """Seconds that a check of this kind may take."""
    one_connection = settings.connect_timeout
    return {
        "tcp": one_connection,
        "monitoring_page": 2 * one_connection,  # connecting and reading, each within the time of a connection
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

    Threads are daemons: one that hangs in a device or a resolver must not hold the module.
    """
    started = time.monotonic()
    asked = list(checks)
    answers: dict[int, Answer] = {}
    done: queue.Queue[tuple[int, Answer]] = queue.Queue()
    for index, check in enumerate(asked):
        threading.Thread(target=_run, args=(index, check, settings, done), daemon=True).start()
    ends = {index: started + deadline(check["kind"], settings) + GRACE for index, check in enumerate(asked)}
    while ends:
        try:
            index, found = done.get(timeout=max(0.0, min(ends.values()) - time.monotonic()))
        except queue.Empty:
            index = min(ends, key=lambda one: ends[one])
            found = answer("unknown", False, "no result within the check's deadline")
        if ends.pop(index, None) is not None:
            answers[index] = found
    return [{"id": check["id"], "kind": check["kind"], **answers[index]} for index, check in enumerate(asked)]


def _run(index: int, check: Mapping[str, Any], settings: Settings, done: queue.Queue[tuple[int, Answer]]) -> None:
    try:
        found = KINDS[check["kind"]](check, settings)
    except Exception as error:  # a fault of ours must never look like a fault of the site
        found = answer("unknown", False, f"the check itself failed: {type(error).__name__}: {error}")
    done.put((index, found))
