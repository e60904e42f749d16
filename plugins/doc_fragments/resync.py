# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options by which a module makes a database a standby of the other side's."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of the door resync; their argument specification is RESYNC_OPTION of replication/registry.py."""

    DOCUMENTATION = r"""
options:
  source:
    description: The primary that V(resync) makes this side follow. It must say itself that it is one.
    type: dict
    suboptions:
      address:
        description: Address of the primary.
        type: str
        required: true
      port:
        description: Port of the primary.
        type: int
        default: 5432
      user:
        description: Role that may look, and read files for pg_rewind.
        type: str
        default: rewind
      replication_user:
        description: Role that streams and makes base backups.
        type: str
        default: repl
      passfile:
        description: Password file of libpq on this host, readable by O(database.os_user), for both roles.
        type: str
        default: /var/lib/postgresql/.pgpass
      database:
        description: Database that O(source.user) logs in to.
        type: str
        default: postgres
      name:
        description: Name of this side as a standby (application_name). Empty keeps the configured one.
        type: str
        default: ""
      sslmode:
        description: How much TLS to ask for, in libpq's words.
        type: str
        choices: [disable, allow, prefer, require, verify-ca, verify-full]
        default: prefer
  unit:
    description: Unit of the database server on this host, which V(resync) stops and starts.
    type: str
    default: postgresql@15-main.service
  copy_deadline:
    description: Seconds that rewinding or copying the whole database may take.
    type: float
    default: 3600
"""
