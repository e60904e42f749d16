# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The carrier: Kamailio that shares new calls over the gateways, and SIPp's scenario of a caller."""

from __future__ import annotations

from two_site_lab.model import Host, HostFile, HostSetup, Topology
from two_site_lab.standin_files import filled, text
from two_site_lab.truth import CALLS_DIRECTORY, SCENARIO


def setup(host: Host, topology: Topology) -> HostSetup:
    """The files of the carrier's host."""
    gateways = "".join(f"1 sip:{gateway.address}:5060 0 0 duid={gateway.name}\n" for gateway in topology.of_kind("gw"))
    files = [
        HostFile("/etc/kamailio/kamailio.cfg", text("carrier/kamailio.cfg")),
        HostFile("/etc/kamailio/common.cfg", text("kamailio/common.cfg")),
        HostFile("/etc/kamailio/faults.cfg", text("kamailio/faults.cfg")),
        HostFile("/etc/kamailio/site.cfg", filled("gateway/site.cfg.tmpl", address=host.address, ping_interval=1)),
        HostFile("/etc/kamailio/dispatcher.list", gateways),
        HostFile(SCENARIO, text("carrier/caller.xml")),
    ]
    return HostSetup(files=files, enable=["kamailio.service"], directories=[CALLS_DIRECTORY])
