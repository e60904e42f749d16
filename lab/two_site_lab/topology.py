# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one topology of the lab: two sites, carrier, contact centre, witness and control."""

from __future__ import annotations

from two_site_lab.model import Host, Topology, Zone

ZONES = {"site1": 1, "site2": 2, "carrier": 3, "centre": 4, "witness": 5, "control": 6}
SITE_HOSTS = (("sip-a", "sip", 11), ("sip-b", "sip", 12), ("cfg", "cfg", 20), ("gw", "gw", 30))
SITES = {"site1": "s1", "site2": "s2"}
MAKES = {"gw": "kamailio", "cube": "cisco_cube", "sbc": "audiocodes"}
# What --gateways may say, and the gateways that the first site then has beside its own.
GATEWAYS = {"alike": (), "mixed": (("cube", "gw", 31), ("sbc", "gw", 32))}


def _site_hosts(site: str, short: str, gateways: str) -> list[Host]:
    net = ZONES[site]
    listed = (*SITE_HOSTS, *(GATEWAYS[gateways] if site == next(iter(SITES)) else ()))
    return [
        Host(f"{short}-{name}", kind, site, f"10.71.{net}.{last}", site, MAKES.get(name, ""))
        for name, kind, last in listed
    ]


def topology(lab_id: str = "dr", master: str = next(iter(SITES)), gateways: str = next(iter(GATEWAYS))) -> Topology:
    """The lab's topology under an id; addresses are the same in every lab, since namespaces keep labs apart."""
    zones = {name: Zone(name, f"10.71.{net}.0/24", f"10.71.{net}.1") for name, net in ZONES.items()}
    hosts = [host for site, short in SITES.items() for host in _site_hosts(site, short, gateways)]
    hosts += [
        Host("phones", "phones", "centre", "10.71.4.10"),
        Host("pstn", "pstn", "carrier", "10.71.3.10"),
        Host("witness", "witness", "witness", "10.71.5.10"),
    ]
    return Topology(
        id=lab_id,
        zones=zones,
        hosts={host.name: host for host in hosts},
        vips={site: f"10.71.{ZONES[site]}.100" for site in SITES},
        control=Host("control", "control", "control", "10.71.6.10"),
        master=master,
        gateways=gateways,
    )
