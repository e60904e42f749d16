"""A dispatcher over HTTP JSON-RPC, as Kamailio 5.6 answers: it runs the list file that it read at the last reload."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

LIST = """# setid uri flags priority attrs
1 sip:10.71.1.100:5060 0 10 duid=site1
1  sip:10.71.2.100:5060 0\t5  duid=site2;weight=50
2 sip:10.9.9.9:5060 0 1 duid=other
"""


class Dispatcher:
    """The running state: what the file said at the last reload; `delta` seconds must lie between two reloads."""

    def __init__(self, list_file: Path, delta: float = 0.0) -> None:
        self.list_file = list_file
        self.delta = delta
        self.reloads = 0
        self.states: dict[str, str] = {}
        self._last = -1e9
        self._rows = self._read()

    def call(self, method: str) -> tuple[int, object]:
        """HTTP status, and the result or the error's message."""
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

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, result = dispatcher.call(request["method"])
            answer = {"result": result} if status == 200 else {"error": {"code": status, "message": result}}
            body = json.dumps(dict(answer, jsonrpc="2.0", id=request["id"])).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/RPC"
        finally:
            server.shutdown()
            thread.join()
