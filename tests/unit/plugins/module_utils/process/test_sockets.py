"""Who is connected, as the kernel tells it."""

from __future__ import annotations

import os
import socket

from ansible_collections.contactcenter.sip_dr.plugins.module_utils.process.sockets import (
    ESTABLISHED,
    LISTEN,
    parse_table,
    socket_inodes,
    tcp_sockets,
)

HEADING = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
# 10.71.2.20:50000 -> 10.71.1.20:2020, and the same from ::ffff:10.71.2.20, as a little-endian kernel prints them.
FOUR = "   0: 1402470A:C350 1401470A:07E4 01 00000000:00000000 00:00000000 00000000  1000 0 4711 1 0 20 4 30 10 -1\n"
SIX = (
    "   0: 0000000000000000FFFF00001402470A:C350 0000000000000000FFFF00001401470A:07E4 01 00000000:00000000"
    " 00:00000000 00000000  1000 0 4712 1 0 20 4 30 10 -1\n"
)
LOCAL6 = (
    "   0: 00000000000000000000000001000000:07E4 00000000000000000000000000000000:0000 0A 00000000:00000000"
    " 00:00000000 00000000  0 0 4713 1 0 20 4 30 10 -1\n"
)


def test_addresses_are_read_in_both_families() -> None:
    (four,) = parse_table(HEADING + FOUR)
    assert (four.local, four.local_port, four.remote, four.remote_port) == ("10.71.2.20", 50000, "10.71.1.20", 2020)
    assert (four.state, four.inode) == (ESTABLISHED, 4711)
    (mapped,) = parse_table(HEADING + SIX)
    assert (mapped.local, mapped.remote, mapped.inode) == ("10.71.2.20", "10.71.1.20", 4712)
    (listening,) = parse_table(HEADING + LOCAL6)
    assert (listening.local, listening.local_port, listening.state) == ("::1", 2020, LISTEN)


def test_a_real_session_is_found_and_its_holder() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert any(found.state == LISTEN and found.local_port == port for found in tcp_sockets())
        with socket.create_connection(("127.0.0.1", port)) as client, server.accept()[0]:
            inode = os.fstat(client.fileno()).st_ino
            (mine,) = [found for found in tcp_sockets() if found.inode == inode]
            assert (mine.state, mine.remote, mine.remote_port) == (ESTABLISHED, "127.0.0.1", port)
            assert inode in socket_inodes([os.getpid()])
        assert inode not in socket_inodes([os.getpid()])


def test_a_process_that_is_gone_holds_nothing() -> None:
    assert socket_inodes([2**22 + 1]) == set()
