#!/usr/bin/python
# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Agent desktops: who is logged in where, and whether Workspace can move by itself."""

from __future__ import annotations

DOCUMENTATION = r"""
module: agent_desktop
short_description: See who is logged in where, and whether agent desktops can move to the other site
version_added: 0.1.0
author: The sip-dr founders (@sip-dr)
description:
  - Agent desktops move by themselves, when Workspace's disaster-recovery options say so. This module looks, waits and
    asserts; it changes nothing.
  - Log-ins are read from the HTTP monitoring page of each site's primary SIP Server. No document that we could read
    shows a page that lists agents. The default is the page of T-Library client connections, for a desktop with an agent
    holds one (our inference); the names of its elements are not published, so they are options. Where it has no names,
    its number counts, which is an upper bound - it has URS, Stat Server and desktops without an agent in it.
    T-Library is not spoken.
  - Options are read from Applications in the Configuration Layer. What Tenants, Agent Groups and Persons override in
    their annexes is not read.
  - Runs on any host that reaches what it is asked to look at, once for all desktops.
options:
  door:
    description:
      - V(observe) reads log-ins, ports and options.
      - V(readiness) lists options that are missing or wrong, and whether each site's Stat Server and Configuration
        Server Proxy answer.
      - V(release), V(take_over) and V(restore) change nothing; they say what desktops do by themselves, and read
        log-ins and ports.
      - V(verify) waits until Stat Server and Configuration Server Proxy of O(site) answer and O(min_logged_in) of those
        in O(before) are logged in there. It fails otherwise, and names the missing ones.
    type: str
    choices: [observe, readiness, release, take_over, restore, verify]
    default: observe
  site:
    description: The site that the door is about; needed by V(release), V(take_over) and V(verify).
    type: str
  sites:
    description:
      - The sites to look at, by name.
      - C(legs) are the SIP Servers of the pair by name, each with C(address); C(monitoring_port) is their C(http-port)
        (8080).
      - C(stat_server) and C(proxy) (the Configuration Server Proxy) have C(address) and C(port). One that is left out
        is not looked at, and a readiness says so.
      - C(workspace_name) is how Workspace's options call the site; left out, its name here.
      - C(servers) are names of Applications that desktops connect to, whose annex must name the site.
    type: dict
    required: true
  applications:
    description: Names of the Workspace Applications whose options are read.
    type: list
    elements: str
    default: []
  option_names:
    description:
      - Section and names of Workspace's options where they differ from the defaults.
      - C(section) (C(interaction-workspace)), C(enabled) (C(disaster-recovery.enabled)), C(timeout)
        (C(disaster-recovery.timeout)), C(registrar) (C(sipendpoint.sbc-register-address)) and C(peer_registrar)
        (C(sipendpoint.sbc-register-address.peer)) are documented by the vendor.
      - So is C(server_site) (C(disaster-recovery.preferred-site)), in the annex of a server's Application.
      - C(preferred_site) (C(disaster-recovery.preferred-site)), in the options of the Workspace Application, is not.
      - An empty name is an option that is not asked for.
    type: dict
    default: {}
  max_timeout:
    description: The most that C(disaster-recovery.timeout) may be, in seconds. Workspace's own default is 60.
    type: int
    default: 60
  sip_endpoint:
    description:
      - Whether agents use Workspace SIP Endpoint, which must know the registrar of the peer site.
      - Say V(false) where agents have other phones.
    type: bool
    default: true
  login_page:
    description: Path of the monitoring page that tells who is logged in.
    type: str
    default: /server?tLibClientsStatistics
  login_names:
    description:
      - Names of the elements or attributes of O(login_page), compared without case, blanks, dots, hyphens and
        underscores.
      - The defaults are a guess. What is left out keeps its default.
    type: dict
    default: {}
    suboptions:
      agent:
        description: Names of those whose value is one agent who is logged in.
        type: list
        elements: str
      count:
        description: Names of those whose value is how many are, where no agent is named.
        type: list
        elements: str
  before:
    description:
      - Who was logged in before, for V(verify); RV(before) of an earlier V(observe).
      - A list of names, as the page tells them, or their number; or either of each site, by the site's name.
      - Left out, log-ins are not asserted.
    type: raw
  before_at:
    description: When O(before) was seen, for RV(detail).
    type: str
  min_logged_in:
    description: Share of O(before) that must be logged in at O(site), 0 to 1.
    type: float
    default: 0.95
  deadline:
    description: Seconds that V(verify) waits; more than C(disaster-recovery.timeout).
    type: float
    default: 90.0
  interval:
    description: Seconds between two looks.
    type: float
    default: 1.0
  connect_timeout:
    description: Seconds until a page or port that does not answer is given up.
    type: float
    default: 3.0
extends_documentation_fragment:
  - contactcenter.sip_dr.attributes
  - contactcenter.sip_dr.configuration_layer
  - contactcenter.sip_dr.page_names
  - contactcenter.sip_dr.run
attributes:
  check_mode:
    support: full
    details: V(verify) looks once, and does not wait.
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: Read who is logged in where
  contactcenter.sip_dr.agent_desktop:
    door: observe
    sites:
      site1: &site1
        legs: {s1-sip-a: {address: 10.71.1.11}, s1-sip-b: {address: 10.71.1.12}}
        stat_server: {address: 10.71.1.20, port: 2060}
        proxy: {address: 10.71.1.20, port: 2025}
        servers: [SIP_Server_1]
      site2: &site2
        legs: {s2-sip-a: {address: 10.71.2.11}, s2-sip-b: {address: 10.71.2.12}}
        stat_server: {address: 10.71.2.20, port: 2060}
        proxy: {address: 10.71.2.20, port: 2025}
        servers: [SIP_Server_2]
    applications: [Workspace]
    layer:
      url: https://gax.site1.example.com:8443/gax/api/
      user: sip-dr
      password: "{{ vault_gax_password }}"
  register: desktops

- name: Wait until the agents are logged in at the survivor
  contactcenter.sip_dr.agent_desktop:
    door: verify
    site: site2
    sites: {site2: *site2}
    before: "{{ desktops.before }}"
    min_logged_in: 0.9
"""

RETURN = r"""
detail:
  description: What was seen, in a sentence; at the doors that change nothing, what desktops do by themselves too.
  type: str
  returned: always
sites:
  description:
    - For each site C(primary) (the SIP Server that was asked), C(agents) and C(count) of those logged in (null where
      that is not told), C(stat_server) and C(proxy) with C(answers) (null where nobody looks) and C(detail).
  type: dict
  returned: when O(door) is neither V(readiness) nor V(verify)
  sample:
    site1:
      primary: s1-sip-a
      agents: ["1001", "1002"]
      count: 2
      stat_server: {answers: true, detail: "10.71.1.20:2060: connected"}
      proxy: {answers: true, detail: "10.71.1.20:2025: connected"}
      detail: "s1-sip-a: 2 agents logged in"
before:
  description:
    - Names of those who are logged in at any of the sites, or their number where a site does not name them.
    - Null where no site tells. A site that does not answer has nobody in it.
    - With V(verify), how many O(before) were.
  type: raw
  returned: when O(door) is not V(readiness); with V(verify) when O(before) is given
there:
  description: How many of O(before) are logged in at O(site).
  type: int
  returned: when O(door=verify) and O(before) is given
applications:
  description:
    - For each Workspace Application C(enabled), C(timeout) in seconds (null when it is no number), C(preferred_site),
      C(registrar), C(peer_registrar); or C(read=false) and C(detail).
  type: dict
  returned: when O(door) is neither V(readiness) nor V(verify); empty unless O(door=observe)
servers:
  description:
    - For each Application of C(servers) of a site the C(site) that its annex names; or C(read=false) and C(detail).
  type: dict
  returned: when O(door) is neither V(readiness) nor V(verify); empty unless O(door=observe)
readiness:
  description: What desktops will need to move, each with C(item), C(met), C(evidence) and C(way).
  type: list
  elements: dict
  returned: when O(door=readiness)
ready:
  description: Whether all of it is met.
  type: bool
  returned: when O(door=readiness)
site:
  description: What O(site) tells, as in RV(sites).
  type: dict
  returned: when O(door=verify)
share:
  description: Logged in of those before, 0 to 1.
  type: float
  returned: when O(door=verify) and O(before) is given
missing:
  description: Names of those who are not logged in; empty where names are not told.
  type: list
  elements: str
  returned: when O(door=verify) and O(before) is given
journal:
  description: What was written to the run journal about this step - its begin and its end.
  returned: at V(release), V(take_over) and V(restore), with O(run)
  type: list
  elements: dict
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
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops import DesktopError, site_of
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops.desk import (
    Asked,
    Configured,
    Desk,
    NotThereError,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops.logins import (
    LOGIN_PAGE,
    given,
    login_names,
    where_before,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops.look import Page
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops.options import (
    DEFAULT_TIMEOUT,
    Policy,
    option_names,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Settings
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.page import PAGE_NAMES_OPTION, page_names
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import (
    RUN_OPTION,
    JournalError,
    run_step,
)

WORDS = {"type": "list", "elements": "str"}
ARGUMENTS: Dict[str, Any] = {
    "door": {
        "type": "str",
        "choices": ["observe", "readiness", "release", "take_over", "restore", "verify"],
        "default": "observe",
    },
    "site": {"type": "str"},
    "sites": {"type": "dict", "required": True},
    "applications": {"type": "list", "elements": "str", "default": []},
    "option_names": {"type": "dict", "default": {}},
    "max_timeout": {"type": "int", "default": DEFAULT_TIMEOUT},
    "sip_endpoint": {"type": "bool", "default": True},
    "login_page": {"type": "str", "default": LOGIN_PAGE},
    "login_names": {"type": "dict", "default": {}, "options": {"agent": WORDS, "count": WORDS}},
    "before": {"type": "raw"},
    "before_at": {"type": "str"},
    "min_logged_in": {"type": "float", "default": 0.95},
    "deadline": {"type": "float", "default": 90.0},
    "interval": {"type": "float", "default": 1.0},
    "connect_timeout": {"type": "float", "default": 3.0},
}
NEEDS_SITE = [("door", door, ["site"]) for door in ("release", "take_over", "verify")]
PASSING = ("release", "take_over", "restore")


def desk_of(params: Dict[str, Any]) -> Desk:
    """Return the desktops of the module's options. Raises DesktopError and LayerError, which name the option."""
    settings = Settings(connect_timeout=params["connect_timeout"], page_names=page_names(params["page_names"]))
    page = Page(params["login_page"], login_names(params["login_names"]), settings)
    configured = Configured(
        layer_of(params["layer"]) if params["layer"] else None,
        tuple(params["applications"]),
        option_names(params["option_names"]),
        Policy(params["max_timeout"], params["sip_endpoint"]),
    )
    return Desk({name: site_of(name, data) for name, data in params["sites"].items()}, page, configured)


def asked_of(params: Dict[str, Any], check_mode: bool) -> Asked:
    """Return what verify asks for; in check mode nothing is waited for. Raises DesktopError, which names the option."""
    if not 0 <= params["min_logged_in"] <= 1:
        raise DesktopError(f"min_logged_in: a share from 0 to 1 expected, {params['min_logged_in']} given")
    deadline = 0.0 if check_mode else params["deadline"]
    before, where = params["before"], where_before(params["before"], params["before_at"] or "")
    return Asked(given(before), params["min_logged_in"], deadline, params["interval"], where)


def passed(desk: Desk, params: Dict[str, Any], check_mode: bool) -> Dict[str, Any]:
    """Go through a door at which desktops move by themselves, as a step of the run. Raises what main reports."""
    with run_step(params["run"], params["state_dir"], check_mode) as step:
        found = desk.passed(params["door"], params["site"] or "")
        step.end(changed=False, detail=found["detail"])
    return dict(found, journal=step.journal)


def through(desk: Desk, params: Dict[str, Any], check_mode: bool) -> Dict[str, Any]:
    """Go through the door. Raises what main reports."""
    if params["door"] in PASSING:
        return passed(desk, params, check_mode)
    if params["door"] == "verify":
        return desk.verify(params["site"], asked_of(params, check_mode))
    if params["door"] == "readiness":
        items = desk.readiness()
        return {"readiness": items, "ready": all(item["met"] for item in items), "detail": "checked"}
    return desk.observe()


def main() -> None:
    """Parse, go through the door, exit."""
    arguments = dict(ARGUMENTS, **LAYER_OPTION, **PAGE_NAMES_OPTION, **RUN_OPTION)
    module = AnsibleModule(arguments, required_if=NEEDS_SITE, supports_check_mode=True)
    params = module.params
    try:
        found = through(desk_of(params), params, module.check_mode)
    except RefusedError as error:
        module.fail_json(msg=str(error), refused=error.refusal)
    except NotThereError as error:
        module.fail_json(msg=str(error), **error.seen)
    except (DesktopError, LayerError, JournalError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **found)


if __name__ == "__main__":
    main()
