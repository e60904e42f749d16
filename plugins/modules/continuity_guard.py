#!/usr/bin/python
# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ticket, and the guard on a host that writes the configuration."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: continuity_guard
short_description: Move the ticket between sites, and install the guard that kills writers without it
version_added: 0.1.0
author: The sip-dr founders (@sip-dr)
description:
  - One site holds the ticket; only its guards let the Configuration Server and its database run as writers.
  - Runs as root on a host that has O(settings), the settings of the coordination store's client.
  - Every change of the ticket is one transaction. With O(run) it is refused by the store itself once a newer run took
    the lock.
options:
  door:
    description:
      - V(observe) reads the ticket, and the guard of this host.
      - V(readiness) lists what is needed for the guard to do its work here.
      - V(install) lays the guard on this host and sets it to work; with O(first_holder) it seeds the ticket where none
        exists. A guard that is laid anew starts anew, and its writers with it; where they run on a lease, that is
        refused without O(interrupt).
      - V(release) takes the ticket from O(failed). RV(fence) is the proof that O(proof) asks for.
      - V(take_over) gives it to O(site) and waits until the guard of this host has a lease.
      - V(restore) gives it back to O(failed), as long as nothing was promoted.
      - V(verify) fails unless this site's guard is as O(expect) says.
      - V(disarm) switches the dead-man of O(site) off until O(until), V(arm) on again. It fails, and names the hosts,
        when a guard of the site has not done so within O(deadline); the ticket says it all the same.
    type: str
    choices: [observe, readiness, install, release, take_over, restore, verify, disarm, arm]
    default: observe
  site:
    description: The site that this host belongs to, as its guard knows it when left out; for V(disarm) and V(arm) the
      one that is meant.
    type: str
    default: ''
  failed:
    description: The site that the ticket is taken from, or given back to.
    type: str
    default: ''
  proof:
    description:
      - V(seen) waits on a host of O(failed) until its guard has killed every writer, and sees it.
      - V(run_out) reads elsewhere until the same revision has stood for O(take); refused where the dead-man is off.
      - V(none) proves nothing.
    type: str
    choices: [seen, run_out, none]
    default: none
  expect:
    description: What V(verify) asserts. With V(none), also that a start of a writer is refused.
    type: str
    choices: [holder, none]
    default: holder
  until:
    description: When a V(disarm) ends by itself, RFC 3339.
    type: str
    default: ''
  settings:
    description: File with the settings of the coordination store's client.
    type: path
    default: /etc/sip-dr/etcd.json
  take:
    description: Seconds for which a revision must stand (policy C(ticket_take)).
    type: float
    default: 13
  config:
    description: What the guard guards, for V(install). It is kept in C(/etc/sip-dr/guard.json).
    type: dict
    suboptions:
      host:
        description: This host's name.
        type: str
        required: true
      hosts:
        description: All hosts of the site with a guard.
        type: list
        elements: str
        required: true
      writers:
        description: Each with C(unit), and C(standby_signal) where it is a database.
        type: list
        elements: dict
        required: true
      start:
        description: Units that the guard starts when it acquires the ticket, in this order.
        type: list
        elements: str
        default: []
      database:
        description: How the database is reached, as O(contactcenter.sip_dr.config_database#module:database). Left out,
          nothing waits for it, and the ticket says nothing of its standby.
        type: dict
      hold:
        description: Seconds that a renewal lasts (policy C(ticket_hold)).
        type: float
        default: 10
      margin:
        description: Seconds before its end at which the writers are killed (policy C(ticket_margin)).
        type: float
        default: 1
      renew:
        description: Seconds between two renewals (policy C(ticket_renew)).
        type: float
        default: 0.5
      watchdog:
        description: Seconds after which a guard that stands still is killed (policy C(guard_watchdog)).
        type: float
        default: 2
      replication:
        description: Whether commits wait for the standby (policy C(replication)).
        type: str
        choices: [sync, async]
        default: async
      sync_degrade:
        description: Seconds that the standby may be missing before commits stop waiting for it.
        type: float
        default: 10
      sync_names:
        description: What commits wait for when it is back, as PostgreSQL's C(synchronous_standby_names). With
          O(config.replication=sync) the name of the other site's standby; V(*) would take any replica for it.
        type: str
        default: '*'
      marker:
        description: Environment variable that marks what was started through the wrapper.
        type: str
        default: SIP_DR_GUARDED
  etcd:
    description: What to write to O(settings), for V(install). Left out, that file is laid by other means.
    type: dict
    suboptions:
      endpoints:
        description: C(host:port) of each member.
        type: list
        elements: str
        required: true
      user:
        description: User of the coordination store.
        type: str
        required: true
      password:
        description: Its password.
        type: str
        required: true
      ca:
        description: The authority's certificate, PEM.
        type: str
      prefix:
        description: What all keys begin with.
        type: str
        default: /sip-dr
      timeout:
        description: Seconds that one member may take for one answer.
        type: float
        default: 2
  first_holder:
    description: The site that takes the ticket first, where there is none yet.
    type: str
    default: ''
  first_hosts:
    description: All hosts of O(first_holder) with a guard.
    type: list
    elements: str
    default: []
  interrupt:
    description: Whether V(install) may start the guard anew where writers run on its lease. They are killed and started
      again, and for seconds nobody can write to the configuration.
    type: bool
    default: false
  deadline:
    description: Seconds for each thing that is waited for.
    type: float
    default: 30
  interval:
    description: Seconds between two looks while waiting.
    type: float
    default: 0.2
extends_documentation_fragment:
  - contactcenter.sip_dr.attributes
  - contactcenter.sip_dr.run
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
"""

EXAMPLES = r"""
- name: Take the ticket from a site that is silent, and wait until it has run out
  contactcenter.sip_dr.continuity_guard:
    door: release
    failed: site1
    proof: run_out
    run: {id: 20260131-031415, token: 7, step: revoke_ticket}
  register: fenced

- name: Give it to the survivor
  contactcenter.sip_dr.continuity_guard:
    door: take_over
    site: site2
    run: {id: 20260131-031415, token: 7, step: take_ticket}
"""

RETURN = r"""
journal:
  description: What was written to the run journal about this step.
  returned: a changing door, with O(run)
  type: list
  elements: dict
detail:
  description: How it ended, in a sentence.
  type: str
  returned: success
ticket:
  description: The ticket as it is now - C(holder), C(for), C(revoked_from), C(hosts), C(armed), C(sync),
    C(disarmed_until) and more.
  type: dict
  returned: every door but V(install) and V(readiness)
revision:
  description: The store's revision at which it was written.
  type: int
  returned: a door that may change the ticket
observed:
  description: C(holder), C(revoked_from), C(armed) and C(sync) as the observation has them.
  type: dict
  returned: O(door=observe)
guard:
  description: What is seen of the guard here - C(installed), C(active), C(site), C(host), C(left) of the lease in
    seconds, C(writers) that run, and whether the database is a C(standby).
  type: dict
  returned: O(door=observe) or O(door=verify)
fence:
  description: The proof that O(failed) is fenced; none with O(proof=none) and in check mode.
  type: dict
  returned: O(door=release)
  sample: {kind: ticket_run_out, seen_at: "2026-01-31T03:14:15.926Z", by: [continuity_guard on s2-cfg], host: site1,
    revision: 4711}
sync:
  description: Whether everything that O(failed) acknowledged is at its standby, as the ticket said when it was taken.
  type: bool
  returned: O(door=release)
left:
  description: Seconds that this host's lease is good for; none in check mode.
  type: float
  returned: O(door=take_over)
armed:
  description: Hosts whose dead-man is armed.
  type: list
  elements: str
  returned: O(door=disarm) or O(door=arm)
disarmed_until:
  description: When it is armed again by itself; none when it is not disarmed.
  type: str
  returned: O(door=disarm) or O(door=arm)
files:
  description: What was laid or removed.
  type: list
  elements: str
  returned: O(door=install)
restarted:
  description: Whether the guard was started anew; then its writers were killed and started again.
  type: bool
  returned: O(door=install)
seeded:
  description: Whether the ticket was made.
  type: bool
  returned: O(door=install)
readiness:
  description: What is needed, each with C(item), C(met), C(evidence) and C(way).
  type: list
  elements: dict
  returned: O(door=readiness)
ready:
  description: Whether all of it is met.
  type: bool
  returned: O(door=readiness)
refused:
  description: The guard that refused, its evidence, and the way round.
  type: dict
  returned: refused
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import StoreError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.etcd import TicketStore
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.etcd_client import (
    EtcdClient,
    read_settings,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.config import ConfigError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.doors import TicketDoors, Times
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.options import ARGUMENTS, NEEDED
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.placing import Placing, Wanted
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.ready import readiness
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.guard.sight import GuardError, Sight
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process import ProcessError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process.registry import processes_of
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import (
    RUN_OPTION,
    JournalError,
    StaleTokenError,
    run_step,
)


def pass_door(params: Dict[str, Any], check_mode: bool) -> Dict[str, Any]:
    """Go through the door that was asked for and return the result."""
    processes = processes_of("systemd", params["deadline"], params["interval"])
    sight = Sight(processes, params["deadline"])
    if params["door"] == "install":
        placing = Placing(processes, sight, lambda: _store(params), params["deadline"], params["interval"], check_mode)
        return placing.install(_wanted(params))
    if params["door"] == "readiness":
        return readiness(sight, lambda: _store(params))
    times = Times(params["deadline"], params["interval"], params["take"])
    doors = TicketDoors(_store(params), sight, params["run"], times, check_mode)
    if params["door"] == "observe":
        return doors.observe()
    if params["door"] == "verify":
        return doors.verify(params["site"] or _own_site(sight), params["expect"])
    with run_step(params["run"], params["state_dir"], check_mode) as step:
        result = _changing(doors, step, dict(params, site=params["site"] or _own_site(sight)))
        step.end(changed=result["changed"], detail=result["detail"])
    return dict(result, journal=step.journal)


def _changing(doors: TicketDoors, step: Any, params: Dict[str, Any]) -> Dict[str, Any]:  # noqa: ANN401
    door, site, failed = params["door"], params["site"], params["failed"]
    if door == "release":
        return doors.release(step, failed, params["proof"])
    if door == "take_over":
        return doors.take_over(step, site)
    if door == "restore":
        return doors.restore(step, failed)
    return doors.disarm(step, site, params["until"]) if door == "disarm" else doors.arm(step, site)


def _own_site(sight: Sight) -> str:
    config = sight.config
    return config.site if config else ""


def _store(params: Dict[str, Any]) -> TicketStore:
    return TicketStore(EtcdClient(read_settings(params["settings"])))


def _wanted(params: Dict[str, Any]) -> Wanted:
    given = {key: value for key, value in params["config"].items() if value is not None}
    config = dict(given, site=params["site"], settings=params["settings"])
    return Wanted(config, params["etcd"], params["first_holder"], params["first_hosts"], params["interrupt"])


def main() -> None:
    """Parse, act, exit."""
    module = AnsibleModule(dict(ARGUMENTS, **RUN_OPTION), required_if=NEEDED, supports_check_mode=True)
    try:
        result = pass_door(module.params, module.check_mode)
    except (RefusedError, StaleTokenError) as refused:
        module.fail_json(msg=str(refused), refused=refused.refusal)
    except (StoreError, GuardError, ConfigError, ProcessError, JournalError, OSError) as error:
        module.fail_json(msg=f"guard: {error}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
