#!/usr/bin/python
# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which site a service's name means."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: service_name
short_description: Let names mean the site that has the master, on this client
version_added: 0.1.0
author: The sip-dr founders (@sip-dr)
description:
  - Configuration Server Proxies find the master by a name. Moving the master means changing what that name resolves to.
  - The driver V(hosts_file) changes the hosts file of this client, atomically, and keeps every other name and comment.
options:
  door:
    description:
      - V(observe) reads which addresses each name has. V(readiness) lists what a change will need.
      - V(take_over) lets each name mean its address and no other.
      - V(release) lets each name no longer mean its address.
      - V(restore) puts back what every recorded name meant before the first change.
      - V(verify) fails unless this host's own resolver gives each name its address and no other.
    type: str
    choices: [observe, readiness, release, take_over, restore, verify]
    default: observe
  driver:
    description: Where the name is kept.
    type: str
    choices: [hosts_file]
    default: hosts_file
  names:
    description: The address that the door is about, by name.
    type: dict
    default: {}
  path:
    description: The hosts file.
    type: path
    default: /etc/hosts
  deadline:
    description: Seconds for V(verify) to see the address, for resolvers that keep an answer for a while.
    type: float
    default: 10
  interval:
    description: Seconds between two looks while waiting.
    type: float
    default: 0.2
extends_documentation_fragment:
  - contactcenter.sip_dr.attributes
  - contactcenter.sip_dr.run
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
"""

EXAMPLES = r"""
- name: Let the proxies of this host find the master at site2
  contactcenter.sip_dr.service_name:
    door: take_over
    names: {confserv-master: 10.71.2.20}
    run: {id: 20260131-031415, token: 7, step: repoint_names}
"""

RETURN = r"""
journal:
  description: What was written to the run journal about this step - its begin and its end.
  returned: a changing door, with O(run)
  type: list
  elements: dict
detail:
  description: How it ended, in a sentence.
  type: str
  returned: always
addresses:
  description: What each of O(names) means, in the order of the file.
  type: dict
  returned: every door but V(verify)
readiness:
  description: What a change will need, each with C(item), C(met), C(evidence) and C(way).
  type: list
  elements: dict
  returned: O(door=readiness)
ready:
  description: Whether all of it is met.
  type: bool
  returned: O(door=readiness)
refused:
  description: The guard that refused, its evidence, and the way round.
  type: dict
  returned: refused
"""

import ipaddress
from pathlib import Path
from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import Recorded
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import (
    RUN_OPTION,
    JournalError,
    StaleTokenError,
    run_step,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.service_name import HostsFile, ServiceNameError

ARGUMENTS: Dict[str, Any] = {
    "door": {
        "type": "str",
        "choices": ["observe", "readiness", "release", "take_over", "restore", "verify"],
        "default": "observe",
    },
    "driver": {"type": "str", "choices": ["hosts_file"], "default": "hosts_file"},
    "names": {"type": "dict", "default": {}},
    "path": {"type": "path", "default": "/etc/hosts"},
    "deadline": {"type": "float", "default": 10},
    "interval": {"type": "float", "default": 0.2},
}


def pass_door(doors: HostsFile, params: Dict[str, Any], check_mode: bool) -> Dict[str, Any]:
    """Go through the door that was asked for and return the result."""
    door = params["door"]
    if door in ("observe", "readiness"):
        return doors.observe() if door == "observe" else doors.readiness()
    if door == "verify":
        return doors.verify(params["deadline"], params["interval"])
    with run_step(params["run"], params["state_dir"], check_mode) as step:
        result = {"release": doors.release, "take_over": doors.take_over, "restore": doors.restore}[door](step)
        step.end(changed=result["changed"], detail=result["detail"])
    return dict(result, journal=step.journal)


def main() -> None:
    """Parse, act, exit."""
    module = AnsibleModule(dict(ARGUMENTS, **RUN_OPTION), supports_check_mode=True)
    params = module.params
    recorded = Recorded(params["state_dir"], "service_name")
    try:
        names = {name: str(ipaddress.ip_address(address)) for name, address in params["names"].items()}
        doors = HostsFile(Path(params["path"]), names, recorded, module.check_mode)
        result = pass_door(doors, params, module.check_mode)
    except StaleTokenError as refused:
        module.fail_json(msg=str(refused), refused=refused.refusal)
    except (ServiceNameError, JournalError, ValueError, OSError) as error:
        module.fail_json(msg=f"service names: {error}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
