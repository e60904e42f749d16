# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Phones and servers as the inventory describes them, and what every phone driver can do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional, Protocol

_MAC = re.compile(r"[0-9a-f]{12}")

Values = Dict[str, Optional[str]]
"""Some of a provisioning file's keys; None is a key that is not there."""


_TRANSPORTS = ("udp", "tcp")


class PhoneError(Exception):
    """A phone cannot be moved or is described wrongly; the message names the phone and what was expected."""


@dataclass(frozen=True)
class Server:
    """A site's SIP address as phones know it."""

    address: str
    port: int = 5060
    transport: str = "udp"


@dataclass(frozen=True)
class Phone:
    """One phone. `mac` and `driver` are needed only for single registration: its provisioning file is rewritten."""

    name: str
    dn: str
    registration: str
    address: str
    port: int = 5060
    transport: str = "udp"
    driver: str = ""
    mac: str = ""

    @property
    def is_single(self) -> bool:
        """True when it registers with one server only, the one that it is provisioned to."""
        return self.registration == "single"


class Driver(Protocol):
    """A make of phone: its provisioning file as text, and the event that makes it read the file again."""

    CHECK_SYNC: str
    """Value of the Event header of the NOTIFY; it must never restart a phone with a call."""

    def file_name(self, mac: str) -> str:
        """Return the provisioning file's name for a MAC address of 12 lower-case hexadecimal digits."""

    def values(self, text: str) -> Values:
        """Return the keys that name the phone's server, as they stand in its file."""

    def toward(self, server: Server) -> Values:
        """Return the same keys as they must stand for the phone to register with that server."""

    def registers_with(self, values: Values) -> Server:
        """Return the server that these values name; its address is empty when they name none."""

    def with_values(self, text: str, values: Values) -> str:
        """Return the text with these values and nothing else changed; None removes a key."""


def phone_of(data: Mapping[str, Any], place: str) -> Phone:
    """Return the phone that the inventory describes at `place`, for example `phones[3]`. Raises PhoneError."""
    registration = data.get("registration", "dual")
    if registration not in ("single", "dual"):
        raise PhoneError(f"{place}.registration: single or dual expected, {registration!r} given")
    for key in ("name", "dn", "address"):
        if not data.get(key):
            raise PhoneError(f"{place}.{key}: a value is expected")
    phone = Phone(
        name=str(data["name"]),
        dn=str(data["dn"]),
        registration=registration,
        address=str(data["address"]),
        port=int(data.get("port", 5060)),
        transport=_transport(data, place),
        driver=data.get("driver", ""),
        mac=re.sub(r"[:.-]", "", str(data.get("mac", ""))).lower(),
    )
    if phone.is_single and not _MAC.fullmatch(phone.mac):
        raise PhoneError(f"{place}.mac: 12 hexadecimal digits expected, {data.get('mac')!r} given")
    return phone


def server_of(site: str, data: Mapping[str, Any]) -> Server:
    """Return a site's SIP address. Raises PhoneError without an address, or for TLS."""
    if not data.get("address"):
        raise PhoneError(f"servers.{site}.address: the site's SIP address is expected")
    return Server(str(data["address"]), int(data.get("port", 5060)), _transport(data, f"servers.{site}"))


def _transport(data: Mapping[str, Any], place: str) -> str:
    transport = str(data.get("transport", "udp"))
    if transport not in _TRANSPORTS:
        raise PhoneError(
            f"{place}.transport: udp or tcp expected, phones are not moved or asked over TLS; {transport!r} given"
        )
    return transport
