# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data under awx/: as it is written, as AWX's API gets it, and what AWX makes of a credential."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from private_data_dir import ROOT

AWX = ROOT / "awx"
Objects = dict[str, list[dict[str, Any]]]


@cache
def written() -> Objects:
    """The objects as they are written, by the name of their variable."""
    found: Objects = {}
    for path in sorted(AWX.glob("controller_*.yml")):
        found.update(yaml.safe_load(path.read_text()))
    return found


@cache
def applied() -> Objects:
    """The objects as AWX's API gets them: templated by Ansible once, with no variable given (else it fails)."""
    rendered = Templar(DataLoader(), variables={}).template(_trusted(written()))
    plain: Objects = json.loads(json.dumps(rendered))
    return plain


def one(kind: str, name: str) -> dict[str, Any]:
    """The object of this name."""
    (found,) = [each for each in applied()[kind] if each["name"] == name]
    return found


def injected(kind: dict[str, Any], inputs: dict[str, str]) -> dict[str, str]:
    """The extra variables that AWX makes of a credential of this type (`awx/main/models/credential.py`)."""
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    extra_vars = kind["injectors"]["extra_vars"]
    return {name: environment.from_string(text).render(inputs) for name, text in extra_vars.items()}


def _trusted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _trusted(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_trusted(each) for each in value]
    return trust_as_template(value) if isinstance(value, str) else value
