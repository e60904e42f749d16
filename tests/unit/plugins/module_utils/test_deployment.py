# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the data model."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils import deployment
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.plan_steps import (
    CALLS,
    DESKTOPS,
    RESYNC,
    UNDO_WITH_TICKET,
    UNDO_WITHOUT_TICKET,
    WITH_TICKET,
    WITHOUT_TICKET,
)


def test_peer_is_the_other_site_both_ways(continuity):
    assert (deployment.peer(continuity, "fra"), deployment.peer(continuity, "ams")) == ("ams", "fra")
    with pytest.raises(KeyError):
        deployment.peer(continuity, "mars")


def test_observers_are_vantage_hosts_witness_and_gateways_once(continuity):
    assert deployment.observers(continuity) == [
        "fra-dr-1",
        "fra-dr-2",
        "ams-dr-1",
        "ams-dr-2",
        "par-witness",
        "fra-gw-1",
        "fra-gw-2",
        "ams-gw-1",
        "ams-gw-2",
    ]
    continuity["continuity_witness"] = "none"
    assert deployment.witness(continuity) is None
    assert "none" not in deployment.observers(continuity)


def test_configuration_hosts_are_one_when_the_machine_is_one(continuity):
    assert deployment.configuration_hosts(continuity, "fra") == ["fra-cfg", "fra-db"]
    continuity["continuity_sites"]["fra"]["configuration"]["database"]["host"] = "fra-cfg"
    assert deployment.configuration_hosts(continuity, "fra") == ["fra-cfg"]


def test_hosts_of_each_step_follow_the_failed_site(continuity):
    hosts = deployment.step_hosts(continuity, "ams")
    assert hosts["preflight_database"] == hosts["promote_database"] == ["fra-db"]
    assert hosts["preflight_server"] == hosts["verify_configuration"] == ["fra-cfg"]
    assert hosts["stop_old_master"] == hosts["restart_old_master"] == hosts["verify_undone"] == ["ams-cfg"]
    assert hosts["fence"] == hosts["unfence"] == ["ams-db"]
    assert hosts["freeze_writes"] == hosts["unfreeze"] == hosts["resync_old"] == ["ams-db"]
    assert hosts["revoke_ticket"] == hosts["return_ticket"] == ["fra-db"]
    assert hosts["take_ticket"] == ["fra-cfg", "fra-db"], "each of them has a lease of its own"
    assert hosts["start_config_server"] == ["fra-cfg"]
    assert hosts["single_site"] == ["fra-dr-1", "fra-dr-2"]
    assert hosts["repoint_names"] == ["fra-cfg", "ams-cfg"]


def test_desktops_are_looked_at_from_within_the_survivor_where_there_are_any(continuity):
    assert deployment.step_hosts(continuity, "fra")["verify_desktops"] == ["ams-dr-1", "ams-dr-2"]
    del continuity["continuity_desktops"]
    assert deployment.step_hosts(continuity, "fra")["verify_desktops"] == []


def test_server_and_database_on_one_machine_are_stopped_and_fenced_there(continuity):
    continuity["continuity_sites"]["ams"]["configuration"]["database"]["host"] = "ams-cfg"
    hosts = deployment.step_hosts(continuity, "ams")
    assert (hosts["stop_old_master"], hosts["fence"]) == (["ams-cfg"], ["ams-cfg"])
    assert deployment.step_hosts(continuity, "fra")["take_ticket"] == ["ams-cfg"]


def test_every_step_of_every_plan_has_its_hosts(continuity):
    tables = (CALLS, DESKTOPS, WITH_TICKET, WITHOUT_TICKET, RESYNC, UNDO_WITH_TICKET, UNDO_WITHOUT_TICKET)
    known = deployment.step_hosts(continuity, "fra")
    assert {kind.name for table in tables for kind in table} <= set(known)
    assert all(known.values()), "the example has a host for each"


def test_plan_hosts_cover_every_step_of_either_failure(continuity):
    everyone = deployment.plan_hosts(continuity)
    assert len(everyone) == len(set(everyone))
    for failed in ("fra", "ams"):
        for hosts in deployment.step_hosts(continuity, failed).values():
            assert set(hosts) <= set(everyone)
