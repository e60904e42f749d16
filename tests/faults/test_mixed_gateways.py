# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gateways of three makes at one site: a failover moves all of them, and a restore brings back every byte.

On a lab with ``--gateways mixed``: the one of SIP_DR_LAB if it is such a lab, else one that is made for this module. It
needs what ``scripts/network-collections`` installs.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from road import Done, Road, in_control
from two_site_lab import gateways, truth
from two_site_lab.calls import parse
from two_site_lab.lab import Lab
from two_site_lab.machine import wait_until
from two_site_lab.setup.gw_audiocodes import SAVED
from two_site_lab.setup.gw_cisco_cube import SHELL

pytestmark = [
    pytest.mark.skipif(
        not in_control(Lab(os.environ.get("SIP_DR_LAB", "dr"))), reason="not in the lab's control namespace (lab/enter)"
    ),
    pytest.mark.skipif(
        importlib.util.find_spec("pylibsshext") is None, reason="scripts/network-collections has not run"
    ),
]

OWN_LAB = "mixed"
FAILED = ("-e", "continuity_failed_site=site1")
GATEWAYS = ("s1-gw", "s1-cube", "s1-sbc")
STACK = ("s1-sip-a", "s1-sip-b", "s1-cfg")
DOWNTIME = (
    *("-e", "continuity_downtime_of=s1-cube", "-e", "continuity_downtime_by=alice"),
    *("-e", "continuity_downtime_minutes=30", "-e", "continuity_downtime_why=repair"),
)
CALLS = 4
LOG = "/tmp/through.log"
FOLLOWED = 5  # seconds in which a Kamailio follows its device's tables


class MixedRoad(Road):
    """The road on a lab of mixed gateways, in whose control namespace this process need not stand."""

    def command(self, playbook: str, *words: str) -> list[str]:
        """The command line of a playbook, in the lab's control namespace."""
        return [str(word) for word in self.lab.in_control(super().command(playbook, *words))]

    def restore_gateways(self) -> Done:
        """What a failback will do at the gateways."""
        return self.play("../tests/faults/restore_gateways")

    def texts(self) -> dict[str, str]:
        """What each gateway runs and what it has saved, word for word."""
        console = ("show running-config", "show startup-config")
        return {
            "s1-gw": self._dispatcher("s1-gw"),
            "s1-cube": self.lab.run("s1-cube", [SHELL], input="".join(f"{line}\n" for line in console)).stdout,
            "s1-sbc": self._running_ini() + self.file("s1-sbc", SAVED.lstrip("/")).read_text(),
        }

    def _dispatcher(self, host: str) -> str:
        records = truth.rpc(self.lab, host, truth.GATEWAY_RPC_PORT, "dispatcher.list")["RECORDS"]
        targets = [target["DEST"] for record in records for target in record["SET"]["TARGETS"]]
        running = sorted((target["URI"], target["PRIORITY"]) for target in targets)
        return json.dumps(running) + self.file(host, "etc/kamailio/dispatcher.list").read_text()

    def _running_ini(self) -> str:
        host = self.lab.topology.host("s1-sbc")
        log_in = f'user = "{gateways.USER}:{self.lab.secret(host.name)}"\n'
        url = f"https://{host.address}/api/v1/files/ini"
        asked = ["curl", "--silent", "--fail", "--insecure", "--config", "-", url]
        return self.lab.run(host.name, asked, input=log_in).stdout

    def first(self, gateway: str) -> str:
        """The site that a gateway sends new calls to first, by what its Kamailio runs."""
        records = truth.rpc(self.lab, gateway, truth.GATEWAY_RPC_PORT, "dispatcher.list")["RECORDS"]
        targets = [target["DEST"] for record in records for target in record["SET"]["TARGETS"]]
        return max(targets, key=lambda target: target["PRIORITY"])["ATTRS"]["DUID"]

    def answered_by(self, gateway: str, number: str = "8000") -> dict[str, int]:
        """The sites that answer some calls which the carrier sends through one gateway."""
        carrier, through = self.lab.topology.of_kind("pstn")[0], self.lab.topology.host(gateway)
        self.lab.run(carrier.name, ["rm", "-f", LOG])
        words = ["sipp", f"{through.address}:5060", "-sf", truth.SCENARIO, "-s", number, "-i", carrier.address]
        words += ["-p", "5072", "-m", str(CALLS), "-r", str(CALLS), "-d", "100", "-nostdin", "-nd"]
        self.lab.run(carrier.name, [*words, "-trace_logs", "-log_file", LOG], check=False)
        sites = {vip: site for site, vip in self.lab.topology.vips.items()}
        calls = parse(self.lab.run(carrier.name, ["cat", LOG]).stdout, sites)
        return {site: sum(call.site == site for call in calls) for site in {str(call.site) for call in calls}}


@pytest.fixture(scope="module")
def mixed() -> Iterator[Lab]:
    """Return a lab of mixed gateways."""
    running = Lab(os.environ.get("SIP_DR_LAB", "dr"))
    if running.topology.gateways == "mixed":
        yield running
        return
    own = Road(Lab(OWN_LAB), Path())
    own.do("up", "--gateways", "mixed")
    yield Lab(OWN_LAB)
    own.do("down")


@pytest.fixture
def road(mixed: Lab, tmp_path: Path) -> Iterator[MixedRoad]:
    """Return the road on that lab as new, seen to be NORMAL, with calls through each gateway answered by site1."""
    road = MixedRoad(mixed, tmp_path)
    road.begin()
    assert road.health_check() == ("NORMAL", None, 0)
    for gateway in GATEWAYS:
        assert road.answered_by(gateway) == {"site1": CALLS}
    yield road
    road.end()


def lose_stack(road: MixedRoad) -> None:
    """Site1's SIP Server pair and its Configuration host lose their power; its gateways live."""
    for host in STACK:
        road.do("kill", host)


def assert_moved(road: MixedRoad, *names: str) -> None:
    """These gateways send new calls to site2, by their own tables and by calls."""
    for name in names:
        wait_until(lambda name=name: road.first(name) == "site2", f"{name} prefers site2", FOLLOWED, 0.1)
        assert road.answered_by(name) == {"site2": CALLS}


def test_each_gateway_sends_test_calls_to_the_site_that_they_are_for(road):
    for site in road.lab.topology.sites:
        for gateway in GATEWAYS:
            assert road.answered_by(gateway, road.lab.topology.test_dn(site)) == {site: CALLS}


def test_a_failover_moves_three_makes_and_a_restore_brings_back_every_byte(road):
    before = road.texts()
    lose_stack(road)
    done = road.play("failover", *FAILED)
    assert done.code == 0, done.said
    assert_moved(road, *GATEWAYS)
    assert all(text != before[name] for name, text in road.texts().items())
    for host in STACK:
        road.do("revive", host)
    wait_until(lambda: truth.primary_leg(road.lab, "site1"), "site1's SIP Server is back", 40, 0.5)
    restored = road.restore_gateways()
    assert restored.code == 0, restored.said
    wait_until(lambda: road.texts() == before, "what each gateway runs and has saved is as before", FOLLOWED, 0.2)
    # A new shift: nobody sits at site1 before, and its SIP Server would hand the calls on.
    road.lab.run("phones", ["systemctl", "restart", "agent-desktops"])
    for name in GATEWAYS:
        wait_until(lambda name=name: road.answered_by(name) == {"site1": CALLS}, f"calls by {name} at site1", 40, 0.5)


def test_a_dead_gateway_holds_up_nobody_and_is_told(road):
    road.do("kill", "s1-cube")
    # Without a word of people the silence of one gateway of a site that lives leaves its verdict open.
    declared = road.play("downtime", *DOWNTIME)
    assert declared.code == 0, declared.said
    lose_stack(road)
    done = road.play("failover", *FAILED)
    assert done.code == 0, done.said
    assert_moved(road, "s1-gw", "s1-sbc")
    assert "UNPROTECTED: not reached, so not changed: s1-cube" in done.said
    assert "s1-cube, by hand: dial-peer voice 1002 voip" in done.said
