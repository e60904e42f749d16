# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only GAX or only GWS has: where options stand, the status of each answer, the token of each change."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer import (
    APPLICATION,
    LayerError,
    Login,
    Target,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer.change import (
    change,
    differences,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer.gax import Gax
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer.gws import Gws
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer.registry import layer_of
from layer_doubles import layer_option, serve

LOGIN = Login("http://127.0.0.1:1/", "user", "password", None, 5)
TARGET = Target(APPLICATION, "one")
PEER = ("TServer", "dr-peer-trunk")


def test_an_application_without_options_gets_its_first() -> None:
    triple = {"section": "TServer", "key": "dr-peer-trunk", "value": "t"}
    for empty in (None, {}, {"property": None}):
        assert Gax(LOGIN).with_options(TARGET, {"options": empty}, {PEER: "t"})["options"] == {"property": [triple]}
    for empty in (None, {}):
        changed = Gws(LOGIN).with_options(TARGET, {"options": empty}, {PEER: "t"})
        assert changed["options"] == {"TServer": {"dr-peer-trunk": "t"}}
        assert Gws(LOGIN).with_options(TARGET, {"options": empty}, {PEER: None})["options"] == {}


def test_a_section_that_was_there_stays() -> None:
    held = {"options": {"TServer": {"dr-peer-trunk": "t"}}}
    assert Gws(LOGIN).with_options(TARGET, held, {PEER: None})["options"] == {"TServer": {}}
    assert held == {"options": {"TServer": {"dr-peer-trunk": "t"}}}, "what was read stays as it was read"


def test_options_of_gws_may_be_a_list() -> None:
    layer = Gws(LOGIN._replace(shape={"options_as_list": True, "application_options": "flexible"}))
    changed = layer.with_options(TARGET, {"flexible": None}, {PEER: "t"})
    assert changed == {"flexible": [{"section": "TServer", "key": "dr-peer-trunk", "value": "t"}]}
    assert layer.options(TARGET, changed) == {PEER: "t"}
    assert layer.with_options(TARGET, changed, {PEER: None}) == {"flexible": []}


@pytest.mark.parametrize("status", [1, None, "0"])
def test_an_answer_of_gws_whose_status_is_not_0_is_none(status: Any) -> None:
    with serve("gws") as server:
        server.status = status
        with pytest.raises(LayerError, match=rf"GET me: statusCode {status} \(nothing more is said\)"):
            layer_of(layer_option("gws", server.port)).log_in()


def test_a_change_through_gws_carries_the_token_that_the_log_in_told() -> None:
    with serve("gws") as server:
        layer = layer_of(layer_option("gws", server.port))
        with pytest.raises(LayerError, match=r"403 \(Missing or invalid Csrf token\)"):
            change(layer, Target(APPLICATION, "SIP_Server_1"), {PEER: None})
        layer.log_in()
        change(layer, Target(APPLICATION, "SIP_Server_1"), {PEER: None})
        assert len(server.writes) == 1


def test_where_two_readings_differ() -> None:
    one = {"a": 1, "b": {"c": [1, {"d": 2}]}, "e": None}
    other = {"a": 1, "b": {"c": [1, {"d": 3}]}, "f": 0}
    assert differences(one, other) == ["b.c[1].d", "f"]
    assert differences({"c": [1]}, {"c": [1, 2]}) == ["c"]
    assert differences(1, 2) == ["all of it"]
