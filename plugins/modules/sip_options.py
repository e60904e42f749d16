#!/usr/bin/python
# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask SIP endpoints whether they are in service."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: sip_options
short_description: Ask SIP endpoints whether they are in service
version_added: 0.1.0
description:
  - Sends a SIP OPTIONS to each target from this host, and says which are up, down or unknown, and how slow they are.
  - One call takes thousands of targets. It changes nothing, and never fails because something is down.
  - Up is any final response but 503 and 505. Those two are down, but an answer.
    Without a final response within O(probe_deadline) a target is down; it has answered all the same when a provisional
    response came, or when the connection was accepted or refused.
  - Unknown is what could not be asked, because a name did not resolve, no route was there, or a certificate did not
    pass. A server with the wrong certificate counts as answered.
  - A reply belongs to a request by its branch, which nobody can guess. From which address it comes does not matter, as
    servers with several addresses answer from any of them.
options:
  targets:
    description: What to ask. They come before those of O(targets_file) in the results.
    type: list
    elements: dict
    suboptions:
      name:
        description: What results call it; address, port and transport when left out.
        type: str
      address:
        description: An IPv4 or IPv6 address, or a name. Names are resolved by the system in its own time.
        type: str
        required: true
      port:
        description: The port; 5060, or 5061 over TLS, when left out.
        type: int
      transport:
        description: How to get there.
        type: str
        choices: [udp, tcp, tls]
        default: udp
      server_name:
        description: The name that its certificate must hold, where that is not O(tls.server_name).
        type: str
  targets_file:
    description:
      - More of them, from a file on this host.
      - CSV with a first line of names, of which only C(address) must be there, or, where the name ends in C(.json), a
        list of mappings. The keys are those of O(targets).
    type: path
  local_address:
    description: The address to send from; the system's choice when left out.
    type: str
  window:
    description:
      - Requests under way at once.
      - With n dead targets the module takes up to n / O(window) times O(probe_deadline).
      - Over TCP and TLS, 200 at most. Over UDP, at most 128 of them wait for their first answer within O(sip_t1), so
        that their answers do not overflow a socket.
    type: int
    default: 1000
  rate:
    description:
      - Targets a second that are asked at most. As fast as they answer when left out.
      - Retransmissions come on top.
    type: float
  username:
    description: Answer 401 and 407 as this user, by digest, MD5 or SHA-256. Without it, they are final responses.
    type: str
  password:
    description: The password of O(username).
    type: str
  password_file:
    description: A file on this host with the password of O(username) as its first line.
    type: path
  realm:
    description: Answer only challenges of this realm. Any when left out.
    type: str
  tls:
    description: Certificates. All files are PEM, on this host.
    type: dict
    default: {}
    suboptions:
      ca_file:
        description: The authorities to trust; the system's when left out.
        type: path
      server_name:
        description: The name that every certificate must hold; the target's address when left out.
        type: str
      certificate:
        description: Our own certificate, where servers ask for one.
        type: path
      key:
        description: Its key, without a passphrase. Looked for in O(tls.certificate) when left out.
        type: path
      verify:
        description: Whether certificates are checked. Without that, nobody knows who answered.
        type: bool
        default: true
  answers:
    description: Which answers to return one by one. V(problems) are those that are not up.
    type: str
    choices: [all, problems, none]
    default: problems
  slowest:
    description: How many of the slowest answers to name.
    type: int
    default: 10
  progress_file:
    description:
      - A file on this host that tells how far the sweep is, as JSON with the keys of RV(progress).
      - A module cannot say anything before it ends. This file is replaced whole about once a second instead, so that
        it can be read at any time, and stays as it was at the end. It is a log, no result, and no change; check mode
        writes it too.
    type: path
extends_documentation_fragment:
  - contactcenter.sip_dr.sip_timers
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
- name: Do the SIP Servers of both sites answer from here
  contactcenter.sip_dr.sip_options:
    targets:
      - {name: site1, address: 10.71.1.100}
      - {name: site2, address: 10.71.2.100, transport: tls, server_name: sip.site2.example.net}
    tls:
      ca_file: /etc/ssl/certs/voice-ca.pem
  register: asked

- name: Ask all phones of a branch office, gently
  contactcenter.sip_dr.sip_options:
    targets_file: /srv/phones/branch.csv
    rate: 500
    progress_file: /run/sip-dr/branch.json
  register: asked

- name: Tell those that are silent
  ansible.builtin.debug:
    var: asked.down
  when: asked.counts.down > 0
"""

RETURN = r"""
counts:
  description: How many targets there are (C(total)), are C(up), C(down), C(unknown), and have C(answered) anything.
  returned: always
  type: dict
  sample: {total: 10000, up: 9998, down: 2, unknown: 0, answered: 9998}
statuses:
  description: How many final responses of each status code; C(none) where there was none.
  returned: always
  type: dict
  sample: {"200": 9990, "404": 8, none: 2}
sent:
  description: How many requests went out, retransmissions among them.
  returned: always
  type: int
down:
  description: Names of the targets that are down, in the order of the targets.
  returned: always
  type: list
  elements: str
unknown:
  description: Names of the targets that could not be asked.
  returned: always
  type: list
  elements: str
rtt:
  description: The C(median), C(p95) and C(max) of the round-trip times in seconds; none without any answer.
  returned: always
  type: dict
slowest:
  description: The slowest answers, the slowest first, each with C(name) and C(rtt) in seconds.
  returned: always
  type: list
  elements: dict
answers:
  description: An answer for each target that O(answers) asks for, in the order of the targets.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Of the target, as C(address), C(port) and C(transport) are.
      type: str
    value:
      description: V(up), V(down), or V(unknown) when the question could not be asked.
      type: str
    answered:
      description: Whether anything came back.
      type: bool
    status:
      description: The status code of the final response, or none.
      type: int
    rtt:
      description:
        - Seconds from the first sending to the final response, or none.
        - Of the request with credentials, where they were asked for.
      type: float
    sent:
      description: How often it was sent; a connection that was refused or silent counts as one.
      type: int
    detail:
      description: One line for a person.
      type: str
progress:
  description:
    - What O(progress_file) holds at the end - C(total), C(done), C(up), C(down), C(unknown), and in seconds C(elapsed)
      and C(remaining), which is an estimate by the pace so far.
  returned: always
  type: dict
"""

from pathlib import Path
from typing import List, Optional

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.certificates import SIP_TLS, tls_of
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.client import Credentials, SipClient
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.requests import grade
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.sweep import Sweep, summary
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.targets import Target, read_file, read_targets
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.timers import SIP_TIMERS

ARGUMENTS = {
    **SIP_TIMERS,
    "targets": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str"},
            "address": {"type": "str", "required": True},
            "port": {"type": "int"},
            "transport": {"type": "str", "choices": ["udp", "tcp", "tls"], "default": "udp"},
            "server_name": {"type": "str"},
        },
    },
    "targets_file": {"type": "path"},
    "local_address": {"type": "str"},
    "window": {"type": "int", "default": 1000},
    "rate": {"type": "float"},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "password_file": {"type": "path", "no_log": False},
    "realm": {"type": "str"},
    "tls": {
        "type": "dict",
        "default": {},
        "options": {
            **SIP_TLS["sip_tls"]["options"],
            "server_name": {"type": "str"},
            "verify": {"type": "bool", "default": True},
        },
    },
    "answers": {"type": "str", "choices": ["all", "problems", "none"], "default": "problems"},
    "slowest": {"type": "int", "default": 10},
    "progress_file": {"type": "path"},
}


def client(params: dict) -> SipClient:
    """The client that the options describe. Raises OSError when the password file cannot be read."""
    return SipClient(
        local_address=params["local_address"],
        t1=params["sip_t1"],
        tries=params["sip_tries"],
        deadline=params["probe_deadline"],
        window=params["window"],
        rate=params["rate"],
        credentials=credentials(params),
        tls=tls_of(params["tls"]),
    )


def credentials(params: dict) -> Optional[Credentials]:
    """Whom to answer challenges as, or None. Raises OSError when the password file cannot be read."""
    if params["username"] is None:
        return None
    password = params["password"]
    if password is None:
        password = Path(params["password_file"]).read_text(encoding="utf-8").split("\n")[0]
    return Credentials(params["username"], password, params["realm"] or "")


def targets(params: dict) -> List[Target]:
    """All targets, those of the inventory first. Raises TargetError, OSError."""
    given = read_targets([{key: value for key, value in row.items() if value} for row in params["targets"] or []])
    return given + (read_file(params["targets_file"]) if params["targets_file"] else [])


def out_of_range(params: dict) -> List[str]:
    """What is wrong with the numbers, in words."""
    least = {"window": 1, "sip_tries": 1, "slowest": 0}
    wrong = [f"{name} is at least {bound}" for name, bound in least.items() if params[name] < bound]
    positive = [name for name in ("sip_t1", "probe_deadline", "rate") if params[name] is not None and params[name] <= 0]
    return wrong + [f"{name} is more than 0" for name in positive]


def main() -> None:
    """Parse, ask, exit."""
    module = AnsibleModule(
        ARGUMENTS,
        supports_check_mode=True,
        required_one_of=[("targets", "targets_file")],
        mutually_exclusive=[("password", "password_file")],
        required_by={"password": "username", "password_file": "username", "realm": "username"},
    )
    params = module.params
    wrong = out_of_range(params)
    if params["username"] is not None and not (params["password"] or params["password_file"]):
        wrong.append("username needs password or password_file")
    if wrong:
        module.fail_json(msg="; ".join(wrong))
    try:
        sweep = Sweep(client(params), targets(params), params["progress_file"])
        probes = sweep.run()
    except (OSError, ValueError) as error:
        module.fail_json(msg=f"cannot ask: {error}")
    wanted = {"all": ("up", "down", "unknown"), "problems": ("down", "unknown"), "none": ()}[params["answers"]]
    answers = [probe.answer() for probe in probes if grade(probe.outcome)[0] in wanted]
    module.exit_json(
        changed=False, **summary(probes, params["slowest"]), answers=answers, progress=sweep.progress.state()
    )


if __name__ == "__main__":
    main()
