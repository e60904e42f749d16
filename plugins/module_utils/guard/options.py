# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module continuity_guard, as Ansible checks them; the module documents each."""

from __future__ import annotations

from typing import Any, Dict

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.etcd_client import DEFAULT_SETTINGS

CONFIG: Dict[str, Any] = {
    "host": {"type": "str", "required": True},
    "hosts": {"type": "list", "elements": "str", "required": True},
    "writers": {"type": "list", "elements": "dict", "required": True},
    "start": {"type": "list", "elements": "str", "default": []},
    "database": {"type": "dict"},
    "hold": {"type": "float", "default": 10},
    "margin": {"type": "float", "default": 1},
    "renew": {"type": "float", "default": 0.5},
    "watchdog": {"type": "float", "default": 2},
    "replication": {"type": "str", "choices": ["sync", "async"], "default": "async"},
    "sync_degrade": {"type": "float", "default": 10},
    "sync_names": {"type": "str", "default": "*"},
    "marker": {"type": "str", "default": "SIP_DR_GUARDED"},
}
ETCD: Dict[str, Any] = {
    "endpoints": {"type": "list", "elements": "str", "required": True},
    "user": {"type": "str", "required": True},
    "password": {"type": "str", "required": True, "no_log": True},
    "ca": {"type": "str"},
    "prefix": {"type": "str", "default": "/sip-dr"},
    "timeout": {"type": "float", "default": 2},
}
ARGUMENTS: Dict[str, Any] = {
    "door": {
        "type": "str",
        "choices": ["observe", "readiness", "install", "release", "take_over", "restore", "verify", "disarm", "arm"],
        "default": "observe",
    },
    "site": {"type": "str", "default": ""},
    "failed": {"type": "str", "default": ""},
    "proof": {"type": "str", "choices": ["seen", "run_out", "none"], "default": "none"},
    "expect": {"type": "str", "choices": ["holder", "none"], "default": "holder"},
    "until": {"type": "str", "default": ""},
    "settings": {"type": "path", "default": DEFAULT_SETTINGS},
    "take": {"type": "float", "default": 13},
    "config": {"type": "dict", "options": CONFIG},
    "etcd": {"type": "dict", "options": ETCD},
    "first_holder": {"type": "str", "default": ""},
    "first_hosts": {"type": "list", "elements": "str", "default": []},
    "interrupt": {"type": "bool", "default": False},
    "deadline": {"type": "float", "default": 30},
    "interval": {"type": "float", "default": 0.2},
}
NEEDED = [
    ("door", "release", ("failed",)),
    ("door", "restore", ("failed",)),
    ("door", "disarm", ("site", "until")),
    ("door", "arm", ("site",)),
    ("door", "install", ("site", "config")),
]
