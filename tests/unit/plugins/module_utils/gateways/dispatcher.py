"""A dispatcher over JSON-RPC, as Kamailio 5.6 answers: it runs the list file that it read at the last reload."""

from __future__ import annotations

import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .serving import Manners, json_rpc, serve_http

LIST = """# setid uri flags priority attrs
1 sip:10.71.1.100:5060 0 10 duid=site1
1  sip:10.71.2.100:5060 0\t5  duid=site2;weight=50
2 sip:10.9.9.9:5060 0 1 duid=other
"""


CONFIG = """#!KAMAILIO
#!define EVERY 10
loadmodule "dispatcher.so"
modparam("dispatcher", "ds_ping_interval", EVERY)
modparam("dispatcher", "ds_probing_mode", 1)
"""


class Dispatcher(Manners):
    """The running state: what the file said at the last reload; `delta` seconds must lie between two reloads."""

    def __init__(self, list_file: Path, delta: float = 0.0) -> None:
        super().__init__()
        self.list_file = list_file
        self.reply_codes: str | None = "class=2;code=404"  # None: cfg_rpc is not loaded
        self.delta = delta
        self.reloads = 0
        self.states: dict[str, str] = {}
        self._last = -1e9
        self._rows = self._read()

    @property
    def text(self) -> str:
        """The list file, which is what survives a restart."""
        return self.list_file.read_text()

    def call(self, method: str, _params: object = None) -> tuple[int, object]:
        """HTTP status, and the result or the error's message."""
        if method == "cfg.get" and self.reply_codes is not None:
            return 200, self.reply_codes
        if method == "dispatcher.list":
            return 200, {"NRSETS": 2, "RECORDS": [self._set(setid) for setid in ("1", "2")]}
        if method != "dispatcher.reload":
            return 500, "Method Not Found"
        if time.monotonic() - self._last < self.delta:
            return 500, "Ongoing reload or no time elapsed"
        self._last, self.reloads, self.states = time.monotonic(), self.reloads + 1, {}
        self._rows = self._read()
        return 200, "Ok. Dispatcher successfully reloaded."

    def _read(self) -> list[list[str]]:
        lines = self.list_file.read_text().splitlines()
        return [line.split(None, 4) for line in lines if line.strip() and not line.startswith("#")]

    def _set(self, setid: str) -> dict:
        rows = [row for row in self._rows if row[0] == setid]
        return {"SET": {"ID": int(setid), "TARGETS": [{"DEST": self._destination(row)} for row in rows]}}

    def _destination(self, row: list[str]) -> dict:
        duid = dict(part.split("=") for part in row[4].split(";")).get("duid")
        state = "DX" if int(row[2]) & 4 else self.states.get(str(duid), "AP")
        return {"URI": row[1], "FLAGS": state, "PRIORITY": int(row[3]), "ATTRS": {"BODY": row[4], "DUID": duid}}


@contextmanager
def serve(dispatcher: Dispatcher) -> Iterator[str]:
    """The URL of its JSON-RPC, for as long as the block runs."""
    with serve_http(dispatcher, lambda _method, _path, _headers, body: json_rpc(dispatcher.call, body)) as url:
        yield f"{url}/RPC"


@contextmanager
def serve_unix(dispatcher: Dispatcher, path: Path) -> Iterator[str]:
    """The same over a unix datagram socket: each request is answered to the socket that it came from."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(path))
        stop = threading.Event()

        def answer() -> None:
            sock.settimeout(0.02)
            while not stop.is_set():
                try:
                    data, source = sock.recvfrom(65536)
                except TimeoutError:
                    continue
                if dispatcher.manner != "silent":
                    text = "nonsense" if dispatcher.manner else json_rpc(dispatcher.call, data.decode())[1]
                    sock.sendto(text.encode(), source)

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield f"unix:{path}"
        finally:
            stop.set()
            thread.join()


@contextmanager
def running() -> Iterator[tuple[dict, Dispatcher]]:
    """The options of a driver for a dispatcher, and that dispatcher: site1 before site2 in set 1."""
    with tempfile.TemporaryDirectory() as directory:
        list_file, config = Path(directory) / "dispatcher.list", Path(directory) / "kamailio.cfg"
        list_file.write_text(LIST)
        config.write_text(CONFIG)
        dispatcher = Dispatcher(list_file)
        with serve(dispatcher) as url:
            options = {"rpc_url": url, "list_file": str(list_file), "config_file": str(config), "rpc_timeout": 0.5}
            yield {**options, "reload_deadline": 3.0, "reload_interval": 0.02}, dispatcher
