# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who says that an address is out of reach: a router on the way, or our own host that has no route."""

from __future__ import annotations

import errno

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import no_connection
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.addresses import is_out_of_reach
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.link import was_tried

REACHED = "127.0.0.1"
# Linux sends no datagram there from a socket that was not allowed to (ip(7), SO_BROADCAST): as good as no route.
NOT_REACHED = "255.255.255.255"
BY_A_ROUTER = [errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENONET]
OUR_OWN = [errno.EMFILE, errno.EACCES, errno.EPERM, errno.EADDRNOTAVAIL]


@pytest.mark.parametrize("number", BY_A_ROUTER)
def test_a_router_said_it_where_we_have_a_route(number):
    assert is_out_of_reach(OSError(number, "no way"), REACHED)
    assert was_tried(OSError(number, "no way"), REACHED)
    found = no_connection(OSError(number, "no way"), REACHED)
    assert (found["value"], found["answered"], found["detail"]) == ("down", False, "no way")


@pytest.mark.parametrize("number", [*BY_A_ROUTER, *OUR_OWN])
def test_without_a_route_it_is_ours(number):
    assert not is_out_of_reach(OSError(number, "no way"), NOT_REACHED)
    assert not was_tried(OSError(number, "no way"), NOT_REACHED)
    assert no_connection(OSError(number, "no way"), NOT_REACHED)["value"] == "unknown"


@pytest.mark.parametrize("number", OUR_OWN)
def test_what_our_own_host_lacks_is_not_the_ways(number):
    assert not is_out_of_reach(OSError(number, "no"), REACHED)
    assert no_connection(OSError(number, "no"), REACHED)["value"] == "unknown"


@pytest.mark.parametrize("error", [ValueError("no address"), TimeoutError("timed out"), ConnectionRefusedError()])
def test_other_errors_say_nothing_of_the_way(error):
    assert not is_out_of_reach(error, REACHED)


def test_what_is_no_address_has_no_route():
    assert not is_out_of_reach(OSError(errno.ENETUNREACH, "no way"), "[::1")
