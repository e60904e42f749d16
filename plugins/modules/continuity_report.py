#!/usr/bin/python
# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run directory: evidence, hash-chained journal, report."""

from __future__ import annotations

DOCUMENTATION = r"""
module: continuity_report
short_description: Writes, reads, proves and seals the evidence and the report of a run
version_added: 0.1.0
author: The sip-dr founders (@sip-dr)
description:
  - Keeps a directory for each run with C(observations.jsonl), C(verdict.json), C(plan.json), C(journal.jsonl),
    C(report.json) and C(report.txt).
  - Each line of the journal carries the SHA-256 of the line before it, and a line that is there is never changed.
  - Reads no clock. The same run always gives the same files, so that a second call changes nothing.
options:
  door:
    description:
      - V(observe) reads the report of O(run_id), or the one written last.
      - V(readiness) lists what writing will need.
      - V(take_over) writes the evidence and the report.
      - V(release) seals the run - the hashes of all files go to C(evidence.sha256), and later changes are refused.
      - V(restore) writes C(report.txt) again from C(report.json).
      - V(verify) fails unless the hash chain holds and no file was changed.
    type: str
    choices: [observe, readiness, release, take_over, restore, verify]
    default: observe
  directory:
    description: Where the directories of all runs lie.
    type: path
    required: true
  run_id:
    description: The run; needed by all doors but V(observe) and V(readiness).
    type: str
  series:
    description:
      - What was judged, as RV(contactcenter.sip_dr.site_verdict#module:series) - policy and state from before, then
        observation and decision, in their order. It can be replayed.
    type: list
    elements: dict
    default: []
  decision:
    description: The decision.
    type: dict
    default: {}
  plan:
    description: The plan of P(contactcenter.sip_dr.continuity_plan#filter); empty for a run that only decides.
    type: dict
    default: {}
  journal:
    description:
      - Records of the hosts' journals, each with C(host), C(step), C(event), C(at), C(outcome), C(changed), C(detail).
      - Records that lie in the directory already are kept, and new ones follow them.
    type: list
    elements: dict
    default: []
  timeline:
    description: Moments of the run, each with C(at) (ISO 8601, UTC) and C(what).
    type: list
    elements: dict
    default: []
  checks:
    description: What was verified from outside, each with C(name), C(ok) and C(detail); a step's check has its name.
    type: list
    elements: dict
    default: []
  measured:
    description:
      - Figures for the table, by C(first_call_answered), C(phones_registered), C(agents_logged_in) and
        C(configuration_writable). What is left out is written as not measured.
    type: dict
    default: {}
  targets:
    description: What was aimed at, by the keys of O(measured).
    type: dict
    default: {}
  unprotected:
    description: Sentences to be said loudly, besides those that follow from decision, plan and journal.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    support: full
    description: Writes nothing and says what would be written.
  diff_mode:
    support: full
    description: Shows each file before and after.
"""

EXAMPLES = r"""
- name: Write the report
  contactcenter.sip_dr.continuity_report:
    door: take_over
    directory: /var/lib/sip-dr/runs
    run_id: 20260131-031415
    series: "{{ judged.series }}"
    decision: "{{ decision }}"
    plan: "{{ plan }}"
    journal: "{{ journal }}"

- name: Prove that nobody changed the evidence
  contactcenter.sip_dr.continuity_report:
    door: verify
    directory: /var/lib/sip-dr/runs
    run_id: 20260131-031415
"""

RETURN = r"""
path:
  description: The run's directory.
  type: str
  returned: when there is a run
report:
  description: The report as data; none where there is none.
  type: dict
  returned: O(door=observe)
text:
  description: The report for a person, line by line.
  type: list
  elements: str
  returned: when O(door) is V(observe), V(take_over) or V(restore)
readiness:
  description: What writing will need, each with C(item), C(met), C(evidence) and C(way).
  type: list
  elements: dict
  returned: when O(door=readiness)
ready:
  description: Whether all of it is met.
  type: bool
  returned: when O(door=readiness)
problems:
  description: What speaks against the evidence.
  type: list
  elements: str
  returned: when there is any
refused:
  description: The guard that refused, its evidence, and the way round.
  type: dict
  returned: when the run is sealed
"""

from pathlib import Path
from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.report_doors import DOORS
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_directory import EvidenceError

DATA: Dict[str, Any] = {
    "series": {"type": "list", "elements": "dict", "default": []},
    "decision": {"type": "dict", "default": {}},
    "plan": {"type": "dict", "default": {}},
    "journal": {"type": "list", "elements": "dict", "default": []},
    "timeline": {"type": "list", "elements": "dict", "default": []},
    "checks": {"type": "list", "elements": "dict", "default": []},
    "measured": {"type": "dict", "default": {}},
    "targets": {"type": "dict", "default": {}},
    "unprotected": {"type": "list", "elements": "str", "default": []},
}

ARGUMENTS: Dict[str, Any] = {
    "door": {
        "type": "str",
        "choices": ["observe", "readiness", "release", "take_over", "restore", "verify"],
        "default": "observe",
    },
    "directory": {"type": "path", "required": True},
    "run_id": {"type": "str"},
    **DATA,
}


def main() -> None:
    """Run one door."""
    module = AnsibleModule(
        ARGUMENTS,
        required_if=[("door", door, ["run_id"]) for door in ("release", "take_over", "restore", "verify")],
        supports_check_mode=True,
    )
    options = module.params
    try:
        result = DOORS[options["door"]](Path(options["directory"]), options["run_id"], options, module.check_mode)
    except EvidenceError as error:
        module.fail_json(msg=f"The evidence cannot be used: {error}", problems=error.problems)
    except RefusedError as error:
        module.fail_json(msg=f"Refused: {error}", refused=error.refusal)
    except OSError as error:
        module.fail_json(msg=f"The run directory cannot be used: {error}", problems=[str(error)])
    module.exit_json(**result)


if __name__ == "__main__":
    main()
