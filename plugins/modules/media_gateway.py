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
  - Both sites stay in service where the make of the gateway allows it, so that its own failover still works.
  - What stood before the first change is kept on the gateway's host, and O(door=restore) puts back exactly that.
  - Runs on the gateway, or on the host from which it is managed.
options:
  door:
    description:
      - V(observe) reads, and with O(site) returns what V(take_over) would change as RV(before).
      - V(readiness) lists what a change would need.
      - V(take_over) prefers O(site). V(release) prefers the other site.
      - V(restore) puts back what stood before the first change.
      - V(verify) fails unless O(site) is preferred and answers OPTIONS from here.
    type: str
    choices: [observe, readiness, release, take_over, restore, verify]
    default: observe
  site:
    description: The site that the door is about; needed by V(take_over), V(release), V(verify), taken by V(observe).
    type: str
  sites:
    description:
      - SIP address of each of the two sites, by name, with C(address), C(port) and C(transport) (V(udp), V(tcp) or
        V(tls)), and C(server_name), the name that its certificate must hold, where that is not the address.
    type: dict
    default: {}
  driver:
    description:
      - Make of the gateway. V(cisco_cube) needs a C(network_cli) connection.
      - V(command) is any other that has a command line.
    type: str
    choices: [audiocodes, cisco_cube, command, kamailio, opensips, oracle]
    default: kamailio
  name:
    description:
      - Name of the gateway, where several are managed from one host; each has its own record of what stood before.
      - Letters, digits, dots, dashes and underscores.
    type: str
    default: ""
  elsewhere:
    description:
      - Whether the module runs neither on the gateway nor on a host that keeps anything for it, but on the controller.
      - Then nothing is written to O(state_dir), no token is compared, and V(verify) asks the gateway's own keep-alive.
    type: bool
    default: false
  before:
    description: With O(elsewhere), what stood before the first change, as V(observe) returned it; the caller keeps it.
    type: dict
    default: {}
  driver_options:
    description:
      - Options of the driver, times in seconds. The README of the role C(media_gateway) has a table of them for each.
      - >-
        V(audiocodes): C(address), C(username), C(password_file), C(ca_file), C(server_name), C(proxy_set), C(targets),
        C(states), C(keepalive_max), C(timeout), C(busy_deadline), C(busy_interval), C(apply_deadline),
        C(apply_interval).
      - "V(cisco_cube): C(targets), C(server_group), C(keep), C(save), C(keepalive_max), C(command_timeout)."
      - >-
        V(command): C(targets), C(read_command), C(prefer_command), C(restore_command), C(save_command) (lists of
        words, run without a shell; C({site}) and C({target}) stand for the site and its value in C(targets)),
        C(target_pattern), C(prefers_pattern), C(saved_pattern), C(keepalive_pattern), C(up), C(down),
        C(out_of_service), C(prefer_enables), C(secrets) (environment variables from files of mode 0600),
        C(command_timeout), C(apply_deadline), C(apply_interval), C(keepalive_max), C(keepalive_required).
      - >-
        V(kamailio): C(rpc_url) (C(http://…) or C(unix:/path)), C(list_file), C(set), C(rpc_timeout),
        C(reload_deadline), C(reload_interval), C(config_file), C(keepalive_max), C(keepalive_required).
      - >-
        V(opensips): C(mi_url), C(ca_file), C(partition), C(set), C(targets), C(in_order), C(mi_timeout),
        C(keepalive), C(keepalive_max), C(keepalive_required).
      - >-
        V(oracle): C(url), C(version), C(username), C(password_file), C(ca_file), C(group), C(targets), C(names),
        C(timeout), C(action_deadline), C(action_interval), C(keepalive_max).
      - A C(password_file) is on the host where the module runs, and has mode 0600.
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

- name: Let new calls go to site2 at a session border controller that is managed from here
  contactcenter.sip_dr.media_gateway:
    door: take_over
    site: site2
    name: sbc-east
    driver: oracle
    driver_options:
      url: https://sbc-east.example
      username: sip-dr
      password_file: /etc/sip-dr/sbc-east.password
      group: SIPSERVERS
      targets: {site1: sip1.example, site2: sip2.example}

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
before:
  description:
    - What V(take_over) of O(site) would change, by the driver's own keys, for O(before) of V(restore).
    - Empty where nothing would change.
  type: dict
  returned: O(door=observe) with O(site)
  sample: {"sip:10.71.1.100:5060": {"flags": "0", "priority": "10"}}
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
by_hand:
  description:
    - What a person types or clicks at the gateway in place of this door, line by line.
    - With O(door=restore) what was recorded, by the driver's own keys.
  returned: when a changing door failed, and in check mode
  type: list
  elements: str
  sample:
    - "in /etc/kamailio/dispatcher.list, lines of set 1:"
    - "  duid=site2: flags 0, priority 10 (columns 3 and 4)"
    - "  the other site's: priority 5"
    - kamcmd dispatcher.reload
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

from typing import Any, Dict, List, Optional

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.actions import (
    Gateway,
    Given,
    Outcome,
    Record,
    gateway_of,
    other_site,
    record_here,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import GatewayError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.registry import DRIVERS
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
    "driver": {"type": "str", "choices": sorted(DRIVERS), "default": "kamailio"},
    "driver_options": {"type": "dict", "default": {}},
    "name": {"type": "str", "default": ""},
    "elsewhere": {"type": "bool", "default": False},
    "before": {"type": "dict", "default": {}},
    **SIP_TIMERS,
    **SIP_TLS,
}
CHANGING = ("take_over", "release", "restore")
NEEDS_SITE = [("door", door, ["site"]) for door in ("take_over", "release", "verify")]


def record_of(params: Dict[str, Any]) -> Record:
    """Return where what stood before the first change is kept. Raises GatewayError for a name that cannot be."""
    if params["elsewhere"]:
        return Given(params["before"])
    return record_here(params["state_dir"], params["name"])


def look(gateway: Gateway, params: Dict[str, Any]) -> Dict[str, Any]:
    """Go through a door that changes nothing. Raises GatewayError."""
    if params["door"] == "readiness":
        items = gateway.readiness(list(params["sites"]))
        return {"changed": False, "readiness": items, "ready": all(item["met"] for item in items), "detail": "checked"}
    if params["door"] == "verify":
        client = None if params["elsewhere"] else sip_client(params)
        return result(gateway.verify(params["site"], params["sites"], client))
    found = result(gateway.observe())
    return dict(found, before=gateway.standing(params["site"])) if params["site"] else found


def change(gateway: Gateway, params: Dict[str, Any], check_mode: bool) -> Dict[str, Any]:
    """Go through a door that changes something, as a step of the run. Raises what main reports."""
    state_dir = None if params["elsewhere"] else params["state_dir"]
    with run_step(params["run"], state_dir, check_mode) as step:
        site = site_of(params)
        outcome = gateway.restore(step) if site is None else gateway.prefer(site, step)
        step.end(changed=outcome.changed, detail=outcome.detail)
    return dict(result(outcome), journal=step.journal)


def site_of(params: Dict[str, Any]) -> Optional[str]:
    """Return the site that a changing door prefers; None: what stood before is put back. Raises GatewayError."""
    if params["door"] == "release":
        return other_site(params["site"], list(params["sites"]))
    return params["site"] if params["door"] == "take_over" else None


def by_hand(gateway: Gateway, params: Dict[str, Any]) -> List[str]:
    """Return what a person does at the gateway in place of this door."""
    try:
        return gateway.by_hand(site_of(params))
    except GatewayError:
        return []


def result(outcome: Outcome) -> Dict[str, Any]:
    """Return the outcome as what the module exits with."""
    found: Dict[str, Any] = {"changed": outcome.changed, "detail": outcome.detail}
    if outcome.gateway:
        found["gateway"] = outcome.gateway
    if outcome.before or outcome.after:
        found["diff"] = {"before": outcome.before, "after": outcome.after}
    return found


def go(gateway: Gateway, module: AnsibleModule) -> Dict[str, Any]:
    """Go through the door and return what to exit with. Fails the module, for a changing door with `by_hand`."""
    params = module.params
    changes = params["door"] in CHANGING
    told: Dict[str, Any] = {"by_hand": by_hand(gateway, params)} if changes else {}
    try:
        found = change(gateway, params, module.check_mode) if changes else look(gateway, params)
    except RefusedError as error:
        module.fail_json(msg=str(error), refused=error.refusal, **told)
    except (GatewayError, JournalError, OSError) as error:
        module.fail_json(msg=str(error), **told)
    return dict(found, **told) if module.check_mode else found


def main() -> None:
    """Parse, act, exit."""
    module = AnsibleModule(dict(ARGUMENTS, **RUN_OPTION), supports_check_mode=True, required_if=NEEDS_SITE)
    params = module.params
    try:
        gateway = gateway_of(
            params["driver"], params["driver_options"], record_of(params), module.check_mode, module._socket_path
        )
    except GatewayError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**go(gateway, module))


if __name__ == "__main__":
    main()
