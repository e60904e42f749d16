#!/usr/bin/python
# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where SIP phones register."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sip_phone
short_description: Provision SIP phones for both sites, move them to a site, put them back, verify who is registered
version_added: 0.1.0
author: The sip-dr founders (@sip-dr)
description:
  - Phones of dual registration are with both sites already; they are only counted.
  - Phones of single registration get their provisioning file rewritten, and a NOTIFY to read it again.
  - A phone counts as registered when the site's registrar lists a binding for it. Its answer to the NOTIFY is reported
    and is never taken for success or failure.
  - The safest phone has both sites in its file from day one, which is what V(provision) is for.
  - Runs on the phones' provisioning host, once for all phones.
options:
  door:
    description:
      - V(observe) reads who is registered where. V(readiness) lists what a move would need.
      - V(take_over) moves the phones to O(site). V(release) moves them to the other site.
      - V(restore) puts the provisioning files back as they were before the first move.
      - V(verify) fails unless O(min_registered) of the phones are registered at O(site).
      - V(provision) gives each phone with a C(driver) its file, with both sites in it, in the phone's order. A file
        that is there keeps everything else that stands in it; a new one is made from the driver's template. It sends no
        NOTIFY, and is refused while phones are moved.
      - Phones are only sent to a server that answers OPTIONS.
    type: str
    choices: [observe, readiness, release, take_over, restore, verify, provision]
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
      - All phones, each with C(name), C(dn), C(registration) (V(dual) or V(single)), C(address), C(port), C(transport).
      - Phones of single registration, and all that V(provision) shall give a file, have a C(driver) (V(audiocodes_hd),
        V(cisco_mpp), V(genesys_softphone), V(poly), V(snom) or V(yealink)) and a C(mac) too; a softphone has no C(mac).
      - C(servers) is the order of sites of this phone, C(label) and C(auth_name) go into a new file.
      - Either this or O(phones_file); beside that file an empty list is none.
    type: list
    elements: dict
  phones_file:
    description:
      - The phones in a file on this host instead of O(phones), for thousands of them.
      - CSV whose first line names the columns, or, when its name ends with C(.yml) or C(.yaml), a YAML list of mappings
        of plain values. Columns are the fields of O(phones), with C(servers) in one cell with blanks between them.
      - An unknown column or a bad row is refused, with its line and column, and nothing is changed.
      - A C(password) for new files may only be here, and then only its owner may read the file.
    type: path
  registration_mode:
    description: C(registration) of phones that do not say.
    type: str
    choices: [single, dual]
    default: dual
  sites:
    description: The sites in the order in which phones have them that do not say; by default the order of O(servers).
    type: list
    elements: str
    default: []
  driver_options:
    description:
      - Options of drivers, by driver, which differ from their defaults; the role's README has a table of them.
      - Among them are all keys that could not be verified in public documents of their makers.
    type: dict
    default: {}
  templates:
    description:
      - Files on this host to make a phone's new file from, by driver, instead of the driver's own text.
      - Filled in are C({{ dn }}), C({{ name }}), C({{ label }}), C({{ auth_name }}), C({{ password }}), C({{ mac }}).
    type: dict
    default: {}
  file_mode:
    description: Mode of a new file; one that is there keeps its own.
    type: str
    default: "0644"
  expires:
    description: Seconds until a registration ends, as V(provision) sets it.
    type: int
    default: 120
  max_expires:
    description: Seconds that a registration may last by policy; the time of re-registration bounds an outage.
    type: int
    default: 300
  directory:
    description: The provisioning directory.
    type: path
    default: /srv/provisioning
  min_registered:
    description: Share of the phones that must be registered, 0 to 1.
    type: float
    default: 0.95
  deadline:
    description: Seconds to wait for the registrations after the last phone was asked.
    type: float
    default: 30.0
  interval:
    description: Seconds between two looks at the registrations.
    type: float
    default: 1.0
  notify_rate:
    description:
      - How many phones are asked within any second to read their file again, at most, at jittered moments and in random
        order. A phone that wants credentials is asked twice.
    type: int
    default: 50
  credentials_file:
    description:
      - File on this host with the credentials for phones that answer a NOTIFY with 401; they are asked once more then,
        with a digest (MD5 or SHA-256). Without it their 401 is reported.
      - JSON with C(username), C(password), and C(realm) to answer only challenges of that realm. It holds a secret, so
        its mode is 0600. It is read before anything is changed.
    type: path
  look_rate:
    description: How many phones a registrar is asked for within one second.
    type: int
    default: 1000
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

- name: Give 20,000 phones both sites
  contactcenter.sip_dr.sip_phone:
    door: provision
    servers:
      site1: {address: 10.71.1.100}
      site2: {address: 10.71.2.100}
    phones_file: /etc/sip-dr/phones.csv
    expires: 120
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
answers:
  description:
    - How many phones gave each answer to the NOTIFY, by status; C(silent) for none, C(not_asked) for phones of makes
      that no NOTIFY helps. None of them is taken for a failure.
  type: dict
  returned: when phones were asked to read their file again
not_asked:
  description: Names of the phones that must be started anew by hand to read their file.
  type: list
  elements: str
  returned: when there are such
progress:
  description: For each look, after C(seconds), how many were C(notified) C(of) all, and C(registered) of C(expected).
  type: list
  elements: dict
  returned: when phones were waited for
problems:
  description: Phones whose provisioning file could not be read or understood, or would not be right, with file and key.
  type: dict
  returned: when there are such
readiness:
  description: What a move will need, each with C(item), C(met), C(evidence) and C(way).
  type: list
  elements: dict
  returned: when O(door=readiness)
lists:
  description:
    - Names of the phones with C(one_server) in their file, C(expiry_over_policy), an C(outbound_proxy_at_one_site),
      a C(file_not_understood), of those that a NOTIFY C(restarts_on_notify), and of those C(not_seen_at_a_registrar).
  type: dict
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

import re
from pathlib import Path
from typing import Any, Dict, List

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import read_text
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.actions import Fleet, Timing
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.credentials import read_credentials
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import Phone, PhoneError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.inventory import phones_of, server_of
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.provisioning import DayOne, Provisioning
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.registry import drivers_of
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.report import Report, ReportedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.table import read_phones
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
        "choices": ["observe", "readiness", "release", "take_over", "restore", "verify", "provision"],
        "default": "observe",
    },
    "site": {"type": "str"},
    "servers": {"type": "dict", "required": True},
    "phones": {"type": "list", "elements": "dict"},
    "phones_file": {"type": "path"},
    "registration_mode": {"type": "str", "choices": ["single", "dual"], "default": "dual"},
    "sites": {"type": "list", "elements": "str", "default": []},
    "directory": {"type": "path", "default": "/srv/provisioning"},
    "driver_options": {"type": "dict", "default": {}},
    "templates": {"type": "dict", "default": {}},
    "file_mode": {"type": "str", "default": "0644"},
    "expires": {"type": "int", "default": 120},
    "max_expires": {"type": "int", "default": 300},
    "min_registered": {"type": "float", "default": 0.95},
    "deadline": {"type": "float", "default": 30.0},
    "interval": {"type": "float", "default": 1.0},
    "notify_rate": {"type": "int", "default": 50},
    "credentials_file": {"type": "path"},
    "look_rate": {"type": "int", "default": 1000},
    **SIP_TIMERS,
}
NEEDS_SITE = [("door", door, ["site"]) for door in ("take_over", "release", "verify")]
CHANGING = ("release", "take_over", "restore", "provision")


def fleet_of(params: Dict[str, Any], check_mode: bool) -> Fleet:
    """Return the phones of the module's options. Raises PhoneError, which names the option and what was expected."""
    for rate in ("notify_rate", "look_rate"):
        if params[rate] < 1:
            raise PhoneError(f"{rate}: 1 or more expected, {params[rate]} given")
    timing = Timing(params["deadline"], params["interval"], params["notify_rate"], params["look_rate"])
    return Fleet(
        phones=phones(params),
        servers={site: server_of(site, data) for site, data in params["servers"].items()},
        provisioning=Provisioning(Path(params["directory"]), drivers_of(params["driver_options"])),
        client=sip_client(params),
        timing=timing,
        state_dir=params["state_dir"],
        min_registered=params["min_registered"],
        check_mode=check_mode,
        max_expires=params["max_expires"],
        sites=params["sites"],
        credentials=read_credentials(params["credentials_file"]),
    )


def phones(params: Dict[str, Any]) -> List[Phone]:
    """Return the phones of the option or of the file. Raises PhoneError, OSError."""
    if params["phones_file"] and params["phones"]:
        raise PhoneError("phones and phones_file are mutually exclusive: one of them says all phones")
    if params["phones_file"]:
        return read_phones(Path(params["phones_file"]), params["registration_mode"])
    if params["phones"] is None:
        raise PhoneError("one of the following is required: phones, phones_file")
    return phones_of(params["phones"], params["registration_mode"])


def day_one(fleet: Fleet, params: Dict[str, Any]) -> DayOne:
    """Return how phones are provisioned. Raises PhoneError, OSError."""
    if not 0 < params["expires"] <= params["max_expires"]:
        raise PhoneError(f"expires: 1 to {params['max_expires']} (max_expires) expected, {params['expires']} given")
    if not re.fullmatch("0?[0-7]{3}", params["file_mode"]):
        raise PhoneError(f"file_mode: an octal mode like 0644 expected, {params['file_mode']!r} given")
    for driver in params["templates"]:
        if driver not in fleet.provisioning.drivers.by_name:
            raise PhoneError(f"templates.{driver}: there is no such driver")
    templates = {driver: read_text(Path(path)) for driver, path in params["templates"].items()}
    mode = int(params["file_mode"], 8)
    return DayOne(fleet.servers_of, params["expires"], params["max_expires"], templates, mode)


def look(fleet: Fleet, params: Dict[str, Any]) -> Dict[str, Any]:
    """Go through a door that changes nothing. Raises PhoneError."""
    if params["door"] == "readiness":
        found = fleet.readiness()
        ready = all(item["met"] for item in found.items)
        return {"changed": False, "readiness": found.items, "lists": found.lists, "ready": ready, "detail": "checked"}
    if params["door"] == "verify":
        return result(fleet.verify(params["site"]))
    return {"changed": False, "sites": fleet.observe(), "detail": f"{len(fleet.phones)} phones looked for"}


def change(fleet: Fleet, params: Dict[str, Any]) -> Dict[str, Any]:
    """Go through a door that changes something, as a step of the run. Raises what main reports."""
    with run_step(params["run"], params["state_dir"], fleet.check_mode) as step:
        if params["door"] == "restore":
            report = fleet.restore(step)
        elif params["door"] == "provision":
            report = fleet.provision(day_one(fleet, params), step)
        else:
            report = fleet.move(fleet.target(params["site"], params["door"]), step)
        step.end(changed=report.changed, detail=report.detail)
    return dict(result(report), journal=step.journal)


def result(report: Report) -> Dict[str, Any]:
    """Return the report as what the module exits with."""
    found: Dict[str, Any] = {"changed": report.changed, "detail": report.detail}
    if report.registered or report.missing:
        found.update(registered=report.registered, missing=report.missing, share=round(report.share, 4))
    for name in ("notified", "answers", "not_asked", "problems", "progress"):
        if getattr(report, name):
            found[name] = getattr(report, name)
    if report.changed:
        found["diff"] = {"before": report.before, "after": report.after}
    return found


def main() -> None:
    """Parse, act, exit."""
    module = AnsibleModule(
        dict(ARGUMENTS, **RUN_OPTION),
        supports_check_mode=True,
        required_if=NEEDS_SITE,
    )
    params = module.params
    try:
        fleet = fleet_of(params, module.check_mode)
        found = change(fleet, params) if params["door"] in CHANGING else look(fleet, params)
    except RefusedError as error:
        module.fail_json(msg=str(error), refused=error.refusal)
    except ReportedError as error:
        module.fail_json(msg=str(error), **result(error.report))
    except (PhoneError, JournalError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**found)


if __name__ == "__main__":
    main()
