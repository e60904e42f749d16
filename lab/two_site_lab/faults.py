# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults as data: what is broken, since when and until when, one file for each in the lab's state."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

DEFAULT_SECONDS = 600
LINK_KINDS = ("cut", "loss", "flap")
SIP_KINDS = ("refuse", "overload", "slow")
# What a timer on the target ends, whatever its network does.
PROCESS_KINDS = ("kill", "freeze", *SIP_KINDS)


@dataclass(frozen=True)
class Fault:
    """One fault in force.

    kind: ``cut``, ``loss`` and ``flap`` (of the link between ``a`` and ``b``, zones or hosts; a flapping one is cut for
    ``down`` seconds and whole for ``up``, over and over, if only for ``ports``), ``kill`` and ``freeze`` (of
    ``unit`` on host ``a``), ``pause`` (the whole host ``a`` stands still), ``fill`` (the disk of ``a``), ``power``
    (host ``a`` is off), ``refuse`` (``a`` refuses new calls with ``code``), ``overload`` (503 to every new request),
    ``slow`` (each reply ``delay`` milliseconds late).
    ``since`` and ``until`` are seconds since the epoch; ``until`` is None for what comes back by command only.
    """

    kind: str
    a: str
    since: float
    until: float | None = None
    b: str = ""
    unit: str = ""
    one_way: bool = False
    new_flows: bool = False
    ports: tuple[int, ...] = ()
    up: float | None = None
    down: float | None = None
    percent: float | None = None
    code: int | None = None
    delay: int | None = None
    number: int = 0

    def expired(self, now: float) -> bool:
        """Whether the fault's time is over at ``now`` (seconds since the epoch)."""
        return self.until is not None and now >= self.until

    def bites(self, now: float) -> bool:
        """Whether a fault in force does its harm at ``now``: a flapping link begins cut, and is whole in turn."""
        if self.up is None or self.down is None:
            return True
        return (now - self.since) % (self.down + self.up) < self.down

    def words(self) -> str:
        """The fault as a person would say it."""
        if self.kind not in LINK_KINDS:
            return {
                "power": f"{self.a} is off",
                "fill": f"disk of {self.a} is full",
                "pause": f"{self.a} is frozen, all of it",
                "kill": f"{self.unit} on {self.a} killed",
                "freeze": f"{self.unit} on {self.a} frozen",
                "refuse": f"{self.a} refuses calls with {self.code}",
                "overload": f"{self.a} answers 503 to everything",
                "slow": f"{self.a} replies {self.delay} ms late",
            }[self.kind]
        way = "->" if self.one_way or self.new_flows else "<->"
        what = {
            "cut": "cut",
            "loss": f"{self.percent} % loss".replace(".0 ", " "),
            "flap": f"{self.down} s cut, {self.up} s whole in turn".replace(".0 ", " "),
        }[self.kind]
        ports = f", port {' and '.join(map(str, self.ports))} only" if self.ports else ""
        return f"{self.a} {way} {self.b} {what}{ports}{', new flows only' if self.new_flows else ''}"


class FaultStore:
    """The faults in force, as files in a directory; callers hold the lab's lock while they change them."""

    def __init__(self, directory: Path) -> None:
        """Keep the faults in ``directory``, which exists."""
        self._directory = directory

    def all(self) -> list[Fault]:
        """Every fault in force, oldest first."""
        found = []
        for path in self._directory.glob("*.json"):
            try:
                fields = json.loads(path.read_text())
                found.append(Fault(**{**fields, "ports": tuple(fields.get("ports", ()))}))
            except FileNotFoundError:  # healed by somebody else in between
                continue
        return sorted(found, key=lambda fault: fault.number)

    def add(self, fault: Fault) -> Fault:
        """Write the fault down and return it with the number that it got; numbers are never used twice."""
        counter = self._directory / "counter"
        number = int(counter.read_text()) + 1 if counter.exists() else 1
        counter.write_text(str(number))
        numbered = replace(fault, number=number)
        unfinished = self._directory / f"{number}.new"
        unfinished.write_text(json.dumps(asdict(numbered)))
        unfinished.rename(self._directory / f"{number}.json")
        return numbered

    def remove(self, fault: Fault) -> None:
        """Strike the fault out."""
        (self._directory / f"{fault.number}.json").unlink(missing_ok=True)

    def remove_where(self, chosen: Callable[[Fault], bool]) -> list[Fault]:
        """Strike out what ``chosen`` says yes to, and return it."""
        gone = [fault for fault in self.all() if chosen(fault)]
        for fault in gone:
            self.remove(fault)
        return gone
