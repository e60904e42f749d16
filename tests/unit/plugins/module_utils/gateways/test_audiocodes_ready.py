# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the AudioCodes driver says before anything is changed: readiness, its options, what a person does by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways import audiocodes
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import GatewayError
from standins.audiocodes.store import INI

from .audiocodes_double import PASSWORD, TARGETS, Device, running

Bench = tuple[dict, Device]


@pytest.fixture
def device_here() -> Iterator[Bench]:
    with running() as (params, device):
        yield params, device


def unmet(params: dict) -> list[str]:
    return [item["evidence"] for item in audiocodes.readiness(params, ["site1", "site2"]) if not item["met"]]


def test_readiness_of_a_device_that_is_ready(device_here: Bench):
    params, device = device_here
    items = audiocodes.readiness(params, ["site1", "site2"])
    assert len(items) == 9 and all(item["met"] for item in items)
    assert all(set(item) == {"item", "met", "evidence", "way"} for item in items)
    assert device.loaded == [] and device.store.running == device.text


@pytest.mark.parametrize(
    ("before", "after", "evidence"),
    [
        ('"SIP Servers", 1, 10', '"SIP Servers", 2, 10', ["EnableProxyKeepAlive 2, ProxyKeepAliveTime 10 s"]),
        ('"SIP Servers", 1, 10', '"SIP Servers", 1, 60', ["EnableProxyKeepAlive 1, ProxyKeepAliveTime 60 s"]),
        ('10, 0, 1, "DefaultSRD", 1', '10, 0, 0, "DefaultSRD", 1', ["IsProxyHotSwap 0"]),
        ('"DefaultSRD", 1,', '"DefaultSRD", 0,', ["ProxyRedundancyMode is 0, without Homing"]),
        ("10.71.2.100:5061", "10.71.2.200:5061", ["missing: site2", "it says: site1 ONLINE, site2 not in ProxySet 1"]),
    ],
)
def test_readiness_of_a_set_that_is_not(before: str, after: str, evidence: list[str]):
    assert before in INI
    with running(INI.replace(before, after)) as (params, _device):
        found = unmet(params)
        assert len(found) == len(evidence) and all(
            one.startswith(words) for one, words in zip(found, evidence, strict=True)
        )


def test_readiness_of_a_device_that_is_not(device_here: Bench):
    params, device = device_here
    device.locked = True
    device.store.edit("SyslogServerIP = 10.71.6.10", "SyslogServerIP = 10.71.6.11")
    device.knows_show = False
    assert unmet(params) == ["operationalState LOCKED", "saveNeeded true", "it says: site1 not told, site2 not told"]
    assert "files/ini: one ProxySet 'Nobody' is expected" in unmet(dict(params, proxy_set="Nobody"))[-1]
    device.busy = 10**6
    assert "409 met" in unmet(dict(params, busy_deadline=0.1))[-1]
    device.busy = 0
    with device.silent():
        assert "no whole answer within 0.2 s" in unmet(dict(params, timeout=0.2))[0]
    Path(params["password_file"]).chmod(0o644)
    assert "mode 0600" in unmet(params)[0]


def test_it_is_explained_in_the_devices_words_without_asking_it(device_here: Bench):
    params, device = device_here
    lines = audiocodes.explain(params, "site2")
    text = "\n".join(lines)
    assert device.calls == []
    assert text.index(TARGETS["site2"]) < text.index(TARGETS["site1"])
    assert params["address"] in text and "SIP Servers" in text and PASSWORD not in text
    with pytest.raises(GatewayError, match="option targets: the addresses of site3 and of one other site"):
        audiocodes.explain(params, "site3")


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("address", "", "option address is expected"),
        ("proxy_set", "", "option proxy_set is expected"),
        ("targets", {"site1": "x"}, "option targets"),
        ("targets", {**TARGETS, "site3": "x"}, "option targets"),
        ("targets", {"site1": "h:1", "site2": "H:1"}, "option targets: two addresses are expected, H:1 met for both"),
        ("address", "admin:geheim@h", "the address"),
        ("timeout", "soon", "option timeout"),
        ("password_file", "/nowhere", "password_file /nowhere"),
    ],
)
def test_options_that_do_not_do(device_here: Bench, option: str, value: object, words: str):
    params, device = device_here
    with pytest.raises(GatewayError, match=words) as error:
        audiocodes.plan(dict(params, **{option: value}), "site2")
    assert device.calls == [] and "geheim" not in str(error.value)


def test_a_certificate_of_somebody_else_is_not_taken(device_here: Bench):
    params, device = device_here
    stranger = str(Path(params["ca_file"]).parent / "stranger.pem")
    with pytest.raises(GatewayError, match="certificate verify failed"):
        audiocodes.read(dict(params, ca_file=stranger))
    assert device.calls == []
