# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Polycom and Poly with UC Software 4 to 6 (VVX and others): XML with one attribute for each parameter.

Keys as in Poly's UC Software Administrator Guide and technical bulletin 5844: with `reg.1.server.2.register="1"` the
phone registers with both servers and works with the first that is registered; with "0" it calls by the second when the
first is silent, and `failOver.reRegisterOn` lets it register there first. A NOTIFY check-sync restarts it only where a
parameter needs that, unless `checkSync.alwaysReboot` is 1. The file must be named in the master configuration file's
CONFIG_FILES, for example as `reg-[PHONE_MAC_ADDRESS].cfg`.
"""

from __future__ import annotations

from typing import Mapping

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import Values
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.make import Keys, Make, Options
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.xml_keys import XmlAttributes

_REBOOT = "voIpProt.SIP.specialEvent.checkSync.alwaysReboot"

TEMPLATE = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<polycomConfig>
  <reg reg.1.address="{{ dn }}" reg.1.label="{{ label }}" reg.1.displayName="{{ label }}" \
reg.1.auth.userId="{{ auth_name }}" reg.1.auth.password="{{ password }}"/>
</polycomConfig>
"""


def _keys(options: Options) -> Keys:
    line = f"reg.{options['line']}"
    found = {"user": f"{line}.address", "mode": f"{line}.server.2.register"}
    found["outbound1"] = f"{line}.outboundProxy.address"
    for n in (1, 2):
        for name in ("address", "port", "transport", "expires"):
            found[f"{name}{n}"] = f"{line}.server.{n}.{name}"
    return found


def _always(options: Options) -> Values:
    return {
        f"reg.{options['line']}.server.1.register": "1",
        _REBOOT: "0",
    }


def _modes(options: Options) -> Mapping[str, Values]:
    over = f"reg.{options['line']}.server.1.failOver"
    return {
        "single": {
            f"{over}.reRegisterOn": "1",
            f"{over}.failRegistrationOn": "1",
            f"{over}.onlySignalWithRegistered": "1",
            f"{over}.failBack.mode": "duration",
            f"{over}.failBack.timeout": options["fail_back_timeout"],
        }
    }


MAKE = Make(
    name="poly",
    check_sync="check-sync",
    syntax=XmlAttributes("reg."),
    template=TEMPLATE,
    options={"file_name": "reg-{mac}.cfg", "line": "1", "fail_back_timeout": "120"},
    keys_of=_keys,
    words_of=lambda options: {"single": "0", "dual": "1", "udp": "UDPOnly", "tcp": "TCPOnly"},
    default_expires=3600,
    always_of=_always,
    modes_of=_modes,
    restart_of=(_REBOOT, "0"),
)
