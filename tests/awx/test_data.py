"""The data under awx/ holds together: what it names exists, and the surveys ask for what the roles take."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from private_data_dir import ROOT

AWX = ROOT / "awx"
OBJECTS: dict[str, list[dict[str, Any]]] = {}
for path in sorted(AWX.glob("controller_*.yml")):
    OBJECTS.update(yaml.safe_load(path.read_text()))
TEMPLATES = {template["name"]: template for template in OBJECTS["controller_templates"]}
SURVEY_TYPES = {"text": "str", "password": "str", "integer": "int", "float": "float", "multiplechoice": "str"}


def specification(role: str) -> dict[str, Any]:
    """All options of all entry points of a role, by name."""
    entries = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text())["argument_specs"]
    return {name: option for entry in entries.values() for name, option in entry.get("options", {}).items()}


def every_role_option() -> set[str]:
    return {name for path in (ROOT / "roles").iterdir() for name in specification(path.name)}


def test_each_file_holds_the_object_of_its_name() -> None:
    assert len(OBJECTS) == len(list(AWX.glob("controller_*.yml"))) >= 9
    for path in AWX.glob("controller_*.yml"):
        assert list(yaml.safe_load(path.read_text())) == [path.stem]


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_names_what_exists(name: str) -> None:
    template = TEMPLATES[name]
    assert (ROOT / template["playbook"]).is_file()
    assert template["project"] in {project["name"] for project in OBJECTS["controller_projects"]}
    assert template["inventory"] in {inventory["name"] for inventory in OBJECTS["controller_inventories"]}
    assert template["execution_environment"] in {item["name"] for item in OBJECTS["controller_execution_environments"]}
    assert template["forks"] == 50
    notifications = {item["name"] for item in OBJECTS["controller_notifications"]}
    assert set(template.get("notification_templates_error", [])) <= notifications


def test_the_failover_survey_equals_the_plans_arguments() -> None:
    spec = specification("continuity_plan")
    survey = TEMPLATES["sip-dr failover"]["survey_spec"]["spec"]
    assert {question["variable"] for question in survey} == {
        name for name in spec if name.startswith("continuity_") and spec[name].get("description")
    } - {name for name in spec if name.startswith("continuity_plan_")}
    for question in survey:
        option = spec[question["variable"]]
        assert SURVEY_TYPES[question["type"]] == option["type"], question["variable"]
        assert question["required"] == option.get("required", False), question["variable"]


def test_no_two_health_checks_at_once() -> None:
    assert TEMPLATES["sip-dr health check"]["allow_simultaneous"] is False
    schedules = OBJECTS["controller_schedules"]
    assert [schedule["unified_job_template"] for schedule in schedules] == ["sip-dr health check"]
    assert re.fullmatch(r"DTSTART:\d{8}T\d{6}Z RRULE:FREQ=MINUTELY;INTERVAL=1", schedules[0]["rrule"])


def test_the_workflow_is_gate_approval_failover_report() -> None:
    (workflow,) = OBJECTS["controller_workflows"]
    nodes = {node["identifier"]: node for node in workflow["simplified_workflow_nodes"]}
    order, current = [], "gate"
    while current:
        assert current not in order, "a cycle"
        order.append(current)
        node = nodes[current]
        targets = [
            target for kind in ("success_nodes", "failure_nodes", "always_nodes") for target in node.get(kind, [])
        ]
        assert "approval_node" in node or node["unified_job_template"] in TEMPLATES
        current = targets[0] if targets else ""
    assert order == ["gate", "approval", "failover", "report"] and set(order) == set(nodes)


def test_the_credential_type_gives_variables_that_roles_declare() -> None:
    for kind in OBJECTS["controller_credential_types"]:
        fields = {field["id"]: field for field in kind["inputs"]["fields"]}
        given = kind["injectors"]["extra_vars"]
        assert given and set(given) <= every_role_option()
        for variable, value in given.items():
            (field,) = re.findall(r"\w+", value)
            assert fields[field].get("secret") is (not variable.endswith("_user"))
