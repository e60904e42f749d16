# Copyright: (c) 2026, the sip-dr founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The media of one test call: an SDP offer and answer (RFC 3264), RTP out and in (RFC 3550), silence in G.711."""

from __future__ import annotations

import contextlib
import re
import secrets
import socket
import struct
import time
from dataclasses import dataclass
from typing import Optional

PACKET_TIME = 0.02  # seconds of speech in one packet (RFC 3551 4.2)
SAMPLES = 160  # of 8000 a second, one byte each
SILENCE = {0: b"\xff", 8: b"\xd5"}  # PCMU and PCMA, by their static payload types (RFC 3551 6)
RTP_HEADER = struct.Struct("!BBHII")
RTP_VERSION = 2
LARGEST_PACKET = 2048
MOST_WAITING = 1000  # packets that are read away at once: a flood must not hold the call
TRIES_FOR_EVEN_PORT = 16

_CONNECTION = re.compile(r"^c=IN IP[46] ([0-9A-Fa-f:.]+)", re.MULTILINE)
_AUDIO = re.compile(r"^m=audio ([0-9]{1,5})(?:/[0-9]+)? RTP/AVP((?: [0-9]{1,3})+)[ \r]*$", re.MULTILINE)


@dataclass(frozen=True)
class Stream:
    """Where an SDP answer wants the packets, and their payload type."""

    address: str
    port: int
    payload_type: int


def read_answer(body: bytes) -> Optional[Stream]:
    """What the other end's SDP says of its first audio stream; None when there is none that we could send to."""
    text = body.decode("utf-8", errors="replace")
    audio = _AUDIO.search(text)
    if not audio:
        return None
    section = text[audio.start() :].partition("\nm=")[0]
    connection = _CONNECTION.search(section) or _CONNECTION.search(text[: audio.start()].partition("\nm=")[0])
    payload_type = next((int(word) for word in audio.group(2).split() if int(word) in SILENCE), None)
    port = int(audio.group(1))
    if not connection or payload_type is None or not 0 < port < 65536:
        return None
    return Stream(connection.group(1), port, payload_type)


class Media:
    """One RTP socket. sent, received: packets out, and valid ones in since `start`."""

    def __init__(self, family: int, host: str) -> None:
        """Open a socket on `host`, an address of ours. Raises OSError."""
        self.sent = 0
        self.received = 0
        self._stream: Optional[Stream] = None
        self._host = host
        self._sequence = secrets.randbits(16)
        self._timestamp = secrets.randbits(32)
        self._source = secrets.randbits(32)
        self._socket = _even_port(family, host)

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()

    def offer(self) -> bytes:
        """The SDP offer: G.711 both ways."""
        kind = "IP6" if ":" in self._host else "IP4"
        lines = (
            "v=0",
            f"o=sip-dr {self._source} 1 IN {kind} {self._host}",
            "s=-",
            f"c=IN {kind} {self._host}",
            "t=0 0",
            f"m=audio {self._socket.getsockname()[1]} RTP/AVP 0 8",
            "a=rtpmap:0 PCMU/8000",
            "a=rtpmap:8 PCMA/8000",
            "a=ptime:20",
            "a=sendrecv",
        )
        return "".join(f"{line}\r\n" for line in lines).encode()

    def start(self, stream: Stream) -> None:
        """Send to this stream from now on. What came before the answer is forgotten: an announcement is no call."""
        self._drain()
        self.received = 0
        self._stream = stream

    def send(self) -> None:
        """One packet of silence; a path that refuses it is a lost packet."""
        if self._stream is None:
            return
        first = 0x80 if self.sent == 0 else 0  # the marker: a talk spurt begins (RFC 3551 4.1)
        head = RTP_HEADER.pack(
            RTP_VERSION << 6, first | self._stream.payload_type, self._sequence, self._timestamp, self._source
        )
        with contextlib.suppress(OSError):
            packet = head + SILENCE[self._stream.payload_type] * SAMPLES
            self._socket.sendto(packet, (self._stream.address, self._stream.port))
        self.sent += 1
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._timestamp = (self._timestamp + SAMPLES) & 0xFFFFFFFF

    def collect(self, until: float) -> None:
        """Count the packets that come before `until` (monotonic clock)."""
        while time.monotonic() < until:
            self._socket.settimeout(max(0.0, until - time.monotonic()))
            with contextlib.suppress(OSError):
                self.received += is_rtp(self._socket.recv(LARGEST_PACKET))

    def _drain(self) -> None:
        self._socket.settimeout(0.0)
        with contextlib.suppress(OSError):
            for _turn in range(MOST_WAITING):
                self._socket.recv(LARGEST_PACKET)


def is_rtp(packet: bytes) -> bool:
    """Whether these bytes are an RTP packet with a payload (RFC 3550 5.1, A.1)."""
    if len(packet) <= RTP_HEADER.size or packet[0] >> 6 != RTP_VERSION:
        return False
    return len(packet) > RTP_HEADER.size + 4 * (packet[0] & 0x0F)


def _even_port(family: int, host: str) -> socket.socket:
    """A socket on an even port, as RFC 3550 11 would have it; on an odd one where no even one comes up."""
    for turn in range(TRIES_FOR_EVEN_PORT):
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.bind((host, 0))
        except OSError:
            sock.close()
            raise
        if sock.getsockname()[1] % 2 == 0 or turn + 1 == TRIES_FOR_EVEN_PORT:
            break
        sock.close()
    return sock
