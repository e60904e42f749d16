# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs all checks of one vantage host at once, each with a deadline; whatever happens, each check has an answer."""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, Callable, Optional

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


def longest(settings: Settings) -> float:
    """Seconds, `GRACE` apart, that a look may take: the policy demands a `fresh` that leaves room for them."""
    return settings.probe_deadline + settings.connect_timeout


def deadline(kind: str, settings: Settings) -> float:
    """Seconds that a check of this kind may take."""
    one_connection = settings.connect_timeout
    return {
        "call": settings.call_deadline + HANG_UP,
        "tcp": one_connection,
        # connecting and reading, each within the time of a connection
        "monitoring_page": min(2 * one_connection, longest(settings)),
        "running_calls": min(2 * one_connection, longest(settings)),
        "gateway": longest(settings),  # the OPTIONS, then the gateway's own state
        "master": longest(settings),  # the port, then the database
    }.get(kind, settings.probe_deadline)


def missing_parameters(check: Mapping[str, Any]) -> list[str]:
    """What is wrong with a check as it was given; empty when it can be run."""
    name = check.get("id", "a check without id")
    wanted = PARAMETERS.get(str(check.get("kind")))
    if wanted is None:
        return [f"{name}: kind is one of {', '.join(PARAMETERS)}, not {check.get('kind')}"]
    return [f"{name}: {key} is missing" for key in ("id", *wanted) if key not in check]


def run_checks(checks: Iterable[Mapping[str, Any]], settings: Settings) -> list[Answer]:
    """One answer for each check, `id` and `kind` with it, in the checks' order, within `longest` and `GRACE`.

    Where a look lasts because something is silent, the pages are read once more: what a server says of its trunk
    changes meanwhile, and an old answer beside a new silence would speak for a site that is dead by now. That is done
    as soon as silence is known, at `probe_deadline`, beside whatever is slower still.
    """
    asked = dict(enumerate(checks))
    look = _Round(asked, settings)
    answers = look.gather(look.started + settings.probe_deadline)
    if time.monotonic() - look.started > LONG_LOOK:
        read = {i: check for i, check in asked.items() if check["kind"] in RENEWED and _came(answers.get(i))}
        answers.update(_Round(read, settings, look.started + longest(settings) + GRACE).gather())
    answers.update(look.gather())
    return [{"id": check["id"], "kind": check["kind"], **answers[index]} for index, check in asked.items()]


def _came(found: Optional[Answer]) -> bool:
    return found is not None and found["answered"]


class _Round:
    """Checks that are asked all at once, by their index; none is waited for after `latest`, in monotonic seconds.

    Threads are daemons: one that hangs in a device or a resolver must not hold the module.
    """

    def __init__(self, asked: Mapping[int, Mapping[str, Any]], settings: Settings, latest: float = math.inf) -> None:
        self.started = time.monotonic()
        self._done: queue.Queue[tuple[int, Answer]] = queue.Queue()
        ends = {index: self.started + deadline(check["kind"], settings) + GRACE for index, check in asked.items()}
        self._ends = {index: min(end, latest) for index, end in ends.items()}
        for index, check in asked.items():
            threading.Thread(target=_run, args=(index, check, settings, self._done), daemon=True).start()

    def gather(self, until: float = math.inf) -> dict[int, Answer]:
        """Answers that were not gathered yet: all of them, or those that come until a monotonic moment."""
        answers: dict[int, Answer] = {}
        while self._ends:
            index = min(self._ends, key=lambda one: self._ends[one])
            end = self._ends[index]
            try:
                index, found = self._done.get(timeout=max(0.0, min(end, until) - time.monotonic()))
            except queue.Empty:
                if until < end:
                    break
                found = answer("unknown", False, "no result within the check's deadline")
            if self._ends.pop(index, None) is not None:
                answers[index] = found
        return answers


def _run(index: int, check: Mapping[str, Any], settings: Settings, done: queue.Queue[tuple[int, Answer]]) -> None:
    try:
        found = KINDS[check["kind"]](check, settings)
    except Exception as error:  # a fault of ours must never look like a fault of the site
        found = answer("unknown", False, f"the check itself failed: {type(error).__name__}: {error}")
    done.put((index, found))
