# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the phones' files and the registrars say about the next disaster: lists of phones that it would hit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Sequence

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import Phone, PhoneError, Standing
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.provisioning import Provisioning
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.report import first_of

ONE_SERVER = "one_server"
EXPIRY = "expiry_over_policy"
OUTBOUND = "outbound_proxy_at_one_site"
NOT_SEEN = "not_seen_at_a_registrar"
UNREAD = "file_not_understood"
RESTARTS = "restarts_on_notify"

_WORDS = {
    ONE_SERVER: ("phones have both sites in their file", "give them both with the door provision"),
    EXPIRY: ("registrations end within the policy", "lower the expiry with the door provision"),
    OUTBOUND: (
        "no phone's outbound proxy is at one site only",
        "take the outbound proxy out, or give the second server its own",
    ),
    RESTARTS: (
        "no phone restarts when it is asked to read its file again",
        "provision the phone: it would drop a call; until it has read its file, move it by hand when it is idle",
    ),
    UNREAD: ("provisioning files can be understood", "mend the file, or the phone's driver and mac in the inventory"),
    NOT_SEEN: ("phones are registered where they should be", "see to the phone: it is off, or has another server"),
}


@dataclass(frozen=True)
class Readiness:
    """items: each `{item, met, evidence, way}`. lists: by list's name, the names of its phones, sorted."""

    items: List[Dict[str, Any]]
    lists: Dict[str, List[str]]


def of_files(phones: Sequence[Phone], provisioning: Provisioning, max_expires: int) -> Dict[str, List[str]]:
    """Return the lists that the provisioning files make: of phones whose file the inventory names. Raises nothing."""
    found: Dict[str, List[str]] = {ONE_SERVER: [], EXPIRY: [], OUTBOUND: [], RESTARTS: [], UNREAD: []}
    for phone in phones:
        try:
            driver = provisioning.drivers.of(phone)
            values = provisioning.values_of(phone)
            standing = driver.standing(values)
        except (OSError, PhoneError):
            found[UNREAD].append(phone.name)
            continue
        for name in _lists_of(standing, driver.expires_of(standing), max_expires):
            found[name].append(phone.name)
        # Only phones of single registration are ever sent a NOTIFY.
        if phone.is_single and driver.restarts(values):
            found[RESTARTS].append(phone.name)
    return {name: sorted(names) for name, names in found.items()}


def not_seen(phones: Sequence[Phone], seen: Mapping[str, Mapping[str, Any]]) -> List[str]:
    """Return the phones that registrars which answer do not list: one of single registration may be at either.

    seen: `{site: {answers, registered}}`. While a registrar is silent, a phone of single registration may be there.
    """
    asked = [set(site["registered"]) for site in seen.values() if site["answers"]]
    everywhere = set.intersection(*asked) if asked else {phone.name for phone in phones}
    somewhere = set.union(*asked) if len(asked) == len(seen) and asked else {phone.name for phone in phones}
    return sorted(phone.name for phone in phones if phone.name not in (somewhere if phone.is_single else everywhere))


def items(lists: Mapping[str, Sequence[str]], judged: int, max_expires: int) -> List[Dict[str, Any]]:
    """Return each list as an item of the readiness. judged: number of files that were read."""
    found = []
    for name, phones in lists.items():
        item, way = _WORDS[name]
        none = "none is missing at the registrars that answer" if name == NOT_SEEN else f"{judged} files looked at"
        evidence = f"{len(phones)} phones: {first_of(phones)}" if phones else none
        item += f" of {max_expires} s" if name == EXPIRY else ""
        found.append({"item": item, "met": not phones, "evidence": evidence, "way": way})
    return found


def _lists_of(standing: Standing, expires: int, max_expires: int) -> List[str]:
    used = [proxy for proxy in standing.outbound if proxy]
    found = [ONE_SERVER] if len({server.place for server in standing.servers}) < 2 else []
    found += [EXPIRY] if expires > max_expires else []
    return found + ([OUTBOUND] if used and len(set(used)) < 2 else [])
