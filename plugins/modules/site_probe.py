#!/usr/bin/python
# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at the sites from this host."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: site_probe
short_description: Look at the sites from this host
version_added: 0.1.0
description:
  - Runs all checks at once and says what each found. It changes nothing, and never fails because something is down.
  - Each check has its own deadline; the module takes as long as the longest of those that meet silence.
  - Run it on a vantage host of a site, on the witness, or on a media gateway; it speaks for that place.
options:
  checks:
    description:
      - What to look at, as the filter P(contactcenter.sip_dr.probe_checks#filter) lists it.
      - V(sip_options) sends a SIP OPTIONS to C(address), C(port), over C(transport).
      - V(monitoring_page) reads C(path) of SIP Server's HTTP monitoring page at C(address), C(port).
      - With C(dn), it tells whether that trunk is in service.
      - V(tcp) connects to C(address), C(port), and reads C(banner) where one is given.
      - V(gateway) asks the C(driver) on this host what its keep-alive found, and sends OPTIONS to each of C(sites).
      - V(master) wants a Configuration Server at C(address), C(port) that has a session on the database at
        C(database_address), C(database_port). Without C(database_address), only a closed port can be told.
      - V(database) asks that database for its role and its standby's lag.
      - V(coordination) reads the coordination store on this host, of C(driver), in C(directory).
    type: list
    elements: dict
    required: true
  sip_t1:
    description:
      - Seconds from the first sending of an OPTIONS over UDP to the second.
      - Each further interval is twice as long, up to 4 seconds.
    type: float
    default: 0.2
  sip_tries:
    description: How often an OPTIONS is sent over UDP. Fewer than 6 err at 5 % loss.
    type: int
    default: 6
  probe_deadline:
    description: Seconds until an OPTIONS without final response, or a database without answer, is given up.
    type: float
    default: 8.0
  connect_timeout:
    description: Seconds until a TCP connection, or one read of a page, is given up.
    type: float
    default: 3.0
  page_names:
    description:
      - Names and words of the monitoring page.
      - The names of its elements are in no document that we could read; the defaults are a guess.
      - Compared without case, blanks, dots, hyphens and underscores. What is left out keeps its default.
    type: dict
    default: {}
    suboptions:
      run_mode:
        description: Names of the element with the run mode.
        type: list
        elements: str
      primary:
        description: Words that mean primary.
        type: list
        elements: str
      backup:
        description: Words that mean backup.
        type: list
        elements: str
      trunk:
        description: Names of the element with a trunk's DN.
        type: list
        elements: str
      in_service:
        description: Names of the element that says whether a trunk is in service.
        type: list
        elements: str
      'yes':
        description: Words that mean in service.
        type: list
        elements: str
      'no':
        description: Words that mean out of service.
        type: list
        elements: str
  database:
    description: How to look at the Configuration Database. What is left out keeps its default.
    type: dict
    default: {}
    suboptions:
      name:
        description: The database; V(config) when left out.
        type: str
      user:
        description: The monitoring role, a member of C(pg_monitor); V(sipdr_monitor) when left out.
        type: str
      server_role:
        description: The role that the Configuration Server logs in with; V(confserv) when left out.
        type: str
      passfile:
        description: A libpq password file on this host. The password is never in an argument.
        type: path
  state_dir:
    description: Directory of the run journal on this host.
    type: path
    default: /var/lib/sip-dr
requirements:
  - psql on the host, for the kinds V(master) and V(database); without it their answer is unknown
extends_documentation_fragment:
  - contactcenter.sip_dr.attributes
attributes:
  check_mode:
    support: full
    description: Changes nothing in either mode.
  diff_mode:
    support: none
    description: There is nothing to compare.
author:
  - The sip-dr founders (@sip-dr)
"""

EXAMPLES = r"""
- name: Look at everything that this host can see
  contactcenter.sip_dr.site_probe:
    checks: "{{ checked.continuity | contactcenter.sip_dr.probe_checks(inventory_hostname) }}"
  register: looked

- name: Does the site answer SIP from here
  contactcenter.sip_dr.site_probe:
    checks:
      - {id: site1, kind: sip_options, address: 10.71.1.100, port: 5060, transport: udp}
  register: looked
"""

RETURN = r"""
answers:
  description: One answer for each check, in their order.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Of the check.
      type: str
    kind:
      description: Of the check.
      type: str
    value:
      description: V(up), V(down), or V(unknown) when the question could not be asked.
      type: str
    answered:
      description: Whether anything came back; a 503 or a refused connection is down, but an answer.
      type: bool
    detail:
      description: One line for a person.
      type: str
    rtt:
      description: Seconds from the first sending to the answer, where there is one.
      type: float
    run_mode:
      description: V(primary), V(backup) or V(unknown), for a monitoring page.
      type: str
    role:
      description: V(primary), V(standby) or V(unknown), for a database.
      type: str
    lag:
      description: Bytes that no standby has flushed, for a primary database; none when unknown.
      type: int
    targets:
      description: For a gateway, an answer for each site, with the C(state) and C(priority) that the gateway runs.
      type: dict
    store:
      description: For a coordination store, its records, its lock and the newest token.
      type: dict
    prefers:
      description: The site that a gateway sends new calls to first, or none.
      type: str
reached:
  description: Always true; a host that could not be reached has no such key, and so the registered results tell.
  returned: always
  type: bool
run:
  description:
    - What the run journal on this host says - the newest C(token) that acted here, and the C(journal) of the last run.
  returned: always
  type: dict
elapsed:
  description: Seconds that all of it took.
  returned: always
  type: float
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Database, Settings
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.page import PageNames
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.runner import missing_parameters, run_checks
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import DEFAULT_STATE_DIR, last_run

WORDS = {"type": "list", "elements": "str"}
ARGUMENTS = {
    "checks": {"type": "list", "elements": "dict", "required": True},
    "state_dir": {"type": "path", "default": DEFAULT_STATE_DIR},
    "sip_t1": {"type": "float", "default": 0.2},
    "sip_tries": {"type": "int", "default": 6},
    "probe_deadline": {"type": "float", "default": 8.0},
    "connect_timeout": {"type": "float", "default": 3.0},
    "page_names": {
        "type": "dict",
        "default": {},
        "options": {
            "run_mode": WORDS,
            "primary": WORDS,
            "backup": WORDS,
            "trunk": WORDS,
            "in_service": WORDS,
            "yes": WORDS,
            "no": WORDS,
        },
    },
    "database": {
        "type": "dict",
        "default": {},
        "options": {
            "name": {"type": "str"},
            "user": {"type": "str"},
            "server_role": {"type": "str"},
            "passfile": {"type": "path"},
        },
    },
}


def settings(params: dict) -> Settings:
    """The module's options as the checks want them; what was left out keeps its default."""
    names = {name: tuple(words) for name, words in params["page_names"].items() if words is not None}
    database = {name: value for name, value in params["database"].items() if value is not None}
    return Settings(
        sip_t1=params["sip_t1"],
        sip_tries=params["sip_tries"],
        probe_deadline=params["probe_deadline"],
        connect_timeout=params["connect_timeout"],
        page_names=PageNames(**names),
        database=Database(**database),
    )


def main() -> None:
    """Parse, look, exit."""
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    checks = module.params["checks"]
    missing = [problem for check in checks for problem in missing_parameters(check)]
    if missing:
        module.fail_json(msg="; ".join(missing))
    started = time.monotonic()
    answers = run_checks(checks, settings(module.params))
    elapsed = round(time.monotonic() - started, 3)
    run = last_run(module.params["state_dir"])
    module.exit_json(changed=False, reached=True, answers=answers, elapsed=elapsed, run=run)


if __name__ == "__main__":
    main()
