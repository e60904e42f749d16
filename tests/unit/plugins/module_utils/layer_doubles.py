# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two interfaces to one configuration, over real HTTP: GAX as public code shows it, GWS as its vendor documents it."""

from __future__ import annotations

import base64
import copy
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

USER, PASSWORD = "sip-dr", "s3cret-of-the-layer"
CSRF = "4a92be65-ec55"

APPLICATION = {
    ("TServer", "dr-peer-trunk"): "trunk_site2",
    ("TServer", "dr-forward"): "oos",
    ("log", "verbose"): "all",
}
DNS = {
    ("101", "1001"): {("TServer", "dr-forward"): "no-agent", ("TServer", "contact"): "*"},
    ("101", "1002"): {("TServer", "contact"): "*"},
    ("102", "1001"): {("TServer", "dr-forward"): "oos"},
}


class Layer(ThreadingHTTPServer):
    """One configuration. `meanwhile` is called before the second reading of an Application, `read_only`, `forgets`
    and `loses` are ways of not taking a change, `speaks_html` of not being there, `status` of answering otherwise."""

    daemon_threads = True

    def __init__(self, handler: type[Handler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.objects: dict[str, list[dict[str, Any]]] = handler.first_objects()
        self.read_only = self.forgets = self.speaks_html = False
        self.loses: str = ""
        self.redirects_to = ""
        self.status = 0
        self.readings = 0
        self.writes: list[dict[str, Any]] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def handle_error(self, *_request: object) -> None:
        """Say nothing of a client that does not trust us."""

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class Handler(BaseHTTPRequestHandler):
    """What both interfaces have in common."""

    server: Layer

    def body(self) -> dict[str, Any]:
        return dict(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def found(self, kind: str, key: str, value: str) -> list[dict[str, Any]]:
        """What a name is asked for, as it is now."""
        if kind == "application":
            self.server.readings += 1
            if self.server.readings == 2:
                self.server.meanwhile()
        return copy.deepcopy([one for one in self.server.objects[kind] if str(one.get(key)) == value])

    def store(self, kind: str, key: str, new: dict[str, Any]) -> None:
        """Take a whole object, or pretend to."""
        self.server.writes.append(new)
        if not self.server.forgets:
            kept = [one for one in self.server.objects[kind] if one[key] != new[key]]
            self.server.objects[kind] = [*kept, self.without(new, self.server.loses)]

    def reply(self, status: int, answer: Any, **headers: str) -> None:
        text = b"<html>" if self.server.speaks_html else json.dumps(answer).encode()
        self.send_response(302 if self.server.redirects_to else status)
        self.send_header("Content-Length", str(len(text)))
        if self.server.redirects_to:
            self.send_header("Location", self.server.redirects_to)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    @staticmethod
    def first_objects() -> dict[str, list[dict[str, Any]]]:
        raise NotImplementedError

    @staticmethod
    def without(new: dict[str, Any], key: str) -> dict[str, Any]:
        raise NotImplementedError


class GaxHandler(Handler):
    """Session by cookie; options as triples."""

    KINDS = {"CfgApplication": "application", "CfgDN": "dn"}

    @staticmethod
    def first_objects() -> dict[str, list[dict[str, Any]]]:
        application = {"type": "CfgApplication", "dbid": "105", "name": "SIP_Server_1", "version": "8.1"}
        dns = [
            {
                "type": "CfgDN",
                "dbid": str(201 + at),
                "number": number,
                "switchdbid": switch,
                "userproperties": _triples(options),
            }
            for at, ((switch, number), options) in enumerate(DNS.items())
        ]
        return {"application": [dict(application, options=_triples(APPLICATION), userproperties=None)], "dn": dns}

    @staticmethod
    def without(new: dict[str, Any], key: str) -> dict[str, Any]:
        kept = [item for item in new["options"]["property"] if item["key"] != key] if "options" in new else []
        return dict(new, options={"property": kept}) if key else new

    def do_POST(self) -> None:
        right = {"username": USER, "password": PASSWORD, "isPasswordEncrypted": False}
        body = self.body()
        if self.path == "/gax/api/session/login" and body == right:
            self.reply(200, {}, Set_Cookie="JSESSIONID=abc; Path=/gax; HttpOnly")
        else:
            self.reply(401, {"message": f"wrong user or password {body['password']}"})

    def do_GET(self) -> None:
        if self.headers.get("Cookie") != "JSESSIONID=abc":
            self.reply(401, {"message": "log in first"})
            return
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        assert (url.path, query.pop("brief")) == ("/gax/api/cfg/objects", "false")
        kind = self.KINDS[query.pop("type")]
        ((key, value),) = query.items()
        self.reply(200, self.found(kind, "number" if (kind, key) == ("dn", "name") else key, value))

    def do_PUT(self) -> None:
        body = self.body()
        kind, dbid = self.path.split("/")[-2:]
        known = self.server.objects[self.KINDS[kind]]
        whole = [one for one in known if one["dbid"] == dbid and set(one) == set(body)]
        if self.server.read_only:
            self.reply(400, {"message": "read-only"})
        elif whole and body["dbid"] == dbid:
            self.store(self.KINDS[kind], "dbid", body)
            self.reply(200, body)
        else:
            self.reply(400, {"message": "the whole object is expected"})


class GwsHandler(Handler):
    """HTTP Basic, a token for changes, a status in each answer; options as a map of maps."""

    KINDS = {"applications": "application", "dns": "dn"}

    @staticmethod
    def first_objects() -> dict[str, list[dict[str, Any]]]:
        application = {"DBID": "105", "name": "SIP_Server_1", "version": "8.1", "userProperties": {}}
        dns = [
            {"DBID": str(201 + at), "number": number, "switchDBID": switch, "userProperties": _nested(options)}
            for at, ((switch, number), options) in enumerate(DNS.items())
        ]
        return {"application": [dict(application, options=_nested(APPLICATION))], "dn": dns}

    @staticmethod
    def without(new: dict[str, Any], key: str) -> dict[str, Any]:
        kept = {
            name: {one: value for one, value in keys.items() if one != key}
            for name, keys in new.get("options", {}).items()
        }
        return dict(new, options=kept) if key else new

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if not self.knows():
            self.reply(200, {"statusCode": 20, "statusMessage": f"Access denied {self.headers.get('Authorization')}"})
        elif url.path == "/api/v2/me":
            protection = {"X_CSRF_HEADER": "X-CSRF-TOKEN", "X_CSRF_TOKEN": CSRF, "Set_Cookie": "JSESSIONID=abc; Path=/"}
            self.reply(200, {"statusCode": self.server.status, "user": {"userName": USER}}, **protection)
        else:
            objects = url.path.removeprefix("/api/v2/platform/configuration/")
            (key, (value,)), *_ = parse_qs(url.query).items()
            found = self.found(self.KINDS[objects], key, value.strip('"'))
            self.reply(200, {"statusCode": self.server.status, objects: found})

    def do_PUT(self) -> None:
        body = self.body()
        objects, dbid = self.path.split("/")[-2:]
        protected = (self.headers.get("X-CSRF-TOKEN"), self.headers.get("Cookie")) == (CSRF, "JSESSIONID=abc")
        whole = [
            one for one in self.server.objects[self.KINDS[objects]] if one["DBID"] == dbid and set(one) == set(body)
        ]
        if not (self.knows() and protected):
            self.reply(403, {"message": "Missing or invalid Csrf token"})
        elif self.server.read_only:
            self.reply(200, {"statusCode": 3, "statusMessage": "read-only"})
        elif whole:
            self.store(self.KINDS[objects], "DBID", body)
            self.reply(200, {"statusCode": 0})
        else:
            self.reply(200, {"statusCode": 1, "statusMessage": "the whole object is expected"})

    def knows(self) -> bool:
        right = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return self.headers.get("Authorization") == f"Basic {right}"


HANDLERS: dict[str, type[Handler]] = {"gax": GaxHandler, "gws": GwsHandler}
PATHS = {"gax": "/gax/api", "gws": "/api/v2"}


@contextmanager
def serve(driver: str, papers: Path | None = None) -> Iterator[Layer]:
    """One interface for the length of a block; over TLS with `papers`."""
    server = Layer(HANDLERS[driver])
    if papers:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(papers / "server.pem", papers / "server.key")
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def layer_option(driver: str, port: int, scheme: str = "http", **more: Any) -> dict[str, Any]:
    """The modules' option `layer` for a server."""
    url = f"{scheme}://127.0.0.1:{port}{PATHS[driver]}"
    option = {
        "driver": driver,
        "url": url,
        "user": USER,
        "password": PASSWORD,
        "ca_file": None,
        "timeout": 5,
        "shape": {},
    }
    return {**option, **more}


def _triples(options: dict[tuple[str, str], str]) -> dict[str, Any]:
    return {"property": [{"section": section, "key": key, "value": value} for (section, key), value in options.items()]}


def _nested(options: dict[tuple[str, str], str]) -> dict[str, dict[str, str]]:
    sections: dict[str, dict[str, str]] = {}
    for (section, key), value in options.items():
        sections.setdefault(section, {})[key] = value
    return sections
