# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Workspace's options say, what is missing in them, and what desktops do by themselves: pure."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops import DesktopError, Endpoint, site_of
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops.moves import moves
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops.options import (
    OptionNames,
    Policy,
    Workspace,
    option_names,
    server_item,
    workspace,
    workspace_items,
)

SECTION = "interaction-workspace"
NAMES = OptionNames()
POLICY = Policy(max_timeout=30, sip_endpoint=True)
SITES = ["fra", "ams"]
RIGHT = {
    "disaster-recovery.enabled": "true",
    "disaster-recovery.timeout": "30",
    "disaster-recovery.preferred-site": "fra",
    "sipendpoint.sbc-register-address": "sbc.fra.example.com",
    "sipendpoint.sbc-register-address.peer": "sbc.ams.example.com",
}


def items(
    changed: dict[str, str | None] | None = None, names: OptionNames = NAMES, policy: Policy = POLICY
) -> list[dict]:
    options = {**RIGHT, **(changed or {})}
    found = {(SECTION, name): value for name, value in options.items() if value is not None}
    return workspace_items("Workspace", workspace(found, names), names, SITES, policy)


def unmet(changed: dict[str, str | None] | None = None, names: OptionNames = NAMES) -> list[str]:
    return [f"{one['evidence']} | {one['way']}" for one in items(changed, names) if not one["met"]]


def test_right_options_are_met() -> None:
    assert [one["met"] for one in items()] == [True] * 4


@pytest.mark.parametrize(
    ("option", "value", "evidence"),
    [
        ("disaster-recovery.enabled", None, "[interaction-workspace] disaster-recovery.enabled is false"),
        ("disaster-recovery.enabled", "false", "disaster-recovery.enabled is false"),
        ("disaster-recovery.timeout", None, "disaster-recovery.timeout is 60 s"),
        ("disaster-recovery.timeout", "31", "disaster-recovery.timeout is 31 s"),
        ("disaster-recovery.timeout", "0", "disaster-recovery.timeout is 0 s"),
        ("disaster-recovery.timeout", "soon", "disaster-recovery.timeout is no number"),
        ("disaster-recovery.preferred-site", None, "disaster-recovery.preferred-site is not set"),
        ("disaster-recovery.preferred-site", "par", "disaster-recovery.preferred-site is par"),
        ("sipendpoint.sbc-register-address.peer", None, "sbc-register-address.peer is not set"),
        ("sipendpoint.sbc-register-address.peer", "sbc.fra.example.com", "the same for both sites"),
    ],
)
def test_each_missing_or_wrong_option_is_one_line(option: str, value: str | None, evidence: str) -> None:
    (told,) = unmet({option: value})
    assert evidence in told
    assert f"set [{SECTION}] {option} to " in told


def test_without_a_sip_endpoint_its_registrar_is_not_asked_for() -> None:
    found = items({"sipendpoint.sbc-register-address.peer": None}, policy=POLICY._replace(sip_endpoint=False))
    assert [one["met"] for one in found] == [True] * 3


def test_names_can_differ_and_an_empty_one_is_not_asked_for() -> None:
    names = option_names({"enabled": "dr.on", "preferred_site": ""})
    assert unmet({"dr.on": "True", "disaster-recovery.preferred-site": None}, names) == []
    assert "[interaction-workspace] dr.on is false" in unmet(names=names)[0]
    with pytest.raises(DesktopError, match="option_names: colour unknown; expected: section, enabled"):
        option_names({"colour": "red"})


def test_another_section_is_not_read() -> None:
    assert workspace({("other", name): value for name, value in RIGHT.items()}, NAMES) == Workspace(
        False, 60, "", "", ""
    )


@pytest.mark.parametrize(("annex", "met"), [("ams", True), ("fra", False), (None, False)])
def test_a_servers_annex_names_its_own_site(annex: str | None, met: bool) -> None:
    options = {(SECTION, "disaster-recovery.preferred-site"): annex} if annex else {}
    found = server_item("SIP_Server_2", options, NAMES, "ams")
    assert found["met"] is met
    assert "to ams in the annex of Application SIP_Server_2" in found["way"]


def test_a_site_is_read_from_the_inventory() -> None:
    site = site_of("site1", {"legs": {"a": {"address": "10.1.1.1"}}, "proxy": {"address": "10.1.1.2", "port": "2025"}})
    assert (site.legs, site.proxy, site.stat_server) == ({"a": "10.1.1.1"}, Endpoint("10.1.1.2", 2025), None)
    assert (site.monitoring_port, site.workspace_name, site.servers) == (8080, "site1", ())


@pytest.mark.parametrize(
    "data",
    [None, {"legs": ["a"]}, {"legs": {"a": {}}}, {"proxy": {"address": "10.1.1.2"}}, {"stat_server": 2060}],
)
def test_a_site_that_is_none_is_named_with_its_place(data: object) -> None:
    with pytest.raises(DesktopError, match=r"^sites\.site1: "):
        site_of("site1", data)


def test_what_moves_is_said() -> None:
    sites = {name: site_of(name, {}) for name in ("site1", "site2")}
    assert "desktops leave site1 for site2 by themselves" in moves("release", "site1", sites)
    assert "desktops of site1 log in at site2 by themselves" in moves("take_over", "site2", sites)
    assert "nothing is put back" in moves("restore", "", sites)
    with pytest.raises(DesktopError, match="sites has no site3, it has site1, site2"):
        moves("take_over", "site3", sites)
