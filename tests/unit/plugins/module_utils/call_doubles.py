"""A callee for tests: a SIP peer on the loopback that answers calls by a script, and an RTP peer for its media."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.message import Message, parse
from sip_doubles import Manners, UdpPeer, udp_peer

Step = tuple[float, str]
"""(seconds after the request, "200 OK"); to an INVITE, a 183 or 2xx carries the callee's SDP."""
Script = dict[str, list[Step]]

SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP {format}\r\n"
ANSWERS: Script = {"INVITE": [(0, "100 Trying"), (0, "180 Ringing"), (0, "200 OK")], "BYE": [(0, "200 OK")]}


def echo(packet: bytes, _count: int) -> list[tuple[float, bytes]]:
    """Manners of a media peer that sends everything back."""
    return [(0, packet)]


@dataclass
class Uas:
    """A callee. script: what each method is answered with; routes: its Record-Route; sdp: instead of a sound one."""

    script: Script
    sip: UdpPeer
    rtp: UdpPeer
    sdp: str = SDP
    format: int = 0
    routes: list[str] = field(default_factory=list)
    lost: int = 0
    before: Callable[[Message], list[bytes]] = lambda request: []

    def manners(self, data: bytes, count: int) -> list[tuple[float, bytes]]:
        """Answer by the script; the first `lost` datagrams never came."""
        request = parse(data)
        if count <= self.lost or request.method not in self.script:
            return []
        first = [(0.0, each) for each in self.before(request)]
        return first + [(delay, self.reply(request, status)) for delay, status in self.script[request.method]]

    def reply(self, request: Message, status: str) -> bytes:
        """One response; the To of all but a 100 has a tag. `INVITE:` before a status answers the INVITE instead."""
        answers_invite = status.startswith("INVITE:")
        if answers_invite:
            request, status = parse(self.sip.received[0]), status.partition(":")[2]
        tag = "" if status.startswith("100") else ";tag=callee"
        to = request.first("to")
        lines = [f"SIP/2.0 {status}", *(f"Via: {via}" for via in request.values("via"))]
        lines += [f"From: {request.first('from')}", f"To: {to if 'tag=' in to else to + tag}"]
        lines += [f"Call-ID: {request.first('call-id')}", f"CSeq: {request.first('cseq')}"]
        lines += [f"Contact: <sip:callee@127.0.0.1:{self.sip.port}>", *(f"Record-Route: {one}" for one in self.routes)]
        with_sdp = request.method == "INVITE" and status[0] in "12" and status[:3] not in ("100", "180")
        body = self.sdp.replace("{port}", str(self.rtp.port)).replace("{format}", str(self.format)) if with_sdp else ""
        return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]).encode()

    @property
    def messages(self) -> list[Message]:
        """All that it received."""
        return [parse(data) for data in self.sip.received]

    @property
    def methods(self) -> list[str]:
        """The methods of all that it received, in order; a response is its status."""
        return [message.method or str(message.status) for message in self.messages]


@contextmanager
def callee(script: Script = ANSWERS, media: Manners = echo, **more) -> Iterator[Uas]:
    """A callee for the length of a block."""
    with ExitStack() as stack:
        rtp = stack.enter_context(udp_peer(media))
        sip = stack.enter_context(udp_peer(lambda data, count: uas.manners(data, count)))
        uas = Uas(script, sip, rtp, **more)
        yield uas
