"""SDP answers and RTP packets, as they come."""

from __future__ import annotations

import pytest
from ansible_collections.contactcenter.sip_dr.plugins.module_utils.sip.rtp import Stream, is_rtp, read_answer

HEAD = "v=0\no=- 1 1 IN IP4 10.0.0.9\ns=-\n"


@pytest.mark.parametrize(
    ("text", "stream"),
    [
        (HEAD + "c=IN IP4 10.0.0.1\nt=0 0\nm=audio 4000 RTP/AVP 0\n", Stream("10.0.0.1", 4000, 0)),
        (HEAD + "c=IN IP4 10.0.0.1\nm=audio 4000 RTP/AVP 18 8 0\n", Stream("10.0.0.1", 4000, 8)),
        (HEAD + "c=IN IP4 10.0.0.1\nm=audio 4000 RTP/AVP 0\nc=IN IP4 10.0.0.2\n", Stream("10.0.0.2", 4000, 0)),
        (HEAD + "m=audio 4000/2 RTP/AVP 0 101\nc=IN IP6 2001:db8::1\n", Stream("2001:db8::1", 4000, 0)),
        (
            HEAD + "c=IN IP4 10.0.0.1\nm=audio 4 RTP/AVP 0\nm=video 2 RTP/AVP 31\nc=IN IP4 9.9.9.9\n",
            Stream("10.0.0.1", 4, 0),
        ),
        (HEAD + "c=IN IP4 10.0.0.1\nm=audio 4000 RTP/SAVP 0\n", None),
        (HEAD + "c=IN IP4 10.0.0.1\nm=audio 70000 RTP/AVP 0\n", None),
        (HEAD + "m=audio 4000 RTP/AVP 0\nm=video 1 RTP/AVP 31\nc=IN IP4 10.0.0.1\n", None),
    ],
)
def test_the_first_audio_stream_of_an_answer(text, stream):
    for ends in ("\n", "\r\n"):
        assert read_answer(text.replace("\n", ends).encode()) == stream


def test_the_address_of_another_stream_is_not_ours():
    body = HEAD + "c=IN IP4 10.0.0.1\nm=video 2 RTP/AVP 31\nc=IN IP4 10.0.0.3\nm=audio 4 RTP/AVP 0\n"
    assert read_answer(body.encode()) == Stream("10.0.0.1", 4, 0)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\x00", b"m=audio", b"v=0\r\n" * 10000])
def test_garbage_is_no_stream(body):
    assert read_answer(body) is None


def test_what_an_rtp_packet_is():
    assert is_rtp(b"\x80\x00" + bytes(10) + b"x")
    assert not is_rtp(b"\x80\x00" + bytes(10))  # no payload
    assert not is_rtp(b"\x40\x00" + bytes(10) + b"x")  # another version
    assert not is_rtp(b"\x81\x00" + bytes(10) + b"four")  # nothing behind its one contributing source
    assert not is_rtp(b"")
