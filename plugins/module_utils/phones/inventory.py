# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory's words for phones and servers become Phone and Server, or an error that names the place."""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import (
    DUAL,
    SINGLE,
    Phone,
    PhoneError,
    Server,
)

FIELDS = (
    "name",
    "dn",
    "registration",
    "address",
    "port",
    "transport",
    "driver",
    "mac",
    "servers",
    "label",
    "auth_name",
    "password",
)
"""What a phone may be described by."""

WITHOUT_MAC = ("genesys_softphone",)
"""Drivers of which the file is named by number."""

_TRANSPORTS = ("udp", "tcp")
_MAC = re.compile(r"[0-9a-f]{12}")
# They go into file names and SIP headers as they are: neither white space nor what has a meaning there.
_DN = re.compile(r"[A-Za-z0-9_+*#][A-Za-z0-9._+*#-]{0,63}\Z")
_ADDRESS = re.compile(r"[A-Za-z0-9._:%\[\]-]{1,255}\Z")


class FieldError(PhoneError):
    """One field of one phone is wrong; `field` names it, `text` says what was expected."""

    def __init__(self, field: str, text: str) -> None:
        """Name the field alone: who reads the phones knows where it stands."""
        self.field = field
        self.text = text
        super().__init__(f"{field}: {text}")


def phones_of(rows: Sequence[Mapping[str, Any]], mode: str = DUAL) -> List[Phone]:
    """Return the phones of the option `phones`. mode: of those that do not say. Raises PhoneError, naming the place."""
    found: List[Phone] = []
    for index, row in enumerate(rows):
        try:
            if row.get("password"):
                raise FieldError("password", "only phones_file may have it: what a module is given is logged")
            found.append(phone_of(row, mode))
        except FieldError as error:
            raise PhoneError(f"phones[{index}].{error.field}: {error.text}") from error
    assert_unique(found, lambda index: f"phones[{index}]")
    return found


def phone_of(data: Mapping[str, Any], mode: str = DUAL) -> Phone:
    """Return the phone that the inventory describes. mode: when it does not say. Raises FieldError."""
    registration = data.get("registration") or mode
    if registration not in (SINGLE, DUAL):
        raise FieldError("registration", f"single or dual expected, {registration!r} given")
    for key in ("name", "dn", "address"):
        if not data.get(key):
            raise FieldError(key, "a value is expected")
    phone = Phone(
        name=str(data["name"]),
        dn=_like(_DN, "dn", data["dn"]),
        registration=str(registration),
        address=_like(_ADDRESS, "address", data["address"]),
        port=_port(data.get("port") or 5060),
        transport=_transport(data),
        driver=str(data.get("driver") or ""),
        mac=re.sub(r"[:.-]", "", str(data.get("mac") or "")).lower(),
        sites=_sites(data.get("servers") or ()),
        label=str(data.get("label") or ""),
        auth_name=str(data.get("auth_name") or ""),
        password=str(data.get("password") or ""),
    )
    _assert_mac(phone, data.get("mac"))
    return phone


def server_of(site: str, data: Mapping[str, Any]) -> Server:
    """Return a site's SIP address. Raises PhoneError without an address, or for TLS."""
    try:
        if not data.get("address"):
            raise FieldError("address", "the site's SIP address is expected")
        return Server(str(data["address"]), _port(data.get("port") or 5060), _transport(data))
    except FieldError as error:
        raise PhoneError(f"servers.{site}.{error.field}: {error.text}") from error


def assert_unique(phones: Sequence[Phone], place: Callable[[int], str]) -> None:
    """Assert that no two phones have one name. place: names the phone at an index. Raises PhoneError."""
    seen: Dict[str, int] = {}
    for index, phone in enumerate(phones):
        if phone.name in seen:
            raise PhoneError(f"{place(index)}: {phone.name} is a phone's name already, at {place(seen[phone.name])}")
        seen[phone.name] = index


def _assert_mac(phone: Phone, given: object) -> None:
    needed = (phone.is_single or phone.mac) and phone.driver not in WITHOUT_MAC
    if needed and not _MAC.fullmatch(phone.mac):
        raise FieldError("mac", f"12 hexadecimal digits expected, {given!r} given")


def _like(pattern: re.Pattern[str], field: str, value: object) -> str:
    if not pattern.match(str(value)):
        raise FieldError(field, f"{value!r} cannot stand in a SIP address")
    return str(value)


def _port(value: object) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", str(value)) or not 0 < int(str(value)) < 65536:
        raise FieldError("port", f"a number from 1 to 65535 expected, {value!r} given")
    return int(str(value))


def _sites(value: object) -> Tuple[str, ...]:
    if isinstance(value, str):
        return tuple(value.split())
    if isinstance(value, (list, tuple)):
        return tuple(map(str, value))
    raise FieldError("servers", f"names of sites in their order expected, {value!r} given")


def _transport(data: Mapping[str, Any]) -> str:
    transport = str(data.get("transport") or "udp")
    if transport not in _TRANSPORTS:
        raise FieldError(
            "transport", f"udp or tcp expected, phones are not moved or asked over TLS; {transport!r} given"
        )
    return transport
