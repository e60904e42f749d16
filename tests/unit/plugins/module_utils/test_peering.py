"""Single-site mode, read from monitoring pages that a real HTTP server gives on two loopback addresses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.peering import (
    PEERED,
    SINGLE_SITE,
    Pair,
    PeeringError,
    Trunk,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Settings
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.refusal import RefusedError

LEGS = {"s2-sip-a": "127.0.0.1", "s2-sip-b": "127.0.0.2"}


class Pages:
    """What the two legs say: run mode by address, and the trunk as each sees it; `calls` counts the trunk pages."""

    def __init__(self) -> None:
        self.modes = {"127.0.0.1": "primary", "127.0.0.2": "backup"}
        self.in_service = {"127.0.0.1": 1, "127.0.0.2": 0}
        self.turn_after: int | None = None
        self.calls = 0

    def page(self, address: str, path: str) -> str:
        if path == "/server?sipServer":
            return f"<sipServer><runMode>{self.modes[address]}</runMode></sipServer>"
        self.calls += 1
        if self.turn_after is not None and self.calls > self.turn_after:
            self.in_service["127.0.0.1"] = 0
        told = f'<trunk name="trunk_site1"><inService>{self.in_service[address]}</inService></trunk>'
        return f"<sipTrunkStatistics>{told}</sipTrunkStatistics>"


@pytest.fixture
def pages() -> Pages:
    return Pages()


@pytest.fixture
def pair(pages: Pages) -> Iterator[Pair]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = self.connection.getsockname()[0]
            known = address in pages.modes
            body = pages.page(address, self.path).encode() if known else b""
            self.send_response(200 if known else 503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("0.0.0.0", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield Pair(LEGS, server.server_port, Trunk("trunk_site1", 1, 2), Settings(connect_timeout=1.0))
        server.shutdown()
        thread.join()


def test_only_the_primary_is_asked_for_the_trunk(pair: Pair) -> None:
    seen = pair.observe()
    assert (seen["mode"], seen["primary"], seen["trunk_in_service"]) == (PEERED, "s2-sip-a", True)
    assert seen["legs"]["s2-sip-b"] == {"answers": True, "run_mode": "backup", "detail": "run mode backup"}


def test_single_site_mode_is_waited_for(pair: Pair, pages: Pages) -> None:
    pages.turn_after = 3
    assert pair.wait(SINGLE_SITE, deadline=5.0, interval=0.01)["mode"] == SINGLE_SITE
    assert pages.calls == 4
    assert pair.verify(SINGLE_SITE)["detail"] == "s2-sip-a runs as primary; trunk_site1 out of service"


def test_a_mode_that_does_not_come_fails_with_what_was_seen(pair: Pair) -> None:
    with pytest.raises(PeeringError, match="single_site expected, peered seen: s2-sip-a") as caught:
        pair.wait(SINGLE_SITE, deadline=0.05, interval=0.01)
    assert caught.value.seen["trunk_in_service"] is True


def test_without_a_primary_the_mode_is_unknown(pair: Pair, pages: Pages) -> None:
    pages.modes = {"127.0.0.2": "backup"}
    seen = pair.observe()
    assert (seen["mode"], seen["primary"]) == ("unknown", None)
    assert seen["legs"]["s2-sip-a"]["answers"] is False
    with pytest.raises(PeeringError, match="no leg runs as primary"):
        pair.verify(PEERED)


def test_a_trunk_without_oos_check_is_refused(pair: Pair) -> None:
    blind = Pair(pair.legs, pair.port, Trunk("trunk_site1"), pair.settings)
    with pytest.raises(RefusedError, match="oos-check 0"):
        blind.wait(SINGLE_SITE, deadline=1.0, interval=0.01)
    assert [item["met"] for item in blind.readiness()] == [True, True, False]


def test_readiness_names_the_silent_leg_and_the_unknown_trunk(pair: Pair, pages: Pages) -> None:
    assert all(item["met"] for item in pair.readiness())
    del pages.modes["127.0.0.2"]
    wrong = Pair(pair.legs, pair.port, Trunk("trunk_x", 1, 2), pair.settings)
    unmet = [item["evidence"] for item in wrong.readiness() if not item["met"]]
    assert unmet == ["no page from s2-sip-b", "s2-sip-a runs as primary; the page does not tell about trunk_x"]
