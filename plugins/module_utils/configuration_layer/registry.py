# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which drivers of the Configuration Layer there are; static imports, for AnsiballZ ships nothing imported by name."""

from __future__ import annotations

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer import ConfigurationLayer, Login
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer.gax import Gax

DRIVERS = {"gax": Gax}


def layer_of(driver: str, login: Login) -> ConfigurationLayer:
    """Return the driver; nothing is sent yet."""
    return DRIVERS[driver](login)
