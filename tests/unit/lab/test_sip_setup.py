# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies on the SIP hosts."""

from __future__ import annotations

import json
import re

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.driver import Server
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.registry import DRIVERS
from two_site_lab.inventory import SINGLE_LINES
from two_site_lab.setup import gw, phones, pstn, sip, witness
from two_site_lab.topology import topology

LAB = topology("t")
YEALINK = DRIVERS["yealink"]


def files(module, host):
    return {file.path: file.content for file in module.setup(LAB.host(host), LAB).files}


@pytest.mark.parametrize("host", [host.name for host in LAB.of_kind("sip")])
def test_a_leg_knows_itself_its_partner_and_the_other_site(host):
    content = files(sip, host)["/etc/kamailio/site.cfg"]
    given = dict(re.findall(r"!(\w+)!([^!]*)!g", content))
    me = LAB.host(host)
    partner = next(leg for leg in LAB.of_kind("sip", me.site) if leg != me)
    assert (given["OWN_IP"], given["HA_PEER_IP"]) == (me.address, partner.address)
    assert (given["SHARED_IP"], given["REMOTE_IP"]) == (LAB.vip(me.site), LAB.vip(LAB.peer(me.site)))


def test_every_name_that_site_cfg_gives_is_used_and_no_name_is_part_of_another():
    for module, host in ((sip, "s1-sip-a"), (gw, "s1-gw"), (pstn, "pstn")):
        lying = files(module, host)
        names = re.findall(r"!substdef \"!(\w+)!", lying["/etc/kamailio/site.cfg"])
        text = lying["/etc/kamailio/kamailio.cfg"] + lying["/etc/kamailio/common.cfg"]
        assert all(name in text for name in names)
        assert not [(one, other) for one in names for other in names if one != other and one in other]


def test_the_first_leg_gets_the_address_and_does_not_take_it_back():
    first, second = (files(sip, leg)["/etc/keepalived/keepalived.conf"] for leg in ("s1-sip-a", "s1-sip-b"))
    assert "priority 150" in first and "priority 100" in second
    assert "vrrp_startup_delay 0" in first and "vrrp_startup_delay 3" in second
    assert all("nopreempt" in text and "10.71.1.100/24 dev eth0" in text for text in (first, second))


def test_side_car_settings_are_what_it_reads(tmp_path):
    from standins.sip_server.settings import load

    path = tmp_path / "settings.json"
    path.write_text(files(sip, "s2-sip-b")["/etc/genesys/sip_server.json"])
    settings = load(path)
    assert (settings.application, settings.dr_peer_trunk, settings.trunk) == (
        "SIP_Server_2",
        "trunk_site1",
        "trunk_site1",
    )
    assert settings.config_servers == (("10.71.2.20", 2025), ("10.71.2.20", 2020))


def test_each_gateway_prefers_its_own_site_and_keeps_the_other():
    first, second = (files(gw, name)["/etc/kamailio/dispatcher.list"] for name in ("s1-gw", "s2-gw"))
    assert first == "1 sip:10.71.1.100:5060 0 10 duid=site1\n1 sip:10.71.2.100:5060 0 5 duid=site2\n"
    assert second == "1 sip:10.71.1.100:5060 0 5 duid=site1\n1 sip:10.71.2.100:5060 0 10 duid=site2\n"


@pytest.mark.parametrize("host", ["s1-gw", "s2-gw"])
def test_a_gateway_sends_each_test_number_to_its_site_and_asks_the_dispatcher_nothing(host):
    plan = files(gw, host)["/etc/kamailio/test_numbers.cfg"].splitlines()
    assert plan == [
        'if ($rU == "8001") { $du = "sip:10.71.1.100:5060"; route(ONE_SITE); }',
        'if ($rU == "8002") { $du = "sip:10.71.2.100:5060"; route(ONE_SITE); }',
    ]
    body = files(gw, host)["/etc/kamailio/kamailio.cfg"]
    assert body.index("test_numbers.cfg") < body.index("ds_select_dst")


@pytest.mark.parametrize("host", [host.name for host in LAB.of_kind("sip")])
def test_a_leg_answers_its_own_sites_test_number_on_its_own_address_and_knows_no_other(host):
    lying, me = files(sip, host), LAB.host(host)
    given = dict(re.findall(r"!(\w+)!([^!]*)!g", lying["/etc/kamailio/site.cfg"]))
    own, other = LAB.test_dn(me.site), LAB.test_dn(LAB.peer(me.site))
    assert (given["OWN_TEST_DN"], given["PEER_TEST_DN"]) == (own, other)
    assert lying["/etc/genesys/test-call-answer.env"].splitlines() == [
        f"ADDRESS={me.address}",
        f"PORT={given['ANSWER_PORT']}",
        "MEDIA_PORT=16384",
    ]
    assert "test-call-answer.service" in sip.setup(me, LAB).enable


def test_the_carrier_knows_both_gateways():
    assert files(pstn, "pstn")["/etc/kamailio/dispatcher.list"].count("duid=s") == 2


def test_phones_and_agents():
    lying = files(phones, "phones")
    accounts = lying["/etc/baresip/accounts"].splitlines()
    assert len(accounts) == 20
    assert all("10.71.1.100" in line and "10.71.2.100" in line for line in accounts)
    lines = json.loads(lying["/etc/provisioned-phones.json"])["lines"]
    assert (lines[0], len(lines)) == ({"file": "001565000021.cfg", "port": 5121}, 20)
    assert all(f"/srv/provisioning/{line['file']}" in lying for line in lines)
    assert len(json.loads(lying["/etc/agent-desktops.json"])["agents"]) == 40


def test_provisioned_phones_have_both_sites_from_day_one():
    """As the driver judges a file: the door provision would change nothing, and no NOTIFY restarts the phone."""
    lying = files(phones, "phones")
    both = [Server(LAB.vip(site)) for site in LAB.sites]
    for dn in SINGLE_LINES:
        values = YEALINK.values(lying[f"/srv/provisioning/{phones.mac(dn)}.cfg"])
        wanted = YEALINK.day_one(values, both, "single", phones.EXPIRES)
        assert {key: values[key] for key in wanted} == wanted
        assert YEALINK.problems(values, "single", 300) == () and not YEALINK.restarts(values)
    assert len(SINGLE_LINES) == 20


def test_nothing_lies_on_the_witness():
    assert witness.setup(LAB.host("witness"), LAB).files == []
