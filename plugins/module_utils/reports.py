# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checks of all vantage hosts brought: one report for each check, answered or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional


@dataclass(frozen=True)
class Report:
    """One check of one host and its answer; None when the host was not reached or left this check out."""

    host: str
    check: Mapping[str, Any]
    answer: Optional[Mapping[str, Any]]

    @property
    def value(self) -> str:
        """up, down or unknown."""
        return str(self.answer["value"]) if self.answer else "unknown"

    @property
    def answered(self) -> bool:
        """Whether anything came back from what was looked at."""
        return bool(self.answer and self.answer["answered"])

    @property
    def reporter(self) -> str:
        """The host, and the part of the site that it looked at where there are several."""
        part = self.check.get("part")
        return f"{self.host}/{part}" if part and part != self.host else self.host

    @property
    def word(self) -> dict[str, Any]:
        """What goes into a signal's `by`: value, detail, and the round-trip time in seconds where there is one."""
        return word(self.answer) if self.answer else {"value": "unknown", "detail": "no answer from this host"}


@dataclass(frozen=True)
class Reports:
    """All reports of one round of looking, and the hosts that were reached."""

    all: tuple[Report, ...]
    reached: frozenset[str]

    def of(self, signal: str, about: str) -> list[Report]:
        """The reports of one signal about one site."""
        return [one for one in self.all if one.check["signal"] == signal and one.check["about"] == about]

    def of_gateways(self) -> list[Report]:
        """One report for each media gateway: it tells about both sites."""
        return [one for one in self.all if one.check["kind"] == "gateway"]

    def target(self, gateway: Report, site: str) -> Optional[Mapping[str, Any]]:
        """What a gateway's report says about a site; None when the gateway's host was not reached."""
        found: Optional[Mapping[str, Any]] = (gateway.answer or {}).get("targets", {}).get(site)
        return found

    def heard(self, site: str) -> bool:
        """Whether anything about a site came back from anywhere."""
        direct = any(one.answered for one in self.all if one.check["about"] == site and one.check["kind"] != "gateway")
        targets = [self.target(one, site) for one in self.of_gateways()]
        return direct or any(one["answered"] for one in targets if one)


def word(answer: Mapping[str, Any]) -> dict[str, Any]:
    """value, detail, and rtt where there is one, of an answer."""
    rtt = {"rtt": round(answer["rtt"], 4)} if answer.get("rtt") is not None else {}
    return {"value": answer["value"], "detail": answer.get("detail", ""), **rtt}
