#!/usr/bin/python
# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where SIP phones register."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sip_phone
short_description: Move SIP phones to a site, put them back, verify who is registered
version_added: 0.1.0
author: The sip-dr founders (@sip-dr)
description:
  - Phones of dual registration are with both sites already; they are only counted.
  - Phones of single registration get their provisioning file rewritten, and a NOTIFY to read it again.
  - A phone counts as registered when the site's registrar lists a binding for it.
  - Runs on the phones' provisioning host, once for all phones.
options:
  door:
    description:
      - V(observe) reads who is registered where. V(readiness) lists what a move would need.
      - V(take_over) moves the phones to O(site). V(release) moves them to the other site.
      - V(restore) puts the provisioning files back as they were before the first move.
      - V(verify) fails unless O(min_registered) of the phones are registered at O(site).
      - Phones are only sent to a server that answers OPTIONS.
    type: str
    choices: [observe, readiness, release, take_over, restore, verify]
    default: observe
  site:
    description: The site that the door is about; needed by V(take_over), V(release) and V(verify).
    type: str
  servers:
    description:
      - SIP address of each of the two sites, by name, with C(address), C(port) and C(transport) (V(udp) or V(tcp)).
      - Phones are not moved or asked over TLS.
    type: dict
    required: true
  phones:
    description:
      - All phones, each with C(name), C(dn), C(registration) (V(dual) or V(single)), C(address), C(port).
      - Phones of single registration have a C(driver) (V(yealink)) and a C(mac) too.
    type: list
    elements: dict
    required: true
  directory:
    description: The provisioning directory.
    type: path
    default: /srv/provisioning
  min_registered:
    description: Share of the phones that must be registered, 0 to 1.
    type: float
    default: 0.95
  deadline:
    description: Seconds to wait for the registrations after a move.
    type: float
    default: 30.0
  interval:
    description: Seconds between two looks at the registrations.
    type: float
    default: 1.0
  notify_rate:
    description: How many phones are asked within one second to read their file again.
    type: int
    default: 50
extends_documentation_fragment:
  - contactcenter.sip_dr.attributes
  - contactcenter.sip_dr.run
  - contactcenter.sip_dr.sip_timers
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
notes:
  - Many phones take a NOTIFY only from an address that they trust; allow the provisioning host there.
"""

EXAMPLES = r"""
- name: Move the phones to site2
  contactcenter.sip_dr.sip_phone:
    door: take_over
    site: site2
    servers:
      site1: {address: 10.71.1.100}
      site2: {address: 10.71.2.100}
    phones:
      - {name: agent-1001, dn: "1001", registration: dual, address: 10.71.4.10, port: 5090}
      - {name: agent-1021, dn: "1021", registration: single, driver: yealink, mac: "001565000021", address: 10.71.4.10}
    run: {id: 20260131-031415, token: 7, step: move_phones}
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
sites:
  description: For each site whether its registrar C(answers), and the names of the C(registered) phones.
  type: dict
  returned: when O(door=observe)
registered:
  description: Names of the phones that are registered where they should be.
  type: list
  elements: str
  returned: when they were looked for
missing:
  description: Names of the others.
  type: list
  elements: str
  returned: when they were looked for
share:
  description: Registered of all, 0 to 1.
  type: float
  returned: when they were looked for
notified:
  description: Status of each phone's answer to the NOTIFY, null without one.
  type: dict
  returned: when phones were asked to read their file again
problems:
  description: Phones whose provisioning file could not be read, and why.
  type: dict
  returned: when there are such
readiness:
  description: What a move will need, each with C(item), C(met), C(evidence) and C(way).
  type: list
  elements: dict
  returned: when O(door=readiness)
ready:
  description: Whether all of it is met.
  type: bool
  returned: when O(door=readiness)
refused:
  description: The guard that refused, its evidence, and the way round.
  type: dict
  returned: when a guard refused
"""

from pathlib import Path
from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.actions import (
    Fleet,
    Report,
    Timing,
    TooFewPhonesError,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import PhoneError, phone_of, server_of
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.provisioning import Provisioning
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import (
    RUN_OPTION,
    JournalError,
    run_step,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.timers import SIP_TIMERS, sip_client

ARGUMENTS: Dict[str, Any] = {
    "door": {
        "type": "str",
        "choices": ["observe", "readiness", "release", "take_over", "restore", "verify"],
        "default": "observe",
    },
    "site": {"type": "str"},
    "servers": {"type": "dict", "required": True},
    "phones": {"type": "list", "elements": "dict", "required": True},
    "directory": {"type": "path", "default": "/srv/provisioning"},
    "min_registered": {"type": "float", "default": 0.95},
    "deadline": {"type": "float", "default": 30.0},
    "interval": {"type": "float", "default": 1.0},
    "notify_rate": {"type": "int", "default": 50},
    **SIP_TIMERS,
}
NEEDS_SITE = [("door", door, ["site"]) for door in ("take_over", "release", "verify")]


def fleet_of(params: Dict[str, Any], check_mode: bool) -> Fleet:
    """Return the phones of the module's options. Raises PhoneError, which names the option and what was expected."""
    if params["notify_rate"] < 1:
        raise PhoneError(f"notify_rate: 1 or more expected, {params['notify_rate']} given")
    return Fleet(
        phones=[phone_of(data, f"phones[{index}]") for index, data in enumerate(params["phones"])],
        servers={site: server_of(site, data) for site, data in params["servers"].items()},
        provisioning=Provisioning(Path(params["directory"])),
        client=sip_client(params),
        timing=Timing(params["deadline"], params["interval"], params["notify_rate"]),
        state_dir=params["state_dir"],
        min_registered=params["min_registered"],
        check_mode=check_mode,
    )


def look(fleet: Fleet, params: Dict[str, Any]) -> Dict[str, Any]:
    """Go through a door that changes nothing. Raises PhoneError."""
    if params["door"] == "readiness":
        items = fleet.readiness()
        return {"changed": False, "readiness": items, "ready": all(item["met"] for item in items), "detail": "checked"}
    if params["door"] == "verify":
        return result(fleet.verify(params["site"]))
    return {"changed": False, "sites": fleet.observe(), "detail": f"{len(fleet.phones)} phones looked for"}


def change(fleet: Fleet, params: Dict[str, Any]) -> Dict[str, Any]:
    """Go through a door that changes something, as a step of the run. Raises what main reports."""
    with run_step(params["run"], params["state_dir"], fleet.check_mode) as step:
        if params["door"] == "restore":
            report = fleet.restore(step)
        else:
            report = fleet.move(fleet.target(params["site"], params["door"]), step)
        step.end(changed=report.changed, detail=report.detail)
    return dict(result(report), journal=step.journal)


def result(report: Report) -> Dict[str, Any]:
    """Return the report as what the module exits with."""
    found: Dict[str, Any] = {"changed": report.changed, "detail": report.detail}
    if report.registered or report.missing:
        found.update(registered=report.registered, missing=report.missing, share=round(report.share, 4))
    if report.notified:
        found["notified"] = report.notified
    if report.problems:
        found["problems"] = report.problems
    if report.changed:
        found["diff"] = {"before": report.before, "after": report.after}
    return found


def main() -> None:
    """Parse, act, exit."""
    module = AnsibleModule(dict(ARGUMENTS, **RUN_OPTION), supports_check_mode=True, required_if=NEEDS_SITE)
    params = module.params
    try:
        fleet = fleet_of(params, module.check_mode)
        changes = params["door"] in ("release", "take_over", "restore")
        found = change(fleet, params) if changes else look(fleet, params)
    except RefusedError as error:
        module.fail_json(msg=str(error), refused=error.refusal)
    except TooFewPhonesError as error:
        module.fail_json(msg=str(error), **result(error.report))
    except (PhoneError, JournalError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**found)


if __name__ == "__main__":
    main()
