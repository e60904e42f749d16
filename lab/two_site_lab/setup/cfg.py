# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration hosts: PostgreSQL, and the stand-ins of Configuration Server, Proxy, GAX, SCS and LCA.

One site (``Topology.master``, site 1 unless told otherwise) starts as primary and master: the guard there acquires the
ticket; without a guard ``start`` does it, and never a boot. The other one boots as a standby and follows. The sites
differ in ``standby.signal`` and names only, so that a move needs no new files.
"""

from __future__ import annotations

import json

from standins.config_server.objects import name_of

from two_site_lab import standin_files
from two_site_lab.inventory import LICENCE
from two_site_lab.lab import Lab
from two_site_lab.machine import wait_until
from two_site_lab.model import Host, HostFile, HostSetup, Topology
from two_site_lab.setup import cfg_objects, coordination, guard
from two_site_lab.setup.cfg_scram import scram
from two_site_lab.standin_files import filled

PROGRAMS = ("config_server", "gax", "scs", "lca", "mlcmd", "message_server", "stat_server")
UNITS = (
    "config_server/genesys-confserv.service",
    "config_server/genesys-confserv-proxy.service",
    "gax/genesys-gax.service",
    "scs/genesys-scs.service",
    "message_server/genesys-message-server.service",
    "stat_server/genesys-stat-server.service",
    "lca/genesys-lca.service",
    "postgresql/postgresql-standby.service",
)
AT_BOOT = [
    "postgresql-standby.service",
    "genesys-confserv-proxy.service",
    "genesys-gax.service",
    "genesys-stat-server.service",
    "genesys-lca.service",
]
COMMAND_LINE = "/usr/bin/python3 -m standins.config_server.master -c /opt/genesys/confserv/confserv.conf"
ETC = "/etc/postgresql/15/main"
DATA = "/var/lib/postgresql/15/main"
MONITOR_PASSFILE = "/etc/sip-dr/monitor.pgpass"
MASTER_NAME = "confserv-master"
START_DEADLINE = 40
DATABASE_ROLES = ("confserv", "repl", "rewind", "sipdr_monitor")


def setup(host: Host, topology: Topology) -> HostSetup:
    """Everything that lies on a Configuration host, and what starts at its boot."""
    files = [*_programs(), *_settings(host, topology), *_database(host, topology), _names(topology)]
    return HostSetup(files=files, enable=list(AT_BOOT), directories=["/var/lib/sip-dr"])


def inventory_variables(topology: Topology) -> dict[str, str]:
    """Variables for group_vars beside the deployment model. They hold a password: their file must be 0600."""
    return {
        "config_server_layer_port": "8090",
        "config_server_layer_user": cfg_objects.GAX_USER,
        "config_server_layer_password": _password(topology, "gax"),
        "config_server_verify_application": cfg_objects.VERIFY_APPLICATION,
        "config_database_monitor_passfile": MONITOR_PASSFILE,
        # What lab/policy_fast takes over.
        "lab_replication": topology.protection.replication,
    }


def start(lab: Lab) -> None:
    """Make one site primary and master; the other one's standby finds it by itself."""
    first, second = _roles(lab.topology)
    primary, standby = (lab.topology.of_kind("cfg", site)[0].name for site in (first, second))
    guarded = lab.topology.protection.guarded
    if not guarded:
        lab.run(primary, ["systemctl", "start", guard.DATABASE_UNIT])
    wait_until(lambda: _answers(lab, primary), f"{primary}: its database answers", START_DEADLINE)
    psql(lab, primary, _initial_sql(lab.topology, second))
    if lab.topology.protection.replication == "sync" and not guarded:
        psql(lab, primary, _synchronous(second))
    if not guarded:
        lab.run(primary, ["systemctl", "start", *guard.SERVERS])
    # For the way back: the slots of a primary are not replicated.
    wait_until(lambda: _answers(lab, standby), f"{standby}: its database answers")
    psql(lab, standby, _slot(first))


def _roles(topology: Topology) -> tuple[str, str]:
    return topology.master, topology.peer(topology.master)


def ready(lab: Lab) -> list[str]:
    """What is missing first, in words: the master's servers, a streaming standby, the ticket, a proxy's master."""
    for missing in (_servers_missing, _stream_missing, _unprotected, _unconnected):
        found = missing(lab)
        if found:
            return found
    return []


def _servers_missing(lab: Lab) -> list[str]:
    primary = lab.topology.of_kind("cfg", lab.topology.master)[0].name
    states = lab.run(primary, ["systemctl", "is-active", *guard.SERVERS], check=False).stdout.split()
    return [f"{primary}: {unit} {state}" for unit, state in zip(guard.SERVERS, states) if state != "active"]


def _stream_missing(lab: Lab) -> list[str]:
    first, second = _roles(lab.topology)
    primary = lab.topology.of_kind("cfg", first)[0].name
    streaming = psql(lab, primary, "select application_name from pg_stat_replication where state = 'streaming'")
    return [] if second in streaming.split() else [f"{second}: its database does not stream yet"]


def _answers(lab: Lab, host: str) -> bool:
    return lab.run(host, ["runuser", "-u", "postgres", "--", "pg_isready", "-q"], check=False).returncode == 0


def _unprotected(lab: Lab) -> list[str]:
    ticket = coordination.ticket(lab) if lab.topology.protection.guarded else None
    if ticket is None:
        return []
    wanted = lab.topology.protection.replication == "sync"
    said = [] if ticket["armed"] == ticket["hosts"] else [f"armed: {ticket['armed']} of {ticket['hosts']}"]
    return said + ([] if ticket["sync"] == wanted else [f"the ticket says sync: {ticket['sync']}"])


def psql(lab: Lab, host: str, sql: str, database: str = "config") -> str:
    """Run SQL as the superuser of the host's database (peer authentication); rows as text, columns parted by ``|``."""
    words = ["runuser", "-u", "postgres", "--", "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database]
    return lab.run(host, words, input=sql).stdout


def _unconnected(lab: Lab) -> list[str]:
    proxies = {host.name: _proxy_status(lab, host) for host in lab.topology.of_kind("cfg")}
    return [f"{host}: its proxy has no master yet" for host, status in proxies.items() if not status.get("connected")]


def _proxy_status(lab: Lab, host: Host) -> dict[str, object]:
    asked = lab.run(host.name, ["env", "PYTHONPATH=/opt/genesys/lib", "python3", "-c", ASK_PROXY], check=False)
    return json.loads(asked.stdout) if asked.returncode == 0 else {}


ASK_PROXY = """
import json
from standins.config_server.wire import Client
print(json.dumps(Client("127.0.0.1", 2025, 1).ask(op="status")))
"""


def _synchronous(standby_site: str) -> str:
    """A commit waits until the standby shows it: https://www.postgresql.org/docs/15/warm-standby.html, 27.2.8."""
    return (
        f"alter system set synchronous_standby_names = {_quoted(standby_site)};\n"
        "alter system set synchronous_commit = remote_apply;\n"
        "select pg_reload_conf();"
    )


def _slot(name: str) -> str:
    return (
        f"select pg_create_physical_replication_slot({_quoted(name)}) "
        f"where not exists (select from pg_replication_slots where slot_name = {_quoted(name)});"
    )


def _initial_sql(topology: Topology, standby_site: str) -> str:
    """Passwords, the standby's slot and the objects. Run twice it changes nothing but the passwords' salt."""
    roles = [f"alter role {role} password {_quoted(scram(_password(topology, role)))};" for role in DATABASE_ROLES]
    # What the Configuration Server writes stands in the server's own log: what a divergence is reconciled with.
    roles.append("alter role confserv set log_statement = 'mod';")
    rows = ",\n".join(
        f"({_quoted(obj['type'])}, {int(obj['dbid'])}, {_quoted(name_of(obj))}, {_quoted(json.dumps(obj))})"
        for obj in cfg_objects.objects(topology, _password(topology, "gax"))
    )
    seed = f"insert into cfg_object (type, dbid, name, object) values\n{rows}\non conflict do nothing;"
    # In one go: a Configuration Server that may log in must find everything.
    return "\n".join([_slot(standby_site), "begin;", *roles, "set local role confserv;", seed, "commit;"])


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _password(topology: Topology, name: str) -> str:
    return Lab(topology.id).secret(name)


def _programs() -> list[HostFile]:
    mlcmd = HostFile("/opt/genesys/scs/mlcmd_64", standin_files.text("mlcmd/mlcmd_64"), 0o755)
    return [*standin_files.programs(*PROGRAMS), *map(standin_files.unit, UNITS), mlcmd]


def _settings(host: Host, topology: Topology) -> list[HostFile]:
    site = str(host.site)
    words = {"site": site, "address": host.address, "password": _password(topology, "confserv")}
    names = cfg_objects.application_names(site)
    command = f"{guard.WRAPPER} {COMMAND_LINE}" if topology.protection.guarded else COMMAND_LINE
    applications = filled("lca/lca.conf", command=command, **names)
    confserv, proxy = (filled(f"config_server/{name}.conf", **words) for name in ("confserv", "confserv-proxy"))
    return [
        HostFile("/opt/genesys/confserv/confserv.conf", confserv, 0o600, "genesys"),
        HostFile("/opt/genesys/confserv-proxy/confserv-proxy.conf", proxy, 0o600, "genesys"),
        HostFile("/etc/genesys/lca.conf", applications),
        HostFile("/etc/genesys/message_server.env", f"APPLICATION={names['message_server']}\n"),
        HostFile(LICENCE, standin_files.text("config_server/license.dat"), owner="genesys"),
    ]


def _database(host: Host, topology: Topology) -> list[HostFile]:
    site = str(host.site)
    peer = topology.of_kind("cfg", topology.peer(site))[0]
    settings = filled("postgresql/sip-dr.conf", site=site, peer_address=peer.address)
    rules = filled("postgresql/pg_hba.conf", lan_rules=_lan_rules(topology))
    files = [
        HostFile(f"{ETC}/conf.d/sip-dr.conf", settings, owner="postgres"),
        HostFile(f"{ETC}/pg_hba.conf", rules, 0o640, "postgres"),
        HostFile("/var/lib/postgresql/.pgpass", _passfile(topology, "repl", "rewind"), 0o600, "postgres"),
        HostFile(MONITOR_PASSFILE, _passfile(topology, "sipdr_monitor"), 0o600),
    ]
    if site != topology.master:
        files.append(HostFile(f"{DATA}/standby.signal", "", 0o600, "postgres"))
    return files


def _lan_rules(topology: Topology) -> str:
    return "\n".join(
        f"host    {database:<12} {role:<14} {topology.zones[site].subnet:<14} scram-sha-256"
        for site in topology.sites
        for database, role in (
            ("config", "confserv"),
            ("config", "sipdr_monitor"),
            ("replication", "repl"),
            ("postgres", "rewind"),
        )
    )


def _passfile(topology: Topology, *roles: str) -> str:
    hosts = topology.of_kind("cfg")
    return "".join(f"{host.address}:5432:*:{role}:{_password(topology, role)}\n" for host in hosts for role in roles)


def _names(topology: Topology) -> HostFile:
    """All names, and the one that Configuration Server Proxies resolve: the master's site until somebody moves it."""
    names = "".join(f"{address} {name}\n" for address, name in topology.names())
    master = topology.of_kind("cfg", topology.master)[0].address
    return HostFile("/etc/hosts", f"127.0.0.1 localhost\n{names}{master} {MASTER_NAME}\n")
