# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The deployment's data under judgement: what every check reads, and where it notes what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.schema import Problem, problem

AddressOf = Callable[[str], "str | None"]
"""The `ansible_host` of an inventory host (its name where it has none), None for a host that is not there."""


@dataclass
class Case:
    """The data under judgement and what was found wrong with it so far."""

    data: dict[str, Any]
    address_of: AddressOf
    problems: list[Problem] = field(default_factory=list)

    @property
    def sites(self) -> dict[str, Any]:
        """The sites that could be read."""
        return dict(self.data["continuity_sites"])

    def networks_of(self, site: str | None) -> list[str | None]:
        """Return the networks of a site; none for a site that is not there."""
        return list(self.sites[site]["networks"]) if site in self.sites else []

    def add(self, path: str, expected: str, found: object) -> None:
        """Note a problem."""
        self.problems.append(problem(path, expected, found))
