# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data under awx/ holds together: what it names exists, AWX's API takes it, surveys ask for what the roles take.

The API's rules are AWX 24.6.1's: surveys `awx/api/views/__init__.py` (_validate_spec_data), rules of recurrence,
messages and notification fields `awx/api/serializers.py`, credential types `awx/main/fields.py`, which playbooks are
listed `awx/main/utils/ansible.py`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from awx_data import AWX, applied, injected, one, written
from private_data_dir import ROOT

FILES = sorted(AWX.glob("controller_*.yml"))
TEMPLATES = written()["controller_templates"]

LISTED_PLAYBOOK = re.compile(
    r"^\s*?-?\s*?(?:hosts|(ansible\.builtin\.)?include|(ansible\.builtin\.)?import_playbook):\s*?.*?$"
)
SURVEY_TYPES = {
    "text": "str",
    "textarea": "str",
    "password": "str",
    "multiplechoice": "str",
    "integer": "int",
    "float": "float",
}
EDGES = ("success_nodes", "failure_nodes", "always_nodes")
_PROMPTS = re.compile(r"^\s*(-\s+)?(vars_prompt|(ansible\.builtin\.)?pause):", re.MULTILINE)

_COMMON = {"name", "description", "organization", "state"}
VOCABULARY = {
    "controller_credential_types": {"name", "description", "kind", "inputs", "injectors"},
    "controller_credentials": _COMMON | {"credential_type", "inputs"},
    "controller_execution_environments": _COMMON | {"image", "pull", "credential"},
    "controller_inventories": _COMMON | {"variables", "kind"},
    "controller_inventory_sources": _COMMON
    | {"inventory", "source", "source_project", "source_path", "overwrite", "overwrite_vars", "update_on_launch"},
    "controller_notifications": _COMMON | {"notification_type", "notification_configuration", "messages"},
    "controller_projects": _COMMON | {"scm_type", "scm_url", "scm_branch", "scm_clean", "scm_update_on_launch"},
    "controller_schedules": _COMMON | {"unified_job_template", "rrule", "enabled", "extra_data"},
    "controller_templates": _COMMON
    | {"job_type", "inventory", "project", "playbook", "execution_environment", "credentials", "forks", "timeout"}
    | {
        "allow_simultaneous",
        "ask_variables_on_launch",
        "survey_enabled",
        "survey_spec",
        "notification_templates_error",
    },
    "controller_workflows": _COMMON
    | {"allow_simultaneous", "ask_variables_on_launch", "survey_enabled", "simplified_workflow_nodes"},
}
"""What we use of infra.aap_configuration's names; each is an option of the awx.awx module behind it."""


def names(objects: list[dict[str, Any]]) -> set[str]:
    """The names of some objects."""
    return {each["name"] for each in objects}


def specification(role: str) -> dict[str, dict[str, Any]]:
    """All options of all entry points of a role, by name."""
    entries = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text())["argument_specs"]
    return {name: option for entry in entries.values() for name, option in entry.get("options", {}).items()}


def every_role_option() -> dict[str, dict[str, Any]]:
    """All options of all roles, by name."""
    return {name: option for path in (ROOT / "roles").iterdir() for name, option in specification(path.name).items()}


@pytest.fixture(params=[each["name"] for each in TEMPLATES])
def template(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Each job template in turn."""
    return one("controller_templates", request.param)


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_a_file_holds_the_objects_of_its_name(path: Path) -> None:
    content = yaml.safe_load(path.read_text())
    assert list(content) == [path.stem]
    for each in content[path.stem]:
        assert set(each) <= VOCABULARY[path.stem], set(each) - VOCABULARY[path.stem]
    assert len(names(content[path.stem])) == len(content[path.stem]), "registered twice"


def test_every_kind_of_object_is_there() -> None:
    assert set(written()) == set(VOCABULARY)


def test_everything_belongs_to_the_default_organization() -> None:
    of_none = {"controller_credential_types", "controller_execution_environments"}
    owners = {each["organization"] for kind in set(applied()) - of_none for each in applied()[kind]}
    assert owners == {"Default"}


def test_nothing_needs_a_variable_to_be_given() -> None:
    # All of it has been templated without any; only AWX's own templates are left.
    left = re.findall(
        r"\{\{.*?\}\}", json.dumps([applied()[kind] for kind in applied() if kind != "controller_credential_types"])
    )
    assert left == []


def test_a_template_names_what_exists(template: dict[str, Any]) -> None:
    assert template["project"] in names(applied()["controller_projects"])
    assert template["inventory"] in names(applied()["controller_inventories"])
    assert template["execution_environment"] in names(applied()["controller_execution_environments"])
    assert set(template["credentials"]) == names(applied()["controller_credentials"])
    assert set(template.get("notification_templates_error", [])) <= names(applied()["controller_notifications"])
    assert (template["job_type"], template["forks"]) == ("run", 50)
    assert 0 < template["timeout"] <= 900


def test_awx_lists_the_templates_playbook(template: dict[str, Any]) -> None:
    path = Path(template["playbook"])
    assert not {"roles", "tasks", "group_vars", "host_vars"} & set(path.parts)
    assert path.suffix == ".yml"
    assert any(LISTED_PLAYBOOK.match(line) for line in (ROOT / path).read_text().splitlines())


def test_nothing_prompts() -> None:
    asked = [
        path
        for part in ("playbooks", "roles")
        for path in (ROOT / part).rglob("*.yml")
        if _PROMPTS.search(path.read_text())
    ]
    assert asked == []


SUBJECTS = {"sip-dr failover": "continuity_failed_site", "sip-dr move master": "continuity_to_site"}
"""The one thing that each of these runs is about; a survey must ask for its own and for no other's."""


@pytest.mark.parametrize("name", SUBJECTS)
def test_the_survey_asks_for_what_the_plan_takes(name: str) -> None:
    template = one("controller_templates", name)
    assert template["survey_enabled"]
    survey: list[dict[str, Any]] = template["survey_spec"]["spec"]
    spec = specification("continuity_plan")
    said_by_a_person = {option for option in spec if not option.startswith("continuity_plan_")}
    others = set(SUBJECTS.values()) - {SUBJECTS[name]}
    assert {question["variable"] for question in survey} == said_by_a_person - others
    for question in survey:
        option = spec[question["variable"]]
        assert SURVEY_TYPES[question["type"]] == option["type"], question["variable"]
        assert question["required"] is (question["variable"] == SUBJECTS[name]), question["variable"]


@pytest.mark.parametrize(
    "asking", [each for each in TEMPLATES if each["survey_enabled"]], ids=lambda each: each["name"]
)
def test_a_survey_asks_what_its_playbook_reads(asking: dict[str, Any]) -> None:
    read = [asking["playbook"], "roles/continuity_plan/meta/argument_specs.yml"]
    text = "".join((ROOT / path).read_text() for path in read)
    assert {each["variable"] for each in asking["survey_spec"]["spec"]} <= set(re.findall(r"continuity_\w+", text))


@pytest.mark.parametrize(
    "asking", [each for each in TEMPLATES if each["survey_enabled"]], ids=lambda each: each["name"]
)
def test_the_survey_is_one_that_awx_takes(asking: dict[str, Any]) -> None:
    survey = asking["survey_spec"]["spec"]
    assert len({question["variable"] for question in survey}) == len(survey)
    for question in survey:
        assert all(isinstance(question[key], str) for key in ("type", "question_name", "variable", "default"))
        assert type(question["min"]) is int and type(question["max"]) is int
        # An empty answer of an optional question must pass; a required one must not.
        assert (question["min"] == 0) is not question["required"]


def test_no_two_health_checks_at_once_and_one_a_minute() -> None:
    check = one("controller_templates", "sip-dr health check")
    (schedule,) = applied()["controller_schedules"]
    assert (schedule["unified_job_template"], schedule["enabled"], check["allow_simultaneous"]) == (
        check["name"],
        True,
        False,
    )
    # One DTSTART, with its zone; one RRULE, with its INTERVAL; never SECONDLY.
    assert re.fullmatch(r"DTSTART:\d{8}T\d{6}Z RRULE:FREQ=MINUTELY;INTERVAL=1", schedule["rrule"])


def test_the_workflow_is_gate_approval_failover_report() -> None:
    (workflow,) = applied()["controller_workflows"]
    nodes = {node["identifier"]: node for node in workflow["simplified_workflow_nodes"]}
    targets = {name: [target for kind in EDGES for target in node.get(kind, [])] for name, node in nodes.items()}
    assert targets == {"gate": ["approval"], "approval": ["failover"], "failover": ["report"], "report": []}
    assert nodes["gate"]["success_nodes"] and nodes["approval"]["success_nodes"], "only what passed goes on"
    assert nodes["failover"]["always_nodes"], "a failover that was refused is reported too"
    for name in ("gate", "failover", "report"):
        assert nodes[name]["unified_job_template"] == f"sip-dr {name}"
    assert set(nodes["approval"]["approval_node"]) == {"name", "description", "timeout"}


def test_a_failed_health_check_launches_the_workflow() -> None:
    (check,) = [each for each in applied()["controller_templates"] if "notification_templates_error" in each]
    (notification,) = applied()["controller_notifications"]
    (workflow,) = applied()["controller_workflows"]
    assert (check["playbook"], check["notification_templates_error"]) == (
        "playbooks/health_check.yml",
        [notification["name"]],
    )
    named = f"{workflow['name']}++{workflow['organization']}".replace(" ", "%20")
    assert notification["notification_configuration"]["url"].endswith(f"/api/v2/workflow_job_templates/{named}/launch/")
    assert workflow["ask_variables_on_launch"], "or the launch with extra_vars is refused"


def test_the_notification_is_one_that_awx_takes() -> None:
    (notification,) = applied()["controller_notifications"]
    fields = {
        "url": str,
        "http_method": str,
        "headers": dict,
        "username": str,
        "password": str,
        "disable_ssl_verification": bool,
    }
    configuration = notification["notification_configuration"]
    assert notification["notification_type"] == "webhook"
    assert {name: type(value) for name, value in configuration.items()} == fields
    assert configuration["http_method"] in ("POST", "PUT")
    assert not {"authorization", "cookie"} & {name.lower() for name in configuration["headers"]}, (
        "AWX does not encrypt headers"
    )
    assert set(notification["messages"]) == {"error"} and set(notification["messages"]["error"]) == {"body"}
    assert json.loads(notification["messages"]["error"]["body"]) == {"extra_vars": {}}


def test_the_credential_type_gives_the_secrets_that_roles_declare() -> None:
    (kind,) = applied()["controller_credential_types"]
    fields = {field["id"]: field for field in kind["inputs"]["fields"]}
    assert (kind["kind"], list(kind["inputs"])) == ("cloud", ["fields"])
    assert all(re.fullmatch(r"[a-zA-Z_]\w*", name) and name != "tower" for name in fields)
    given = injected(kind, {name: f"the {name}" for name in fields})
    assert sorted(given.values()) == sorted(f"the {name}" for name in fields)
    options = every_role_option()
    assert set(given) <= set(options)
    # What a play hands on from one role to another is entered once.
    handed_on = set(yaml.safe_load((ROOT / "playbooks/vars/layer.yml").read_text()))
    secret = {name for name, option in options.items() if option.get("no_log")}
    assert {name for name in given if options[name].get("no_log")} == secret - handed_on
    for variable, value in given.items():
        assert fields[value.removeprefix("the ")]["secret"] is bool(options[variable].get("no_log"))


def test_credentials_are_made_once_and_empty() -> None:
    (kind,) = applied()["controller_credential_types"]
    fields = {
        kind["name"]: {field["id"] for field in kind["inputs"]["fields"]},
        "Machine": {"username", "ssh_key_data"},
    }
    for credential in applied()["controller_credentials"]:
        assert credential["state"] == "exists", "what a person entered in AWX stays"
        assert set(credential["inputs"]) == fields[credential["credential_type"]]
        assert [value for value in credential["inputs"].values() if value] == ["sip-dr"], "a user's name, and no secret"


def test_the_inventory_comes_from_the_project() -> None:
    (source,) = applied()["controller_inventory_sources"]
    assert source["inventory"] in names(applied()["controller_inventories"])
    assert source["source_project"] in names(applied()["controller_projects"])
    assert (ROOT / source["source_path"]).is_file()
    listed = subprocess.run(
        [Path(sys.executable).with_name("ansible-inventory"), "-i", ROOT / source["source_path"], "--list", "--export"],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert "continuity_sites" in json.loads(listed.stdout)["all"]["vars"]


def test_the_execution_environment_is_one_that_ansible_builder_takes(tmp_path: Path) -> None:
    pytest.importorskip("ansible_builder", reason="ansible-builder is not installed here (extra dev)")
    definition = ROOT / "execution-environment.yml"
    command = [
        sys.executable,
        "-m",
        "ansible_builder",
        "create",
        "-f",
        str(definition),
        "-c",
        str(tmp_path / "context"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list((tmp_path / "context").glob("*file")), "Containerfile or Dockerfile"
