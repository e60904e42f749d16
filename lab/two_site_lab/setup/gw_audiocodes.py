# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway that is an AudioCodes Mediant: REST over HTTPS, and a Proxy Set that its Kamailio follows."""

from __future__ import annotations

import json

from two_site_lab import gateways, pki
from two_site_lab.lab import Lab
from two_site_lab.model import Host, HostFile, HostSetup, Topology
from two_site_lab.standin_files import filled, programs, unit
from two_site_lab.state import State

SAVED = "/var/lib/audiocodes/saved.ini"
CERTIFICATE, KEY = "/etc/audiocodes/device.pem", "/etc/audiocodes/device.key"


def setup(host: Host, topology: Topology) -> HostSetup:
    """The device's programs, its certificate, and its saved configuration."""
    keys = State(topology.id).pki
    files = [
        HostFile(SAVED, _saved(host, topology)),
        HostFile("/etc/audiocodes/sbc.json", json.dumps(_settings(host, topology), indent=2), 0o600),
        HostFile(CERTIFICATE, pki.certificate(keys, host.name).read_text()),
        HostFile(KEY, pki.private_key(keys, host.name).read_text(), 0o600),
        unit("audiocodes/audiocodes-sbc.service"),
        *programs("audiocodes", "gateway"),
    ]
    return HostSetup(files, ["audiocodes-sbc.service"])


def _settings(host: Host, topology: Topology) -> dict[str, object]:
    return {
        "address": host.address,
        "username": gateways.USER,
        "password": Lab(topology.id).secret(host.name),
        "certificate": CERTIFICATE,
        "key": KEY,
        "saved": SAVED,
        "proxy_set": gateways.PROXY_SET_NUMBER,
        "sites": {target: site for site, target in gateways.targets(topology).items()},
    }


def _saved(host: Host, topology: Topology) -> str:
    """A Proxy Set with both sites, its own first."""
    own, peer = str(host.site), topology.peer(str(host.site))
    return filled(
        "audiocodes/board.ini.tmpl",
        host=host.name,
        carrier=topology.of_kind("pstn")[0].address,
        proxy_set=gateways.PROXY_SET_NUMBER,
        proxy_set_name=gateways.PROXY_SET,
        own_address=gateways.targets(topology)[own],
        peer_address=gateways.targets(topology)[peer],
    )
