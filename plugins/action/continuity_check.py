# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of continuity_check: judges the deployment's data on the controller, before any connection."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.deployment import (
    coordination_hosts,
    gateways,
    is_managed_elsewhere,
    observers,
    plan_hosts,
)
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.addresses import NETADDR_ERROR
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.deployment_case import AddressOf
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.deployment_check import (
    check_deployment,
    report_lines,
)
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.deployment_schema import DEPLOYMENT_VARIABLES
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.schema import Problem, problem

RUN_VARIABLES = frozenset({"continuity_runs", "continuity_downtime_of", "continuity_downtime_by"})
"""What a person gives to a run with -e and what looks like one of the deployment's variables."""


class ActionModule(ActionBase):
    """Reads variables only: nothing is copied anywhere, nothing is connected to, nothing changes."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _VALID_ARGS = frozenset({"continuity", "failed_site"})

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the checked data and the hosts that it names, or every problem at once."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        options = self.validate_argument_spec({"continuity": {"type": "dict"}, "failed_site": {"type": "str"}})[1]
        if NETADDR_ERROR is not None:
            raise AnsibleActionFail(
                "continuity_check needs the Python library netaddr where ansible-playbook runs"
            ) from NETADDR_ERROR
        variables = task_vars or {}
        given, misspelt = options["continuity"], []
        if given is None:
            given, misspelt = self._gather(variables), _misspelt(variables)
        continuity, problems = check_deployment(given, _address_of(variables), options["failed_site"])
        return dict(result, changed=False, **_answer(continuity, problems + misspelt))

    def _gather(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._templar.template(variables[name]) for name in DEPLOYMENT_VARIABLES if name in variables}


def _address_of(variables: Mapping[str, Any]) -> AddressOf:
    hostvars = variables["hostvars"]

    def address_of(host: str) -> str | None:
        return str(hostvars[host].get("ansible_host", host)) if host in hostvars else None

    return address_of


def _misspelt(variables: Iterable[str]) -> list[Problem]:
    """Find variables that look like one of ours and are none; a run has other continuity_ variables of its own."""
    problems = []
    for name in variables:
        if name.startswith("continuity_") and name not in RUN_VARIABLES | set(DEPLOYMENT_VARIABLES):
            close = difflib.get_close_matches(name, DEPLOYMENT_VARIABLES, n=1, cutoff=0.9)
            if close:
                problems.append(problem(name, f"no such variable; did you mean {close[0]}?", "a value"))
    return problems


def _answer(continuity: dict[str, Any], problems: list[Problem]) -> dict[str, Any]:
    if problems:
        lines = report_lines(problems)
        heading = f"The deployment's data cannot be used. Nothing was touched. Problems: {len(problems)}."
        return {"failed": True, "problems": problems, "msg": "\n".join([heading, *lines])}
    return {
        "continuity": continuity,
        "observers": observers(continuity),
        "coordination_hosts": coordination_hosts(continuity),
        "plan_hosts": plan_hosts(continuity),
        "gateways_elsewhere": [name for name in gateways(continuity) if is_managed_elsewhere(continuity, name)],
        "problems": [],
        "msg": "The deployment's data is in order.",
    }
