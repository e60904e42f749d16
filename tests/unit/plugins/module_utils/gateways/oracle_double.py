"""An Oracle SBC's REST interface: an edited, a saved and a running configuration, a lock, tokens, slow actions.

Made from Oracle's "REST API for Session Border Controller" 8.3: Quick Start (token, 423 without the lock), "Get one or
more configuration element instances", "Update a single configuration element instance" (key attributes and what
changes), "Save, verify or restore a configuration", "Activate a configuration" (202, a link, operationState).
"""

from __future__ import annotations

import base64
import copy
import tempfile
import urllib.parse
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .serving import Manners, Reply, serve_http

USERNAME, PASSWORD, TOKEN = "admin", "correct horse", "YWRtaW4s"
SITE1, SITE2 = "sip1.example", "sip2.example"
KEYS = {"session-group": "group-name", "session-agent": "hostname"}
CONFIGURATION = [
    ("session-agent", {"hostname": [SITE1], "state": ["enabled"], "ping-method": ["OPTIONS"], "ping-interval": ["10"]}),
    ("session-agent", {"hostname": [SITE2], "state": ["enabled"], "ping-method": ["OPTIONS"], "ping-interval": ["10"]}),
    ("session-agent", {"hostname": ["other.example"], "state": ["enabled"]}),
    ("session-group", {"group-name": ["CARRIER"], "strategy": ["RoundRobin"], "dest": ["other.example"]}),
    ("session-group", {"group-name": ["SIPSERVERS"], "strategy": ["Hunt"], "dest": [SITE1, SITE2, "other.example"]}),
]


class Device(Manners):
    """`running` is what calls follow, `saved` what a reboot starts with, `edited` what a PUT changes."""

    def __init__(self) -> None:
        super().__init__()
        self.edited = copy.deepcopy(CONFIGURATION)
        self.saved = copy.deepcopy(CONFIGURATION)
        self.running = copy.deepcopy(CONFIGURATION)
        self.locked_by = ""
        self.refuses = ""
        self.sorts = False
        self.forgets = False
        self._polls = 0

    @property
    def text(self) -> str:
        """What survives a reboot and runs."""
        return f"{self.saved}\n{self.running}"

    def handle(self, method: str, path: str, headers: dict[str, str], body: str) -> Reply:
        """One request."""
        where = urllib.parse.urlsplit(path)
        query = dict(urllib.parse.parse_qsl(where.query))
        call = f"{method} {where.path}".replace("/rest/v1.1", "")
        if call == "POST /auth/token":
            basic = "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
            if headers.get("Authorization") != basic:
                return _told(401, "<messages><message>Authentication failure</message></messages>")
            return _told(200, f"<data><accessToken>{TOKEN}</accessToken></data>")
        if headers.get("Authorization") != f"Bearer {TOKEN}":
            return _told(401, "")
        return self._dispatch(call, query, body)

    def _dispatch(self, call: str, query: dict[str, str], body: str) -> Reply:
        if call == "GET /configuration/configElements":
            return self._get(query)
        if call == "GET /operation":
            return self._progress(query["of"])
        if call == "POST /configuration/lock":
            if self.locked_by:
                return _told(423, "")
            self.locked_by = "us"
            return 204, ""
        if self.locked_by != "us":
            return _told(423, "")
        if call == "POST /configuration/unlock":
            self.locked_by = ""
            return 204, ""
        if call == "PUT /configuration/configElements":
            return self._put(ET.fromstring(body))
        return self._manage(call, query.get("action", ""))

    def _get(self, query: dict[str, str]) -> Reply:
        kind = query.pop("elementType")
        source = self.running if query.pop("running", "") == "true" else self.edited
        found = [one for one in source if one[0] == kind and all(one[1].get(key) == [query[key]] for key in query)]
        return _told(200, f"<data>{''.join(_element(*one) for one in found)}</data>")

    def _put(self, element: ET.Element) -> Reply:
        kind = element.findtext("elementType") or ""
        told = {one.findtext("name"): [v.text or "" for v in one.findall("value")] for one in element.iter("attribute")}
        for had, attributes in self.edited:
            if had == kind and attributes[KEYS[kind]] == told[KEYS[kind]]:
                attributes.update({str(name): values for name, values in told.items()})
                if self.sorts and "dest" in attributes:
                    attributes["dest"].sort()
                return _told(200, f"<data>{_element(kind, attributes)}</data>")
        return _told(404, "")

    def _manage(self, call: str, action: str) -> Reply:
        methods = {"verify": "PUT", "save": "PUT", "activate": "POST"}
        if call != f"{methods.get(action, 'no')} /configuration/management":
            return _told(400, "")
        self._polls = 0
        # Its own name for itself is not the address that it was asked by.
        return _told(202, f"<links><link>https://sbc.example/rest/v1.1/operation?of={action}</link></links>")

    def _progress(self, action: str) -> Reply:
        self._polls += 1
        if self._polls < 2:
            return _told(200, f"<data>{_operation(action, 'inProgress')}</data>")
        if self.refuses == action:
            return _told(200, f"<data>{_operation(action, 'failure')}</data>")
        if action == "save":
            self.saved = copy.deepcopy(self.edited)
        if action == "activate" and not self.forgets:
            self.running = copy.deepcopy(self.saved)
        return _told(200, f"<data>{_operation(action, 'success')}</data>")


def _operation(action: str, status: str) -> str:
    return f"<operationState><operation>{action}</operation><status>{status}</status></operationState>"


def _told(status: int, inner: str) -> Reply:
    return status, f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<response>{inner}</response>'


def _element(kind: str, attributes: dict[str, list[str]]) -> str:
    inner = "".join(
        f"<attribute><name>{name}</name>{''.join(f'<value>{value}</value>' for value in values)}</attribute>"
        for name, values in attributes.items()
    )
    return f"<configElement><elementType>{kind}</elementType>{inner}</configElement>"


@contextmanager
def running() -> Iterator[tuple[dict, Device]]:
    """The options of a driver, and the device."""
    device = Device()
    with tempfile.TemporaryDirectory() as directory, serve_http(device, device.handle) as url:
        password = Path(directory) / "password"
        password.touch(mode=0o600)
        password.write_text(PASSWORD + "\n")
        access = {"url": url, "username": USERNAME, "password_file": str(password)}
        group = {"group": "SIPSERVERS", "targets": {"site1": SITE1, "site2": SITE2}}
        yield {**access, **group, "timeout": 0.5, "action_deadline": 2.0, "action_interval": 0.02}, device
