# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A media gateway: Kamailio with both sites in dispatcher set 1, its own site preferred.

A gateway of another make has that make's own tables beside it, and its Kamailio follows these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from two_site_lab import truth
from two_site_lab.model import Host, HostFile, HostSetup, Topology
from two_site_lab.setup import gw_audiocodes, gw_cisco_cube
from two_site_lab.standin_files import filled, text

if TYPE_CHECKING:
    from two_site_lab.lab import Lab

PREFERRED = 10
FALLBACK = 5
MAKES = {"audiocodes": gw_audiocodes, "cisco_cube": gw_cisco_cube}


def setup(host: Host, topology: Topology) -> HostSetup:
    """The files of one gateway."""
    files = [
        HostFile("/etc/kamailio/kamailio.cfg", text("gateway/kamailio.cfg")),
        HostFile("/etc/kamailio/common.cfg", text("kamailio/common.cfg")),
        HostFile("/etc/kamailio/faults.cfg", text("kamailio/faults.cfg")),
        HostFile("/etc/kamailio/site.cfg", filled("gateway/site.cfg.tmpl", address=host.address, ping_interval=1)),
        HostFile("/etc/kamailio/dispatcher.list", _dispatcher_list(host, topology)),
        HostFile("/etc/kamailio/test_numbers.cfg", _test_numbers(topology)),
    ]
    device = MAKES[host.make].setup(host, topology) if host.make in MAKES else HostSetup()
    return HostSetup([*files, *device.files], ["kamailio.service", *device.enable])


def start(lab: Lab) -> None:
    """Make the users of those where one logs in as a person does."""
    for host in lab.topology.of_kind("gw"):
        if host.make == "cisco_cube":
            gw_cisco_cube.make_user(lab, host)


def ready(lab: Lab) -> list[str]:
    """What the gateways still lack, in words."""
    return truth.gateways_missing(lab)


def _test_numbers(topology: Topology) -> str:
    """The dial plan for test calls: each site's number goes to that site, whatever the dispatcher prefers."""
    return "".join(
        filled("gateway/test_number.cfg.tmpl", dn=topology.test_dn(site), address=topology.vip(site))
        for site in topology.sites
    )


def _dispatcher_list(host: Host, topology: Topology) -> str:
    """``setid uri flags priority attrs`` for each site; the fallback stays in the set."""
    priorities = {site: PREFERRED if site == host.site else FALLBACK for site in topology.sites}
    return "".join(f"1 sip:{topology.vip(site)}:5060 0 {priorities[site]} duid={site}\n" for site in topology.sites)
