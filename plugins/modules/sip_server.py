#!/usr/bin/python
# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Business Continuity peering and single-site mode of a site's SIP Servers."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sip_server
short_description: See, wait for and pin single-site mode of a site's SIP Servers
version_added: 0.1.0
author: The sip-dr founders (@sip-dr)
description:
  - A SIP Server goes into single-site mode by itself when its inter-site Trunk DN is out of service.
  - It peers again by itself when the trunk is back. This module waits and asserts.
  - Only V(pin) and V(unpin) change something, through the Configuration Layer, for a link that comes and goes.
  - Runs on a vantage host inside the site; it reads the HTTP monitoring pages of both SIP Servers of the pair.
options:
  door:
    description:
      - V(observe) reads the pages. V(readiness) lists what seeing single-site mode needs.
      - V(take_over) waits until the site works alone.
      - V(release) only reads; a site is isolated by the gateways, and its SIP Servers keep their configuration.
      - V(restore) waits until the site is peered again.
      - V(verify) fails at once unless the site is in the mode of O(expect).
      - V(pin) saves C([TServer] dr-peer-trunk) of O(application), and C([TServer] dr-forward) of each DN of O(switch)
        that has its own, removes them, and sees that SIP Server follows where its page tells the option.
      - V(pin) leaves the Application's C(dr-forward) as it is, for without a peer there is nobody to forward to.
      - V(unpin) puts back exactly what was saved, and forgets it. Without saved values it changes nothing.
      - V(pin) and V(unpin) are refused without a master Configuration Server that takes writes, and when somebody else
        changes the same object meanwhile.
    type: str
    choices: [observe, readiness, release, take_over, restore, verify, pin, unpin]
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
  application:
    description: Name of the primary SIP Server's Application, for V(pin) and V(unpin).
    type: str
  switch:
    description:
      - DBID of the SIP Server's switch, whose DNs V(pin) looks through for a C(dr-forward) of their own.
      - Left out, no DN is looked at.
    type: str
    default: ""
  page_names:
    description:
      - Names and words of the monitoring page, as lists, where they differ from the defaults.
      - Genesys does not publish the names of its elements; M(contactcenter.sip_dr.site_probe) has the same option.
      - "Keys: C(run_mode), C(primary), C(backup), C(trunk), C(in_service), C(peer_trunk), C(yes), C(no)."
    type: dict
    default: {}
  deadline:
    description: Seconds to wait for the mode, or for the page to follow a pin.
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
  - contactcenter.sip_dr.configuration_layer
  - contactcenter.sip_dr.run
attributes:
  check_mode:
    support: full
    details: It looks once, and does not wait. V(pin) and V(unpin) log in and read, and write nothing.
  diff_mode:
    support: full
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

- name: Keep it alone while the link comes and goes
  contactcenter.sip_dr.sip_server:
    door: pin
    legs:
      s2-sip-a: {address: 10.71.2.11}
      s2-sip-b: {address: 10.71.2.12}
    trunk: {dn: trunk_site1, oos_check: 1, oos_force: 2}
    application: SIP_Server_2
    switch: "102"
    layer:
      url: https://gax.site2.example.com:8443/gax/api/
      user: sip-dr
      password: "{{ vault_gax_password }}"
    run: {id: 20260131-031415, token: 7, step: pin}
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
    peer_trunk: trunk_site1
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
saved:
  description:
    - What V(unpin) puts back, by object and option. After V(unpin), what it has put back.
    - It lies on this host; whoever calls keeps it, too.
  type: dict
  returned: when O(door=pin) or O(door=unpin)
  sample:
    Application SIP_Server_2: {"[TServer] dr-peer-trunk": trunk_site1}
refused:
  description: The guard that refused, its evidence, and the way round.
  type: dict
  returned: when a guard refused
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer import LayerError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer.registry import (
    LAYER_OPTION,
    layer_of,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.peering import (
    PEERED,
    SINGLE_SITE,
    Pair,
    PeeringError,
    Trunk,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.pinning import Pinning, Server, Waits, record_of
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
        "choices": ["observe", "readiness", "release", "take_over", "restore", "verify", "pin", "unpin"],
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
    "application": {"type": "str"},
    "switch": {"type": "str", "default": ""},
    "page_names": {"type": "dict", "default": {}},
    "deadline": {"type": "float", "default": 20.0},
    "interval": {"type": "float", "default": 1.0},
    "connect_timeout": {"type": "float", "default": 3.0},
}
WAITS_FOR = {"take_over": SINGLE_SITE, "restore": PEERED}
PINS = ("pin", "unpin")


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


def pin(pair: Pair, params: Dict[str, Any], check_mode: bool) -> Dict[str, Any]:
    """Pin or unpin, as a step of the run. Raises what main reports."""
    server = Server(params["application"], params["switch"])
    waits = Waits(params["deadline"], params["interval"])
    recorded = record_of(params["state_dir"], params["application"])
    pinning = Pinning(layer_of(params["layer"]), server, pair, recorded, waits, check_mode)
    with run_step(params["run"], params["state_dir"], check_mode) as step:
        result = {"pin": pinning.pin, "unpin": pinning.unpin}[params["door"]](step)
        step.end(changed=result["changed"], detail=result["detail"])
    return dict(result, journal=step.journal)


def through(pair: Pair, params: Dict[str, Any], check_mode: bool) -> Dict[str, Any]:
    """Go through the door. Raises what main reports."""
    if params["door"] in PINS:
        return pin(pair, params, check_mode)
    return wait(pair, params, check_mode) if params["door"] in WAITS_FOR else look(pair, params)


def main() -> None:
    """Parse, go through the door, exit."""
    needs = [("door", door, ["application", "layer"]) for door in PINS]
    arguments = dict(ARGUMENTS, **LAYER_OPTION, **RUN_OPTION)
    module = AnsibleModule(arguments, required_if=needs, supports_check_mode=True)
    params = module.params
    try:
        found = through(pair_of(params), params, module.check_mode)
    except RefusedError as error:
        module.fail_json(msg=str(error), refused=error.refusal)
    except PeeringError as error:
        module.fail_json(msg=str(error), peering=error.seen)
    except (LayerError, JournalError, OSError, ValueError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**found)


if __name__ == "__main__":
    main()
