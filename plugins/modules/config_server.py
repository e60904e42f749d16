#!/usr/bin/python
# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which site runs the Configuration Server."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: config_server
short_description: Start, stop and verify the Configuration Server and what goes with it on this host
version_added: 0.1.0
author: The sip-dr founders (@sip-dr)
description:
  - Two master Configuration Servers are never active together. This module stops the one on this host, seen, or starts
    it.
  - A start is refused unless the Configuration Database on this host is the one that is written to.
  - Runs on the Configuration Server's host as root.
options:
  door:
    description:
      - V(observe) reads which units run and whether the port is listened on.
      - V(readiness) lists what a start will need.
      - V(release) stops the units, the last first, and sees that nothing of them runs and nobody listens on the port.
      - V(take_over) starts the units in their order and waits until the port answers.
      - V(restore) puts every unit back to how it stood before the first change.
      - V(verify) fails unless a configuration change is accepted and read again (O(layer)), and unless the proxy of
        this host has a
        session with the master (O(proxy)); what is not given is not looked at.
    type: str
    choices: [observe, readiness, release, take_over, restore, verify]
    default: observe
  units:
    description: Units in the order of their start. The first is the Configuration Server itself.
    type: list
    elements: str
    default: [genesys-confserv.service, genesys-scs.service, genesys-message-server.service]
  process_driver:
    description:
      - How the units are looked at, started and stopped.
      - With V(mlcmd) a unit is an Application's name; the Configuration Server's own is refused, so name it, and what
        starts before Solution Control Server, in C(systemd) of O(process_driver_options).
      - With V(windows_service) a unit is a service of a Windows host. It was never tried on Windows; ports of that host
        are not seen.
    type: str
    choices: [systemd, mlcmd, windows_service]
    default: systemd
  process_driver_options:
    description:
      - For V(mlcmd) C(program), C(wrapper), C(password_file), C(systemd), C(cs_host), C(cs_port), C(cs_user),
        C(cs_application), C(scs_host), C(scs_port), C(flags), C(statuses). Without C(wrapper) it is refused, for mlcmd
        takes its password on its command line.
      - For V(windows_service) C(through), how one encoded PowerShell command gets to the host, and C(commands).
    type: dict
    default: {}
  address:
    description: Address at which this host reaches its own Configuration Server.
    type: str
    default: 127.0.0.1
  port:
    description: Port of the Configuration Server.
    type: int
    default: 2020
  database_is_here:
    description:
      - Whether the Configuration Database runs on this host, so that a start can be refused where it is not the one
        that is written to.
      - Where it runs elsewhere, whoever calls makes sure of that.
    type: bool
    default: true
  files:
    description: Files that must be there before a start, for example the Configuration Server's configuration file.
    type: list
    elements: path
    default: []
  probe:
    description:
      - Which option of which Application V(verify) writes through O(layer).
      - Make the Application for this alone.
    type: dict
    default: {}
    suboptions:
      application:
        description: Name of the Application.
        type: str
        default: sip-dr
      section:
        description: Section of the option.
        type: str
        default: sip-dr
      option:
        description: The option that is changed.
        type: str
        default: last-write
  proxy:
    description:
      - Which session the Configuration Server Proxy of this host must have. It is seen in the kernel's table of
        connections, as an
        established one that a process of the unit holds.
    type: dict
    suboptions:
      unit:
        description: Unit of the proxy.
        type: str
        required: true
      master_address:
        description: Address of the master that it must be connected to.
        type: str
        required: true
      master_port:
        description: Port of that master.
        type: int
        default: 2020
  serving:
    description:
      - The Configuration Server Proxy of this host that must serve its clients, also where no master is in service.
      - Seen in the kernel's table are that a process of the unit listens on the port, and how many clients it has.
        What it answers them is not seen; its protocol is not open.
    type: dict
    suboptions:
      unit:
        description: Unit of the proxy.
        type: str
        required: true
      port:
        description: Its port.
        type: int
        default: 2025
  deadline:
    description: Seconds for each start, stop and wait.
    type: float
    default: 30
  interval:
    description: Seconds between two looks while waiting.
    type: float
    default: 0.2
extends_documentation_fragment:
  - contactcenter.sip_dr.attributes
  - contactcenter.sip_dr.configuration_layer
  - contactcenter.sip_dr.database
  - contactcenter.sip_dr.run
attributes:
  check_mode:
    support: full
    details: V(verify) logs in and reads, and writes nothing.
  diff_mode:
    support: full
"""

EXAMPLES = r"""
- name: Stop the Configuration Server at the failed site
  contactcenter.sip_dr.config_server:
    door: release
    run: {id: 20260131-031415, token: 7, step: fence}

- name: See that configuration can be written at the survivor
  contactcenter.sip_dr.config_server:
    door: verify
    layer:
      url: https://gax.site2.example.com:8443/gax/api/
      user: sip-dr
      password: "{{ vault_gax_password }}"
    proxy: {unit: genesys-confserv-proxy.service, master_address: 10.71.2.20}
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
config_server:
  description: C(units) by name, C(port), and whether it is C(listening).
  type: dict
  returned: every door but V(verify)
readiness:
  description: What a start will need, each with C(item), C(met), C(evidence) and C(way).
  type: list
  elements: dict
  returned: O(door=readiness)
ready:
  description: Whether all of it is met.
  type: bool
  returned: O(door=readiness)
seen:
  description: What was seen, in sentences. The option that is written as a probe is not counted as a change.
  type: list
  elements: str
  returned: O(door=verify)
unmet:
  description: In check mode, why the start would be refused as things stand; none when it would not.
  type: str
  returned: O(door=take_over) in check mode, when something would be started
refused:
  description: The guard that refused, its evidence, and the way round.
  type: dict
  returned: refused
"""

from datetime import datetime, timezone
from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.config_server import (
    Doors,
    ProxySession,
    Site,
    proxy_serves,
    proxy_session,
    verified,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer import LayerError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer.probe import (
    Probe,
    verify_writes,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer.registry import (
    LAYER_OPTION,
    layer_of,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.files import Recorded
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process import ProcessDriver, ProcessError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process.registry import (
    DRIVERS as PROCESS_DRIVERS,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process.registry import (
    processes_of,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import DatabaseError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.registry import (
    DATABASE_OPTION,
    database_of,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import (
    RUN_OPTION,
    JournalError,
    StaleTokenError,
    run_step,
)

PROBE: Dict[str, Any] = {
    "application": {"type": "str", "default": "sip-dr"},
    "section": {"type": "str", "default": "sip-dr"},
    "option": {"type": "str", "default": "last-write"},
}
PROXY: Dict[str, Any] = {
    "unit": {"type": "str", "required": True},
    "master_address": {"type": "str", "required": True},
    "master_port": {"type": "int", "default": 2020},
}
SERVING: Dict[str, Any] = {
    "unit": {"type": "str", "required": True},
    "port": {"type": "int", "default": 2025},
}
ARGUMENTS: Dict[str, Any] = {
    "door": {
        "type": "str",
        "choices": ["observe", "readiness", "release", "take_over", "restore", "verify"],
        "default": "observe",
    },
    "units": {
        "type": "list",
        "elements": "str",
        "default": ["genesys-confserv.service", "genesys-scs.service", "genesys-message-server.service"],
    },
    "process_driver": {"type": "str", "choices": list(PROCESS_DRIVERS), "default": "systemd"},
    "process_driver_options": {"type": "dict", "default": {}},
    "address": {"type": "str", "default": "127.0.0.1"},
    "port": {"type": "int", "default": 2020},
    "files": {"type": "list", "elements": "path", "default": []},
    "database_is_here": {"type": "bool", "default": True},
    "probe": {"type": "dict", "default": {}, "options": PROBE, "apply_defaults": True},
    "proxy": {"type": "dict", "options": PROXY},
    "serving": {"type": "dict", "options": SERVING},
    "deadline": {"type": "float", "default": 30},
    "interval": {"type": "float", "default": 0.2},
}


def pass_door(doors: Doors, params: Dict[str, Any], check_mode: bool) -> Dict[str, Any]:
    """Go through a door that looks or changes, and return the result."""
    if params["door"] in ("observe", "readiness"):
        return doors.observe() if params["door"] == "observe" else doors.readiness()
    with run_step(params["run"], params["state_dir"], check_mode) as step:
        result = {"release": doors.release, "take_over": doors.take_over, "restore": doors.restore}[params["door"]](
            step
        )
        step.end(changed=result["changed"], detail=result["detail"])
    return dict(result, journal=step.journal)


def verify(site: Site, processes: ProcessDriver, params: Dict[str, Any], check_mode: bool) -> Dict[str, Any]:
    """See that configuration can be written, and that this host's proxy follows. Raises LayerError."""
    seen = []
    if params["layer"]:
        words = params["probe"]
        who = params["run"]["id"] if params["run"] else "verify"
        marker = f"{who} {datetime.now(timezone.utc).isoformat(timespec='seconds')}"
        probe = Probe(words["application"], words["section"], words["option"], marker)

        def write() -> str:
            return verify_writes(layer_of(params["layer"]), probe, check_mode)

        seen.append(verified(write, site, "no configuration change was tried"))
    if params["proxy"]:
        wanted = ProxySession(**params["proxy"])
        absent = f"{wanted.unit} has no session with {wanted.master_address}:{wanted.master_port}"
        seen.append(verified(lambda: proxy_session(processes, wanted), site, absent))
    if params["serving"]:
        unit, port = params["serving"]["unit"], params["serving"]["port"]
        silent = f"{unit} does not listen on port {port}"
        seen.append(verified(lambda: proxy_serves(processes, unit, port), site, silent))
    return {"changed": False, "seen": seen, "detail": "; ".join(seen) or "nothing was given to look at"}


def through(site: Site, params: Dict[str, Any], check_mode: bool) -> Dict[str, Any]:
    """Go through the door. Raises what main reports."""
    deadline, interval, options = site.deadline, site.interval, params["process_driver_options"]
    processes = processes_of(params["process_driver"], deadline, interval, options, site.units[0])
    if params["door"] == "verify":
        return verify(site, processes, params, check_mode)
    database = database_of(params["database"], deadline, interval) if params["database_is_here"] else None
    recorded = Recorded(params["state_dir"], "config_server")
    return pass_door(Doors(site, processes, database, recorded, check_mode), params, check_mode)


def main() -> None:
    """Parse, act, exit."""
    module = AnsibleModule(dict(ARGUMENTS, **LAYER_OPTION, **DATABASE_OPTION, **RUN_OPTION), supports_check_mode=True)
    params = module.params
    if not params["units"]:
        module.fail_json(msg="units: at least the Configuration Server's own unit is expected")
    deadline, interval = params["deadline"], params["interval"]
    site = Site(tuple(params["units"]), params["address"], params["port"], tuple(params["files"]), deadline, interval)
    try:
        result = through(site, params, module.check_mode)
    except (RefusedError, StaleTokenError) as refused:
        module.fail_json(msg=str(refused), refused=refused.refusal)
    except (DatabaseError, ProcessError, LayerError, JournalError, OSError) as error:
        module.fail_json(msg=f"Configuration Server: {error}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
