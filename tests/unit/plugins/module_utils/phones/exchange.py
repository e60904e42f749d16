"""Two registrars and some phones on real UDP sockets: a phone that is asked reads its file and registers there."""

from __future__ import annotations

import hashlib
import re
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.phones.registry import DRIVERS

YEALINK = DRIVERS["yealink"]


class Exchange:
    """`bindings[port]` are the numbers that the registrar on that port lists; `deaf` numbers ignore every NOTIFY.

    `refusing[number]` is the status with which a phone answers a NOTIFY and does nothing; `asked_at` when one came.
    `challenging[number]` is the user and password whose digest a phone wants with `algorithm` before it does as asked.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.bindings: dict[int, set[str]] = {}
        self.silent: set[int] = set()
        self.deaf: set[str] = set()
        self.refusing: dict[str, int] = {}
        self.challenging: dict[str, tuple[str, str]] = {}
        self.algorithm = "MD5"
        self.asked_at: list[float] = []
        self.notified: list[str] = []
        self._selector = selectors.DefaultSelector()
        self._macs: dict[int, tuple[str, str]] = {}

    def registrar(self) -> int:
        port = self._open()
        self.bindings[port] = set()
        return port

    def phone(self, dn: str, mac: str, server: int, second: int) -> int:
        """A phone of single registration at `server`, which has `second` in its file too."""
        port = self._open()
        self._macs[port] = (dn, mac)
        servers = "".join(
            f"account.1.sip_server.{n}.address = 127.0.0.1\naccount.1.sip_server.{n}.port = {number}\n"
            for n, number in ((1, server), (2, second))
        )
        head = f"#!version:1.0.0.1\naccount.1.user_name = {dn}\naccount.1.sip_server.1.expires = 60\n"
        head += "sip.notify_reboot_enable = 0\n"
        (self.directory / f"{mac}.cfg").write_text(head + servers)
        self.bindings[server].add(dn)
        return port

    def _open(self) -> int:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        self._selector.register(sock, selectors.EVENT_READ)
        return sock.getsockname()[1]

    def serve(self, stop: threading.Event) -> None:
        while not stop.is_set():
            for key, _events in self._selector.select(0.02):
                assert isinstance(key.fileobj, socket.socket)
                data, source = key.fileobj.recvfrom(65535)
                answer = self._answer(key.fileobj.getsockname()[1], data.decode())
                if answer:
                    key.fileobj.sendto(answer.encode(), source)

    def close(self) -> None:
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        self._selector.close()

    def _answer(self, port: int, text: str) -> str:
        if port in self.silent:
            return ""
        more: list[str] = []
        if text.startswith("REGISTER"):
            assert "\r\nContact:" not in text, "looking at bindings must make none"
            dn = re.findall(r"\r\nTo: <sip:(\d+)@", text)[0]
            more = [f"Contact: <sip:{dn}@127.0.0.1>;expires=30"] if dn in self.bindings[port] else []
        status = "200 OK"
        if text.startswith("NOTIFY"):
            self.asked_at.append(time.monotonic())
            dn = self._macs[port][0]
            if dn in self.refusing:
                status = f"{self.refusing[dn]} No"
            elif dn in self.challenging and not self._is_proven(self.challenging[dn], text):
                status = "401 Unauthorized"
                more = [f'WWW-Authenticate: Digest realm="phone", nonce="n1", algorithm={self.algorithm}, qop="auth"']
            elif not self._provision(port, text):
                return ""
        kept = [line for line in text.split("\r\n") if line.split(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
        return "\r\n".join([f"SIP/2.0 {status}", *kept, *more, "Content-Length: 0", "", ""])

    def _is_proven(self, whose: tuple[str, str], text: str) -> bool:
        """Whether the answer to the challenge is that of RFC 7616 3.4.1."""
        answer = "".join(re.findall(r"\r\nAuthorization: Digest (.*)\r\n", text))
        given = dict(re.findall(r'(\w+)="?([^",\r]+)', answer))
        if not given:
            return False

        def digest(*parts: str) -> str:
            return hashlib.new(self.algorithm.replace("-", ""), ":".join(parts).encode()).hexdigest()

        secret, asked = digest(whose[0], "phone", whose[1]), digest("NOTIFY", text.split(" ")[1])
        return given["response"] == digest(secret, "n1", given["nc"], given["cnonce"], "auth", asked)

    def _provision(self, port: int, text: str) -> bool:
        dn, mac = self._macs[port]
        if dn in self.deaf:
            return False
        assert "\r\nEvent: check-sync;reboot=false" in text
        self.notified.append(dn)
        server = YEALINK.registers_with(YEALINK.values((self.directory / f"{mac}.cfg").read_text()))
        for registered in self.bindings.values():
            registered.discard(dn)
        self.bindings[server.port].add(dn)
        return True


@contextmanager
def running(directory: Path) -> Iterator[Exchange]:
    """An exchange that answers for as long as the block runs."""
    exchange, stop = Exchange(directory), threading.Event()
    thread = threading.Thread(target=exchange.serve, args=(stop,))
    thread.start()
    try:
        yield exchange
    finally:
        stop.set()
        thread.join()
        exchange.close()
