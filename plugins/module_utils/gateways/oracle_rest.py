# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""REST of an Oracle (Acme Packet) session border controller: token, lock, elements, verify, save, activate.

Sources: Oracle SBC REST API 8.3 (v1.1) and 9.3/10.0 (v1.2): "Quick Start" (token, lock), "Get one or more / Update a
single configuration element instance" (by key attributes; `running=true`), "Save, verify or restore a configuration"
and "Activate a configuration" (202, then poll the link until operationState says success).
"""

from __future__ import annotations

import urllib.parse
import xml.etree.ElementTree as ET
from contextlib import contextmanager, suppress
from typing import Any, Dict, Iterator, List, Mapping

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import GatewayError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.http import (
    Answer,
    HttpClient,
    StatusError,
    text_body,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.waiting import wait_for

_XML = {"Accept": "application/xml"}
_LOCKED = 423
Element = Dict[str, List[str]]
"""A configuration element: its attributes, each with its values in order."""


class Session:
    """A session with a token of its own; what it reads is the configuration that runs, or the edited one."""

    def __init__(self, options: Mapping[str, Any], names: Mapping[str, str]) -> None:
        """Get a token. Raises GatewayError; 401 when the credentials are refused.

        `options`: url, version, username, password_file, ca_file, timeout, action_deadline, action_interval (s).
        `names`: paths below /rest/{version}.
        """
        self._deadline, self._interval = options["action_deadline"], options["action_interval"]
        self._names = names
        self._base = f"/rest/{options['version']}"
        self._client = HttpClient(
            options["url"], options["timeout"], options["username"], options["password_file"], options["ca_file"]
        )
        token = _tree(self._ask("POST", names["token_path"])).findtext(".//accessToken")
        if not token:
            raise GatewayError(f"{options['url']}: an accessToken expected, none met")
        self._client.headers["Authorization"] = f"Bearer {token.strip()}"

    def element(self, kind: str, key: str, value: str, running: bool = True) -> Element:
        """Return one element as it runs, or as it is edited. Raises GatewayError when it does not exist."""
        query = {"elementType": kind, key: value, **({"running": "true"} if running else {})}
        answer = self._ask("GET", f"{self._names['elements_path']}?{urllib.parse.urlencode(query)}")
        for found in (_attributes(one) for one in _tree(answer).iter("configElement")):
            if found.get(key) == [value]:
                return found
        raise GatewayError(f"{answer.where}: {kind} with {key} {value} expected, none met")

    def update(self, kind: str, attributes: Mapping[str, List[str]]) -> None:
        """Change these attributes of one element in the edited configuration; its key is among them."""
        root = ET.Element("configElement")
        ET.SubElement(root, "elementType").text = kind
        for name, values in attributes.items():
            attribute = ET.SubElement(root, "attribute")
            ET.SubElement(attribute, "name").text = name
            for value in values:
                ET.SubElement(attribute, "value").text = value
        body = text_body(ET.tostring(root, encoding="unicode"), "application/xml")
        self._client.ask("PUT", self._base + self._names["elements_path"], body, _XML)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the configuration lock for the block. Raises GatewayError when somebody else holds it."""
        try:
            self._ask("POST", self._names["lock_path"], expect=(200, 204))
        except StatusError as error:
            held = "; somebody else edits the configuration" if error.status == _LOCKED else ""
            raise GatewayError(f"{error}{held}") from error
        try:
            yield
        except BaseException:
            with suppress(GatewayError):
                self._unlock()
            raise
        self._unlock()

    def manage(self, action: str) -> None:
        """Verify, save or activate, and wait for its end. Raises GatewayError unless it succeeds in time."""
        method = "POST" if action == "activate" else "PUT"
        answer = self._ask(method, f"{self._names['management_path']}?action={action}", expect=(200, 202))
        link = (_tree(answer).findtext(".//link") or "").strip()
        if not link:
            raise GatewayError(f"{answer.where}: {action}: a link to its progress expected, none met")
        # Only the path: whatever host the device believes to be, the token goes to no other than the one we asked.
        parts = urllib.parse.urlsplit(link)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        last = "nothing"

        def ended() -> bool:
            nonlocal last
            told = _tree(self._client.ask("GET", path, headers=_XML, expect=(200, 202)))
            last = (told.findtext(".//operationState/status") or "nothing").strip()
            return last == "success" or "fail" in last.lower() or "error" in last.lower()

        wait_for(ended, self._deadline, self._interval)
        if last != "success":
            raise GatewayError(f"{answer.where}: {action}: success within {self._deadline:g} s expected, {last} met")

    def _unlock(self) -> None:
        self._ask("POST", self._names["unlock_path"], expect=(200, 204))

    def _ask(self, method: str, path: str, expect: tuple[int, ...] = (200,)) -> Answer:
        return self._client.ask(method, self._base + path, headers=_XML, expect=expect)


def _tree(answer: Answer) -> ET.Element:
    """The answer's XML. An element can be declared in no answer of this interface: entities would only be a trap."""
    try:
        if "<!" in answer.text:
            raise ET.ParseError("a declaration")
        return ET.fromstring(answer.text.encode("utf-8", "surrogateescape"))
    except ET.ParseError as error:
        raise GatewayError(f"{answer.where}: XML expected, {answer.text[:100]!r} met ({error})") from error


def _attributes(element: ET.Element) -> Element:
    found: Element = {}
    for attribute in element.findall("attribute"):
        values = [(value.text or "").strip() for value in attribute.findall("value")]
        found[(attribute.findtext("name") or "").strip()] = values
    return found
