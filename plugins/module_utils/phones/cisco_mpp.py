# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cisco 68xx, 78xx and 88xx with multiplatform firmware (MPP, 3PCC): XML with one element for each parameter.

Dual registration is `Dual_Registration_1_` with `Proxy_1_` and `Alternate_Proxy_1_`; Cisco says that DNS SRV must then
be off, and that the phone takes it after a restart, which this role never asks for. For single registration both
servers stand in `Proxy_1_` as a list of SRV records that needs no DNS server, `name:SRV=a:5060:p=0|b:5060:p=1`;
firmware that does not know it has option srv_list `no`, and then one server. `Event: resync` is done when the phone is
idle; it answers 401 and wants a digest unless `Auth_Resync-Reboot_1_` is No.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Mapping, Sequence, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import DUAL, Server, Values
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.make import (
    Keys,
    Make,
    Options,
    host_port,
    server_at,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.xml_keys import XmlElements

TEMPLATE = """<device>
  <flat-profile>
    <Line_Enable_1_ ua="na">Yes</Line_Enable_1_>
    <User_ID_1_ ua="na">{{ dn }}</User_ID_1_>
    <Auth_ID_1_ ua="na">{{ auth_name }}</Auth_ID_1_>
    <Password_1_ ua="na">{{ password }}</Password_1_>
    <Display_Name_1_ ua="na">{{ label }}</Display_Name_1_>
  </flat-profile>
</device>
"""

_SRV_LIST = re.compile(r"[^:|]*:SRV=(?P<records>.+)\Z", re.IGNORECASE)
_PRIORITY = re.compile(r":p=\d+.*\Z")


@dataclass(frozen=True)
class CiscoMpp(Make):
    """Two servers of single registration stand in one value."""

    def servers(self, values: Values) -> Tuple[Server, ...]:
        """Return the servers that these values name, in their order."""
        key = self.keys["address1"]
        listed = _SRV_LIST.match(values.get(key) or "")
        if not listed:
            return super().servers(values)[: 2 if self.mode(values) == DUAL else 1]
        found = (server_at(_PRIORITY.sub("", record), key) for record in listed["records"].split("|"))
        return tuple(server for server in found if server)

    def naming(self, servers: Sequence[Server], mode: str) -> Values:
        """Return the keys that name these servers, the first one first, and nothing else."""
        if mode == DUAL:
            return super().naming(servers, mode)
        if len(servers) < 2 or self.options["srv_list"] != "yes":
            return super().naming(servers[:1], mode)
        records = "|".join(f"{host_port(server)}:p={order}" for order, server in enumerate(servers))
        return {self.keys["address1"]: f"{self.options['srv_name']}:SRV={records}"}


def _keys(options: Options) -> Keys:
    names = {
        "user": "User_ID",
        "address1": "Proxy",
        "address2": "Alternate_Proxy",
        "mode": "Dual_Registration",
        "expires1": "Register_Expires",
        "transport1": "SIP_Transport",
        "outbound1": "Outbound_Proxy",
        "outbound2": "Alternate_Outbound_Proxy",
    }
    return {name: f"{key}_{options['line']}_" for name, key in names.items()}


def _always(_options: Options) -> Values:
    return {"Resync_From_SIP": "Yes"}


def _modes(options: Options) -> Mapping[str, Values]:
    line = options["line"]
    return {
        "dual": {f"Use_DNS_SRV_{line}_": "No"},
        "single": {
            f"Use_DNS_SRV_{line}_": "Yes" if options["srv_list"] == "yes" else "No",
            f"Auto_Register_When_Failover_{line}_": "Yes",
            f"Proxy_Fallback_Intvl_{line}_": options["fallback_interval"],
        },
    }


MAKE = CiscoMpp(
    name="cisco_mpp",
    check_sync="resync",
    syntax=XmlElements("flat-profile", ' ua="na"'),
    template=TEMPLATE,
    options={
        "file_name": "{mac}.xml",
        "line": "1",
        "srv_list": "yes",
        "srv_name": "sip-dr",
        "fallback_interval": "120",
    },
    keys_of=_keys,
    words_of=lambda options: {"single": "No", "dual": "Yes", "udp": "UDP", "tcp": "TCP"},
    default_expires=3600,
    joined=True,
    always_of=_always,
    modes_of=_modes,
)
