# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the AWX tests share: the data under awx/ as AWX gets it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from private_data_dir import ROOT

AWX = ROOT / "awx"


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker of what needs a running lab."""
    config.addinivalue_line("markers", "lab: needs a running lab, in its control namespace (lab/enter)")


@pytest.fixture(scope="session")
def written() -> dict[str, list[dict[str, Any]]]:
    """The objects as they are written, by the name of their variable."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(AWX.glob("controller_*.yml")):
        found.update(yaml.safe_load(path.read_text()))
    return found


@pytest.fixture(scope="session")
def applied(written: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """The objects as AWX's API gets them: templated by Ansible once, with no variable given."""
    templar = Templar(DataLoader(), variables={})
    rendered: dict[str, list[dict[str, Any]]] = templar.template(_trusted(written))
    return rendered


def _trusted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _trusted(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_trusted(one) for one in value]
    return trust_as_template(value) if isinstance(value, str) else value
