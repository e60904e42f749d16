# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Configuration Layer through the interfaces that Genesys offers: its objects are read and written whole."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Protocol, Tuple

APPLICATION, DN = "CfgApplication", "CfgDN"

Key = Tuple[str, str]
"""Section and name of an option."""


class LayerError(Exception):
    """The Configuration Layer did not do what it was asked; the message has no secret in it."""


class Login(NamedTuple):
    """Where the Configuration Layer is, as whom, and how it differs from what the driver expects."""

    url: str
    user: str
    password: str
    ca_file: Optional[str]
    """Certificates that vouch for an https address; None for the system's own."""
    timeout: float
    """Seconds for one request."""
    shape: Mapping[str, Any] = {}
    """The driver's own names, where an installation has others (see its `SHAPE`)."""


class Target(NamedTuple):
    """Which object is meant."""

    kind: str
    """CfgApplication or CfgDN."""
    name: str
    """The Application's name, or the DN's number."""
    switch: str = ""
    """The dbid of the DN's switch: the same number may be on several."""

    def __str__(self) -> str:
        """Return it in words."""
        return f"Application {self.name}" if self.kind == APPLICATION else f"DN {self.name} on switch {self.switch}"


class ConfigurationLayer(Protocol):
    """What a driver of the Configuration Layer can do, once logged in."""

    def log_in(self) -> None:
        """Begin a session. Raises LayerError."""

    def read(self, target: Target) -> Dict[str, Any]:
        """Return an object, whole. Raises LayerError when there is not exactly one."""

    def dns(self, switch: str) -> List[Dict[str, Any]]:
        """Return every DN of a switch, whole; `switch` is its dbid. Raises LayerError."""

    def number(self, dn: Mapping[str, Any]) -> str:
        """Return the number of a DN that was read."""

    def write(self, target: Target, found: Mapping[str, Any]) -> None:
        """Write an object back, whole. Raises LayerError when it is not accepted, as by a read-only server."""

    def options(self, target: Target, found: Mapping[str, Any]) -> Dict[Key, str]:
        """Return the options of an object that was read: an Application's own, a DN's annex."""

    def annex(self, found: Mapping[str, Any]) -> Dict[Key, str]:
        """Return the annex of an object that was read, of whatever kind: what other programs keep with it."""

    def with_options(
        self, target: Target, found: Mapping[str, Any], wanted: Mapping[Key, Optional[str]]
    ) -> Dict[str, Any]:
        """Return the object with these options set (None: removed) and everything else as it was."""


def shaped(expected: Mapping[str, Any], given: Mapping[str, Any]) -> Dict[str, Any]:
    """Return a driver's names with those that an installation says. Raises LayerError for a name that is none."""
    unknown = sorted(set(given) - set(expected))
    if unknown:
        raise LayerError(f"shape: {', '.join(unknown)} unknown; expected: {', '.join(expected)}")
    strange = sorted(name for name, value in given.items() if not isinstance(value, type(expected[name])))
    if strange:
        kinds = ", ".join(f"{name}: {type(expected[name]).__name__} expected" for name in strange)
        raise LayerError(f"shape: {kinds}")
    return dict(expected, **given)


def only(found: List[Dict[str, Any]], target: Target) -> Dict[str, Any]:
    """Return the one object that was found. Raises LayerError unless there is exactly one."""
    if len(found) != 1:
        raise LayerError(f"{len(found)} objects are {target}, one is expected")
    return found[0]
