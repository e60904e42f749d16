"""SIP peers for tests: real sockets on the loopback, with the manners that a test gives them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Manners = Callable[[bytes, int], list[tuple[float, bytes]]]
"""What a peer does with the n-th datagram (from 1): what it sends back, each after so many seconds."""


def reply(request: bytes, status: str = "200 OK", method: str = "", branch: str = "", more: str = "") -> bytes:
    """The answer to a request; another CSeq method or branch makes it a stranger's. more: one further header line."""
    lines = request.decode().split("\r\n")
    kept = [line for line in lines if line.split(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
    text = "\r\n".join([f"SIP/2.0 {status}", *kept, *([more] if more else []), "Content-Length: 0", "", ""])
    if branch:
        text = text.replace(text.split("branch=")[1].split("\r\n")[0], branch)
    if method:
        text = text.replace(f"CSeq: 1 {lines[0].split()[0]}", f"CSeq: 1 {method}")
    return text.encode()


class UdpPeer:
    """A UDP socket on the loopback that answers by its manners; `received` has every datagram."""

    def __init__(self, manners: Manners, address: str = "127.0.0.1") -> None:
        self.manners = manners
        self.received: list[bytes] = []
        self.address = address
        self.socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.port: int = self.socket.getsockname()[1]
        self._timers: list[threading.Timer] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            data, source = self.socket.recvfrom(65535)
            if data == b"stop":
                return
            self.received.append(data)
            for delay, answer in self.manners(data, len(self.received)):
                self._later(delay, answer, source)

    def _later(self, delay: float, answer: bytes, destination: tuple[str, int]) -> None:
        if not delay:
            self.socket.sendto(answer, destination)
            return
        timer = threading.Timer(delay, self.socket.sendto, (answer, destination))
        # Started first: close() joins every timer in the list, and one that never started cannot be joined.
        timer.start()
        self._timers.append(timer)

    def close(self) -> None:
        """Stop serving."""
        for timer in self._timers:
            timer.cancel()
            timer.join()
        with socket.socket(self.socket.family, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"stop", (self.address, self.port))
        self._thread.join()
        self.socket.close()


@contextmanager
def udp_peer(manners: Manners, address: str = "127.0.0.1") -> Iterator[UdpPeer]:
    """A UDP peer for the length of a block."""
    peer = UdpPeer(manners, address)
    try:
        yield peer
    finally:
        peer.close()


@contextmanager
def tcp_peer(talk: Callable[[socket.socket], None], address: str = "127.0.0.1") -> Iterator[int]:
    """A TCP listener on the loopback that lets `talk` handle each connection; gives its port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as listener:
        listener.settimeout(0.05)
        stopped = threading.Event()

        def serve() -> None:
            while not stopped.is_set():
                try:
                    connection, _source = listener.accept()
                except OSError:
                    continue
                with connection:
                    connection.settimeout(2)
                    talk(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            stopped.set()
            thread.join()


def ok(request: bytes, _count: int) -> list[tuple[float, bytes]]:
    """Manners: 200 to everything, at once."""
    return [(0, reply(request))]


def mute(_request: bytes, _count: int) -> list[tuple[float, bytes]]:
    """Manners: nothing to anything."""
    return []
