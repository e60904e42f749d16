# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snom: XML settings with one element for each, numbered by identity (`idx`).

A second identity carries the second site: with `user_active` on it registers too, and `user_failover_identity` lets
calls of the first go out by it when the first is not registered (Snom's settings reference). Off, it only waits there
until the phones are moved. `check-sync;reboot=false` makes the phone read its settings without a restart.
"""

from __future__ import annotations

from typing import Mapping

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import Values
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.make import Keys, Make, Options
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.xml_keys import XmlElements

TEMPLATE = """<?xml version="1.0" encoding="utf-8"?>
<settings>
  <phone-settings>
    <user_active idx="1" perm="">on</user_active>
    <user_realname idx="1" perm="">{{ label }}</user_realname>
    <user_name idx="1" perm="">{{ dn }}</user_name>
    <user_pname idx="1" perm="">{{ auth_name }}</user_pname>
    <user_pass idx="1" perm="">{{ password }}</user_pass>
  </phone-settings>
</settings>
"""

_OF_AN_IDENTITY = ("user_realname", "user_name", "user_pname", "user_pass")


def _keys(options: Options) -> Keys:
    first, second = options["identity"], options["second_identity"]
    found = {"user": f"user_name[{first}]", "mode": f"user_active[{second}]"}
    for n, identity in ((1, first), (2, second)):
        found[f"address{n}"] = f"user_host[{identity}]"
        found[f"expires{n}"] = f"user_expiry[{identity}]"
        found[f"outbound{n}"] = f"user_outbound[{identity}]"
    return found


def _modes(options: Options) -> Mapping[str, Values]:
    over = f"user_failover_identity[{options['identity']}]"
    return {"dual": {over: options["second_identity"]}, "single": {over: "none"}}


def _copies(options: Options) -> Mapping[str, str]:
    first, second = options["identity"], options["second_identity"]
    return {f"{name}[{second}]": f"{name}[{first}]" for name in _OF_AN_IDENTITY}


MAKE = Make(
    name="snom",
    check_sync="check-sync;reboot=false",
    syntax=XmlElements("phone-settings", ' perm=""'),
    template=TEMPLATE,
    options={"file_name": "snom-{MAC}.xml", "identity": "1", "second_identity": "2"},
    keys_of=_keys,
    words_of=lambda options: {"single": "off", "dual": "on"},
    default_expires=3600,
    joined=True,
    modes_of=_modes,
    copies_of=_copies,
    secrets=("user_pass[",),
)
