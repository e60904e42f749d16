# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Driver `gws`: the Platform Configuration API of Genesys Web Services.

Documented by the vendor (Web Services API: Platform Configuration API; Interpreting a response; Cross-Site Request
Forgery protection): objects below `platform/configuration`, asked for by `name` or `dbid`; each answer has
`statusCode`, 0 for success; HTTP Basic; and, where the protection is on, a GET tells by `X-CSRF-HEADER` and
`X-CSRF-TOKEN` which header every later change must carry. What these pages do not show is in `SHAPE`, so that an
installation can say otherwise: the field of an Application's options, the address and the wrapping of a PUT.
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
    Answer,
    Session,
    part,
    path_of,
)

ROOT = "platform/configuration"
SHAPE: Dict[str, Any] = {
    "log_in": "me",
    "dbid": "DBID",
    "name_quotes": '"',
    "applications": "applications",
    "application_options": "options",
    "dns": "dns",
    "dn_options": "userProperties",
    "dn_number": "number",
    "dn_query": "number",
    "dn_switch": "switchDBID",
    "switch_query": "switchDBID",
    "options_as_list": False,
    "put_path": "{objects}/{dbid}",
    "put_wrapper": "",
}
"""Names of the API. Shown by the vendor: log_in, dbid, name_quotes, applications, dn_options as a map of maps.

`options_as_list`: options are `[{section, key, value}]` instead. `put_wrapper`: the key under which a PUT wants the
object; empty for the object itself.
"""


class Gws:
    """One person's session with Web Services. `login.url` is the base, for example `https://gws.example.com/api/v2/`."""

    def __init__(self, login: Login) -> None:
        """Prepare the session; nothing is sent yet. Raises LayerError for an address or a shape that is none."""
        self._shape = shaped(SHAPE, login.shape)
        self._session = Session("GWS", login)
        self._headers = {"Authorization": self._session.basic()}

    def log_in(self) -> None:
        """Begin a session, and learn the header that changes must carry, if there is one. Raises LayerError."""
        answer = self._ask("GET", str(self._shape["log_in"]))
        name, token = (answer.headers.get(one) for one in ("x-csrf-header", "x-csrf-token"))
        if token:
            self._headers[name or "X-CSRF-TOKEN"] = token

    def read(self, target: Target) -> Dict[str, Any]:
        """Return an object, whole. Raises LayerError when there is not exactly one of that name."""
        quotes = self._shape["name_quotes"]
        name = f"{quotes}{target.name}{quotes}"
        if target.kind == APPLICATION:
            found = self._list(target, {"name": name})
            return only([one for one in found if one.get("name") == target.name], target)
        numbered = self._list(target, {self._shape["dn_query"]: name})
        return only([one for one in self._of(numbered, target.switch) if self.number(one) == target.name], target)

    def dns(self, switch: str) -> List[Dict[str, Any]]:
        """Return every DN of a switch, whole; `switch` is its dbid. Raises LayerError."""
        return self._of(self._list(Target(DN, "", switch), {self._shape["switch_query"]: switch}), switch)

    def number(self, dn: Mapping[str, Any]) -> str:
        """Return the number of a DN that was read."""
        return str(dn.get(self._shape["dn_number"], ""))

    def write(self, target: Target, found: Mapping[str, Any]) -> None:
        """Write an object back, whole. Raises LayerError when it is refused, as by a read-only server."""
        dbid = part(found[self._shape["dbid"]])
        path = str(self._shape["put_path"]).format(objects=f"{ROOT}/{self._objects(target)}", dbid=dbid)
        wrapper = self._shape["put_wrapper"]
        self._ask("PUT", path, {wrapper: found} if wrapper else found)

    def options(self, target: Target, found: Mapping[str, Any]) -> Dict[Key, str]:
        """Return the options of an object."""
        return self._by_key(found.get(self._field(target)))

    def annex(self, found: Mapping[str, Any]) -> Dict[Key, str]:
        """Return the annex of an object: it stands in the same field of every kind, a DN has no other options."""
        return self._by_key(found.get(self._shape["dn_options"]))

    def _by_key(self, held: Any) -> Dict[Key, str]:  # noqa: ANN401  a list or a mapping, as the shape says
        if self._shape["options_as_list"]:
            return {(item["section"], item["key"]): str(item["value"]) for item in held or []}
        return {(section, key): str(value) for section, keys in (held or {}).items() for key, value in keys.items()}

    def with_options(
        self, target: Target, found: Mapping[str, Any], wanted: Mapping[Key, Optional[str]]
    ) -> Dict[str, Any]:
        """Return the object with these options set (None: removed) and everything else as it was."""
        held = found.get(self._field(target))
        changed = _listed(held or [], wanted) if self._shape["options_as_list"] else _nested(held or {}, wanted)
        return dict(found, **{self._field(target): changed})

    def _objects(self, target: Target) -> str:
        return str(self._shape["applications" if target.kind == APPLICATION else "dns"])

    def _field(self, target: Target) -> str:
        return str(self._shape["application_options" if target.kind == APPLICATION else "dn_options"])

    def _list(self, target: Target, query: Mapping[str, str]) -> List[Dict[str, Any]]:
        path = path_of(f"{ROOT}/{self._objects(target)}", query)
        found = self._ask("GET", path).body.get(self._objects(target))
        if not isinstance(found, list):
            raise self._session.failure(path, f"a list of {self._objects(target)} is expected")
        return [dict(one) for one in found]

    def _of(self, dns: List[Dict[str, Any]], switch: str) -> List[Dict[str, Any]]:
        # Not left to the server: whether it filters by the switch is not known.
        return [one for one in dns if str(one.get(self._shape["dn_switch"])) == switch]

    def _ask(self, method: str, path: str, body: Optional[Mapping[str, Any]] = None) -> Answer:
        """Every answer has a status of its own beside HTTP's; one that is missing is no success."""
        answer = self._session.ask(method, path, body, dict(self._headers))
        status = answer.body.get("statusCode") if isinstance(answer.body, dict) else None
        if status != 0:
            words = answer.body.get("statusMessage") if isinstance(answer.body, dict) else None
            raise self._session.failure(f"{method} {path}", f"statusCode {status} ({words or 'nothing more is said'})")
        return answer


def _listed(held: List[Dict[str, Any]], wanted: Mapping[Key, Optional[str]]) -> List[Dict[str, Any]]:
    kept = [item for item in held if (item["section"], item["key"]) not in wanted]
    new = [{"section": key[0], "key": key[1], "value": value} for key, value in wanted.items() if value is not None]
    return [*kept, *new]


def _nested(held: Mapping[str, Mapping[str, Any]], wanted: Mapping[Key, Optional[str]]) -> Dict[str, Dict[str, Any]]:
    sections = {name: dict(keys) for name, keys in held.items()}
    for (section, key), value in wanted.items():
        keys = sections.setdefault(section, {})
        keys.pop(key, None)
        if value is not None:
            keys[key] = value
        if not keys and section not in held:
            del sections[section]
    return sections
