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
  - Each check has its own deadline; a look takes as long as the longest of those that meet silence.
  - Run it on a vantage host of a site, on the witness, or on a media gateway; it speaks for that place.
options:
  checks:
    description:
      - What to look at, as the filter P(contactcenter.sip_dr.probe_checks#filter) lists it.
      - V(sip_options) sends a SIP OPTIONS to C(address), C(port), over C(transport), which is V(udp), V(tcp) or V(tls).
        Over TLS the certificate must hold C(server_name), or the address where that is left out. V(trunk) and each of
        the C(sites) of V(gateway) are asked likewise.
      - V(monitoring_page) reads C(path) of SIP Server's HTTP monitoring page at C(address), C(port).
      - With C(dn), it tells whether that trunk is in service.
      - V(running_calls) reads from C(path) of that page how many calls run now.
      - V(trunk) sends a SIP OPTIONS along the inter-site trunk and judges it by C(oos_force), in seconds.
      - V(tcp) connects to C(address), C(port), and reads C(banner) where one is given.
      - V(gateway) asks the C(driver) on this host what its keep-alive found, and sends OPTIONS to each of C(sites).
      - V(master) wants a Configuration Server at C(address), C(port) that has a session on the database at
        C(database_address), C(database_port). Without C(database_address), only a closed port can be told.
      - V(database) asks that database for its role and its standby's lag.
      - V(call) places O(call_tries) test calls at once to the number C(dn) at C(address), C(port), over C(transport).
        Media goes both ways and is counted. Over V(tls) none is placed, and the answer is unknown.
      - V(coordination) reads the coordination store on this host, of C(driver), in C(directory) or by C(settings).
    type: list
    elements: dict
    required: true
  connect_timeout:
    description: Seconds until a TCP connection, or one read of a page, is given up.
    type: float
    default: 3.0
  call_tries:
    description: How many test calls a check of the kind V(call) places.
    type: int
    default: 3
  call_quorum:
    description:
      - How many of them must be completed. The answer is V(down) when so many fail that it can no longer be met.
      - A call that is refused for load (486, 503, 600, 603, or 500 with Retry-After) or asked for a password (401, 407)
        does not count as failed.
    type: int
    default: 2
  call_deadline:
    description: Seconds from the INVITE of a test call to its BYE. Hanging up may take one second more.
    type: float
    default: 5.0
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
  seconds:
    description:
      - For so long it looks again and again, and comes back as soon as an answer says something else than O(known).
      - V(0) looks once.
    type: float
    default: 0.0
  interval:
    description: Seconds from the begin of one look to the begin of the next one, or more where the look takes longer.
    type: float
    default: 1.0
  known:
    description: What the last call returned as RV(said). Left out, the first look is the last one.
    type: dict
notes:
  - A database without an answer is given up after O(probe_deadline) too.
requirements:
  - psql on the host, for the kinds V(master) and V(database); without it their answer is unknown
extends_documentation_fragment:
  - contactcenter.sip_dr.attributes
  - contactcenter.sip_dr.page_names
  - contactcenter.sip_dr.sip_timers
  - contactcenter.sip_dr.sip_tls
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
      - {id: site2, kind: sip_options, address: 10.71.2.100, transport: tls, server_name: sip.site2.example.net}
    sip_tls:
      ca_file: /etc/sip-dr/tls/ca.pem
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
    calls:
      description: How many calls run now, for V(running_calls); none when the page does not tell.
      type: int
    made:
      description: How many test calls were placed, C(completed) of them with media, C(busy) of them refused for load.
      type: int
    statuses:
      description: For test calls, how many ended with each final status; C(none) for no final response.
      type: dict
    store:
      description: For a coordination store, its records, its lock, the newest token and its ticket.
      type: dict
    prefers:
      description: The site that a gateway sends new calls to first, or none.
      type: str
reached:
  description:
    - True. A host that could not be reached has no such key, and so the registered results tell.
  returned: unless the host is a gateway that is managed from elsewhere and did not answer
  type: bool
clock:
  description: This host's clock when it began to look, in seconds since 1970.
  returned: always
  type: float
run:
  description:
    - What the run journal on this host says - the newest C(token) that acted here, and the C(journal) of the last run.
  returned: always
  type: dict
elapsed:
  description: Seconds that the look took.
  returned: always
  type: float
waited:
  description: Seconds from the first look's begin to that of the one whose answers these are.
  returned: always
  type: float
said:
  description: What the answers say without times and wording, for O(known) of the next call.
  returned: O(seconds) is more than 0
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Database, Settings
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.page import PAGE_NAMES_OPTION, page_names
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.repeated import look_until_new, said
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.runner import missing_parameters, run_checks
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import DEFAULT_STATE_DIR, last_run
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.certificates import SIP_TLS, tls_of
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.timers import SIP_TIMERS

ARGUMENTS = {
    "checks": {"type": "list", "elements": "dict", "required": True},
    "state_dir": {"type": "path", "default": DEFAULT_STATE_DIR},
    "connect_timeout": {"type": "float", "default": 3.0},
    "call_tries": {"type": "int", "default": 3},
    "call_quorum": {"type": "int", "default": 2},
    "call_deadline": {"type": "float", "default": 5.0},
    "seconds": {"type": "float", "default": 0.0},
    "interval": {"type": "float", "default": 1.0},
    "known": {"type": "dict"},
    **PAGE_NAMES_OPTION,
    **SIP_TIMERS,
    **SIP_TLS,
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
    database = {name: value for name, value in params["database"].items() if value is not None}
    return Settings(
        sip_t1=params["sip_t1"],
        sip_tries=params["sip_tries"],
        probe_deadline=params["probe_deadline"],
        connect_timeout=params["connect_timeout"],
        call_tries=params["call_tries"],
        call_quorum=params["call_quorum"],
        call_deadline=params["call_deadline"],
        page_names=page_names(params["page_names"]),
        database=Database(**database),
        tls=tls_of(params["sip_tls"]),
    )


def main() -> None:
    """Parse, look, exit."""
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    checks = module.params["checks"]
    missing = [problem for check in checks for problem in missing_parameters(check)]
    if missing:
        module.fail_json(msg="; ".join(missing))
    found = _look([dict(check, socket_path=module._socket_path) for check in checks], module.params)
    reached = {"reached": True} if _is_there(checks, found["answers"]) else {}
    module.exit_json(changed=False, **reached, **found)


def _is_there(checks: list, answers: list) -> bool:
    """Return whether the host was reached: one that is managed from elsewhere only when it has answered itself."""
    told = {one["id"]: one["answered"] for one in answers}
    return all(told[check["id"]] for check in checks if check.get("elsewhere"))


def _look(checks: list, params: dict) -> dict:
    wanted = settings(params)
    look = look_until_new(lambda: run_checks(checks, wanted), params["interval"], params["seconds"], params["known"])
    times = {"clock": look.clock, "elapsed": round(look.elapsed, 3), "waited": round(look.waited, 3)}
    words = {"said": said(look.answers)} if params["seconds"] else {}
    return {"answers": look.answers, **times, **words, "run": last_run(params["state_dir"])}


if __name__ == "__main__":
    main()
