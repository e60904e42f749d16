# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The requests that sip-dr sends, and how their answers are read.

    client = SipClient(t1=0.2, tries=6, deadline=8.0)
    outcomes = client.request_many([fetch_bindings("10.71.1.100", dn) for dn in ("1001", "1002")])
    contacts = [bindings(outcome) for outcome in outcomes]

No request here changes anything at the other end, save that check_sync makes a phone read its configuration again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.message import Message

if TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.outcome import Outcome

PROBE_USER = "sip-dr"
DEFAULT_PORT = {"udp": 5060, "tcp": 5060, "tls": 5061}  # RFC 3261 19.1.2

_IN_BRACKETS = re.compile(r"<([^>]*)>(.*)\Z", re.DOTALL)
_EXPIRES = re.compile(r";\s*expires\s*=\s*([0-9]{1,10})", re.IGNORECASE)
_OUT_OF_SERVICE = (503, 505)


@dataclass(frozen=True)
class Request:
    """One request to one address.

    uri: the Request-URI. from_uri, to_uri: without angle brackets. transport: udp, tcp or tls. headers: further ones.
    server_name: the name that a TLS server's certificate must hold; empty for the client's setting, or the address.
    """

    method: str
    address: str
    port: int
    uri: str
    from_uri: str
    to_uri: str
    transport: str = "udp"
    headers: tuple[tuple[str, str], ...] = ()
    server_name: str = ""


@dataclass(frozen=True)
class Binding:
    """One registered contact of a number: its URI, and the seconds until it ends (None: the registrar did not say)."""

    uri: str
    expires: Optional[int]


def options(address: str, port: int = 5060, transport: str = "udp", server_name: str = "") -> Request:
    """OPTIONS to a SIP Server, proxy or gateway: does it answer, and what (RFC 3261 11).

    TLS is asked for as `sip:` with `transport=tls`, which equipment in the field understands; `sips:` would demand TLS
    on every further hop too (RFC 5630 3.1).
    """
    uri = f"sip:{host_port(address, port)}" + ("" if transport == "udp" else f";transport={transport}")
    return Request(
        method="OPTIONS",
        address=address,
        port=port,
        uri=uri,
        from_uri=f"sip:{PROBE_USER}@{{local}}",
        to_uri=uri,
        transport=transport,
        headers=(("Accept", "application/sdp"),),
        server_name=server_name,
    )


def options_to(endpoint: Mapping[str, Any]) -> Request:
    """The OPTIONS to an endpoint as the inventory describes it: address, and port, transport, server_name or not."""
    transport = endpoint.get("transport") or "udp"
    port = endpoint.get("port") or DEFAULT_PORT.get(transport, DEFAULT_PORT["udp"])
    return options(endpoint["address"], int(port), transport, endpoint.get("server_name") or "")


def fetch_bindings(
    address: str, dn: str, port: int = 5060, transport: str = "udp", domain: Optional[str] = None
) -> Request:
    """REGISTER without Contact: asks a registrar for the bindings of `dn` and changes none (RFC 3261 10.2.3)."""
    realm = domain or _bracketed(address)
    record = f"sip:{dn}@{realm}"
    return Request("REGISTER", address, port, f"sip:{realm}", record, record, transport)


def check_sync(
    address: str, dn: str, port: int = 5060, transport: str = "udp", event: str = "check-sync;reboot=false"
) -> Request:
    """NOTIFY outside a dialog that asks the phone at `address` to read its configuration again.

    A convention of the makers, not of RFC 6665: Yealink restarts on plain `check-sync` unless sip.notify_reboot_enable
    is 0, and strict phones refuse with 481. The phone's 200 proves nothing: look at the registrar's bindings.
    """
    uri = f"sip:{dn}@{host_port(address, port)}"
    headers = (("Event", event), ("Subscription-State", "terminated"))
    return Request("NOTIFY", address, port, uri, f"sip:{PROBE_USER}@{{local}}", uri, transport, headers)


def bindings(outcome: Outcome) -> Optional[list[Binding]]:
    """The contacts in the answer to fetch_bindings; empty after a 404; None when the registrar gave no word."""
    if outcome.status == 404:
        return []
    if outcome.response is None or outcome.status is None or not 200 <= outcome.status < 300:
        return None
    return [_binding(value) for value in outcome.response.values("contact") if value != "*"]


def grade(outcome: Outcome) -> tuple[str, bool]:
    """(up | down | unknown, answered) of an OPTIONS.

    503 and 505 are down but an answer; any other final response is up, 401 and 407 among them. No final response is
    down: not answered when nothing came back at all; answered when a provisional response came, or when the connection
    was accepted or refused, because then somebody lives there. What could not be asked says nothing about the other
    end, and is unknown: no route, or a certificate that did not pass. A TLS server with the wrong certificate has
    answered, but whether SIP is well behind it was never asked, and a faulty trust store of ours must not look like a
    dead site.
    """
    if outcome.status is not None:
        return ("down" if outcome.status in _OUT_OF_SERVICE else "up"), True
    return ("down" if outcome.sent else "unknown"), outcome.answered


def detail(outcome: Outcome) -> str:
    """One line for a person: the final response, or what was met instead."""
    if outcome.status is not None:
        said = f"{outcome.status} {outcome.reason}".rstrip()
    elif outcome.sent:
        said = f"no final response to {outcome.sent} sending{'s' if outcome.sent > 1 else ''}"
    else:
        said = "could not be asked"
    return ", ".join(part for part in (said, outcome.error) if part)


def render(
    request: Request,
    local: str,
    branch: str,
    call_id: str,
    tag: str,
    cseq: int = 1,
    more: tuple[tuple[str, str], ...] = (),
) -> bytes:
    """The request as bytes. local: host:port for Via, Contact and `{local}` in from_uri, IPv6 in brackets.

    cseq: 2 and up for the same request again with credentials, which stand in `more` (RFC 3261 22.2).
    """
    # A Contact in a REGISTER would make a binding: there it must be left out.
    contact = "" if request.method == "REGISTER" else f"Contact: <sip:{PROBE_USER}@{local}>\r\n"
    further = "".join([f"{name}: {value}\r\n" for name, value in (*request.headers, *more)])
    return (
        f"{request.method} {request.uri} SIP/2.0\r\n"
        f"Via: SIP/2.0/{request.transport.upper()} {local};rport;branch={branch}\r\n"
        "Max-Forwards: 70\r\n"
        f"From: <{request.from_uri.replace('{local}', local)}>;tag={tag}\r\n"
        f"To: <{request.to_uri}>\r\n"
        f"Call-ID: {call_id}\r\n"
        f"CSeq: {cseq} {request.method}\r\n"
        f"{further}{contact}"
        "User-Agent: sip-dr\r\n"
        "Content-Length: 0\r\n\r\n"
    ).encode()


def host_port(address: str, port: int) -> str:
    """`address:port`, an IPv6 literal in brackets."""
    return f"{_bracketed(address)}:{port}"


def reply_matches(message: Message, branch: str, method: str) -> bool:
    """Whether a response belongs to this transaction: by branch and CSeq method (RFC 3261 17.1.3)."""
    return message.status is not None and message.branch == branch and message.cseq_method == method


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address and not address.startswith("[") else address


def _binding(value: str) -> Binding:
    match = _IN_BRACKETS.search(value)
    uri, parameters = match.groups() if match else (value.split(";")[0], value)
    expires = _EXPIRES.search(parameters)
    return Binding(uri.strip(), int(expires.group(1)) if expires else None)
