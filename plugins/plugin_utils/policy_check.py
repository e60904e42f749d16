# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges the policy key by key with the verdict's own rules, so that all its problems are said at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_fields import Field, VerdictInputError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils._verdict_policy import (
    READERS,
    Policy,
    read_policy,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.deployment import NO_WITNESS
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.schema import Problem, did_you_mean, problem

PATH = "continuity_policy"


def checked_policy(given: Mapping[str, Any], witness: str | None, problems: list[Problem]) -> dict[str, Any]:
    """Return the policy with its defaults filled in, asking for a witness only where there is one."""
    read = {key: value for key, value in given.items() if _is_sound(str(key), value, problems)}
    if witness == NO_WITNESS:
        if read.get("witness"):
            expected = f"false, or left out: continuity_witness is {NO_WITNESS}"
            problems.append(problem(f"{PATH}.witness", expected, read["witness"]))
        read["witness"] = False
    try:
        return dict(read_policy(read)._asdict())
    except VerdictInputError as error:
        problems.append(_problem(error, read))
        return {**Policy()._asdict(), **read}


def _is_sound(key: str, value: object, problems: list[Problem]) -> bool:
    if key not in READERS:
        problems.append(problem(f"{PATH}.{key}", f"no such key{did_you_mean(key, READERS)}", value))
        return False
    try:
        READERS[key](Field(f"policy.{key}", value))
    except VerdictInputError as error:
        problems.append(_problem(error, {key: value}))
        return False
    return True


def _problem(error: VerdictInputError, policy: Mapping[str, Any]) -> Problem:
    key = error.path.rpartition(".")[2]
    return problem(f"continuity_{error.path}", error.expected, policy.get(key, getattr(Policy(), key)))
