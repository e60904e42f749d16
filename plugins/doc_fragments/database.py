# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option by which a module reaches the Configuration Database."""

from __future__ import annotations


class ModuleDocFragment:
    """Option `database`; its argument specification is DATABASE_OPTION in module_utils/replication/registry.py."""

    DOCUMENTATION = r"""
options:
  database:
    description: The Configuration Database's server as it is reached from this host.
    type: dict
    default: {}
    suboptions:
      driver:
        description: Make of the database and its replication.
        type: str
        choices: [command, oracle_goldengate, postgresql]
        default: postgresql
      name:
        description: Name of the Configuration Database.
        type: str
        default: config
      writer:
        description: The role that the Configuration Server logs in with.
        type: str
        default: confserv
      port:
        description: Port of the server, also part of its socket's name.
        type: int
        default: 5432
      os_user:
        description: System user that the server runs as and may log in as its superuser by peer.
        type: str
        default: postgres
      data_directory:
        description: Data directory of the server on this host.
        type: str
        default: /var/lib/postgresql/15/main
      socket_directory:
        description: Directory of the server's socket; empty for the client's own default.
        type: str
        default: ""
      address:
        description: Address of the server, for a look from outside over TCP; empty for this host's own server.
        type: str
        default: ""
      user:
        description: The role to log in with at O(database.address).
        type: str
        default: ""
      password:
        description: Password of O(database.user). It is passed by the environment only.
        type: str
        default: ""
      sslmode:
        description: How much TLS to ask for at O(database.address), in libpq's words.
        type: str
        choices: [disable, allow, prefer, require, verify-ca, verify-full]
        default: prefer
      passfile:
        description: Password file of libpq on this host for O(database.address), instead of O(database.password).
        type: str
        default: ""
      config_file:
        description: The server's C(postgresql.conf). Empty - the one that the server was last started with.
        type: str
        default: ""
      bin_directory:
        description: Directory of C(pg_rewind) and C(pg_basebackup). Empty - where the server was last started from.
        type: str
        default: ""
      log_files:
        description: Pattern of the server's own log files, rotated and compressed ones included.
        type: str
        default: /var/log/postgresql/postgresql-15-main.log*
      commands:
        description:
          - Command line, as a list of words, of the program for each verb. No secret belongs there, everybody sees it.
          - Driver V(command) - C(state), C(close), C(open), C(lag_to), C(detach), C(attach), C(promote), C(write), and
            if wanted C(followed) and C(readiness). Each gets a JSON object on standard input and prints JSON.
          - Driver V(oracle_goldengate) - C(ggsci), C(look), C(grant), C(triggers), C(revoke), C(write).
        type: dict
        default: {}
      replicats:
        description: GoldenGate process groups that apply to the database on this host.
        type: list
        elements: str
        default: []
      extracts:
        description: GoldenGate process groups that send from the database on this host.
        type: list
        elements: str
        default: []
"""
