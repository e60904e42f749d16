# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A look that lasted because something was silent reads the pages once more."""

from __future__ import annotations

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes import runner
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.probes.base import Settings, answer


@pytest.fixture
def server():
    """Return a monitoring page that answers 200 once and 404 from then on."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked += 1
            self.send_response(200 if self.server.asked == 1 else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    server.asked = 0
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def look(server, deadline):
    """A look at the page and at a SIP address that is silent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        sip = {"id": "sip", "kind": "sip_options", "address": "127.0.0.1", "port": silent.getsockname()[1]}
        page = {
            "id": "page",
            "kind": "monitoring_page",
            "address": "127.0.0.1",
            "port": server.server_port,
            "path": "/",
        }
        return runner.run_checks([sip, page], Settings(probe_deadline=deadline))


def test_the_later_word_counts(server):
    sip, page = look(server, runner.LONG_LOOK + 0.2)
    assert (sip["value"], page["value"], page["detail"]) == ("down", "down", "HTTP 404")
    assert server.asked == 2


def test_a_short_look_reads_once(server):
    assert look(server, 0.1)[1]["value"] == "up"
    assert server.asked == 1


@pytest.mark.parametrize("second", [0.0, 10.0])
def test_the_second_reading_makes_no_look_longer_than_the_slowest_check_may_be(monkeypatch, second):
    """A gateway takes all of its time, and the page, read again as soon as silence is known, ends late or never."""
    settings = Settings(probe_deadline=runner.LONG_LOOK + 0.1, connect_timeout=0.4)
    times = []

    def gateway(check, settings):
        threading.Event().wait(runner.longest(settings))
        return answer("up", True, "at last")

    def page(check, settings):
        times.append(time.monotonic())
        threading.Event().wait(second if len(times) > 1 else 0.0)
        return answer("up", True, f"reading {len(times)}")

    monkeypatch.setitem(runner.KINDS, "gateway", gateway)
    monkeypatch.setitem(runner.KINDS, "monitoring_page", page)
    started = time.monotonic()
    found = runner.run_checks([{"id": kind, "kind": kind} for kind in ("gateway", "monitoring_page")], settings)
    assert time.monotonic() - started < runner.longest(settings) + runner.GRACE + 0.2
    assert times[1] - times[0] == pytest.approx(settings.probe_deadline, abs=0.2)
    assert [one["detail"] for one in found] == [
        "at last",
        "no result within the check's deadline" if second else "reading 2",
    ]
