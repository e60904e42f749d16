#!/usr/bin/python
# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a media gateway sends new calls."""

from __future__ import annotations

DOCUMENTATION = r"""
module: media_gateway
short_description: Prefer a site at a media gateway, put back what stood, verify
version_added: 0.1.0
author: The sip-dr founders (@sip-dr)
description:
  - Sets which of the two sites a media gateway tries first.
  - Both sites stay in service, so that the gateway's own failover still works.
  - What stood before the first change is kept on the gateway's host, and O(door=restore) puts back exactly that.
  - Runs on the gateway, or on the host from which it is managed.
options:
  door:
    description:
      - V(observe) reads. V(readiness) lists what a change would need.
      - V(take_over) prefers O(site). V(release) prefers the other site.
      - V(restore) puts back what stood before the first change.
      - V(verify) fails unless O(site) is preferred and answers OPTIONS from here.
    type: str
    choices: [observe, readiness, release, take_over, restore, verify]
    default: observe
  site:
    description: The site that the door is about; needed by V(take_over), V(release) and V(verify).
    type: str
  sites:
    description:
      - SIP address of each of the two sites, by name, with C(address), C(port) and C(transport) (V(udp), V(tcp) or
        V(tls)), and C(server_name), the name that its certificate must hold, where that is not the address.
    type: dict
    default: {}
  driver:
    description: Make of the gateway.
    type: str
    choices: [kamailio]
    default: kamailio
  driver_options:
    description:
      - Options of the driver.
      - "V(kamailio): C(rpc_url), C(list_file), C(set), C(rpc_timeout), C(reload_deadline), C(reload_interval)."
    type: dict
    default: {}
extends_documentation_fragment:
  - contactcenter.sip_dr.attributes
  - contactcenter.sip_dr.run
  - contactcenter.sip_dr.sip_timers
  - contactcenter.sip_dr.sip_tls
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
"""

EXAMPLES = r"""
- name: Let new calls go to site2
  contactcenter.sip_dr.media_gateway:
    door: take_over
    site: site2
    run: {id: 20260131-031415, token: 7, step: prefer_survivor}

- name: Put back what stood before
  contactcenter.sip_dr.media_gateway:
    door: restore
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
gateway:
  description: The gateway as it runs.
  type: dict
  returned: when it was read
  sample:
    prefers: site2
    targets:
      site1: {admin: in_service, oper: down, priority: 5, state: IP, uri: "sip:10.71.1.100:5060"}
      site2: {admin: in_service, oper: up, priority: 10, state: AP, uri: "sip:10.71.2.100:5060"}
readiness:
  description: What a change will need, each with C(item), C(met), C(evidence) and C(way).
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
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.actions import (
    Gateway,
    Outcome,
    gateway_of,
    other_site,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import GatewayError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import (
    RUN_OPTION,
    JournalError,
    run_step,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.certificates import SIP_TLS
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.timers import SIP_TIMERS, sip_client

ARGUMENTS: Dict[str, Any] = {
    "door": {
        "type": "str",
        "choices": ["observe", "readiness", "release", "take_over", "restore", "verify"],
        "default": "observe",
    },
    "site": {"type": "str"},
    "sites": {"type": "dict", "default": {}},
    "driver": {"type": "str", "choices": ["kamailio"], "default": "kamailio"},
    "driver_options": {"type": "dict", "default": {}},
    **SIP_TIMERS,
    **SIP_TLS,
}
NEEDS_SITE = [("door", door, ["site"]) for door in ("take_over", "release", "verify")]


def look(gateway: Gateway, params: Dict[str, Any]) -> Dict[str, Any]:
    """Go through a door that changes nothing. Raises GatewayError."""
    if params["door"] == "readiness":
        items = gateway.readiness(list(params["sites"]))
        return {"changed": False, "readiness": items, "ready": all(item["met"] for item in items), "detail": "checked"}
    if params["door"] == "verify":
        client = sip_client(params)
        return result(gateway.verify(params["site"], params["sites"], client))
    return result(gateway.observe())


def change(gateway: Gateway, params: Dict[str, Any], check_mode: bool) -> Dict[str, Any]:
    """Go through a door that changes something, as a step of the run. Raises what main reports."""
    with run_step(params["run"], params["state_dir"], check_mode) as step:
        if params["door"] == "restore":
            outcome = gateway.restore(step)
        elif params["door"] == "release":
            outcome = gateway.prefer(other_site(params["site"], list(params["sites"])), step)
        else:
            outcome = gateway.prefer(params["site"], step)
        step.end(changed=outcome.changed, detail=outcome.detail)
    return dict(result(outcome), journal=step.journal)


def result(outcome: Outcome) -> Dict[str, Any]:
    """Return the outcome as what the module exits with."""
    found: Dict[str, Any] = {"changed": outcome.changed, "detail": outcome.detail}
    if outcome.gateway:
        found["gateway"] = outcome.gateway
    if outcome.before or outcome.after:
        found["diff"] = {"before": outcome.before, "after": outcome.after}
    return found


def main() -> None:
    """Parse, act, exit."""
    module = AnsibleModule(dict(ARGUMENTS, **RUN_OPTION), supports_check_mode=True, required_if=NEEDS_SITE)
    params = module.params
    try:
        gateway = gateway_of(params["driver"], params["driver_options"], params["state_dir"], module.check_mode)
        changes = params["door"] in ("release", "take_over", "restore")
        found = change(gateway, params, module.check_mode) if changes else look(gateway, params)
    except RefusedError as error:
        module.fail_json(msg=str(error), refused=error.refusal)
    except (GatewayError, JournalError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**found)


if __name__ == "__main__":
    main()
