#!/usr/bin/python
# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read and write the coordination store of this host."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: continuity_store
short_description: Read and write the coordination store on this host
version_added: 0.1.0
description:
  - Keeps what must outlast a controller - the state of C(track), where a run stands, events - and the run lock with its
    fencing token.
  - Each coordination host is written by itself; the filter P(contactcenter.sip_dr.store_records#filter) makes one truth
    of their answers.
  - The driver V(files) keeps a directory with mode 0700 below O(directory); every change is on the disk before it is
    reported.
  - The driver V(etcd) has one store for all hosts; each change is one transaction that a majority of its members keeps.
    Written from one host after the other, the second changes nothing.
options:
  driver:
    description: Where the store lives.
    type: str
    choices: [etcd, files]
    default: files
  directory:
    description: Directory of the driver V(files); the store is its folder C(store).
    type: path
    default: /var/lib/sip-dr
  settings:
    description:
      - File of the driver V(etcd) on this host, JSON - C(endpoints) (a list of C(host:port)), C(user), C(password),
        C(ca_file), C(prefix), C(timeout) in seconds. It holds a secret, so its mode is 0600.
      - The secret never passes through an option.
    type: path
    default: /etc/sip-dr/etcd.json
  operation:
    description:
      - V(read) returns all records, the lock and the newest token seen here.
      - V(put) keeps O(value) under O(key) when O(version) is newer than what lies there.
      - V(append) appends the items of O(value) that are not there yet.
      - V(acquire) takes the lock, V(renew) says that its owner still lives, V(release) gives it back.
    type: str
    required: true
    choices: [read, put, append, acquire, renew, release]
  key:
    description: Name of the record, for example V(track), V(run) or V(events).
    type: str
  value:
    description: What to keep; for V(append) a list. An item's identity is its C(id), or all of its content.
    type: raw
  version:
    description: Version of O(value); one more than the newest version of all hosts.
    type: int
  owner:
    description: Who takes the lock, as RV(contactcenter.sip_dr.continuity_owner#module:me) says.
    type: dict
  token:
    description: The fencing token. To acquire, it must be newer than every token seen on this host, the run journal's
      included.
    type: int
  take_over_from:
    description:
      - Token of a lock whose owner the controller has judged dead or stale; only exactly that lock is replaced.
      - Where no lock lies any more, the lock is taken all the same.
    type: int
extends_documentation_fragment:
  - contactcenter.sip_dr.attributes
  - contactcenter.sip_dr.run
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
author:
  - The sip-dr founders (@sip-dr)
"""

EXAMPLES = r"""
- name: Read the store
  contactcenter.sip_dr.continuity_store:
    operation: read
  register: __continuity_store

- name: Take the run lock
  contactcenter.sip_dr.continuity_store:
    operation: acquire
    owner: "{{ __continuity_owner.me }}"
    token: 8
    take_over_from: 7

- name: Read the store that all hosts share
  contactcenter.sip_dr.continuity_store:
    driver: etcd
    operation: read
  register: __continuity_store

- name: Keep the state of track
  contactcenter.sip_dr.continuity_store:
    operation: put
    key: track
    value: "{{ __verdict.state }}"
    version: 42
"""

RETURN = r"""
store:
  description: What lies on this host - C(host), C(now) (its clock, epoch seconds), C(records) (C(version) and C(value)
    each), C(lock), C(token), C(unreadable); with O(driver=etcd) also C(ticket), none before it is seeded, and its
    C(revision).
  returned: operation is read
  type: dict
stored:
  description: Whether the record that lies here now is the one given. False when a newer one was there.
  returned: operation is put or append
  type: bool
lock:
  description: The lock after the operation.
  returned: operation is acquire, renew or release
  type: dict
refused:
  description: The guard that refused, its evidence, and the way round.
  returned: refused
  type: dict
"""

import json
from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination import Store, StoreError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.etcd_client import DEFAULT_SETTINGS
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.registry import DRIVERS, open_store
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import (
    RUN_OPTION,
    StaleTokenError,
    run_step,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "driver": {"type": "str", "choices": sorted(DRIVERS), "default": "files"},
            "directory": {"type": "path", "default": "/var/lib/sip-dr"},
            "settings": {"type": "path", "default": DEFAULT_SETTINGS},
            "operation": {
                "type": "str",
                "required": True,
                "choices": ["read", "put", "append", "acquire", "renew", "release"],
            },
            "key": {"type": "str", "no_log": False},
            "value": {"type": "raw"},
            "version": {"type": "int"},
            "owner": {"type": "dict"},
            "token": {"type": "int", "no_log": False},
            "take_over_from": {"type": "int"},
            **RUN_OPTION,
        },
        required_if=[
            ("operation", "put", ("key", "value", "version")),
            ("operation", "append", ("key", "value")),
            ("operation", "acquire", ("owner", "token")),
            ("operation", "renew", ("token",)),
            ("operation", "release", ("token",)),
        ],
        supports_check_mode=True,
    )
    options = module.params
    try:
        with open_store(options, options["state_dir"]) as store:
            result = operate(store, options, module.check_mode)
    except (RefusedError, StaleTokenError) as refused:
        module.fail_json(msg=str(refused), refused=refused.refusal)
    except (StoreError, OSError) as error:
        module.fail_json(msg=f"coordination store: {error}")
    if result.get("stored") is False:
        module.warn(f"record {options['key']} was not kept: version {result.pop('lies')} lies here already")
    module.exit_json(**result)


def operate(store: Store, options: Dict[str, Any], dry: bool) -> Dict[str, Any]:
    """Do one operation and return the module's result. Raises what the store raises."""
    operation = options["operation"]
    if operation == "read":
        return {"changed": False, "store": store.read()}
    if operation in ("put", "append"):
        return _write(store, options, dry)
    if operation == "acquire":
        outcome = store.acquire(options["owner"], options["token"], options["take_over_from"], dry)
    elif operation == "renew":
        outcome = store.renew(options["token"], dry)
    else:
        outcome = store.release(options["token"], dry)
    return {"changed": outcome["changed"], "lock": outcome["after"], "diff": _diff(outcome, "lock")}


def _write(store: Store, options: Dict[str, Any], dry: bool) -> Dict[str, Any]:
    with run_step(options["run"], options["state_dir"], dry) as step:
        if options["operation"] == "put":
            outcome = store.put(options["key"], options["value"], options["version"], dry)
        else:
            outcome = store.append(options["key"], list(options["value"]), dry)
        step.end(changed=outcome["changed"], detail=f"record {options['key']}")
    result = {"changed": outcome["changed"], "stored": outcome["stored"], "diff": _diff(outcome, options["key"])}
    return result if outcome["stored"] else dict(result, lies=outcome["before"]["version"])


def _diff(outcome: Dict[str, Any], name: str) -> Dict[str, str]:
    shown = {side: json.dumps(outcome[side], indent=1, sort_keys=True) + "\n" for side in ("before", "after")}
    return dict(shown, before_header=name, after_header=name)


if __name__ == "__main__":
    main()
