# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a door ended for all phones, and the errors that carry such a report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import PhoneError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.provisioning import Problems, Rewrite
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.registry import Drivers

SHOWN = 1000  # files in a diff; the rest is counted
NAMED = 10  # phones in a sentence; all of them are in the result


@dataclass(frozen=True)
class Report:
    """How it ended: phones by name, registered or missing where they should be; what was done; texts for the diff.

    notified: the final status of each phone's answer, None for silence. answers: how many of each. not_asked: phones of
    makes that no NOTIFY helps. progress: one entry for each look.
    """

    changed: bool
    detail: str
    registered: List[str] = field(default_factory=list)
    missing: List[str] = field(default_factory=list)
    notified: Dict[str, Optional[int]] = field(default_factory=dict)
    answers: Dict[str, int] = field(default_factory=dict)
    not_asked: List[str] = field(default_factory=list)
    problems: Problems = field(default_factory=dict)
    progress: List[Dict[str, Any]] = field(default_factory=list)
    before: str = ""
    after: str = ""

    @property
    def share(self) -> float:
        """Registered of all, 0 to 1; 1 when there is no phone to count."""
        everyone = len(self.registered) + len(self.missing)
        return len(self.registered) / everyone if everyone else 1.0


class ReportedError(PhoneError):
    """It did not go well for all phones; `report` tells which ones, and what was done for the others."""

    def __init__(self, report: Report, text: str) -> None:
        """Keep the report."""
        self.report = report
        super().__init__(text)


class TooFewPhonesError(ReportedError):
    """Fewer phones are registered than asked for; `report` names them."""

    def __init__(self, report: Report, wanted: float) -> None:
        """Name the first of the missing."""
        super().__init__(
            report,
            f"{report.detail}: {report.share:.1%} of the phones registered, {wanted:.1%} asked for;"
            f" missing: {first_of(report.missing)}",
        )


class NotAllProvisionedError(ReportedError):
    """Some phones' files were left as they are; `report.problems` says why."""

    def __init__(self, report: Report) -> None:
        """Say what is wrong with the first of them."""
        texts = list(report.problems.values())
        more = f"; and {len(texts) - NAMED} more" if len(texts) > NAMED else ""
        super().__init__(report, f"{report.detail}; left as they are: {'; '.join(texts[:NAMED])}{more}")


def first_of(names: Sequence[str]) -> str:
    """Return the first names for a sentence."""
    return ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")


def named(rewrites: Sequence[Rewrite]) -> Tuple[str, str]:
    """Return both texts of a diff: the servers that each file names."""
    before = [f"{one.path.name}: {one.named_before}\n" for one in rewrites[:SHOWN]]
    after = [f"{one.path.name}: {one.named_after}\n" for one in rewrites[:SHOWN]]
    more = [f"and {len(rewrites) - SHOWN} more files\n"] if len(rewrites) > SHOWN else []
    return "".join(before + more), "".join(after + more)


def keys_of(rewrites: Sequence[Rewrite], drivers: Drivers) -> Tuple[str, str]:
    """Return both texts of a diff: each key that changes; secrets do not show."""
    before, after = [], []
    for one in rewrites:
        shown = drivers.of(one.phone).shown
        for key, value in one.after.items():
            if one.is_new or value != one.before[key]:
                after.append(f"{one.path.name}: {key} = {shown(key, value)}\n")
                if not one.is_new:
                    before.append(f"{one.path.name}: {key} = {shown(key, one.before[key])}\n")
    return "".join(before), "".join(after)
