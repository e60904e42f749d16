"""The module as Ansible starts it, against real pages and a real UDP peer."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).parents[4]
PROGRAM = """
import json, sys
from ansible.module_utils.testing import patch_module_args
from ansible_collections.contactcenter.sip_dr.plugins.modules import trunk_state
with patch_module_args(json.loads(sys.argv[1])):
    trunk_state.main()
"""


def run(**options):
    """The module's reply."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "collections")}
    argv = [sys.executable, "-c", PROGRAM, json.dumps(options)]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    return json.loads(done.stdout)


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@contextmanager
def pages(in_service, run_mode="primary", name="inService"):
    """Both monitoring pages of one leg; gives their port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            trunk = f"<t><trunk name='t2'><{name}>{in_service}</{name}></trunk></t>"
            body = trunk if "Trunk" in self.path else f"<s><runMode>{run_mode}</runMode></s>"
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_words):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@contextmanager
def peer(answers):
    """A SIP peer that answers every request with 200, or none; gives its port."""
    kept = (b"Via", b"From", b"To", b"Call-ID", b"CSeq")

    def serve():
        while True:
            request, source = sock.recvfrom(65535)
            if not request:
                return
            lines = [line for line in request.split(b"\r\n") if line.split(b":")[0] in kept]
            if answers:
                sock.sendto(b"\r\n".join([b"SIP/2.0 200 OK", *lines, b"Content-Length: 0", b"", b""]), source)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield sock.getsockname()[1]
        sock.sendto(b"", sock.getsockname())
        thread.join()


def state(page_port, answers=True, **more):
    with peer(answers) as sip_port:
        options = {
            "dn": "t2",
            "legs": {"a": {"address": "127.0.0.1"}},
            "monitoring_port": page_port,
            "peer": {"address": "127.0.0.1", "port": sip_port},
            "oos_check": 1,
            "oos_force": 1,
            "sip_t1": 0.1,
            "site": "site1",
            "peer_site": "site2",
        }
        return run(**{**options, **more})


def test_in_service():
    with pages(1) as port:
        found = state(port, _ansible_check_mode=True)
    assert (found["changed"], found["dn"], found["monitoring"], found["probe"]) == (
        False,
        "t2",
        "in_service",
        "in_service",
    )
    assert (found["agree"], found["rtt"] < 0.5) == (True, True)
    assert found["detail"] == "site1→site2: SIP Server says in service, our own OPTIONS is answered"
    assert set(found["by"]) == {"a", "own OPTIONS"}


def test_out_of_service_by_one_of_the_two():
    with pages(0) as port:
        said = state(port)
    assert (said["monitoring"], said["probe"], said["agree"]) == ("out_of_service", "in_service", False)
    with pages(1) as port:
        silent = state(port, answers=False)
    assert (silent["monitoring"], silent["probe"], silent["agree"]) == ("in_service", "out_of_service", False)
    assert (silent["rtt"], 1 <= silent["elapsed"] < 2) == (None, True)


def test_a_peer_over_tls_is_looked_at_with_our_certificates():
    peer = {"address": "127.0.0.1", "transport": "tls", "server_name": "sip.example.net"}
    found = state(closed_port(), peer=peer, sip_tls={"ca_file": "/nowhere/ca.pem"})
    assert (found["probe"], found["agree"]) == ("unknown", None)
    assert "/nowhere/ca.pem" in found["by"]["own OPTIONS"]["detail"]


def test_no_page_and_no_oos_check_are_unknown():
    away = state(closed_port())
    assert (away["monitoring"], away["probe"], away["agree"]) == ("unknown", "in_service", None)
    with pages(1) as port:
        unwatched = state(port, oos_check=0)
    assert (unwatched["monitoring"], set(unwatched["by"])) == ("unknown", {"own OPTIONS"})


def test_names_are_corrected():
    with pages("ja", name="Betrieb") as port:
        found = state(port, page_names={"in_service": ["betrieb"], "yes": ["ja"]})
    assert found["monitoring"] == "in_service"


def test_a_leg_without_address_is_refused():
    found = state(1, legs={"a": {}})
    assert found["failed"] and "legs: an address for each expected" in found["msg"]
