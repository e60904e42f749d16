# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pinning and unpinning against both interfaces of the Configuration Layer; the pages follow what is configured."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer.registry import layer_of
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.peering import PEERED, Pair, PeeringError, Trunk
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.pinning import (
    FORWARD,
    PEER_TRUNK,
    Pinning,
    Server,
    Waits,
    record_of,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Settings
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.run_journal import StaleTokenError, Step
from layer_doubles import HANDLERS, Layer, layer_option, serve

NAME = "SIP_Server_1"
SERVER = Target(APPLICATION, NAME)
AGENT = Target(DN, "1001", "101")
SAVED = {
    "Application SIP_Server_1": {"[TServer] dr-peer-trunk": "trunk_site2"},
    "DN 1001 on switch 101": {"[TServer] dr-forward": "no-agent"},
}
REMOVED = {
    "Application SIP_Server_1": {"[TServer] dr-peer-trunk": None},
    "DN 1001 on switch 101": {"[TServer] dr-forward": None},
}


class World:
    """A configuration, a SIP Server that follows it (or tells nothing, or is stuck), and one host that pins."""

    def __init__(self, driver: str, server: Layer, state_dir: Path) -> None:
        self.server, self.driver, self.state_dir = server, driver, state_dir
        self.tells, self.stuck_at = True, ""
        self.port = 0

    def layer(self, **more: Any) -> ConfigurationLayer:
        return layer_of(layer_option(self.driver, self.server.port, **more))

    def options(self, target: Target) -> dict[tuple[str, str], str]:
        session = self.layer()
        session.log_in()
        return session.options(target, session.read(target))

    def set(self, target: Target, key: tuple[str, str], value: str | None) -> None:
        """What a person does in the meantime."""
        session = self.layer()
        session.log_in()
        change(session, target, {key: value})

    def page(self) -> str:
        reader = self.layer()
        (application,) = self.server.objects["application"]
        trunk = self.stuck_at or reader.options(SERVER, application).get(PEER_TRUNK, "")
        told = f"<drPeerTrunk>{trunk}</drPeerTrunk>" if self.tells else ""
        return f'<x><runMode>primary</runMode>{told}<trunk name="trunk_site2"><inService>1</inService></trunk></x>'

    def pinning(self, dry: bool = False, switch: str = "101", **more: Any) -> Pinning:
        pair = Pair({"s1-sip-a": "127.0.0.1"}, self.port, Trunk("trunk_site2", 1, 2), Settings(connect_timeout=1.0))
        record = record_of(str(self.state_dir), NAME)
        return Pinning(self.layer(**more), Server(NAME, switch), pair, record, Waits(0.1, 0.01), dry)

    def pin(self, **more: Any) -> dict[str, Any]:
        return self.pinning(**more).pin(self.step())

    def unpin(self, **more: Any) -> dict[str, Any]:
        return self.pinning(**more).unpin(self.step())

    def step(self) -> Step:
        return Step(None, self.state_dir, writes=False)


@pytest.fixture(params=sorted(HANDLERS))
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with serve(request.param) as server:
        world = World(request.param, server, tmp_path)

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                text = world.page().encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_words: object) -> None:
                """Say nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Page) as pages:
            thread = threading.Thread(target=pages.serve_forever, args=(0.01,))
            thread.start()
            world.port = pages.server_port
            yield world
            pages.shutdown()
            thread.join()


def test_a_pin_saves_then_removes_and_sip_server_follows(world: World) -> None:
    result = world.pin()
    assert (result["changed"], result["saved"]) == (True, SAVED)
    assert result["diff"] == {"before": SAVED, "after": REMOVED}
    assert (result["peering"]["mode"], result["peering"]["trunk_in_service"]) == ("single_site", True)
    assert world.options(SERVER).get(FORWARD) == "oos", "the Application's dr-forward stays"
    assert PEER_TRUNK not in world.options(SERVER) and FORWARD not in world.options(AGENT)
    assert world.options(Target(DN, "1001", "102"))[FORWARD] == "oos", "another switch is another SIP Server's"


def test_pinned_already_changes_nothing_and_keeps_what_was_saved_first(world: World) -> None:
    world.pin()
    writes = len(world.server.writes)
    again = world.pin()
    assert (again["changed"], again["saved"], len(world.server.writes)) == (False, SAVED, writes)
    assert "diff" not in again


def test_unpinning_puts_back_exactly_what_was_saved_and_forgets_it(world: World) -> None:
    before = {target: world.options(target) for target in (SERVER, AGENT)}
    world.pin()
    result = world.unpin()
    assert (result["changed"], result["saved"]) == (True, SAVED)
    assert result["diff"] == {"before": REMOVED, "after": SAVED}
    assert result["peering"]["mode"] == PEERED
    assert {target: world.options(target) for target in (SERVER, AGENT)} == before
    once_more = world.unpin()
    assert (once_more["changed"], once_more["saved"]) == (False, {})
    assert "nothing is put back" in once_more["detail"]


def test_unpinning_without_saved_values_asks_nobody(world: World) -> None:
    assert world.unpin(url="http://127.0.0.1:1/")["changed"] is False


def test_check_mode_tells_the_truth_and_writes_nothing(world: World) -> None:
    told = world.pin(dry=True)
    assert (told["changed"], told["diff"], told["saved"]) == (True, {"before": SAVED, "after": REMOVED}, {})
    assert "would be changed" in told["detail"]
    assert world.server.writes == [] and list(world.state_dir.iterdir()) == []
    world.pin()
    writes = len(world.server.writes)
    told = world.unpin(dry=True)
    assert (told["changed"], told["diff"]) == (True, {"before": REMOVED, "after": SAVED})
    assert len(world.server.writes) == writes
    assert world.unpin()["changed"] is True


@pytest.mark.parametrize("way", ["read-only", "nobody there", "wrong password"])
def test_without_a_writable_master_it_is_refused_and_names_the_mode_that_comes_by_itself(
    world: World, way: str
) -> None:
    world.server.read_only = way == "read-only"
    more = {"nobody there": {"url": "http://127.0.0.1:1/"}, "wrong password": {"password": "x"}}.get(way, {})
    with pytest.raises(RefusedError) as caught:
        world.pin(**more)
    assert caught.value.refusal["guard"] == "pinning needs a master Configuration Server that takes writes"
    assert "single-site mode comes by itself" in caught.value.refusal["way"]
    assert world.options(SERVER)[PEER_TRUNK] == "trunk_site2"


def test_unpinning_is_refused_alike_and_forgets_nothing(world: World) -> None:
    world.pin()
    world.server.read_only = True
    with pytest.raises(RefusedError, match="takes writes"):
        world.unpin()
    world.server.read_only = False
    assert world.unpin()["saved"] == SAVED


def test_values_that_stand_are_on_the_disk_before_the_first_write(world: World) -> None:
    world.server.read_only = True
    with pytest.raises(RefusedError, match="read-only"):
        world.pin()
    (path,) = world.state_dir.iterdir()
    assert [kept["options"] for kept in json.loads(path.read_text()).values()] == [[[*PEER_TRUNK, "trunk_site2"]]]
    world.server.read_only = False
    assert world.pin()["saved"] == SAVED


def test_a_killed_pin_goes_on_with_what_was_saved_first(world: World) -> None:
    """Killed between the Application and the DN: the DN is still to be pinned, the Application's value is kept."""
    world.server.objects["dn"], dns = [], world.server.objects["dn"]
    world.pin()
    world.server.objects["dn"] = dns
    result = world.pin()
    assert (result["changed"], result["saved"]) == (True, SAVED)
    world.unpin()
    assert world.options(SERVER)[PEER_TRUNK] == "trunk_site2" and world.options(AGENT)[FORWARD] == "no-agent"


def test_saved_values_are_never_overwritten(world: World) -> None:
    world.pin()
    world.set(SERVER, PEER_TRUNK, "trunk_elsewhere")
    with pytest.raises(RefusedError) as caught:
        world.pin()
    assert caught.value.refusal["guard"] == "saved values are never overwritten"
    assert "trunk_elsewhere, saved when it was pinned is [TServer] dr-peer-trunk trunk_site2" in str(caught.value)
    assert world.unpin()["diff"]["before"]["Application SIP_Server_1"] == {"[TServer] dr-peer-trunk": "trunk_elsewhere"}
    assert world.options(SERVER)[PEER_TRUNK] == "trunk_site2"


@pytest.mark.parametrize("null", [None, "", "NULL", "null"])
def test_a_server_without_a_peer_has_nothing_to_save(world: World, null: str | None) -> None:
    world.set(SERVER, PEER_TRUNK, null)
    result = world.pin(switch="")
    assert (result["changed"], result["saved"], result["peering"]["mode"]) == (False, {}, "single_site")


def test_somebody_elses_change_is_not_overwritten(world: World) -> None:
    world.server.meanwhile = lambda: world.server.objects["application"][0].update(version="8.5")
    with pytest.raises(LostRaceError, match="version"):
        world.pin()
    assert world.server.objects["application"][0]["version"] == "8.5"
    assert list(world.state_dir.iterdir()) == [], "what somebody else is changing is not saved"
    assert world.pin()["changed"] is True


def test_a_newer_run_stops_it_before_anything_is_saved(world: World) -> None:
    (world.state_dir / "token").write_text(json.dumps({"token": 8, "run": "r8", "at": "now"}))
    step = Step({"id": "r7", "token": 7, "step": "pin"}, world.state_dir, writes=False)
    with pytest.raises(StaleTokenError):
        world.pinning().pin(step)
    assert world.server.writes == []
    assert [path.name for path in world.state_dir.iterdir()] == ["token"]


def test_a_server_that_does_not_follow_is_a_failure_and_stays_recorded(world: World) -> None:
    world.stuck_at = "trunk_site2"
    with pytest.raises(PeeringError, match="no dr-peer-trunk in force expected, peered seen"):
        world.pin()
    world.stuck_at = ""
    assert world.pin() == {**world.pin(), "changed": False}
    world.stuck_at = "NULL"
    with pytest.raises(PeeringError, match="dr-peer-trunk in force expected"):
        world.unpin()
    world.stuck_at = ""
    assert world.unpin()["peering"]["peer_trunk"] == "trunk_site2"


def test_a_page_that_does_not_tell_the_option_is_said(world: World) -> None:
    world.tells = False
    result = world.pin()
    assert result["changed"] and "its page does not tell dr-peer-trunk" in result["detail"]


def test_a_half_done_pin_is_a_failure_and_no_refusal(world: World) -> None:
    dns = [dict(dn) for dn in world.server.objects["dn"]]
    step = world.step()
    # The DN is gone when it is its turn.
    step.assert_newest = lambda: world.server.objects.update(dn=[])  # type: ignore[method-assign]
    with pytest.raises(LayerError, match="0 objects are DN 1001"):
        world.pinning().pin(step)
    world.server.objects["dn"] = dns
    assert world.pin()["saved"] == SAVED
