# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every refusal of the deployment's data, each by its path."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.deployment_check import (
    check_deployment,
    report_lines,
)

DROP = object()


def changed(data, path, value):
    """Return a copy with one value set, or dropped; the path is a sequence of keys and indexes."""
    data = copy.deepcopy(data)
    target = data
    for key in path[:-1]:
        target = target[key]
    if value is DROP:
        del target[path[-1]]
    elif path[-1] == "+":
        target.append(value)
    else:
        target[path[-1]] = value
    return data


def problems_of(data, hosts, failed_site=None):
    return check_deployment(data, hosts.get, failed_site)[1]


def found(problems, path):
    """Return the one problem at a path."""
    at = [item for item in problems if item["path"] == path]
    assert len(at) == 1, "\n".join(report_lines(problems)) or "no problem"
    return at[0]


S = ("continuity_sites", "fra")
REFUSALS = {
    "one site only": (
        ("continuity_sites", "ams"),
        DROP,
        "continuity_sites",
        "exactly 2 sites",
        "1 (fra)",
    ),
    "a site called none": (
        ("continuity_sites", "none"),
        {},
        "continuity_sites.none",
        "not none, null or unknown",
        "none",
    ),
    "sites missing": (("continuity_sites",), DROP, "continuity_sites", "exactly 2 sites", "nothing"),
    "sites no mapping": (("continuity_sites",), ["fra", "ams"], "continuity_sites", "exactly 2 sites", "[fra, ams]"),
    "unknown variable": (
        ("continuity_gateway",),
        {},
        "continuity_gateway",
        "did you mean continuity_gateways?",
        "{}",
    ),
    "unknown key of a site": ((*S, "network"), "x", "continuity_sites.fra.network", "did you mean networks?", "x"),
    "unknown key deep down": (
        (*S, "sip_server", "prot"),
        5060,
        "continuity_sites.fra.sip_server.prot",
        "did you mean port?",
        "5060",
    ),
    "unknown key near nothing": (
        (*S, "sip_server", "trunk", "zzz"),
        1,
        "continuity_sites.fra.sip_server.trunk.zzz",
        "known: dn, oos_check, oos_force",
        "1",
    ),
    "a key missing": (
        (*S, "sip_server", "application"),
        DROP,
        "continuity_sites.fra.sip_server.application",
        "Application name",
        "nothing",
    ),
    "a port as text": (
        (*S, "sip_server", "port"),
        "5060",
        "continuity_sites.fra.sip_server.port",
        "a whole number from 1 to 65535",
        "5060",
    ),
    "a port that is true": (
        (*S, "configuration", "port"),
        True,
        "continuity_sites.fra.configuration.port",
        "a whole number from 1 to 65535",
        "true",
    ),
    "a port out of range": (
        (*S, "configuration", "database", "port"),
        65536,
        "continuity_sites.fra.configuration.database.port",
        "a whole number from 1 to 65535",
        "65536",
    ),
    "a transport nobody speaks": (
        (*S, "sip_server", "transport"),
        "upd",
        "continuity_sites.fra.sip_server.transport",
        "udp or tcp or tls; did you mean udp?",
        "upd",
    ),
    "oos_check out of range": (
        (*S, "sip_server", "trunk", "oos_check"),
        301,
        "continuity_sites.fra.sip_server.trunk.oos_check",
        "a whole number from 0 to 300",
        "301",
    ),
    "no vantage host": ((*S, "vantage"), [], "continuity_sites.fra.vantage", "1 or more", "[]"),
    "three legs": (
        (*S, "sip_server", "legs", "fra-cfg"),
        {"address": "10.20.10.13"},
        "continuity_sites.fra.sip_server.legs",
        "legs of the HA pair",
        "3 (fra-sip-a, fra-sip-b, fra-cfg)",
    ),
    "a leg without address": (
        (*S, "sip_server", "legs", "fra-sip-a"),
        None,
        "continuity_sites.fra.sip_server.legs.fra-sip-a",
        "a leg with the keys address",
        "null",
    ),
    "not a network": (
        (*S, "networks", 0),
        "10.20.10.0",
        "continuity_sites.fra.networks[0]",
        "a network with its prefix length",
        "10.20.10.0",
    ),
    "a network with host bits": (
        (*S, "networks", 0),
        "10.20.10.1/24",
        "continuity_sites.fra.networks[0]",
        "no host bits",
        "10.20.10.1/24",
    ),
    "a network that is a number": ((*S, "networks", 0), 10, "continuity_sites.fra.networks[0]", "a network", "10"),
    "sites overlap": (
        ("continuity_sites", "ams", "networks", "+"),
        "10.20.10.128/25",
        "continuity_sites.ams.networks[2]",
        "shares no address with continuity_sites.fra.networks[0] (10.20.10.0/24)",
        "10.20.10.128/25",
    ),
    "contact centre overlaps a site": (
        ("continuity_networks", "contact_centre", "+"),
        "10.20.10.0/25",
        "continuity_networks.contact_centre[1]",
        "shares no address with continuity_sites.fra.networks[0]",
        "10.20.10.0/25",
    ),
    "carrier overlaps the witness": (
        ("continuity_networks", "carrier", 0),
        "192.0.2.128/25",
        "continuity_networks.witness[0]",
        "shares no address with continuity_networks.carrier[0]",
        "192.0.2.0/24",
    ),
    "an unknown zone": (
        ("continuity_networks", "carier"),
        [],
        "continuity_networks.carier",
        "did you mean carrier?",
        "[]",
    ),
    "SIP address no address": (
        (*S, "sip_server", "address"),
        "fra-vip",
        "continuity_sites.fra.sip_server.address",
        "an IP address",
        "fra-vip",
    ),
    "SIP address in the other site": (
        (*S, "sip_server", "address"),
        "10.30.10.99",
        "continuity_sites.fra.sip_server.address",
        "in the networks of fra [10.20.10.0/24, 10.20.20.0/24]",
        "10.30.10.99",
    ),
    "leg's address elsewhere": (
        (*S, "sip_server", "legs", "fra-sip-b", "address"),
        "10.40.0.9",
        "continuity_sites.fra.sip_server.legs.fra-sip-b.address",
        "in the networks of fra",
        "10.40.0.9",
    ),
    "configuration address elsewhere": (
        (*S, "configuration", "address"),
        "10.30.20.99",
        "continuity_sites.fra.configuration.address",
        "in the networks of fra",
        "10.30.20.99",
    ),
    "database address abbreviated": (
        (*S, "configuration", "database", "address"),
        "10.20",
        "continuity_sites.fra.configuration.database.address",
        "an IP address",
        "10.20",
    ),
    "gateway's address elsewhere": (
        ("continuity_gateways", "fra-gw-1", "address"),
        "10.30.10.77",
        "continuity_gateways.fra-gw-1.address",
        "in the networks of fra",
        "10.30.10.77",
    ),
    "phone's address elsewhere": (
        ("continuity_phones", 0, "address"),
        "10.20.10.44",
        "continuity_phones[0].address",
        "in the networks of contact_centre",
        "10.20.10.44",
    ),
    "vantage host not in the inventory": (
        (*S, "vantage", 1),
        "fra-dr-9",
        "continuity_sites.fra.vantage[1]",
        "a host of the inventory",
        "fra-dr-9",
    ),
    "vantage host of the other site": (
        (*S, "vantage", 1),
        "ams-dr-1",
        "continuity_sites.fra.vantage[1]",
        "ansible_host lies in the networks of fra",
        "ams-dr-1 10.30.20.11",
    ),
    "configuration host not in the inventory": (
        (*S, "configuration", "host"),
        "fra-cgf",
        "continuity_sites.fra.configuration.host",
        "a host of the inventory",
        "fra-cgf",
    ),
    "database host of the other site": (
        (*S, "configuration", "database", "host"),
        "ams-db",
        "continuity_sites.fra.configuration.database.host",
        "ansible_host lies in the networks of fra",
        "ams-db 10.30.20.21",
    ),
    "provisioning host not in the inventory": (
        ("continuity_provisioning", "host"),
        "nobody",
        "continuity_provisioning.host",
        "a host of the inventory",
        "nobody",
    ),
    "a relative directory": (
        ("continuity_provisioning", "directory"),
        "srv",
        "continuity_provisioning.directory",
        "an absolute path",
        "srv",
    ),
    "name's client not in the inventory": (
        ("continuity_service_names", "confserv-master", "clients", 1),
        "nobody",
        "continuity_service_names.confserv-master.clients[1]",
        "a host of the inventory",
        "nobody",
    ),
    "store's host not in the inventory": (
        ("continuity_coordination", "hosts", "+"),
        "nobody",
        "continuity_coordination.hosts[3]",
        "a host of the inventory",
        "nobody",
    ),
    "store at one site only": (
        ("continuity_coordination",),
        {"driver": "files", "hosts": ["fra-cfg", "fra-db"]},
        "continuity_coordination.hosts",
        "at least one host inside ams",
        "[fra-cfg, fra-db]",
    ),
    "store of three with two inside one site": (
        ("continuity_coordination", "hosts"),
        ["fra-cfg", "fra-db", "ams-cfg"],
        "continuity_coordination.hosts",
        "less than half of the hosts inside fra",
        "[fra-cfg, fra-db, ams-cfg]",
    ),
    "store of two with etcd": (
        ("continuity_coordination", "hosts"),
        ["fra-cfg", "ams-cfg"],
        "continuity_coordination.hosts",
        "three hosts or more with driver etcd",
        "[fra-cfg, ams-cfg]",
    ),
    "settings of the store no path": (
        ("continuity_coordination", "settings"),
        "etcd.json",
        "continuity_coordination.settings",
        "an absolute path of a file",
        "etcd.json",
    ),
    "settings without etcd": (
        ("continuity_coordination",),
        {"driver": "files", "hosts": ["fra-cfg", "ams-cfg"], "settings": "/etc/sip-dr/etcd.json"},
        "continuity_coordination.settings",
        "only driver etcd has settings",
        "/etc/sip-dr/etcd.json",
    ),
    "promotion without synchronous replication": (
        ("continuity_policy", "promotion"),
        "auto",
        "continuity_policy.promotion",
        "operator, or replication: sync",
        "auto",
    ),
    "ticket that is taken too early": (
        ("continuity_policy", "ticket_take"),
        11.2,
        "continuity_policy.ticket_take",
        "at least 11.3 (ticket_hold - ticket_margin + guard_watchdog + 0.2",
        "11.2",
    ),
    "ticket that one lost renewal ends": (
        ("continuity_policy", "ticket_hold"),
        2,
        "continuity_policy.ticket_hold",
        "more than 2 (ticket_margin + 2 * ticket_renew)",
        "2",
    ),
    "licence file no path": (
        (*S, "configuration", "licence_file"),
        "licence.dat",
        "continuity_sites.fra.configuration.licence_file",
        "an absolute path of a file",
        "licence.dat",
    ),
    "message port": (
        (*S, "configuration", "message_port"),
        70000,
        "continuity_sites.fra.configuration.message_port",
        "1 to 65535",
        "70000",
    ),
    "unknown store": (
        ("continuity_coordination", "driver"),
        "consul",
        "continuity_coordination.driver",
        "files",
        "consul",
    ),
    "witness undeclared": (("continuity_witness",), DROP, "continuity_witness", "or the word none", "nothing"),
    "witness empty": (("continuity_witness",), None, "continuity_witness", "or the word none", "null"),
    "witness not in the inventory": (
        ("continuity_witness",),
        "nobody",
        "continuity_witness",
        "a host of the inventory",
        "nobody",
    ),
    "witness outside its network": (
        ("continuity_witness",),
        "phone-files",
        "continuity_witness",
        "lies in continuity_networks.witness [192.0.2.0/24]",
        "phone-files 10.40.0.5",
    ),
    "gateway of an unknown site": (
        ("continuity_gateways", "fra-gw-1", "site"),
        "fran",
        "continuity_gateways.fra-gw-1.site",
        "did you mean fra?",
        "fran",
    ),
    "gateway of an unknown make": (
        ("continuity_gateways", "fra-gw-1", "driver"),
        "cisco_cubes",
        "continuity_gateways.fra-gw-1.driver",
        "kamailio",
        "cisco_cubes",
    ),
    "gateway not in the inventory": (
        ("continuity_gateways", "fra-gw-9"),
        {"site": "fra", "driver": "kamailio", "address": "10.20.10.39"},
        "continuity_gateways.fra-gw-9",
        "a host of the inventory",
        "fra-gw-9",
    ),
    "no gateway": (("continuity_gateways",), {}, "continuity_gateways", "1 or more", "0 (none)"),
    "declared one-sided and is not": (
        ("continuity_gateways_one_sided",),
        True,
        "continuity_gateways_one_sided",
        "gateways at both sites",
        "true",
    ),
    "one-sided as a text": (
        ("continuity_gateways_one_sided",),
        "yes",
        "continuity_gateways_one_sided",
        "true or false",
        "yes",
    ),
    "a phone with no second server": (
        ("continuity_phones", 1, "servers"),
        ["ams"],
        "continuity_phones[1].servers",
        "a first and a second server",
        "[ams]",
    ),
    "a phone with one server twice": (
        ("continuity_phones", 1, "servers"),
        ["ams", "ams"],
        "continuity_phones[1].servers",
        "a first and a second server",
        "[ams, ams]",
    ),
    "a phone with an unknown registration": (
        ("continuity_phones", 1, "registration"),
        "doul",
        "continuity_phones[1].registration",
        "dual or single; did you mean dual?",
        "doul",
    ),
    "a phone of an unknown make": (
        ("continuity_phones", 2, "driver"),
        "yaelink",
        "continuity_phones[2].driver",
        "did you mean yealink?",
        "yaelink",
    ),
    "a number without quotes": (
        ("continuity_phones", 0, "dn"),
        1001,
        "continuity_phones[0].dn",
        "a number in quotes",
        "1001",
    ),
    "a MAC address without quotes": (
        ("continuity_phones", 2, "mac"),
        1565000021,
        "continuity_phones[2].mac",
        "twelve hexadecimal digits in quotes",
        "1565000021",
    ),
    "a single phone without MAC address": (
        ("continuity_phones", 2, "mac"),
        DROP,
        "continuity_phones[2].mac",
        "how a phone with a single registration is provisioned",
        "nothing",
    ),
    "a single phone without driver": (
        ("continuity_phones", 2, "driver"),
        DROP,
        "continuity_phones[2].driver",
        "how a phone with a single registration is provisioned",
        "nothing",
    ),
    "single phones and nowhere to provision them": (
        ("continuity_provisioning",),
        DROP,
        "continuity_provisioning",
        "continuity_phones[2] registers once only",
        "nothing",
    ),
    "a file beside the phones": (
        ("continuity_phones_file",),
        "/etc/sip-dr/phones.csv",
        "continuity_phones_file",
        "no file beside continuity_phones",
        "/etc/sip-dr/phones.csv",
    ),
    "a file of phones on the controller": (
        ("continuity_phones_file",),
        "phones.csv",
        "continuity_phones_file",
        "an absolute path on the provisioning host that ends with .csv, .yml or .yaml",
        "phones.csv",
    ),
    "a file of phones that is none": (
        ("continuity_phones_file",),
        "/etc/sip-dr/phones.xlsx",
        "continuity_phones_file",
        "ends with .csv, .yml or .yaml",
        "/etc/sip-dr/phones.xlsx",
    ),
    "an address twice": (
        ("continuity_gateways", "fra-gw-2", "address"),
        "10.20.10.31",
        "continuity_gateways.fra-gw-2.address",
        "continuity_gateways.fra-gw-1.address has it",
        "10.20.10.31",
    ),
    "SIP address is the configuration's": (
        (*S, "sip_server", "address"),
        "10.20.20.20",
        "continuity_sites.fra.sip_server.address",
        "continuity_sites.fra.configuration.address has it",
        "10.20.20.20",
    ),
    "a phone's name twice": (
        ("continuity_phones", 1, "name"),
        "agent-1001",
        "continuity_phones[1].name",
        "continuity_phones[0].name has it",
        "agent-1001",
    ),
    "a number twice": (
        ("continuity_phones", 2, "dn"),
        "1001",
        "continuity_phones[2].dn",
        "continuity_phones[0].dn has it",
        "1001",
    ),
    "unknown policy key": (
        ("continuity_policy", "confrim"),
        15,
        "continuity_policy.confrim",
        "did you mean confirm?",
        "15",
    ),
    "a policy out of range": (
        ("continuity_policy", "hold"),
        -1,
        "continuity_policy.hold",
        "0 or more",
        "-1",
    ),
    "a policy that is no word of it": (
        ("continuity_policy", "call_plane"),
        "always",
        "continuity_policy.call_plane",
        "observe or operator or auto",
        "always",
    ),
    "a policy that contradicts itself": (
        ("continuity_policy", "fresh"),
        10,
        "continuity_policy.fresh",
        "probe_deadline + connect_timeout + 5",
        "10",
    ),
    "a policy that contradicts itself by another key": (
        ("continuity_policy", "probe_deadline"),
        30,
        "continuity_policy.fresh",
        "at least 38",
        "20",
    ),
    "more test calls wanted than made": (
        ("continuity_policy", "call_quorum"),
        4,
        "continuity_policy.call_quorum",
        "at most call_tries (3)",
        "4",
    ),
    "test calls that outlast the probes": (
        ("continuity_policy", "call_deadline"),
        9,
        "continuity_policy.call_deadline",
        "at most probe_deadline (8)",
        "9",
    ),
    "half a test call": (
        ("continuity_policy", "call_tries"),
        2.5,
        "continuity_policy.call_tries",
        "a whole number, 1 or more",
        "2.5",
    ),
    "an attestation that never holds": (
        ("continuity_policy", "attestation"),
        0,
        "continuity_policy.attestation",
        "at least 0.01",
        "0",
    ),
    "a test number without quotes": (
        (*S, "sip_server", "test_dn"),
        8991,
        "continuity_sites.fra.sip_server.test_dn",
        "a number in quotes",
        "8991",
    ),
    "one test number for both sites": (
        (*S, "sip_server", "test_dn"),
        "8992",
        "continuity_sites.ams.sip_server.test_dn",
        "continuity_sites.fra.sip_server.test_dn has it",
        "8992",
    ),
    "a test number that is a phone's": (
        (*S, "sip_server", "test_dn"),
        "1001",
        "continuity_sites.fra.sip_server.test_dn",
        "continuity_phones[0].dn has it",
        "1001",
    ),
    "desktops without an Application": (
        ("continuity_desktops", "applications"),
        [],
        "continuity_desktops.applications",
        "Workspace Applications",
        "[]",
    ),
    "desktops of a site that is none": (
        ("continuity_desktops", "sites", "mas"),
        {"servers": []},
        "continuity_desktops.sites.mas",
        "did you mean ams?",
        "mas",
    ),
    "a page that is no path": (
        ("continuity_desktops", "login_page"),
        "tLibClientsStatistics",
        "continuity_desktops.login_page",
        "a path of the monitoring page",
        "tLibClientsStatistics",
    ),
    "no room at all": (
        (*S, "sip_server", "capacity"),
        0,
        "continuity_sites.fra.sip_server.capacity",
        "a whole number from 1",
        "0",
    ),
    "Stat Server elsewhere": (
        (*S, "stat_server", "address"),
        "10.30.20.40",
        "continuity_sites.fra.stat_server.address",
        "in the networks of fra",
        "10.30.20.40",
    ),
    "Solution Control Server's port as text": (
        (*S, "configuration", "scs_port"),
        "7070",
        "continuity_sites.fra.configuration.scs_port",
        "a whole number from 1 to 65535",
        "7070",
    ),
    "a path of nobody who looks": (
        ("continuity_paths", "par-witnes"),
        ["carrier-c"],
        "continuity_paths.par-witnes",
        "did you mean par-witness?",
        "par-witnes",
    ),
    "a path that is a text": (
        ("continuity_paths", "par-witness"),
        "carrier-c",
        "continuity_paths.par-witness",
        "a list of names of lines, networks or machines",
        "carrier-c",
    ),
    "a witness that shares a path": (
        ("continuity_paths", "par-witness", "+"),
        "carrier-a",
        "continuity_paths.par-witness",
        "no path of fra-dr-1 (fra), or continuity_paths_shared: true",
        "carrier-a",
    ),
    "declared shared and is not": (
        ("continuity_paths_shared",),
        True,
        "continuity_paths_shared",
        "false: no vantage points in two places share a path",
        "true",
    ),
    "a downtime of nobody": (
        ("continuity_downtimes", 0, "name"),
        "amz",
        "continuity_downtimes[0].name",
        "did you mean ams?",
        "amz",
    ),
    "a downtime that never ends": (
        ("continuity_downtimes", 0, "until"),
        DROP,
        "continuity_downtimes[0].until",
        "a time in quotes with its zone",
        "nothing",
    ),
    "a downtime that ends before it begins": (
        ("continuity_downtimes", 0, "until"),
        "2026-01-31T22:30:00+01:00",
        "continuity_downtimes[0].until",
        "a time after 2026-01-31T22:00:00Z",
        "2026-01-31T22:30:00+01:00",
    ),
    "a downtime without zone": (
        ("continuity_downtimes", 0, "from"),
        "2026-01-31T22:00:00",
        "continuity_downtimes[0].from",
        "with its zone",
        "2026-01-31T22:00:00",
    ),
    "phones over TLS": (
        ("continuity_phones", 0, "transport"),
        "tls",
        "continuity_phones[0].transport",
        "udp or tcp; phones are not moved or asked over TLS",
        "tls",
    ),
    "phones at a server over TLS": (
        (*S, "sip_server", "transport"),
        "tls",
        "continuity_sites.fra.sip_server.transport",
        "udp or tcp while there are continuity_phones",
        "tls",
    ),
    "a certificate's name without TLS": (
        (*S, "sip_server", "server_name"),
        "sip.fra.example.net",
        "continuity_sites.fra.sip_server.server_name",
        "no such key with transport udp",
        "sip.fra.example.net",
    ),
    "a certificate's name that is none": (
        (*S, "sip_server", "server_name"),
        "sip..example.net",
        "continuity_sites.fra.sip_server.server_name",
        "the DNS name that the server's certificate holds",
        "sip..example.net",
    ),
    "a key without its certificate": (
        ("continuity_sip_tls",),
        {"key": "/etc/sip-dr/tls/observer.key"},
        "continuity_sip_tls.certificate",
        "the certificate that belongs to continuity_sip_tls.key",
        "nothing",
    ),
    "authorities in a place that is none": (
        ("continuity_sip_tls",),
        {"ca_file": "tls/ca.pem"},
        "continuity_sip_tls.ca_file",
        "an absolute path of a file",
        "tls/ca.pem",
    ),
    "a downtime on a day that is none": (
        ("continuity_downtimes", 0, "from"),
        "2026-01-32T22:00:00Z",
        "continuity_downtimes[0].from",
        "a time that the calendar has",
        "2026-01-32T22:00:00Z",
    ),
}


@pytest.mark.parametrize(("path", "value", "where", "expected", "shown"), REFUSALS.values(), ids=list(REFUSALS))
def test_refusal_names_path_and_expectation(example, example_hosts, path, value, where, expected, shown):
    problem = found(problems_of(changed(example, path, value), example_hosts), where)
    assert expected in problem["expected"]
    assert problem["found"] == shown


def test_the_example_is_in_order(example, example_hosts):
    assert problems_of(example, example_hosts, "fra") == []


def test_defaults_are_filled_in(continuity):
    server = continuity["continuity_sites"]["ams"]["sip_server"]
    assert (server["port"], server["transport"], server["lca_port"]) == (5060, "udp", 4999)
    configuration = continuity["continuity_sites"]["ams"]["configuration"]
    assert (configuration["port"], configuration["proxy_port"], configuration["database"]["port"]) == (2020, 2025, 5432)
    assert continuity["continuity_policy"]["confirm"] == 15
    assert continuity["continuity_policy"]["lock_stale"] == 60
    assert continuity["continuity_gateways_one_sided"] is False


def with_file(example):
    """Return the example with its phones in a file."""
    return {**changed(example, ("continuity_phones",), []), "continuity_phones_file": "/etc/sip-dr/phones.csv"}


def test_phones_may_stand_in_a_file(example, example_hosts):
    checked, problems = check_deployment(with_file(example), example_hosts.get)
    assert (problems, checked["continuity_phones"]) == ([], [])
    assert checked["continuity_phones_file"] == "/etc/sip-dr/phones.csv"


def test_a_file_of_phones_needs_its_host(example, example_hosts):
    problems = problems_of(changed(with_file(example), ("continuity_provisioning",), DROP), example_hosts)
    assert "the host has continuity_phones_file, too" in found(problems, "continuity_provisioning")["expected"]


def test_phones_in_a_file_are_not_asked_over_tls(example, example_hosts):
    problems = problems_of(changed(with_file(example), (*S, "sip_server", "transport"), "tls"), example_hosts)
    problem = found(problems, "continuity_sites.fra.sip_server.transport")
    assert "udp or tcp while there are continuity_phones_file" in problem["expected"]


def test_a_softphone_of_single_registration_has_no_mac_address(example, example_hosts):
    soft = changed(example, ("continuity_phones", 2, "driver"), "genesys_softphone")
    del soft["continuity_phones"][2]["mac"]
    assert problems_of(soft, example_hosts) == []


def over_tls(example):
    """Return the example with its sites and one gateway over TLS, and the certificates' places."""
    data = changed(example, ("continuity_phones",), [])
    for site in data["continuity_sites"].values():
        site["sip_server"].pop("port", None)
        site["sip_server"].update(transport="tls", server_name="sip.example.net")
    data["continuity_gateways"]["fra-gw-1"]["transport"] = "tls"
    return {**data, "continuity_sip_tls": {"ca_file": "/etc/sip-dr/tls/ca.pem"}}


def test_over_tls_the_port_is_another_unless_it_is_said(example, example_hosts):
    data = changed(over_tls(example), ("continuity_gateways", "ams-gw-1", "port"), 5070)
    checked, problems = check_deployment(data, example_hosts.get)
    assert problems == []
    assert [site["sip_server"]["port"] for site in checked["continuity_sites"].values()] == [5061, 5061]
    assert [gateway["port"] for gateway in checked["continuity_gateways"].values()] == [5061, 5060, 5070, 5060]
    assert check_deployment(checked, example_hosts.get) == (checked, [])


def test_no_certificates_are_needed_where_the_system_knows_the_authority(example, example_hosts):
    checked, problems = check_deployment(changed(over_tls(example), ("continuity_sip_tls",), DROP), example_hosts.get)
    assert (problems, "continuity_sip_tls" in checked) == ([], False)


def test_test_calls_are_not_placed_over_tls(example, example_hosts):
    data = changed(over_tls(example), ("continuity_policy", "synthetic_calls"), True)
    problems = problems_of(data, example_hosts)
    assert [one["path"] for one in problems] == ["continuity_gateways.fra-gw-1.transport"]
    assert "continuity_policy.synthetic_calls: false" in problems[0]["expected"]


@pytest.mark.parametrize("transport", ["sctp", 5061, None, ["tls"]])
def test_a_transport_that_is_none_is_the_only_problem(example, example_hosts, transport):
    data = changed(over_tls(example), (*S, "sip_server", "transport"), transport)
    assert [one["path"] for one in problems_of(data, example_hosts)] == ["continuity_sites.fra.sip_server.transport"]


def test_what_comes_out_can_go_in_again(continuity, example_hosts):
    again, problems = check_deployment(continuity, example_hosts.get)
    assert problems == []
    assert again == continuity


def test_all_problems_at_once(example, example_hosts):
    data = changed(example, ("continuity_witness",), DROP)
    data = changed(data, (*S, "networks", 0), "10.20.10.0/33")
    data = changed(data, (*S, "sip_server", "port"), 0)
    data = changed(data, ("continuity_policy", "confirm"), "soon")
    data = changed(data, ("continuity_policy", "hold"), "late")
    paths = [item["path"] for item in problems_of(data, example_hosts, "mars")]
    for path in (
        "continuity_witness",
        "continuity_sites.fra.networks[0]",
        "continuity_sites.fra.sip_server.port",
        "continuity_policy.confirm",
        "continuity_policy.hold",
        "continuity_failed_site",
    ):
        assert path in paths


def test_unknown_failed_site(example, example_hosts):
    problem = found(problems_of(example, example_hosts, "fro"), "continuity_failed_site")
    assert "did you mean fra?" in problem["expected"]


def test_no_witness_is_declared_and_the_policy_follows(example, example_hosts):
    example = changed(example, ("continuity_paths", "par-witness"), DROP)
    data, problems = check_deployment(changed(example, ("continuity_witness",), "none"), example_hosts.get)
    assert problems == []
    assert data["continuity_policy"]["witness"] is False


def test_no_witness_and_a_policy_that_asks_for_one(example, example_hosts):
    data = changed(example, ("continuity_witness",), "none")
    data = changed(data, ("continuity_policy", "witness"), True)
    assert "left out" in found(problems_of(data, example_hosts), "continuity_policy.witness")["expected"]


def test_witness_inside_a_site(example, example_hosts):
    data = changed(example, ("continuity_witness",), "fra-dr-1")
    data = changed(data, ("continuity_networks", "witness"), [])
    problem = found(problems_of(data, example_hosts), "continuity_witness")
    assert "it stands in fra's networks" in problem["expected"]
    assert problem["found"] == "fra-dr-1 10.20.20.11"


def test_gateways_at_one_site_must_be_declared(example, example_hosts):
    data = changed(example, ("continuity_gateways", "ams-gw-1"), DROP)
    data = changed(data, ("continuity_gateways", "ams-gw-2"), DROP)
    assert (
        "continuity_gateways_one_sided: true"
        in found(problems_of(data, example_hosts), "continuity_gateways")["expected"]
    )
    assert problems_of(changed(data, ("continuity_gateways_one_sided",), True), example_hosts) == []


@pytest.mark.parametrize("site", ["fra", "ams"])
def test_test_calls_need_a_number_at_each_site(example, example_hosts, site):
    path = f"continuity_sites.{site}.sip_server.test_dn"
    data = changed(example, ("continuity_sites", site, "sip_server", "test_dn"), DROP)
    assert problems_of(data, example_hosts) == []
    data = changed(data, ("continuity_policy", "synthetic_calls"), True)
    assert "the number in quotes that test calls" in found(problems_of(data, example_hosts), path)["expected"]


def test_a_policy_that_contradicts_itself_keeps_its_other_keys(example, example_hosts):
    data = changed(example, ("continuity_policy", "fresh"), 10)
    assert check_deployment(data, example_hosts.get)[0]["continuity_policy"]["synthetic_calls"] is False


def test_shared_paths_are_declared(example, example_hosts):
    data = changed(example, ("continuity_paths", "par-witness", "+"), "carrier-a")
    assert problems_of(changed(data, ("continuity_paths_shared",), True), example_hosts) == []


def test_hosts_of_one_place_may_share_a_path(example, example_hosts):
    data = changed(example, ("continuity_paths", "fra-dr-2", "+"), "carrier-a")
    assert problems_of(data, example_hosts) == []
    data = changed(data, ("continuity_paths", "ams-gw-1"), ["carrier-a"])
    assert found(problems_of(data, example_hosts), "continuity_paths.ams-gw-1")["found"] == "carrier-a"


def test_host_address_that_is_a_name(example, example_hosts):
    problems = problems_of(example, dict(example_hosts, **{"fra-cfg": "fra-cfg.example.org"}))
    assert "ansible_host lies in" in found(problems, "continuity_sites.fra.configuration.host")["expected"]


def test_lines_of_one_user_agent_share_a_socket_and_devices_do_not(example, example_hosts):
    data = changed(example, ("continuity_phones", 1, "address"), "10.40.1.11")
    assert problems_of(data, example_hosts) == []
    data = changed(data, ("continuity_phones", 2, "address"), "10.40.1.11")
    problem = found(problems_of(data, example_hosts), "continuity_phones[2].port")
    assert problem["found"] == "10.40.1.11 port 5060"


def test_mac_address_twice_however_written(example, example_hosts):
    phone = dict(example["continuity_phones"][2], name="b", dn="1022", address="10.40.2.22", mac="00:15:65:00:00:21")
    data = changed(example, ("continuity_phones", "+"), phone)
    assert (
        "continuity_phones[2].mac has it"
        in found(problems_of(data, example_hosts), "continuity_phones[3].mac")["expected"]
    )


def test_active_leg_may_carry_the_sip_address(example, example_hosts):
    assert problems_of(changed(example, (*S, "sip_server", "address"), "10.20.10.11"), example_hosts) == []


def test_configuration_and_database_on_one_machine(example, example_hosts):
    data = changed(example, (*S, "configuration", "database"), {"host": "fra-cfg", "address": "10.20.20.20"})
    assert problems_of(data, example_hosts) == []


def test_ipv6_sites(example, example_hosts):
    data = changed(example, (*S, "networks", "+"), "2001:db8:1::/64")
    data = changed(data, (*S, "sip_server", "address"), "2001:db8:1::64")
    assert problems_of(data, example_hosts) == []
    data = changed(data, ("continuity_sites", "ams", "networks", "+"), "2001:db8::/32")
    assert found(problems_of(data, example_hosts), "continuity_sites.ams.networks[2]")


@pytest.mark.parametrize("nonsense", [None, 7, "text", [], [None], {"a": None}, {None: 1}])
def test_nonsense_anywhere_is_a_problem_and_never_an_exception(example, example_hosts, nonsense):
    for name in example:
        assert isinstance(problems_of(changed(example, (name,), nonsense), example_hosts), list)
    for key in example["continuity_sites"]["fra"]:
        assert problems_of(changed(example, (*S, key), nonsense), example_hosts)


def test_each_problem_is_one_line(example, example_hosts):
    problems = problems_of(changed(example, (*S, "networks", 0), "10.20.10.0\n/24"), example_hosts)
    assert all("\n" not in line for line in report_lines(problems))
    assert report_lines(problems)[0].startswith("continuity_sites.fra.networks[0]: expected a network")


def test_a_store_of_files_has_no_settings_and_replication_that_nobody_records(example, example_hosts):
    data = changed(example, ("continuity_coordination",), {"driver": "files", "hosts": ["fra-cfg", "ams-cfg"]})
    checked, problems = check_deployment(data, example_hosts.get)
    assert problems == [] and "settings" not in checked["continuity_coordination"]
    (problem,) = problems_of(changed(data, ("continuity_policy", "replication"), "sync"), example_hosts)
    assert problem["path"] == "continuity_policy.replication" and "async, or driver etcd" in problem["expected"]


def test_a_store_of_etcd_has_its_settings_in_their_place(example, example_hosts):
    checked, problems = check_deployment(example, example_hosts.get)
    assert problems == [] and checked["continuity_coordination"]["settings"] == "/etc/sip-dr/etcd.json"
    automatic = changed(
        example, ("continuity_policy",), {"promotion": "auto", "replication": "sync", "synthetic_calls": False}
    )
    assert problems_of(automatic, example_hosts) == []


def test_a_gateway_on_which_no_module_runs_is_not_managed_from_itself(example, example_hosts):
    data = changed(example, ("continuity_gateways", "fra-gw-1", "driver"), "cisco_cube")
    wrong = changed(data, ("continuity_gateways", "fra-gw-1", "managed_from"), "itself")
    assert (
        "elsewhere" in found(problems_of(wrong, example_hosts), "continuity_gateways.fra-gw-1.managed_from")["expected"]
    )
    assert (
        problems_of(changed(wrong, ("continuity_gateways", "fra-gw-1", "managed_from"), "elsewhere"), example_hosts)
        == []
    )
