# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every driver of the Configuration Layer must do, each against a server that speaks its own interface."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer import (
    APPLICATION,
    DN,
    ConfigurationLayer,
    LayerError,
    Target,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer.change import (
    LostRaceError,
    change,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer.probe import (
    Probe,
    verify_writes,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer.registry import (
    DRIVERS,
    layer_of,
)
from layer_doubles import HANDLERS, PASSWORD, Layer, layer_option, serve

SIP_SERVER = Target(APPLICATION, "SIP_Server_1")
PEER, FORWARD, VERBOSE = ("TServer", "dr-peer-trunk"), ("TServer", "dr-forward"), ("log", "verbose")
PROBE = Probe("SIP_Server_1", "sip-dr", "last-write", "run-1 now")


@pytest.fixture(params=sorted(HANDLERS))
def driver(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(driver: str) -> Iterator[Layer]:
    with serve(driver) as running:
        yield running


@pytest.fixture
def layer(driver: str, server: Layer) -> ConfigurationLayer:
    session = layer_of(layer_option(driver, server.port))
    session.log_in()
    return session


def options(layer: ConfigurationLayer, target: Target = SIP_SERVER) -> dict[tuple[str, str], str]:
    return layer.options(target, layer.read(target))


def test_every_driver_has_its_double() -> None:
    assert set(DRIVERS) == set(HANDLERS)


def test_options_are_read(layer: ConfigurationLayer) -> None:
    assert options(layer) == {PEER: "trunk_site2", FORWARD: "oos", VERBOSE: "all"}
    assert options(layer, Target(DN, "1001", "102")) == {FORWARD: "oos"}


def test_an_option_is_removed_and_set_again_and_nothing_else_changes(layer: ConfigurationLayer, server: Layer) -> None:
    before = copy.deepcopy(server.objects)
    assert change(layer, SIP_SERVER, {PEER: None}) == ({PEER: "trunk_site2"}, {PEER: None})
    assert options(layer) == {FORWARD: "oos", VERBOSE: "all"}
    assert len(server.writes) == 1
    change(layer, SIP_SERVER, {PEER: "trunk_site2"})
    assert options(layer) == {PEER: "trunk_site2", FORWARD: "oos", VERBOSE: "all"}
    (now,), (then,) = server.objects["application"], before["application"]
    assert {key: value for key, value in now.items() if key != "options"} == {
        key: value for key, value in then.items() if key != "options"
    }
    assert server.objects["dn"] == before["dn"]


def test_what_stands_so_already_is_not_written(layer: ConfigurationLayer, server: Layer) -> None:
    wanted = {PEER: "trunk_site2", ("TServer", "absent"): None}
    assert change(layer, SIP_SERVER, wanted, just_before=pytest.fail) == (wanted, wanted)
    assert server.writes == []


def test_check_mode_reads_and_writes_nothing(layer: ConfigurationLayer, server: Layer) -> None:
    assert change(layer, SIP_SERVER, {PEER: None}, just_before=pytest.fail, dry=True).before == {PEER: "trunk_site2"}
    assert server.writes == []
    assert "writes nothing" in verify_writes(layer, PROBE, dry=True)


def test_the_first_option_of_a_section(layer: ConfigurationLayer) -> None:
    assert "reads 'run-1 now'" in verify_writes(layer, PROBE, dry=False)
    assert options(layer)["sip-dr", "last-write"] == "run-1 now"
    assert options(layer)[VERBOSE] == "all"


def test_a_dn_is_told_by_its_switch_and_changed_alone(layer: ConfigurationLayer, server: Layer) -> None:
    found = layer.dns("101")
    assert sorted(layer.number(dn) for dn in found) == ["1001", "1002"]
    assert change(layer, Target(DN, "1001", "101"), {FORWARD: None}).before == {FORWARD: "no-agent"}
    assert options(layer, Target(DN, "1001", "101")) == {("TServer", "contact"): "*"}
    assert options(layer, Target(DN, "1001", "102")) == {FORWARD: "oos"}
    assert len(server.objects["dn"]) == 3


def test_a_change_by_somebody_else_is_noticed_before_the_write(layer: ConfigurationLayer, server: Layer) -> None:
    def somebody() -> None:
        change(layer_and_log_in(server), SIP_SERVER, {VERBOSE: "none", ("new", "one"): "1"})

    server.meanwhile = somebody
    with pytest.raises(LostRaceError) as caught:
        change(layer, SIP_SERVER, {PEER: None})
    assert caught.value.refusal["evidence"].endswith("changed by somebody else just now: [log] verbose, [new] one")
    assert options(layer)[PEER] == "trunk_site2"
    assert options(layer)[VERBOSE] == "none"


def test_a_change_beside_the_options_is_noticed_too(layer: ConfigurationLayer, server: Layer) -> None:
    server.meanwhile = lambda: server.objects["application"][0].update(version="8.5")
    with pytest.raises(LostRaceError, match="just now: version"):
        change(layer, SIP_SERVER, {PEER: None})
    assert server.writes == []


def test_two_that_verify_at_once_try_again(layer: ConfigurationLayer, server: Layer) -> None:
    server.meanwhile = lambda: server.objects["application"][0].update(version="8.5")
    with pytest.raises(LayerError, match="changed by somebody else"):
        verify_writes(layer, PROBE, dry=False)
    assert verify_writes(layer, PROBE, dry=False)


def test_a_newer_run_is_asked_for_at_the_last_moment(layer: ConfigurationLayer, server: Layer) -> None:
    with pytest.raises(ZeroDivisionError):
        change(layer, SIP_SERVER, {PEER: None}, just_before=lambda: 1 // 0)  # type: ignore[arg-type,return-value]
    assert server.writes == []


def test_a_change_that_is_refused_or_lost_is_no_proof(layer: ConfigurationLayer, server: Layer) -> None:
    server.read_only = True
    with pytest.raises(LayerError, match="read-only"):
        change(layer, SIP_SERVER, {PEER: None})
    server.read_only, server.forgets = False, True
    with pytest.raises(LayerError, match=r"was written, but \[TServer\] dr-peer-trunk reads 'trunk_site2'"):
        change(layer, SIP_SERVER, {PEER: None})


def test_a_write_that_lost_another_option_is_told(layer: ConfigurationLayer, server: Layer) -> None:
    server.loses = "verbose"
    with pytest.raises(LayerError, match=r"reads otherwise in \[log\] verbose too"):
        change(layer, SIP_SERVER, {PEER: None})


def test_exactly_one_object_is_expected(layer: ConfigurationLayer, server: Layer) -> None:
    with pytest.raises(LayerError, match="0 objects are Application other"):
        layer.read(Target(APPLICATION, "other"))
    with pytest.raises(LayerError, match="0 objects are DN 1002 on switch 102"):
        layer.read(Target(DN, "1002", "102"))
    server.objects["application"] *= 2
    with pytest.raises(LayerError, match="2 objects are Application SIP_Server_1"):
        layer.read(SIP_SERVER)


def test_a_wrong_password_is_an_error_that_does_not_tell_it(driver: str, server: Layer) -> None:
    wrong = f"not-{PASSWORD}"
    with pytest.raises(LayerError, match=r"401|statusCode 20") as caught:
        layer_of(layer_option(driver, server.port, password=wrong)).log_in()
    assert "********" in str(caught.value)
    assert wrong not in str(caught.value)
    assert "bm90LXMz" not in str(caught.value), "nor as HTTP Basic has it"


def test_what_is_no_answer(driver: str, server: Layer) -> None:
    server.speaks_html = True
    with pytest.raises(LayerError, match="not JSON"):
        layer_of(layer_option(driver, server.port)).log_in()
    with pytest.raises(LayerError, match="refused"):
        layer_of(layer_option(driver, 1)).log_in()
    with pytest.raises(LayerError, match="no http or https"):
        layer_of(layer_option(driver, 1, url="file:///etc/passwd"))


def test_a_log_in_is_not_sent_where_a_redirection_names(driver: str, server: Layer) -> None:
    with serve(driver) as other:
        server.redirects_to = f"http://127.0.0.1:{other.port}/"
        with pytest.raises(LayerError, match="was answered 302"):
            layer_of(layer_option(driver, server.port)).log_in()
        assert other.readings == 0


def test_an_https_certificate_is_verified(driver: str, papers: Path) -> None:
    with serve(driver, papers) as secure:
        with pytest.raises(LayerError, match="CERTIFICATE_VERIFY_FAILED"):
            layer_of(layer_option(driver, secure.port, "https")).log_in()
        trusting = layer_of(layer_option(driver, secure.port, "https", ca_file=str(papers / "ca.pem")))
        trusting.log_in()
        assert change(trusting, SIP_SERVER, {PEER: None}).after == {PEER: None}
    with pytest.raises(LayerError, match=r"none\.pem"):
        layer_of(layer_option(driver, 1, ca_file=str(papers / "none.pem")))


@pytest.mark.parametrize("wrong", [{"colour": "red"}, {"application_options": 1}])
def test_a_shape_that_is_none_is_named(driver: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(LayerError, match="shape: (colour unknown|application_options: str expected)"):
        layer_of(layer_option(driver, 1, shape=wrong))


def layer_and_log_in(server: Layer) -> ConfigurationLayer:
    """Somebody else's session."""
    name = next(name for name, handler in HANDLERS.items() if server.RequestHandlerClass is handler)
    session = layer_of(layer_option(name, server.port))
    session.log_in()
    return session
