# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The drivers that exist, by static imports: Ansible ships only what is imported by name."""

from __future__ import annotations

from typing import Dict

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones import yealink
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import Driver, Phone, PhoneError

DRIVERS: Dict[str, Driver] = {"yealink": yealink}
"""A driver is a module with what Driver names."""


def driver_of(phone: Phone) -> Driver:
    """Return the driver of a phone. Raises PhoneError for a make that does not exist."""
    if phone.driver not in DRIVERS:
        known = ", ".join(sorted(DRIVERS))
        raise PhoneError(f"{phone.name}: driver {phone.driver or '(none)'} is not known; there are {known}")
    return DRIVERS[phone.driver]
