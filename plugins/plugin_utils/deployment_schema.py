# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of the deployment's data: the `continuity_*` variables, their keys, types and defaults.

Defaults of ports: SIP 5060, over TLS 5061 (RFC 3261 section 19.1.2), PostgreSQL 5432, LCA 4999 and Configuration Server
2020 and Proxy 2025 (Genesys's own installation defaults and examples; every one of them can be said in the inventory).
"""

from __future__ import annotations

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.etcd_client import DEFAULT_SETTINGS
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.coordination.registry import DRIVERS as STORE_DRIVERS
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.deployment import ELSEWHERE, ITSELF
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops.logins import LOGIN_PAGE
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.registry import DRIVERS as GATEWAY_DRIVERS
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.registry import DRIVERS as PHONE_DRIVERS
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import DEFAULT_STATE_DIR
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.requests import DEFAULT_PORT
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.schema import (
    Anything,
    Beside,
    Field,
    Flag,
    Integer,
    ListOf,
    MapOf,
    Record,
    Text,
)

HOST = Text("an inventory host's name")
ADDRESS = Text("an IP address")
PORT = Integer(1, 65535)
DIRECTORY = Text("an absolute path", pattern=r"/\S*")
FILE = Text("an absolute path of a file", pattern=r"/\S*[^/\s]")
TRANSPORT = Text(choices=("udp", "tcp", "tls"))
PHONES_FILE = Text(
    "an absolute path on the provisioning host that ends with .csv, .yml or .yaml",
    pattern=r"/\S*[^/\s]\.(csv|yml|yaml)",
)
PHONE_TRANSPORT = Text("udp or tcp; phones are not moved or asked over TLS", pattern="udp|tcp")
SIP_PORT = Field(PORT, Beside("transport", DEFAULT_PORT))
SERVER_NAME = Text(
    "the DNS name that the server's certificate holds",
    pattern=r"(?=.{1,253}\Z)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*",
)
MAC = r"([0-9A-Fa-f]{2}[:.-]?){5}[0-9A-Fa-f]{2}"
NUMBER = Text("a number in quotes", pattern=r"[0-9A-Za-z_.+*#-]+")
# Words that mean something else where a site's name can stand (decision.md: ticket.holder, the word none).
SITE_NAME = Text(
    "a site's name: letters, digits, - and _, beginning with a letter; not none, null or unknown",
    pattern=r"(?!(?:none|null|unknown)$)[A-Za-z][A-Za-z0-9_-]*",
)

TIME = Text(
    'a time in quotes with its zone, such as "2026-01-31T03:14:15Z"',
    pattern=r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)",
)

NETWORKS = ListOf(Text("a network"), "networks such as 10.71.1.0/24", at_least=1)

TRUNK = Record(
    {
        "dn": Field(Text("the name of the Trunk DN to the peer")),
        "oos_check": Field(Integer(0, 300), 0),
        "oos_force": Field(Integer(0, 32), 0),
    },
    "the inter-site Trunk DN",
)

SIP_SERVER = Record(
    {
        "address": Field(ADDRESS),
        "port": SIP_PORT,
        "transport": Field(TRANSPORT, "udp"),
        "server_name": Field(SERVER_NAME, optional=True),
        "application": Field(Text("the SIP Server's Application name")),
        "legs": Field(MapOf(Record({"address": Field(ADDRESS)}, "a leg"), "legs of the HA pair", low=1, high=2)),
        "monitoring_port": Field(PORT),
        "trunk": Field(TRUNK),
        "lca_port": Field(PORT, 4999),
        "test_dn": Field(NUMBER, optional=True),
        "capacity": Field(Integer(1, 1_000_000), optional=True),
    },
    "the site's SIP Server",
)

STAT_SERVER = Record({"address": Field(ADDRESS), "port": Field(PORT)}, "the site's Stat Server")

DATABASE = Record(
    {"host": Field(HOST), "address": Field(ADDRESS), "port": Field(PORT, 5432)}, "the Configuration Database"
)

CONFIGURATION = Record(
    {
        "host": Field(HOST),
        "address": Field(ADDRESS),
        "port": Field(PORT, 2020),
        "proxy_port": Field(PORT, 2025),
        "scs_port": Field(PORT, optional=True),
        "message_port": Field(PORT, optional=True),
        "licence_file": Field(FILE, optional=True),
        "database": Field(DATABASE),
    },
    "the site's Configuration Server",
)

SITE = Record(
    {
        "networks": Field(NETWORKS),
        "vantage": Field(ListOf(HOST, "inventory hosts inside the site", at_least=1)),
        "sip_server": Field(SIP_SERVER),
        "configuration": Field(CONFIGURATION),
        "stat_server": Field(STAT_SERVER, optional=True),
    },
    "a site",
)

GATEWAY = Record(
    {
        "site": Field(Text("one of the two sites")),
        "driver": Field(Text(choices=tuple(GATEWAY_DRIVERS))),
        "address": Field(ADDRESS),
        "port": SIP_PORT,
        "transport": Field(TRANSPORT, "udp"),
        "driver_options": Field(Anything(), {}),
        "managed_from": Field(Text(choices=(ITSELF, ELSEWHERE)), optional=True),
    },
    "a media gateway",
)

PHONE = Record(
    {
        "name": Field(Text("the phone's name")),
        "dn": Field(NUMBER),
        "registration": Field(Text(choices=("dual", "single"))),
        "servers": Field(ListOf(Text("one of the two sites"), "both sites, the preferred one first")),
        "driver": Field(Text(choices=tuple(PHONE_DRIVERS)), optional=True),
        "mac": Field(Text("twelve hexadecimal digits in quotes", pattern=MAC), optional=True),
        "address": Field(ADDRESS),
        "port": Field(PORT, 5060),
        "transport": Field(PHONE_TRANSPORT, "udp"),
    },
    "a phone",
)

ZONES = Record(
    {zone: Field(ListOf(Text("a network"), "networks"), []) for zone in ("contact_centre", "carrier", "witness")},
    "the networks outside the sites",
)

SERVICE_NAME = Record(
    {
        "clients": Field(ListOf(HOST, "inventory hosts that resolve this name", at_least=1)),
        "driver": Field(Text(choices=("hosts_file",))),
    },
    "a name that Configuration Server Proxies resolve",
)

PROVISIONING = Record({"host": Field(HOST), "directory": Field(DIRECTORY)}, "where the phones' files lie")

WORKSPACE_SITE = Record(
    {
        "workspace_name": Field(Text("the site's name in Workspace's options"), optional=True),
        "servers": Field(ListOf(Text("an Application's name"), "Applications that desktops connect to"), []),
    },
    "what Workspace knows of a site",
)

DESKTOPS = Record(
    {
        "applications": Field(ListOf(Text("an Application's name"), "Workspace Applications", at_least=1)),
        "sites": Field(MapOf(WORKSPACE_SITE, "sites as Workspace knows them"), {}),
        "login_page": Field(Text("a path of the monitoring page", pattern=r"/\S*"), LOGIN_PAGE),
        "login_names": Field(
            Record(
                {
                    name: Field(ListOf(Text("a name"), "names of elements", at_least=1), optional=True)
                    for name in ("agent", "count")
                },
                "how the page names agents",
            ),
            {},
        ),
    },
    "the agents' desktops",
)

COORDINATION = Record(
    {
        "driver": Field(Text(choices=tuple(STORE_DRIVERS))),
        "hosts": Field(ListOf(HOST, "inventory hosts, one inside each site", at_least=2)),
        "directory": Field(DIRECTORY, DEFAULT_STATE_DIR),
        "settings": Field(FILE, Beside("driver", {"etcd": DEFAULT_SETTINGS}), optional=True),
    },
    "the coordination store",
)

SIP_TLS = Record(
    {name: Field(FILE, optional=True) for name in ("ca_file", "certificate", "key")},
    "the certificates on the hosts that look",
)

DOWNTIME = Record(
    {"name": Field(Text("a site or a media gateway")), "from": Field(TIME), "until": Field(TIME)}, "a planned downtime"
)

DEPLOYMENT = Record(
    {
        "continuity_sites": Field(MapOf(SITE, "sites", low=2, high=2, name=SITE_NAME)),
        "continuity_trunks": Field(Anything(), {}),
        "continuity_witness": Field(Text("an inventory host in a third place, or the word none")),
        "continuity_networks": Field(ZONES, {}),
        "continuity_gateways": Field(MapOf(GATEWAY, "media gateways", low=1)),
        "continuity_sip_tls": Field(SIP_TLS, optional=True),
        "continuity_gateways_one_sided": Field(Flag(), False),
        "continuity_paths": Field(MapOf(ListOf(Text("a name"), "names of lines, networks or machines"), "hosts"), {}),
        "continuity_paths_shared": Field(Flag(), False),
        "continuity_downtimes": Field(ListOf(DOWNTIME, "planned downtimes"), []),
        "continuity_phones": Field(ListOf(PHONE, "phones"), []),
        "continuity_phones_file": Field(PHONES_FILE, optional=True),
        "continuity_provisioning": Field(PROVISIONING, optional=True),
        "continuity_desktops": Field(DESKTOPS, optional=True),
        "continuity_service_names": Field(MapOf(SERVICE_NAME, "service names"), {}),
        "continuity_coordination": Field(COORDINATION),
        "continuity_policy": Field(Anything(), {}),
    },
    "the deployment",
)

DEPLOYMENT_VARIABLES = tuple(DEPLOYMENT.fields)
"""The variables of the inventory that describe the deployment."""
