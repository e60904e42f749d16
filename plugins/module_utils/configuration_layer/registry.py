# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which drivers of the Configuration Layer there are; static imports, for AnsiballZ ships nothing imported by name."""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer import ConfigurationLayer, Login
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer.gax import Gax
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer.gws import Gws

DRIVERS: Dict[str, Callable[[Login], ConfigurationLayer]] = {"gax": Gax, "gws": Gws}

LAYER_OPTION: Dict[str, Any] = {
    "layer": {
        "type": "dict",
        "options": {
            "driver": {"type": "str", "choices": list(DRIVERS), "default": "gax"},
            "url": {"type": "str", "required": True},
            "user": {"type": "str", "required": True},
            "password": {"type": "str", "required": True, "no_log": True},
            "ca_file": {"type": "path"},
            "timeout": {"type": "float", "default": 5},
            "shape": {"type": "dict", "default": {}},
        },
    }
}
"""Argument specification of the option `layer`; its documentation is the fragment configuration_layer."""


def layer_of(option: Mapping[str, Any]) -> ConfigurationLayer:
    """Return the driver for the option `layer`; nothing is sent yet. Raises LayerError."""
    words = [option[name] for name in ("url", "user", "password", "ca_file", "timeout", "shape")]
    return DRIVERS[option["driver"]](Login(*words))
