# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON over HTTP for the drivers of the Configuration Layer: one session, its cookies, and errors without secrets."""

from __future__ import annotations

import base64
import http.client
import http.cookiejar
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from email.message import Message
from typing import Any, Dict, Mapping, NamedTuple, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer import LayerError, Login

MAX_ANSWER = 64 << 20
"""Bytes of one answer; every DN of a large switch, whole, has some ten."""


class Answer(NamedTuple):
    """One answer: the JSON of its body (None when it is empty), and its headers."""

    body: Any
    headers: Mapping[str, str]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirection is not followed: the log-in would be sent to whoever is named there."""

    def redirect_request(self, *_words: object) -> None:
        """Take it for the error that it is to us."""
        return


class Session:
    """One person's session below a base address; the certificate of an https address is always verified."""

    def __init__(self, product: str, login: Login) -> None:
        """Prepare it; nothing is sent yet. Raises LayerError for an address or certificate file that cannot be used."""
        self._product = product
        self._login = login
        self.base = login.url.rstrip("/") + "/"
        if urllib.parse.urlsplit(self.base).scheme not in ("http", "https"):
            raise LayerError(f"{login.url!r} is no http or https address")
        try:
            context = ssl.create_default_context(cafile=login.ca_file)
        except OSError as error:
            raise LayerError(f"{login.ca_file}: {error}") from error
        self._opener = urllib.request.build_opener(
            # No proxy of the environment: a failover must not depend on one.
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
            urllib.request.HTTPSHandler(context=context),
            _NoRedirect(),
        )

    def basic(self) -> str:
        """Return the credentials as HTTP Basic has them (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self._login.user}:{self._login.password}".encode()).decode("ascii")

    def ask(
        self, method: str, path: str, body: Optional[Mapping[str, Any]] = None, headers: Optional[Dict[str, str]] = None
    ) -> Answer:
        """Send one request and return its answer. Raises LayerError, which names the request and not its content."""
        where = f"{self._product} at {self.base}: {method} {path.partition('?')[0]}"
        try:
            with self._opener.open(self._request(method, path, body, headers), timeout=self._login.timeout) as answer:
                text = answer.read(MAX_ANSWER + 1)
                told = _headers(answer.headers)
        except urllib.error.HTTPError as error:
            raise LayerError(self._secretless(f"{where} was answered {error.code} ({_reason(error)})")) from None
        except (OSError, http.client.HTTPException) as error:
            raise LayerError(self._secretless(f"{where}: {getattr(error, 'reason', None) or error}")) from None
        return Answer(_json(text, where), told)

    def failure(self, path: str, words: str) -> LayerError:
        """Return the error for an answer that came but says no."""
        return LayerError(self._secretless(f"{self._product} at {self.base}: {path.partition('?')[0]}: {words}"))

    def _request(
        self, method: str, path: str, body: Optional[Mapping[str, Any]], headers: Optional[Dict[str, str]]
    ) -> urllib.request.Request:
        data = None if body is None else json.dumps(body).encode("utf-8")
        told = {"Accept": "application/json", "Content-Type": "application/json", **(headers or {})}
        return urllib.request.Request(self.base + path, data=data, headers=told, method=method)

    def _secretless(self, words: str) -> str:
        # What a server says of a request may have the request in it.
        for secret in (self._login.password, self.basic()[6:]):
            words = words.replace(secret, "********") if secret else words
        return words


def path_of(path: str, query: Mapping[str, str]) -> str:
    """Return a path with its query, encoded."""
    return path + ("?" + urllib.parse.urlencode(query) if query else "")


def part(text: object) -> str:
    """Return one part of a path, encoded."""
    return urllib.parse.quote(str(text), safe="")


def _headers(message: Message) -> Dict[str, str]:
    return {name.lower(): value for name, value in message.items()}


def _json(text: bytes, where: str) -> Any:  # noqa: ANN401  any JSON
    if len(text) > MAX_ANSWER:
        raise LayerError(f"{where}: the answer has more than {MAX_ANSWER >> 20} MiB")
    try:
        return json.loads(text) if text else None
    except ValueError as error:
        raise LayerError(f"{where}: the answer is not JSON") from error


def _reason(error: urllib.error.HTTPError) -> str:
    with error:
        try:
            told = json.loads(error.read(MAX_ANSWER))
            return str(told.get("message") or told["statusMessage"])
        except (ValueError, KeyError, TypeError, AttributeError, OSError):
            return str(error.reason)
