# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Driver `gax`: the REST interface of Genesys Administrator Extension.

The vendor does not document it; what is used here is what public code uses (sapk/go-genesys,
sapk/docker-lab-genesys): a session by cookie, and objects that are read and written whole. What that code does not show
is in `SHAPE`, so that an installation can say otherwise.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer import (
    APPLICATION,
    DN,
    Key,
    Login,
    Target,
    only,
    shaped,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer.http_json import (
    Session,
    part,
    path_of,
)

SHAPE: Dict[str, Any] = {
    "application_options": "options",
    "dn_options": "userproperties",
    "dn_query": "name",
    "switch_query": "switchdbid",
}
"""Where options stand in an object (both seen in public code), and by which parameters DNs are asked for (not seen)."""


class Gax:
    """One person's session with GAX. `login.url` is the base, for example `https://gax.example.com:8443/gax/api/`."""

    def __init__(self, login: Login) -> None:
        """Prepare the session; nothing is sent yet. Raises LayerError for an address or a shape that is none."""
        self._login = login
        self._shape = shaped(SHAPE, login.shape)
        self._session = Session("GAX", login)

    def log_in(self) -> None:
        """Begin a session. Raises LayerError."""
        words = {"username": self._login.user, "password": self._login.password, "isPasswordEncrypted": False}
        self._session.ask("POST", "session/login", words)

    def read(self, target: Target) -> Dict[str, Any]:
        """Return an object, whole. Raises LayerError when there is not exactly one of that name."""
        if target.kind == APPLICATION:
            named = [one for one in self._list(APPLICATION, {"name": target.name}) if one.get("name") == target.name]
            return only(named, target)
        numbered = self._list(target.kind, {self._shape["dn_query"]: target.name})
        return only([one for one in self._of(numbered, target.switch) if self.number(one) == target.name], target)

    def dns(self, switch: str) -> List[Dict[str, Any]]:
        """Return every DN of a switch, whole; `switch` is its dbid. Raises LayerError."""
        return self._of(self._list(DN, {self._shape["switch_query"]: switch}), switch)

    def number(self, dn: Mapping[str, Any]) -> str:
        """Return the number of a DN that was read."""
        return str(dn.get("number", ""))

    def write(self, target: Target, found: Mapping[str, Any]) -> None:
        """Write an object back, whole. Raises LayerError when it is refused, as by a read-only server."""
        self._session.ask("PUT", f"cfg/objects/{target.kind}/{part(found['dbid'])}", found)

    def options(self, target: Target, found: Mapping[str, Any]) -> Dict[Key, str]:
        """Return the options of an object: `property`, a list of section, key and value."""
        return _by_key(_properties(found, self._field(target)))

    def annex(self, found: Mapping[str, Any]) -> Dict[Key, str]:
        """Return the annex of an object: it stands in the same field of every kind, a DN has no other options."""
        return _by_key(_properties(found, str(self._shape["dn_options"])))

    def with_options(
        self, target: Target, found: Mapping[str, Any], wanted: Mapping[Key, Optional[str]]
    ) -> Dict[str, Any]:
        """Return the object with these options set (None: removed) and everything else as it was."""
        field = self._field(target)
        kept = [item for item in _properties(found, field) if (item["section"], item["key"]) not in wanted]
        new = [{"section": key[0], "key": key[1], "value": value} for key, value in wanted.items() if value is not None]
        return dict(found, **{field: dict(found.get(field) or {}, property=[*kept, *new])})

    def _field(self, target: Target) -> str:
        return str(self._shape["application_options" if target.kind == APPLICATION else "dn_options"])

    def _list(self, kind: str, query: Mapping[str, str]) -> List[Dict[str, Any]]:
        path = path_of("cfg/objects", {"brief": "false", "type": kind, **query})
        found = self._session.ask("GET", path).body
        if not isinstance(found, list):
            raise self._session.failure(path, "a list of objects is expected")
        return [dict(one) for one in found]

    @staticmethod
    def _of(dns: List[Dict[str, Any]], switch: str) -> List[Dict[str, Any]]:
        # Not left to the server: whether it filters by the switch is not known.
        return [one for one in dns if str(one.get("switchdbid")) == switch]


def _properties(found: Mapping[str, Any], field: str) -> List[Dict[str, Any]]:
    return list((found.get(field) or {}).get("property") or [])


def _by_key(properties: List[Dict[str, Any]]) -> Dict[Key, str]:
    return {(item["section"], item["key"]): str(item["value"]) for item in properties}
