# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every media gateway driver can do. A new make is one such module and one line in the registry."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Protocol

from ansible.module_utils.parsing.convert_bool import boolean


class GatewayError(Exception):
    """The gateway cannot be read, or does not do what it was told; the message says which and what was expected."""


@dataclass(frozen=True)
class Change:
    """What would be done to a gateway, before anything is done.

    `before` and `after` are the gateway's own configuration text; `undo` holds what stood before, by the driver's own
    keys (JSON data); `reload` is true when the text is right already and only the running gateway lags behind it.
    """

    before: str
    after: str
    undo: Dict[str, Any] = field(default_factory=dict)
    reload: bool = False

    @property
    def needed(self) -> bool:
        """True when applying it changes anything."""
        return self.reload or self.before != self.after


class Driver(Protocol):
    """A make of gateway. `params` hold the driver's own options (addresses, files, times in s); others are ignored."""

    DEFAULTS: Dict[str, Any]
    """Every option of the driver, with its default."""

    def read(self, params: Mapping[str, Any]) -> Dict[str, Any]:
        """Return `{targets: {site: {state, admin, oper, priority, uri}}, prefers: site or None}` as it runs now."""

    def plan(self, params: Mapping[str, Any], site: str) -> Change:
        """Return what makes `site` the preferred one, with the other still in service (invariant 7)."""

    def plan_restore(self, params: Mapping[str, Any], undo: Mapping[str, Any]) -> Change:
        """Return what puts back the recorded `undo` of one or several changes."""

    def apply(self, params: Mapping[str, Any], change: Change, site: Optional[str]) -> Dict[str, Any]:
        """Do it, wait until the gateway runs it, and return what `read` then says. Raises GatewayError."""

    def readiness(self, params: Mapping[str, Any], sites: List[str]) -> List[Dict[str, Any]]:
        """Return one `{item, met, evidence, way}` for each thing that a change will need."""

    def explain(self, params: Mapping[str, Any], site: str) -> List[str]:
        """Return, line by line, what a person types or clicks so that new calls go to `site`: no I/O, no secrets."""


def options_of(defaults: Mapping[str, Any], params: Mapping[str, Any]) -> Dict[str, Any]:
    """Return every option, in the type of its default. Raises GatewayError that names the option."""
    return {name: _converted(name, default, params.get(name, default)) for name, default in defaults.items()}


def _converted(name: str, default: object, value: object) -> Any:  # noqa: ANN401  an option may have any type
    kind = type(default)
    try:
        if kind is bool:
            return boolean(value)
        if kind in (dict, list) and not isinstance(value, kind):
            raise TypeError
        return kind(value)  # type: ignore[call-arg]  # object() takes none, and no default is one
    except (TypeError, ValueError) as error:
        raise GatewayError(f"option {name}: {kind.__name__} expected, {value!r} met") from error
