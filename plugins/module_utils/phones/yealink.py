# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Yealink: `<mac>.cfg` with one `key = value` per line; account 1's first server is the one it registers with.

Keys as in Yealink's Administrator Guide, "Auto Provisioning" and "Server Redundancy". The phone fetches the file again
on NOTIFY check-sync; with `sip.notify_reboot_enable = 1`, its default, a plain check-sync restarts it, so that
`reboot=false` is said and the provisioning should set the key to 0.
"""

from __future__ import annotations

import re
from typing import Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import Server, Values

CHECK_SYNC = "check-sync;reboot=false"
ADDRESS = "account.1.sip_server.1.address"
PORT = "account.1.sip_server.1.port"


def file_name(mac: str) -> str:
    """Return the name of the phone's own file, the MAC in lower case (Yealink asks for it this way)."""
    return f"{mac}.cfg"


def values(text: str) -> Values:
    """Return address and port of the server, None for a key that is not in the file."""
    return {key: _value(text, key) for key in (ADDRESS, PORT)}


def toward(server: Server) -> Values:
    """Return address and port for that server."""
    return {ADDRESS: server.address, PORT: str(server.port)}


def registers_with(values: Values) -> Server:
    """Return the server that these values name; without a port it is 5060 (RFC 3261 19.1.2)."""
    return Server(values.get(ADDRESS) or "", int(values.get(PORT) or 5060))


def with_values(text: str, values: Values) -> str:
    """Return the text with these values; a key that is not there is added at the end, None removes its line."""
    for key, value in values.items():
        text = _removed(text, key) if value is None else _put(text, key, value)
    return text


def _line(key: str) -> re.Pattern[str]:
    head = rf"^(?P<head>[ \t]*{re.escape(key)}[ \t]*=[ \t]*)"
    return re.compile(head + r"(?P<value>[^\r\n]*?)(?P<tail>[ \t]*\r?)$", re.MULTILINE)


def _value(text: str, key: str) -> Optional[str]:
    found = _line(key).search(text)
    return found["value"] if found else None


def _put(text: str, key: str, value: str) -> str:
    if _line(key).search(text):
        return _line(key).sub(lambda found: found["head"] + value + found["tail"], text)
    return text + ("" if text.endswith("\n") or not text else "\n") + f"{key} = {value}\n"


def _removed(text: str, key: str) -> str:
    return re.sub(_line(key).pattern + r"\n?", "", text, flags=re.MULTILINE)
