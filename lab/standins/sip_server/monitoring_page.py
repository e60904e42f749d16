# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP monitoring page on ``http-port``.

``/server?sipServer``, ``?sipTrunkStatistics``, ``?sipCallManager`` and ``?tLibClientsStatistics``.

The vendor documents the address, the modules and what most of them tell (run readiness as 1 or 0; for each Trunk DN:
current and total calls, in service, number of out-of-service detections). **The names of the XML elements are our own
guess.**
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement, tostring

from standins.sip_server.kamailio_rpc import KamailioError
from standins.sip_server.leg import Leg

REQUEST_TIMEOUT = 5.0


def _document(root: str, fields: Mapping[str, object]) -> Element:
    element = Element(root)
    for name, value in fields.items():
        SubElement(element, name).text = str(value)
    return element


async def server_page(leg: Leg) -> Element:
    """Run mode and readiness of this leg, and the options of Business Continuity."""
    peered = await leg.is_peered()
    return _document(
        "sipServer",
        {
            "application": leg.settings.application,
            "host": leg.settings.host,
            "runMode": "primary" if leg.is_primary else "backup",
            "readiness": 1,
            "drPeerTrunk": leg.dr_peer_trunk or "",
            "drForward": leg.dr_forward,
            "businessContinuity": "peered" if peered else "single-site",
        },
    )


async def trunk_page(leg: Leg) -> Element:
    """The inter-site Trunk DN. Calls sent to the peer leave by 302, so none ever stays on the trunk."""
    trunk = await leg.trunk()
    root = Element("sipTrunkStatistics")
    fields = {
        "inService": int(trunk.in_service),
        "calls": 0,
        "totalCalls": trunk.forwarded,
        "oosDetectionCount": trunk.oos_count,
        "oosCheck": leg.settings.oos_check,
        "oosForce": leg.settings.oos_force,
        "since": trunk.since,
    }
    element = _document("trunk", fields)
    element.set("name", leg.settings.trunk)
    root.append(element)
    return root


async def call_page(leg: Leg) -> Element:
    """The calls that this leg has under way; the leg without the virtual address has none."""
    counts = await leg.kamailio.call("dlg.stats_active")
    return _document("sipCallManager", {"currentCalls": int(counts["ongoing"])})


async def client_page(leg: Leg) -> Element:
    """The desktops with an agent, as T-Library clients; that a client's agent is told is our guess as well."""
    root = Element("tLibClientsStatistics")
    for dn in sorted(await leg.agents() if leg.is_primary else ()):
        root.append(_document("client", {"agentId": dn}))
    SubElement(root, "clients").text = str(len(root))
    return root


PAGES = {
    "/server?sipServer": server_page,
    "/server?sipTrunkStatistics": trunk_page,
    "/server?sipCallManager": call_page,
    "/server?tLibClientsStatistics": client_page,
}


def _response(status: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


async def _answer(leg: Leg, target: str) -> bytes:
    if target not in PAGES:
        return _response("404 Not Found", b"")
    try:
        page = await PAGES[target](leg)
    except (OSError, TimeoutError, KamailioError, ValueError):
        # the real page is served by the SIP Server itself: where that does not run, there is no page
        return _response("503 Service Unavailable", b"")
    return _response("200 OK", tostring(page, encoding="UTF-8", xml_declaration=True))


async def serve(leg: Leg, port: int) -> asyncio.Server:
    """Open the page on every address of the host."""

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), REQUEST_TIMEOUT)
            writer.write(await _answer(leg, head.split(b" ")[1].decode("ascii", "replace")))
            await writer.drain()
        except (OSError, EOFError, TimeoutError, IndexError, asyncio.LimitOverrunError):
            pass  # a client that hangs up or talks rubbish ends its own connection and nothing else
        finally:
            writer.close()

    return await asyncio.start_server(client, "0.0.0.0", port)
