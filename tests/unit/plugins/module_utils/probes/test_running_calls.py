# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many calls run: read from a page whose names nobody has seen, over a real socket."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes import running_calls
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Settings
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.page import PageNames
from sip_doubles import tcp_peer

FAST = Settings(connect_timeout=0.3)


def check(port):
    return {"address": "127.0.0.1", "port": port, "path": "/server?sipCallManager"}


def look(text, status="200 OK", settings=FAST):
    def talk(connection):
        connection.recv(4096)
        body = text.encode()
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    with tcp_peer(talk) as port:
        return running_calls.look(check(port), settings)


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("<sipCallManager><currentCalls>37</currentCalls></sipCallManager>", 37),
        ("<s><calls>2</calls><currentCalls>3</currentCalls></s>", 3),
        ("<s><trunk name='a'><calls>2</calls></trunk><trunk name='b'><calls>5</calls></trunk></s>", 7),
        ("<s><manager active-calls='0'/></s>", 0),
        ("Current Calls: 12\n", 12),
        ("<s><calls>many</calls><activeCalls>4</activeCalls></s>", 4),
    ],
)
def test_a_figure(text, calls):
    found = look(text)
    assert (found["value"], found["answered"], found["calls"]) == ("up", True, calls)


@pytest.mark.parametrize(("text", "status"), [("<s/>", "200 OK"), ("", "404 Not Found"), ("<calls>1</calls>", "503 x")])
def test_no_figure_is_unknown(text, status):
    found = look(text, status)
    assert (found["value"], found["answered"], found["calls"]) == ("unknown", True, None)


def test_names_can_be_replaced():
    names = Settings(connect_timeout=0.3, page_names=PageNames(calls=("gespräche",)))
    assert look("<s><Gespräche>9</Gespräche><calls>1</calls></s>", settings=names)["calls"] == 9


def test_no_page_is_unknown():
    with tcp_peer(lambda connection: None) as port:
        found = running_calls.look(check(port), FAST)
    assert (found["value"], found["answered"], found["calls"]) == ("unknown", False, None)
