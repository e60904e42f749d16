"""A CUBE behind what the driver talks to: Ansible's persistent connection, a Unix socket that speaks JSON-RPC.

Framing and errors as in ansible-core's ansible-connection (8 bytes of length, one JSON object); what `get` and
`edit_config` do as in ansible.netcommon's network_cli with cisco.ios' cliconf and terminal plugins: a refusal of the
device becomes a JSON-RPC error, and a refused line leaves the session in configuration mode.
"""

from __future__ import annotations

import json
import re
import socketserver
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible.module_utils.connection import recv_data, send_data
from standins.cisco_cube.ios import Router, Session

PEERS = """voice class sip-options-keepalive 10
 transport udp
 up-interval 10
 down-interval 5
 retry 2
dial-peer voice 911 voip
 description emergency
 destination-pattern 911
 session protocol sipv2
 session target ipv4:10.71.3.10
dial-peer voice 1001 voip
 description DR site1 SIP Server
 destination-pattern .T
 session protocol sipv2
 session target ipv4:10.71.1.100:5060
 voice-class sip options-keepalive profile 10
 authentication username cube password 7 0822455D0A16
dial-peer voice 1002 voip
 description DR site2 SIP Server
 preference 1
 destination-pattern .T
 session protocol sipv2
 session target ipv4:10.71.2.100:5060
 voice-class sip options-keepalive profile 10
"""
GROUP = """voice class sip-options-keepalive 10
 up-interval 10
 down-interval 5
voice class server-group 1
 description both sites
 ipv4 10.71.1.100 port 5060 preference 1
 ipv4 10.71.2.100 preference 2
dial-peer voice 911 voip
 destination-pattern 911
 session target ipv4:10.71.3.10
dial-peer voice 1000 voip
 destination-pattern .T
 session protocol sipv2
 session server-group 1
 voice-class sip options-keepalive profile 10
"""
REFUSED = re.compile(r"% ?Error|% ?Bad secret|invalid input|(?:incomplete|ambiguous) command|[^\r\n]+ not found", re.I)


class Refused(Exception):
    """What network_cli raises: the device's own words."""


class RouterCli:
    """A log-in on the router without any transport: a Cli of the driver, and what the socket below serves."""

    def __init__(self, router: Router) -> None:
        self.host = router.hostname
        self.session = Session(router)

    def run(self, command: str) -> str:
        """One command; raises Refused in the device's words."""
        printed = self.session.enter(command)
        if REFUSED.search(printed):
            # As network_cli hands it on: the echo, the answer and the prompt, shown as Python shows bytes.
            raise Refused(str(f"{command}\n{printed}{self.session.prompt}".replace("\n", "\r\n").encode()))
        return printed.strip()

    def configure(self, lines: list[str]) -> str:
        """The lines in configuration mode, up to the first that is refused."""
        if not self.session.prompt.endswith("#"):
            raise Refused("operation requires privilege escalation")
        printed = [self.run(line) for line in ["configure terminal", *lines, "end"]]
        return "\n".join(printed[1:-1])


class CubeDouble:
    """The router, and how the connection to it does."""

    def __init__(self, router: Router) -> None:
        self.router = router
        self.cli = RouterCli(router)
        self.asked: list[str] = []  # methods and commands, as they came
        self.released = threading.Event()
        self.released.set()
        self.nonsense = ""
        self.half = False  # only the first half of what the device prints comes through
        self.lost_after = -1  # lines of a configuration that still arrive before the line is cut; -1: all

    @property
    def text(self) -> str:
        """What was saved."""
        return self.router.text(self.router.startup)

    @property
    def running(self) -> str:
        """What runs."""
        return self.router.text(self.router.running)

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Requests are taken, and not answered."""
        self.released.clear()
        try:
            yield
        finally:
            self.released.set()

    @contextmanager
    def garbage(self) -> Iterator[None]:
        """The device prints nonsense, whatever it is asked."""
        self.nonsense = "\x00\x7f 5%!]] TAG dial-peer voice nonsense\n\n=== NOC menu: 1) 2) 3)"
        try:
            yield
        finally:
            self.nonsense = ""

    def call(self, method: str, parameters: list) -> object:
        """One method of the connection."""
        self.asked.append(" ".join([method, *map(str, parameters)]))
        if method == "get_option":
            return "cube1.example"
        if self.nonsense:
            return self.nonsense
        if method == "get":
            printed = self.cli.run(*parameters)
            return printed[: len(printed) // 2] if self.half else printed
        assert method == "edit_config"
        if self.lost_after >= 0:
            self.cli.configure(parameters[0][: self.lost_after])
            raise ConnectionAbortedError
        return {"request": parameters[0], "response": [self.cli.configure(parameters[0])]}


@contextmanager
def serve(double: CubeDouble) -> Iterator[str]:
    """The path of the persistent connection's socket, for as long as the block runs."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            request = json.loads(recv_data(self.request))
            double.released.wait()
            reply: dict = {"jsonrpc": "2.0", "id": request["id"]}
            try:
                reply["result"] = double.call(request["method"], request["params"][0])
            except Refused as error:
                reply["error"] = {"code": -32603, "message": "Internal error", "data": str(error)}
            except ConnectionAbortedError:
                return
            try:
                send_data(self.request, json.dumps(reply).encode())
            except BrokenPipeError:
                """The driver gave up waiting."""

    with tempfile.TemporaryDirectory() as directory:
        path = str(Path(directory) / "connection")
        with socketserver.ThreadingUnixStreamServer(path, Handler) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            try:
                yield path
            finally:
                double.released.set()
                server.shutdown()
                thread.join()


@contextmanager
def running(text: str = PEERS) -> Iterator[tuple[dict, CubeDouble]]:
    """Options of the driver, and a CUBE whose site1 is preferred: by dial-peers, or with GROUP by a server group."""
    router = Router()
    router.load(text)
    double = CubeDouble(router)
    group = {"server_group": 1, "targets": {"site1": "10.71.1.100", "site2": "10.71.2.100"}}
    params = group if text == GROUP else {"targets": {"site1": 1001, "site2": "1002"}}
    with serve(double) as path:
        yield {**params, "socket_path": path, "command_timeout": 0.5, "keep": ["911"]}, double
