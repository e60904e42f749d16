#!/usr/bin/python
# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inter-site trunk as it is seen from one site."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: trunk_state
short_description: The inter-site trunk as it is seen from one site
version_added: 0.1.0
author: The sip-dr founders (@sip-dr)
description:
  - Asks the site's SIP Servers what they say of the Trunk DN to their peer, and sends an OPTIONS of our own to that
    peer.
  - Run it on a vantage host inside the site. It changes nothing, and never fails because something is out of service.
  - SIP Server's word comes from the HTTP monitoring page C(/server?sipTrunkStatistics); the primary's counts, where
    it is known which of the pair that is. Without O(oos_check) SIP Server does not watch the trunk, and has no
    word.
  - Our own look is one sample, and takes as long as silence lasts, O(oos_force) seconds at most. Seeing that a
    trunk stays out of service is for whoever calls again.
  - Run at both sites, the filter P(contactcenter.sip_dr.trunk_matrix#filter) sets the two directions beside each
    other.
notes:
  - What C(oos-check) and C(oos-force) mean on a SIP Server's DN, and how the page is written, is in no document
    that we could read. Taken here is - C(oos-check), seconds between two OPTIONS; C(oos-force), seconds without any
    answer until the DN is out of service. Where yours differ, give the seconds that fit, and O(page_names).
  - A lost packet is no lost trunk. The OPTIONS is sent again after O(sip_t1), and each time after twice as long,
    until O(oos_force) is over. With 0.2 and 2 seconds that is four sendings, which at 5 % loss each way err once in
    11,000 looks. A SIP Server that keeps to the 0.5 seconds of RFC 3261 sends three times, and errs once in 1,100.
options:
  dn:
    description: The inter-site Trunk DN at this site.
    type: str
    required: true
  legs:
    description: The pair's SIP Servers by name, each with C(address).
    type: dict
    required: true
  monitoring_port:
    description: Port of the monitoring pages, C(http-port) of the SIP Server application.
    type: int
    default: 8080
  peer:
    description: SIP address of the other site, where the Trunk DN's contact points.
    type: dict
    required: true
    suboptions:
      address:
        description: Its address.
        type: str
        required: true
      port:
        description: Its port; 5060, or 5061 over TLS, when left out.
        type: int
      transport:
        description: How it is reached.
        type: str
        choices: [udp, tcp, tls]
        default: udp
      server_name:
        description: The name that its certificate must hold, where that is not its address.
        type: str
  oos_check:
    description:
      - Option C(oos-check) of the Trunk DN in seconds; V(0) when it is not set, and then SIP Server has no word.
    type: int
    default: 0
  oos_force:
    description:
      - Option C(oos-force) of the Trunk DN in seconds; with V(0) silence is waited for O(probe_deadline) seconds.
    type: int
    default: 0
  site:
    description: Name of this site, for the sentence.
    type: str
    default: here
  peer_site:
    description: Name of the other site, for the sentence.
    type: str
    default: the peer
  sip_t1:
    description: Seconds from the first sending of the OPTIONS over UDP to the second.
    type: float
    default: 0.2
  probe_deadline:
    description: Seconds that silence is waited for when O(oos_force) is V(0).
    type: float
    default: 8.0
  connect_timeout:
    description: Seconds until a page that does not answer is given up.
    type: float
    default: 3.0
extends_documentation_fragment:
  - contactcenter.sip_dr.attributes
  - contactcenter.sip_dr.page_names
  - contactcenter.sip_dr.sip_tls
attributes:
  check_mode:
    support: full
    description: Changes nothing in either mode.
  diff_mode:
    support: none
    description: There is nothing to compare.
"""

EXAMPLES = r"""
- name: Look along the trunk from the first site
  contactcenter.sip_dr.trunk_state:
    dn: trunk_site2
    legs:
      s1-sip-a: {address: 10.71.1.11}
      s1-sip-b: {address: 10.71.1.12}
    peer: {address: 10.71.2.100}
    oos_check: 1
    oos_force: 2
    site: site1
    peer_site: site2
  register: here

- name: A page whose elements have other names
  contactcenter.sip_dr.trunk_state:
    dn: trunk_site2
    legs:
      s1-sip-a: {address: 10.71.1.11}
    peer: {address: 10.71.2.100}
    oos_check: 10
    oos_force: 5
    page_names:
      trunk: [device]
      in_service: [availability]
      'yes': [ok]
      'no': [failed]
"""

RETURN = r"""
dn:
  description: The Trunk DN.
  returned: always
  type: str
monitoring:
  description:
    - What SIP Server says of it - V(in_service), V(out_of_service), or V(unknown) without O(oos_check), without a
      page, or when the page does not tell.
  returned: always
  type: str
probe:
  description:
    - What our own OPTIONS found - V(in_service) with any final response but 503 and 505, V(out_of_service) with one
      of these or nothing for O(oos_force) seconds, V(unknown) when it could not be sent.
  returned: always
  type: str
agree:
  description: Whether the two say the same; none when either is unknown.
  returned: always
  type: bool
detail:
  description: Both in one sentence.
  returned: always
  type: str
  sample: "site1→site2: SIP Server says in service, but our own OPTIONS is not answered"
rtt:
  description: Seconds from the first sending of our OPTIONS to its answer; none without one.
  returned: always
  type: float
by:
  description: Who said what, each with C(value) (V(up), V(down) or V(unknown)) and C(detail).
  returned: always
  type: dict
  sample:
    s1-sip-a: {value: up, detail: trunk_site2 in service}
    own OPTIONS: {value: down, detail: no final response to 4 sendings in 2 s}
elapsed:
  description: Seconds that it took.
  returned: always
  type: float
"""

import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import trunks
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Settings
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.page import PAGE_NAMES_OPTION, page_names
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.runner import missing_parameters, run_checks
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.reports import Report, Reports
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.certificates import SIP_TLS, tls_of

ARGUMENTS: dict[str, Any] = {
    "dn": {"type": "str", "required": True},
    "legs": {"type": "dict", "required": True},
    "monitoring_port": {"type": "int", "default": 8080},
    "peer": {
        "type": "dict",
        "required": True,
        "options": {
            "address": {"type": "str", "required": True},
            "port": {"type": "int"},
            "transport": {"type": "str", "choices": ["udp", "tcp", "tls"], "default": "udp"},
            "server_name": {"type": "str"},
        },
    },
    "oos_check": {"type": "int", "default": 0},
    "oos_force": {"type": "int", "default": 0},
    "site": {"type": "str", "default": "here"},
    "peer_site": {"type": "str", "default": "the peer"},
    "sip_t1": {"type": "float", "default": 0.2},
    "probe_deadline": {"type": "float", "default": 8.0},
    "connect_timeout": {"type": "float", "default": 3.0},
    **PAGE_NAMES_OPTION,
    **SIP_TLS,
}


def settings(params: dict[str, Any]) -> Settings:
    """The timers; a sample lasts as long as oos_force says, whatever the deadline of other probes."""
    return Settings(
        sip_t1=params["sip_t1"],
        probe_deadline=float(params["oos_force"] or params["probe_deadline"]),
        connect_timeout=params["connect_timeout"],
        page_names=page_names(params["page_names"]),
        tls=tls_of(params["sip_tls"]),
    )


def checks(params: dict[str, Any]) -> list[dict[str, Any]]:
    """What to look at: the same checks as in a health check. Raises ValueError for a leg without address."""
    trunk = {key: params[key] for key in ("dn", "oos_check", "oos_force")}
    server = {"legs": params["legs"], "monitoring_port": params["monitoring_port"], "trunk": trunk}
    site = params["site"]
    try:
        found = [*trunks.page_checks(site, server), trunks.own_check(site, server, params["peer"])]
    except (KeyError, TypeError) as error:
        raise ValueError(f"legs: an address for each expected ({error})") from error
    return found


def look(params: dict[str, Any]) -> dict[str, Any]:
    """What the module returns. Raises ValueError."""
    asked = checks(params)
    missing = [problem for check in asked for problem in missing_parameters(check)]
    if missing:
        raise ValueError("; ".join(missing))
    answers = run_checks(asked, settings(params))
    seen = Reports(tuple(Report("", *pair) for pair in zip(asked, answers)), frozenset())
    told = [*trunks.voters(seen, params["site"]), *trunks.own_looks(seen, params["site"])]
    return {
        "dn": params["dn"],
        **trunks.direction(seen, params["site"], params["peer_site"]),
        "rtt": round(rtt, 4) if (rtt := answers[-1].get("rtt")) is not None else None,
        "by": {one.check["part"]: one.word for one in told},
    }


def main() -> None:
    """Parse, look, exit."""
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    started = time.monotonic()
    try:
        found = look(module.params)
    except ValueError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, elapsed=round(time.monotonic() - started, 3), **found)


if __name__ == "__main__":
    main()
