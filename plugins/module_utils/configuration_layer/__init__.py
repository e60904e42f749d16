# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Configuration Layer through the interfaces that Genesys offers: reading and writing configuration objects."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Protocol


class LayerError(Exception):
    """The Configuration Layer did not do what it was asked; the message has no secret in it."""


class Login(NamedTuple):
    """Where the Configuration Layer is, and as whom."""

    url: str
    user: str
    password: str
    ca_file: Optional[str]
    """Certificates that vouch for an https address; None for the system's own."""
    timeout: float
    """Seconds for one request."""


class ConfigurationLayer(Protocol):
    """What a driver of the Configuration Layer can do, once logged in."""

    def log_in(self) -> None:
        """Begin a session. Raises LayerError."""

    def application(self, name: str) -> Dict[str, Any]:
        """Return an Application, whole. Raises LayerError when there is not exactly one."""

    def write(self, application: Dict[str, Any]) -> None:
        """Write an Application back, whole. Raises LayerError when it is not accepted."""


def option_of(application: Dict[str, Any], section: str, key: str) -> Optional[str]:
    """Return an option of an Application, or None."""
    for item in _properties(application):
        if (item["section"], item["key"]) == (section, key):
            return str(item["value"])
    return None


def with_option(application: Dict[str, Any], section: str, key: str, value: str) -> Dict[str, Any]:
    """Return the Application with one option set and everything else as it was."""
    others = [item for item in _properties(application) if (item["section"], item["key"]) != (section, key)]
    properties = [*others, {"section": section, "key": key, "value": value}]
    return dict(application, options=dict(application.get("options") or {}, property=properties))


def _properties(application: Dict[str, Any]) -> List[Dict[str, Any]]:
    return list((application.get("options") or {}).get("property") or [])
