# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The drivers that exist, by static imports: Ansible ships only what is imported by name."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Dict, Mapping

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones import (
    audiocodes_hd,
    cisco_mpp,
    genesys_softphone,
    poly,
    snom,
    yealink,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import Driver, Phone, PhoneError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.make import Make

DRIVERS: Dict[str, Make] = {
    module.MAKE.name: module.MAKE for module in (audiocodes_hd, cisco_mpp, genesys_softphone, poly, snom, yealink)
}


@dataclass(frozen=True)
class Drivers:
    """The drivers under one site's options."""

    by_name: Mapping[str, Driver] = field(default_factory=lambda: dict(DRIVERS))

    def of(self, phone: Phone) -> Driver:
        """Return the driver of a phone. Raises PhoneError for a make that does not exist."""
        if phone.driver not in self.by_name:
            known = ", ".join(sorted(self.by_name))
            raise PhoneError(f"{phone.name}: driver {phone.driver or '(none)'} is not known; there are {known}")
        return self.by_name[phone.driver]


def drivers_of(given: Mapping[str, object]) -> Drivers:
    """Return the drivers with the options of `driver_options`, by make. Raises PhoneError for an unknown one."""
    makes = dict(DRIVERS)
    for name, options in given.items():
        if name not in makes:
            raise PhoneError(f"driver_options.{name}: there is no such driver; there are {', '.join(sorted(makes))}")
        makes[name] = replace(makes[name], options={**makes[name].options, **_options(makes[name], options)})
    return Drivers(makes)


def _options(make: Make, given: object) -> Dict[str, str]:
    place = f"driver_options.{make.name}"
    if not isinstance(given, dict):
        raise PhoneError(f"{place}: options and their values expected")
    for option, value in given.items():
        if option not in make.options:
            raise PhoneError(f"{place}.{option}: there is no such option; there are {', '.join(sorted(make.options))}")
        # YAML makes true of a yes without quotes.
        if isinstance(value, bool) or not isinstance(value, (str, int)) or not str(value):
            raise PhoneError(f"{place}.{option}: a text expected, {value!r} given; quote yes and no")
    return {option: str(value) for option, value in given.items()}
