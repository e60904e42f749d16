# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON-RPC 2.0 to a SIP server's management interface: over HTTP(S), or over a unix datagram socket.

Sources: Kamailio 5.6 modules/jsonrpcs (transports http and datagram), OpenSIPS 3.x modules/mi_http and mi_datagram.
"""

from __future__ import annotations

import json
import os
import random
import socket
import tempfile
import urllib.parse
from typing import Any, Dict, Mapping, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import GatewayError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.http import HttpClient, json_body

UNIX = "unix:"
MAX_DATAGRAM = 1 << 20
_ANY_STATUS = tuple(range(200, 600))  # an error's status has its reason in the body


def call(url: str, timeout: float, method: str, params: Optional[Mapping[str, Any]] = None, ca_file: str = "") -> Any:  # noqa: ANN401  any JSON
    """Return the result of one call to `http(s)://…` or `unix:/path`; `timeout` in seconds for the whole of it.

    Raises GatewayError that names method and address: no answer, half an answer, or what the server refused.
    """
    request: Dict[str, Any] = {"jsonrpc": "2.0", "method": method, "id": random.randrange(1, 1 << 31)}
    if params is not None:
        request["params"] = dict(params)
    over_unix = url.startswith(UNIX)
    reply = _datagram(url[len(UNIX) :], timeout, request) if over_unix else _http(url, timeout, request, ca_file)
    if not isinstance(reply, dict):
        raise GatewayError(f"{method} at {url}: a JSON-RPC reply expected, {type(reply).__name__} met")
    if reply.get("error"):
        raise GatewayError(f"{method} at {url} was refused: {_reason(reply['error'])}")
    if "result" not in reply or reply.get("id") != request["id"]:
        raise GatewayError(f"{method} at {url}: a reply to this call with a result expected, another one met")
    return reply["result"]


def _http(url: str, timeout: float, request: Mapping[str, Any], ca_file: str) -> Any:  # noqa: ANN401  any JSON
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError:  # what is in it may be a password, and is not to be repeated
        raise GatewayError(f"{request['method']}: http(s)://host[:port]/path or unix:/path is expected") from None
    if "@" in parts.netloc:
        raise GatewayError(f"{request['method']}: an address without a log-in in it is expected")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        client = HttpClient(f"{parts.scheme}://{parts.netloc}", timeout, ca_file=ca_file)
        return client.ask("POST", path, json_body(request), expect=_ANY_STATUS).json()
    except GatewayError as error:
        raise GatewayError(f"{request['method']} at {url}: no answer to a JSON-RPC call ({error})") from error


def _datagram(path: str, timeout: float, request: Mapping[str, Any]) -> Any:  # noqa: ANN401  any JSON
    where = f"{request['method']} at {UNIX}{path}"
    try:
        return json.loads(_exchange(path, timeout, json.dumps(request).encode()))
    except (OSError, ValueError) as error:
        raise GatewayError(f"{where}: no answer to a JSON-RPC call ({error or type(error).__name__})") from error


def _exchange(path: str, timeout: float, request: bytes) -> bytes:
    # The server may see another /tmp than we do, but not another directory of its own socket.
    beside = os.path.dirname(path)
    directory = beside if os.access(beside, os.W_OK) else None
    own = tempfile.TemporaryDirectory(prefix="sip-dr-", dir=directory)
    with own as place, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        # The server answers under its own user; the directory's name is not to be guessed.
        os.chmod(place, 0o711)
        sock.bind(os.path.join(place, "reply"))
        os.chmod(os.path.join(place, "reply"), 0o666)
        sock.settimeout(timeout)
        sock.sendto(request, path)
        return sock.recv(MAX_DATAGRAM)


def _reason(error: Any) -> str:  # noqa: ANN401  any JSON
    if isinstance(error, dict) and error.get("message"):
        return str(error["message"])
    return str(error)
