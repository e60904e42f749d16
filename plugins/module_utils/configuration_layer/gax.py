# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Driver `gax`: the REST interface of Genesys Administrator Extension.

The vendor does not document it; what is used here is what public code uses (sapk/go-genesys,
sapk/docker-lab-genesys): a session by cookie, and objects that are read and written whole.
The certificate of an https address is always verified.
"""

from __future__ import annotations

import http.client
import http.cookiejar
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, Dict, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer import LayerError, Login


class Gax:
    """One person's session with GAX. `login.url` is the base, for example `https://gax.example.com:8443/gax/api/`."""

    def __init__(self, login: Login) -> None:
        """Prepare the session; nothing is sent yet. Raises LayerError for an address that is not http or https."""
        self._login = login
        self._base = login.url.rstrip("/") + "/"
        if urllib.parse.urlsplit(self._base).scheme not in ("http", "https"):
            raise LayerError(f"{login.url!r} is no http or https address")
        self._opener = urllib.request.build_opener(
            # No proxy of the environment: a failover must not depend on one.
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=login.ca_file)),
        )

    def log_in(self) -> None:
        """Begin a session. Raises LayerError."""
        words = {"username": self._login.user, "password": self._login.password, "isPasswordEncrypted": False}
        self._request("POST", "session/login", words)

    def application(self, name: str) -> Dict[str, Any]:
        """Return a CfgApplication, whole. Raises LayerError when there is not exactly one of that name."""
        query = urllib.parse.urlencode({"brief": "false", "type": "CfgApplication", "name": name})
        found = self._request("GET", "cfg/objects?" + query)
        if not isinstance(found, list) or len(found) != 1:
            count = len(found) if isinstance(found, list) else "no list of"
            raise LayerError(f"{count} Applications are named {name!r}, one is expected")
        return dict(found[0])

    def write(self, application: Dict[str, Any]) -> None:
        """Write a CfgApplication back, whole. Raises LayerError when it is refused, as by a read-only server."""
        path = "cfg/objects/CfgApplication/" + urllib.parse.quote(str(application["dbid"]), safe="")
        self._request("PUT", path, application)

    def _request(self, method: str, path: str, body: Optional[Dict[str, Any]] = None) -> Any:  # noqa: ANN401  any JSON
        data = None if body is None else json.dumps(body).encode("utf-8")
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        request = urllib.request.Request(self._base + path, data=data, headers=headers, method=method)
        where = f"GAX at {self._base}: {method} {path.partition('?')[0]}"
        try:
            with self._opener.open(request, timeout=self._login.timeout) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise LayerError(f"{where} was answered {error.code} ({_reason(error)})") from error
        except (OSError, http.client.HTTPException) as error:
            raise LayerError(f"{where}: {getattr(error, 'reason', None) or error}") from error
        try:
            return json.loads(text) if text else None
        except ValueError as error:
            raise LayerError(f"{where}: the answer is not JSON") from error


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read())["message"])
    except (ValueError, KeyError, TypeError, OSError):
        return str(error.reason)
