#!/usr/bin/python
# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say which process this run is, and whether a lock's owner is gone."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: continuity_owner
short_description: Say which process this run is, and whether the owner of a lock is provably gone
version_added: 0.1.0
description:
  - Runs on the controller (C(localhost)). Names the ansible process that the module runs under by host, boot, pid
    namespace, pid and start time.
  - Given the owner of a lock, says whether that process is provably dead - same boot, same pid namespace, and the pid
    gone or another process.
  - Of an owner on another machine, boot or container nothing is known.
options:
  run_id:
    description: Identity of the run, kept with the owner so that a person can read who holds a lock.
    type: str
  holder:
    description: Owner of a lock, as V(lock.owner) of P(contactcenter.sip_dr.store_records#filter) gives it.
    type: dict
extends_documentation_fragment:
  - contactcenter.sip_dr.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
author:
  - The sip-dr founders (@sip-dr)
"""

EXAMPLES = r"""
- name: Who am I, and does the lock's owner still live
  contactcenter.sip_dr.continuity_owner:
    run_id: "{{ continuity_run_id }}"
    holder: "{{ (__store.lock or {}).owner | default(omit) }}"
  delegate_to: localhost
  register: __continuity_owner
"""

RETURN = r"""
me:
  description: This run - C(hostname), C(boot_id), C(pid_namespace), C(pid), C(started) (clock ticks since boot),
    C(run).
  returned: always
  type: dict
holder:
  description: C(state) (V(dead), V(alive) or V(unknown)), C(words), and C(owner) as it was given.
  returned: holder was given
  type: dict
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.owner import identify, judge


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={"run_id": {"type": "str"}, "holder": {"type": "dict"}},
        supports_check_mode=True,
    )
    result: Dict[str, Any] = {"changed": False, "me": identify(module.params["run_id"])}
    if module.params["holder"]:
        result["holder"] = judge(module.params["holder"])
    module.exit_json(**result)


if __name__ == "__main__":
    main()
