# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The doors of agent desktops, against real pages and ports, and both interfaces of the Configuration Layer."""

from __future__ import annotations

import copy
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.configuration_layer.registry import layer_of
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops import DesktopError, Site, site_of
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops.desk import (
    Asked,
    Configured,
    Desk,
    NotThereError,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops.logins import (
    LOGIN_PAGE,
    LoginNames,
    given,
)
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops.look import Page
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.desktops.options import OptionNames, Policy
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Settings
from layer_doubles import HANDLERS, PASSWORD, Layer, layer_option, serve

SECTION = "interaction-workspace"
PAGE = Page(LOGIN_PAGE, LoginNames(), Settings(connect_timeout=1.0))
NO_OPTIONS = Configured(None, (), OptionNames(), Policy(60, True))
WORKSPACE = {
    "disaster-recovery.enabled": "true",
    "disaster-recovery.timeout": "10",
    "disaster-recovery.preferred-site": "site1",
    "sipendpoint.sbc-register-address": "10.71.1.100",
    "sipendpoint.sbc-register-address.peer": "10.71.2.100",
}


class SitePages(ThreadingHTTPServer):
    """A site's primary SIP Server on 127.0.0.1 and its backup on 127.0.0.2, with the ports that desktops connect to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("0.0.0.0", 0), PageHandler)
        self.agents: list[str] | None = []
        self.modes = {"127.0.0.1": "primary", "127.0.0.2": "backup"}
        self.comes: list[str] = []
        """One of them logs in at each look."""
        self.open = {name: socket.create_server(("127.0.0.1", 0)) for name in ("stat_server", "proxy")}
        self.ports = {name: one.getsockname()[1] for name, one in self.open.items()}

    def page(self, address: str, path: str) -> str | None:
        if path == "/server?sipServer":
            return f"<sipServer><runMode>{self.modes[address]}</runMode></sipServer>"
        if path != LOGIN_PAGE or self.agents is None:
            return None
        self.agents += [self.comes.pop()] if self.comes else []
        # The backup's clients are the same desktops once more.
        return "".join(["<p><agentsLoggedIn>0</agentsLoggedIn>", *map("<agent>{}</agent>".format, self.agents), "</p>"])

    def described(self, **more: Any) -> dict[str, Any]:
        ports = {name: {"address": "127.0.0.1", "port": port} for name, port in self.ports.items()}
        legs = {"b": {"address": "127.0.0.2"}, "a": {"address": "127.0.0.1"}}
        return {"legs": legs, "monitoring_port": self.server_port, **ports, **more}

    def server_close(self) -> None:
        for one in self.open.values():
            one.close()
        super().server_close()


class PageHandler(BaseHTTPRequestHandler):
    server: SitePages

    def do_GET(self) -> None:
        text = self.server.page(self.connection.getsockname()[0], self.path)
        body = (text or "").encode()
        self.send_response(404 if text is None else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@pytest.fixture
def pages() -> Iterator[dict[str, SitePages]]:
    with ExitStack() as stack:
        found = {name: stack.enter_context(closing_server()) for name in ("site1", "site2")}
        yield found


class closing_server:
    """A site's pages for the length of a block."""

    def __enter__(self) -> SitePages:
        self.server = SitePages()
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        return self.server

    def __exit__(self, *_words: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def sites_of(pages: dict[str, SitePages], **more: Any) -> dict[str, Site]:
    return {name: site_of(name, server.described(**more)) for name, server in pages.items()}


def desk(pages: dict[str, SitePages], configured: Configured = NO_OPTIONS, **more: Any) -> Desk:
    return Desk(sites_of(pages, **more), PAGE, configured)


def asked(before: Any, share: float = 0.95, deadline: float = 0.0) -> Asked:
    return Asked(given(before), share, deadline, 0.01)


@pytest.fixture(params=sorted(HANDLERS))
def layer(request: pytest.FixtureRequest) -> Iterator[tuple[str, Layer]]:
    """A configuration with a Workspace Application, and the site in the annex of the SIP Server's."""
    with serve(request.param) as server:
        (sip_server,) = server.objects["application"]
        desktops = copy.deepcopy(sip_server)
        desktops.update({"name": "Workspace", "options": held(request.param, WORKSPACE)})
        desktops.update({key: "106" for key in ("dbid", "DBID") if key in desktops})
        annex = "userproperties" if request.param == "gax" else "userProperties"
        sip_server[annex] = held(request.param, {"disaster-recovery.preferred-site": "site1"})
        server.objects["application"].append(desktops)
        yield request.param, server


def held(driver: str, options: dict[str, str]) -> dict[str, Any]:
    if driver == "gws":
        return {SECTION: dict(options)}
    return {"property": [{"section": SECTION, "key": key, "value": value} for key, value in options.items()]}


def configured(layer: tuple[str, Layer], applications: tuple[str, ...] = ("Workspace",), **more: Any) -> Configured:
    driver, server = layer
    session = layer_of(layer_option(driver, server.port, **more))
    return Configured(session, applications, OptionNames(), Policy(60, True))


def test_who_is_logged_in_where(pages: dict[str, SitePages]) -> None:
    pages["site1"].agents, pages["site2"].agents = ["1001", "1002"], ["1021"]
    seen = desk(pages).observe()
    assert seen["before"] == ["1001", "1002", "1021"]
    assert (seen["sites"]["site1"]["primary"], seen["sites"]["site1"]["agents"]) == ("a", ["1001", "1002"])
    assert [seen["sites"]["site2"][port]["answers"] for port in ("stat_server", "proxy")] == [True, True]


def test_a_dead_site_is_not_nobody(pages: dict[str, SitePages]) -> None:
    pages["site1"].agents = ["1001"]
    pages["site2"].modes = {}
    seen = desk(pages).observe()
    assert (seen["sites"]["site2"]["count"], seen["before"]) == (None, ["1001"])
    assert "no SIP Server tells that it runs as primary" in seen["detail"]


def test_a_page_that_is_not_there_is_said(pages: dict[str, SitePages]) -> None:
    pages["site1"].agents = pages["site2"].agents = None
    seen = desk(pages).observe()
    assert seen["before"] is None
    assert "/server?tLibClientsStatistics (HTTP 404) does not tell who is logged in" in seen["detail"]


def test_options_are_read_through_the_layer(pages: dict[str, SitePages], layer: tuple[str, Layer]) -> None:
    seen = desk(pages, configured(layer), servers=["SIP_Server_1"]).observe()
    assert seen["applications"]["Workspace"] == {
        "read": True,
        "enabled": True,
        "timeout": 10,
        "preferred_site": "site1",
        "registrar": "10.71.1.100",
        "peer_registrar": "10.71.2.100",
    }
    assert seen["servers"] == {"SIP_Server_1": {"read": True, "site": "site1"}}
    assert layer[1].writes == []


def test_all_of_it_ready(pages: dict[str, SitePages], layer: tuple[str, Layer]) -> None:
    sites = {name: site_of(name, server.described()) for name, server in pages.items()}
    sites["site1"] = sites["site1"]._replace(servers=("SIP_Server_1",))
    items = Desk(sites, PAGE, configured(layer)).readiness()
    assert [one["item"] for one in items if not one["met"]] == []
    assert len(items) == 9


def test_a_servers_annex_that_names_the_other_site_is_listed(
    pages: dict[str, SitePages], layer: tuple[str, Layer]
) -> None:
    items = desk({"site2": pages["site2"]}, configured(layer), servers=["SIP_Server_1"]).readiness()
    unmet = [one["evidence"] for one in items if not one["met"]]
    assert "[interaction-workspace] disaster-recovery.preferred-site is site1" in unmet


def test_readiness_lists_what_does_not_answer_and_what_nobody_gave(pages: dict[str, SitePages]) -> None:
    pages["site1"].open["stat_server"].close()
    sites = sites_of(pages)
    sites["site2"] = sites["site2"]._replace(proxy=None)
    items = {one["item"]: one for one in Desk(sites, PAGE, NO_OPTIONS).readiness()}
    assert [name for name, one in items.items() if not one["met"]] == [
        "Workspace's options can be read",
        "site1: the Statistic Server answers",
        "site2: the Configuration Server Proxy answers",
    ]
    assert "refused" in items["site1: the Statistic Server answers"]["evidence"]
    assert "not given" in items["site2: the Configuration Server Proxy answers"]["evidence"]


@pytest.mark.parametrize(
    ("applications", "more", "trouble"),
    [
        (("Workspace", "Nobody"), {}, "0 objects are Application Nobody"),
        (("Workspace",), {"url": "http://127.0.0.1:1/"}, "refused"),
        (("Workspace",), {"password": f"not-{PASSWORD}"}, "401|statusCode 20"),
    ],
)
def test_options_that_cannot_be_read_are_said_without_a_secret(
    pages: dict[str, SitePages],
    layer: tuple[str, Layer],
    applications: tuple[str, ...],
    more: dict[str, str],
    trouble: str,
) -> None:
    unread = desk(pages, configured(layer, applications, **more))
    unmet = [one for one in unread.readiness() if not one["met"]]
    assert len(unmet) == 1
    assert any(word in unmet[0]["evidence"] for word in trouble.split("|"))
    assert PASSWORD not in str(unmet)
    assert {"read": False, "detail": unmet[0]["evidence"]} in unread.observe()["applications"].values()


def test_without_a_layer_nothing_is_read(pages: dict[str, SitePages]) -> None:
    alone = NO_OPTIONS._replace(applications=("Workspace",))
    seen = desk(pages, alone).observe()
    assert seen["applications"] == {"Workspace": {"read": False, "detail": "the Configuration Layer is not given"}}


@pytest.mark.parametrize("door", ["release", "take_over", "restore"])
def test_doors_that_change_nothing_say_what_moves_in_the_same_shape(pages: dict[str, SitePages], door: str) -> None:
    pages["site1"].agents = ["1001"]
    found = desk(pages).passed(door, "site2")
    assert set(found) == set(desk(pages).observe())
    assert found["before"] == ["1001"]
    assert "nothing" in found["detail"] and "Now: site1: a: 1 agents logged in" in found["detail"]


def test_verify_waits_until_enough_are_logged_in(pages: dict[str, SitePages]) -> None:
    pages["site2"].comes = ["1001", "1002", "1003"]
    found = desk(pages).verify("site2", asked(["1001", "1002", "1003", "1004"], share=0.75, deadline=5.0))
    assert (found["share"], found["missing"]) == (0.75, ["1004"])
    assert found["site"]["agents"] == ["1003", "1002", "1001"][::-1]


def test_verify_names_the_missing(pages: dict[str, SitePages]) -> None:
    pages["site2"].agents = ["1001", "1009"]
    with pytest.raises(NotThereError, match=r"site2: 95.0% asked for, 1 of 3 .* missing: 1002, 1003$") as caught:
        desk(pages).verify("site2", asked(["1001", "1002", "1003"]))
    assert caught.value.seen["missing"] == ["1002", "1003"]


def test_verify_takes_a_number_too(pages: dict[str, SitePages]) -> None:
    pages["site2"].agents = ["1001"]
    assert desk(pages).verify("site2", asked(1))["share"] == 1.0
    with pytest.raises(NotThereError, match="1 of 2 agents logged in .* names are not told"):
        desk(pages).verify("site2", asked(2))


def test_verify_says_when_nobody_tells(pages: dict[str, SitePages]) -> None:
    pages["site2"].agents = None
    with pytest.raises(NotThereError, match=r"missing: 1001 \(a: .*does not tell who is logged in\)"):
        desk(pages).verify("site2", asked(["1001"]))
    assert "missing" not in desk(pages).verify("site2", asked(None)), "without `before` log-ins are not asserted"


@pytest.mark.parametrize(
    ("port", "what"), [("stat_server", "Statistic Server"), ("proxy", "Configuration Server Proxy")]
)
def test_verify_needs_both_ports(pages: dict[str, SitePages], port: str, what: str) -> None:
    pages["site2"].open[port].close()
    with pytest.raises(NotThereError, match=f"site2: the {what} does not answer"):
        desk(pages).verify("site2", asked(None))
    alone = desk({"site2": pages["site2"]}, NO_OPTIONS, **{port: None})
    assert f"{what}: its address is not given" in alone.verify("site2", asked(None))["detail"]


def test_a_silent_port_costs_its_time_out_and_no_more(pages: dict[str, SitePages]) -> None:
    with closing(socket.socket()) as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with ExitStack() as stack:
            for _ in range(3):  # what a full queue drops, a dead host drops
                waiting = stack.enter_context(closing(socket.socket()))
                waiting.setblocking(False)
                waiting.connect_ex(full.getsockname())
            silent = site_of(
                "site2", pages["site2"].described(proxy=dict(zip(("address", "port"), full.getsockname())))
            )
            quick = Page(LOGIN_PAGE, LoginNames(), Settings(connect_timeout=0.2))
            with pytest.raises(NotThereError, match="Configuration Server Proxy does not answer .*timed out"):
                Desk({"site2": silent}, quick, NO_OPTIONS).verify("site2", asked(None))


def test_a_site_that_is_not_there(pages: dict[str, SitePages]) -> None:
    with pytest.raises(DesktopError, match="sites has no site9, it has site1, site2"):
        desk(pages).verify("site9", asked(None))
