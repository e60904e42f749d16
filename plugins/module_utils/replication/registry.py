# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which replication drivers there are; static imports, for AnsiballZ ships nothing that is imported by name."""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication import Access, Replication
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.command import Command
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.oracle_goldengate import OracleGoldenGate
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.replication.postgresql import PostgreSQL

DRIVERS: Dict[str, Callable[[Access], Replication]] = {
    "postgresql": PostgreSQL,
    "oracle_goldengate": OracleGoldenGate,
    "command": Command,
}
DATABASE_OPTION: Dict[str, Any] = {
    "database": {
        "type": "dict",
        "default": {},
        "apply_defaults": True,
        "options": {
            "driver": {"type": "str", "choices": sorted(DRIVERS), "default": "postgresql"},
            "name": {"type": "str", "default": "config"},
            "writer": {"type": "str", "default": "confserv"},
            "port": {"type": "int", "default": 5432},
            "os_user": {"type": "str", "default": "postgres"},
            "data_directory": {"type": "str", "default": "/var/lib/postgresql/15/main"},
            "socket_directory": {"type": "str", "default": ""},
            "address": {"type": "str", "default": ""},
            "user": {"type": "str", "default": ""},
            "password": {"type": "str", "default": "", "no_log": True},
            "sslmode": {
                "type": "str",
                "choices": ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"],
                "default": "prefer",
            },
            "passfile": {"type": "str", "default": "", "no_log": False},
            "config_file": {"type": "str", "default": ""},
            "bin_directory": {"type": "str", "default": ""},
            "log_files": {"type": "str", "default": "/var/log/postgresql/postgresql-15-main.log*"},
            "commands": {"type": "dict", "default": {}},
            "replicats": {"type": "list", "elements": "str", "default": []},
            "extracts": {"type": "list", "elements": "str", "default": []},
        },
    }
}
"""Argument specification of a module that reaches the database (doc fragment `database`)."""

RESYNC_OPTION: Dict[str, Any] = {
    "source": {
        "type": "dict",
        "options": {
            "address": {"type": "str", "required": True},
            "port": {"type": "int", "default": 5432},
            "user": {"type": "str", "default": "rewind"},
            "replication_user": {"type": "str", "default": "repl"},
            # A path: libpq reads the password itself.
            "passfile": {"type": "str", "default": "/var/lib/postgresql/.pgpass", "no_log": False},
            "database": {"type": "str", "default": "postgres"},
            "name": {"type": "str", "default": ""},
            "sslmode": {
                "type": "str",
                "choices": ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"],
                "default": "prefer",
            },
        },
    },
    "unit": {"type": "str", "default": "postgresql@15-main.service"},
    "copy_deadline": {"type": "float", "default": 3600},
}
"""Argument specification of a module that makes a database follow another (doc fragment `resync`)."""


def database_of(options: Mapping[str, Any], deadline: float, interval: float) -> Replication:
    """Return the driver for the server of DATABASE_OPTION. `deadline` and `interval` in seconds."""
    words = dict(options)
    driver, name = words.pop("driver"), words.pop("name")
    return DRIVERS[driver](Access(database=name, deadline=deadline, interval=interval, **words))
