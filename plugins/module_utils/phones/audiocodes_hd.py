# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AudioCodes 400HD: `<MAC>.cfg` with one `key=value` per line.

The proxy and registrar keys, and `check_sync/force_reboot_enabled`, are seen in public configurations; the manual
(420HD, page 99) describes the redundant proxy. The names of the redundant proxy's keys, of its mode that registers with
both, of the transport and of the registration's expiry could not be verified: they are options.
"""

from __future__ import annotations

from typing import Mapping

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import Values
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.lines import KeyLines
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.make import Keys, Make, Options

_SIP = "voip/signalling/sip"
_REBOOT = "voip/services/notify/check_sync/force_reboot_enabled"

TEMPLATE = """voip/line/0/enabled=1
voip/line/0/id={{ dn }}
voip/line/0/description={{ label }}
voip/line/0/auth_name={{ auth_name }}
voip/line/0/auth_password={{ password }}
"""

OPTIONS = {
    "file_name": "{MAC}.cfg",
    "user": "voip/line/0/id",
    "redundant_enabled": f"{_SIP}/redundant_proxy/enabled",
    "redundant_address": f"{_SIP}/redundant_proxy/address",
    "redundant_port": f"{_SIP}/redundant_proxy/port",
    "redundant_keepalive": f"{_SIP}/redundant_proxy/keepalive_period",
    "keepalive_period": "10",
    "redundant_mode": f"{_SIP}/redundant_proxy/mode",
    "redundant_mode_single": "Primary_Fallback",
    "redundant_mode_dual": "Simultaneous",
    "expires": f"{_SIP}/proxy_timeout",
    "transport": f"{_SIP}/transport_protocol",
    "outbound": f"{_SIP}/sip_outbound_proxy/addr",
}


def _keys(options: Options) -> Keys:
    return {
        "user": options["user"],
        "address1": f"{_SIP}/proxy_address",
        "port1": f"{_SIP}/proxy_port",
        "address2": options["redundant_address"],
        "port2": options["redundant_port"],
        "mode": options["redundant_mode"],
        "expires1": options["expires"],
        "transport1": options["transport"],
        "outbound1": options["outbound"],
    }


def _words(options: Options) -> Mapping[str, str]:
    modes = {"single": options["redundant_mode_single"], "dual": options["redundant_mode_dual"]}
    return {**modes, "udp": "UDP", "tcp": "TCP"}


def _always(options: Options) -> Values:
    return {
        f"{_SIP}/use_proxy": "1",
        f"{_SIP}/sip_registrar/enabled": "1",
        options["redundant_enabled"]: "1",
        options["redundant_keepalive"]: options["keepalive_period"],
        _REBOOT: "0",
    }


def _mirrors(_options: Options) -> Mapping[str, str]:
    registrar = f"{_SIP}/sip_registrar"
    return {f"{registrar}/addr": f"{_SIP}/proxy_address", f"{registrar}/port": f"{_SIP}/proxy_port"}


MAKE = Make(
    name="audiocodes_hd",
    check_sync="check-sync",
    syntax=KeyLines("="),
    template=TEMPLATE,
    options=OPTIONS,
    keys_of=_keys,
    words_of=_words,
    default_expires=3600,
    always_of=_always,
    mirrors_of=_mirrors,
    restart_of=(_REBOOT, "0"),
)
