# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of sites that speak SIP over TLS, against real TLS peers."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.actions import Gateway, Given
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.gateways.driver import GatewayError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes import gateway, runner, sip_options, trunk
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Settings
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.certificates import tls_of
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.requests import options_to
from sip_doubles import ok, udp_peer
from tls_doubles import answer, tls_peer


class Working:
    """A gateway driver whose device runs site1."""

    def read(self, _params: object) -> dict:
        target = {"state": "AP", "oper": "up", "priority": 10}
        return {"targets": {"site1": target}, "prefers": "site1"}


@pytest.fixture
def settings(papers: Path) -> Settings:
    return Settings(sip_t1=0.02, probe_deadline=0.5, tls=tls_of({"ca_file": str(papers / "ca.pem"), "key": None}))


def secure(port: int, **more: object) -> dict:
    return {"address": "127.0.0.1", "port": port, "transport": "tls", **more}


@pytest.mark.parametrize("look", [sip_options.look, trunk.look])
def test_a_site_over_tls_is_up(papers: Path, settings: Settings, look: runner.Look) -> None:
    with tls_peer(papers, answer) as port:
        found = look(secure(port, server_name="sip.example.net", oos_force=1), settings)
    assert (found["value"], found["answered"], found["detail"]) == ("up", True, "200 OK")


@pytest.mark.parametrize("look", [sip_options.look, trunk.look])
def test_a_certificate_of_another_name_is_unknown_but_answered(
    papers: Path, settings: Settings, look: runner.Look
) -> None:
    with tls_peer(papers, answer) as port:
        found = look(secure(port, server_name="elsewhere.example.net"), settings)
    assert (found["value"], found["answered"]) == ("unknown", True)
    assert "Hostname mismatch" in found["detail"]


def test_a_file_of_ours_that_is_missing_is_unknown_and_named() -> None:
    found = sip_options.look(secure(5061), Settings(tls=tls_of({"ca_file": "/nowhere/ca.pem"})))
    assert (found["value"], found["answered"], found["sent"]) == ("unknown", False, 0)
    assert "/nowhere/ca.pem" in found["detail"]


def look_from_gateway(monkeypatch: pytest.MonkeyPatch, port: int, settings: Settings) -> dict:
    monkeypatch.setitem(gateway.DRIVERS, "double", Working())
    with udp_peer(ok) as plain:
        sites = {
            "site1": {"address": "127.0.0.1", "port": plain.port, "transport": "udp"},
            "site2": secure(port, server_name="sip.example.net"),
        }
        return gateway.look({"driver": "double", "sites": sites}, settings)


def test_a_gateway_asks_each_site_over_its_own_transport(
    monkeypatch: pytest.MonkeyPatch, papers: Path, settings: Settings
) -> None:
    with tls_peer(papers, answer) as port:
        found = look_from_gateway(monkeypatch, port, settings)
    assert [one["options"] for one in found["targets"].values()] == ["up", "up"]


def test_a_gateway_without_our_certificates_is_not_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    found = look_from_gateway(monkeypatch, 5061, Settings(tls=tls_of({"ca_file": "/nowhere/ca.pem"})))
    assert (found["value"], found["answered"], found["prefers"]) == ("up", True, "site1")
    assert [one["value"] for one in found["targets"].values()] == ["up", "unknown"]


def test_test_calls_over_tls_are_unknown() -> None:
    check = {"id": "call", "kind": "call", "dn": "8001", **secure(5061)}
    found = runner.run_checks([check], Settings())[0]
    assert (found["value"], found["answered"]) == ("unknown", False)
    assert "udp or tcp" in found["detail"]


def test_a_gateways_verification_says_what_is_wrong_with_the_certificate(papers: Path, settings: Settings) -> None:
    double, client = Gateway(Working(), {}, Given({})), settings.sip_client()
    with tls_peer(papers, answer) as port:
        assert "answered 200" in double.verify("site1", {"site1": secure(port)}, client).detail
        with pytest.raises(GatewayError, match="Hostname mismatch"):
            double.verify("site1", {"site1": secure(port, server_name="elsewhere.example.net")}, client)


@pytest.mark.parametrize(
    ("endpoint", "port"),
    [
        ({}, 5060),
        ({"transport": "tcp"}, 5060),
        ({"transport": "tls"}, 5061),
        ({"transport": "tls", "port": 5060}, 5060),
    ],
)
def test_the_port_that_is_not_said(endpoint: dict, port: int) -> None:
    assert options_to({"address": "192.0.2.1", **endpoint}).port == port
