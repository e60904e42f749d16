# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A role's defaults, its argument specification and its README say the same of every variable."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROLES = sorted((Path(__file__).parents[3] / "roles").iterdir())
INCLUDED = re.compile(r"ansible\.builtin\.(?:import|include)_tasks: *(\S+)")


def read(path):
    """A file's YAML as a mapping; empty where there is none."""
    return (yaml.safe_load(path.read_text()) or {}) if path.exists() else {}


def defaults(role):
    return read(role / "defaults/main.yml")


def doors(role):
    specs = read(role / "meta/argument_specs.yml")["argument_specs"]
    return {door: spec.get("options") or {} for door, spec in specs.items()}


def tasks_text(role, door, seen=()):
    """A door's tasks as text, with those that it includes."""
    text = (role / "tasks" / f"{door}.yml").read_text()
    more = [Path(name).stem for name in INCLUDED.findall(text)]
    return text + "".join(tasks_text(role, one, (*seen, door)) for one in more if one not in (*seen, door))


def used_by(role, door):
    """The role's variables that a door reads, by itself or through a variable or default, and does not give itself."""
    values = {**defaults(role), **read(role / "vars/main.yml")}
    given = set(re.findall(rf"^ +({role.name}_\w+):", (role / "tasks" / f"{door}.yml").read_text(), re.MULTILINE))
    found, texts = set(), [tasks_text(role, door)]
    while texts:
        names = set(re.findall(rf"\b_*{role.name}_\w+", texts.pop())) & set(values) - found
        found |= names
        texts += [str(values[name]) for name in names]
    return (found & set(defaults(role))) - given


DOORS = [pytest.param(role, door, id=f"{role.name}-{door}") for role in ROLES for door in doors(role)]


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_task_file_has_its_specification(role):
    assert {path.stem for path in (role / "tasks").glob("*.yml")} == set(doors(role))


@pytest.mark.parametrize(("role", "door"), DOORS)
def test_every_variable_of_a_door_is_specified(role, door):
    assert used_by(role, door) - set(doors(role)[door]) == set()


@pytest.mark.parametrize(("role", "door"), DOORS)
def test_a_default_is_specified_as_it_is(role, door):
    for name, option in doors(role)[door].items():
        value = defaults(role).get(name)
        if value is None or option.get("required"):
            assert "default" not in option, f"{name} has no default"
        elif "default" in option or "{{" not in str(value):
            assert (name, option.get("default")) == (name, value)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_variable_is_in_the_readme(role):
    readme = (role / "README.md").read_text()
    assert [name for name in defaults(role) if name not in readme] == []
