# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of site_verdict: a pure function needs no module process, and a round of sampling no second more."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.series import beginning, judged
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.verdict import (
    VerdictInputError,
    decide,
    track,
)

ARGUMENTS = {
    "observation": {"type": "dict", "required": True},
    "policy": {"type": "dict"},
    "state": {"type": "dict"},
}


class ActionModule(ActionBase):
    """Judges on the controller: nothing is copied anywhere, nothing is connected to, nothing changes."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _VALID_ARGS = frozenset(ARGUMENTS)

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the decision, and the next state when one was given; a refusal names the malformed field's path."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        options = self.validate_argument_spec(ARGUMENTS)[1]
        observation, policy, state = (options[name] for name in ARGUMENTS)
        try:
            after, decision = (
                (None, decide(observation, policy)) if state is None else track(state, observation, policy)
            )
        except VerdictInputError as error:
            return {**result, "failed": True, "msg": str(error), "path": error.path, "expected": error.expected}
        series = [] if state is None else [beginning(policy, state), judged(observation, decision)]
        return {**result, "changed": False, "decision": decision, "state": after, "series": series}
