# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters of healing as Ansible offers them."""

from __future__ import annotations

from ansible_collections.contactcenter.sip_dr.plugins.filter.healing import FilterModule

FILTERS = FilterModule().filters()


def told(peer_trunk):
    return {"__continuity_peering": {"peering": {"mode": "single_site", "peer_trunk": peer_trunk}}}


def test_what_no_database_said_is_unknown(continuity):
    seen = FILTERS["databases_seen"](continuity["continuity_sites"], {})
    assert {name: one["role"] for name, one in seen.items()} == {"fra": "unknown", "ams": "unknown"}


def test_a_site_is_pinned_where_its_page_says_that_it_has_no_peer_trunk(continuity):
    hostvars = {"fra-dr-1": {}, "fra-dr-2": told(""), "ams-dr-1": told("trunk_to_fra"), "ams-dr-2": told(None)}
    assert FILTERS["pinned_now"](continuity["continuity_sites"], hostvars) == ["fra"]


def test_a_page_that_does_not_tell_pins_nobody(continuity):
    assert FILTERS["pinned_now"](continuity["continuity_sites"], {"fra-dr-1": told(None), "ams-dr-1": {}}) == []
