#!/usr/bin/python
# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Business Continuity peering and single-site mode of a site's SIP Servers."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sip_server
short_description: See and wait for single-site mode of a site's SIP Servers
version_added: 0.1.0
author: The sip-dr founders (@sip-dr)
description:
  - A SIP Server goes into single-site mode by itself when its inter-site Trunk DN is out of service.
  - It peers again by itself when the trunk is back. This module changes nothing; it waits and asserts.
  - Runs on a vantage host inside the site; it reads the HTTP monitoring pages of both SIP Servers of the pair.
options:
  door:
    description:
      - V(observe) reads the pages. V(readiness) lists what seeing single-site mode needs.
      - V(take_over) waits until the site works alone.
      - V(release) only reads; a site is isolated by the gateways, and its SIP Servers keep their configuration.
      - V(restore) waits until the site is peered again.
      - V(verify) fails at once unless the site is in the mode of O(expect).
    type: str
    choices: [observe, readiness, release, take_over, restore, verify]
    default: observe
  legs:
    description: The pair's SIP Servers by name, each with C(address).
    type: dict
    required: true
  monitoring_port:
    description: Port of the monitoring pages, C(http-port) of the SIP Server application.
    type: int
    default: 8080
  trunk:
    description: The inter-site Trunk DN to the peer.
    type: dict
    required: true
    suboptions:
      dn:
        description: Its number.
        type: str
        required: true
      oos_check:
        description: Its option C(oos-check) in seconds; V(0) when it is not set.
        type: int
        default: 0
      oos_force:
        description: Its option C(oos-force).
        type: int
        default: 0
  expect:
    description: The mode that V(verify) asserts.
    type: str
    choices: [single_site, peered]
    default: single_site
  page_names:
    description:
      - Names and words of the monitoring page, as lists, where they differ from the defaults.
      - Genesys does not publish the names of its elements; M(contactcenter.sip_dr.site_probe) has the same option.
      - "Keys: C(run_mode), C(primary), C(backup), C(trunk), C(in_service), C(yes), C(no)."
    type: dict
    default: {}
  deadline:
    description: Seconds to wait for the mode.
    type: float
    default: 20.0
  interval:
    description: Seconds between two looks.
    type: float
    default: 1.0
  connect_timeout:
    description: Seconds until a page that does not answer is given up.
    type: float
    default: 3.0
extends_documentation_fragment:
  - contactcenter.sip_dr.attributes
  - contactcenter.sip_dr.run
attributes:
  check_mode:
    support: full
    details: It looks once, and does not wait.
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: Wait until the surviving site works alone
  contactcenter.sip_dr.sip_server:
    door: take_over
    legs:
      s2-sip-a: {address: 10.71.2.11}
      s2-sip-b: {address: 10.71.2.12}
    trunk: {dn: trunk_site1, oos_check: 1, oos_force: 2}
    run: {id: 20260131-031415, token: 7, step: single_site}
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
peering:
  description: What the pages say.
  type: dict
  returned: when they were read
  sample:
    mode: single_site
    primary: s2-sip-a
    trunk_in_service: false
    legs:
      s2-sip-a: {answers: true, run_mode: primary, detail: run mode primary}
      s2-sip-b: {answers: true, run_mode: backup, detail: run mode backup}
    detail: s2-sip-a runs as primary; trunk_site1 out of service
readiness:
  description: What seeing single-site mode needs, each with C(item), C(met), C(evidence) and C(way).
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

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.peering import (
    PEERED,
    SINGLE_SITE,
    Pair,
    PeeringError,
    Trunk,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Settings
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.page import PageNames
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import (
    RUN_OPTION,
    JournalError,
    run_step,
)

ARGUMENTS: Dict[str, Any] = {
    "door": {
        "type": "str",
        "choices": ["observe", "readiness", "release", "take_over", "restore", "verify"],
        "default": "observe",
    },
    "legs": {"type": "dict", "required": True},
    "monitoring_port": {"type": "int", "default": 8080},
    "trunk": {
        "type": "dict",
        "required": True,
        "options": {
            "dn": {"type": "str", "required": True},
            "oos_check": {"type": "int", "default": 0},
            "oos_force": {"type": "int", "default": 0},
        },
    },
    "expect": {"type": "str", "choices": [SINGLE_SITE, PEERED], "default": SINGLE_SITE},
    "page_names": {"type": "dict", "default": {}},
    "deadline": {"type": "float", "default": 20.0},
    "interval": {"type": "float", "default": 1.0},
    "connect_timeout": {"type": "float", "default": 3.0},
}
WAITS_FOR = {"take_over": SINGLE_SITE, "restore": PEERED}


def pair_of(params: Dict[str, Any]) -> Pair:
    """Return the site's SIP Servers of the module's options. Raises ValueError, which names the option."""
    try:
        legs = {name: str(leg["address"]) for name, leg in params["legs"].items()}
        names = PageNames(**{name: tuple(words) for name, words in params["page_names"].items()})
    except (KeyError, TypeError) as error:
        raise ValueError(f"legs: an address each, page_names: lists by known names expected ({error})") from error
    settings = Settings(connect_timeout=params["connect_timeout"], page_names=names)
    return Pair(legs, params["monitoring_port"], Trunk(**params["trunk"]), settings)


def look(pair: Pair, params: Dict[str, Any]) -> Dict[str, Any]:
    """Go through a door that does not wait. Raises PeeringError, RefusedError."""
    if params["door"] == "readiness":
        items = pair.readiness()
        return {"changed": False, "readiness": items, "ready": all(item["met"] for item in items), "detail": "checked"}
    seen = pair.verify(params["expect"]) if params["door"] == "verify" else pair.observe()
    return {"changed": False, "peering": seen, "detail": seen["detail"]}


def wait(pair: Pair, params: Dict[str, Any], check_mode: bool) -> Dict[str, Any]:
    """Wait for the door's mode, as a step of the run. Raises what main reports."""
    wanted = WAITS_FOR[params["door"]]
    with run_step(params["run"], params["state_dir"], check_mode) as step:
        seen = pair.observe() if check_mode else pair.wait(wanted, params["deadline"], params["interval"])
        step.end(changed=False, detail=seen["detail"])
    return {"changed": False, "peering": seen, "detail": seen["detail"], "journal": step.journal}


def main() -> None:
    """Parse, look or wait, exit."""
    module = AnsibleModule(dict(ARGUMENTS, **RUN_OPTION), supports_check_mode=True)
    params = module.params
    try:
        pair = pair_of(params)
        found = wait(pair, params, module.check_mode) if params["door"] in WAITS_FOR else look(pair, params)
    except RefusedError as error:
        module.fail_json(msg=str(error), refused=error.refusal)
    except PeeringError as error:
        module.fail_json(msg=str(error), peering=error.seen)
    except (JournalError, OSError, ValueError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**found)


if __name__ == "__main__":
    main()
