# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The requests of one outgoing call as bytes, and what its answer says of where they go (RFC 3261 12, 13, 15). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Optional

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.message import Message
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.requests import PROBE_USER

INVITE_CSEQ, BYE_CSEQ = 1, 2

_IN_BRACKETS = re.compile(r"<([^>]*)>")
_HOST_PORT = re.compile(r"\Asips?:(?:[^@]*@)?(\[[0-9A-Fa-f:.]+\]|[^:;?>\s]+)(?::([0-9]{1,5}))?", re.IGNORECASE)


@dataclass(frozen=True)
class Dialog:
    """What stays the same in one call. uri: of the callee; local: our host:port; branch: of the INVITE."""

    uri: str
    local: str
    transport: str
    call_id: str
    tag: str
    branch: str

    def invite(self, offer: bytes) -> bytes:
        """The INVITE with its SDP offer."""
        return self._render("INVITE", self.uri, self.branch, INVITE_CSEQ, f"<{self.uri}>", [], offer)

    def cancel(self) -> bytes:
        """CANCEL of the INVITE: its branch, its CSeq number, no tag in To (RFC 3261 9.1)."""
        return self._render("CANCEL", self.uri, self.branch, INVITE_CSEQ, f"<{self.uri}>", [])

    def ack_refusal(self, response: Message) -> bytes:
        """ACK to a final response other than 2xx: part of the INVITE's transaction (RFC 3261 17.1.1.3)."""
        return self._render("ACK", self.uri, self.branch, INVITE_CSEQ, response.first("to"), [])

    def ack(self, answer: Message, branch: str) -> bytes:
        """ACK to a 2xx: a request within the dialog (RFC 3261 13.2.2.4)."""
        return self._within(answer, "ACK", INVITE_CSEQ, branch)

    def bye(self, answer: Message, branch: str) -> bytes:
        """BYE: the call is over (RFC 3261 15.1.1)."""
        return self._within(answer, "BYE", BYE_CSEQ, branch)

    def _within(self, answer: Message, method: str, cseq: int, branch: str) -> bytes:
        return self._render(method, _target(answer) or self.uri, branch, cseq, answer.first("to"), route_set(answer))

    def _render(
        self, method: str, uri: str, branch: str, cseq: int, to: str, routes: list[str], offer: bytes = b""
    ) -> bytes:
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/{self.transport.upper()} {self.local};rport;branch={branch}",
            *(f"Route: {route}" for route in routes),
            "Max-Forwards: 70",
            f"From: <sip:{PROBE_USER}@{self.local}>;tag={self.tag}",
            f"To: {to}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:{PROBE_USER}@{self.local}{';transport=tcp' if self.transport == 'tcp' else ''}>",
            "User-Agent: sip-dr",
            *(["Content-Type: application/sdp"] if offer else []),
            f"Content-Length: {len(offer)}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8") + offer


def route_set(answer: Message) -> list[str]:
    """The proxies that stay in the path, nearest first: Record-Route from behind (RFC 3261 12.1.2)."""
    return answer.values("record-route")[::-1]


def next_hop(answer: Message) -> Optional[tuple[str, int]]:
    """(host, port) that takes the requests within the dialog: the first route, else the Contact; None if unreadable.

    A route without `lr` (a strict router of RFC 2543) is not told from one with it.
    """
    routes = route_set(answer)
    match = _HOST_PORT.match(_uri(routes[0]) if routes else _target(answer))
    port = int(match.group(2) or 5060) if match else 0
    return (match.group(1).strip("[]"), port) if match and 0 < port < 65536 else None


def ok(request: Message) -> bytes:
    """200 to a request of the other end, such as its BYE (RFC 3261 8.2.6.2)."""
    lines = [
        "SIP/2.0 200 OK",
        *(f"Via: {via}" for via in request.values("via")),
        *(f"{name}: {request.first(name.lower())}" for name in ("From", "To", "Call-ID", "CSeq")),
        "Content-Length: 0",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")


def _target(answer: Message) -> str:
    return _uri(next(iter(answer.values("contact")), ""))


def _uri(value: str) -> str:
    match = _IN_BRACKETS.search(value)
    return (match.group(1) if match else value.partition(";")[0]).strip()
