# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds what two things of the deployment claim at once: addresses, phones' names, numbers, MAC addresses, sockets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.addresses import parse_address
from ansible_collections.contactcenter.sip_dr.plugins.plugin_utils.schema import Problem, problem

Claim = tuple[str, Any, Any]
"""(path, owner, what it claims); the same owner may claim the same thing twice."""


def duplicates(data: Mapping[str, Any]) -> list[Problem]:
    """Return a problem for each later claim to what somebody else has already; `data` as the schema reads it."""
    phones = data["continuity_phones"]
    return [
        *_clashes(_addresses(data), "an address that nobody else has"),
        *_clashes(_phone_claims(phones, "name"), "a phone's name that no other has"),
        *_clashes([*_phone_claims(phones, "dn"), *_test_numbers(data)], "a number that nobody else has"),
        *_clashes(_phone_claims(phones, "mac"), "a MAC address that no other phone has"),
        *_clashes(_sockets(phones), "an address and port that no other phone has"),
    ]


def _clashes(claims: Iterable[Claim], expected: str) -> Iterator[Problem]:
    first: dict[Any, tuple[str, Any]] = {}
    for path, owner, claimed in claims:
        holder_path, holder = first.setdefault(claimed, (path, owner))
        if holder != owner:
            shown = " port ".join(map(str, claimed)) if isinstance(claimed, tuple) else str(claimed)
            yield problem(path, f"{expected}; {holder_path} has it", shown)


def _addresses(data: Mapping[str, Any]) -> Iterator[Claim]:
    for name, site in data["continuity_sites"].items():
        path, configuration = f"continuity_sites.{name}", site["configuration"]
        server, database = site["sip_server"], configuration["database"]
        yield from _claim(f"{path}.configuration.address", configuration["host"], configuration["address"])
        yield from _claim(f"{path}.configuration.database.address", database["host"], database["address"])
        for leg, leg_data in server["legs"].items():
            yield from _claim(f"{path}.sip_server.legs.{leg}.address", leg, leg_data["address"])
        # Where there is no virtual address the SIP address is the active leg's own.
        if server["address"] not in [leg["address"] for leg in server["legs"].values()]:
            yield from _claim(f"{path}.sip_server.address", f"the SIP address of {name}", server["address"])
    for name, gateway in data["continuity_gateways"].items():
        yield from _claim(f"continuity_gateways.{name}.address", name, gateway["address"])


def _claim(path: str, owner: object, address: str | None) -> Iterator[Claim]:
    parsed = parse_address(address)
    if parsed is not None:
        yield path, owner, parsed


def _phone_claims(phones: list[Mapping[str, Any]], key: str) -> Iterator[Claim]:
    for index, phone in enumerate(phones):
        claimed = phone.get(key)
        if claimed is not None:
            yield f"continuity_phones[{index}].{key}", index, _bare(claimed) if key == "mac" else claimed


def _test_numbers(data: Mapping[str, Any]) -> Iterator[Claim]:
    for name, site in data["continuity_sites"].items():
        number = site["sip_server"].get("test_dn")
        if number is not None:
            yield f"continuity_sites.{name}.sip_server.test_dn", name, number


def _bare(mac: str) -> str:
    return re.sub(r"[:.-]", "", mac).lower()


def _sockets(phones: list[Mapping[str, Any]]) -> Iterator[Claim]:
    for index, phone in enumerate(phones):
        address = parse_address(phone["address"])
        # A user agent with several dual-registered lines has one socket for all of them (RFC 3261 section 6).
        owner = "lines of one user agent" if phone["registration"] == "dual" else index
        if address is not None and phone["port"] is not None:
            yield f"continuity_phones[{index}].port", owner, (address, phone["port"])
