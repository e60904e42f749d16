"""A plain HTTP server on loopback for the doubles, which can be made silent or talk nonsense."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Reply = tuple[int, str]
Handle = Callable[[str, str, dict[str, str], str], Reply]


class Manners:
    """How a device behaves: it answers, it says nothing at all, or it says nonsense."""

    def __init__(self) -> None:
        self.manner = ""
        self.wake = threading.Event()
        self.calls: list[str] = []

    @contextmanager
    def _with(self, manner: str) -> Iterator[None]:
        self.manner = manner
        self.wake.clear()
        try:
            yield
        finally:
            self.manner = ""
            self.wake.set()

    def silent(self) -> object:
        """While the block runs, connections are taken and nothing is answered."""
        return self._with("silent")

    def garbage(self) -> object:
        """While the block runs, every answer is nonsense."""
        return self._with("garbage")


@contextmanager
def serve_http(device: Manners, handle: Handle) -> Iterator[str]:
    """`http://127.0.0.1:port` while the block runs; handle(method, path, headers, body) gives status and text."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            device.calls.append(f"{self.command} {self.path}")
            if device.manner == "silent":
                device.wake.wait(30)
                return
            status, text = handle(self.command, self.path, dict(self.headers), body)
            data = b"\xff<nonsense {" if device.manner == "garbage" else text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_PUT = do_POST

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            device.wake.set()
            server.shutdown()
            thread.join()


def json_rpc(call: Callable[[str, dict], tuple[int, object]], body: str) -> Reply:
    """A JSON-RPC reply to one request; `call` gives an HTTP status, and the result or the error's message."""
    request = json.loads(body)
    status, result = call(request["method"], request.get("params") or {})
    answer = {"result": result} if status == 200 else {"error": {"code": status, "message": result}}
    return status, json.dumps(dict(answer, jsonrpc="2.0", id=request["id"]))
