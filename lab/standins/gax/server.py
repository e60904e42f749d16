# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for GAX: the part of its REST interface that public code is known to use (see the reference, 2.10).

========================================  =====================================================================
``POST session/login``                    ``{"username", "password", "isPasswordEncrypted": false}``; a cookie
``GET user/info``                         who is logged in
``GET cfg/schema``                        ``isEnabled``: true when there is a Configuration Server to work with
``GET cfg/objects?type=…[&name=…]``       a list of full objects
``POST cfg/objects``                      a new object, answered as stored, with its ``dbid``
``GET, PUT cfg/objects/<Type>/<dbid>``    one full object
========================================  =====================================================================

All under ``/gax/api/``. 401 without a log-in, 404 for what does not exist, 400 for what the Configuration Server
refuses, 503 whenever the Configuration Server of this host is not in service.
"""

from __future__ import annotations

import argparse
import json
import secrets
import threading
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from standins.config_server.wire import Client, Message, RefusedError

BASE = "/gax/api/"
COOKIE = "JSESSIONID"
ANSWER_LIMIT = 5.0
BODY_LIMIT = 1 << 22
Answer = tuple[int, object]


class HttpError(Exception):
    """A status code other than 200, and why."""

    def __init__(self, status: int, message: str) -> None:
        """``status`` as HTTP has it."""
        super().__init__(message)
        self.status = status


class UserSession:
    """One person's connection to the Configuration Server; one request at a time."""

    def __init__(self, port: int, username: str, password: str) -> None:
        """Log in; OSError if no server is there, RefusedError if it does not want this person."""
        self.username = username
        self._turn = threading.Lock()
        self._client = Client("127.0.0.1", port, ANSWER_LIMIT)
        try:
            self._client.ask(op="login", username=username, password=password)
        except (OSError, RefusedError):
            self._client.close()
            raise

    def ask(self, **request: object) -> Message:
        """The server's answer."""
        with self._turn:
            return self._client.ask(**request)

    def close(self) -> None:
        """Hang up."""
        self._client.close()


class Gax:
    """The interface without HTTP: sessions by cookie, and what each path means."""

    def __init__(self, confserv_port: int = 2020) -> None:
        """Work with the Configuration Server on this host and port."""
        self._port = confserv_port
        self._sessions: dict[str, UserSession] = {}

    def handle(self, method: str, target: str, cookie: str | None, body: Message | None) -> Answer:
        """Status and JSON for a request below BASE; HttpError for every other status than 200."""
        url = urlsplit(target)
        path = [unquote(part) for part in url.path.removeprefix(BASE).strip("/").split("/")]
        if (method, path) == ("GET", ["cfg", "schema"]):
            return 200, {"isEnabled": self._is_in_service()}
        session = self._sessions.get(cookie or "")
        if session is None:
            raise HttpError(401, "log in first")
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        try:
            return 200, self._answer(method, path, query, body, session)
        except RefusedError as refused:
            raise self._graded(str(refused)) from refused
        except OSError as lost:
            self._forget(cookie or "")
            raise HttpError(503, f"Configuration Server lost: {lost}") from lost

    def login(self, body: Message) -> tuple[str, Message]:
        """A new session's cookie, and who logged in."""
        username, password = str(body.get("username", "")), str(body.get("password", ""))
        if body.get("isPasswordEncrypted"):
            raise HttpError(400, "encrypted passwords are GAX's own secret: send isPasswordEncrypted false")
        try:
            session = UserSession(self._port, username, password)
        except RefusedError as refused:
            status = 503 if "out of service" in str(refused) else 401
            raise HttpError(status, str(refused)) from refused
        except OSError as lost:
            raise HttpError(503, f"no Configuration Server: {lost}") from lost
        cookie = secrets.token_hex(16)
        self._sessions[cookie] = session
        return cookie, {"username": username}

    def close(self) -> None:
        """End every session."""
        for cookie in list(self._sessions):
            self._forget(cookie)

    def _answer(
        self, method: str, path: list[str], query: dict[str, str], body: Message | None, session: UserSession
    ) -> object:
        if (method, path) == ("GET", ["user", "info"]):
            session.ask(op="ping")
            return {"username": session.username}
        if (method, path) == ("GET", ["cfg", "objects"]):
            return session.ask(op="list", type=query.get("type"), name=query.get("name"))["objects"]
        if (method, path) == ("POST", ["cfg", "objects"]) and body is not None:
            return session.ask(op="write", object={**body, "dbid": ""})["object"]
        if path[:2] == ["cfg", "objects"] and len(path) == 4:
            return self._one_object(method, path[2], path[3], body, session)
        raise HttpError(404, "no such resource")

    @staticmethod
    def _one_object(method: str, kind: str, dbid: str, body: Message | None, session: UserSession) -> object:
        if method == "GET":
            return session.ask(op="read", type=kind, dbid=dbid)["object"]
        if method != "PUT" or body is None:
            raise HttpError(405, "GET and PUT are known here")
        if (body.get("type"), str(body.get("dbid"))) != (kind, dbid):
            raise HttpError(400, "the full object is expected, its type and dbid as in the path")
        return session.ask(op="write", object={**body, "dbid": dbid})["object"]

    def _is_in_service(self) -> bool:
        try:
            with Client("127.0.0.1", self._port, ANSWER_LIMIT) as client:
                in_service = client.ask(op="status")["in_service"]
        except OSError:
            in_service = False
        if not in_service:
            raise HttpError(503, "Configuration Server is not in service")
        return True

    def _forget(self, cookie: str) -> None:
        session = self._sessions.pop(cookie, None)
        if session is not None:
            session.close()

    @staticmethod
    def _graded(reason: str) -> HttpError:
        if "out of service" in reason:
            return HttpError(503, reason)
        return HttpError(404 if reason == "no such object" else 400, reason)


class Handler(BaseHTTPRequestHandler):
    """HTTP around Gax; the server carries it as ``gax``."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Read."""
        self._serve("GET")

    def do_POST(self) -> None:
        """Log in, or create."""
        self._serve("POST")

    def do_PUT(self) -> None:
        """Change."""
        self._serve("PUT")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: bodies of log-ins do not belong in a journal, and the writes have their own log."""

    def _serve(self, method: str) -> None:
        gax: Gax = self.server.gax  # type: ignore[attr-defined]
        cookie = None
        try:
            body = self._body()
            if not self.path.startswith(BASE):
                raise HttpError(404, f"everything is below {BASE}")
            if (method, self.path) == ("POST", BASE + "session/login"):
                cookie, answer = gax.login(body or {})
                status = 200
            else:
                status, answer = gax.handle(method, self.path, self._cookie(), body)  # type: ignore[assignment]
        except HttpError as error:
            status, answer = error.status, {"message": str(error)}
        self._reply(status, answer, cookie)

    def _body(self) -> Message | None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > BODY_LIMIT:
            self.close_connection = True
            raise HttpError(413, "too large")
        text = self.rfile.read(length)
        if not text:
            return None
        try:
            body = json.loads(text)
        except ValueError as error:
            raise HttpError(400, f"not JSON: {error}") from error
        if not isinstance(body, dict):
            raise HttpError(400, "a JSON object is expected")
        return body

    def _cookie(self) -> str | None:
        try:
            morsel = SimpleCookie(self.headers.get("Cookie", "")).get(COOKIE)
        except CookieError:
            return None
        return morsel.value if morsel else None

    def _reply(self, status: int, answer: object, cookie: str | None) -> None:
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        if cookie:
            self.send_header("Set-Cookie", f"{COOKIE}={cookie}; Path=/gax; HttpOnly")
        self.end_headers()
        self.wfile.write(text)


class GaxServer(ThreadingHTTPServer):
    """The HTTP server; ``gax`` is what it serves."""

    daemon_threads = True

    def __init__(self, port: int, gax: Gax) -> None:
        """Listen on every address of the host."""
        super().__init__(("0.0.0.0", port), Handler)
        self.gax = gax


def main() -> None:
    """Run as a service."""
    parser = argparse.ArgumentParser(description="Stand-in for GAX's REST interface")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--confserv-port", type=int, default=2020)
    options = parser.parse_args()
    GaxServer(options.port, Gax(options.confserv_port)).serve_forever()


if __name__ == "__main__":
    main()
