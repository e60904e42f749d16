# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Yealink: `<mac>.cfg` with one `key = value` per line; account 1's first server is the one it registers with.

Keys as in Yealink's Administrator Guide, "Auto Provisioning" and "Server Redundancy":
`fallback.redundancy_type` 0 registers with both servers at once, 1 with the second when the first is silent. The phone
fetches the file again on NOTIFY check-sync; with `sip.notify_reboot_enable = 1`, its default, a plain check-sync
restarts it, so that `reboot=false` is said and the provisioning sets the key to 0.
"""

from __future__ import annotations

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import Values
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.lines import KeyLines
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.make import Keys, Make, Options

_REBOOT = "sip.notify_reboot_enable"

TEMPLATE = """#!version:1.0.0.1
account.1.enable = 1
account.1.label = {{ label }}
account.1.display_name = {{ label }}
account.1.user_name = {{ dn }}
account.1.auth_name = {{ auth_name }}
account.1.password = {{ password }}
"""


def _keys(options: Options) -> Keys:
    account = f"account.{options['account']}"
    found = {"user": f"{account}.user_name", "mode": f"{account}.fallback.redundancy_type"}
    found["outbound_on"] = f"{account}.outbound_proxy_enable"
    for n in (1, 2):
        server = f"{account}.sip_server.{n}"
        found.update({f"address{n}": f"{server}.address", f"port{n}": f"{server}.port"})
        found.update({f"transport{n}": f"{server}.transport_type", f"expires{n}": f"{server}.expires"})
        found[f"outbound{n}"] = f"{account}.outbound_proxy.{n}.address"
    return found


def _always(options: Options) -> Values:
    timeout = f"account.{options['account']}.fallback.timeout"
    return {_REBOOT: "0", timeout: options["fallback_timeout"]}


MAKE = Make(
    name="yealink",
    check_sync="check-sync;reboot=false",
    syntax=KeyLines(" = "),
    template=TEMPLATE,
    options={"file_name": "{mac}.cfg", "account": "1", "fallback_timeout": "120"},
    keys_of=_keys,
    words_of=lambda options: {"single": "1", "dual": "0", "udp": "0", "tcp": "1"},
    default_expires=3600,
    always_of=_always,
    restart_of=(_REBOOT, "1"),
)
